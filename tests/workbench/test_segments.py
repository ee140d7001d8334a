"""Arrows of measures and segments: of an edition at their rate where nothing moved, found where something did."""

from __future__ import annotations

import numpy as np

from gazette import monitoring
from gazette.monitoring import Ranged, Spread
from gazette.workbench._segments import Comparison

MODELS = 3


def drawn(rng: np.random.Generator, segments: int, *, planted: float = 0.0) -> list[Ranged]:
    """Differences of segments with a standard error of one on 40 rows; the first truly moved by ``planted``."""
    truth = np.zeros(segments)
    truth[0] = planted
    values, errors = rng.normal(truth, 1), np.sqrt(rng.chisquare(39, segments) / 39)
    found = [monitoring.difference(float(v), Spread(40, 40 * e**2)) for v, e in zip(values, errors, strict=True)]
    return [e for e in found if isinstance(e, Ranged)]


def arrows(change: list[Ranged]) -> list[str]:
    return [Comparison(e).arrow for e in monitoring.together(change, monitoring.RATE / MODELS)]


def test_with_nothing_planted_at_most_one_edition_of_twenty_shows_any_arrow() -> None:
    rng, rounds = np.random.default_rng(2), 600
    shown = sum(any(a != "steady" for _ in range(MODELS) for a in arrows(drawn(rng, 12))) for _ in range(rounds))
    assert 0 < shown / rounds <= 0.07, "5 % and twice the error of 600 rounds"


def test_a_planted_degradation_is_found_and_no_other() -> None:
    rng = np.random.default_rng(2)
    found = others = 0
    for _ in range(300):
        seen = arrows(drawn(rng, 12, planted=-7.0))
        found += seen[0] == "down"
        others += any(a != "steady" for a in seen[1:])
    assert found >= 294
    assert others <= 18
