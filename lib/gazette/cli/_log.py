"""``gazette log``: who changed, decided, signed and published what, and when."""

from __future__ import annotations

import csv
import io
from dataclasses import asdict, fields
from typing import TYPE_CHECKING

from gazette.cli._shared import a_day, brief, open_project, plain, say

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable

    from gazette.register import Event

__all__ = ["EXAMPLE", "HELP", "add_options", "run"]

HELP = "list who changed, decided, signed and published what, and when: the trail for an audit"
EXAMPLE = """gazette log
  gazette log --since 2026-10-01 --kind decision --kind sign-off
  gazette log --csv > trail.csv"""
LONG = 160


def add_options(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument("--since", type=a_day, metavar="DAY", help="from this day on")
    parser.add_argument("--until", type=a_day, metavar="DAY", help="up to this day, inclusive")
    parser.add_argument("--about", metavar="TEXT", help="only what is about this edition, metric, decision or subject")
    parser.add_argument(
        "--kind",
        action="append",
        metavar="KIND",
        help="only this kind, more than once for more: published, sealed, restated, definition, settings, decision, sign-off, "
        "score, challenge, accepted, remark, replayed",
    )
    parser.add_argument("--csv", action="store_true", help="a table for spreadsheets; nothing is cut")


def run(options: argparse.Namespace) -> int:
    """The command; returns the exit code."""
    from gazette.errors import WrongUseError  # noqa: PLC0415
    from gazette.register import KINDS, trail  # noqa: PLC0415

    if unknown := sorted(set(options.kind or ()) - set(KINDS)):
        raise WrongUseError(f"there is no kind {unknown[0]!r}", where="--kind", mend=f"kinds: {', '.join(KINDS)}")
    project = open_project(options)
    found = trail(project.root, project.store, project.params)
    chosen = [
        e
        for e in found.events
        if (options.since is None or e.day >= options.since)
        and (options.until is None or e.day <= options.until)
        and (not options.kind or e.kind in options.kind)
        and (not options.about or options.about in e.about)
    ]
    content = {
        "events": [{**asdict(e), "day": e.day.isoformat()} for e in chosen],
        "missing": list(found.missing),
    }
    if options.csv and not options.json:
        print(_table(chosen), end="")
        return 0
    lines = [_line(e) for e in chosen] or ["Nothing was found."]
    lines += [f"Not read: {plain(m)}" for m in found.missing]
    say(options, content, "\n".join(lines))
    return 0


def _line(event: Event) -> str:
    who = f" {plain(event.who)}:" if event.who else ""
    return f"{event.day}  {event.kind:10}  {plain(event.about)}:{who} {brief(event.what, LONG)} [{plain(event.where)}]"


def _table(events: Iterable[Event]) -> str:
    from gazette.display import csv_cell  # noqa: PLC0415
    from gazette.register import Event  # noqa: PLC0415

    stream = io.StringIO()
    names = [f.name for f in fields(Event)]
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([csv_cell(str(getattr(e, n))) for n in names] for e in events)
    return stream.getvalue()
