"""Quantiles of one arm from three order statistics, so no row leaves the warehouse."""

from __future__ import annotations

import math

from scipy.special import bdtr, bdtrc, ndtri

from gazette.stats._moments import Moments, MomentsError

__all__ = ["quantile_moments", "quantile_ranks", "quantile_units", "too_coarse"]

Z = 1.959963984540054
BEYOND = 0.025  # chance on each side that even the smallest, or the largest, value does not bound the quantile
STEPS = 5  # whole numbers that the ranks have to span; below, ties make ranges of medians miss in 7 to 17 % of tests
WHOLE = 1e-6  # distance at which a number counts as whole


def quantile_ranks(q: float, n: int) -> tuple[int, int]:
    """Ranks, from 1, of the two values between which the true quantile lies in at least 95 % of samples, at most one wider than need be.

    How many values lie below the quantile is binomial (David & Nagaraja 2003, 7.1). The ends are those of its normal range with the skewness
    of the binomial (Cornish & Fisher 1938), each rounded outwards: the same arithmetic as a warehouse does, which has no binomial.

    >>> quantile_ranks(0.5, 50), quantile_ranks(0.99, 368)
    ((18, 33), (360, 368))
    """
    middle = n * q + (1 - 2 * q) * (Z**2 - 1) / 6
    half = Z * math.sqrt(q * (1 - q) * n)
    return max(1, math.floor(middle - half)), min(n, math.ceil(middle + half) + 1)


def quantile_moments(
    n: int, value: float, low: float, high: float, *, q: float = 0.5, ranks: tuple[int, int] | None = None
) -> Moments:
    """Moments whose variance/n is the squared standard error of the sample quantile.

    The distance of two order statistics is as many standard errors as their chances to miss say (Price & Bonett 2001, J. Stat. Comput. Simul.
    68:295, for the median). A distance over g of n + 1 gaps has the relative variance (n + 1 - g) / (g (n + 2)) (Beta), from which its degrees
    of freedom follow.

    Args:
        n: Units of the arm.
        value: The sample quantile.
        low: The order statistic of the lower rank.
        high: Of the upper one.
        q: The quantile.
        ranks: Theirs, of :func:`quantile_ranks`; None where they were not kept, as in early editions: then they are taken to be 1.96 standard
            errors away, and give no range of the quantile itself.

    Raises:
        MomentsError: The order statistics are out of order.
    """
    if not low <= value <= high:
        raise MomentsError(f"order statistics out of order: {low}, {value}, {high}")
    if ranks is None:
        return Moments(n, value, ((high - low) / (2 * Z)) ** 2 * n)
    below, above = float(bdtr(ranks[0] - 1, n, q)), float(bdtrc(ranks[1] - 1, n, q))
    gaps = ranks[1] - ranks[0]
    errors = -float(ndtri(below)) - float(ndtri(above))
    freedom = min(n - 1.0, gaps * (n + 2) / (2 * (n + 1 - gaps)))
    bounds = (low, high) if max(below, above) <= BEYOND else None
    return Moments(n, value, ((high - low) / errors) ** 2 * n, freedom=freedom, bounds=bounds)


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
    spans = [2 * Z * math.sqrt(a.variance / a.n) if a.bounds is None else a.bounds[1] - a.bounds[0] for a in arms]
    whole = all(abs(v - round(v)) < WHOLE for v in (*spans, *(arm.mean for arm in arms)))
    return whole and round(min(spans)) < STEPS
