"""``gazette new``: a parameter file for a new subject."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gazette.cli._shared import open_project, say, today

if TYPE_CHECKING:
    import argparse

__all__ = ["EXAMPLE", "HELP", "add_options", "run"]

HELP = "write a valid, commented parameter file for a new model or experiment"
EXAMPLE = "gazette new experiment two-click-checkout --owner checkout-team"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument("kind", choices=("model", "experiment"))
    parser.add_argument("name", help="its id: lower case with hyphens")
    parser.add_argument(
        "--kind",
        dest="predicts",
        choices=("classifier", "regressor", "ranker"),
        default="",
        help="what a model predicts (default: the first whose metrics the project has, else classifier)",
    )
    parser.add_argument("--owner", default="", help="team or person to ask")


def run(options: argparse.Namespace) -> int:
    """The command; returns the exit code."""
    from gazette.register import new_subject  # noqa: PLC0415

    project = open_project(options, bare=True)
    made = new_subject(
        project.root,
        project.params,
        options.kind,
        options.name,
        today=today(),
        owner=options.owner,
        predicts=options.predicts,
    )
    place = made.path.relative_to(project.root).as_posix()
    added = f" Added to params/metrics.yml, for you to go through: {', '.join(made.metrics)}." if made.metrics else ""
    found = {"file": place, "metrics": list(made.metrics)}
    say(options, found, f"Wrote {place}.{added} Go through its lines, then run: gazette check")
    return 0
