"""Quantiles a second time: order statistics that a plain query counts off, and what a binomial count says of them."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

from scipy.special import betainc

from gazette.recompute._arithmetic import Arm, Second, student
from gazette.recompute._sql import whole

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["arm_of", "bounds", "marked"]

NORMAL = NormalDist()
SURE = NORMAL.inv_cdf(0.975)
SAID = 0.05  # error at which order statistics are taken
MARKS = ("low", "high", "low_rank", "high_rank")


def marked(q: float) -> str:
    """A row per arm of ``each``: the quantile, and the values whose ranks lie no nearer to it than the 95 % range of how many fall below it.

    That number is binomial; its range is the normal one moved by its skewness (Cornish & Fisher 1938).
    """
    middle = f"(m * {q!r} + {(1 - 2 * q) * (SURE**2 - 1) / 6!r})"
    half = f"{SURE!r} * SQRT(m * {q * (1 - q)!r})"
    below, above = f"r = 1 OR r + {half} <= {middle}", f"r = m OR r - 1 - {half} >= {middle}"
    value = f"PERCENTILE_DISC({q!r}) WITHIN GROUP (ORDER BY x)"
    return (
        ",\nplaced AS (SELECT arm, x, hit, broken, ROW_NUMBER() OVER (PARTITION BY arm ORDER BY x) AS r, COUNT(*) OVER (PARTITION BY arm) AS m FROM each)\n"
        f"SELECT arm, COUNT(*) AS n, {whole(value)} AS value, SUM(hit) AS matched,\n"
        f"  MAX(CASE WHEN {below} THEN x END) AS low, MAX(CASE WHEN {below} THEN r END) AS low_rank,\n"
        f"  MIN(CASE WHEN {above} THEN x END) AS high, MIN(CASE WHEN {above} THEN r END) AS high_rank\n"
        "FROM placed GROUP BY arm ORDER BY arm"
    )


def arm_of(row: Mapping[str, Any], q: float) -> Arm:
    """Units, quantile, and the variance that two of its order statistics tell.

    They miss it with chances of a binomial count, by the incomplete beta function, so they are as many standard errors apart as normal
    values of these chances. A distance over g of n + 1 gaps is a beta variable; the square of one that varies so has these degrees.
    """
    n, ends = int(row["n"]), [float(row[k]) for k in MARKS if row[k] is not None]
    low, high, first, last = ends if len(ends) == len(MARKS) else (0.0,) * len(MARKS)
    if first == last:
        return Arm(n, float(row["value"]), None)
    misses = betainc(n - first + 1, first, 1 - q), betainc(last, n - last + 1, q)
    error = (high - low) / -sum(NORMAL.inv_cdf(float(miss)) for miss in misses)
    mean = (last - first) / (n + 1)
    variance = mean * (1 - mean) / (n + 2)
    return Arm(n, float(row["value"]), error**2 * n, None, min(n - 1, mean**2 / (2 * variance)))


def bounds(row: Mapping[str, Any], q: float, alpha: float) -> Second:
    """The quantile with its order statistics, which are of 95 %; at another error by Student's t about it."""
    arm = arm_of(row, q)
    if arm.variance is None:
        return Second(arm.mean)
    if alpha == SAID:
        return Second(arm.mean, float(row["low"]), float(row["high"]))
    return student(arm.n, arm.mean, math.sqrt(arm.variance), alpha, freedom=arm.freedom)
