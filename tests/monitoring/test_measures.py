"""Ranges of measures where little stands behind them: against statsmodels and scipy, in simulation, and what is said where there is none."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from scarce import influences, made, spread_of
from scipy import stats as scipy_stats
from sklearn import metrics as sk
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import confint_proportions_2indep

from gazette import monitoring
from gazette.monitoring import Bare, Ranged, Spread
from gazette.record import NotPublished
from gazette.stats import Estimate

BASE, THRESHOLD = -4.5, 0.03  # 1.7 % of rows are positive


def test_influences_of_the_simulation_are_those_of_scikit_learn_and_of_delong() -> None:
    y, (s, _) = made(np.random.default_rng(1), 400, -1.0)
    found = influences(y, s, 0.4)
    assert found["auc"][0] == pytest.approx(sk.roc_auc_score(y, s))
    assert found["pr-auc"][0] == pytest.approx(sk.average_precision_score(y, s))
    ones, noughts = s[y == 1], s[y == 0]
    wins = (ones[:, None] > noughts[None, :]).astype(float)
    delong = wins.mean(1).var(ddof=1) / len(ones) + wins.mean(0).var(ddof=1) / len(noughts)  # DeLong 1988, equation 5
    assert spread_of(found["auc"][1]).error ** 2 == pytest.approx(delong, rel=0.02)
    moved = []
    for i in range(40):  # what leaving a row out does, the jackknife
        kept = np.arange(400) != i
        moved.append(399 * (found["pr-auc"][0] - sk.average_precision_score(y[kept], s[kept])))
    assert np.corrcoef(moved, found["pr-auc"][1][:40])[0, 1] > 0.99


def test_degrees_are_those_of_a_variance_with_this_kurtosis() -> None:
    rng = np.random.default_rng(2)
    few = (rng.random(2000) < 0.01) * 1.0
    found = spread_of(few - few.mean())
    assert found.freedom == pytest.approx(2 * 2000 / (scipy_stats.kurtosis(few, fisher=False) - 1), rel=0.01)
    variances = [((rng.random(2000) < 0.01) * 1.0).var(ddof=1) for _ in range(2000)]
    assert found.freedom == pytest.approx(2 * np.mean(variances) ** 2 / np.var(variances), rel=0.35)
    assert Spread(30, 1.0, 1.0).freedom == 29
    assert Spread(30, 1.0).freedom == 29  # editions before kept no fourth power


def test_the_change_of_a_share_is_newcombes_as_in_statsmodels() -> None:
    after, before = monitoring.share(9, 40, "x"), monitoring.share(3, 50, "x")
    found = monitoring.independent_difference(after, before)
    low, high = confint_proportions_2indep(9, 40, 3, 50, method="newcomb", compare="diff", correction=False)
    assert isinstance(found, Ranged)
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-9)
    (tested,) = monitoring.together([found], 0.05)
    assert tested.p_value is not None
    at = found.at_error(tested.p_value)
    assert min(abs(at.low), abs(at.high)) < 1e-7  # p is where the range reaches nought


def week(rng: np.random.Generator, n: int, base: float = BASE) -> tuple[dict[str, Any], dict[str, Any], float | None]:
    """Levels, differences to the version before, and half of the normal range of AUC."""
    y, scores = made(rng, n, base)
    one, other = (influences(y, s, THRESHOLD) for s in scores)
    shares = {"recall": round(one["recall"][0] * y.sum())} if "recall" in one else {}
    levels: dict[str, Any] = {m: monitoring.share(hits, int(y.sum()), "positive") for m, hits in shares.items()}
    means = {m: one[m] for m in one if m not in {"recall", "precision"}}
    levels |= {m: monitoring.level(m, v, spread_of(i, y)) for m, (v, i) in means.items()}
    gaps = {
        m: monitoring.difference(one[m][0] - other[m][0], spread_of(one[m][1] - other[m][1], y))
        for m in {*one} & {*other}
    }
    return levels, gaps, 1.96 * spread_of(one["auc"][1]).error if "auc" in one else None


def test_ranges_cover_and_arrows_stay_away_at_few_positives() -> None:
    """400 weeks of 600 rows, about ten of them positive, where DeLong's normal range covers 88 of 100; bench/measures.py has the long form."""
    rng = np.random.default_rng(3)
    y, scores = made(rng, 300_000, BASE)
    truth, before = ({m: v for m, (v, _) in influences(y, s, THRESHOLD).items()} for s in scores)
    weeks = [week(rng, 600) for _ in range(400)]
    covered = [
        abs(e["auc"].value - truth["auc"]) <= half
        for e, _, half in weeks
        if half and not isinstance(e["auc"], NotPublished)
    ]
    assert np.mean(covered) < 0.91
    for m in truth:
        kinds = [
            (
                "paired",
                [
                    g.low <= truth[m] - before[m] <= g.high
                    for _, gaps, _ in weeks
                    if isinstance(g := gaps.get(m), Estimate)
                ],
            )
        ]
        if m != "precision":
            levels = [e.get(m, NotPublished(reason="none")) for e, _, _ in weeks]
            kinds.append(("level", [e.low <= truth[m] <= e.high for e in levels if isinstance(e, Estimate)]))
            changes = [monitoring.independent_difference(a, b) for a, b in pairwise(levels)]
            shown = [c.low > 0 or c.high < 0 for c in changes if isinstance(c, Estimate)]
            assert np.mean(shown) <= 0.065, m
        for kind, found in kinds:
            assert len(found) > 150, f"{m}, {kind}"
            assert np.mean(found) >= 0.92, f"{m}, {kind}"


