"""``gazette diff``: what changed between two editions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from gazette.cli._shared import brief, open_project, say
from gazette.errors import WrongUseError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable

    from gazette.diff import Difference, NumberMoved
    from gazette.editions import Sealed
    from gazette.record import Finding, Number, Record, Verdict

__all__ = ["EXAMPLE", "HELP", "add_options", "run"]

HELP = "say what changed between two editions, most important first"
EXAMPLE = """gazette diff 2026-W46 2026-W47
  gazette diff W47 --page flight-delay
  gazette diff --json

With one edition, the one before it is compared; with none, the newest. Differences are no failure: the exit code is 0."""
MOST = 10


def add_options(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument("editions", nargs="*", metavar="EDITION", help="one or two editions such as 2026-W47, or W47")
    parser.add_argument("--page", metavar="ID", help="one model, experiment or other page alone")
    parser.add_argument("--all", action="store_true", help=f"every line, not the first {MOST} of each part")


def run(options: argparse.Namespace) -> int:
    """The command; returns the exit code."""
    from gazette.diff import choose_pair, difference  # noqa: PLC0415

    project = open_project(options)
    pair = choose_pair(project.store, options.editions)
    found = difference(project.store, pair.before, pair.after)
    if options.page:
        found = _only(found, options.page, project.store.open(pair.before), project.store.open(pair.after))
    say(options, _as_json(found, swapped=pair.swapped), _as_text(found, swapped=pair.swapped, whole=options.all))
    return 0


def _only(found: Difference, page: str, *sealed: Sealed) -> Difference:
    pages = sorted({Path(n).stem for s in sealed for k in ("records", "failures") for n in s.names(k, ".json")})
    if page not in pages:
        raise WrongUseError(
            f"neither {found.before} nor {found.after} has a page {page!r}", mend=f"there are: {', '.join(pages)}"
        )
    return found.of(page)


def _value(number: Number | None, currency: str) -> str:
    from gazette.display import with_range  # noqa: PLC0415

    return "none" if number is None else with_range(number, currency=currency)


def _number(moved: NumberMoved, currencies: tuple[str, str]) -> str:
    change = moved.change
    known = change.after or change.before
    label = known.label if known is not None else change.id
    values = f"{_value(change.before, currencies[0])} → {_value(change.after, currencies[1])}"
    outside = "  outside the range published before" if change.outside else ""
    how = f"  {change.how}" if change.how != "changed" else ""
    return f"{brief(label)} [{change.id}]: {values}{outside}{how}"


def _said(record: Record | None, finding: Any, currency: str) -> str:
    from gazette.display import plain_sentence  # noqa: PLC0415

    if record is None or finding is None:
        return ""
    return " ".join(plain_sentence(finding, {n.id: n for n in record.numbers}, currency=currency).split())


def _parts(found: Difference) -> Iterable[tuple[str, list[str]]]:
    old, new = found.currencies
    yield (
        "Verdicts",
        [
            f"{'FLIP  ' if v.change.flips else ''}{brief(v.title)}, {v.change.metric}: "
            + " → ".join(
                f"{x.state}, {x.action} ({x.rule}; {x.action_rule})" if x else "none"
                for x in (v.change.before, v.change.after)
            )
            for v in found.verdicts
        ],
    )
    yield "Numbers", [_number(n, found.currencies) for n in found.numbers]
    lines = []
    for f in found.findings:
        lines.append(f"{brief(f.title)}: {'new' if f.before is None else 'gone' if f.after is None else 'changed'}")
        lines[-1] += f"\n      was: {_said(f.old, f.before, old)}" if f.before else ""
        lines[-1] += f"\n      is:  {_said(f.new, f.after, new)}" if f.after else ""
    yield "Findings", ["".join(c for c in x if c.isprintable() or c == "\n") for x in lines]
    yield "Subjects", [f"{brief(s.title)} [{s.page}]: {brief(s.what)}" for s in found.subjects]
    yield (
        "Definitions",
        [
            f"{d.file}: {brief(d.key) or 'file'}: {brief('none' if d.old is None else d.old)} → {brief('none' if d.new is None else d.new)}"
            + (f"\n      changelog: {brief(d.note)}" if d.note else "")
            for d in found.definitions
        ],
    )
    yield (
        "Code",
        [
            f"{c.place}: {brief(c.old or 'none')} → {brief(c.new or 'none')}"
            if c.what == "version"
            else f"cell {brief(c.place)} of {', '.join(c.pages)}: {'new' if c.old is None else 'gone' if c.new is None else 'changed'}"
            for c in found.code
        ],
    )
    yield "Data", [_data(d) for d in found.data]


def _data(change: Any) -> str:
    rows = " → ".join("none" if r is None else f"{r:,}" for r in change.rows)
    words = {"columns": "other columns", "text": "another SQL text", "rows": "other rows", "new": "new", "gone": "gone"}
    how = "other dates in its SQL" if change.dates else words[change.how]
    more = f"\n      was: {brief(change.old)}\n      is:  {brief(change.new)}" if change.how == "columns" else ""
    return f"{change.snapshot}/{change.query}: {how}; rows {rows}{more}"


def _as_text(found: Difference, *, swapped: bool, whole: bool) -> str:
    if found.before == found.after:
        return "\n".join([f"{found.after} is compared with itself, so nothing can differ.", *found.problems])
    lines = []
    if swapped:
        lines.append(f"{found.after} is the later of the two, so it is read as a change from {found.before} to it.")
    parts = [*_parts(found)]
    counts = ", ".join(f"{len(rows)} in {name.lower()}" for name, rows in parts if rows)
    lines.append(f"From {found.before} to {found.after}: {counts or 'nothing changed'}.")
    lines.append(
        f"{len(found.flips)} verdict{'s' * (len(found.flips) != 1)} flipped; {len(found.outside)} of {found.compared} "
        "numbers that both have left the range published before."
    )
    if found.currencies[0] != found.currencies[1]:
        lines.append(f"Amounts were in {found.currencies[0]} and are in {found.currencies[1]}: do not compare them.")
    for name, rows in parts:
        if not rows:
            continue
        shown = rows if whole else rows[:MOST]
        lines += ["", f"{name} ({len(rows)})", *(f"  {row}" for row in shown)]
        if len(shown) < len(rows):
            lines.append(f"  … and {len(rows) - len(shown)} more; --all shows them")
    if found.problems:
        lines += ["", "Not compared", *(f"  {brief(p)}" for p in found.problems)]
    return "\n".join(lines)


def _dump(value: Number | Verdict | Finding | None) -> dict[str, Any] | None:
    return None if value is None else value.model_dump(mode="json")


def _as_json(found: Difference, *, swapped: bool) -> dict[str, Any]:
    return {
        "before": found.before,
        "after": found.after,
        "swapped": swapped,
        "currencies": list(found.currencies),
        "compared": found.compared,
        "verdicts": [
            {
                "page": v.page,
                "metric": v.change.metric,
                "flips": v.change.flips,
                "before": _dump(v.change.before),
                "after": _dump(v.change.after),
            }
            for v in found.verdicts
        ],
        "numbers": [
            {
                "page": n.page,
                "id": n.change.id,
                "how": n.change.how,
                "outside": n.change.outside,
                "headline": n.headline,
                "size": n.size,
                "difference": n.change.difference,
                "before": _dump(n.change.before),
                "after": _dump(n.change.after),
            }
            for n in found.numbers
        ],
        "findings": [{"page": f.page, "before": _dump(f.before), "after": _dump(f.after)} for f in found.findings],
        "subjects": [vars(s) for s in found.subjects],
        "definitions": [vars(d) for d in found.definitions],
        "code": [{**vars(c), "pages": list(c.pages)} for c in found.code],
        "data": [vars(d) for d in found.data],
        "problems": list(found.problems),
    }
