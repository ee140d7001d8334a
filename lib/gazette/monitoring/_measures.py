"""Quality measures of models with their ranges, from a value and how the influences of rows on it are spread."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from scipy.special import stdtrit

from gazette import stats
from gazette.monitoring._ranged import Bare, Ranged, Spread, ranged
from gazette.record import NotPublished
from gazette.stats import Estimate

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["calibration_error", "calibration_noise", "difference", "independent_difference", "level", "share"]

AREAS = {"auc": "DeLong", "pr-auc": "influence function"}
SIZES = frozenset({"log-loss", "mae", "rmse"})  # above zero and skewed: their range is taken on the log scale
MIN_ROWS = 2  # a variance needs two
FEWEST = 10  # rows of each class, or degrees of freedom, from which ranges cover what they say (bench/measures.py)
NOTHING = 0.5  # of an area under the ROC curve
CONSTANT = "exact: every row has the same score, which separates nothing"


def level(measure: str, value: float | None, spread: Spread, *, level: float = 0.95) -> Estimate | Bare | NotPublished:
    """A measure of one group of rows.

    Student's t with the degrees that the influences' kurtosis leaves (`Spread.freedom`), on the log-odds scale for areas between 0 and
    1 (DeLong 1988 gives AUC's variance), on the log scale for losses, on the measure's own for all others.

    Args:
        measure: Its id.
        value: In the measure's unit, None or NaN where it is not defined.
        spread: Of the influences of rows.
        level: Confidence level.
    """
    n, variance = spread.n, spread.variance
    if n == 0:
        return NotPublished(reason="no rows with a known outcome")
    if value is None or math.isnan(value):
        return NotPublished(reason="one class only, so it is not defined" if measure in AREAS else "not defined here")
    if n < MIN_ROWS or variance is None or math.isnan(variance):
        return NotPublished(reason="too few rows for a range")
    if measure in AREAS:
        error = spread.error
        if error == 0 and value == NOTHING:
            return Estimate(value, value, value, level, 0.0, None, n, CONSTANT)
        if not 0 < value < 1 or error == 0:
            way = ", the wrong way round" if value < NOTHING else " perfectly"
            return NotPublished(reason=f"scores separate the classes{way}, so no range can be computed")
    if (few := _too_few(spread)) is not None:
        return Bare(value, n, few)
    return _by_t(measure, value, spread, level)


def _by_t(measure: str, value: float, spread: Spread, level: float) -> Ranged:
    """A range on the measure's scale."""
    how, error = f"{AREAS[measure]}, " if measure in AREAS else "", spread.error

    def ends(alpha: float) -> tuple[float, float]:
        half = -float(stdtrit(spread.freedom, alpha / 2)) * error
        if measure in AREAS:
            odds, factor = value / (1 - value), math.exp(min(half / (value * (1 - value)), MOST))
            return odds / factor / (1 + odds / factor), 1 - 1 / (1 + odds * factor)
        if measure in SIZES and value > 0:
            factor = math.exp(min(half / value, MOST))
            return value / factor, value * factor
        return value - half, value + half

    scale = "log-odds scale, " if measure in AREAS else "log scale, " if measure in SIZES else ""
    return ranged(value, error, spread.n, f"{how}{scale}Student t with effective degrees", ends, level=level)


MOST = 300.0  # of an exponent: beyond it an end of a range says nothing


def _too_few(spread: Spread) -> str | None:
    """What is missing for a range that covers what it says, or None."""
    if spread.classes is not None:
        who, (ones, noughts) = spread.who, spread.classes
        if min(ones, noughts) >= FEWEST:
            return None
        which, found = ("positive", ones) if ones <= noughts else ("negative", noughts)
        return f"{found} {which} {who}, and a range needs {FEWEST} of either class"
    if spread.freedom >= FEWEST or spread.variance == 0:
        return None
    return f"too few {spread.who}, or too few of them that make the difference, for a range"


def share(
    hits: int, of: int, what: str, *, clustered: Spread | None = None, level: float = 0.95
) -> Estimate | Bare | NotPublished:
    """Precision or recall: a share of counts, Wilson's interval.

    Where users repeat, the rows count as the fewer independent ones that would vary as much (Kish's design effect, as in the
    modified Wilson interval of Dean & Pagano 2015), with Student's t.

    Args:
        hits: Rows that are both flagged and positive.
        of: Flagged rows for precision, positive ones for recall.
        what: What there would be none of, for the reason.
        clustered: Spread of the users' influences on the share, where rows repeat users.
        level: Confidence level.
    """
    if not of:
        return NotPublished(reason=f"no row is {what}")
    found = stats.proportion(hits, of, level=level)
    if isinstance(found, NotPublished):
        return found
    p = found.value
    if clustered is None:

        def plain(alpha: float) -> tuple[float, float]:
            again = stats.proportion(hits, of, level=1 - alpha)
            assert isinstance(again, Estimate)  # noqa: S101  there are rows
            return again.low, again.high

        return ranged(p, found.standard_error, of, found.method, plain, level=level)
    if (few := _too_few(clustered)) is not None:
        return Bare(p, of, few)
    if not clustered.variance:
        return Bare(p, of, "no user differs from another")
    worth = min(float(of), p * (1 - p) / clustered.error**2)

    def wider(alpha: float) -> tuple[float, float]:
        z2 = float(stdtrit(clustered.freedom, alpha / 2)) ** 2
        centre = (p + z2 / (2 * worth)) / (1 + z2 / worth)
        half = math.sqrt(z2 * (p * (1 - p) + z2 / (4 * worth)) / worth) / (1 + z2 / worth)
        return max(0.0, centre - half), min(1.0, centre + half)

    return ranged(p, math.sqrt(p * (1 - p) / worth), of, "Wilson, users as units", wider, level=level)


def difference(value: float | None, spread: Spread, *, level: float = 0.95) -> Estimate | NotPublished:
    """Difference of a measure between two versions on the same rows, from the spread of the differences of influences."""
    n, variance = spread.n, spread.variance
    if n == 0:
        return NotPublished(reason="no rows that both versions scored")
    if value is None or math.isnan(value):
        return NotPublished(reason="not defined on the rows that both versions scored")
    if n < MIN_ROWS or variance is None or math.isnan(variance):
        return NotPublished(reason="too few rows that both versions scored")
    if variance == 0:
        return NotPublished(reason="both versions treat every row alike")
    if (few := _too_few(spread)) is not None:
        return NotPublished(reason=f"{few} (of rows that both versions scored)")

    def ends(alpha: float) -> tuple[float, float]:
        half = -float(stdtrit(spread.freedom, alpha / 2)) * spread.error
        return value - half, value + half

    method = "paired, influence functions, Student t with effective degrees"
    return ranged(value, spread.error, n, method, ends, level=level)


def independent_difference(
    after: Estimate | Bare | NotPublished, before: Estimate | Bare | NotPublished, *, level: float = 0.95
) -> Estimate | NotPublished:
    """Difference of two estimates from different rows, its range from theirs.

    Newcombe's hybrid (1998, method 10) for any two ranges, called MOVER by Zou & Donner (2008): the lower end lies below the difference by
    the root of the squares of what the first's lower and the second's upper end are away from their values, the upper one likewise. So
    a change is shown where the two ranges are apart, and no more than they allow.
    """
    if isinstance(after, NotPublished):
        return after
    if isinstance(after, Bare):
        return NotPublished(reason=f"too little to compare: {after.reason}")
    if not isinstance(before, Estimate):
        return NotPublished(reason=f"nothing to compare with: {before.reason}")
    error = math.hypot(after.standard_error, before.standard_error)
    if error == 0:
        return NotPublished(reason="no variation in either sample")
    value = after.value - before.value

    def ends(alpha: float) -> tuple[float, float]:
        (low, high), (least, most) = (_ends_of(e, alpha) for e in (after, before))
        down = math.hypot(after.value - low, most - before.value)
        up = math.hypot(high - after.value, before.value - least)
        return value - down, value + up

    method = "Newcombe's hybrid, independent samples"
    return ranged(value, error, after.n + before.n, method, ends, level=level)


def _ends_of(estimate: Estimate, alpha: float) -> tuple[float, float]:
    """The range at another error: its own where it knows it, else normal."""
    if isinstance(estimate, Ranged):
        return estimate.ends(alpha)
    half = stats.z_of(1 - alpha) * estimate.standard_error
    return estimate.value - half, estimate.value + half


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
