"""Point estimates with intervals, from count, mean and sample variance per arm."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scipy.special import ndtr, ndtri, stdtr, stdtrit

from gazette.record import NotPublished
from gazette.stats._clusters import degrees, too_unequal
from gazette.stats._moments import Moments, MomentsError
from gazette.stats._skew import of_difference, shape, straight, too_skewed, unstraight

__all__ = [
    "Estimate",
    "difference_of_means",
    "mean",
    "proportion",
    "relative_difference",
    "student_t",
    "student_z",
    "z_of",
]


@dataclass(frozen=True)
class Estimate:
    """A value with its interval, in the value's unit.

    Attributes:
        z: How far the data lie from no change, as a standard normal value with the same p-value; None where no change is tested.
    """

    value: float
    low: float
    high: float
    level: float
    standard_error: float
    p_value: float | None
    n: int
    method: str
    z: float | None = None


WIDEST = 1e6  # standard errors to each side, of which a range says nothing
TOO_FEW = NotPublished(reason="too few users for a range at this look")
BENT = ", skewness corrected"
EXACT, TINY = 0.95, 1e-9  # level of the order statistics that warehouses take
FURTHEST = 37.0  # standard errors, beyond which a p-value is no number any more


def z_of(level: float) -> float:
    """Two-sided normal quantile of a confidence level.

    >>> round(z_of(0.95), 6)
    1.959964
    """
    return float(ndtri(0.5 + level / 2))


def student_z(t: float, freedom: float) -> float:
    """The standard normal value with the same p-value as Student's t, so that a look may hold it against its critical value.

    Args:
        t: A statistic.
        freedom: Its degrees of freedom, above 0.

    >>> round(student_z(2.570582, 5.0), 4)
    1.96
    """
    tail = float(stdtr(freedom, -abs(t)))
    return math.copysign(-float(ndtri(tail)) if tail > 0 else min(abs(t), FURTHEST), t)


def student_t(z: float, freedom: float) -> float:
    """Student's t with the same p-value as a standard normal value: how many standard errors a range has to reach to each side.

    Infinite where that p-value is too small for a number.

    Args:
        z: A critical value, not below 0.
        freedom: Degrees of freedom, above 0.

    >>> round(student_t(1.959964, 5.0), 4)
    2.5706
    """
    tail = float(ndtr(-z))
    return -float(stdtrit(freedom, tail)) if tail > 0 else math.inf


def mean(arm: Moments, *, level: float = 0.95, beside: Sequence[Moments] = ()) -> Estimate | NotPublished:
    """Mean of one arm with Student's t interval, bent by the skewness of its values where that is known (Hall 1992).

    Of a quantile the range of 95 % lies between its order statistics, whatever the values are.

    Args:
        arm: Aggregates.
        level: Confidence level.
        beside: Other arms, which show tails that this one may have missed.
    """
    if arm.n < 2:  # noqa: PLR2004  a variance needs two
        return NotPublished(reason="fewer than two units")
    skewness = shape(arm, *beside)
    if (few := too_skewed(arm.n, skewness)) is not None:
        return few
    if (few := too_unequal(arm)) is not None:
        return few
    error = math.sqrt(arm.variance / arm.n)
    if arm.bounds is not None and abs(level - EXACT) < TINY:
        return Estimate(arm.mean, *arm.bounds, level, error, None, arm.n, "order statistics")
    t, bend = float(stdtrit(degrees(arm), 0.5 + level / 2)), skewness / math.sqrt(arm.n)
    low, high = (arm.mean - unstraight(z, bend) * error for z in (t, -t))
    return Estimate(arm.mean, low, high, level, error, None, arm.n, "Student t" if bend == 0 else f"Student t{BENT}")


def proportion(successes: int, n: int, *, level: float = 0.95) -> Estimate | NotPublished:
    """Share with Wilson's score interval (Wilson 1927), which stays within 0 and 1.

    >>> round(proportion(1463, 62500).low, 6)
    0.022252
    """
    if n == 0:
        return NotPublished(reason="no units")
    if not 0 <= successes <= n:
        raise MomentsError(f"successes must lie between 0 and n, found {successes} of {n}")
    p, z2 = successes / n, z_of(level) ** 2
    centre = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = math.sqrt(z2 * (p * (1 - p) + z2 / (4 * n)) / n) / (1 + z2 / n)
    error = math.sqrt(p * (1 - p) / n)
    low, high = max(0.0, min(centre - half, p)), min(1.0, max(centre + half, p))
    return Estimate(p, low, high, level, error, None, n, "Wilson")


def difference_of_means(
    control: Moments, treatment: Moments, *, level: float = 0.95, critical: float | None = None
) -> Estimate | NotPublished:
    """Treatment mean less control mean, by Welch's t with Satterthwaite's degrees of freedom (Welch 1947), at every look.

    Where the arms' third moments are known, the statistic is freed of the difference's skewness (Hall 1992).

    Args:
        control: Aggregates.
        treatment: Aggregates.
        level: Confidence level.
        critical: A look's critical value, standard normal; by default that of the level.
    """
    found = _spread(control, treatment, z_of(level) if critical is None else critical)
    if isinstance(found, NotPublished):
        return found
    value = treatment.mean - control.mean
    low, high = (value - t * found.error for t in (found.above, found.below))
    t = straight(value / found.error, found.skewness)
    p_value = 2 * float(stdtr(found.freedom, -abs(t)))
    z = student_z(t, found.freedom)
    return Estimate(value, low, high, level, found.error, p_value, control.n + treatment.n, found.method("Welch t"), z)


@dataclass(frozen=True)
class _Spread:
    """How a difference of two means is spread.

    Attributes:
        error: Its standard error.
        freedom: Degrees of freedom.
        skewness: By which its statistic is bent.
        above, below: Standard errors between which the statistic of what is not refused lies.
    """

    error: float
    freedom: float
    skewness: float
    above: float
    below: float

    def method(self, word: str) -> str:
        return word if self.skewness == 0 else f"{word}{BENT}"


def _spread(control: Moments, treatment: Moments, critical: float) -> _Spread | NotPublished:
    """How a difference is spread, and how many standard errors its range reaches to each side."""
    if control.n < 2 or treatment.n < 2:  # noqa: PLR2004
        return NotPublished(reason="an arm has fewer than two units")
    a, b = control.variance / control.n, treatment.variance / treatment.n
    if a + b == 0:
        return NotPublished(reason="no variation in either arm")
    if (few := too_skewed(min(control.n, treatment.n), shape(control, treatment))) is not None:
        return few
    if (few := too_unequal(control, treatment)) is not None:
        return few
    share = a / (a + b)
    freedom = 1 / (share**2 / degrees(control) + (1 - share) ** 2 / degrees(treatment))
    t, skewness = student_t(critical, freedom), of_difference(control, treatment)
    if t > WIDEST:
        return TOO_FEW
    return _Spread(math.sqrt(a + b), freedom, skewness, unstraight(t, skewness), unstraight(-t, skewness))


def relative_difference(
    control: Moments, treatment: Moments, *, level: float = 0.95, critical: float | None = None
) -> Estimate | NotPublished:
    """Treatment over control, less one, by Fieller (1954): every ratio r for which treatment - r control is not told from 0.

    The degrees of freedom and the bend are those of the difference, so that no change is excluded exactly where the difference excludes it.
    The standard error is that of the delta method (Deng et al. 2018, arXiv 1803.06336); the range is not made of it.

    Args:
        control: Aggregates.
        treatment: Aggregates.
        level: Confidence level.
        critical: A look's critical value, standard normal; by default that of the level.
    """
    found = _spread(control, treatment, z_of(level) if critical is None else critical)
    if isinstance(found, NotPublished):
        return found
    below, above = control.variance / control.n, treatment.variance / treatment.n
    squares = [control.mean**2 - t**2 * below for t in (found.above, found.below)]
    if min(squares) <= 0:
        return NotPublished(reason="the control is too close to zero for a relative change")
    if control.mean < 0:
        return NotPublished(reason="the control is negative, so a relative change would say nothing")
    ratio, product = treatment.mean / control.mean, control.mean * treatment.mean
    low, high = (
        (product - t * math.sqrt(max(0.0, square * above + treatment.mean**2 * below))) / square
        for t, square in zip((found.above, found.below), squares, strict=True)
    )
    error = math.sqrt(above + ratio**2 * below) / control.mean
    z = student_z(straight((treatment.mean - control.mean) / found.error, found.skewness), found.freedom)
    n = control.n + treatment.n
    return Estimate(ratio - 1, low - 1, high - 1, level, error, None, n, found.method("Fieller"), z)
