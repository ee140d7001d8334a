from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import stats as scipy_stats
from statsmodels.stats.power import tt_ind_solve_power

from gazette.record import NotPublished
from gazette.stats import homogeneity, sample_ratio, sample_ratio_sequence, users_needed


@pytest.mark.parametrize(
    ("counts", "weights"),
    [((500, 500), (0.5, 0.5)), ((480, 540), (0.5, 0.5)), ((900, 110), (0.9, 0.1)), ((30, 40, 50), (0.3, 0.3, 0.4))],
)
def test_it_agrees_with_scipy(counts: tuple[int, ...], weights: tuple[float, ...]) -> None:
    expected = scipy_stats.chisquare(counts, [sum(counts) * w for w in weights]).pvalue
    assert sample_ratio(counts, weights) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize(
    ("counts", "weights", "shown"),
    [((96, 4), (0.99, 0.01), 0.018), ((7, 0), (0.5, 0.5), 0.016), ((999_990, 10), (0.999999, 0.000001), None)],
)
def test_two_arms_of_which_one_is_small_are_read_exactly(
    counts: tuple[int, int], weights: tuple[float, float], shown: float | None
) -> None:
    expected = scipy_stats.binomtest(counts[1], sum(counts), weights[1]).pvalue
    assert sample_ratio(counts, weights) == pytest.approx(expected, rel=1e-9)
    assert sample_ratio(counts[::-1], weights[::-1]) == pytest.approx(expected, rel=1e-9)
    if shown is not None:
        assert sample_ratio(counts, weights) == pytest.approx(shown, abs=5e-4)


@pytest.mark.parametrize(
    ("counts", "weights"), [((5, 3, 2), (0.5, 0.3, 0.2)), ((40, 8, 0), (0.9, 0.05, 0.05)), ((3, 0, 5, 1), (0.25,) * 4)]
)
def test_several_arms_with_few_units_are_read_exactly(counts: tuple[int, ...], weights: tuple[float, ...]) -> None:
    # Oracle: scipy's multinomial over every split of so many units.
    total = sum(counts)
    every = [s for s in itertools.product(range(total + 1), repeat=len(counts)) if sum(s) == total]
    chances = scipy_stats.multinomial.pmf(every, total, weights)
    own = scipy_stats.multinomial.pmf(counts, total, weights)
    assert sample_ratio(counts, weights) == pytest.approx(chances[chances <= own * (1 + 1e-7)].sum(), rel=1e-9)


def test_too_many_splits_to_list_never_alarm_more_often_than_said() -> None:
    weights = (0.4995, 0.4995, 0.001)
    rng = np.random.default_rng(5)
    found = [sample_ratio([int(x) for x in row], weights) for row in rng.multinomial(3000, weights, 300)]
    assert sum(p < 0.05 for p in found) <= 0.05 * 300 + 3 * (300 * 0.05 * 0.95) ** 0.5  # type: ignore[operator]
    assert sample_ratio((1490, 1490, 20), weights) == pytest.approx(
        3 * scipy_stats.binomtest(20, 3000, 0.001).pvalue, rel=1e-9
    )


def test_a_share_of_few_is_compared_exactly() -> None:
    # Oracles: Fisher's test; scipy's multivariate hypergeometric over every way to deal out those who have it.
    assert homogeneity([(1, 500), (7, 90)]) == pytest.approx(scipy_stats.fisher_exact([[1, 499], [7, 83]]).pvalue)
    assert homogeneity([(499, 500), (83, 90)]) == homogeneity([(1, 500), (7, 90)])
    sizes, have = [40, 38, 41], (3, 9, 0)
    every = [s for s in itertools.product(range(13), repeat=3) if sum(s) == 12]
    chances = scipy_stats.multivariate_hypergeom.pmf(every, sizes, 12)
    own = scipy_stats.multivariate_hypergeom.pmf(have, sizes, 12)
    assert homogeneity(list(zip(have, sizes, strict=True))) == pytest.approx(chances[chances <= own * (1 + 1e-7)].sum())


