"""How firmly a number may be spoken of: the words follow its interval, never the writer's mood.

| the interval | words |
|---|---|
| includes zero | may: "may bring, or cost: ... to ..." |
| excludes zero, half as wide as the value's fifth or less | about: the value |
| excludes zero, wider | at least: its end nearest to zero, and up to its other end |
| there is none | about: the value |
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from gazette.record import Number

__all__ = ["NARROW", "Hedge", "hedge", "sure"]

NARROW = 0.2  # half-width over value, up to which the value itself may be named


@dataclass(frozen=True)
class Hedge:
    """A word and the reference that goes with it.

    Attributes:
        word: ``about``, ``at least`` or ``may``.
        text: For a sentence: the word and the references to the number; for ``may`` the range alone.
    """

    word: Literal["about", "at least", "may"]
    text: str


def sure(number: Number) -> bool:
    """Whether the interval excludes zero."""
    return number.interval is not None and not number.interval.low <= 0 <= number.interval.high


def hedge(number: Number) -> Hedge:
    """Word and references for the size of a published number."""
    value, interval = number.value, number.interval
    if interval is None or not isinstance(value, float):
        return Hedge("about", "about {%s|abs}" % number.id)
    if not sure(number):
        return Hedge("may", "{%s|interval}" % number.id)
    if (interval.high - interval.low) / 2 <= NARROW * abs(value):
        return Hedge("about", "about {%s|abs} ({%s|interval})" % (number.id, number.id))
    return Hedge("at least", "at least {%s|nearest} and up to {%s|farthest}" % (number.id, number.id))
