"""``gazette decide``: what was decided on an experiment, as a file in git."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gazette.cli._shared import open_project, say, today

if TYPE_CHECKING:
    import argparse

__all__ = ["EXAMPLE", "HELP", "add_options", "run"]

HELP = "write a decision on an experiment, bound to the edition that it is taken on"
EXAMPLE = """gazette decide ranking-v3-2 ship --by 'Ada Okafor' --because 'Clear gain, guardrail holds.'
  gazette decide ranking-v3-2 ship-with-monitoring --by 'Ada Okafor' --because 'Revenue is open.' --watch revenue-per-unit:0.05:2026-12-06:shop-team
  gazette decide email-digest ship --by 'Ada Okafor' --because 'The old system is switched off.' --override"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument("experiment", help="its id")
    parser.add_argument("decision", choices=("ship", "ship-with-monitoring", "stop", "continue"))
    parser.add_argument("--by", required=True, metavar="NAME", help="who decides")
    parser.add_argument("--because", required=True, metavar="TEXT", help="why")
    parser.add_argument("--edition", metavar="WEEK", help="by default the newest that reports on the experiment")
    parser.add_argument("--override", action="store_true", help="decide against the recommendation")
    parser.add_argument("--supersede", action="store_true", help="replace the decision on the same edition")
    parser.add_argument(
        "--watch",
        action="append",
        default=[],
        metavar="METRIC:MARGIN[:UNTIL[:OWNER]]",
        help="what to watch after shipping (default: the plan's guardrails)",
    )


def run(options: argparse.Namespace) -> int:
    """The command; returns the exit code."""
    from gazette.register import decide  # noqa: PLC0415

    project = open_project(options)
    decision, path = decide(
        project.root,
        project.store,
        options.experiment,
        options.decision,
        by=options.by,
        because=options.because,
        on=today(),
        edition=options.edition,
        override=options.override,
        supersede=options.supersede,
        watch=options.watch,
        known=[*project.params.experiments],
    )
    place = path.relative_to(project.root).as_posix()
    text = f"{decision.title}: {decision.decision}, on edition {decision.edition}. Commit {place}"
    say(options, {"decision": decision.id, "file": place}, text)
    return 0
