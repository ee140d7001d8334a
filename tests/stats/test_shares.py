"""Two shares: against statsmodels and ratesci (R), and by adding up the chances of every outcome."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as scipy_stats
from statsmodels.stats.proportion import score_test_proportions_2indep

from gazette import stats
from gazette.recompute._shares import share_changes
from gazette.record import NotPublished
from gazette.stats import Estimate, Moments

Pair = tuple[int, int]


def value(found: Estimate | NotPublished) -> Estimate:
    assert isinstance(found, Estimate)
    return found


def excludes(found: Estimate | NotPublished) -> bool:
    return isinstance(found, Estimate) and (found.low > 0 or found.high < 0)


@pytest.mark.parametrize("sizes", [(40, 40), (60, 25), (25, 60), (90, 10)])
def test_p_value_and_both_ranges_never_contradict_each_other(sizes: Pair) -> None:
    n, m = sizes
    for x in range(0, n + 1, 5):
        for y in range(m + 1):
            gap = stats.difference_of_proportions((x, n), (y, m))
            relative = stats.relative_of_proportions((x, n), (y, m))
            if isinstance(gap, NotPublished):
                assert x + y in {0, n + m}
                continue
            assert gap.p_value is not None
            assert (gap.p_value < 0.05) == excludes(gap), (x, y)
            assert -1 <= gap.low <= gap.value <= gap.high <= 1
            if isinstance(relative, Estimate):
                assert relative.p_value == pytest.approx(gap.p_value)
                assert excludes(relative) == excludes(gap), (x, y)
                assert -1 <= relative.low <= relative.value <= relative.high


@pytest.mark.parametrize(("x", "y", "n"), [(0, 3, 10), (100, 130, 10_000), (1463, 1569, 62_500), (3, 0, 40)])
def test_equal_arms_have_the_p_value_of_statsmodels_score_test(x: int, y: int, n: int) -> None:
    found = value(stats.difference_of_proportions((x, n), (y, n)))
    oracle = score_test_proportions_2indep(y, n, x, n, compare="diff", correction=True)
    assert found.p_value == pytest.approx(oracle.pvalue, rel=1e-9)
    assert found.z == pytest.approx(oracle.statistic, rel=1e-9)


def outcomes(n: int, m: int, p: float, q: float) -> list[tuple[int, int, float]]:
    """Counts of both arms with their chance, but for one in a million."""
    x, y = (scipy_stats.binom(size, rate) for size, rate in ((n, p), (m, q)))
    return [
        (a, b, float(x.pmf(a) * y.pmf(b)))
        for a in range(int(x.ppf(1e-6)), int(x.isf(1e-6)) + 1)
        for b in range(int(y.ppf(1e-6)), int(y.isf(1e-6)) + 1)
    ]


# Oracle: ratesci 1.1.0.9000 in R, scoreci(x1 = treatment, x2 = control, contrast = "RD" and "RR", RRtang = FALSE, precis = 9); Inf is None.
RATESCI: list[tuple[Pair, Pair, float, float, float, float, float | None]] = [
    ((9, 900), (0, 100), -0.018240665, 0.018166450, 0.314562314821, 0.0, 3.149271352),
    ((0, 10), (3, 10), -0.030586453, 0.619487269, 0.0670850494191, 0.846356111, None),
    ((100, 10000), (130, 10000), 0.000044910, 0.005989933, 0.0466388698705, 1.003904935, 1.687189767),
    ((1463, 62500), (1569, 62500), -0.000009703, 0.003403124, 0.0513170011551, 0.999600111, 1.150669657),
    ((0, 29), (5, 56), -0.018617501, 0.186717945, 0.0819972920473, 0.769613248, None),
    ((4, 15), (8, 15), -0.091893168, 0.576921062, 0.142741967501, 0.794019909, 6.224136345),
    ((9, 900), (3, 100), -0.004112398, 0.069188320, 0.118533774780, 0.693747531, 10.125841273),
    ((18, 900), (2, 100), -0.021284336, 0.044470403, 0.924033110827, 0.169480073, 3.564332777),
    ((70, 100), (66, 80), -0.001138507, 0.246337662, 0.0520434476077, 0.998490778, 1.397696537),
    ((1, 30), (4, 60), -0.094786076, 0.131582825, 0.536669500511, 0.290383106, 39.912849626),
]


@pytest.mark.parametrize(("control", "treatment", "low", "high", "p", "least", "most"), RATESCI)
def test_both_computations_agree_with_ratesci(
    control: Pair, treatment: Pair, low: float, high: float, p: float, least: float, most: float | None
) -> None:
    gap = value(stats.difference_of_proportions(control, treatment))
    assert (gap.low, gap.high) == pytest.approx((low, high), abs=2e-9)
    assert gap.p_value == pytest.approx(p, rel=1e-9)
    relative = stats.relative_of_proportions(control, treatment)
    second, again = share_changes((*control, *treatment), scipy_stats.norm.ppf(0.975))
    assert (second.low, second.high) == pytest.approx((low, high), abs=2e-9)
    if most is None:
        assert isinstance(relative, NotPublished)
        assert "at most" in relative.reason
        assert again is None
    else:
        assert isinstance(relative, Estimate)
        assert (relative.low, relative.high) == pytest.approx((least - 1, most - 1), rel=1e-7, abs=1e-7)
        assert again is not None
        assert (again.low, again.high) == pytest.approx((least - 1, most - 1), rel=1e-7, abs=1e-7)


@settings(max_examples=12)
@given(st.integers(0, 60), st.integers(2, 400), st.integers(0, 60), st.integers(2, 400), st.floats(1.0, 6.0))
def test_the_second_computation_agrees_on_any_counts(x: int, n: int, y: int, m: int, critical: float) -> None:
    x, y = min(x, n), min(y, m)
    gap = stats.difference_of_proportions((x, n), (y, m), critical=critical)
    relative = stats.relative_of_proportions((x, n), (y, m), critical=critical)
    second, again = share_changes((x, n, y, m), critical)
    if isinstance(gap, Estimate):
        assert (second.value, second.low, second.high) == pytest.approx((gap.value, gap.low, gap.high), abs=1e-9)
    if isinstance(relative, Estimate):
        assert again is not None
        assert (again.value, again.low, again.high) == pytest.approx((relative.value, relative.low, relative.high), rel=1e-6, abs=1e-9)  # fmt: skip


# ---- how often it errs, by adding up the chances of every outcome


@pytest.mark.parametrize("expected", [1, 2, 5, 10])
def test_unequal_arms_without_an_effect_err_as_often_as_is_said(expected: int) -> None:
    """Nine of ten users in the control, so many of the treatment expected to do it: by Wald's range 36, 13.9, 8.7 and 6.7 % would."""
    n, m, p = 900, 100, expected / 100
    wrong = by_wald = 0.0
    for x, y, chance in outcomes(n, m, p, p):
        gap = stats.difference_of_proportions((x, n), (y, m))
        wrong += chance * (isinstance(gap, Estimate) and (gap.p_value or 0) < 0.05)
        error = math.sqrt(sum(k * (of - k) / of**3 for k, of in ((x, n), (y, m))))
        by_wald += chance * (error > 0 and abs(y / m - x / n) > 1.959964 * error)
    assert wrong < 0.055
    assert by_wald > 0.065, "which the sums would show"


