"""Rows about many tests together: the portfolio's corrected sum, sensitivities learnt from the past."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
from gazette import stats
from gazette.stats import Estimate
from gazette.translation import Learnt, Past, learn
from rows._row import Row, row

__all__ = ["EFFECTS", "jobs", "portfolio"]

PART = "Many tests together"
EFFECTS: dict[str, Callable[[np.random.Generator, int], np.ndarray]] = {
    "normal": lambda rng, n: rng.normal(0.001, 0.004, n),
    "none at all": lambda rng, n: np.zeros(n),
    "all alike": lambda rng, n: np.full(n, 0.003),
    "Student, 3 degrees": lambda rng, n: 0.001 + 0.003 * rng.standard_t(3, n),
    "one in ten large": lambda rng, n: np.where(
        rng.random(n) < 0.1, rng.normal(0.0, 0.02, n), rng.normal(0.0, 0.001, n)
    ),
    "one in twenty very large": lambda rng, n: np.where(
        rng.random(n) < 0.05, rng.normal(0.03, 0.01, n), rng.normal(0.0, 0.001, n)
    ),
}


def portfolio(runs: int, kind: str, tests: int, before: float | None = None) -> list[Row]:
    """Sums of tests that were shipped as they looked good: whether the corrected range holds what they brought."""
    rng, held, bias, naive = np.random.default_rng(38), [], [], []
    for _ in range(runs):
        errors = rng.uniform(0.003, 0.006, tests)
        true = EFFECTS[kind](rng, tests)
        seen = true + rng.normal(0, errors)
        chosen = seen > 1.2 * errors
        if not chosen.any():
            continue
        prior = stats.fit_prior(seen.tolist(), errors.tolist())
        found = stats.total(seen[chosen].tolist(), errors[chosen].tolist(), prior)
        truth = float(true[chosen].sum())
        held.append(found.low <= truth <= found.high if isinstance(found, Estimate) else None)
        if isinstance(found, Estimate):
            bias.append(found.value - truth)
            naive.append(float(seen[chosen].sum()) - truth)
    left = np.mean(bias) / np.mean(naive)
    what = f"sum of shipped tests, {tests} decided, effects: {kind} (of the winner's curse {100 * left:.0f} % left)"
    return [row(PART, what, "covers", held, before=before)]


def learnt(runs: int, *, significant: bool, n: int = 12) -> list[Row]:
    """A slope learnt from past tests; of all of them, or of those alone whose technical change is told from nought."""
    rng, held, slopes = np.random.default_rng(39), [], []
    for _ in range(runs):
        past: list[Past] = []
        while len(past) < n:
            true, s, r = rng.normal(0, 0.01), 0.006, 0.006
            x, y = true + s * rng.normal(), true + r * rng.normal()
            if not significant or abs(x) > 1.96 * s:
                past.append(Past(str(len(past)), float(x), s, float(y), r))
        found = learn(past)
        held.append(found.low <= 1.0 <= found.high if isinstance(found, Learnt) else None)
        slopes += [found.slope] if isinstance(found, Learnt) else []
    which = "those alone whose change is significant" if significant else "all tests"
    what = f"slope learnt from {n} tests, {which} (mean {np.mean(slopes):.2f} of 1)"
    return [row(PART, what, "covers", held, nominal=0.8, before=0.0 if significant else None)]


def jobs(scale: float) -> Iterator[partial[list[Row]]]:
    """All rows of this part."""
    runs = max(50, round(1000 * scale))
    for kind in EFFECTS:
        for tests in (10, 40, 100):
            yield partial(portfolio, runs, kind, tests, 0.75 if "large" in kind else None)
    for significant in (False, True):
        yield partial(learnt, runs, significant=significant)
