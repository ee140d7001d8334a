"""Many tests together: effects drawn towards what tests usually bring, what shipped ones add up to, claims against what came of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gazette.record import NotPublished
from gazette.stats._estimates import Estimate, proportion, z_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["FEWEST_CLAIMS", "FEWEST_TESTS", "Prior", "coverage_of_claims", "fit_prior", "realised_share", "total"]

FEWEST_TESTS = 8  # with fewer, how much true effects differ is hardly known
FEWEST_CLAIMS = 3
GRID = 400
METHOD = "empirical Bayes, normal prior by maximum likelihood"


@dataclass(frozen=True)
class Prior:
    """How true effects of tests are spread: normal around ``mean`` with standard deviation ``spread``.

    Attributes:
        mean, spread: Maximum-likelihood estimates, in the effects' unit.
        spreads, weights: A grid of spreads and how likely each is (flat prior on the spread, the mean integrated out);
            what is not known of the prior goes into the ranges of sums by it.
        n: Tests that it was fitted to.
    """

    mean: float
    spread: float
    spreads: tuple[float, ...]
    weights: tuple[float, ...]
    effects: tuple[float, ...]
    errors: tuple[float, ...]

    @property
    def n(self) -> int:
        """Tests that it was fitted to."""
        return len(self.effects)

    def drawn(self, effect: float, error: float) -> tuple[float, float]:
        """Posterior mean and standard deviation of one test's true effect, the prior taken as known."""
        kept = self.spread**2 / (self.spread**2 + error**2)
        return kept * effect + (1 - kept) * self.mean, math.sqrt(kept) * error


def _moments(spread: float, effects: NDArray[np.float64], errors: NDArray[np.float64]) -> tuple[float, float, float]:
    """Mean, its variance, and the log-likelihood at it, of a normal prior with this spread."""
    variance = spread**2 + errors**2
    precision = 1 / variance
    middle = float((precision * effects).sum() / precision.sum())
    fit = -0.5 * float((np.log(variance) + (effects - middle) ** 2 * precision).sum())
    return middle, float(1 / precision.sum()), fit


def _over(
    spreads: NDArray[np.float64], effects: NDArray[np.float64], errors: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """`_moments` of many spreads at once."""
    variance = spreads[:, None] ** 2 + errors**2
    precision = 1 / variance
    total = precision.sum(axis=1)
    middle = (precision * effects).sum(axis=1) / total
    fit = -0.5 * (np.log(variance) + (effects - middle[:, None]) ** 2 * precision).sum(axis=1)
    return middle, 1 / total, fit


def fit_prior(effects: Sequence[float], errors: Sequence[float]) -> Prior | NotPublished:
    """Fit how true effects are spread to all tests, won or not: x_i ~ N(mean, spread^2 + error_i^2), by maximum likelihood.

    It must see tests that were not shipped: a posterior given all of the data needs no correction for selecting on the
    data (Efron 2011, JASA 106:1602), a prior fitted to winners alone would be biased as they are.

    Args:
        effects: Measured effects, in one unit and the good direction.
        errors: Their standard errors, above zero.
    """
    from scipy.optimize import minimize_scalar  # noqa: PLC0415  slow to import

    if len(effects) < FEWEST_TESTS:
        return NotPublished(reason="history too short")
    x, s = np.asarray(effects, dtype=float), np.asarray(errors, dtype=float)
    top = 3 * float(x.std() + s.max())
    found = minimize_scalar(
        lambda t: -_moments(t, x, s)[2], bounds=(0.0, top), method="bounded", options={"xatol": top * 1e-9}
    )
    spread = float(found.x)
    if _moments(0.0, x, s)[2] >= _moments(spread, x, s)[2] or spread < top * 1e-6:
        spread = 0.0
    grid = np.linspace(0.0, top, GRID)
    _, doubt, fit = _over(grid, x, s)
    likely = fit + np.array([0.5 * math.log(d) for d in doubt])
    weights = np.exp(likely - likely.max())
    weights /= weights.sum()
    middle = _moments(spread, x, s)[0]
    return Prior(middle, spread, tuple(grid.tolist()), tuple(weights.tolist()), tuple(x.tolist()), tuple(s.tolist()))


def total(
    effects: Sequence[float], errors: Sequence[float], prior: Prior | NotPublished | None = None, *, level: float = 0.95
) -> Estimate | NotPublished:
    """Sum of effects of chosen tests; with a prior each drawn towards it, which takes the winner's curse out.

    Without a prior the sum is naive: tests were chosen because they looked good, so it overstates what they bring
    (Lee & Shen 2018, KDD, "Winner's Curse"). The range of a corrected sum is normal, its variance that of the posterior
    plus what is not known of the prior (Morris 1983, JASA 78:47): the mean square distance of the sum from the one shown,
    over the grid of spreads.
    """
    if isinstance(prior, NotPublished):
        return prior
    if not effects:
        return NotPublished(reason="no test was shipped")
    x, s = np.asarray(effects, dtype=float), np.asarray(errors, dtype=float)
    if prior is None:
        value, error, method = math.fsum(effects), math.sqrt(float((s**2).sum())), "sum, as measured"
    else:
        value = math.fsum(prior.drawn(e, d)[0] for e, d in zip(effects, errors, strict=True))
        every, each = np.asarray(prior.effects), np.asarray(prior.errors)
        spreads = np.asarray(prior.spreads)
        middle, doubt, _ = _over(spreads, every, each)
        kept = spreads[:, None] ** 2 / (spreads[:, None] ** 2 + s**2)
        centre = (kept * x + (1 - kept) * middle[:, None]).sum(axis=1)
        variance = (kept * s**2).sum(axis=1) + (1 - kept).sum(axis=1) ** 2 * doubt
        square = np.asarray(prior.weights) * (variance + (centre - value) ** 2)
        error, method = math.sqrt(sum(square.tolist())), METHOD
    half = z_of(level) * error
    return Estimate(value, value - half, value + half, level, error, None, len(effects), method)


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