@pytest.mark.parametrize(("n", "m", "expected"), [(9_900, 100, 3), (99_000, 1_000, 5), (9_990, 10, 3)])
def test_very_unequal_arms_are_withheld_where_the_test_would_err_too_often(n: int, m: int, expected: int) -> None:
    wrong = kept = 0.0
    for x, y, chance in outcomes(n, m, expected / m, expected / m):
        gap = stats.difference_of_proportions((x, n), (y, m))
        if isinstance(gap, NotPublished):
            assert "can expect 10" in gap.reason
            assert stats.relative_of_proportions((x, n), (y, m)) == gap
        else:
            kept += chance
            wrong += chance * ((gap.p_value or 0) < 0.05)
    assert wrong < 0.055
    assert kept < 0.01


@pytest.mark.parametrize(("events", "change"), [(10, 0.0), (5, 0.0), (5, 1.0), (2, 0.0), (20, 0.3)])
def test_the_relative_range_holds_the_truth_with_few_events(events: int, change: float) -> None:
    """Where the control expects so many of 1,000; where nobody of it did it, there is none."""
    n, p = 1_000, events / 1_000
    held = there = 0.0
    for x, y, chance in outcomes(n, n, p, p * (1 + change)):
        found = stats.relative_of_proportions((x, n), (y, n))
        if isinstance(found, Estimate):
            there += chance
            held += chance * (found.low <= change <= found.high)
    assert held / there > 0.945


