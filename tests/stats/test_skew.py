"""Means of skewed values: against what repeated samples of a known distribution do, against Johnson (1978), and against themselves."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from gazette import stats
from gazette.recompute._arithmetic import Arm, difference, ratio_change, skewness, student
from gazette.record import NotPublished
from gazette.stats import Estimate, Moments
from gazette.stats._skew import of_difference, shape, straight, unstraight

RUNS = 2000


def moments(x: np.ndarray) -> Moments:
    return Moments(len(x), float(x.mean()), float(x.var(ddof=1)), float(scipy_stats.moment(x, 3)))


def arms(rng: np.random.Generator, n: int, draw: str, times: float = 1.0) -> list[Moments]:
    """Samples of one size; of revenue one in ten has any."""
    if draw == "gamma":
        x = rng.gamma(0.5, 2.0, (RUNS, n))
    else:
        x = np.exp(rng.normal(size=(RUNS, n)) * (2.0 if draw == "revenue" else 1.0)) * (rng.random((RUNS, n)) < 0.1)
    x = x * times
    off = x - x.mean(axis=1, keepdims=True)
    rows = zip(x.mean(axis=1), x.var(axis=1, ddof=1), (off**3).mean(axis=1), strict=True)
    return [Moments(n, *map(float, row)) for row in rows]


def missed(found: list[Estimate | NotPublished], true: float) -> tuple[float, float]:
    """Share of samples that say something wrong, and of those that say anything."""
    kept = [e for e in found if isinstance(e, Estimate)]
    wrong = sum(not e.low <= true <= e.high for e in kept)
    return wrong / len(found), len(kept) / len(found)


@given(st.floats(-40, 40), st.floats(-3, 3))
def test_a_statistic_bends_and_unbends(t: float, skew: float) -> None:
    assert unstraight(straight(t, skew), skew) == pytest.approx(t, abs=1e-5)
    assert straight(t + 1e-3, skew) >= straight(t, skew), "which keeps the order of statistics"


def test_the_bend_is_johnson_s_for_one_mean() -> None:
    """Johnson (1978), eq. 2.8: (mean - mu + m3 / (6 s^2 n) + m3 (mean - mu)^2 / (3 s^4)) sqrt(n) / s, of which ours has one term more."""
    n, gap, s, m3 = 40, -0.3, 1.3, 2.5
    johnson = (gap + m3 / (6 * s**2 * n) + m3 / (3 * s**4) * gap**2) * math.sqrt(n) / s
    skew, t = m3 / s**3 / math.sqrt(n), gap * math.sqrt(n) / s
    assert straight(t, skew) - skew**2 * t**3 / 27 == pytest.approx(johnson, rel=1e-12)


@pytest.mark.parametrize(("n", "m"), [(900, 100), (100, 900)])
def test_the_bend_follows_what_repeated_samples_do(n: int, m: int) -> None:
    """The statistic's own 2.5 and 97.5 % points over samples of gamma values, whose skewness is known: 2 / sqrt(0.5)."""
    rng = np.random.default_rng(8)
    a, b = (rng.gamma(0.5, 2.0, (6_000, k)) for k in (n, m))
    square = a.var(axis=1, ddof=1) / n + b.var(axis=1, ddof=1) / m
    t = (b.mean(axis=1) - a.mean(axis=1)) / np.sqrt(square)
    skew = 2 / math.sqrt(0.5) * (1 / m**2 - 1 / n**2) / (1 / n + 1 / m) ** 1.5
    seen = np.quantile(t, [0.025, 0.975])
    bent = [unstraight(z, skew) for z in (-1.97, 1.97)]
    assert bent == pytest.approx(seen, abs=0.1)
    assert abs(abs(seen[0]) - abs(seen[1])) > 0.4, "Welch's are even"


@pytest.mark.parametrize(
    ("n", "m", "draw", "before"),
    [
        (900, 100, "gamma", 0.06),
        (1800, 200, "orders", 0.08),
        (1800, 200, "revenue", 0.14),
        (200, 1800, "revenue", 0.14),
    ],
)
def test_no_effect_of_skewed_values_in_unequal_arms_is_called_one_as_often_as_planned(
    n: int, m: int, draw: str, before: float
) -> None:
    rng = np.random.default_rng(20261124)
    pairs = [*zip(arms(rng, n, draw), arms(rng, m, draw), strict=True)]
    pairs = [(a, b) for a, b in pairs if a.variance > 0 and b.variance > 0]
    wrong, kept = missed([stats.difference_of_means(a, b) for a, b in pairs], 0.0)
    assert wrong < 0.055
    assert (kept < 0.5) == (draw == "revenue"), "which is mostly withheld: a few users hold it"
    plain = [stats.difference_of_means(Moments(a.n, a.mean, a.variance), Moments(b.n, b.mean, b.variance)) for a, b in pairs]  # fmt: skip
    assert missed(plain, 0.0)[0] > before, "which the simulation would show"


