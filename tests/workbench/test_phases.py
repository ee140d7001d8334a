"""Arms of a test whose allocation was moved, from their aggregates."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest

from gazette import stats
from gazette.workbench._phases import stratified


@pytest.mark.parametrize("metric", ["m_lack", "m_lack_of_stock", "m_stock_lack", "m_black"])
def test_a_metric_may_be_called_lack_and_units_without_a_covariate_are_left_out(metric: str) -> None:
    rows = [
        {"variant": "a", "phase": phase, "n": n, f"{metric}_mean": value, f"{metric}_var": 4.0, "m_x_mean": 1.0, "m_x_var": 1.0}
        | {"m_x_pre_mean": 1.0, "m_x_lack_mean": 0.5, "m_x_lack_cov": 0.1, "m_x_lack_pre_cov": 0.0}
        for phase, n, value in ((0, 10, 1.0), (1, 30, 3.0))
    ]  # fmt: skip
    arm = stratified(rows)["a"]
    assert arm[f"{metric}_mean"] == pytest.approx(0.25 * 1 + 0.75 * 3), "one arm alone: as its own units"
    assert arm[f"{metric}_var"] == pytest.approx(40 * (0.25**2 * 4 / 10 + 0.75**2 * 4 / 30))
    assert not [c for c in arm if c.startswith("m_x_lack")]


@pytest.mark.parametrize(
    "sizes", [((990, 10), (500, 500)), ((990, 10), (200, 200)), ((198, 2), (300, 300)), ((900, 1), (500, 500))]
)
@pytest.mark.parametrize("rates", [(0.05, 0.1), (0.3, 0.1)])
def test_ranges_hold_however_few_users_an_arm_has_in_one_stretch(
    sizes: tuple[tuple[int, int], ...], rates: tuple[float, float]
) -> None:
    rng = np.random.default_rng(11)
    misses, draws = 0, 1000
    counts = {(p, a): rng.binomial(n, rates[p], draws) for p, arms in enumerate(sizes) for a, n in enumerate(arms)}
    for i in range(draws):
        rows = []
        for (phase, arm), hits in counts.items():
            n = sizes[phase][arm]
            mean = hits[i] / n
            rows.append(
                {
                    "phase": phase,
                    "variant": str(arm),
                    "n": n,
                    "m_mean": mean,
                    "m_var": mean * (1 - mean) * n / max(n - 1, 1),
                }
            )
        arms = stratified(rows)
        sides = [stats.Moments(a["n"], a["m_mean"], a["m_var"]) for a in (arms["0"], arms["1"])]
        found = stats.difference_of_means(*sides)
        assert isinstance(found, stats.Estimate)
        misses += not found.low <= 0 <= found.high
    assert binomtest(misses, draws, 0.05, alternative="greater").pvalue > 0.001


def test_what_lies_in_days_without_an_arm_does_not_count() -> None:
    rows = [
        {"variant": v, "phase": phase, "n": n, "m_mean": value, "m_var": 4.0}
        for v, phase, n, value in (("a", 0, 500, 9.0), ("a", 1, 100, 1.0), ("b", 1, 100, 2.0))
    ]
    arms = stratified(rows)
    assert {v: (a["n"], a["m_mean"], a["stretch"]) for v, a in arms.items()} == {
        "a": (600, 1.0, 100),
        "b": (100, 2.0, 100),
    }
    assert arms["a"]["m_var"] / 600 == pytest.approx(4.0 / 100)
    none = stratified([rows[0], rows[2]])
    assert {v: a["stretch"] for v, a in none.items()} == {"a": 0, "b": 0}
