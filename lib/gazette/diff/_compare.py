"""From two editions to what changed between them; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gazette.diff._found import Difference, FindingMoved, NumberMoved, SubjectChange, VerdictMoved
from gazette.diff._made import changed_code, changed_data
from gazette.diff._params import changed_definitions
from gazette.record import compare_records, half_widths, headline_numbers

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gazette.diff._side import Side
    from gazette.record import Finding, NumberChange, Record

__all__ = ["compare_sides"]

ORDER = ("model", "experiment", "operations", "reconciliation", "portfolio", "translation", "summary")
TIERS = {"withheld": 0, "published": 0, "changed": 1, "appeared": 2, "vanished": 2, "described": 3}
SUMMARY = 1  # a page above shows numbers of subjects again; they are listed where they were made


def compare_sides(before: Side, after: Side) -> Difference:
    """Compare two editions.

    Args:
        before: The earlier.
        after: The later.
    """
    verdicts: list[VerdictMoved] = []
    numbers: dict[str, NumberMoved] = {}
    findings: list[FindingMoved] = []
    both: set[str] = set()
    for page in sorted(before.records.keys() & after.records.keys(), key=lambda p: _rank(after.records[p])):
        old, new = before.records[page], after.records[page]
        found = compare_records(old, new)
        title = new.title
        verdicts += [VerdictMoved(page, title, v, old, new) for v in found.verdicts]
        heads = _headlines(old, before.cards) | _headlines(new, after.cards)
        for change in found.numbers:
            numbers.setdefault(change.id, _number(page, title, change, headline=change.id in heads))
        findings += [FindingMoved(page, title, a, b, old, new) for a, b in found.findings if _says(a, b)]
        both |= {n.id for n in old.numbers} & {n.id for n in new.numbers}
    kinds = {p: ORDER.index(r.kind) for s in (before, after) for p, r in s.records.items()}
    return Difference(
        before=before.edition,
        after=after.edition,
        currencies=(before.currency, after.currency),
        verdicts=tuple(sorted(verdicts, key=_verdict_key)),
        numbers=tuple(sorted(numbers.values(), key=lambda n: _number_key(n, kinds))),
        findings=tuple(findings),
        subjects=tuple(_subjects(before, after)),
        definitions=tuple(changed_definitions(before.params, after.params)),
        code=tuple(changed_code(before, after)),
        data=tuple(changed_data(before.queries, after.queries)),
        compared=len(both),
        problems=(*before.problems, *after.problems),
    )


def _rank(record: Record) -> tuple[int, str]:
    return ORDER.index(record.kind), record.subject


def _says(before: Finding | None, after: Finding | None) -> bool:
    """Whether readers are told something else: the words, their tone, or a name in them."""
    if before is None or after is None:
        return True
    return (before.text, before.tone, before.terms) != (after.text, after.tone, after.terms)


def _verdict_key(moved: VerdictMoved) -> tuple[object, ...]:
    verdict = moved.change.after or moved.change.before
    return not moved.change.flips, not (verdict is not None and verdict.primary), moved.title, moved.change.metric


def _headlines(record: Record, cards: frozenset[str]) -> set[str]:
    """Ids of the numbers that stand for a subject."""
    found = {n.id for n in record.numbers if n.id in cards}
    if record.kind == "experiment":
        primary = {v.metric for v in record.verdicts if v.primary}
        for metric in primary:
            found |= {n.id for n in headline_numbers(record, metric)}
            found.add(f"{record.subject}.{metric}.difference")
    elif record.kind == "model":
        found |= {n.id for n in record.numbers if n.id == f"{record.subject}.{n.metric}"}
    return found


def _number(page: str, title: str, change: NumberChange, *, headline: bool) -> NumberMoved:
    tier = 0 if change.outside else TIERS[change.how]
    return NumberMoved(page, title, change, tier, headline, _size(change))


def _size(change: NumberChange) -> float | None:
    if change.difference is None or change.before is None or change.after is None:
        return None
    widths = half_widths(change.before, change.after)
    if widths is not None:
        return widths
    return abs(change.relative) if change.relative is not None else None


def _number_key(moved: NumberMoved, kinds: Mapping[str, int]) -> tuple[object, ...]:
    above = kinds[moved.page] > SUMMARY
    ranged = moved.change.before is not None and moved.change.before.interval is not None
    return moved.tier, above, not moved.headline, not ranged, -(moved.size or 0.0), moved.change.id


def _subjects(before: Side, after: Side) -> Iterator[SubjectChange]:
    """Failures first, then what went, what came, what works again, what is called otherwise."""
    rows: list[tuple[int, SubjectChange]] = []
    pages = {*before.records, *before.failures, *after.records, *after.failures}
    for page in pages:
        kind, title = _called(after, page) or _called(before, page) or ("", page)
        was_failed, failed = page in before.failures, page in after.failures
        there, here = page in before.records or was_failed, page in after.records or failed
        if failed and not was_failed:
            what = after.failures[page].get("what", "").split("\n")[0]
            first = "" if there else "It is new, and "
            rows.append(
                (
                    0,
                    SubjectChange(
                        page, title, kind, "failed", f"{first}{'i' if first else 'I'}ts analysis failed: {what}"
                    ),
                )
            )
        elif there and not here:
            rows.append((1, SubjectChange(page, title, kind, "gone", "It is no longer reported.")))
        elif here and not there:
            rows.append((2, SubjectChange(page, title, kind, "new", _first_said(after.records.get(page)))))
        elif was_failed and not failed:
            rows.append(
                (3, SubjectChange(page, title, kind, "works again", "Its analysis failed before and works again."))
            )
        elif page in before.records and page in after.records:
            old, new = before.records[page], after.records[page]
            told = [
                f"{k}: {a} → {b}"
                for k, a, b in (("title", old.title, new.title), ("owner", old.owner, new.owner))
                if a != b
            ]
            rows += [(4, SubjectChange(page, title, kind, "described", t)) for t in told]
    yield from (r for _, r in sorted(rows, key=lambda r: (r[0], r[1].kind, r[1].page, r[1].what)))


def _called(side: Side, page: str) -> tuple[str, str] | None:
    if page in side.records:
        return side.records[page].kind, side.records[page].title
    if page in side.failures:
        return side.failures[page].get("kind", ""), side.failures[page].get("title", page)
    return None


def _first_said(record: Record | None) -> str:
    verdict = next((v for v in record.verdicts if v.primary), None) if record else None
    return f"It is new; its verdict: {verdict.state}, {verdict.action}." if verdict else "It is new."
