"""Many tests together: effects drawn towards what tests usually bring, what shipped ones add up to, claims against what came of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtr

from gazette.record import NotPublished
from gazette.stats._estimates import Estimate, proportion, z_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Vector = NDArray[np.float64]

__all__ = ["FEWEST_CLAIMS", "FEWEST_TESTS", "Prior", "coverage_of_claims", "fit_prior", "realised_share", "total"]

FEWEST_TESTS = 8  # with fewer, how much true effects differ is hardly known
FEWEST_CLAIMS = 3
MEANS = np.linspace(-4, 4, 17)  # standard errors from the median
NARROW = np.linspace(0, 2.5, 11)  # of the width of most effects
WIDE = 9  # widths of the few large ones
SHARES = np.array([0.0, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5])  # of effects that are drawn from the wide normal
LIKELY = np.array(
    [3.0, 1, 1, 1, 1, 1, 1]
)  # of each share before any data: one chance in three that one normal is enough
TINY = 1e-300
FAR = 9.0
HALVINGS = 60
HARDLY = 1e-5  # of the likeliest point: those below are left out
QUARTILES = 1.349  # between those of a standard normal
METHOD = "Bayes, true effects from two normals of which one is wider, over a grid"


@dataclass(frozen=True, eq=False)
class Prior:
    """How true effects of tests are spread: most from a narrow normal, a share from a wider one, both around one mean.

    What the effects say of the four is a grid of points, each with its chance; arrays have one value a point.

    Attributes:
        n: Tests that it was fitted to.
        mean, narrow, wide: In the effects' unit; standard deviations.
        share: Of effects that come from the wide normal.
        chance: Of the point given the effects; sums to one.
    """

    n: int
    mean: Vector
    narrow: Vector
    wide: Vector
    share: Vector
    chance: Vector

    def posterior(self, effects: Vector, errors: Vector) -> tuple[Vector, Vector]:
        """Means and variances of true effects at every point, both of shape (points, effects)."""
        means, variances, densities = [], [], []
        for spread, share in ((self.narrow, 1 - self.share), (self.wide, self.share)):
            square = spread[:, None] ** 2
            kept = square / (square + errors**2)
            means.append(kept * effects + (1 - kept) * self.mean[:, None])
            variances.append(kept * errors**2)
            densities.append(share[:, None] * _density(effects, self.mean[:, None], square + errors**2))
        large = densities[1] / np.maximum(densities[0] + densities[1], TINY)
        middle = (1 - large) * means[0] + large * means[1]
        variance = (1 - large) * variances[0] + large * variances[1] + large * (1 - large) * (means[1] - means[0]) ** 2
        return middle, variance

    def drawn(self, effect: float, error: float) -> tuple[float, float]:
        """Posterior mean and standard deviation of one test's true effect, what is not known of the prior included."""
        means, variances = (a[:, 0] for a in self.posterior(np.array([effect]), np.array([error])))
        value = float(self.chance @ means)
        return value, math.sqrt(float(self.chance @ (variances + (means - value) ** 2)))


def _density(effects: Vector, mean: Vector, variance: Vector) -> Vector:
    """Normal, without the constant."""
    found: Vector = np.exp(-0.5 * (effects - mean) ** 2 / variance) / np.sqrt(variance)
    return found


def fit_prior(effects: Sequence[float], errors: Sequence[float]) -> Prior | NotPublished:
    """How true effects are spread, from all tests, won or not: x_i ~ (1 - w) N(m, a^2 + error_i^2) + w N(m, b^2 + error_i^2).

    A scale mixture (Stephens 2017, Biostatistics 18:275) with few parameters: the wide normal leaves large effects where they were seen, where one
    normal alone would draw them in with all others. Instead of the one likeliest prior all of a fixed grid are kept, each with its chance, so that what
    few tests say of the prior is in the ranges; before the data m and a are flat, b is flat on the log scale.

    It must see tests that were not shipped: a posterior given all of the data needs no correction for selecting on the
    data (Efron 2011, JASA 106:1602), a prior fitted to winners alone would be biased as they are.

    Args:
        effects: Measured effects, in one unit and the good direction.
        errors: Their standard errors, above zero.
    """
    if len(effects) < FEWEST_TESTS:
        return NotPublished(reason="history too short")
    x, s = np.asarray(effects, dtype=float), np.asarray(errors, dtype=float)
    low, middle, high = np.quantile(x, [0.25, 0.5, 0.75])
    width = max(
        float(high - low) / QUARTILES, float(np.median(s))
    )  # of most effects as seen; a few large ones do not move it
    mean = middle + MEANS * width / math.sqrt(len(x))
    narrow = NARROW * width
    wide = np.geomspace(width, 2 * max(float(np.abs(x - middle).max()), 2 * width), WIDE)
    small, large = (
        _density(x, mean[:, None], (spread[:, None] ** 2 + s**2)[:, None, :]) for spread in (narrow, wide)
    )  # of shape (spreads, means, tests)
    fit = np.full((len(narrow), WIDE, len(SHARES), len(mean)), -np.inf)
    for i, j in np.argwhere(wide > narrow[:, None]):
        mixed = (1 - SHARES)[:, None, None] * small[i] + SHARES[:, None, None] * large[j]
        fit[i, j] = np.log(np.maximum(mixed, TINY)).sum(axis=-1) + np.log(LIKELY)[:, None]
    chance = np.exp(fit - fit.max())
    at = np.nonzero(chance > HARDLY)
    kept = chance[at]
    return Prior(len(x), mean[at[3]], narrow[at[0]], wide[at[1]], SHARES[at[2]], kept / kept.sum())


