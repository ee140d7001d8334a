"""Point estimates with intervals, from count, mean and sample variance per arm."""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy.special import ndtr, ndtri, stdtr, stdtrit

from gazette.record import NotPublished
from gazette.stats._moments import Moments, MomentsError

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


def mean(arm: Moments, *, level: float = 0.95) -> Estimate | NotPublished:
    """Mean of one arm with Student's t interval."""
    if arm.n < 2:  # noqa: PLR2004  a variance needs two
        return NotPublished(reason="fewer than two units")
    error = math.sqrt(arm.variance / arm.n)
    half = float(stdtrit(arm.n - 1, 0.5 + level / 2)) * error
    return Estimate(arm.mean, arm.mean - half, arm.mean + half, level, error, None, arm.n, "Student t")


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

    Args:
        control: Aggregates.
        treatment: Aggregates.
        level: Confidence level.
        critical: A look's critical value, standard normal; by default that of the level.
    """
    found = _spread(control, treatment, z_of(level) if critical is None else critical)
    if isinstance(found, NotPublished):
        return found
    error, freedom, t = found
    value = treatment.mean - control.mean
    half = t * error
    p_value = 2 * float(stdtr(freedom, -abs(value / error)))
    z = student_z(value / error, freedom)
    return Estimate(value, value - half, value + half, level, error, p_value, control.n + treatment.n, "Welch t", z)


def _spread(control: Moments, treatment: Moments, critical: float) -> tuple[float, float, float] | NotPublished:
    """Standard error of a difference, its degrees of freedom, and how many errors its range reaches to each side."""
    if control.n < 2 or treatment.n < 2:  # noqa: PLR2004
        return NotPublished(reason="an arm has fewer than two units")
    a, b = control.variance / control.n, treatment.variance / treatment.n
    if a + b == 0:
        return NotPublished(reason="no variation in either arm")
    share = a / (a + b)
    freedom = 1 / (share**2 / (control.n - 1) + (1 - share) ** 2 / (treatment.n - 1))
    t = student_t(critical, freedom)
    return TOO_FEW if t > WIDEST else (math.sqrt(a + b), freedom, t)


def relative_difference(
    control: Moments, treatment: Moments, *, level: float = 0.95, critical: float | None = None
) -> Estimate | NotPublished:
    """Treatment over control, less one, by Fieller (1954): every ratio r for which treatment - r control is not told from 0.

    The degrees of freedom are those of the difference, so that no change is excluded exactly where the difference excludes it. The
    standard error is that of the delta method (Deng et al. 2018, arXiv 1803.06336); the range is not made of it.

    Args:
        control: Aggregates.
        treatment: Aggregates.
        level: Confidence level.
        critical: A look's critical value, standard normal; by default that of the level.
    """
    found = _spread(control, treatment, z_of(level) if critical is None else critical)
    if isinstance(found, NotPublished):
        return found
    apart, freedom, t = found
    below, above = control.variance / control.n, treatment.variance / treatment.n
    square = control.mean**2 - t**2 * below
    if square <= 0:
        return NotPublished(reason="the control is too close to zero for a relative change")
    if control.mean < 0:
        return NotPublished(reason="the control is negative, so a relative change would say nothing")
    ratio, product = treatment.mean / control.mean, control.mean * treatment.mean
    root = t * math.sqrt(max(0.0, square * above + treatment.mean**2 * below))
    low, high = (product - root) / square, (product + root) / square
    error = math.sqrt(above + ratio**2 * below) / control.mean
    z = student_z((treatment.mean - control.mean) / apart, freedom)
    return Estimate(ratio - 1, low - 1, high - 1, level, error, None, control.n + treatment.n, "Fieller", z)