@pytest.mark.parametrize(("n", "m"), [(1800, 200), (200, 1800), (1000, 1000)])
def test_a_true_change_of_skewed_values_is_held(n: int, m: int) -> None:
    """Treatment is 1.3 times the control."""
    rng = np.random.default_rng(5)
    pairs = [*zip(arms(rng, n, "orders"), arms(rng, m, "orders", 1.3), strict=True)]
    for f, true in ((stats.difference_of_means, 0.03 * math.exp(0.5)), (stats.relative_difference, 0.3)):
        wrong, kept = missed([f(a, b) for a, b in pairs], true)
        assert wrong < 0.06
        assert kept > 0.75 or (n < m and f is stats.relative_difference), "a control of 200 may be nought"


@pytest.mark.parametrize(("n", "draw"), [(200, "orders"), (1000, "orders"), (200, "revenue")])
def test_the_mean_of_an_arm_is_held_or_withheld(n: int, draw: str) -> None:
    rng = np.random.default_rng(6)
    true = 0.1 * math.exp(2.0 if draw == "revenue" else 0.5)
    pairs = [*zip(arms(rng, n, draw), arms(rng, 1800, draw), strict=True)]
    wrong, kept = missed([stats.mean(a, beside=[b]) for a, b in pairs], true)
    assert wrong < 0.055
    assert (kept < 0.3) == (draw == "revenue")
    plain, _ = missed([stats.mean(Moments(a.n, a.mean, a.variance)) for a, _ in pairs], true)
    assert plain > (0.3 if draw == "revenue" else 0.055)


def test_what_is_withheld_says_how_many_it_takes() -> None:
    rng = np.random.default_rng(1)
    values = np.concatenate([rng.gamma(2, 1, 1999), [5000.0]])
    found = stats.difference_of_means(moments(values), moments(rng.gamma(2, 1, 150)))
    assert isinstance(found, NotPublished)
    assert "150 in an arm say too little" in found.reason
    assert "a cap on the metric" in found.reason


@given(
    st.integers(2, 10**6), st.integers(2, 10**6), st.floats(-5, 5), st.floats(0.1, 5), st.floats(0.1, 5),
    st.floats(-0.8, 0.8), st.floats(1.0, 5)
)  # fmt: skip
def test_both_computations_bend_alike_and_no_range_contradicts_another(
    n: int, m: int, gap: float, va: float, vb: float, skew: float, critical: float
) -> None:
    third = skew * min(n, m) ** 0.5 * ((va + vb) / 2) ** 1.5
    sides = (n, 10.0, va, third), (m, 10.0 + gap * math.sqrt(va / n + vb / m), vb, third)
    first, second = [Moments(*s) for s in sides], [Arm(*s) for s in sides]
    assert skewness(second) == pytest.approx(shape(*first), rel=1e-12)
    here, there = stats.difference_of_means(*first, critical=critical), difference(*second, critical)  # type: ignore[arg-type]
    change, again = stats.relative_difference(*first, critical=critical), ratio_change(*second, critical)  # type: ignore[arg-type]
    if isinstance(here, Estimate):
        assert (there.low, there.high) == pytest.approx((here.low, here.high), rel=1e-6, abs=1e-9)
        assert here.low <= here.high
        near = min(abs(here.low), abs(here.high)) < 1e-6
        assert near or here.z is None or (abs(here.z) > critical) == (here.low > 0 or here.high < 0)
        if isinstance(change, Estimate):
            assert (again.low, again.high) == pytest.approx((change.low, change.high), rel=1e-6, abs=1e-9)
            assert near or (change.low > 0, change.high < 0) == (here.low > 0, here.high < 0)
    own, mine = stats.mean(first[0], beside=first[1:]), student(n, 10.0, math.sqrt(va), skewed=skewness(second))
    if isinstance(own, Estimate):
        assert (mine.low, mine.high) == pytest.approx((own.low, own.high), rel=1e-6)


def test_equal_arms_are_not_bent() -> None:
    rng = np.random.default_rng(2)
    a, b = moments(rng.gamma(1, 1, 500)), moments(rng.gamma(1, 1, 500))
    assert of_difference(a, b) == 0
    plain = stats.difference_of_means(Moments(a.n, a.mean, a.variance), Moments(b.n, b.mean, b.variance))
    assert stats.difference_of_means(a, b) == plain
