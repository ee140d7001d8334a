"""``gazette annotate``: a remark that pages show with author and date."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gazette.cli._shared import a_day, open_project, say, today

if TYPE_CHECKING:
    import argparse

__all__ = ["EXAMPLE", "HELP", "add_options", "run"]

HELP = "add a remark on a subject, or on one of its dates, numbers or charts"
EXAMPLE = """gazette annotate flight-delay --day 2026-10-05 --by flight-science --text 'Thunderstorms closed two airports.'
  gazette annotate ranking-v3-2 --number ranking-v3-2.ctr.difference --by ranking --text 'Bots were taken out on Tuesday.'"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument("subject", help="id of a model or experiment")
    parser.add_argument("--text", required=True)
    parser.add_argument("--by", required=True, metavar="NAME")
    target = parser.add_mutually_exclusive_group()
    target.add_argument("--day", type=a_day, metavar="DATE")
    target.add_argument("--number", metavar="ID")
    target.add_argument("--chart", metavar="NAME")


def run(options: argparse.Namespace) -> int:
    """The command; returns the exit code."""
    from gazette.register import annotate  # noqa: PLC0415

    project = open_project(options)
    weeks = project.store.weeks()
    made, path = annotate(
        project.root,
        project.state,
        options.subject,
        text=options.text,
        by=options.by,
        on=today(),
        subjects=[*project.params.models, *project.params.experiments],
        day=options.day,
        number=options.number,
        chart=options.chart,
        newest=project.store.open(weeks[-1]).within("records", "notebooks") if weeks else None,
    )
    place = path.relative_to(project.root).as_posix()
    say(options, {"annotation": made.id, "file": place}, f"Added {made.id}. Commit {place}")
    return 0
