"""Sums of shipped tests against simulation, the prior against published figures and another optimiser."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate, optimize
from scipy import stats as scipy_stats

from gazette import stats
from gazette.record import NotPublished
from gazette.stats import Estimate, Prior

# Trials of a vaccine (BCG): cases and others, vaccinated and not; the example of the R package metafor (Viechtbauer 2010).
BCG = [
    (4, 119, 11, 128),
    (6, 300, 29, 274),
    (3, 228, 11, 209),
    (62, 13536, 248, 12619),
    (33, 5036, 47, 5761),
    (180, 1361, 372, 1079),
    (8, 2537, 10, 619),
    (505, 87886, 499, 87892),
    (29, 7470, 45, 7232),
    (17, 1699, 65, 1600),
    (186, 50448, 141, 27197),
    (5, 2493, 3, 2338),
    (27, 16886, 29, 17825),
]


def prior_of(effects: list[float], errors: list[float]) -> Prior:
    found = stats.fit_prior(effects, errors)
    assert isinstance(found, Prior)
    return found


def shown(found: Estimate | NotPublished) -> Estimate:
    assert isinstance(found, Estimate)
    return found


def test_the_prior_is_what_metafor_prints_for_the_vaccine_trials() -> None:
    effects = [float(np.log(a / (a + b) / (c / (c + d)))) for a, b, c, d in BCG]
    errors = [float(np.sqrt(1 / a - 1 / (a + b) + 1 / c - 1 / (c + d))) for a, b, c, d in BCG]
    prior = prior_of(effects, errors)
    assert prior.spread**2 == pytest.approx(0.2800, abs=5e-5)
    assert prior.mean == pytest.approx(-0.7112, abs=5e-5)


@pytest.mark.parametrize("seed", range(5))
def test_the_prior_is_where_another_optimiser_finds_it(seed: int) -> None:
    rng = np.random.default_rng(seed)
    errors = rng.uniform(0.003, 0.006, 30)
    effects = rng.normal(0.002, 0.006, 30) + rng.normal(0, errors)
    prior = prior_of(effects.tolist(), errors.tolist())

    def minus(p: np.ndarray) -> float:
        return -float(scipy_stats.norm.logpdf(effects, p[0], np.sqrt(p[1] ** 2 + errors**2)).sum())

    best = optimize.minimize(minus, [0.0, 0.004], method="Nelder-Mead", options={"xatol": 1e-10, "fatol": 1e-12})
    assert (prior.mean, prior.spread) == pytest.approx((best.x[0], abs(best.x[1])), abs=2e-7)


def test_effects_that_differ_by_noise_alone_are_drawn_to_their_mean() -> None:
    errors = [0.01] * 10
    prior = prior_of([0.001 * i for i in range(10)], errors)
    assert prior.spread == 0
    assert prior.drawn(0.05, 0.01) == pytest.approx((0.0045, 0))


def test_one_drawn_effect_is_the_posterior_by_numerical_integration() -> None:
    rng = np.random.default_rng(3)
    errors = rng.uniform(0.3, 0.6, 20)
    prior = prior_of((rng.normal(0.2, 0.7, 20) + rng.normal(0, errors)).tolist(), errors.tolist())

    def weighed(power: int) -> float:
        def inside(theta: float) -> float:
            return float(
                theta**power
                * scipy_stats.norm.pdf(1.3, theta, 0.4)
                * scipy_stats.norm.pdf(theta, prior.mean, prior.spread)
            )

        return float(integrate.quad(inside, -8, 8, points=[1.0])[0])

    mean = weighed(1) / weighed(0)
    assert prior.drawn(1.3, 0.4)[0] == pytest.approx(mean, rel=1e-8)
    assert prior.drawn(1.3, 0.4)[1] == pytest.approx(np.sqrt(weighed(2) / weighed(0) - mean**2), rel=1e-7)


@pytest.mark.parametrize("tests", [10, 40])
def test_winners_overstate_and_the_correction_takes_it_out(tests: int) -> None:
    """Histories with known true effects, decided on noise: the naive sum is too high, the corrected one is not, and its range holds."""
    rng = np.random.default_rng(11)
    naive, corrected, held, runs = [], [], 0, 400
    for _ in range(runs):
        errors = rng.uniform(0.003, 0.006, tests)
        true = rng.normal(0.001, 0.004, tests)
        seen = true + rng.normal(0, errors)
        shipped = seen > 1.2 * errors
        if not shipped.any():
            continue
        chosen = (seen[shipped].tolist(), errors[shipped].tolist())
        prior = prior_of(seen.tolist(), errors.tolist())
        found, truth = shown(stats.total(*chosen, prior)), float(true[shipped].sum())
        naive.append(shown(stats.total(*chosen)).value - truth)
        corrected.append(found.value - truth)
        held += found.low <= truth <= found.high
    share = held / len(corrected)
    bias, doubt = np.mean(corrected), np.std(corrected) / np.sqrt(len(corrected))
    assert np.mean(naive) > 10 * doubt
    assert abs(bias) < 0.2 * np.mean(naive)
    assert 0.92 <= share <= 0.99


def test_too_few_tests_are_said_to_be_too_few() -> None:
    assert stats.fit_prior([0.01] * 7, [0.01] * 7) == NotPublished(reason="history too short")
    assert stats.total([0.01], [0.01], NotPublished(reason="history too short")) == NotPublished(
        reason="history too short"
    )
    assert stats.total([], []) == NotPublished(reason="no test was shipped")
    assert isinstance(stats.realised_share([0.01, 0.01], [0.0, 0.0], [0.1, 0.1]), NotPublished)
    assert isinstance(stats.coverage_of_claims([0.01], [0.01], [0.0], [0.1]), NotPublished)
    assert stats.realised_share([-0.01] * 3, [0.0] * 3, [0.1] * 3) == NotPublished(
        reason="the claims add up to no gain"
    )


def test_what_was_realised_covers_the_true_share_of_the_claims() -> None:
    rng = np.random.default_rng(5)
    held, runs = 0, 2000
    claimed = rng.uniform(0.005, 0.02, 9)
    true = claimed * rng.uniform(0.2, 1.1, 9)
    errors = rng.uniform(0.003, 0.006, 9)
    for _ in range(runs):
        found = shown(stats.realised_share(claimed.tolist(), (true + rng.normal(0, errors)).tolist(), errors.tolist()))
        held += found.low <= true.sum() / claimed.sum() <= found.high
    assert held / runs == pytest.approx(0.95, abs=0.015)


def test_honest_claims_are_covered_as_often_as_they_say_and_those_of_winners_are_not() -> None:
    rng = np.random.default_rng(6)
    n = 20000
    true, errors, later = rng.normal(0.002, 0.005, n), np.full(n, 0.004), np.full(n, 0.004)
    seen, again = true + rng.normal(0, errors), true + rng.normal(0, later)
    every = shown(stats.coverage_of_claims(seen.tolist(), errors.tolist(), again.tolist(), later.tolist()))
    assert every.low <= 0.8 <= every.high
    won = seen > 1.96 * errors
    mine = [v[won].tolist() for v in (seen, errors, again, later)]
    assert shown(stats.coverage_of_claims(*mine)).high < 0.8
