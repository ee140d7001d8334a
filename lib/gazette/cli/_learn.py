"""``gazette learn``: sensitivities from past tests and versions, for a person to accept."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from gazette.cli._shared import open_project, say
from gazette.errors import WrongUseError

if TYPE_CHECKING:
    import argparse

__all__ = ["EXAMPLE", "HELP", "add_options", "run"]

HELP = "propose sensitivities from past tests and versions, or accept one"
EXAMPLE = """gazette learn
  gazette learn --accept ndcg-to-session-length --by "A. Person" --because "Nine tests say so.\""""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument(
        "--accept", metavar="ROW", help="write this row's learnt sensitivity to params/translations.yml"
    )
    parser.add_argument("--by", metavar="NAME", default="", help="who accepts it")
    parser.add_argument("--because", metavar="REASON", default="", help="why, for the changelog")


def run(options: argparse.Namespace) -> int:
    """Propose, or accept."""
    from gazette import build  # noqa: PLC0415  the command imports what it needs
    from gazette.record import NotPublished  # noqa: PLC0415

    if not options.accept and (options.by or options.because):
        raise WrongUseError("--by and --because belong to --accept", mend="name the row with --accept ROW")
    project = open_project(options)
    if options.accept:
        today = datetime.now(UTC).date()
        path = build.accept(project, options.accept, by=options.by, because=options.because, today=today)
        say(
            options,
            {"accepted": options.accept, "file": str(path)},
            f"Accepted {options.accept}: {path}\nLook at it with git diff.",
        )
        return 0
    path, proposals = build.propose(project)
    lines = []
    rows: list[dict[str, Any]] = []
    for one in proposals:
        rows.append(one.content)
        if isinstance(one.learnt, NotPublished):
            lines.append(f"  {one.row}: nothing learnt ({one.learnt.reason})")
        else:
            known, stated = one.content["learnt"], one.content["stated"]
            lines.append(
                f"  {one.row}: learnt {known['effect']:g} ({known['low']:g} to {known['high']:g}) from {one.learnt.n} past changes; stated {stated['low']:g} to {stated['high']:g}"
            )
    say(options, {"file": str(path), "translations": rows}, "\n".join([f"Wrote {path}", *lines]))
    return 0
