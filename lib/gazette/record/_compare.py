"""Two records of one subject beside each other: what replay, restatements, differences and challenges all ask."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from gazette.record._model import NotPublished
from gazette.record._restatement import Flip

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gazette.record._model import Finding, Number, Record, Verdict

__all__ = [
    "Comparison",
    "NumberChange",
    "Tolerance",
    "VerdictChange",
    "compare_numbers",
    "compare_records",
    "half_widths",
]

How = Literal["changed", "appeared", "vanished", "published", "withheld", "described"]


@dataclass(frozen=True)
class Tolerance:
    """How far two values may lie apart and still count as equal: ``|a - b| <= absolute + relative * max(|a|, |b|)``."""

    absolute: float = 0.0
    relative: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what would let everything pass."""
        for name in ("absolute", "relative"):
            value = getattr(self, name)
            if not math.isfinite(value) or value < 0:
                msg = f"{name} tolerance must be 0 or more and finite: {value}"
                raise ValueError(msg)

    def holds(self, before: float, after: float) -> bool:
        """Whether two finite values count as equal."""
        return abs(before - after) <= self.absolute + self.relative * max(abs(before), abs(after))


@dataclass(frozen=True)
class NumberChange:
    """A number that is not what it was.

    Attributes:
        id: Of the number.
        how: ``changed`` beyond the tolerance (value or interval); ``appeared`` or ``vanished`` with its id; ``published``
            where there was only a reason before, ``withheld`` the other way round; ``described``: the same value, but
            another unit, definition, n, label or reason.
        before, after: The numbers, None where there is none.
    """

    id: str
    how: How
    before: Number | None
    after: Number | None

    @property
    def difference(self) -> float | None:
        """After less before, in the number's unit; None where one has no value."""
        if self.before is None or self.after is None or not (self.before.published and self.after.published):
            return None
        return _value(self.after) - _value(self.before)

    @property
    def relative(self) -> float | None:
        """The difference as a ratio of the value before (0.01 for one per cent); None where that is 0 or missing."""
        if self.difference is None or self.before is None or not self.before.value:
            return None
        return self.difference / abs(_value(self.before))

    @property
    def outside(self) -> bool:
        """Whether the new value lies outside the interval that was published with the old one."""
        old = self.before.interval if self.before is not None else None
        if old is None or self.difference is None or self.after is None:
            return False
        return not old.low <= _value(self.after) <= old.high


@dataclass(frozen=True)
class VerdictChange:
    """A verdict on a metric that is not what it was; ``flips`` where what to do, or the state, changed."""

    metric: str
    before: Verdict | None
    after: Verdict | None

    @property
    def flips(self) -> bool:
        """Whether a reader would have been told something else: another state or another action."""
        if self.before is None or self.after is None:
            return True
        return (self.before.state, self.before.action) != (self.after.state, self.after.action)

    @property
    def flip(self) -> Flip | None:
        """The two sides of a verdict that both have and that flips; None otherwise."""
        if self.before is None or self.after is None or not self.flips:
            return None
        return Flip(
            metric=self.metric,
            state_before=self.before.state,
            state_after=self.after.state,
            action_before=self.before.action,
            action_after=self.after.action,
        )


@dataclass(frozen=True)
class Comparison:
    """What differs between two records of one subject.

    Attributes:
        numbers: Numbers that differ beyond the tolerance, in the order of the later record.
        close: Numbers that differ within the tolerance.
        verdicts: Verdicts whose state, action or rule changed.
        findings: Sentences of the later record that the earlier one did not have, and the other way round.
        compared: How many numbers both have.
    """

    numbers: tuple[NumberChange, ...]
    close: tuple[NumberChange, ...]
    verdicts: tuple[VerdictChange, ...]
    findings: tuple[tuple[Finding | None, Finding | None], ...]
    compared: int

    @property
    def state(self) -> Literal["identical", "equal within tolerance", "differs"]:
        """The comparison in one word."""
        if self.numbers or self.verdicts or self.findings:
            return "differs"
        return "equal within tolerance" if self.close else "identical"

    @property
    def flips(self) -> tuple[VerdictChange, ...]:
        """Verdicts that tell readers something else."""
        return tuple(v for v in self.verdicts if v.flips)


