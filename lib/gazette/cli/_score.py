"""``gazette score``: what was measured after a decision."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gazette.cli._shared import a_day, open_project, say, today

if TYPE_CHECKING:
    import argparse

__all__ = ["EXAMPLE", "HELP", "add_options", "run"]

HELP = "write what was measured after a decision, to score what it promised"
EXAMPLE = (
    "gazette score ranking-v3-2-2026-W47 --realised 0.031 --error 0.012 --source 'hold-out of December' --by 'Ben Sato'"
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument("decision", help="its id, the file's name without .yml")
    parser.add_argument("--realised", required=True, type=float, metavar="X", help="relative effect: 0.031 for 3.1 %%")
    parser.add_argument("--error", required=True, type=float, metavar="X", help="its standard error")
    parser.add_argument("--source", required=True, metavar="TEXT", help="where it comes from")
    parser.add_argument("--by", required=True, metavar="NAME")
    parser.add_argument("--metric", metavar="ID", help="by default the primary metric")
    parser.add_argument("--measured", type=a_day, metavar="DATE", help="by default today")


def run(options: argparse.Namespace) -> int:
    """The command; returns the exit code."""
    from gazette.register import add_score  # noqa: PLC0415

    project = open_project(options)
    score, path = add_score(
        project.root,
        options.decision,
        value=options.realised,
        error=options.error,
        source=options.source,
        by=options.by,
        on=options.measured or today(),
        metric=options.metric,
    )
    place = path.relative_to(project.root).as_posix()
    say(options, {"decision": score.decision, "file": place}, f"Scored {score.decision}. Commit {place}")
    return 0
