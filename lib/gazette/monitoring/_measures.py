"""Quality measures of models with their ranges, from a value and the variance of rows' influences on it."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from gazette import stats
from gazette.record import NotPublished
from gazette.stats import Estimate, z_of

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["calibration_error", "calibration_noise", "difference", "independent_difference", "level", "share"]

AREAS = {"auc": "DeLong, logit scale", "pr-auc": "influence function, logit scale"}
MIN_ROWS = 2  # a variance needs two
NOTHING = 0.5  # of an area under the ROC curve
CONSTANT = "exact: every row has the same score, which separates nothing"


def level(
    measure: str, value: float | None, variance: float | None, n: int, *, level: float = 0.95
) -> Estimate | NotPublished:
    """A measure of one group of rows.

    Args:
        measure: Its id; areas between 0 and 1 get their interval on the logit scale, all others Student's t.
        value: In the measure's unit, None or NaN where it is not defined.
        variance: Sample variance of the rows' influences, in the unit's square.
        n: Rows.
        level: Confidence level.
    """
    if n == 0:
        return NotPublished(reason="no rows with a known outcome")
    if value is None or math.isnan(value):
        return NotPublished(reason="one class only, so it is not defined" if measure in AREAS else "not defined here")
    if n < MIN_ROWS or variance is None or math.isnan(variance):
        return NotPublished(reason="too few rows for a range")
    if measure not in AREAS:
        return stats.mean(stats.Moments(n, value, variance), level=level)
    error = math.sqrt(variance / n)
    if error == 0 and value == NOTHING:
        return Estimate(value, value, value, level, 0.0, None, n, CONSTANT)
    if not 0 < value < 1 or error == 0:
        way = ", the wrong way round" if value < NOTHING else " perfectly"
        return NotPublished(reason=f"scores separate the classes{way}, so no range can be computed")
    centre, half = math.log(value / (1 - value)), z_of(level) * error / (value * (1 - value))
    low, high = (1 / (1 + math.exp(-(centre + side * half))) for side in (-1, 1))
    return Estimate(value, low, high, level, error, None, n, AREAS[measure])


def share(hits: int, of: int, what: str) -> Estimate | NotPublished:
    """Precision or recall: a share of counts, Wilson's interval.

    Args:
        hits: Rows that are both flagged and positive.
        of: Flagged rows for precision, positive ones for recall.
        what: What there would be none of, for the reason.
    """
    return stats.proportion(hits, of) if of else NotPublished(reason=f"no row is {what}")


def difference(value: float | None, variance: float | None, n: int, *, level: float = 0.95) -> Estimate | NotPublished:
    """Difference of a measure between two versions on the same rows, from the variance of the differences of influences."""
    if n == 0:
        return NotPublished(reason="no rows that both versions scored")
    if value is None or math.isnan(value):
        return NotPublished(reason="not defined on the rows that both versions scored")
    if n < MIN_ROWS or variance is None or math.isnan(variance):
        return NotPublished(reason="too few rows that both versions scored")
    if variance == 0:
        return NotPublished(reason="both versions treat every row alike")
    found = stats.mean(stats.Moments(n, value, variance), level=level)
    return found if isinstance(found, NotPublished) else replace(found, method="paired, influence functions")


def independent_difference(
    after: Estimate | NotPublished, before: Estimate | NotPublished, *, level: float = 0.95
) -> Estimate | NotPublished:
    """Difference of two estimates from different rows, normal interval."""
    if isinstance(after, NotPublished):
        return after
    if isinstance(before, NotPublished):
        return NotPublished(reason=f"nothing to compare with: {before.reason}")
    error = math.hypot(after.standard_error, before.standard_error)
    if error == 0:
        return NotPublished(reason="no variation in either sample")
    value, half = after.value - before.value, z_of(level) * error
    method = "normal, independent samples"
    return Estimate(value, value - half, value + half, level, error, None, after.n + before.n, method)


def calibration_error(bins: Sequence[tuple[int, float, int]]) -> float | NotPublished:
    """Mean gap between predicted and observed share over bins, weighted by rows (Naeini et al. 2015).

    Args:
        bins: Rows, mean score and positives of each bin.

    >>> round(calibration_error([(10, 0.2, 3), (10, 0.8, 8)]), 12)
    0.05
    """
    total = sum(n for n, _, _ in bins)
    if total == 0:
        return NotPublished(reason="no rows with a known outcome")
    return math.fsum(abs(n * score - positives) for n, score, positives in bins) / total


def calibration_noise(bins: Sequence[tuple[int, float, int]]) -> float:
    """What the calibration error of a perfectly calibrated model would be by chance: mean of a folded normal, bin by bin.

    >>> round(calibration_noise([(100, 0.5, 50)]), 4)
    0.0399
    """
    total = sum(n for n, _, _ in bins)
    spread = (math.sqrt(n * max(score * (1 - score), 0.0)) for n, score, _ in bins)
    return math.sqrt(2 / math.pi) * math.fsum(spread) / total if total else 0.0