@pytest.mark.parametrize(
    ("control", "treatment", "p"),
    [((9, 900), (0, 100), 0.315), ((0, 10), (3, 10), 0.067), ((100, 10_000), (130, 10_000), 0.047)],
)
def test_pairs_that_once_contradicted_themselves(control: Pair, treatment: Pair, p: float) -> None:
    sides = [Moments(n, x / n, x / n * (1 - x / n) * n / (n - 1)) for x, n in (control, treatment)]
    for method in ("fixed", "group-sequential", "confidence-sequence"):
        design = stats.Design(method=method, alpha=0.05, units=sides[0].n + sides[1].n, planned=sides[0].n * 2)  # type: ignore[arg-type]
        found = stats.compare(sides[0], sides[1], design, proportion=True)
        gap = value(found.difference)
        assert gap.p_value == pytest.approx(p, abs=1e-3)
        assert abs(gap.z or 0) > design.critical() or not found.excludes_zero
        if isinstance(found.relative, Estimate):
            assert excludes(found.relative) == found.excludes_zero


@given(st.integers(1, 300), st.integers(1, 300), st.integers(0, 300), st.integers(0, 300))
def test_swapping_the_arms_turns_both_around(n: int, m: int, x: int, y: int) -> None:
    x, y = min(x, n), min(y, m)
    there, back = (stats.difference_of_proportions(*pair) for pair in (((x, n), (y, m)), ((y, m), (x, n))))
    assert isinstance(there, NotPublished) == isinstance(back, NotPublished)
    if isinstance(there, Estimate) and isinstance(back, Estimate):
        assert (there.value, there.low, there.high) == pytest.approx((-back.value, -back.high, -back.low), abs=1e-9)
    more, less = (stats.relative_of_proportions(*pair) for pair in (((x, n), (y, m)), ((y, m), (x, n))))
    if isinstance(more, Estimate) and isinstance(less, Estimate) and less.low > -1:
        assert (1 + more.low) * (1 + less.high) == pytest.approx(1, rel=1e-6)


def test_rare_events_of_many_millions_keep_their_digits() -> None:
    """Where almost nobody does it, counts are Poisson: the ratio of two rates by the same method has nearly the same ends."""
    few, many = (value(stats.relative_of_proportions((60, n), (90, n))) for n in (5 * 10**5, 5 * 10**7))
    assert (few.low, few.high) == pytest.approx((many.low, many.high), rel=1e-3)
    gap = value(stats.difference_of_proportions((60, 5 * 10**7), (90, 5 * 10**7)))
    second, _ = share_changes((60, 5 * 10**7, 90, 5 * 10**7), scipy_stats.norm.ppf(0.975))
    assert (second.low, second.high) == pytest.approx((gap.low, gap.high), rel=1e-6)


def test_more_successes_than_units_are_refused() -> None:
    with pytest.raises(ValueError, match="successes"):
        stats.difference_of_proportions((11, 10), (3, 10))
    assert np.isfinite(value(stats.difference_of_proportions((0, 10), (10, 10))).low)
