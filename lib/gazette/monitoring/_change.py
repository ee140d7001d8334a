"""Since when: the week from which a series of estimates runs at another level, if there is one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scipy.special import stdtr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gazette.stats import Estimate

__all__ = ["Shift", "shift", "slope"]

BEFORE = 4  # weeks that a level needs before it can be called one
ALPHA = 0.05


@dataclass(frozen=True)
class Shift:
    """A change of level.

    Attributes:
        index: Position of the first value at the new level.
        size: New level less old level, in the series' unit.
        p_value: Corrected for the number of places tried.
    """

    index: int
    size: float
    p_value: float


def shift(series: Sequence[Estimate], *, alpha: float = ALPHA) -> Shift | None:
    """The most likely place of one change of level that lasts until the end.

    Maximally selected t statistic (Hawkins 1977) with Bonferroni's correction over places. Spread comes from the values
    themselves within both parts, and is never taken to be below their sampling error: weeks differ by more than chance.

    Args:
        series: Oldest first.
        alpha: Error that a steady series is said to have changed.
    """
    values = [e.value for e in series]
    sampling = math.fsum(e.standard_error**2 for e in series) / len(series) if series else 0.0
    places = range(BEFORE, len(values))
    best: Shift | None = None
    for k in places:
        old, new = values[:k], values[k:]
        a, b = math.fsum(old) / len(old), math.fsum(new) / len(new)
        freedom = len(values) - 2
        within = (math.fsum((v - a) ** 2 for v in old) + math.fsum((v - b) ** 2 for v in new)) / freedom
        error = math.sqrt(max(within, sampling) * (1 / len(old) + 1 / len(new)))
        if error == 0:
            continue
        p = min(1.0, 2 * float(stdtr(freedom, -abs(b - a) / error)) * len(places))
        if best is None or p < best.p_value:
            best = Shift(k, b - a, p)
    return best if best is not None and best.p_value <= alpha else None


def slope(values: Sequence[float], *, level: float = 0.95) -> tuple[float, float, float] | None:
    """Least-squares slope per step with its interval, None for fewer than three values.

    >>> [round(x, 6) for x in slope([1.0, 2.0, 3.0, 4.0])]
    [1.0, 1.0, 1.0]
    """
    from scipy.special import stdtrit  # noqa: PLC0415

    n = len(values)
    if n < 3:  # noqa: PLR2004  a residual needs three
        return None
    middle, mean = (n - 1) / 2, math.fsum(values) / n
    sxx = math.fsum((i - middle) ** 2 for i in range(n))
    b = math.fsum((i - middle) * (v - mean) for i, v in enumerate(values)) / sxx
    rest = math.fsum((v - mean - b * (i - middle)) ** 2 for i, v in enumerate(values))
    half = float(stdtrit(n - 2, 0.5 + level / 2)) * math.sqrt(rest / (n - 2) / sxx)
    return b, b - half, b + half