def test_below_ten_of_a_class_there_is_a_value_and_what_is_missing() -> None:
    found = monitoring.level("auc", 0.7, Spread(500, 0.4, 2.0, classes=(7, 493)))
    assert found == Bare(0.7, 500, "7 positive rows, and a range needs 10 of either class")
    other = monitoring.level("auc", 0.71, Spread(500, 0.4, 2.0, classes=(40, 460)))
    for after, before, words in (
        (found, other, "too little to compare: 7 positive"),
        (other, found, "nothing to compare"),
    ):
        gap = monitoring.independent_difference(after, before)
        assert isinstance(gap, NotPublished)
        assert words in gap.reason
    paired = monitoring.difference(0.1, Spread(500, 0.4, 2.0, classes=(7, 493)))
    assert isinstance(paired, NotPublished)
    assert "7 positive" in paired.reason


def test_of_a_mean_too_few_rows_may_carry_all() -> None:
    hit = np.zeros(300)
    hit[:3] = 1.0
    found = monitoring.level("ndcg-5", 0.01, spread_of(hit - 0.01))
    assert isinstance(found, Bare)
    assert "make the difference" in found.reason


def test_arrows_looked_at_together_are_those_of_benjamini_and_hochberg() -> None:
    rng = np.random.default_rng(5)
    for _ in range(50):
        values = rng.normal(0, 1, 12) + (rng.random(12) < 0.3) * 4
        family = [monitoring.difference(float(v), Spread(40, 40.0)) for v in values]
        wide = monitoring.together([e for e in family if isinstance(e, Ranged)], 0.05)
        p_values = [e.p_value for e in wide]
        assert p_values == pytest.approx(2 * scipy_stats.t.sf(np.abs(values), 39), rel=1e-5)
        chosen = multipletests(p_values, 0.05, "fdr_bh")[0]
        assert [e.low > 0 or e.high < 0 for e in wide] == [*chosen]
        assert len({e.level for e in wide}) == 1
    assert monitoring.together([], 0.05) == []


@pytest.mark.parametrize(
    ("measure", "value", "spread", "reason"),
    [
        ("auc", 0.7, Spread(0, 0.1), "no rows"),
        ("auc", None, Spread(50, None), "one class only"),
        ("auc", 1.0, Spread(50, 0.0), "perfectly"),
        ("log-loss", 0.7, Spread(1, None), "too few"),
    ],
)
def test_too_little_to_tell_says_why(measure: str, value: float | None, spread: Spread, reason: str) -> None:
    found = monitoring.level(measure, value, spread)
    assert isinstance(found, NotPublished)
    assert reason in found.reason


def test_versions_that_treat_rows_alike_have_no_difference_to_test() -> None:
    assert isinstance(monitoring.difference(0.0, Spread(50, 0.0)), NotPublished)
