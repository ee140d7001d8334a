"""Ratios, adjustment by a covariate and quantiles, against tea-tasting, statsmodels and resampling."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tea_tasting as tt
from scipy import stats as scipy_stats
from tea_tasting.aggr import Aggregates

from gazette.stats import (
    Estimate,
    Joint,
    Lacking,
    Moments,
    MomentsError,
    adjusted,
    difference_of_means,
    mean,
    quantile_moments,
    quantile_ranks,
    quantile_units,
    ratio,
    too_coarse,
)


def moments(x: np.ndarray) -> Moments:
    return Moments(len(x), float(x.mean()), float(x.var(ddof=1)))


def joint(x: np.ndarray, y: np.ndarray) -> Joint:
    return Joint(moments(x), moments(y), float(np.cov(x, y)[0, 1]))


@pytest.fixture
def arms() -> list[tuple[np.ndarray, np.ndarray]]:
    rng = np.random.default_rng(3)
    found = []
    for effect in (0.0, 0.3):
        y = rng.poisson(4, 3000) + 1.0
        found.append((y * 2 + rng.gamma(2, 3, 3000) + effect * y, y))
    return found


def aggregates(pair: tuple[np.ndarray, np.ndarray]) -> Aggregates:
    x, y = pair
    return Aggregates(
        count_=len(x),
        mean_={"x": float(x.mean()), "y": float(y.mean())},
        var_={"x": float(x.var(ddof=1)), "y": float(y.var(ddof=1))},
        cov_={("x", "y"): float(np.cov(x, y)[0, 1])},
    )


def same(mine: Any, theirs: Any) -> None:
    assert isinstance(mine, Estimate)
    assert mine.value == pytest.approx(theirs.effect_size, rel=1e-9)
    assert mine.low == pytest.approx(theirs.effect_size_ci_lower, rel=1e-9)
    assert mine.high == pytest.approx(theirs.effect_size_ci_upper, rel=1e-9)
    assert mine.p_value == pytest.approx(theirs.pvalue, rel=1e-9)


def test_a_ratio_agrees_with_tea_tasting(arms: list[tuple[np.ndarray, np.ndarray]]) -> None:
    mine = difference_of_means(*(ratio(joint(*a)) for a in arms))
    same(mine, tt.RatioOfMeans("x", "y").analyze_aggregates(*(aggregates(a) for a in arms)))


def test_clusters_agree_with_cluster_robust_regression() -> None:
    """Rows within users, users assigned: the ratio of users' totals has the standard error that statsmodels gives by clusters."""
    import statsmodels.api as sm  # noqa: PLC0415  slow to import

    rng = np.random.default_rng(8)
    users = 800
    size = rng.poisson(5, users) + 1
    arm = np.arange(users) % 2
    level = rng.normal(10, 2, users)
    rows_user = np.repeat(np.arange(users), size)
    value = level[rows_user] + rng.normal(0, 1, size.sum()) + 0.5 * arm[rows_user]
    totals = np.bincount(rows_user, weights=value)
    both = [ratio(joint(totals[arm == k], size[arm == k].astype(float))) for k in (0, 1)]
    mine = difference_of_means(*both)
    assert isinstance(mine, Estimate)
    design = sm.add_constant(arm[rows_user].astype(float))
    fit = sm.OLS(value, design).fit(cov_type="cluster", cov_kwds={"groups": rows_user})
    assert mine.value == pytest.approx(fit.params[1], rel=1e-9)
    assert mine.standard_error == pytest.approx(fit.bse[1], rel=5e-3)  # it corrects for few clusters otherwise


def test_adjustment_agrees_with_tea_tasting_and_narrows(arms: list[tuple[np.ndarray, np.ndarray]]) -> None:
    left, right, saved = adjusted(joint(*arms[0]), joint(*arms[1]))
    mine = difference_of_means(left, right)
    theirs = tt.Mean("x", "y").analyze_aggregates(*(aggregates(a) for a in arms))
    assert isinstance(mine, Estimate)
    # tea-tasting takes theta from the arms' moments together, we from within the arms: the same up to the arms' own difference
    assert mine.value == pytest.approx(theirs.effect_size, rel=2e-2)
    assert mine.high - mine.low == pytest.approx(theirs.effect_size_ci_upper - theirs.effect_size_ci_lower, rel=2e-3)
    assert 0.5 < saved < 1
    plain = difference_of_means(moments(arms[0][0]), moments(arms[1][0]))
    assert isinstance(plain, Estimate)
    assert mine.high - mine.low < plain.high - plain.low


def test_adjustment_agrees_with_regression(arms: list[tuple[np.ndarray, np.ndarray]]) -> None:
    """Within-arm theta is the slope of the analysis of covariance."""
    import statsmodels.api as sm  # noqa: PLC0415

    x, y = (np.concatenate([a[i] for a in arms]) for i in (0, 1))
    arm = np.repeat([0.0, 1.0], 3000)
    fit = sm.OLS(x, sm.add_constant(np.column_stack([arm, y]))).fit()
    left, right, _ = adjusted(joint(*arms[0]), joint(*arms[1]))
    assert right.mean - left.mean == pytest.approx(fit.params[1], rel=1e-9)


