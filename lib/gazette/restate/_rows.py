"""From a page's record as published and as computed again, cause by cause, to what the log says."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from gazette.record import (
    CAUSES,
    Flip,
    NotPublished,
    Restatement,
    Turn,
    compare_numbers,
    compare_records,
    half_widths,
    standing,
)
from gazette.replay import Tolerances

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from gazette.record import Cause, Number, Record

__all__ = ["Step", "rows_of"]

MOVED = {"changed", "published", "withheld"}  # other labels, units and notes of the same value restate nothing
ALLOWED = Tolerances()  # what a replay would call equal is no restatement
NO_LONGER = NotPublished(reason="It is not computed any more.")
UNDONE = "What restated it before no longer holds."


@dataclass(frozen=True)
class Step:
    """What a page says after one more cause."""

    cause: Cause
    detail: str
    record: Record


def _moved(before: Number, after: Number) -> bool:
    return compare_numbers(before, after, ALLOWED.of(before))[0] in MOVED


def _now(number: Number, record: Record) -> Number:
    """The number in another record of the page; without a value where it is not there any more."""
    found = {n.id: n for n in record.numbers}.get(number.id)
    return found or number.model_copy(update={"value": NO_LONGER, "interval": None})


def _carrier(record: Record, metric: str) -> str:
    """The number at which a verdict on a metric is told: its relative effect, else the first of the metric."""
    ids = [n.id for n in record.numbers if n.metric == metric]
    wanted = f"{record.subject}.{metric}.relative"
    return wanted if wanted in ids else ids[0] if ids else ""


def _flips(before: Record, after: Record) -> dict[str, Flip]:
    """Number at which it is told, to the verdict that turned."""
    found = {}
    for change in compare_records(before, after, ALLOWED.of).flips:
        place = _carrier(before, change.metric)
        if place and change.flip is not None:
            found[place] = change.flip
    return found


def _turns(before: Record, after: Record, published: Record) -> dict[str, tuple[Turn, ...]]:
    """Number at which it is told, to the sentences of rule or tone other than before; those that take no side may come and go."""
    there = {n.id for n in published.numbers}
    first = published.numbers[0].id if published.numbers else ""
    found: dict[str, tuple[Turn, ...]] = {}
    for one, other in compare_records(before, after, ALLOWED.of).findings:
        was, now = ((f.rule, f.tone) if f else ("", "") for f in (one, other))
        sided = {was[1], now[1]} & {"good", "bad"}
        said = other or one
        if was == now or said is None or not ((one and other) or sided):
            continue
        place = next((r for f in (one, other) if f for r in f.references if r in there), first)
        turn = Turn(finding=said.id, rule_before=was[0], rule_after=now[0], tone_before=was[1], tone_after=now[1])
        found[place] = (*found.get(place, ()), turn)
    return found


def _turned_back(told: Sequence[Turn]) -> tuple[Turn, ...]:
    """The way back of what an earlier log said."""
    return tuple(
        Turn(
            finding=t.finding,
            rule_before=t.rule_after,
            rule_after=t.rule_before,
            tone_before=t.tone_after,
            tone_after=t.tone_before,
        )
        for t in told
    )


def rows_of(
    published: Record, steps: Sequence[Step], known: Iterable[Restatement], *, found_in: str, found_at: datetime
) -> list[Restatement]:
    """What is new since it was published or last restated.

    Args:
        published: The sealed record.
        steps: The page after each cause, in the order in which they were applied.
        known: What earlier builds said of this edition, oldest first.
        found_in: The edition that is being built.
        found_at: Its data cut-off.
    """
    mine = [r for r in known if (r.edition, r.page) == (published.edition, published.subject)]
    chain = [published, *(s.record for s in steps)]
    flips = [_flips(a, b) for a, b in pairwise(chain)]
    turns = [_turns(a, b, published) for a, b in pairwise(chain)]
    in_all = _turns(published, chain[-1], published)
    rows: list[Restatement] = []
    for number in published.numbers:
        earlier = [r for r in mine if r.before.id == number.id]
        last = earlier[-1].after if earlier else number
        values = [number, *(_now(number, r) for r in chain[1:])]
        turned = next((r.flip for r in reversed(earlier) if r.flip), None)
        fresh = []
        for i, step in enumerate(steps):
            flip, turn = flips[i].get(number.id), turns[i].get(number.id, ())
            if not _moved(values[i], values[i + 1]) and flip is None and not turn:
                continue
            said = [
                r
                for r in earlier
                if r.cause == step.cause and not _moved(r.after, values[i + 1]) and (r.flip, r.turns) == (flip, turn)
            ]
            if not said:
                row = _row(step.cause, step.detail, values[i], values[i + 1], flip, published, found_in, found_at)
                fresh.append(row.model_copy(update={"turns": turn}))
        now = _state(published, chain[-1], number.id)
        before = (turned.state_after, turned.action_after) if turned else _state(published, published, number.id)
        told, due = standing(t for r in earlier for t in r.turns), in_all.get(number.id, ())
        same = not _moved(last, values[-1]) and (now is None or before is None or now == before) and {*told} == {*due}
        if same:
            continue
        if not fresh:  # the number is back at what an earlier log, or the edition, said
            cause = earlier[-1].cause if earlier else steps[-1].cause
            back = _back(turned, now)
            row = _row(cause, UNDONE, last, values[-1], back, published, found_in, found_at)
            fresh = [row.model_copy(update={"turns": _turned_back([t for t in told if t not in due])})]
        rows += fresh
    return rows


def _state(published: Record, record: Record, number: str) -> tuple[str, str] | None:
    """State and action of the verdict that is told at this number, None where none is."""
    for verdict in record.verdicts:
        if _carrier(published, verdict.metric) == number:
            return verdict.state, verdict.action
    return None


def _back(turned: Flip | None, now: tuple[str, str] | None) -> Flip | None:
    if turned is None or now is None or (turned.state_after, turned.action_after) == now:
        return None
    return Flip.model_validate(
        {
            "metric": turned.metric,
            "state_before": turned.state_after,
            "action_before": turned.action_after,
            "state_after": now[0],
            "action_after": now[1],
        }
    )


def _row(
    cause: Cause,
    detail: str,
    before: Number,
    after: Number,
    flip: Flip | None,
    page: Record,
    where: str,
    when: datetime,
) -> Restatement:
    assert cause in CAUSES  # noqa: S101  for readers of the log
    return Restatement(
        edition=page.edition,
        page=page.subject,
        before=before,
        after=after,
        cause=cause,
        detail=detail,
        found_in=where,
        found_at=when,
        flip=flip,
        size=half_widths(before, after),
    )
