"""How many users a test needs, and what it can show with those it has."""

from __future__ import annotations

import math

from scipy.special import ndtr, ndtri

from gazette.record import NotPublished

__all__ = ["detectable", "power", "users_needed"]


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


def power(effect: float, standard_error: float, *, alpha: float = 0.05) -> float:
    """Chance that a two-sided test finds an effect of this size: Phi(|d|/SE - z) + Phi(-|d|/SE - z).

    >>> round(power(0.0017, (0.0234 * 0.9766 / 62500 + 0.0251 * 0.9749 / 62500) ** 0.5), 3)
    0.498
    """
    z, shift = float(ndtri(1 - alpha / 2)), abs(effect) / standard_error
    return float(ndtr(shift - z) + ndtr(-shift - z))


def detectable(standard_error: float, *, alpha: float = 0.05, power: float = 0.8) -> float:
    """Smallest effect that a two-sided test finds with this chance, in the unit of the standard error."""
    return float(ndtri(1 - alpha / 2) + ndtri(power)) * standard_error
