"""Arrows of segments: none where nothing moved, found where something did."""

from __future__ import annotations

import numpy as np

from gazette.stats import Estimate
from gazette.workbench._segments import _corrected


def drawn(rng: np.random.Generator, segments: int, *, planted: float = 0.0) -> list[Estimate]:
    """Differences of segments with a standard error of one; the first truly moved by ``planted``."""
    truth = np.zeros(segments)
    truth[0] = planted
    return [Estimate(v, v - 1.96, v + 1.96, 0.95, 1.0, None, 100, "test") for v in rng.normal(truth, 1)]


def arrows(change: list[Estimate], against: list[Estimate]) -> list[str]:
    rows = [(("by", f"{i}"), 100, a, a, b) for i, (a, b) in enumerate(zip(change, against, strict=True))]
    return [arrow for s in _corrected(rows) for arrow in (s.change.arrow, s.against.arrow)]


def test_with_nothing_planted_at_most_one_edition_of_twenty_shows_any_arrow() -> None:
    rng = np.random.default_rng(1)
    rounds = 12000
    shown = sum(any(a != "steady" for a in arrows(drawn(rng, 19), drawn(rng, 19))) for _ in range(rounds))
    assert shown / rounds <= 0.055, "4.9 % and the error of 12000 rounds"
    assert shown > 0, "a test that can fail"


def test_a_planted_degradation_is_found_and_no_other() -> None:
    rng = np.random.default_rng(2)
    found = others = 0
    for _ in range(500):
        seen = arrows(drawn(rng, 19, planted=-6.0), drawn(rng, 19))
        found += seen[0] == "down"
        others += any(a != "steady" for a in seen[1:])
    assert found >= 490
    assert others <= 30
