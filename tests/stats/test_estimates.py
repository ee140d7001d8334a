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


def test_relative_difference_covers_its_truth_in_simulation() -> None:
    rng = np.random.default_rng(20261123)
    hits = 0
    for _ in range(600):
        found = value(stats.relative_difference(moments(rng.normal(5, 2, 300)), moments(rng.normal(5.5, 2, 300))))
        hits += found.low <= 0.1 <= found.high
    # 95 % with a binomial error of 0.9 points: four of them either way.
    assert 0.915 < hits / 600 < 0.985


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
