"""How predictions of effects fared: coverage, bias, and how much of what was promised came true."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scipy.special import stdtrit

from gazette.record import NotPublished
from gazette.stats._estimates import Estimate, mean, proportion, z_of
from gazette.stats._moments import Moments

__all__ = ["Prediction", "Scores", "score"]

MEANT_LEAST = 2


@dataclass(frozen=True)
class Prediction:
    """A promised and a realised effect, relative, read in the good direction (above zero is better).

    Attributes:
        promised, realised: The effects.
        promised_error, realised_error: Their standard errors.
        nested: Whether the later figure holds the earlier data too, as a later look at the same test does.
    """

    promised: float
    promised_error: float
    realised: float
    realised_error: float
    nested: bool = False

    @property
    def gap_error(self) -> float:
        """Standard error of promised less realised.

        Independent figures add their variances. For looks at growing data the later estimate is uncorrelated with its
        distance from the earlier one, so the variance is the difference (independent increments; Jennison & Turnbull 2000, ch. 3).
        """
        first, second = self.promised_error**2, self.realised_error**2
        return math.sqrt(max(0.0, first - second) if self.nested else first + second)

    def covered(self, level: float) -> bool:
        """Whether both agree within what chance explains at this level."""
        return abs(self.promised - self.realised) <= z_of(level) * self.gap_error


@dataclass(frozen=True)
class Scores:
    """A series of predictions, scored.

    Attributes:
        n: Predictions.
        coverage: Share of predictions that agree with what came, to be read against ``level``.
        bias: Mean of promised less realised; above zero where too much was promised.
        factor: Realised over promised: 1 where promises come true, below it for a winner's curse.
        level: Of the agreement and of the intervals.
    """

    n: int
    coverage: Estimate | NotPublished
    bias: Estimate | NotPublished
    factor: Estimate | NotPublished
    level: float


def score(predictions: Sequence[Prediction], *, level: float = 0.95) -> Scores:
    """Score a series; coverage by Wilson, bias by Student's t, the factor by Fieller (1954) on pairs."""
    n = len(predictions)
    gaps = [p.promised - p.realised for p in predictions]
    few = NotPublished(reason="fewer than two predictions have an outcome")
    bias = mean(Moments(n, *_mean_variance(gaps)), level=level) if n >= MEANT_LEAST else few
    return Scores(
        n,
        proportion(sum(p.covered(level) for p in predictions), n, level=level),
        bias,
        _factor(predictions, level),
        level,
    )


def _mean_variance(values: Sequence[float]) -> tuple[float, float]:
    middle = math.fsum(values) / len(values)
    return middle, math.fsum((v - middle) ** 2 for v in values) / (len(values) - 1)


def _factor(predictions: Sequence[Prediction], level: float) -> Estimate | NotPublished:
    """Ratio of means with Fieller's interval: every ratio r that a t test of realised - r promised does not refuse."""
    n = len(predictions)
    if n < MEANT_LEAST:
        return NotPublished(reason="fewer than two predictions have an outcome")
    x, y = [p.promised for p in predictions], [p.realised for p in predictions]
    (a, var_a), (b, var_b) = _mean_variance(x), _mean_variance(y)
    both = math.fsum((i - a) * (j - b) for i, j in zip(x, y, strict=True)) / (n - 1)
    t2 = float(stdtrit(n - 1, 0.5 + level / 2)) ** 2 / n
    square, cross, rest = a**2 - t2 * var_a, a * b - t2 * both, b**2 - t2 * var_b
    root = cross**2 - square * rest
    if a <= 0 or square <= 0 or root < 0:
        return NotPublished(reason="what was promised is too close to zero, or too uneven, for a ratio")
    half = math.sqrt(root)
    low, high, ratio = (cross - half) / square, (cross + half) / square, b / a
    return Estimate(ratio, low, high, level, (high - low) / (2 * z_of(level)), None, n, "Fieller")
