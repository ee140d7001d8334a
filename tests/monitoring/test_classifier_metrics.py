from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from gazette import monitoring
from gazette.record import NotPublished
from gazette.stats import Estimate


def placements(labels: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Slow and plain: for each positive the share of negatives below it (ties half), and the other way round."""
    positive, negative = scores[labels], scores[~labels]
    wins = (positive[:, None] > negative[None, :]) + 0.5 * (positive[:, None] == negative[None, :])
    return wins.mean(axis=1), wins.mean(axis=0)


def sample(n: int, seed: int, shift: float = 0.8) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = rng.random(n) < 0.3
    scores = (rng.normal(0, 1, n) + shift * labels).round(1)
    return labels, scores, scores + rng.normal(0, 0.5, n).round(1)


def test_auc_is_scikit_learn_s_with_ties() -> None:
    labels, scores, _ = sample(800, 1)
    up, down = placements(labels, scores)
    found = monitoring.auc(len(up), len(down), float(up.mean()), float(up.var(ddof=1)), float(down.var(ddof=1)))
    assert isinstance(found, Estimate)
    assert found.value == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)
    assert 0 < found.low < found.value < found.high < 1


def test_auc_covers_its_truth_in_simulation() -> None:
    # Truth of two unit normals shifted by d: Phi(d / sqrt 2), here 0.7602 for d = 1 before rounding to tenths.
    hits, rounds = 0, 300
    for seed in range(rounds):
        labels, scores, _ = sample(300, seed + 100, 1.0)
        up, down = placements(labels, scores)
        found = monitoring.auc(len(up), len(down), float(up.mean()), float(up.var(ddof=1)), float(down.var(ddof=1)))
        assert isinstance(found, Estimate)
        hits += found.low <= 0.7602 <= found.high
    assert hits / rounds > 0.91


def test_a_paired_difference_is_narrower_than_one_of_independent_samples() -> None:
    labels, first, second = sample(1000, 5)
    (a, b), (c, d) = placements(labels, first), placements(labels, second)
    paired = monitoring.auc_difference(
        len(a), len(b), float((a - c).mean()), float((a - c).var(ddof=1)), float((b - d).var(ddof=1))
    )
    apart = [
        monitoring.auc(len(u), len(v), float(u.mean()), float(u.var(ddof=1)), float(v.var(ddof=1)))
        for u, v in ((a, b), (c, d))
    ]
    assert isinstance(paired, Estimate)
    assert paired.value == pytest.approx(roc_auc_score(labels, first) - roc_auc_score(labels, second), abs=1e-12)
    assert paired.standard_error < np.hypot(*(e.standard_error for e in apart if isinstance(e, Estimate)))


@pytest.mark.parametrize("arguments", [(1, 50, 0.7, 0.1, 0.1), (50, 0, 0.7, 0.1, 0.1), (50, 50, 1.0, 0.0, 0.0)])
def test_too_little_to_tell_says_why(arguments: tuple[int, int, float, float, float]) -> None:
    assert isinstance(monitoring.auc(*arguments), NotPublished)


def test_versions_that_rank_alike_have_no_difference_to_test() -> None:
    assert isinstance(monitoring.auc_difference(50, 50, 0.0, 0.0, 0.0), NotPublished)


def test_calibration_error_of_the_textbook_case() -> None:
    assert monitoring.calibration_error([(100, 0.15, 15), (100, 0.85, 75)]) == pytest.approx(0.05)
    assert isinstance(monitoring.calibration_error([]), NotPublished)
