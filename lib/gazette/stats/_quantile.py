"""Quantiles of one arm from three order statistics, so no row leaves the warehouse."""

from __future__ import annotations

import math

from gazette.stats._moments import Moments, MomentsError

__all__ = ["quantile_moments", "quantile_ranks", "quantile_units", "too_coarse"]

Z = 1.959963984540054
BEYOND = 0.025  # chance on each side that even the smallest, or the largest, value does not bound the quantile
STEPS = 5  # whole numbers that the ranks have to span; below, ties make ranges of medians miss in 7 to 17 % of tests
WHOLE = 1e-6  # distance at which a number counts as whole


def quantile_ranks(q: float, n: int) -> tuple[float, float]:
    """Shares between which the sample quantile lies in 95 % of samples: q -+ z sqrt(q (1 - q) / n), within 0 and 1.

    The count below the true quantile is binomial, so these ranks bound it (David & Nagaraja 2003, 7.1).
    """
    half = Z * math.sqrt(q * (1 - q) / max(1, n))
    return max(0.0, q - half), min(1.0, q + half)


def quantile_moments(n: int, value: float, low: float, high: float) -> Moments:
    """Moments whose variance/n is the squared standard error of the sample quantile.

    Args:
        n: Units of the arm.
        value: The sample quantile.
        low: Sample quantile at the lower of :func:`quantile_ranks`.
        high: At the upper one; half their distance is 1.96 standard errors.

    Raises:
        MomentsError: The order statistics are out of order.
    """
    if not low <= value <= high:
        raise MomentsError(f"order statistics out of order: {low}, {value}, {high}")
    error = (high - low) / (2 * Z)
    return Moments(n, value, error**2 * n)


def quantile_units(q: float) -> int:
    """Fewest units of which the smallest and the largest value bound a quantile, each with 97.5 %: 1 - q^n and 1 - (1 - q)^n.

    With fewer no order statistic lies beyond the quantile surely enough (David & Nagaraja 2003, 7.1).

    >>> quantile_units(0.5), quantile_units(0.9), quantile_units(0.99)
    (6, 36, 368)
    """
    return math.ceil(math.log(BEYOND) / math.log(max(q, 1 - q)))


def too_coarse(*arms: Moments) -> bool:
    """Whether values are whole numbers of which the ranks that bound a quantile span too few, so that ties decide.

    Args:
        arms: From :func:`quantile_moments`.
    """
    spans = [2 * Z * math.sqrt(arm.variance / arm.n) for arm in arms]
    whole = all(abs(v - round(v)) < WHOLE for v in (*spans, *(arm.mean for arm in arms)))
    return whole and round(min(spans)) < STEPS
