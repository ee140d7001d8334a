"""Since when: the week from which a series of estimates runs at another level, if there is one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gazette.stats import Estimate

__all__ = ["SINCE", "Shift", "shift", "slope"]

BEFORE = 4  # weeks that a level needs before it can be called one
SINCE = 0.05  # error that a steady series is said to have changed
STRONGEST = 0.8  # correlation of one week with the next up to which the error holds
CRITICAL = {
    5: 3.65, 6: 4.92, 7: 5.45, 8: 6.02, 9: 6.31, 10: 6.65, 12: 7.05, 14: 7.34, 17: 7.85, 20: 8.05, 26: 8.40, 36: 8.65, 52: 8.80, 78: 8.85,
}  # fmt: skip
"""Weeks to what the largest t of a steady series with that correlation exceeds in 5 of 100 (bench/since.py); beyond, the last."""


@dataclass(frozen=True)
class Shift:
    """A change of level.

    Attributes:
        index: Position of the first value at the new level.
        size: New level less old level, in the series' unit.
        statistic: The largest t over all places, by which this one was chosen.
    """

    index: int
    size: float
    statistic: float


def shift(series: Sequence[Estimate]) -> Shift | None:
    """The most likely place of one change of level that lasts until the end, if it is more than a steady series would show.

    Maximally selected t statistic (Hawkins 1977). Weeks are like the weeks before them, and a wandering series looks as if it had
    changed its level; a dozen of weeks cannot tell how strongly it wanders. So the statistic has to exceed what an autoregressive series
    with a correlation of 0.8 from week to week exceeds in one of twenty (parametric bootstrap; Andrews 1993 on unknown change points). Spread
    comes from the values themselves within both parts, and is never taken to be below their sampling error.

    Args:
        series: Oldest first.
    """
    values = [e.value for e in series]
    sampling = math.fsum(e.standard_error**2 for e in series) / len(series) if series else 0.0
    best: Shift | None = None
    for k in range(BEFORE, len(values)):
        old, new = values[:k], values[k:]
        a, b = math.fsum(old) / len(old), math.fsum(new) / len(new)
        within = (math.fsum((v - a) ** 2 for v in old) + math.fsum((v - b) ** 2 for v in new)) / (len(values) - 2)
        error = math.sqrt(max(within, sampling) * (1 / len(old) + 1 / len(new)))
        if error > 0 and (best is None or abs(b - a) / error > best.statistic):
            best = Shift(k, b - a, abs(b - a) / error)
    return best if best is not None and best.statistic > _critical(len(values)) else None


def _critical(weeks: int) -> float:
    """From the table, between its lines in proportion to the logarithm of the weeks."""
    known = sorted(CRITICAL)
    if weeks >= known[-1]:
        return CRITICAL[known[-1]]
    after = next(w for w in known if w >= weeks)
    before = max((w for w in known if w <= weeks), default=after)
    part = (math.log(weeks) - math.log(before)) / (math.log(after) - math.log(before)) if after > before else 0.0
    return CRITICAL[before] + part * (CRITICAL[after] - CRITICAL[before])


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
