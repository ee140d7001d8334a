"""Two shares compared by one test: its p-value, and the ranges of those differences and ratios that it would not refuse.

The test is the score test with the shares that are likeliest under what is tested (Miettinen & Nurminen 1985), corrected for skewness (Gart &
Nam 1988 and 1990; Laud 2017, Pharmaceutical Statistics 16:334, "SCAS"). A difference of 0 and a ratio of 1 are the same hypothesis with the
same statistic, so p-value and both ranges cannot contradict each other, however few did it and however unequal the arms are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from scipy.special import ndtr

from gazette.record import NotPublished
from gazette.stats._estimates import Estimate, z_of
from gazette.stats._moments import MomentsError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["difference_of_proportions", "relative_of_proportions"]

Contrast = Literal["difference", "ratio"]
NONE: dict[Contrast, float] = {"difference": 0.0, "ratio": 1.0}
LEAST: dict[Contrast, float] = {"difference": -1.0, "ratio": 0.0}
EXPECTED, UNEVEN = (
    10,
    15,
)  # with fewer expected and sizes more unequal than this, chance alone is called an effect in 5.6 to 8 % of tests
TINY = 1e-150  # a variance whose powers vanish
FAR = 1e9  # of a statistic where nothing could vary under what is tested, and of a ratio beyond which no end is sought


@dataclass(frozen=True)
class _Table:
    """Successes and units of control (x of n) and treatment (y of m)."""

    x: int
    n: int
    y: int
    m: int

    def seen(self, contrast: Contrast) -> float:
        p, q = self.x / self.n, self.y / self.m
        return q - p if contrast == "difference" else q / p

    def statistic(self, contrast: Contrast, value: float) -> float:
        """How far the data lie above a difference or a ratio, as a standard normal value; it falls as that grows."""
        if contrast == "ratio":
            p, slope, shift = self._with_ratio(value), value, 0.0
        else:
            p, slope, shift = self._with_difference(value), 1.0, value
        q = min(1.0, max(0.0, slope * p + shift))
        below, above = p * (1 - p) / self.n, q * (1 - q) / self.m
        gap = self.y / self.m - slope * self.x / self.n - shift
        spread = (above + slope**2 * below) * (self.n + self.m) / (self.n + self.m - 1)
        if spread <= TINY:
            return math.copysign(FAR, gap) if gap else 0.0
        third = above * (1 - 2 * q) / self.m - slope**3 * below * (1 - 2 * p) / self.n
        s, a = gap / math.sqrt(spread), third / (6 * spread**1.5)
        return float(2 * (a + s) / (1 + math.sqrt(max(0.0, 1 + 4 * a * (a + s)))))  # solves z + a (z^2 - 1) = s

    def _with_ratio(self, ratio: float) -> float:
        """The control's share that is likeliest where the treatment's is a multiple of it."""
        hits = self.x + self.y
        a, b = (self.n + self.m) * ratio, (self.x + self.m) * ratio + self.n + self.y
        return 2 * hits / (b + math.sqrt(max(0.0, b * b - 4 * a * hits)))

    def _with_difference(self, gap: float) -> float:
        """The control's share that is likeliest where the treatment's lies by a gap above it; between what each arm says alone."""
        if gap == 0:
            return (self.x + self.y) / (self.n + self.m)
        low, high = max(0.0, -gap), min(1.0, 1 - gap)
        ends = sorted(min(high, max(low, share)) for share in (self.x / self.n, self.y / self.m - gap))
        x, n, y, m = self.x, self.n, self.y, self.m
        hits = [(h, i) for i, h in enumerate((x, y, x - n, y - m)) if h]

        def slope(share: float) -> float:
            """That of the log likelihood, the sum of hits / rate, times all rates."""
            other = share + gap
            if len(hits) == 4:  # noqa: PLR2004  both outcomes in both arms
                return (x - n * share) * other * (1 - other) + (y - m * other) * share * (1 - share)
            rates = (share, other, 1 - share, 1 - other)
            return sum(h * math.prod(rates[j] for _, j in hits if j != i) for h, i in hits)

        if ends[0] >= ends[1]:
            return ends[0]
        if slope(ends[0]) <= 0:
            return ends[0]
        return ends[1] if slope(ends[1]) >= 0 else _root(slope, ends[0], ends[1])

    def range(self, contrast: Contrast, critical: float) -> tuple[float, float]:
        """The smallest and the largest value that is not refused; infinite where no ratio is too large."""
        return self._end(contrast, critical, 1), self._end(contrast, critical, -1)

    def _end(self, contrast: Contrast, critical: float, side: int) -> float:
        none, seen = NONE[contrast], self.seen(contrast)

        def refused(value: float) -> float:
            """Above 0 where a value is too small (side 1) or too large (-1)."""
            return side * self.statistic(contrast, value) - critical

        if refused(none) > 0:
            return _root(refused, none, seen)
        inner = min(none, seen) if side > 0 else max(none, seen)
        last = LEAST[contrast] if side > 0 else (1.0 if contrast == "difference" else FAR)
        step = critical * math.hypot(*_errors(self)) / (1.0 if contrast == "difference" else max(self.x, 1) / self.n)
        while True:
            outer = max(last, inner - step) if side > 0 else min(last, inner + step)
            if refused(outer) > 0:
                return _root(refused, inner, outer)
            if outer == last:
                return math.inf if last == FAR else last
            inner, step = outer, 2 * step


def _errors(table: _Table) -> tuple[float, float]:
    """Standard errors of the two shares with one more of each outcome (Agresti & Caffo 2000), so that none is 0."""
    shares = [((k + 1) / (n + 2), n + 2) for k, n in ((table.x, table.n), (table.y, table.m))]
    first, second = (math.sqrt(p * (1 - p) / n) for p, n in shares)
    return first, second


def _root(function: Callable[[float], float], low: float, high: float) -> float:
    """Where a function is 0 between two places at which its signs differ."""
    from scipy.optimize import brentq  # noqa: PLC0415  slow to import

    return float(brentq(function, low, high, xtol=1e-18, rtol=1e-13, maxiter=500))


def _table(control: tuple[int, int], treatment: tuple[int, int]) -> _Table | NotPublished:
    (x, n), (y, m) = control, treatment
    for k, of in (control, treatment):
        if not 0 <= k <= of:
            raise MomentsError(f"successes must lie between 0 and n, found {k} of {of}")
    if n == 0 or m == 0:
        return NotPublished(reason="an arm has no units")
    if x + y in {0, n + m}:
        return NotPublished(reason="no variation in either arm")
    fewest = min(x + y, n + m - x - y) / (n + m) * min(n, m)
    if fewest < EXPECTED and max(n, m) > UNEVEN * min(n, m):
        return NotPublished(
            reason=f"too little to say: arms so unequal need a smaller one that can expect {EXPECTED} who did it and {EXPECTED} who did not"
        )
    return _Table(x, n, y, m)


def difference_of_proportions(
    control: tuple[int, int], treatment: tuple[int, int], *, level: float = 0.95, critical: float | None = None
) -> Estimate | NotPublished:
    """Treatment share less control share, by the skewness-corrected score test (the module's sources).

    The standard error is that of Agresti & Caffo (2000); the range is not made of it.

    Args:
        control: Successes and units.
        treatment: Successes and units.
        level: Confidence level.
        critical: Standard errors to each side; by default those of the level.

    Raises:
        MomentsError: More successes than units.

    >>> found = difference_of_proportions((0, 10), (3, 10))
    >>> round(found.low, 3), round(found.high, 3), round(found.p_value, 3)
    (-0.031, 0.619, 0.067)
    """
    table = _table(control, treatment)
    if isinstance(table, NotPublished):
        return table
    z = table.statistic("difference", 0.0)
    low, high = table.range("difference", z_of(level) if critical is None else critical)
    return Estimate(
        table.seen("difference"),
        low,
        high,
        level,
        math.hypot(*_errors(table)),
        2 * float(ndtr(-abs(z))),
        table.n + table.m,
        "score",
        z,
    )


def relative_of_proportions(
    control: tuple[int, int], treatment: tuple[int, int], *, level: float = 0.95, critical: float | None = None
) -> Estimate | NotPublished:
    """Treatment share over control share, less one; by the same test, so it excludes no change exactly where the difference does.

    Args:
        control: Successes and units.
        treatment: Successes and units.
        level: Confidence level.
        critical: Standard errors to each side; by default those of the level.

    Raises:
        MomentsError: More successes than units.
    """
    table = _table(control, treatment)
    if isinstance(table, NotPublished):
        return table
    none = NotPublished(
        reason="too few units of the control did it for a relative change: nothing says how large it is at most"
    )
    if table.x == 0:
        return none
    z = table.statistic("ratio", 1.0)
    low, high = table.range("ratio", z_of(level) if critical is None else critical)
    if not math.isfinite(high):
        return none
    ratio, share = table.seen("ratio"), table.x / table.n
    below, above = _errors(table)
    error = math.hypot(above, ratio * below) / share
    return Estimate(ratio - 1, low - 1, high - 1, level, error, 2 * float(ndtr(-abs(z))), table.n + table.m, "score", z)
