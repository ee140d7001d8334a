"""The Brier score and the coverage curve: against scikit-learn, by hand, and in series whose truth is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.metrics import brier_score_loss

from gazette.record import NotPublished
from gazette.stats import Estimate, Prediction, score


def series(n: int, seed: int, *, told: float = 1.0, nested: bool = False) -> list[Prediction]:
    """True effects from a flat prior as far as it matters; errors as told where ``told`` is 1, too small where it is below."""
    rng = np.random.default_rng(seed)
    true = rng.uniform(-1, 1, n)
    later = true + rng.normal(0, 0.1, n)
    first = later + rng.normal(0, math.sqrt(0.3**2 - 0.1**2), n) if nested else true + rng.normal(0, 0.3, n)
    return [Prediction(a, 0.3 * told, b, 0.1 * told, nested) for a, b in zip(first, later, strict=True)]


def value(found: Estimate | NotPublished | float) -> float:
    assert not isinstance(found, NotPublished), found
    return found.value if isinstance(found, Estimate) else found


@pytest.mark.parametrize("nested", [False, True])
def test_the_score_is_that_of_scikit_learn_on_the_same_chances(nested: bool) -> None:
    pairs = series(300, 1, nested=nested)
    error = math.sqrt(0.3**2 - 0.1**2) if nested else math.hypot(0.3, 0.1)
    came = [int(p.realised > 0) for p in pairs]
    chances = norm.cdf(np.array([p.promised for p in pairs]) / error)
    found = score(pairs)
    assert value(found.brier) == pytest.approx(brier_score_loss(came, chances))
    assert value(found.reference) == pytest.approx(brier_score_loss(came, np.full(300, np.mean(came))))
    assert value(found.against) == pytest.approx(value(found.brier) - value(found.reference))


def test_by_hand() -> None:
    pairs = [
        Prediction(0.0, 1.0, 2.0, 1.0),
        Prediction(1.0, 0.0, -1.0, 0.0),
    ]  # a half that came true, a certainty that did not
    found = score(pairs)
    assert value(found.brier) == pytest.approx((0.25 + 1.0) / 2)
    assert value(found.reference) == pytest.approx(0.25)


@pytest.mark.parametrize("nested", [False, True])
def test_honest_promises_are_calibrated_and_hold_as_often_as_they_say(nested: bool) -> None:
    pairs = series(20_000, 2, nested=nested)
    for low in np.arange(0.0, 1.0, 0.2):
        some = [p for p in pairs if low <= p.better < low + 0.2]
        said, came = np.mean([p.better for p in some]), np.mean([p.realised > 0 for p in some])
        assert said == pytest.approx(came, abs=4 * 0.5 / math.sqrt(len(some)) + 0.02), low
    found = score(pairs)
    assert [level for level, _ in found.curve] == [0.5, 0.8, 0.9, 0.95]
    for level, held in found.curve:
        assert value(held) == pytest.approx(level, abs=4 * math.sqrt(level * (1 - level) / 20_000))
    assert not isinstance(found.against, NotPublished)
    assert found.against.high < 0


def test_too_certain_promises_score_worse_and_hold_less_often_at_every_level() -> None:
    honest, boast = score(series(3000, 3)), score(series(3000, 3, told=0.2))
    assert value(boast.brier) > value(honest.brier)
    for (level, ours), (_, theirs) in zip(honest.curve, boast.curve, strict=True):
        assert not isinstance(theirs, NotPublished)
        assert not isinstance(ours, NotPublished)
        assert theirs.high < level < ours.high


def test_without_outcomes_or_with_all_alike_there_is_a_reason() -> None:
    for pairs in ([], series(1, 4)):
        found = score(pairs)
        assert isinstance(found.brier, NotPublished)
        assert isinstance(found.reference, NotPublished)
    alike = score([Prediction(0.1, 0.01, 0.1, 0.01), Prediction(0.2, 0.01, 0.1, 0.01)])
    assert value(alike.brier) == pytest.approx(0.0, abs=1e-9)
    assert alike.reference == NotPublished(reason="all of them came out on the same side of zero")
    certain = [Prediction(x, 0.0, 0.1, 0.0).better for x in (-0.1, 0.0, 0.1)]
    assert certain == [0.0, 0.5, 1.0]
