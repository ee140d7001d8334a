"""Against gbstats, an engine written by others for the same job."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from gbstats.frequentist.tests import (
    FrequentistConfig,
    SequentialConfig,
    SequentialTwoSidedTTest,
    TwoSidedTTest,
)
from gbstats.models.statistics import ProportionStatistic, RatioStatistic, SampleMeanStatistic

from gazette.stats import Design, Estimate, Joint, Moments, always_valid_p, compare, difference_of_means, ratio

ABSOLUTE: dict[str, Any] = {"difference_type": "absolute"}


def of(x: np.ndarray) -> Moments:
    return Moments(len(x), float(x.mean()), float(x.var(ddof=1)))


def theirs(x: np.ndarray) -> SampleMeanStatistic:
    return SampleMeanStatistic(n=len(x), sum=float(x.sum()), sum_squares=float((x**2).sum()))


def agree(mine: Any, other: Any, rel: float = 1e-9) -> None:
    assert isinstance(mine, Estimate)
    assert mine.value == pytest.approx(other.expected, rel=rel)
    assert [mine.low, mine.high] == pytest.approx(other.ci, rel=rel)


@pytest.fixture
def samples() -> list[np.ndarray]:
    rng = np.random.default_rng(1)
    return [rng.gamma(2, 5, 700), rng.gamma(2.2, 5, 900)]


def test_means(samples: list[np.ndarray]) -> None:
    found = TwoSidedTTest(*(theirs(x) for x in samples), FrequentistConfig(**ABSOLUTE)).compute_result()
    mine = difference_of_means(*(of(x) for x in samples))
    agree(mine, found)
    assert isinstance(mine, Estimate)
    assert mine.p_value == pytest.approx(found.p_value, rel=1e-9)


def test_ratios(samples: list[np.ndarray]) -> None:
    rng = np.random.default_rng(2)
    statistics, joints = [], []
    for x in samples:
        y = rng.poisson(3, len(x)) + 1.0
        m = x * y
        joints.append(Joint(of(m), of(y), float(np.cov(m, y)[0, 1])))
        statistics.append(
            RatioStatistic(
                n=len(x), m_statistic=theirs(m), d_statistic=theirs(y), m_d_sum_of_products=float((m * y).sum())
            )
        )
    found = TwoSidedTTest(*statistics, FrequentistConfig(**ABSOLUTE)).compute_result()
    agree(difference_of_means(*(ratio(j) for j in joints)), found)


@pytest.mark.parametrize(
    ("a", "b", "n", "tuning"), [(1463, 1569, 62500, 125000), (1463, 1650, 62500, 5000), (40, 70, 900, 2000)]
)
def test_the_confidence_sequence(a: int, b: int, n: int, tuning: int) -> None:
    found = SequentialTwoSidedTTest(
        ProportionStatistic(n=n, sum=a),
        ProportionStatistic(n=n, sum=b),
        SequentialConfig(**ABSOLUTE, sequential_tuning_parameter=tuning),
    ).compute_result()
    arms = [Moments(n, x / n, x / n * (1 - x / n)) for x in (a, b)]
    design = Design(method="confidence-sequence", alpha=0.05, units=2 * n, tightest=tuning)
    mine = compare(arms[0], arms[1], design, proportion=True).difference
    assert isinstance(mine, Estimate)
    assert mine.value == pytest.approx(found.expected, rel=1e-9)
    z = mine.value / math.sqrt(sum(m.variance / m.n for m in arms))
    half = (mine.high - mine.low) / 2
    assert [mine.low, mine.high] == pytest.approx(found.ci, abs=0.05 * half), "ours inverts the score, theirs is Wald's"
    assert mine.z == pytest.approx(z, rel=0.01)
    assert half == pytest.approx(design.critical() * mine.value / z, rel=0.03)
    assert always_valid_p(z, 2 * n, n_star=tuning) == pytest.approx(found.p_value, rel=1e-7)
