"""``gazette aa``: how often this company's metrics are called changed where nothing changed."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from gazette.cli._shared import open_project, say
from gazette.errors import WrongUseError

if TYPE_CHECKING:
    import argparse

    from gazette.record import AARate

__all__ = ["EXAMPLE", "HELP", "add_options", "run"]

HELP = "replay tests with arms drawn at random, and say how often each metric is called changed by chance"
EXAMPLE = (
    "gazette aa\n  gazette aa green-button --replays 1000\n  gazette aa green-button --by household --week 2026-W47"
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument("tests", nargs="*", metavar="TEST", help="tests (default: all of the newest edition)")
    parser.add_argument("--replays", type=int, default=500, metavar="N", help="of each test (default: 500)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of the draws (default: 1)")
    parser.add_argument("--week", metavar="WEEK", help="users up to this edition (default: the newest)")
    parser.add_argument(
        "--by",
        default="",
        metavar="COLUMN",
        help="column of the assignment table whose values were assigned together (default: looked for)",
    )


def run(options: argparse.Namespace) -> int:
    """The command; returns the exit code."""
    from gazette import build  # noqa: PLC0415  the command imports what it needs
    from gazette.editions import Week  # noqa: PLC0415

    if options.replays < 1 or options.seed < 0:
        raise WrongUseError("--replays must be at least 1, and --seed not below 0", mend="correct it")
    project = open_project(options)
    weeks = project.store.weeks()
    if options.week is None and not weeks:
        raise WrongUseError("there is no edition yet", mend="name a week with --week, or build one: gazette build")
    week = Week.parse(options.week) if options.week else weeks[-1]
    found = build.replay_aa(
        project, week, tests=options.tests, replays=options.replays, seed=options.seed, by=options.by, say=_progress
    )
    lines = []
    for path, one in found:
        lines.append(f"{one.title}: {one.replays:,} replays among {one.units:,} users, {path}")
        if one.assigned_by != "unit_id":
            lines.append(f"  assigned by {one.assigned_by}, of which there are {one.groups:,}")
        lines += [f"  {_row(rate)}" for rate in one.metrics]
    say(options, [one.model_dump() for _, one in found], "\n".join(lines))
    return 0


def _row(rate: AARate) -> str:
    how = f"{rate.title}, {rate.design.replace('-', ' ')}, {rate.looks} look{'s' if rate.looks > 1 else ''}"
    if rate.rate is None or rate.low is None or rate.high is None:
        return f"{how}: never published"
    said = f"{how}: called changed in {100 * rate.rate:.1f} % ({100 * rate.low:.1f} to {100 * rate.high:.1f})"
    return said + (f"  << {rate.flag}" if rate.flag else "")


def _progress(test: str, done: int, of: int) -> None:
    live = sys.stderr.isatty()
    print(
        f"\r{test}: {done} of {of}" if live else f"{test}: {done} of {of}",
        end="" if live and done < of else "\n",
        file=sys.stderr,
        flush=True,
    )
