"""``gazette fork``: a copy of a published notebook to work on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gazette.cli._shared import open_project, say

if TYPE_CHECKING:
    import argparse

__all__ = ["EXAMPLE", "HELP", "add_options", "run"]

HELP = "copy a published notebook with its data into a folder of its own, to open in JupyterLab or VS Code"
EXAMPLE = """gazette fork ranking-v3-2
  gazette fork flight-delay --edition 2026-W46 --to forks/late-flights"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument(
        "subject", help="a model, an experiment, or operations, reconciliation, translation, portfolio, executive"
    )
    parser.add_argument("--edition", metavar="WEEK", help="by default the newest that has the subject")
    parser.add_argument("--to", type=Path, metavar="PATH", help="a new folder (default: forks/SUBJECT-WEEK)")


def run(options: argparse.Namespace) -> int:
    """The command; returns the exit code."""
    from gazette.forks import fork  # noqa: PLC0415

    made = fork(open_project(options), options.subject, edition=options.edition, to=options.to)
    content = {"fork": str(made.folder), "notebook": str(made.notebook), "edition": made.edition, "digest": made.digest}
    text = (
        f"{made.notebook}: edition {made.edition} (manifest {made.digest[:12]}…), a copy to work on.\n"
        f"Its first cell says what to compute; {made.folder / 'README.md'} how to open it."
    )
    say(options, content, text)
    return 0
