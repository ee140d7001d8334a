"""How far a distribution moved: population stability index, Jensen-Shannon distance, Kolmogorov-Smirnov distance."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from scipy.special import chdtrc

from gazette import stats
from gazette.record import NotPublished

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["DEFINITIONS", "Drift", "drift", "judged"]

FLOOR = 1e-4  # share that an empty bin counts as in the PSI, where it would else be infinite
MIN_ROWS = 50
EXPECTED = (
    5  # rows that a bin of the smaller sample needs for the chi-square test (Cochran 1954); smaller ones count together
)
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
        noise: Squared JS distance that samples of this size show on average where nothing moved.
        real: Whether chance alone is an unlikely reason, all features of the model taken together.
    """

    psi: float
    js: float
    ks: float
    chance: float
    n: int
    noise: float = 0.0
    real: bool = False

    @property
    def excess(self) -> float:
        """JS distance beyond what chance brings on average, nought where the shift is no more than chance."""
        return math.sqrt(max(0.0, self.js**2 - self.noise)) if self.real else 0.0


def judged(drifts: Mapping[str, Drift | NotPublished], rate: float) -> dict[str, Drift | NotPublished]:
    """Features looked at together: of those that are called shifted at most this share is expected to be so by chance.

    Benjamini & Hochberg (1995); where nothing moved, the rate is the chance that any feature is called shifted.

    Args:
        drifts: Feature to its shift.
        rate: Of false ones.
    """
    known = {k: d for k, d in drifts.items() if not isinstance(d, NotPublished)}
    adjusted = stats.adjust([d.chance for d in known.values()], "benjamini-hochberg")
    real = {k: p <= rate for k, p in zip(known, adjusted, strict=True)}
    return {k: d if isinstance(d, NotPublished) else replace(d, real=real[k]) for k, d in drifts.items()}


def drift(
    reference: Sequence[int], current: Sequence[int], *, ks: float | None = None, repeats: float = 1.0
) -> Drift | NotPublished:
    """Compare two histograms over the same bins.

    Args:
        reference: Rows of the training per bin.
        current: Rows of the week per bin.
        ks: The Kolmogorov-Smirnov distance over all values, where it is known; by default over the bins.
        repeats: Rows of a user, squares over sum, where rows repeat users: the largest design effect that they can have (Kish 1965),
            by which the chi-square is divided (Rao & Scott 1981).
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
    filled = sum(a + b > 0 for a, b in zip(reference, current, strict=True))
    noise = (
        (filled - 1) * (1 / n + 1 / m) * repeats / (8 * math.log(2))
    )  # divergence is chi-square / 8 ln 2 near no drift
    return Drift(psi, js, widest if ks is None else ks, _same(reference, current, repeats), m, noise)


def _same(reference: Sequence[int], current: Sequence[int], repeats: float) -> float:
    """P-value of the chi-square test of homogeneity; bins of which too little is expected count together."""
    n, m = sum(reference), sum(current)
    least = EXPECTED * repeats * (n + m) / min(n, m)
    pairs = [*zip(reference, current, strict=True)]
    filled = [(a, b) for a, b in pairs if a + b >= least]
    rest = [(a, b) for a, b in pairs if 0 < a + b < least]
    if rest:
        a, b = (sum(x) for x in zip(*rest, strict=True))
        if a + b < least and len(filled) > 1:
            smallest = min(filled, key=sum)
            filled.remove(smallest)
            a, b = a + smallest[0], b + smallest[1]
        filled.append((a, b))
    if len(filled) < 2:  # noqa: PLR2004  one bin for all
        return 1.0
    total = 0.0
    for a, b in filled:
        for seen, size in ((a, n), (b, m)):
            expected = (a + b) * size / (n + m)
            total += (seen - expected) ** 2 / expected
    return float(chdtrc(len(filled) - 1, total / repeats))