def total(
    effects: Sequence[float], errors: Sequence[float], prior: Prior | NotPublished | None = None, *, level: float = 0.95
) -> Estimate | NotPublished:
    """Sum of effects of chosen tests; with a prior each drawn towards it, which takes the winner's curse out.

    Without a prior the sum is naive: tests were chosen because they looked good, so it overstates what they bring
    (Lee & Shen 2018, KDD, "Winner's Curse"). A corrected sum is the mean of its posterior, its range ends at the quantiles: at each point of the
    prior's grid the sum is normal with the mean and variance of its posterior there.
    """
    if isinstance(prior, NotPublished):
        return prior
    if not effects:
        return NotPublished(reason="no test was shipped")
    x, s = np.asarray(effects, dtype=float), np.asarray(errors, dtype=float)
    if prior is None:
        value, error = math.fsum(effects), math.sqrt(float((s**2).sum()))
        half = z_of(level) * error
        return Estimate(value, value - half, value + half, level, error, None, len(effects), "sum, as measured")
    middle, variance = (a.sum(axis=1) for a in prior.posterior(x, s))
    value = float(prior.chance @ middle)
    error = math.sqrt(float(prior.chance @ (variance + (middle - value) ** 2)))
    low, high = (_quantile(p, middle, np.sqrt(variance), prior.chance) for p in ((1 - level) / 2, (1 + level) / 2))
    return Estimate(value, low, high, level, error, None, len(effects), METHOD)


def _quantile(p: float, means: Vector, spreads: Vector, chances: Vector) -> float:
    """Of a mixture of normals; those without any spread are points."""
    spread = np.maximum(spreads, TINY)
    low, high = float((means - FAR * spreads).min()), float((means + FAR * spreads).max())
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if float(chances @ ndtr((middle - means) / spread)) < p else (low, middle)
    return (low + high) / 2


def realised_share(
    claimed: Sequence[float], realised: Sequence[float], errors: Sequence[float], *, level: float = 0.95
) -> Estimate | NotPublished:
    """What came true of what was claimed: sum of realised effects over sum of claims, for these very tests.

    Claims are what was said, so they have no error here; the range is that of the realised sum (normal).

    Args:
        claimed: Effects in the good direction, as they were claimed.
        realised: The same as measured later.
        errors: Standard errors of the realised ones.
        level: Confidence level.
    """
    if len(claimed) < FEWEST_CLAIMS:
        return NotPublished(reason="too few shipped tests were measured again")
    said = math.fsum(claimed)
    if said <= 0:
        return NotPublished(reason="the claims add up to no gain")
    value = math.fsum(realised) / said
    error = math.sqrt(math.fsum(e**2 for e in errors)) / said
    half = z_of(level) * error
    return Estimate(
        value, value - half, value + half, level, error, None, len(claimed), "ratio of sums, claims as said"
    )


def coverage_of_claims(
    claimed: Sequence[float],
    claimed_errors: Sequence[float],
    realised: Sequence[float],
    errors: Sequence[float],
    *,
    level: float = 0.8,
) -> Estimate | NotPublished:
    """Share of tests whose later effect lies where the claim said it would: within z sqrt(claimed_error^2 + error^2) of it.

    Honest claims reach ``level``; the range of the share is Wilson's.
    """
    if len(claimed) < FEWEST_CLAIMS:
        return NotPublished(reason="too few shipped tests were measured again")
    z = z_of(level)
    rows = zip(claimed, claimed_errors, realised, errors, strict=True)
    return proportion(sum(abs(r - c) <= z * math.hypot(d, e) for c, d, r, e in rows), len(claimed))
