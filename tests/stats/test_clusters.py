"""Ratios of sums over few units of unequal size: against R's clubSandwich, against repeated samples, and against the second computation."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rows import _users

from gazette import stats
from gazette.recompute._arithmetic import Arm, difference, ratio_change, student, uneven
from gazette.record import NotPublished
from gazette.stats import Estimate, Joint, Moments


def joints(x: np.ndarray, y: np.ndarray, *, powers: bool = True) -> list[Joint]:
    """Sums and sizes as a build keeps them, of samples in rows."""
    n = x.shape[1]
    a, b = (v - v.mean(axis=1, keepdims=True) for v in (x, y))

    def mean(*factors: np.ndarray) -> list[float]:
        return np.prod(factors, axis=0).mean(axis=1).tolist()

    whole = n / (n - 1)
    columns = mean(x), mean(a, a), mean(a, a, a), mean(y), mean(b, b), mean(b, b, b), mean(a, b), mean(a, a, b), mean(a, b, b), mean(y, y, y, y), mean(y, y, y, y, y)  # fmt: skip
    return [
        Joint(
            Moments(n, c[0], c[1] * whole, c[2]),
            Moments(n, c[3], c[4] * whole, c[5]),
            c[6] * whole,
            None,
            c[7:9],
            c[9:] if powers else None,
        )
        for c in zip(*columns, strict=True)
    ]


def joint(x: np.ndarray, y: np.ndarray, *, powers: bool = True) -> Joint:
    return joints(x[None], y[None], powers=powers)[0]


def again(x: np.ndarray, y: np.ndarray) -> Arm:
    """The second computation's."""
    rest, share = (x - x.sum() / y.sum() * y) / y.mean(), y / y.sum()
    arm = Arm(len(x), float(x.sum() / y.sum()), float(rest.var(ddof=1)), float((rest**3).mean()))
    return uneven(arm, [float((share**k).sum()) for k in range(2, 7)])


# R 4, clubSandwich: coef_test(f <- lm(m ~ 0 + arm, weights = n), vcov = vcovCR(f, cluster = id, type = "CR0"), test = "Satterthwaite")
OF_R = (
    (
        [12, 30, 7, 55, 21, 9, 80, 16],
        [9.1, 10.4, 7.2, 11.0, 9.9, 12.3, 10.1, 8.7],
        10.1843478261,
        0.263316998358,
        2.30973172660,
    ),
    ([25, 14, 41, 6, 33, 18], [10.9, 12.2, 9.5, 13.0, 11.4, 10.2], 10.7343065693, 0.447530860455, 2.96515219721),
)


@pytest.mark.parametrize(("sizes", "means", "value", "error", "freedom"), OF_R)
def test_degrees_are_those_of_clubsandwich(
    sizes: list[float], means: list[float], value: float, error: float, freedom: float
) -> None:
    y = np.array(sizes, dtype=float)
    found = stats.ratio(joint(np.array(means) * y, y))
    assert (found.mean, found.freedom) == pytest.approx((value, freedom), rel=1e-9)
    share = y / y.sum()
    residual = np.eye(len(y)) - np.outer(np.ones(len(y)), share)
    expected = np.trace(np.diag(share) @ residual @ residual.T @ np.diag(share)) / (share**2).sum()
    assert math.sqrt(found.variance / found.n) == pytest.approx(error / math.sqrt(expected), rel=1e-9)


def test_units_of_one_size_are_a_plain_mean() -> None:
    x = np.random.default_rng(1).normal(5, 2, 12)
    found = stats.ratio(joint(x, np.full(12, 4.0)))
    assert found.freedom == pytest.approx(11, rel=1e-9)
    assert found.variance == pytest.approx((x / 4).var(ddof=1), rel=1e-9)


def test_an_edition_that_kept_no_powers_is_read_as_it_was() -> None:
    rng = np.random.default_rng(2)
    x, y = rng.normal(5, 1, 9), rng.gamma(2, 3, 9)
    found = stats.ratio(joint(x, y, powers=False))
    rest = (x - x.sum() / y.sum() * y) / y.mean()
    assert (found.variance, found.freedom) == (pytest.approx(rest.var(ddof=1)), None)


@settings(max_examples=20)
@given(st.integers(0, 10**6), st.integers(4, 40), st.integers(4, 40), st.floats(0.1, 1.5))
def test_both_computations_agree(seed: int, n: int, m: int, spread: float) -> None:
    rng = np.random.default_rng(seed)
    sides = []
    for k in (n, m):
        y = np.exp(spread * rng.normal(size=k)) * 20
        sides.append((y * rng.normal(10, 1, k), y))
    ours, theirs = [stats.ratio(joint(*s)) for s in sides], [again(*s) for s in sides]
    for one, other in zip(ours, theirs, strict=True):
        assert one.freedom == pytest.approx(other.freedom, rel=1e-6)
        found = stats.mean(one)
        if isinstance(found, Estimate) and other.variance is not None:
            second = student(other.n, other.mean, math.sqrt(other.variance), freedom=other.freedom)
            assert found.standard_error == pytest.approx(second.error, rel=1e-6)
    for first, second in (
        (stats.difference_of_means(*ours), difference(*theirs, 1.959964)),
        (stats.relative_difference(*ours), ratio_change(*theirs, 1.959964)),
    ):
        if isinstance(first, Estimate):
            assert (first.low, first.high) == pytest.approx((second.low, second.high), rel=1e-5, abs=1e-6)


@pytest.mark.parametrize(("sizes", "there"), [([5, 5], False), ([5, 5, 5], True), ([500, 5, 5, 5, 5, 5], False)])
def test_too_few_or_too_unequal_units_are_withheld_with_what_it_takes(sizes: list[float], *, there: bool) -> None:
    rng = np.random.default_rng(4)
    y, z = np.array(sizes, dtype=float), np.full(20, 5.0)
    few, many = (stats.ratio(joint(v * rng.normal(10, 1, len(v)), v)) for v in (y, z))
    for found in (stats.difference_of_means(many, few), stats.relative_difference(many, few), stats.mean(few)):
        assert isinstance(found, Estimate) == there
        assert there or (isinstance(found, NotPublished) and "worth 3 units of one size" in found.reason)


@pytest.mark.parametrize(("arms", "before"), [((5, 5), 0.08), ((10, 10), 0.07), ((20, 20), 0.06), ((18, 2), 0.14)])
def test_no_effect_on_clusters_of_unequal_size_is_called_one_as_often_as_planned(
    arms: tuple[int, int], before: float
) -> None:
    rng, runs = np.random.default_rng(20261130), 1000
    drawn = [_users.clusters(rng, (runs, k)) for k in arms]

    def wrong(*, powers: bool) -> tuple[int, int]:
        sides = [[stats.ratio(j) for j in joints(d["value"], d["den"], powers=powers)] for d in drawn]
        if not powers:
            sides = [[replace(m, third=None) for m in side] for side in sides]
        found = [stats.difference_of_means(*pair) for pair in zip(*sides, strict=True)]
        told = [e for e in found if isinstance(e, Estimate)]
        return sum(not e.low <= 0 <= e.high for e in told), len(told)

    errs, told = wrong(powers=True)
    assert errs <= 0.055 * told
    assert (told > runs / 2) == (min(arms) >= 10)
    assert wrong(powers=False)[0] > before * runs, "which the simulation would show"
