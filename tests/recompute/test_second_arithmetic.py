"""The second arithmetic against published tables, other libraries and the first: it must not need the first to be right."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats as scipy_stats
from statsmodels.stats.proportion import proportion_confint

from gazette import monitoring, stats
from gazette.recompute._arithmetic import (
    Arm,
    anytime_critical,
    difference,
    few,
    planned_criticals,
    ratio_change,
    share,
    split_chance,
    split_ever,
    student,
)


@pytest.mark.parametrize(
    ("spending", "bounds"),
    [
        ("obrien-fleming", [4.8769, 3.3569, 2.6803, 2.2898, 2.0310]),
        ("pocock", [2.4380, 2.4268, 2.4101, 2.3966, 2.3859]),
    ],
)
def test_bounds_of_five_equal_looks_are_those_of_the_published_tables(spending: str, bounds: list[float]) -> None:
    found = planned_criticals([0.2, 0.4, 0.6, 0.8, 1.0], alpha=0.05, spending=spending, final=True)
    assert found == pytest.approx(bounds, abs=2e-3)


@pytest.mark.parametrize("spending", ["obrien-fleming", "pocock", "quadratic"])
@pytest.mark.parametrize("final", [True, False])
def test_bounds_agree_with_the_first_computation_on_uneven_looks(spending: str, final: bool) -> None:
    rng = np.random.default_rng(7)
    for _ in range(20):
        looks = sorted(rng.uniform(0.05, 1.2, rng.integers(1, 8)))
        alpha = float(rng.choice([0.01, 0.025, 0.05, 0.1]))
        first = stats.boundaries(looks, alpha=alpha, spending=spending, final=final)  # type: ignore[arg-type]
        second = planned_criticals(looks, alpha=alpha, spending=spending, final=final)
        for a, b in zip(first, second, strict=True):
            assert b == pytest.approx(a, rel=5e-4), (looks, alpha)


def test_the_error_that_planned_looks_spend_is_kept_in_simulation() -> None:
    shares = [0.3, 0.5, 0.85, 1.0]
    bounds = planned_criticals(shares, alpha=0.05, spending="pocock", final=True)
    rng = np.random.default_rng(11)
    steps = np.diff([0.0, *shares])
    walk = np.cumsum(rng.normal(size=(400_000, 4)) * np.sqrt(steps), axis=1) / np.sqrt(shares)
    crossed = float((np.abs(walk) > bounds).any(axis=1).mean())
    assert crossed == pytest.approx(0.05, abs=4 * math.sqrt(0.05 * 0.95 / 400_000))


@pytest.mark.parametrize(("units", "tightest", "alpha"), [(100, 20000, 0.05), (20000, 20000, 0.05), (10**6, 500, 0.01)])
def test_a_confidence_sequence_agrees_with_the_first_computation(units: int, tightest: int, alpha: float) -> None:
    first = stats.confidence_sequence_z(units, n_star=tightest, alpha=alpha)
    assert anytime_critical(units, tightest=tightest, alpha=alpha) == pytest.approx(first, rel=1e-12)


@pytest.mark.parametrize(("hits", "n"), [(0, 10), (10, 10), (3, 17), (1463, 62500)])
def test_a_share_has_the_range_that_statsmodels_gives(hits: int, n: int) -> None:
    low, high = proportion_confint(hits, n, method="wilson")
    found = share(hits, n)
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-12)


def test_means_and_differences_have_the_ranges_of_scipy() -> None:
    rng = np.random.default_rng(3)
    a, b = rng.normal(1, 2, 40), rng.normal(1.5, 3, 55)
    one = student(len(a), float(a.mean()), float(a.std(ddof=1)))
    assert (one.low, one.high) == pytest.approx(
        scipy_stats.t.interval(0.95, len(a) - 1, a.mean(), a.std(ddof=1) / math.sqrt(len(a)))
    )
    arms = [Arm(len(x), float(x.mean()), float(x.var(ddof=1))) for x in (a, b)]
    gap = difference(*arms, float(scipy_stats.norm.isf(0.025)))
    oracle = scipy_stats.ttest_ind(b, a, equal_var=False).confidence_interval(0.95)
    assert (gap.low, gap.high) == pytest.approx((oracle.low, oracle.high))


@pytest.mark.parametrize("critical", [1.0, 1.96, 3.3569, 4.8769, 8.0])
@pytest.mark.parametrize(("n", "m"), [(2, 2), (5, 9), (400, 30), (10**6, 2 * 10**6)])
def test_differences_and_changes_at_a_look_agree_with_the_first_computation(n: int, m: int, critical: float) -> None:
    arms = (n, 10.0, 9.0), (m, 11.0, 16.0)
    first = [f(*(stats.Moments(*a) for a in arms), critical=critical) for f in (stats.difference_of_means, stats.relative_difference)]  # fmt: skip
    second = [f(*(Arm(*a) for a in arms), critical) for f in (difference, ratio_change)]
    for mine, theirs in zip(first, second, strict=True):
        if isinstance(mine, stats.Estimate):
            assert (theirs.value, theirs.low, theirs.high) == pytest.approx((mine.value, mine.low, mine.high), rel=1e-6)
        else:
            assert theirs.low is None or theirs.low < -1e5, mine


def test_one_value_has_no_range_and_an_area_stays_between_its_ends() -> None:
    assert student(1, 4.0, 0.0).low is None
    found = few(100, 0.999, 0.1, None, "odds")
    assert found.low is not None
    assert found.high is not None
    assert 0 < found.low < 0.999 < found.high < 1


@pytest.mark.parametrize(
    ("counts", "weights"),
    [
        ((500, 500), (0.5, 0.5)),
        ((44700, 45489), (0.5, 0.5)),
        ((20_000, 30_000, 50_500), (0.2, 0.3, 0.5)),
        ((96, 4), (0.99, 0.01)),
        ((100, 0), (0.99, 0.01)),
        ((999_950, 50), (0.999999, 0.000001)),
        ((5, 3, 2), (0.5, 0.3, 0.2)),
        ((180, 9, 1), (0.97, 0.02, 0.01)),
        ((3, 0, 5, 1), (0.25, 0.25, 0.25, 0.25)),
        ((1490, 1490, 20), (0.4995, 0.4995, 0.001)),
    ],
)
def test_a_split_has_the_chance_of_the_first_computation(counts: tuple[int, ...], weights: tuple[float, ...]) -> None:
    assert split_chance([*counts], [*weights]) == pytest.approx(stats.sample_ratio(counts, weights), rel=1e-7)


def test_a_split_of_few_is_not_that_of_chi_square() -> None:
    expected = scipy_stats.binomtest(4, 100, 0.01).pvalue
    assert split_chance([96, 4], [0.99, 0.01]) == pytest.approx(expected, rel=1e-9)
    assert scipy_stats.chisquare([96, 4], [99, 1]).pvalue < expected / 5, "which a fault on either side would give"


@pytest.mark.parametrize("weights", [(0.5, 0.5), (0.9, 0.1), (0.2, 0.3, 0.5)])
@pytest.mark.parametrize("lost", [0.0, 0.1])
def test_a_split_watched_by_day_has_the_chance_of_the_first_computation(
    weights: tuple[float, ...], lost: float
) -> None:
    rng = np.random.default_rng(6)
    shares = np.array(weights) * np.array([1 - lost, *[1.0] * (len(weights) - 1)])
    daily = rng.multinomial(2000, shares / shares.sum(), 21)
    drawn = [(f"day {d:02}", arm, int(n)) for d, row in enumerate(daily) for arm, n in enumerate(row)]
    first = stats.sample_ratio_sequence(daily.tolist(), weights)
    assert split_ever(drawn, [*weights]) == pytest.approx(first, rel=1e-7)
    assert (first < 0.01) == (lost > 0)


@pytest.mark.parametrize(("measure", "scale"), [("auc", "odds"), ("log-loss", "log"), ("calibration-gap", "own")])
def test_ranges_of_few_are_those_of_the_first_computation_and_a_fault_in_its_degrees_is_seen(
    monkeypatch: pytest.MonkeyPatch, measure: str, scale: str
) -> None:
    spread = monitoring.Spread(600, 2.5, 300.0, classes=(12, 588))
    second = few(600, 0.7, math.sqrt(2.5), 300.0, scale)

    def gap() -> float:
        first = monitoring.level(measure, 0.7, spread)
        assert isinstance(first, stats.Estimate)
        assert second.low is not None
        assert second.high is not None
        return max(abs(first.low - second.low), abs(first.high - second.high)) / (first.high - first.low)

    assert gap() < 1e-9
    monkeypatch.setattr(monitoring.Spread, "freedom", property(lambda s: s.size - 1.0))
    assert gap() > 1e-3  # what the comparison of an edition allows
