"""A sensitivity learnt from what past tests and versions did: errors in both changes, slopes that differ from test to test."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gazette.errors import GazetteError
from gazette.record import NotPublished
from gazette.stats import z_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    Vector = NDArray[np.float64]

__all__ = ["FEWEST", "Learnt", "Past", "PastError", "learn"]

FEWEST = 5
LEVEL = 0.8
SPREADS = 121
FLOOR = 0.8  # of the residuals' width
CALIPER = 1.0  # standard errors
JUST = 5
STEPS = 2  # of the weights: from errors alone, then with the spread between tests


class PastError(GazetteError, ValueError):
    """Past changes that cannot be: not finite, or a standard error that is not positive."""


@dataclass(frozen=True)
class Past:
    """What one past test or version did.

    Attributes:
        id: Of the test or version.
        technical, technical_error: Change of the technical metric and its standard error.
        business, business_error: Change of the business metric and its standard error.
    """

    id: str
    technical: float
    technical_error: float
    business: float
    business_error: float


@dataclass(frozen=True)
class Learnt:
    """A learnt slope.

    Attributes:
        slope, low, high: Estimate of the average slope and its 80 % interval.
        sd: Standard deviation of a normal whose 80 % range is as wide as that interval.
        spread: Standard deviation of slopes between tests, the root of its posterior mean square.
        next_sd: Standard deviation of the slope of the next test: what a translation needs.
        n: Past changes it rests on.
        observed: Smallest and largest technical change among them.
    """

    slope: float
    low: float
    high: float
    sd: float
    spread: float
    next_sd: float
    n: int
    observed: tuple[float, float]


def learn(past: Sequence[Past]) -> Learnt | NotPublished:
    """Slope of business on technical change, through nought, with errors in both changes.

    True changes ``t_i`` are seen as ``x_i`` with error ``s_i``; each test has its own slope ``b_i`` of mean ``b`` and spread
    ``d``, and gives ``y_i = b_i t_i`` with error ``r_i`` (random-effects meta-regression: van Houwelingen, Arends and Stijnen
    2002). At the true ``b`` every term of the corrected score (Carroll et al. 2006, chapter 7)

        g_i(b) = (a_i + c_i x_i) (y_i - b x_i) + b c_i s_i^2

    has mean nought, whatever the true changes are; ``a_i`` and ``c_i``, which only say how much a term counts, are those of the
    best line if the true changes are normal. The interval holds every ``b`` at which the mean of the terms is within Student's
    t of nought by their own variance (Fieller 1954). So neither the spread nor the distribution of the true changes, of
    which a few tests say little, has to be known.

    Args:
        past: At least five.

    Returns:
        The slope; or why there is none: too few, or changes so small against their errors that no range would end.

    Raises:
        PastError: A value is not finite, or a standard error is not positive.
    """
    import numpy as np  # noqa: PLC0415  slow to import

    if len(past) < FEWEST:
        return NotPublished(reason=f"{len(past)} past changes; a slope needs {FEWEST}")
    x, s, y, r = (
        np.array([getattr(p, k) for p in past], dtype=float)
        for k in ("technical", "technical_error", "business", "business_error")
    )
    bad = ~np.isfinite(x + s + y + r) | (s <= 0) | (r <= 0)
    if bad.any():
        raise PastError(
            f"past change {past[int(np.argmax(bad))].id!r} has a value that is not finite, or a standard error that is not positive",
            mend="correct it in the table of past effects",
        )
    if _kept_for_significance(abs(x) / s):
        return NotPublished(
            reason=f"of these {len(past)} technical changes many are just significant and none just not: tests seem to be kept for it, and a slope would be too low; record the others as well"
        )
    top, bottom, expected, doubt = _terms(x, s, y, r)
    ends = _fieller(top, bottom)
    if ends is None:
        return NotPublished(
            reason=f"the technical changes of these {len(past)} are too small against their errors, so that no range would end"
        )
    low, high = ends
    sd, slope = (high - low) / 2 / z_of(LEVEL), float(top.sum() / bottom.sum())
    spread = _spread(y - slope * expected, r**2 + slope**2 * doubt, expected**2 + doubt)
    return Learnt(
        slope=slope,
        low=low,
        high=high,
        sd=sd,
        spread=spread,
        next_sd=math.hypot(sd, spread),
        n=len(past),
        observed=(float(x.min()), float(x.max())),
    )


def _kept_for_significance(z: Vector) -> bool:
    """Whether changes lie just above the limit of significance and none lies below it (a caliper test: Gerber & Malhotra 2008).

    Where nothing was selected, five above and none below is a chance of one in 32 at most.
    """
    limit = z_of(0.95)
    return not (z < limit).any() and int((z < limit + CALIPER).sum()) >= JUST


def _terms(x: Vector, s: Vector, y: Vector, r: Vector) -> tuple[Vector, Vector, Vector, Vector]:
    """Terms of the score, ``g_i(b) = top_i - b bottom_i``, and means and variances of the true changes given x; each of shape (n,).

    How much a term counts may depend on x through ``a + c x`` only, or the terms would lean to one side.
    """
    import numpy as np  # noqa: PLC0415  slow to import

    mean = float(np.mean(x))
    width = max(float(np.var(x, ddof=1) - np.mean(s**2)), 0.0)  # variance of the true changes
    gain = width / (width + s**2)
    expected, doubt = mean + gain * (x - mean), gain * s**2
    square = mean**2 + width
    variance = r**2
    top = bottom = np.zeros_like(x)
    for _ in range(STEPS):
        top, bottom = expected * y / variance, (expected * x - gain * s**2) / variance
        strength = float(np.sum(expected**2 / variance))
        if strength <= 0:
            break
        rough = float(np.sum(top)) / strength
        noise = r**2 + rough**2 * doubt
        excess = float(np.sum(((y - rough * expected) ** 2 - noise) / noise) / np.sum(square / noise))
        variance = noise + max(excess, 0.0) * square
    return top, bottom, expected, doubt


def _spread(rest: Vector, noise: Vector, square: Vector) -> float:
    """Root of the posterior mean square of the spread, given residuals of variance ``noise + d^2 square``.

    The prior is half-normal, as wide as what errors leave unexplained (DerSimonian and Laird 1986), but no narrower than four
    fifths of the residuals: with few tests an estimate by moments is nought too often, and the next test would seem sure.
    """
    import numpy as np  # noqa: PLC0415  slow to import

    scale = max(float(np.sqrt(np.mean(rest**2) / np.mean(square))), 1e-12)
    excess = float(np.sum((rest**2 - noise) / noise) / np.sum(square / noise))
    prior = max(excess, (FLOOR * scale) ** 2)
    squares = np.linspace(0, 4 * math.sqrt(prior), SPREADS) ** 2
    variance = noise[:, None] + squares * square[:, None]
    log = -0.5 * (np.log(variance) + rest[:, None] ** 2 / variance).sum(axis=0) - squares / (2 * prior)
    mass = np.exp(log - log.max())
    return float(np.sqrt(np.sum(mass * squares) / np.sum(mass)))


def _fieller(top: Vector, bottom: Vector) -> tuple[float, float] | None:
    """Every slope at which the mean of ``top - b bottom`` is within t of nought; None where they have no end."""
    import numpy as np  # noqa: PLC0415  slow to import
    from scipy.special import stdtrit  # noqa: PLC0415

    n = len(top)
    wide = float(stdtrit(n - 1, 0.5 + LEVEL / 2)) ** 2 * n / (n - 1)
    over, under = top - top.mean(), bottom - bottom.mean()
    square = float(bottom.sum() ** 2 - wide * np.sum(under**2))
    middle = float(top.sum() * bottom.sum() - wide * np.sum(over * under))
    rest = float(top.sum() ** 2 - wide * np.sum(over**2))
    if square <= 0:
        return None
    root = math.sqrt(max(middle**2 - square * rest, 0.0))
    return (middle - root) / square, (middle + root) / square
