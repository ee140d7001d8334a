from __future__ import annotations

import math

import numpy as np
import pytest
import tea_tasting.aggr
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as scipy_stats
from statsmodels.stats.proportion import (
    confint_proportions_2indep,
    proportion_confint,
    proportions_ztest,
)
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

from gazette import stats
from gazette.record import NotPublished
from gazette.stats import Estimate, Moments

RNG = np.random.default_rng(7)
A, B = RNG.gamma(2, 3, 900), RNG.gamma(2, 3.3, 700)


def moments(values: np.ndarray) -> Moments:
    return Moments(len(values), float(values.mean()), float(values.var(ddof=1)))


def value(found: Estimate | NotPublished) -> Estimate:
    assert isinstance(found, Estimate)
    return found


def test_mean_agrees_with_scipy() -> None:
    found = value(stats.mean(moments(A), level=0.9))
    low, high = scipy_stats.t.interval(0.9, len(A) - 1, loc=A.mean(), scale=scipy_stats.sem(A))
    assert (found.low, found.high) == pytest.approx((low, high), rel=1e-12)


@pytest.mark.parametrize(("x", "n"), [(0, 50), (50, 50), (1463, 62500), (3, 7)])
def test_proportion_agrees_with_statsmodels(x: int, n: int) -> None:
    found = value(stats.proportion(x, n))
    assert (found.low, found.high) == pytest.approx(proportion_confint(x, n, method="wilson"), abs=1e-12)


def test_welch_agrees_with_scipy_and_statsmodels() -> None:
    found = value(stats.difference_of_means(moments(A), moments(B)))
    test = scipy_stats.ttest_ind(B, A, equal_var=False)
    assert found.p_value == pytest.approx(test.pvalue, rel=1e-10)
    low, high = CompareMeans(DescrStatsW(B), DescrStatsW(A)).tconfint_diff(usevar="unequal")
    assert (found.low, found.high) == pytest.approx((low, high), rel=1e-10)


def test_the_difference_of_large_arms_is_nearly_walds() -> None:
    found = value(stats.difference_of_proportions((1463, 62500), (1569, 62500)))
    _, p = proportions_ztest([1569, 1463], [62500, 62500])
    low, high = confint_proportions_2indep(1569, 62500, 1463, 62500, method="wald")
    assert found.p_value == pytest.approx(p, rel=1e-4)
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-5)


def test_the_article_s_counts_give_a_p_value_of_0_0513_and_its_rounded_rates_0_0507() -> None:
    # Oracle: statsmodels proportions_ztest on counts, and the same formula on 2.34 % and 2.51 % exactly.
    counts = value(stats.difference_of_proportions((1463, 62500), (1569, 62500)))
    assert counts.p_value == pytest.approx(0.0513, abs=5e-5)
    pooled = (0.0234 + 0.0251) / 2
    z = (0.0251 - 0.0234) / math.sqrt(pooled * (1 - pooled) * 2 / 62500)
    assert 2 * scipy_stats.norm.sf(z) == pytest.approx(0.0507, abs=5e-5)


def test_relative_difference_agrees_with_tea_tasting() -> None:
    a, b = moments(A), moments(B)
    found = value(stats.relative_difference(a, b))
    ratio = b.mean / a.mean
    # Second path: tea-tasting's own moments of the two samples, put through a numerical derivative of b / a.
    left, right = (tea_tasting.aggr.Aggregates(count_=m.n, mean_={"x": m.mean}, var_={"x": m.variance}) for m in (a, b))
    step = 1e-6
    by_a = (right.mean("x") / (left.mean("x") + step) - right.mean("x") / (left.mean("x") - step)) / (2 * step)
    by_b = 1 / left.mean("x")
    error = math.sqrt(by_a**2 * left.var("x") / left.count() + by_b**2 * right.var("x") / right.count())
    assert found.value == pytest.approx(ratio - 1, rel=1e-12)
    assert found.standard_error == pytest.approx(error, rel=1e-6)


@pytest.mark.parametrize("level", [0.9, 0.95, 0.999])
def test_the_relative_range_ends_where_scipy_s_welch_statistic_is_the_difference_s_critical_value(level: float) -> None:
    found = value(stats.relative_difference(moments(A), moments(B), level=level))
    test = scipy_stats.ttest_ind(B, A, equal_var=False)
    t = scipy_stats.t.isf((1 - level) / 2, test.df)
    for end, wanted in ((found.low, t), (found.high, -t)):
        assert scipy_stats.ttest_ind(B, (1 + end) * A, equal_var=False).statistic == pytest.approx(wanted, rel=1e-6)


