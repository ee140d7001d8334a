"""A sensitivity learnt from what past tests and versions did: errors in both changes, random effects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gazette.errors import GazetteError
from gazette.record import NotPublished

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    Vector = NDArray[np.float64]

__all__ = ["FEWEST", "Learnt", "Past", "PastError", "learn"]

FEWEST = 5
GRID = 241
SPREADS = 61
FLOOR = 0.8  # of the residuals' width


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
        slope, low, high: Posterior mean of the average slope and its 80 % interval.
        sd: Its posterior standard deviation.
        spread: Posterior mean of the standard deviation of slopes between tests.
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
    """Slope of business on technical change, through nought, by a structural errors-in-variables model.

    True changes ``t_i ~ N(m, w^2)`` are seen with error ``x_i ~ N(t_i, s_i^2)``; each test has its own slope
    ``b_i ~ N(b, d^2)`` and gives ``y_i ~ N(b_i t_i, r_i^2)`` (random-effects meta-regression: van Houwelingen, Arends and
    Stijnen 2002; errors in both: Carroll et al. 2006, chapter 8). ``m`` and ``w`` are taken at their maximum likelihood
    from x alone; ``t_i`` given ``x_i`` is integrated out, by its mean and variance; ``b`` (flat prior) and ``d``
    (half-normal prior, as wide as what errors leave unexplained, at least four fifths of the residuals' width) are integrated on a grid.

    Args:
        past: At least five.

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
    mean, width = _true_changes(x, s)
    gain = width**2 / (width**2 + s**2) if width > 0 else np.zeros_like(s)
    expected = mean + gain * (x - mean)
    variance = gain * s**2
    if not np.any(np.abs(expected) > 0):
        return NotPublished(reason="the past technical changes are all nought")
    weight = expected**2 / (r**2)
    centre = float(np.sum(expected * y / r**2) / np.sum(weight))
    ratios = (y - centre * expected) / np.sqrt(np.mean(expected**2))
    scale = max(float(np.std(ratios)), 1e-12 + abs(centre) * 1e-6)
    usual = _excess(y - centre * expected, expected, r**2 + centre**2 * variance, scale)
    reach = 8 * float(np.sqrt(1 / np.sum(weight))) + 4 * scale
    slopes = centre + np.linspace(-reach, reach, GRID)
    spreads = np.linspace(0, 3 * scale, SPREADS)
    for _ in range(2):  # the second time where the mass lies
        log = _likelihood(slopes, spreads, (expected, variance, y, r)) - spreads[None, :] ** 2 / (2 * usual**2)
        mass = np.exp(log - log.max())
        mass /= mass.sum()
        over = mass.sum(axis=1)
        middle = float(np.sum(over * slopes))
        sd = float(np.sqrt(np.sum(over * (slopes - middle) ** 2)))
        step = slopes[1] - slopes[0]
        if sd > 4 * step:
            break
        slopes = middle + np.linspace(-8 * max(sd, step), 8 * max(sd, step), GRID)
    reached = np.cumsum(over)
    low, high = (float(np.interp(q, reached - over / 2, slopes)) for q in (0.1, 0.9))
    spread = float(np.sum(mass.sum(axis=0) * spreads))
    square = float(np.sum(mass.sum(axis=0) * spreads**2))
    return Learnt(
        middle, low, high, sd, spread, float(np.sqrt(sd**2 + square)), len(past), (float(x.min()), float(x.max()))
    )


def _excess(rest: Vector, expected: Vector, noise: Vector, scale: float) -> float:
    """Width of the prior of the spread: what errors do not explain of the residuals (DerSimonian and Laird), floored."""
    import numpy as np  # noqa: PLC0415  slow to import

    weight = 1 / noise
    excess = float(np.sum(weight * (rest**2 - noise)) / np.sum(weight * expected**2))
    return float(np.sqrt(max(excess, (FLOOR * scale) ** 2)))


def _true_changes(x: Vector, s: Vector) -> tuple[float, float]:
    """Mean and width of the true technical changes, at the maximum likelihood of what was seen."""
    import numpy as np  # noqa: PLC0415  slow to import

    best = (-np.inf, 0.0, 0.0)
    for width in np.linspace(0, 2 * float(np.std(x)) + 1e-15, 201):
        total = width**2 + s**2
        mean = float(np.sum(x / total) / np.sum(1 / total))
        likelihood = float(-0.5 * np.sum(np.log(total) + (x - mean) ** 2 / total))
        best = max(best, (likelihood, mean, float(width)))
    return best[1], best[2]


def _likelihood(slopes: Vector, spreads: Vector, seen: tuple[Vector, Vector, Vector, Vector]) -> Vector:
    """Log likelihood on the grid, shape (slopes, spreads)."""
    import numpy as np  # noqa: PLC0415  slow to import

    expected, variance, y, r = seen
    total = np.zeros((len(slopes), len(spreads)))
    squares = spreads**2
    for i in range(len(y)):
        spread = squares[None, :] * (expected[i] ** 2 + variance[i]) + slopes[:, None] ** 2 * variance[i] + r[i] ** 2
        total += -0.5 * (np.log(spread) + (y[i] - slopes[:, None] * expected[i]) ** 2 / spread)
    return total
