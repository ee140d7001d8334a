"""Intervals that stay honest when a test is looked at more than once.

Group sequential: Lan & DeMets (1983), boundaries by the recursive integration of Armitage, McPherson & Rowe (1969), for the looks that
really happened. Confidence sequence: the asymptotic one of Waudby-Smith et al. (arXiv 2103.06476), valid at every instant.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy.special import ndtr, ndtri

from gazette.errors import GazetteError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["Spending", "always_valid_p", "boundaries", "confidence_sequence_z", "simpson", "spent"]

Spending = Literal["obrien-fleming", "pocock", "quadratic"]
STEPS = 32  # grid points per standard deviation of the drift-free process
NEAR = 1e-3  # a look with less than this more of its information says nothing new: it spends nothing, its bound lies so far beyond the last that it is never crossed first there
WIDEST = 8.0  # beyond this a boundary is never crossed in floating point


class SequentialError(GazetteError, ValueError):
    """Looks that cannot be: information that does not grow, an alpha outside 0 and 1."""


def spent(fraction: float, *, alpha: float = 0.05, spending: Spending = "obrien-fleming") -> float:
    """Two-sided error that may be spent up to an information fraction; all of it from 1 on.

    ``obrien-fleming``: 4 - 4 Phi(z_(1-alpha/4) / sqrt t); ``pocock``: alpha ln(1 + (e - 1) t); ``quadratic``: alpha t^2.

    >>> round(spent(0.5), 5), round(spent(0.5, spending="pocock"), 5), spent(1.2)
    (0.00305, 0.03101, 0.05)
    """
    if not 0 < alpha < 1:
        raise SequentialError(f"alpha must lie between 0 and 1, found {alpha}")
    if fraction <= 0:
        return 0.0
    if fraction >= 1:
        return alpha
    if spending == "obrien-fleming":
        return min(alpha, float(4 * ndtr(-ndtri(1 - alpha / 4) / math.sqrt(fraction))))
    if spending == "pocock":
        return alpha * math.log(1 + (math.e - 1) * fraction)
    return alpha * fraction**2


def boundaries(
    fractions: Sequence[float],
    *,
    alpha: float = 0.05,
    spending: Spending = "obrien-fleming",
    final: bool = False,
    times: Sequence[float] | None = None,
) -> list[float]:
    """Two-sided critical z of every look, given the looks before it.

    Information and the time by which error is spent are two things (Lan & DeMets 1989): the first says how much two looks have in common,
    the second may be any clock that the effect does not move. A look after which all is spent ends the test; the bound of any later one is
    that of this last increment, and decides nothing.

    Args:
        fractions: Information at each look, growing; its scale does not matter where ``times`` are given.
        alpha: Two-sided error of the whole test.
        spending: How fast it is spent.
        final: Whether the last look is the end of the test, so that all that is left is spent there.
        times: Share of the plan that has passed at each look, never falling; by default ``fractions``. From 1 on all is spent.

    Raises:
        SequentialError: The fractions do not grow, or times fall or are not as many.

    >>> [round(z, 4) for z in boundaries([0.2, 0.4, 0.6, 0.8, 1.0], spending="quadratic")]
    [3.0902, 2.7141, 2.4728, 2.2799, 2.114]
    >>> [round(z, 4) for z in boundaries([0.5, 1.0, 1.5, 2.0])]
    [2.9626, 1.9686, 1.9686, 1.9686]
    """
    if not fractions:
        return []
    if fractions[0] <= 0 or any(b <= a for a, b in pairwise(fractions)):
        raise SequentialError(f"information must grow from look to look, found {list(fractions)}")
    clock = list(fractions if times is None else times)
    if len(clock) != len(fractions) or any(b < a for a, b in pairwise(clock)):
        raise SequentialError(f"times must be one a look and never fall, found {clock} for {len(fractions)} looks")
    found: list[float] = []
    density: NDArray[np.float64] | None = None
    grid = np.zeros(1)
    used, before = 0.0, 0.0
    for i, information in enumerate(fractions):
        last = final and i == len(fractions) - 1
        if found and used >= alpha:
            found.append(found[-1])
            continue
        if found and not last and information - before < NEAR * information:
            found.append(min(WIDEST, found[-1] + 3 * math.sqrt((information - before) / information)))
            continue
        t = max(information, before * (1 + NEAR))
        total = alpha if last else spent(clock[i], alpha=alpha, spending=spending)
        share = max(0.0, total - used)
        used = max(used, total)
        scale = math.sqrt(t - before)
        if density is None:
            z = float(-ndtri(share / 2)) if share > 0 else WIDEST
        else:
            z = _solve(grid, density, math.sqrt(t), scale, share)
        z = min(z, WIDEST)
        found.append(z)
        edge = z * math.sqrt(t)
        points = max(33, int(2 * STEPS * z) | 1)
        new = np.linspace(-edge, edge, points)
        if density is None:
            density = np.exp(-0.5 * (new / scale) ** 2) / (scale * math.sqrt(2 * math.pi))
        else:
            kernel = np.exp(-0.5 * ((new[:, None] - grid[None, :]) / scale) ** 2) / (scale * math.sqrt(2 * math.pi))
            density = kernel @ (density * simpson(grid))
        grid, before = new, t
    return found


def simpson(grid: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights of Simpson's rule on an odd, even-spaced grid."""
    weights: NDArray[np.float64] = np.ones(len(grid))
    weights[1:-1:2], weights[2:-1:2] = 4.0, 2.0
    weights *= (grid[1] - grid[0]) / 3
    return weights


def _solve(grid: NDArray[np.float64], density: NDArray[np.float64], root: float, scale: float, share: float) -> float:
    """The z at which crossing now, and not before, has probability ``share``."""
    if share <= 0:
        return WIDEST
    mass = density * simpson(grid)

    def crossing(z: float) -> float:
        edge = z * root
        return float(mass @ (ndtr((-edge - grid) / scale) + ndtr((grid - edge) / scale)))

    low, high = 0.0, WIDEST
    if crossing(high) >= share:
        return high
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if crossing(middle) > share else (low, middle)
    return (low + high) / 2


def _tuning(n_star: float, alpha: float) -> float:
    """rho^2 that makes the sequence tightest at ``n_star`` units."""
    log = -2 * math.log(alpha)
    return (log + math.log(1 + log)) / n_star


def confidence_sequence_z(n: int, *, n_star: float, alpha: float = 0.05) -> float:
    """Half-width of the always-valid interval, in standard errors, when ``n`` units have been seen.

    half-width = SE sqrt(N) sqrt(2 (N r + 1) / (N^2 r) ln(sqrt(N r + 1) / alpha)), r tuned to be tightest at ``n_star``.

    Args:
        n: Units so far, both arms together.
        n_star: Units at which the interval is tightest.
        alpha: Two-sided error over all time.

    >>> round(confidence_sequence_z(125000, n_star=125000) / 125000**0.5, 10)
    0.0085848674
    """
    if n < 1:
        raise SequentialError(f"a confidence sequence needs a unit, found {n}")
    r = _tuning(n_star, alpha)
    a = n * r + 1
    return math.sqrt(n) * math.sqrt(2 * a / (n**2 * r) * math.log(math.sqrt(a) / alpha))


def always_valid_p(z: float, n: int, *, n_star: float, alpha: float = 0.05) -> float:
    """P-value that may be read at any time: min(1, sqrt(N r + 1) exp(-z^2/2 N r / (N r + 1)))."""
    a = n * _tuning(n_star, alpha)
    return min(1.0, math.sqrt(a + 1) * math.exp(-(z**2) / 2 * a / (a + 1)))
