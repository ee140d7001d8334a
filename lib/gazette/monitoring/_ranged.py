"""What ranges of measures are made of: the spread of influences, and estimates that know their range at every error."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from scipy.optimize import brentq

from gazette.stats import Estimate

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["RATE", "Bare", "Ranged", "Spread", "ranged", "together"]

Ends = Callable[[float], tuple[float, float]]
RATE = 0.05  # of false arrows among those that an edition shows, and of weeks with a false alarm of drift
LEAST = 1e-12  # p-values are not told apart below


@dataclass(frozen=True)
class Spread:
    """How the influences of a group's units on a measure are spread.

    Attributes:
        n: Rows.
        variance: Sample variance of the units' influences, in the square of the measure's unit, None where it is not known.
        fourth: Mean of their fourth powers, None in editions that did not keep it.
        units: Independent units: users where rows repeat them, by default the rows.
        classes: Of a classifier: units with a positive and with a negative row.
        who: What the units are called.
    """

    n: int
    variance: float | None
    fourth: float | None = None
    units: int | None = None
    classes: tuple[int, int] | None = None
    who: str = "rows"

    @property
    def size(self) -> int:
        """Independent units."""
        return self.n if self.units is None else self.units

    @property
    def error(self) -> float:
        """Standard error of the measure."""
        return math.sqrt((self.variance or 0.0) / self.size)

    @property
    def freedom(self) -> float:
        """Degrees of freedom that a t with this variance has: 2 / (its squared coefficient of variation), at most units less one.

        A variance estimated from n values of kurtosis k varies like one of 2 n / (k - 1) degrees (Satterthwaite 1946, with the variance of
        a sample variance; Cramer 1946, 27.4). Where few rows carry all, as the positives of a rare class do, it is about their number.
        """
        most = self.size - 1.0
        if self.fourth is None or not self.variance or not math.isfinite(self.fourth):
            return most
        kurtosis = self.fourth / self.variance**2
        return min(most, 2 * self.size / (kurtosis - 1)) if kurtosis > 1 else most


@dataclass(frozen=True)
class Bare:
    """A value that has too little behind it for a range: it is shown, and no finding and no arrow rests on it.

    Attributes:
        value: In the measure's unit.
        n: Rows.
        reason: What is missing.
    """

    value: float
    n: int
    reason: str


@dataclass(frozen=True)
class Ranged(Estimate):
    """An estimate that knows its range at every two-sided error.

    Attributes:
        ends: From an error to lower and upper end.
    """

    ends: Ends = field(compare=False, repr=False, kw_only=True)

    def at_error(self, alpha: float) -> Ranged:
        """The same with the range of another error."""
        low, high = self.ends(alpha)
        return replace(self, low=low, high=high, level=1 - alpha)


def ranged(value: float, error: float, n: int, method: str, ends: Ends, *, level: float) -> Ranged:
    """An estimate with its range at a level."""
    low, high = ends(1 - level)
    return Ranged(value, min(low, value), max(high, value), level, error, None, n, method, ends=ends)


def _chance(value: float, ends: Ends) -> float:
    """The p-value: the error at which the range just reaches nought."""

    def apart(log_alpha: float) -> float:
        low, high = ends(math.exp(log_alpha))
        return low if value > 0 else -high

    first = math.log(LEAST)
    if value == 0 or apart(0.0) <= 0:
        return 1.0
    if apart(first) > 0:
        return LEAST
    return math.exp(float(brentq(apart, first, 0.0, xtol=1e-9)))


def together(family: Sequence[Ranged], rate: float) -> list[Ranged]:
    """Differences that are looked at together, each with the range that is its share of one rate of false discoveries.

    Benjamini & Hochberg (1995) choose r of the m; ranges at the error r * rate / m (at least one) then exclude nought for those and for
    no other, and of the chosen ones the expected share that misses the true value is at most the rate (Benjamini & Yekutieli 2005).

    Args:
        family: Every difference that could bear an arrow.
        rate: Of false ones among those that are shown.

    Returns:
        The same in the same order, each with its own p-value.
    """
    p_values = [_chance(e.value, e.ends) for e in family]
    m = len(p_values)
    chosen = max((r for r, p in enumerate(sorted(p_values), 1) if p <= r * rate / m), default=1)
    alpha = chosen * rate / m if m else rate
    return [replace(e.at_error(alpha), p_value=p) for e, p in zip(family, p_values, strict=True)]
