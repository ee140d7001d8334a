"""How many users a test needs, and what it can show with those it has."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from scipy.special import ndtr, ndtri

from gazette.record import NotPublished

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["POWER", "detectable", "each_power", "guard_power", "power", "units_needed", "users_needed"]

POWER = 0.8  # chance that a test is planned with
ROUNDS = 50
ALIKE = 0.5  # units by which a number that is sought may still move


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


def units_needed(
    mean: float,
    variance: float,
    relative_effect: float,
    *,
    shares: tuple[float, float],
    critical: Callable[[int], float],
    power: float = POWER,
) -> int | NotPublished:
    """Units of all arms to find a relative effect in one comparison, at the look that they make.

    N = (z(N) + z_power)^2 var (1/w_a + 1/w_b) / (relative_effect * mean)^2, by repetition where the limit z depends on N. Looks before
    it add to the chance, so of a test that is read more than once it is a little more than enough. The treatment's variance is taken to be the control's.

    Args:
        mean: Of the control, in the metric's unit.
        variance: Sample variance of a unit.
        relative_effect: Smallest effect worth finding, 0.02 for 2 %.
        shares: Of control and treatment among all units.
        critical: Standard errors that the look asks for, by units of all arms.
        power: Chance to find it.

    >>> units_needed(0.0234, 0.02285, 0.0726, shares=(0.5, 0.5), critical=lambda n: 1.959964)
    248571
    """
    if mean == 0 or variance <= 0 or relative_effect <= 0 or min(shares) <= 0:
        return NotPublished(reason="no variation to plan with")
    each = variance * (1 / shares[0] + 1 / shares[1]) / (relative_effect * mean) ** 2
    found = each
    for _ in range(ROUNDS):
        before, found = found, each * (critical(max(1, math.ceil(found))) + float(ndtri(power))) ** 2
        if abs(found - before) < ALIKE:
            break
    return math.ceil(found)


def power(effect: float, standard_error: float, *, alpha: float = 0.05, critical: float | None = None) -> float:
    """Chance that a two-sided test finds an effect of this size: Phi(|d|/SE - z) + Phi(-|d|/SE - z).

    Args:
        effect: In the unit of the standard error.
        standard_error: Of the difference.
        alpha: Two-sided error, from which z follows for a single look.
        critical: z of a look of another design, instead.

    >>> round(power(0.0017, (0.0234 * 0.9766 / 62500 + 0.0251 * 0.9749 / 62500) ** 0.5), 3)
    0.498
    """
    z = float(ndtri(1 - alpha / 2)) if critical is None else critical
    shift = abs(effect) / standard_error
    return float(ndtr(shift - z) + ndtr(-shift - z))


def each_power(guardrails: int, power: float = POWER) -> float:
    """Power at which the success metric and each guardrail is planned, so that all of them are shown with this chance where all are true.

    1 - (1 - power) / (guardrails + 1), by Bonferroni's inequality, for the rule that ships only if the success metric improved and every guardrail
    is shown not to be worse than its margin (Schultzberg, Ankargren & Frånberg 2024, arXiv 2402.11609).

    >>> each_power(0), round(each_power(3), 4)
    (0.8, 0.95)
    """
    return power if guardrails == 0 else 1 - (1 - power) / (guardrails + 1)


def guard_power(margin: float, standard_error: float, *, critical: float) -> float:
    """Chance to show that a guardrail is not worse than its margin where nothing changed: Phi(margin / SE - z).

    One side of a range decides; units that are needed follow from `units_needed` with the margin in the place of the effect.

    Args:
        margin: In the unit of the standard error.
        standard_error: Of the difference.
        critical: Standard errors that the look asks for.

    >>> round(guard_power(0.0004, 0.00198, critical=1.96), 3)
    0.039
    """
    return float(ndtr(margin / standard_error - critical))


def detectable(standard_error: float, *, alpha: float = 0.05, power: float = 0.8) -> float:
    """Smallest effect that a two-sided test finds with this chance, in the unit of the standard error."""
    return float(ndtri(1 - alpha / 2) + ndtri(power)) * standard_error
