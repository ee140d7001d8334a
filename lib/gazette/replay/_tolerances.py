"""How far a number of a replay may lie from the published one: by unit, by metric, or for all."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, get_args

from gazette.errors import WrongUseError
from gazette.record import Tolerance, Unit

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gazette.record import Number

__all__ = ["DEFAULTS", "Tolerances"]

TINY = 1e-9
UNITS: tuple[str, ...] = get_args(Unit)
SHARES = ("fraction", "points", "relative", "score")  # of the size of one, so what is absolute is also easy to read
DEFAULTS: dict[str, Tolerance] = {
    "count": Tolerance(),
    **dict.fromkeys(SHARES, Tolerance(absolute=TINY)),
    **dict.fromkeys((u for u in UNITS if u not in {"count", *SHARES}), Tolerance(relative=TINY)),
}


@dataclass(frozen=True)
class Tolerances:
    """Tolerances in force; a metric's own comes before its unit's, and that before the one for all.

    >>> Tolerances.parse(["1e-6", "money=0.01"]).described()
    'money within 0.01 of the value; all others within 1e-06 of the value'
    """

    every: Tolerance | None = None
    named: Mapping[str, Tolerance] = field(default_factory=dict)

    @classmethod
    def parse(cls, given: Iterable[str], metrics: Iterable[str] = ()) -> Tolerances:
        """Read ``VALUE`` or ``NAME=VALUE``, NAME a unit or the id of a metric, VALUE relative to the larger of two values.

        Raises:
            WrongUseError: A value is not a number of 0 or more, or there is no such unit or metric.
        """
        every, named = None, {}
        known = {*UNITS, *metrics}
        for text in given:
            name, equals, value = text.rpartition("=")
            try:
                found = float(value)
            except ValueError:
                found = math.nan
            if not 0 <= found < 1:
                raise WrongUseError(
                    f"{value!r} is not a tolerance",
                    mend="write a number from 0 to below 1, such as 1e-6 or money=0.001",
                )
            if equals and name not in known:
                raise WrongUseError(
                    f"there is no unit and no metric {name!r}", mend=f"units: {', '.join(UNITS)}; or the id of a metric"
                )
            if equals:
                named[name] = Tolerance(relative=found)
            else:
                every = Tolerance(relative=found)
        return cls(every, named)

    def of(self, number: Number) -> Tolerance:
        """For one number."""
        for name in (number.metric, number.unit):
            if name in self.named:
                return self.named[name]
        return self.every or DEFAULTS[number.unit]

    @property
    def of_outputs(self) -> Tolerance:
        """For numbers in text, tables and charts, which carry no unit."""
        return self.every or Tolerance(absolute=1e-12, relative=TINY)

    def described(self) -> str:
        """In a sentence, for the answer."""
        own = [f"{name} within {t.relative:g} of the value" for name, t in self.named.items()]
        rest = (
            f"all others within {self.every.relative:g} of the value"
            if self.every
            else f"counts exact; fractions, points, ratios and scores within {TINY:g}; others within {TINY:g} of the value"
        )
        return "; ".join([*own, rest if own or not self.every else rest.replace("all others", "all numbers")])
