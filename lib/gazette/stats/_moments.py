"""Aggregates of one arm, and what makes ratios and adjusted means of them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from gazette.errors import GazetteError
from gazette.stats._clusters import unequal

__all__ = ["Joint", "Lacking", "Moments", "MomentsError", "adjusted", "linear", "ratio", "widened"]


class MomentsError(GazetteError, ValueError):
    """Aggregates that cannot be: negative counts or variances, values that are not finite."""


@dataclass(frozen=True)
class Moments:
    """Aggregates of one arm.

    Attributes:
        n: Units.
        mean: Their mean.
        variance: Their sample variance (divided by n - 1); 0 for a single unit.
        third: Mean third power of their distances from the mean; None where it was not kept.
        freedom: Degrees of freedom of the variance; None is n - 1.
        bounds: Order statistics between which what the mean stands for lies in at least 95 % of samples; None where it is no quantile.
    """

    n: int
    mean: float
    variance: float
    third: float | None = None
    freedom: float | None = None
    bounds: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        if isinstance(self.n, bool) or self.n < 0 or int(self.n) != self.n:
            raise MomentsError(f"n must be a whole number of units, found {self.n!r}")
        if not (math.isfinite(self.mean) and math.isfinite(self.variance)) or self.variance < 0:
            raise MomentsError(
                f"mean and variance must be finite and the variance not negative, found {self.mean!r}, {self.variance!r}",
                mend="aggregate with var_samp and leave empty arms out",
            )
        if self.third is not None and not math.isfinite(self.third):
            raise MomentsError(f"the third moment must be finite, found {self.third!r}", mend="leave it out")


@dataclass(frozen=True)
class Lacking:
    """Units of one arm that lack the second value, which then stands at its mean: an indicator, 1 where it is lacking.

    Attributes:
        share: Share of such units; from it follows the indicator's variance.
        with_first: Sample covariance of indicator and first value.
        with_second: Of indicator and second value.
        thirds: Mean products of the indicator's distance from its mean with those of first and first, first and second, second and second;
            None where they were not kept.
    """

    share: float
    with_first: float
    with_second: float
    thirds: tuple[float, float, float] | None = None


@dataclass(frozen=True)
class Joint:
    """Two values per unit of one arm.

    Attributes:
        first: Moments.
        second: Moments.
        covariance: Their sample covariance.
        lacking: Who lacks the second.
        mixed: Mean products of three distances from the means: first, first, second; first, second, second; None where they were not kept.
        powers: Means of the second's fourth and fifth powers; None where they were not kept.
    """

    first: Moments
    second: Moments
    covariance: float
    lacking: Lacking | None = None
    mixed: tuple[float, float] | None = None
    powers: tuple[float, float] | None = None

    def shares(self) -> tuple[float, float, float, float] | None:
        """Sums over units of the second to fifth powers of their shares of all of the second; None where one was not kept."""
        n, mean, third = self.second.n, self.second.mean, self.second.third
        if third is None or self.powers is None or n == 0 or mean == 0:
            return None
        square = self.second.variance * (n - 1) / n
        raw = (square + mean**2, third + 3 * mean * square + mean**3, *self.powers)
        return tuple(power / mean**k / n ** (k - 1) for k, power in enumerate(raw, 2))

    def third(self, slope: float, lack: float = 0.0) -> float | None:
        """Third central moment of first - slope second - lack indicator; None where one that it is made of was not kept."""
        x, y, lacking = self.first.third, self.second.third, self.lacking
        if x is None or y is None or self.mixed is None:
            return None
        xxy, xyy = self.mixed
        found = x - 3 * slope * xxy + 3 * slope**2 * xyy - slope**3 * y
        if not lack or lacking is None:
            return found
        if lacking.thirds is None:
            return None
        # An indicator's square is itself, so that products with its square follow from its covariances.
        xxl, xyl, yyl = lacking.thirds
        p, whole = lacking.share, 1 - 1 / self.first.n
        skew = 1 - 2 * p
        found -= 3 * lack * (xxl - 2 * slope * xyl + slope**2 * yyl)
        found += 3 * lack**2 * skew * whole * (lacking.with_first - slope * lacking.with_second)
        return found - lack**3 * p * (1 - p) * skew


ROUNDING = 1e-12  # of the parts that a variance is made of, below which what is left of them is their rounding


def _left(variance: float, parts: float) -> float:
    """A variance made of parts that cancel; nothing where no more than rounding is left."""
    return variance if variance > ROUNDING * parts else 0.0


def ratio(arm: Joint) -> Moments:
    """Ratio of two means per unit, as moments of its linearisation (delta method; Deng et al. 2018, arXiv 1803.06336).

    The mean is a/b; the variance, that of (x - (a/b) y) / b, so that variance/n is the ratio's squared standard error. This is also the
    analysis of clusters: the unit of assignment is the row, first and second are its totals over the unit of analysis. Where the second's
    powers are known, the variance is what it is for units of unequal size (:func:`unequal`), with its degrees of freedom.

    Raises:
        MomentsError: The second mean is 0.
    """
    return widened(arm, linear(arm))


def linear(arm: Joint) -> Moments:
    """Moments of a ratio's linearisation, as if units were of one size.

    Raises:
        MomentsError: The second mean is 0.
    """
    a, b = arm.first, arm.second
    if b.mean == 0:
        raise MomentsError("the denominator's mean is zero", mend="leave the metric out until it has rows")
    value = a.mean / b.mean
    parts = a.variance + value**2 * b.variance
    third = arm.third(value)
    square = _left(parts - 2 * value * arm.covariance, parts)
    return Moments(a.n, value, square / b.mean**2, None if third is None else third / b.mean**3)


def widened(arm: Joint, found: Moments) -> Moments:
    """Moments of a ratio of units of unequal size, or of what a covariate leaves of it; its skewness stays.

    Args:
        arm: Of which the second value is the denominator.
        found: From :func:`linear`.
    """
    if (shares := arm.shares()) is None:
        return found
    factor, freedom = unequal(found.n, shares)
    wider = factor * (found.n - 1) / found.n if freedom else 1.0
    third = None if found.third is None else found.third * wider**1.5
    return Moments(found.n, found.mean, wider * found.variance, third, freedom)


def adjusted(control: Joint, treatment: Joint) -> tuple[Moments, Moments, float]:
    """CUPED: the metric less what a covariate from before the test explains (Deng et al. 2013).

    ``first`` is the metric, ``second`` the covariate. theta is the pooled covariance over the pooled variance; each arm's mean moves by
    theta times its covariate's distance from the pooled mean. Where units lack the covariate, which then stands at its mean, the indicator
    of lacking it is a second covariate; the difference of the arms is that of a least-squares regression on arm, covariate and indicator.

    Returns:
        Control and treatment after adjustment, and the share of the variance that went.
    """
    arms = (control, treatment)
    freedom = sum(a.first.n - 1 for a in arms)
    if freedom <= 0:
        return control.first, treatment.first, 0.0
    theta, lack = _slopes(arms, freedom)
    if theta == 0 and lack == 0:
        return control.first, treatment.first, 0.0
    n = sum(a.first.n for a in arms)
    centre = sum(a.first.n * a.second.mean for a in arms) / n
    middle = sum(a.first.n * _lacking(a).share for a in arms) / n
    found = []
    for a in arms:
        mean = a.first.mean - theta * (a.second.mean - centre)
        variance = a.first.variance - 2 * theta * a.covariance + theta**2 * a.second.variance
        if lack:
            other = _lacking(a)
            mean -= lack * (other.share - middle)
            variance += lack**2 * _spread(a) - 2 * lack * (other.with_first - theta * other.with_second)
        found.append(Moments(a.first.n, mean, _left(variance, a.first.variance), a.third(theta, lack)))
    before = sum(a.first.variance / a.first.n for a in arms)
    after = sum(m.variance / m.n for m in found)
    return found[0], found[1], 1 - after / before if before > 0 else 0.0


NEARLY_ONE = 1e-9  # of two covariates that say the same, the second is left out


def _lacking(arm: Joint) -> Lacking:
    return arm.lacking or Lacking(0.0, 0.0, 0.0)


def _spread(arm: Joint) -> float:
    """Sample variance of the indicator."""
    n, p = arm.first.n, _lacking(arm).share
    return p * (1 - p) * n / (n - 1) if n > 1 else 0.0


def _slopes(arms: tuple[Joint, Joint], freedom: int) -> tuple[float, float]:
    """Slopes of the metric on covariate and indicator, within arms."""

    def pooled(part: Callable[[Joint], float]) -> float:
        return sum((a.first.n - 1) * part(a) for a in arms) / freedom

    spread, other = pooled(lambda a: a.second.variance), pooled(_spread)
    with_spread, with_other = pooled(lambda a: a.covariance), pooled(lambda a: _lacking(a).with_first)
    both = pooled(lambda a: _lacking(a).with_second)
    apart = spread * other - both**2
    if apart > NEARLY_ONE * spread * other:
        return (with_spread * other - with_other * both) / apart, (with_other * spread - with_spread * both) / apart
    if spread > 0:
        return with_spread / spread, 0.0
    return 0.0, with_other / other if other > 0 else 0.0
