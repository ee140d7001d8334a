"""``gazette challenge``: a fork's numbers against the published ones."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gazette.cli._shared import open_project, say, today

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from gazette.forks import Found
    from gazette.record import Number

__all__ = ["EXAMPLE", "HELP", "add_options", "run"]

HELP = "run a fork and compare its numbers with the published ones; where they differ, write a review"
EXAMPLE = """gazette challenge forks/ranking-v3-2-2026-W47 --by 'Ben Sato' --because 'Staff accounts were counted.'"""
SHOWN = 40


def add_options(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument("fork", type=Path, help="the folder that 'gazette fork' made, or a notebook in it")
    parser.add_argument("--by", required=True, metavar="NAME", help="who challenges")
    parser.add_argument("--because", required=True, metavar="TEXT", help="why the published numbers are wrong")
    parser.add_argument("--as-run", action="store_true", help="take the numbers that the notebook holds, do not run it")
    parser.add_argument("--keep", action="store_true", help="write the review even if all numbers are the same")


def run(options: argparse.Namespace) -> int:
    """The command; returns the exit code."""
    from gazette.cli._progress import listener  # noqa: PLC0415
    from gazette.forks import challenge  # noqa: PLC0415

    project = open_project(options)
    with listener() as watching:
        found = challenge(
            project,
            options.fork,
            by=options.by,
            because=options.because,
            on=today(),
            as_run=options.as_run,
            keep=options.keep,
            progress=lambda event: watching.notebook("fork", event),
        )
    place = found.path.relative_to(project.root).as_posix() if found.path else ""
    name = found.challenge.id if found.challenge else ""
    content = {"challenge": name, "file": place, "state": found.comparison.state, **found.content}
    say(options, content, "\n".join(_lines(found, place, project.params.site.currency)))
    return 0


def _lines(found: Found, place: str, currency: str) -> Iterator[str]:
    comparison, content = found.comparison, found.content
    for row in content["parameters"]:
        yield f"first cell: {row['name']} = {row['fork'] or '(gone)'}, published {row['published'] or '(none)'}"
    for row in content["cells"]:
        yield f"cell {row['cell']}: {row['change']}"
    for row in content["data"]:
        yield f"data {row['file']}: {row['change']}"
    if content["library"]:
        yield "library: not the code that published the edition"
    for change in comparison.numbers[:SHOWN]:
        pair = [_shown(n, currency) for n in (change.before, change.after)]
        label = (change.after or change.before).label if (change.after or change.before) else ""  # type: ignore[union-attr]
        yield f"{change.id} ({label}): published {pair[0]}, found {pair[1]}"
    if len(comparison.numbers) > SHOWN:
        yield f"… and {len(comparison.numbers) - SHOWN} numbers more"
    for flip in content["flips"]:
        told = f"{flip['state_before']} ({flip['action_before']})", f"{flip['state_after']} ({flip['action_after']})"
        yield f"VERDICT on {flip['metric']}: published {told[0]}, found {told[1]}"
    if not comparison.numbers and not comparison.verdicts:
        yield f"All {comparison.compared} numbers are as published: there is nothing to challenge."
    if place:
        yield f"Commit {place}; a second person accepts it with 'gazette accept {found.challenge.id}'."  # type: ignore[union-attr]


def _shown(number: Number | None, currency: str) -> str:
    from gazette.display import with_range  # noqa: PLC0415

    return "(none)" if number is None else with_range(number, currency=currency)
