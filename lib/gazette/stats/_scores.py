"""How predictions of effects fared: coverage, bias, how sure they were, and how much of what was promised came true."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scipy.special import ndtr, stdtrit

from gazette.record import NotPublished
from gazette.stats._estimates import Estimate, mean, proportion, z_of
from gazette.stats._moments import Moments

__all__ = ["Prediction", "Scores", "score"]

MEANT_LEAST = 2
LEVELS = (0.5, 0.8, 0.9, 0.95)


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

    @property
    def better(self) -> float:
        """Probability, as promised, that the realised figure would lie above zero.

        Given what was promised, the later figure is normal about it with `gap_error` (a flat prior on the true effect), which takes
        in that the later figure is itself an estimate. Without any error it is 1, 0 or, for no effect, a half.
        """
        if self.gap_error > 0:
            return float(ndtr(self.promised / self.gap_error))
        return 0.5 if self.promised == 0 else float(self.promised > 0)

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
        curve: Coverage at each of ``LEVELS``, to be read against it.
        brier: Mean squared distance of `Prediction.better` from what came, 1 for above zero and else 0 (Brier 1950): 0 is perfect.
        reference: The same for always saying how often effects of these tests came out above zero.
        against: Brier score less reference, prediction by prediction; below zero where promises told more than that.
        level: Of the agreement and of the intervals.
    """

    n: int
    coverage: Estimate | NotPublished
    bias: Estimate | NotPublished
    factor: Estimate | NotPublished
    level: float
    curve: tuple[tuple[float, Estimate | NotPublished], ...]
    brier: Estimate | NotPublished
    reference: float | NotPublished
    against: Estimate | NotPublished


def score(predictions: Sequence[Prediction], *, level: float = 0.95) -> Scores:
    """Score a series; coverage by Wilson, bias and Brier score by Student's t, the factor by Fieller (1954) on pairs."""
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
        tuple((at, proportion(sum(p.covered(at) for p in predictions), n, level=level)) for at in LEVELS),
        *_brier(predictions, level),
    )


def _brier(
    predictions: Sequence[Prediction], level: float
) -> tuple[Estimate | NotPublished, float | NotPublished, Estimate | NotPublished]:
    """Brier score, that of the base rate, and the mean of their differences."""
    n = len(predictions)
    if n < MEANT_LEAST:
        few = NotPublished(reason="fewer than two predictions have an outcome")
        return few, few, few
    came = [float(p.realised > 0) for p in predictions]
    rate = math.fsum(came) / n
    mine = [(p.better - o) ** 2 for p, o in zip(predictions, came, strict=True)]
    score = mean(Moments(n, *_mean_variance(mine)), level=level)
    if rate in {0.0, 1.0}:
        alike = NotPublished(reason="all of them came out on the same side of zero")
        return score, alike, alike
    gaps = [m - (rate - o) ** 2 for m, o in zip(mine, came, strict=True)]
    return score, rate * (1 - rate), mean(Moments(n, *_mean_variance(gaps)), level=level)


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