@pytest.mark.parametrize(
    "counts", [((9000, 10000), (8800, 10000)), ((13, 60), (19, 58), (10, 61)), ((11, 500), (37, 90))]
)
def test_the_same_share_in_every_arm_agrees_with_scipy(counts: tuple[tuple[int, int], ...]) -> None:
    table = [[x, n - x] for x, n in counts]
    expected = scipy_stats.chi2_contingency(table, correction=False).pvalue
    assert homogeneity(counts) == pytest.approx(expected, rel=1e-10)


def test_nobody_or_everybody_is_the_same_share() -> None:
    assert homogeneity([(0, 50), (0, 60)]) == homogeneity([(50, 50), (60, 60)]) == 1.0
    assert isinstance(homogeneity([(1, 50), (0, 0)]), NotPublished)


def test_no_units_have_no_ratio() -> None:
    assert isinstance(sample_ratio((0, 0), (0.5, 0.5)), NotPublished)


def test_a_fair_split_fails_at_0_001_as_rarely_as_that() -> None:
    rng = np.random.default_rng(3)
    low = sum(sample_ratio((int(x), 10_000 - int(x)), (0.5, 0.5)) < 0.001 for x in rng.binomial(10_000, 0.5, 5000))  # type: ignore[operator]
    assert low <= 15


def test_users_needed_agrees_with_statsmodels() -> None:
    # Oracle: a t test of effect size d needs a few units more than the normal approximation.
    mean, variance, effect = 10.0, 25.0, 0.02
    expected = tt_ind_solve_power(effect_size=effect * mean / variance**0.5, alpha=0.05, power=0.8)
    assert users_needed(mean, variance, effect) == pytest.approx(expected, rel=2e-3)


def test_the_article_s_test_was_too_small_for_five_per_cent() -> None:
    # Oracle: 2 p (1-p) (1.959964 + 0.841621)^2 / (0.05 p)^2 with p = 1463 / 62500.
    p = 1463 / 62500
    assert users_needed(p, p * (1 - p), 0.05) == pytest.approx(
        2 * p * (1 - p) * 2.801585**2 / (0.05 * p) ** 2, rel=1e-5
    )


def test_nothing_to_plan_with_is_said() -> None:
    assert isinstance(users_needed(0, 1, 0.1), NotPublished)
    assert isinstance(users_needed(1, 0, 0.1), NotPublished)


def test_a_split_that_is_read_every_week_alarms_no_more_than_said_over_the_whole_test() -> None:
    """26 weeks at 1 %: a chi-square test each week alarms in 6 of 100 tests that are right."""
    rng = np.random.default_rng(8)
    weekly = rng.binomial(5000, 0.5, (700, 26))
    left = weekly.cumsum(axis=1)
    n = 5000 * np.arange(1, 27)
    single = (scipy_stats.chi2.sf((left - n / 2) ** 2 / (n / 4), 1) < 0.01).any(axis=1).mean()
    assert single > 0.04
    found = [sample_ratio_sequence([[int(k), 5000 - int(k)] for k in row], [0.5, 0.5]) for row in weekly]
    assert sum(p < 0.01 for p in found) <= 0.01 * 700 + 3 * (700 * 0.01 * 0.99) ** 0.5  # type: ignore[operator]


@pytest.mark.parametrize(("arms", "weights"), [((0.49, 0.51), (0.5, 0.5)), ((0.892, 0.108), (0.9, 0.1))])
def test_a_split_that_lost_a_few_in_a_hundred_is_found_in_a_test_of_usual_size(
    arms: tuple[float, float], weights: tuple[float, float]
) -> None:
    rng = np.random.default_rng(9)
    found = [sample_ratio_sequence(rng.multinomial(5000, arms, 14).tolist(), weights) for _ in range(50)]
    assert sum(p < 0.01 for p in found) >= 45  # type: ignore[operator]