def test_the_relative_range_is_fieller_s() -> None:
    # Oracle: issue 24 of this project, worked by hand: 100 against 130 of 10,000 is +0.4 to +70 %; the delta method says -4 to +64 %.
    sides = [Moments(10_000, x / 10_000, x / 10_000 * (1 - x / 10_000)) for x in (100, 130)]
    found = value(stats.relative_difference(*sides))
    assert (found.low, found.high) == pytest.approx((0.004, 0.70), abs=0.004)


@pytest.mark.parametrize(("spread", "n"), [(2.0, 300), (20.0, 300), (50.0, 300), (8.0, 12)])
def test_the_relative_range_holds_the_truth_also_near_nought(spread: float, n: int) -> None:
    """A control 43, 4.3, 1.7 and 2.2 standard errors from nought; where it could be nought there is no range."""
    rng = np.random.default_rng(20261123)
    a, b = rng.normal(5, spread, (1500, n)), rng.normal(5.5, spread, (1500, n))
    found = [stats.relative_difference(moments(x), moments(y)) for x, y in zip(a, b, strict=True)]
    there = [e for e in found if isinstance(e, Estimate)]
    missed = sum(not e.low <= 0.1 <= e.high for e in there)
    assert missed / len(found) < 0.06  # 5 % and two of its binomial errors
    assert (len(there) < 0.9 * len(found)) == (spread == 50 or n == 12)
    if len(there) == len(found):
        assert missed / len(found) > 0.035


@given(
    st.floats(0.01, 100), st.floats(-100, 100), st.floats(1e-3, 1e4), st.floats(1e-3, 1e4), st.integers(2, 9), st.integers(2, 10**6), st.floats(1, 6)
)  # fmt: skip
def test_the_relative_range_never_contradicts_the_difference(
    a: float, b: float, va: float, vb: float, n: int, m: int, critical: float
) -> None:
    sides = Moments(n, a, va), Moments(m, b, vb)
    gap, change = (f(*sides, critical=critical) for f in (stats.difference_of_means, stats.relative_difference))
    if isinstance(gap, Estimate) and isinstance(change, Estimate):
        near = abs(abs(gap.value) - (gap.high - gap.low) / 2) < 1e-9 * (abs(a) + abs(b))
        assert near or (gap.low > 0, gap.high < 0) == (change.low > 0, change.high < 0)
        assert change.low <= change.value <= change.high


@pytest.mark.parametrize("freedom", [1.0, 3.7, 30.0, 1e3, 1e6, 1e9])
def test_student_s_t_and_the_normal_value_with_its_p_value_are_those_of_scipy(freedom: float) -> None:
    for z in (0.5, 1.959964, 3.3569, 4.8769):
        t = scipy_stats.t.isf(scipy_stats.norm.sf(z), freedom)
        assert stats.student_t(z, freedom) == pytest.approx(t, rel=1e-8)
        assert stats.student_z(t, freedom) == pytest.approx(z, rel=1e-8)
        assert stats.student_z(-t, freedom) == pytest.approx(-z, rel=1e-8)
    assert stats.student_t(8.0, freedom) >= 8.0 - 1e-6
    assert math.isfinite(stats.student_z(1e6, freedom))


def test_a_look_that_asks_for_more_than_any_number_has_no_range() -> None:
    """Four users of a confidence sequence that is tightest at 20,000: 54 standard errors, whatever their distribution."""
    design = stats.Design(method="confidence-sequence", alpha=0.05, units=4)
    found = stats.compare(Moments(2, 0.0, 0.0), Moments(2, 1.0, 0.5), design)
    for one in (found.difference, found.relative):
        assert isinstance(one, NotPublished)
        assert "too few users" in one.reason


