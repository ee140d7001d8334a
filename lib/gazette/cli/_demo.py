"""``gazette demo``: the demo data."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from gazette.cli._shared import open_project, say

if TYPE_CHECKING:
    import argparse

__all__ = ["EXAMPLE", "HELP", "add_options", "run"]

HELP = "make the demo warehouse and model registry, unless they are there"
EXAMPLE = "gazette demo"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument("--force", action="store_true", help="make them again")


def run(options: argparse.Namespace) -> int:
    """The command; returns the exit code."""
    from gazette.demo import generate, is_current  # noqa: PLC0415

    project = open_project(options)
    place = project.state / "demo"
    made = options.force or not is_current(place)
    if made:
        generate(place, progress=lambda what: print(f"demo: {what}", file=sys.stderr, flush=True))
    say(
        options,
        {"demo": str(place), "made": made},
        f"The demo data {'was made in' if made else 'is up to date in'} {place}",
    )
    return 0
