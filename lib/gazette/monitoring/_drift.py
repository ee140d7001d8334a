"""How far a distribution moved: population stability index, Jensen-Shannon distance, Kolmogorov-Smirnov distance."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scipy.special import chdtrc

from gazette.record import NotPublished

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["DEFINITIONS", "Drift", "drift"]

FLOOR = 1e-4  # share that an empty bin counts as in the PSI, where it would else be infinite
CHANCE = 0.01  # a shift is called one only where chance alone would bring it in fewer than one week of a hundred
MIN_ROWS = 50
DEFINITIONS = {
    "psi": "Population stability index: sum over bins of (p − q) · ln(p / q), empty bins counted as 0.0001.",
    "js": "Jensen-Shannon distance: square root of the divergence, logarithms to base 2, so 0 is the same and 1 is no overlap.",
    "ks": "Kolmogorov-Smirnov: largest gap between the two cumulative shares, over all values (over bins for categories).",
}


@dataclass(frozen=True)
class Drift:
    """A feature in training and in the week.

    Attributes:
        psi: Population stability index.
        js: Jensen-Shannon distance with logarithms to base 2, from 0 to 1.
        ks: Kolmogorov-Smirnov distance, from 0 to 1.
        chance: p-value of a chi-square test that both samples come from the same bins.
        n: Rows of the week.
    """

    psi: float
    js: float
    ks: float
    chance: float
    n: int

    @property
    def real(self) -> bool:
        """Whether chance alone is an unlikely reason."""
        return self.chance < CHANCE


def drift(reference: Sequence[int], current: Sequence[int], *, ks: float | None = None) -> Drift | NotPublished:
    """Compare two histograms over the same bins.

    Args:
        reference: Rows of the training per bin.
        current: Rows of the week per bin.
        ks: The Kolmogorov-Smirnov distance over all values, where it is known; by default over the bins.
    """
    n, m = sum(reference), sum(current)
    if n < MIN_ROWS or m < MIN_ROWS:
        return NotPublished(reason=f"fewer than {MIN_ROWS} rows {'this week' if m < n else 'in the training window'}")
    p, q = [x / n for x in reference], [x / m for x in current]
    floored = [(max(a, FLOOR), max(b, FLOOR)) for a, b in zip(p, q, strict=True)]
    psi = math.fsum((b - a) * math.log(b / a) for a, b in floored)
    mixed = [(a + b) / 2 for a, b in zip(p, q, strict=True)]

    def to_mixture(shares: Sequence[float]) -> float:
        return math.fsum(s * math.log2(s / m) for s, m in zip(shares, mixed, strict=True) if s > 0)

    js = math.sqrt(max(0.0, (to_mixture(p) + to_mixture(q)) / 2))
    widest = gap = 0.0
    for a, b in zip(p, q, strict=True):
        gap += b - a
        widest = max(widest, abs(gap))
    return Drift(psi, js, widest if ks is None else ks, _same(reference, current), m)


def _same(reference: Sequence[int], current: Sequence[int]) -> float:
    """P-value of the chi-square test of homogeneity on bins that either sample filled."""
    n, m = sum(reference), sum(current)
    filled = [(a, b) for a, b in zip(reference, current, strict=True) if a + b]
    if len(filled) < 2:  # noqa: PLR2004  one bin for all
        return 1.0
    total = 0.0
    for a, b in filled:
        for seen, size in ((a, n), (b, m)):
            expected = (a + b) * size / (n + m)
            total += (seen - expected) ** 2 / expected
    return float(chdtrc(len(filled) - 1, total))