def lacking(x: np.ndarray, y: np.ndarray, centre: float) -> Joint:
    """Aggregates of an arm whose missing y (NaN) stands at the mean of those that are there."""
    gone, filled = np.isnan(y).astype(float), np.where(np.isnan(y), centre, y)
    cov = np.cov([x, filled, gone])
    return Joint(
        moments(x), moments(filled), float(cov[0, 1]), Lacking(float(gone.mean()), float(cov[0, 2]), float(cov[1, 2]))
    )


def test_a_covariate_that_some_lack_is_adjusted_for_as_a_regression_with_an_indicator() -> None:
    import statsmodels.api as sm  # noqa: PLC0415

    rng = np.random.default_rng(8)
    n = 4000
    arm, gone = np.arange(n) % 2 == 1, rng.random(n) < 0.4
    y = np.where(gone, np.nan, rng.gamma(2, 10, n))
    x = np.where(gone, 50 - 6.0 * arm, np.nan_to_num(y) + 2.0 * arm) + rng.normal(0, 5, n)
    centre = float(np.nanmean(y))
    fit = sm.OLS(x, sm.add_constant(np.column_stack([arm, np.where(gone, centre, y), gone]).astype(float))).fit(
        cov_type="HC3"
    )
    left, right, saved = adjusted(lacking(x[~arm], y[~arm], centre), lacking(x[arm], y[arm], centre))
    mine = difference_of_means(left, right)
    assert isinstance(mine, Estimate)
    assert mine.value == pytest.approx(fit.params[1], rel=1e-9)
    assert mine.standard_error == pytest.approx(fit.bse[1], rel=2e-3)
    assert mine.value < -1, "those who lack it lose, and are there"
    assert saved > 0.5


@pytest.mark.parametrize(
    "covariate", [lambda gone: np.where(gone, np.nan, 7.0), lambda gone: np.full(gone.size, np.nan)]
)
def test_an_indicator_alone_is_adjusted_for_where_the_covariate_has_no_spread(covariate: Any) -> None:
    import statsmodels.api as sm  # noqa: PLC0415

    rng = np.random.default_rng(9)
    arm, gone = np.arange(1000) % 2 == 1, rng.random(1000) < 0.3
    x, y = 3.0 * gone + 0.2 * arm + rng.normal(0, 1, 1000), covariate(gone)
    left, right, _ = adjusted(lacking(x[~arm], y[~arm], 7.0), lacking(x[arm], y[arm], 7.0))
    indicator = np.isnan(y)
    others = [arm, indicator] if 0 < indicator.mean() < 1 else [arm]
    fit = sm.OLS(x, sm.add_constant(np.column_stack(others).astype(float))).fit()
    assert right.mean - left.mean == pytest.approx(fit.params[1], rel=1e-9)


def test_a_covariate_without_spread_changes_nothing() -> None:
    one = Joint(Moments(10, 1.0, 2.0), Moments(10, 0.0, 0.0), 0.0)
    assert adjusted(one, one) == (one.first, one.first, 0.0)


def test_a_ratio_over_nothing_is_refused() -> None:
    with pytest.raises(MomentsError, match="denominator"):
        ratio(Joint(Moments(10, 1.0, 2.0), Moments(10, 0.0, 0.0), 0.0))


@pytest.mark.parametrize("q", [0.5, 0.9, 0.99])
def test_a_quantile_s_error_agrees_with_resampling(q: float) -> None:
    rng = np.random.default_rng(4)
    x = np.sort(rng.gamma(2, 10, 5000))
    low, high = ranks = quantile_ranks(q, len(x))
    value = float(np.quantile(x, q, method="inverted_cdf"))
    found = quantile_moments(len(x), value, float(x[low - 1]), float(x[high - 1]), q=q, ranks=ranks)
    draws = [np.quantile(rng.choice(x, len(x)), q) for _ in range(600)]
    assert (found.variance / found.n) ** 0.5 == pytest.approx(np.std(draws), rel=0.2)


@pytest.mark.parametrize("q", [0.01, 0.25, 0.5, 0.9, 0.95, 0.99])
def test_a_quantile_needs_users_whose_extremes_bound_it(q: float) -> None:
    """Oracle: scipy's binomial: all, or none, of so many values lie below it with a chance of at most 2.5 %."""
    n = quantile_units(q)
    assert max(scipy_stats.binom.pmf([0, n], n, q)) <= 0.025
    assert max(scipy_stats.binom.pmf([0, n - 1], n - 1, q)) > 0.025


