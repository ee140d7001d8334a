"""Point estimates with intervals, from count, mean and sample variance per arm."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from scipy.special import ndtri, stdtr, stdtrit

from gazette.record import NotPublished
from gazette.stats._moments import Moments, MomentsError

__all__ = [
    "Estimate",
    "difference_of_means",
    "mean",
    "proportion",
    "relative_difference",
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

    def at(self, z: float, method: str) -> Estimate:
        """The same estimate with the interval that lies ``z`` standard errors to each side."""
        half = z * self.standard_error
        return replace(self, low=self.value - half, high=self.value + half, method=method)


def z_of(level: float) -> float:
    """Two-sided normal quantile of a confidence level.

    >>> round(z_of(0.95), 6)
    1.959964
    """
    return float(ndtri(0.5 + level / 2))


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


def difference_of_means(control: Moments, treatment: Moments, *, level: float = 0.95) -> Estimate | NotPublished:
    """Treatment mean less control mean, Welch's unequal-variance t (Welch 1947)."""
    if control.n < 2 or treatment.n < 2:  # noqa: PLR2004
        return NotPublished(reason="an arm has fewer than two units")
    a, b = control.variance / control.n, treatment.variance / treatment.n
    if a + b == 0:
        return NotPublished(reason="no variation in either arm")
    error = math.sqrt(a + b)
    freedom = (a + b) ** 2 / (a**2 / (control.n - 1) + b**2 / (treatment.n - 1))
    value = treatment.mean - control.mean
    half = float(stdtrit(freedom, 0.5 + level / 2)) * error
    p_value = 2 * float(stdtr(freedom, -abs(value / error)))
    return Estimate(value, value - half, value + half, level, error, p_value, control.n + treatment.n, "Welch t")


def relative_difference(control: Moments, treatment: Moments, *, level: float = 0.95) -> Estimate | NotPublished:
    """Treatment over control, less one; interval by the delta method on the ratio of independent means.

    Var(b/a) is about var(b)/a^2 + b^2 var(a)/a^4 (Deng et al. 2018, arXiv 1803.06336).
    """
    if control.n < 2 or treatment.n < 2:  # noqa: PLR2004
        return NotPublished(reason="an arm has fewer than two units")
    z = z_of(level)
    spread = math.sqrt(control.variance / control.n)
    if abs(control.mean) <= z * spread:
        return NotPublished(reason="the control is too close to zero for a relative change")
    if control.mean < 0:
        return NotPublished(reason="the control is negative, so a relative change would say nothing")
    ratio = treatment.mean / control.mean
    error = math.sqrt(treatment.variance / treatment.n + ratio**2 * spread**2) / control.mean
    if error == 0:
        return NotPublished(reason="no variation in either arm")
    value = ratio - 1
    return Estimate(
        value, value - z * error, value + z * error, level, error, None, control.n + treatment.n, "delta method"
    )
