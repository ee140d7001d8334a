"""``gazette accept``: a second person's agreement to a challenge."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gazette.cli._shared import open_project, say, today

if TYPE_CHECKING:
    import argparse

__all__ = ["EXAMPLE", "HELP", "add_options", "run"]

HELP = "accept a challenge as a second person; its numbers become a restatement, with credit"
EXAMPLE = "gazette accept ranking-v3-2-2026-W47 --by 'Ada Okafor' --because 'Staff accounts should not count.'"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument("challenge", help="its id, the file's name without .yml")
    parser.add_argument("--by", required=True, metavar="NAME", help="who accepts; not who challenged")
    parser.add_argument("--because", required=True, metavar="TEXT", help="why it is right")


def run(options: argparse.Namespace) -> int:
    """The command; returns the exit code."""
    from gazette.register import accept_challenge  # noqa: PLC0415

    project = open_project(options)
    accepted, path = accept_challenge(
        project.root, project.store, options.challenge, by=options.by, because=options.because, on=today()
    )
    place = path.relative_to(project.root).as_posix()
    text = f"Accepted by {accepted.by}; the numbers are restated with the next build. Commit {place}"
    say(options, {"challenge": accepted.challenge, "file": place}, text)
    return 0