@pytest.mark.parametrize("q", [0.01, 0.1, 0.5, 0.75, 0.9, 0.95, 0.99])
def test_order_statistics_bound_a_quantile_as_scipy_s_exact_test_has_it(q: float) -> None:
    """Oracle: scipy.stats.quantile_test, whose order statistics are the exact ones; ours are those or the next outwards, never inwards."""
    least = quantile_units(q)
    for n in (*range(least, least + 12), 5 * least, 3000, 10_001):
        low, high = quantile_ranks(q, n)
        exact = scipy_stats.quantile_test(np.arange(1, n + 1), p=q).confidence_interval(0.95)
        assert (low in {exact.low, exact.low - 1}, high in {exact.high, exact.high + 1}) == (True, True), (q, n)


def test_a_median_has_the_standard_error_of_price_and_bonett() -> None:
    """Price & Bonett (2001): the distance of symmetric order statistics over twice the normal value of the chance to miss."""
    x = np.sort(np.random.default_rng(3).normal(size=50))
    low, high = quantile_ranks(0.5, 50)
    found = quantile_moments(50, float(x[24]), float(x[low - 1]), float(x[high - 1]), q=0.5, ranks=(low, high))
    z = scipy_stats.norm.isf(scipy_stats.binom.cdf(low - 1, 50, 0.5))
    assert low + high == 51
    assert (found.variance / 50) ** 0.5 == pytest.approx((x[high - 1] - x[low - 1]) / (2 * z))
    said = mean(found)
    assert isinstance(said, Estimate)
    assert (said.low, said.high) == (x[low - 1], x[high - 1])


def test_a_quantile_s_own_range_holds_with_ties_too() -> None:
    rng, held = np.random.default_rng(9), []
    for x in np.sort(rng.poisson(30, (2000, 200)), axis=1).astype(float):
        ends = quantile_ranks(0.5, 200)
        found = mean(quantile_moments(200, x[99], *(float(x[r - 1]) for r in ends), q=0.5, ranks=ends))
        assert isinstance(found, Estimate)
        held.append(found.low <= scipy_stats.poisson.ppf(0.5, 30) <= found.high)
    assert np.mean(held) > 0.945


def test_an_early_edition_s_quantile_without_ranks_is_read_as_it_was() -> None:
    found = quantile_moments(100, 5.0, 4.0, 6.0, q=0.5)
    assert (found.variance / 100) ** 0.5 == pytest.approx(2 / (2 * 1.959964))
    assert found.bounds is None
    assert found.freedom is None


def compared(draws: np.ndarray, q: float) -> list[tuple[Moments, Moments]]:
    """Two arms, many times; draws have three axes: times, arms, users."""
    return [*zip(*(quantiles_of(draws[:, arm], q) for arm in (0, 1)), strict=True)]


def quantiles_of(draws: np.ndarray, q: float) -> list[Moments]:
    """One arm, many times."""
    n = draws.shape[1]
    ordered, ends = np.sort(draws, axis=1), quantile_ranks(q, n)
    ranks = [max(1, int(np.ceil(q * n - 1e-9))), *ends]
    return [quantile_moments(n, *(float(x[r - 1]) for r in ranks), q=q, ranks=ends) for x in ordered]


def errs(pairs: list[tuple[Moments, Moments]]) -> float:
    found = [difference_of_means(*pair) for pair in pairs if not too_coarse(*pair)]
    return sum(isinstance(e, Estimate) and (e.low > 0 or e.high < 0) for e in found) / len(pairs)


def test_quantiles_of_as_many_users_as_they_need_err_no_more_than_is_said() -> None:
    rng = np.random.default_rng(6)
    for q, n in ((0.99, 368), (0.9, 36), (0.9, 100), (0.5, 20)):
        assert errs(compared(np.exp(rng.normal(size=(800, 2, n))), q)) < 0.055, (q, n)
    assert compared(rng.normal(size=(1, 2, 50)), 0.99)[0][0].bounds is None, (
        "50 users do not bound it, and it is withheld"
    )


def test_medians_err_no_more_than_is_said_by_exact_ranks_and_as_many_degrees_as_gaps() -> None:
    """Of normal and even values, where ranks that were rounded inwards erred in 6 to 7 %."""
    rng = np.random.default_rng(7)
    for shape in (lambda s: rng.normal(size=s), rng.random):
        for n, m in ((50, 50), (450, 50)):
            a, b = (quantiles_of(shape((4000, k)), 0.5) for k in (n, m))
            assert errs([*zip(a, b, strict=True)]) < 0.055, (n, m)


def test_medians_of_whole_numbers_that_ties_decide_are_withheld() -> None:
    rng = np.random.default_rng(8)
    counts = compared(rng.poisson(30, (300, 2, 1000)).astype(float), 0.5)
    assert all(too_coarse(*pair) for pair in counts)
    amounts = compared(rng.normal(30, 5, (300, 2, 1000)), 0.5)
    assert not any(too_coarse(*pair) for pair in amounts)


def test_quantiles_out_of_order_are_refused() -> None:
    with pytest.raises(MomentsError, match="out of order"):
        quantile_moments(10, 1.0, 2.0, 3.0)
