"""``gazette sign-off``: a second person's agreement to a decision."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gazette.cli._shared import open_project, say, today

if TYPE_CHECKING:
    import argparse

__all__ = ["EXAMPLE", "HELP", "add_options", "run"]

HELP = "sign a decision off as a second person, bound to its file and its edition"
EXAMPLE = "gazette sign-off ranking-v3-2-2026-W47 --by 'Ben Sato'"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument("decision", help="its id, the file's name without .yml")
    parser.add_argument("--by", required=True, metavar="NAME", help="who agrees; not who decided")
    parser.add_argument("--note", default="", metavar="TEXT")


def run(options: argparse.Namespace) -> int:
    """The command; returns the exit code."""
    from gazette.register import sign_off  # noqa: PLC0415

    project = open_project(options)
    signed, path = sign_off(project.root, project.store, options.decision, by=options.by, on=today(), note=options.note)
    place = path.relative_to(project.root).as_posix()
    say(options, {"decision": signed.decision, "file": place}, f"Signed off by {signed.by}. Commit {place}")
    return 0