def _value(number: Number) -> float:
    """The value of a number that has one."""
    if isinstance(number.value, NotPublished):
        msg = f"{number.id} has no value: {number.value.reason}"
        raise TypeError(msg)
    return number.value


def half_widths(before: Number, after: Number) -> float | None:
    """The size of a change in half-widths of the interval before; None without one, or where a value is missing."""
    span, old, new = before.interval, before.value, after.value
    if span is None or isinstance(old, NotPublished) or isinstance(new, NotPublished):
        return None
    half = (span.high - span.low) / 2
    return abs(new - old) / half if half > 0 else None


PASSPORT = {"snapshot", "as_of"}  # these name the place of the data: another edition's differ by nature


def compare_numbers(before: Number, after: Number, tolerance: Tolerance) -> tuple[How | None, bool]:
    """How a number differs from what it was, None if not beyond the tolerance; and whether it differs at all.

    Snapshot and date of the passport are not compared: they differ between any two editions.
    """
    had, has = (not isinstance(n.value, NotPublished) for n in (before, after))
    if had != has:
        return ("published" if has else "withheld"), True
    kept = {"value", "interval", *PASSPORT}
    described = before.model_dump(exclude=kept) != after.model_dump(exclude=kept)
    if not has:
        return ("described" if described or before.value != after.value else None), before.value != after.value
    ends = [(_value(before), _value(after))]
    old, new = before.interval, after.interval
    if (old is None) != (new is None) or (old and new and (old.level, old.method) != (new.level, new.method)):
        described = True
    elif old is not None and new is not None:
        ends += [(old.low, new.low), (old.high, new.high)]
    same = all(a == b for a, b in ends)
    if not same and not all(tolerance.holds(a, b) for a, b in ends):
        return "changed", True
    return ("described" if described else None), described or not same


def compare_records(
    before: Record, after: Record, tolerance: Tolerance | Callable[[Number], Tolerance] | None = None
) -> Comparison:
    """Compare two records of one subject: of two editions, or of one edition computed twice.

    Args:
        before: The earlier or published record.
        after: The later or recomputed record.
        tolerance: What still counts as equal, for all numbers or for each; by default nothing but the same value does.

    Raises:
        ValueError: They are of two subjects.
    """
    if before.subject != after.subject:
        msg = f"records of two subjects: {before.subject!r} and {after.subject!r}"
        raise ValueError(msg)
    known = tolerance or Tolerance()
    allowed = (lambda _: known) if isinstance(known, Tolerance) else known
    old = {n.id: n for n in before.numbers}
    beyond: list[NumberChange] = []
    close: list[NumberChange] = []
    for number in after.numbers:
        earlier = old.get(number.id)
        if earlier is None:
            beyond.append(NumberChange(number.id, "appeared", None, number))
            continue
        how, differs = compare_numbers(earlier, number, allowed(earlier))
        if how is not None:
            beyond.append(NumberChange(number.id, how, earlier, number))
        elif differs:
            close.append(NumberChange(number.id, "changed", earlier, number))
    new = {n.id for n in after.numbers}
    beyond += [NumberChange(n.id, "vanished", n, None) for n in before.numbers if n.id not in new]
    return Comparison(
        numbers=tuple(beyond),
        close=tuple(close),
        verdicts=_verdicts(before.verdicts, after.verdicts),
        findings=_findings(before.findings, after.findings),
        compared=len(new & old.keys()),
    )


def _verdicts(before: Sequence[Verdict], after: Sequence[Verdict]) -> tuple[VerdictChange, ...]:
    def told(verdict: Verdict) -> tuple[str, ...]:
        return verdict.state, verdict.action, verdict.rule, verdict.action_rule

    old, new = ({v.metric: v for v in verdicts} for verdicts in (before, after))
    pairs = [VerdictChange(m, old.get(m), new.get(m)) for m in (*new, *(m for m in old if m not in new))]
    return tuple(p for p in pairs if p.before is None or p.after is None or told(p.before) != told(p.after))


def _findings(before: Sequence[Finding], after: Sequence[Finding]) -> tuple[tuple[Finding | None, Finding | None], ...]:
    old, new = ({f.id: f for f in findings} for findings in (before, after))
    pairs = [(old.get(i), new.get(i)) for i in (*new, *(i for i in old if i not in new))]
    return tuple((a, b) for a, b in pairs if a != b)
