"""Watch lists: what editions after a decision must report on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from gazette.editions import Week
from gazette.register._decide import prefix_of

if TYPE_CHECKING:
    from gazette.params import Decision, Watch
    from gazette.record import Number, Record
    from gazette.register._files import Register

__all__ = ["Report", "open_watches", "reports"]

State = Literal["guardrail holds", "guardrail broken", "guardrail open", "no data"]


@dataclass(frozen=True)
class Report:
    """How a watched metric stands in an edition; ``number`` is the relative difference, None where there is none."""

    decision: Decision
    watch: Watch
    state: State
    number: Number | None


def open_watches(register: Register, edition: str) -> list[tuple[Decision, Watch]]:
    """Watches that an edition must report on: of decisions in force, on an earlier edition, not yet over."""
    start = Week.parse(edition).start
    return [
        (e.decision, w)
        for e in register.entries
        if not e.superseded_by and e.decision.edition < edition
        for w in e.decision.watch
        if w.until >= start
    ]


def reports(register: Register, edition: str, record: Record | None, experiment: str) -> list[Report]:
    """How an experiment's watched metrics stand.

    Args:
        register: All decisions.
        edition: The week.
        record: The experiment's record in it, None where it has none.
        experiment: Its id.
    """
    found = []
    verdict = next((v for v in record.verdicts if v.primary), None) if record else None
    numbers = {n.id: n for n in record.numbers} if record else {}
    for decision, watch in open_watches(register, edition):
        if decision.experiment != experiment:
            continue
        prefix = prefix_of(verdict) if record and verdict else experiment
        number = numbers.get(f"{prefix}.{watch.metric}.relative")
        found.append(Report(decision, watch, _state(number, watch.margin), number))
    return found


def _state(number: Number | None, margin: float) -> State:
    """Against the agreed loss, by the whole interval in the good direction."""
    if number is None or not number.published or number.interval is None:
        return "no data"
    low, high = number.interval.low, number.interval.high
    if number.direction == "lower":
        low, high = -high, -low
    return "guardrail holds" if low > -margin else "guardrail broken" if high < -margin else "guardrail open"
