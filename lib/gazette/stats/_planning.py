"""How many users a test needs."""

from __future__ import annotations

import math

from scipy.special import ndtri

from gazette.record import NotPublished

__all__ = ["users_needed"]


def users_needed(
    mean: float, variance: float, relative_effect: float, *, alpha: float = 0.05, power: float = 0.8
) -> int | NotPublished:
    """Units per arm to find a relative effect, two-sided normal approximation with equal arms.

    n = 2 var (z_(1-alpha/2) + z_power)^2 / (relative_effect * mean)^2

    Args:
        mean: Of the control, in the metric's unit.
        variance: Sample variance of a unit.
        relative_effect: Smallest effect worth finding, 0.02 for 2 %.
        alpha: Two-sided error.
        power: Chance to find it.
    """
    if mean == 0 or variance <= 0:
        return NotPublished(reason="no variation to plan with")
    z = float(ndtri(1 - alpha / 2) + ndtri(power))
    return math.ceil(2 * variance * z**2 / (relative_effect * mean) ** 2)
