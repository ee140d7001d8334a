"""Quantiles of one arm from three order statistics, so no row leaves the warehouse."""

from __future__ import annotations

import math

from gazette.stats._moments import Moments, MomentsError

__all__ = ["quantile_moments", "quantile_ranks"]

Z = 1.959963984540054


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
