"""``gazette pack``: the evidence of a decision in one zip."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gazette.cli._shared import open_project, say

if TYPE_CHECKING:
    import argparse

__all__ = ["EXAMPLE", "HELP", "add_options", "run"]

HELP = "put the evidence of a decision into one zip that opens in a browser and verifies with plain Python"
EXAMPLE = """gazette pack checkout-one-page-2026-W47
  gazette pack checkout-one-page-2026-W47 --to checkout.zip"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument("decision", help="its id, the file's name without .yml")
    parser.add_argument("--to", type=Path, metavar="FILE", help="the zip (default: packs/DECISION.zip)")


def run(options: argparse.Namespace) -> int:
    """The command; returns the exit code."""
    from gazette.packs import pack  # noqa: PLC0415

    project = open_project(options)
    made = pack(project.root, project.store, project.params, options.decision, output=project.output, to=options.to)
    content = {"pack": str(made.path), "files": made.files, "bytes": made.size, "sha256": made.digest}
    text = (
        f"{made.path}: {made.files} files, {made.size / 1e6:.1f} MB, SHA-256 {made.digest}\n"
        "Unzip it and open index.html; 'python3 verifier.py .' in it checks every file."
    )
    say(options, content, text)
    return 0
