"""AUC and calibration of a classifier without its rows."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from gazette.record import NotPublished
from gazette.stats import Estimate, z_of

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["auc", "auc_difference", "calibration_error"]

MIN_CLASS = 2  # a variance needs two


def auc(
    n_positive: int, n_negative: int, value: float, var_positive: float, var_negative: float, *, level: float = 0.95
) -> Estimate | NotPublished:
    """Area under the ROC curve with DeLong's error (DeLong et al. 1988), interval on the logit scale.

    Args:
        n_positive: Rows of the positive class.
        n_negative: Rows of the negative class.
        value: Mean placement value of the positives, which is the AUC.
        var_positive: Sample variance of the positives' placement values.
        var_negative: The same of the negatives.
        level: Confidence level.
    """
    if n_positive < MIN_CLASS or n_negative < MIN_CLASS:
        return NotPublished(reason="one class has fewer than two rows")
    error = math.sqrt(var_positive / n_positive + var_negative / n_negative)
    n = n_positive + n_negative
    if not 0 < value < 1 or error == 0:
        return NotPublished(reason="scores separate the classes perfectly, so no interval can be computed")
    centre, half = math.log(value / (1 - value)), z_of(level) * error / (value * (1 - value))
    low, high = (1 / (1 + math.exp(-(centre + side * half))) for side in (-1, 1))
    return Estimate(value, low, high, level, error, None, n, "DeLong, logit scale")


def auc_difference(
    n_positive: int, n_negative: int, value: float, var_positive: float, var_negative: float, *, level: float = 0.95
) -> Estimate | NotPublished:
    """Difference of two AUCs on the same rows: variances are of the differences of placement values per row."""
    if n_positive < MIN_CLASS or n_negative < MIN_CLASS:
        return NotPublished(reason="one class has fewer than two rows")
    error = math.sqrt(var_positive / n_positive + var_negative / n_negative)
    if error == 0:
        return NotPublished(reason="both versions rank every row alike")
    half = z_of(level) * error
    return Estimate(value, value - half, value + half, level, error, None, n_positive + n_negative, "DeLong, paired")


def calibration_error(bins: Sequence[tuple[int, float, int]]) -> float | NotPublished:
    """Mean gap between predicted and observed share over bins, weighted by rows (Naeini et al. 2015).

    Args:
        bins: Rows, mean score and positives of each bin.

    >>> round(calibration_error([(10, 0.2, 3), (10, 0.8, 8)]), 12)
    0.05
    """
    total = sum(n for n, _, _ in bins)
    if total == 0:
        return NotPublished(reason="no labelled rows")
    return math.fsum(abs(n * score - positives) for n, score, positives in bins) / total
