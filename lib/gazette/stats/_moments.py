"""Aggregates of one arm, and what makes ratios and adjusted means of them."""

from __future__ import annotations

import math
from dataclasses import dataclass

from gazette.errors import GazetteError

__all__ = ["Joint", "Moments", "MomentsError", "adjusted", "ratio"]


class MomentsError(GazetteError, ValueError):
    """Aggregates that cannot be: negative counts or variances, values that are not finite."""


@dataclass(frozen=True)
class Moments:
    """Aggregates of one arm.

    Attributes:
        n: Units.
        mean: Their mean.
        variance: Their sample variance (divided by n - 1); 0 for a single unit.
    """

    n: int
    mean: float
    variance: float

    def __post_init__(self) -> None:
        if isinstance(self.n, bool) or self.n < 0 or int(self.n) != self.n:
            raise MomentsError(f"n must be a whole number of units, found {self.n!r}")
        if not (math.isfinite(self.mean) and math.isfinite(self.variance)) or self.variance < 0:
            raise MomentsError(
                f"mean and variance must be finite and the variance not negative, found {self.mean!r}, {self.variance!r}",
                mend="aggregate with var_samp and leave empty arms out",
            )


@dataclass(frozen=True)
class Joint:
    """Two values per unit of one arm: their moments and their sample covariance."""

    first: Moments
    second: Moments
    covariance: float


def ratio(arm: Joint) -> Moments:
    """Ratio of two means per unit, as moments of its linearisation (delta method; Deng et al. 2018, arXiv 1803.06336).

    The mean is a/b; the variance, that of (x - (a/b) y) / b, so that variance/n is the ratio's squared standard error. This is also the
    analysis of clusters: the unit of assignment is the row, first and second are its totals over the unit of analysis.

    Raises:
        MomentsError: The second mean is 0.
    """
    a, b = arm.first, arm.second
    if b.mean == 0:
        raise MomentsError("the denominator's mean is zero", mend="leave the metric out until it has rows")
    value = a.mean / b.mean
    variance = (a.variance - 2 * value * arm.covariance + value**2 * b.variance) / b.mean**2
    return Moments(a.n, value, max(0.0, variance))


def adjusted(control: Joint, treatment: Joint) -> tuple[Moments, Moments, float]:
    """CUPED: the metric less what a covariate from before the test explains (Deng et al. 2013).

    ``first`` is the metric, ``second`` the covariate. theta is the pooled covariance over the pooled variance; each arm's mean moves by
    theta times its covariate's distance from the pooled mean.

    Returns:
        Control and treatment after adjustment, and the share of the variance that went.
    """
    arms = (control, treatment)
    freedom = sum(a.first.n - 1 for a in arms)
    spread = sum((a.first.n - 1) * a.second.variance for a in arms) / freedom if freedom > 0 else 0.0
    if spread == 0:
        return control.first, treatment.first, 0.0
    theta = sum((a.first.n - 1) * a.covariance for a in arms) / freedom / spread
    n = sum(a.first.n for a in arms)
    centre = sum(a.first.n * a.second.mean for a in arms) / n
    found = [
        Moments(
            a.first.n,
            a.first.mean - theta * (a.second.mean - centre),
            max(0.0, a.first.variance - 2 * theta * a.covariance + theta**2 * a.second.variance),
        )
        for a in arms
    ]
    before = sum(a.first.variance / a.first.n for a in arms)
    after = sum(m.variance / m.n for m in found)
    return found[0], found[1], 1 - after / before if before > 0 else 0.0