def test_few_normal_values_at_planned_looks_err_as_often_as_planned() -> None:
    """Five values more in each arm at each of three looks; held against the normal value, 8 of 100 err."""
    rng, bounds = np.random.default_rng(5), stats.boundaries([1 / 3, 2 / 3, 1.0], final=True, spending="pocock")
    runs, wrong, normal = 4000, 0, 0
    for a, b in rng.normal(size=(runs, 2, 15)):
        looks = [value(stats.difference_of_means(moments(a[:k]), moments(b[:k]))) for k in (5, 10, 15)]
        wrong += any(abs(e.z or 0) > c for e, c in zip(looks, bounds, strict=True))
        normal += any(abs(e.value / e.standard_error) > c for e, c in zip(looks, bounds, strict=True))
    assert wrong / runs < 0.055
    assert normal / runs > 0.065, "which the simulation would show"


def test_a_a_tests_are_significant_as_often_as_alpha_says() -> None:
    rng = np.random.default_rng(1)
    wrong = sum(
        (value(stats.difference_of_proportions((int(x), 4000), (int(y), 4000))).p_value or 0) < 0.05
        for x, y in rng.binomial(4000, 0.1, (2000, 2))
    )
    assert 0.03 < wrong / 2000 < 0.07


@given(x=st.integers(0, 500), n=st.integers(1, 500), level=st.floats(0.5, 0.999))
def test_a_share_s_interval_holds_it_and_stays_within_0_and_1(x: int, n: int, level: float) -> None:
    x = min(x, n)
    found = value(stats.proportion(x, n, level=level))
    assert 0 <= found.low <= x / n <= found.high <= 1


@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6), st.integers(2, 10**7), st.floats(0.5, 0.98))
def test_a_higher_level_gives_a_wider_interval(mean: float, variance: float, n: int, level: float) -> None:
    narrow, wide = (value(stats.mean(Moments(n, mean, variance), level=v)) for v in (level, level + 0.01))
    assert wide.low < narrow.low <= narrow.high < wide.high


@given(
    st.integers(2, 1000),
    st.integers(2, 1000),
    st.floats(-100, 100),
    st.floats(-100, 100),
    st.floats(0.1, 50),
    st.floats(0.1, 50),
)
def test_swapping_the_arms_turns_the_difference_around(
    n: int, m: int, a: float, b: float, va: float, vb: float
) -> None:
    there = value(stats.difference_of_means(Moments(n, a, va), Moments(m, b, vb)))
    back = value(stats.difference_of_means(Moments(m, b, vb), Moments(n, a, va)))
    assert (there.value, there.low, there.high) == pytest.approx((-back.value, -back.high, -back.low))
    assert there.p_value == pytest.approx(back.p_value)


@pytest.mark.parametrize(
    "found",
    [
        stats.mean(Moments(1, 3, 0)),
        stats.mean(Moments(0, 0, 0)),
        stats.proportion(0, 0),
        stats.difference_of_means(Moments(1, 3, 0), Moments(10, 3, 1)),
        stats.difference_of_means(Moments(5, 3, 0), Moments(5, 3, 0)),
        stats.difference_of_proportions((0, 0), (1, 2)),
        stats.difference_of_proportions((0, 10), (0, 10)),
        stats.relative_difference(Moments(10, 0.01, 1), Moments(10, 1, 1)),
        stats.relative_difference(Moments(10, 0, 0), Moments(10, 1, 1)),
    ],
)
def test_what_cannot_be_computed_says_why(found: Estimate | NotPublished) -> None:
    assert isinstance(found, NotPublished)
    assert found.reason


@pytest.mark.parametrize(
    "wrong", [(True, 1, 1), (-1, 1, 1), (1.5, 1, 1), (5, float("nan"), 1), (5, 1, float("inf")), (5, 1, -0.1)]
)
def test_impossible_aggregates_are_refused(wrong: tuple[float, float, float]) -> None:
    with pytest.raises(ValueError, match="must"):
        Moments(*wrong)  # type: ignore[arg-type]


def test_more_successes_than_units_are_refused() -> None:
    with pytest.raises(ValueError, match="successes"):
        stats.proportion(11, 10)


def test_a_relative_change_of_a_negative_control_says_that_as_its_reason() -> None:
    below = stats.relative_difference(Moments(10_000, -5.0, 12.25), Moments(10_000, -4.9, 12.25))
    assert isinstance(below, NotPublished)
    assert "negative" in below.reason
    for mean in (-0.01, 0.0, 0.01):
        near = stats.relative_difference(Moments(10_000, mean, 12.25), Moments(10_000, 0.1, 12.25))
        assert isinstance(near, NotPublished)
        assert "too close to zero" in near.reason
