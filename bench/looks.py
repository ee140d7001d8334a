"""A longer simulation than the tests run: errors and power over 21 daily looks, by design. Usage: python bench/looks.py [RUNS]"""

from __future__ import annotations

import math
import sys

import numpy as np
from scipy.stats import norm
from scipy.stats import t as student

from gazette.stats import Spending, boundaries, confidence_sequence_z, z_of

LOOKS = 21


def paths(runs: int, drift: float, rng: np.random.Generator) -> np.ndarray:
    """z statistics of a test that grows by the same number of users every day."""
    steps = rng.normal(drift / LOOKS, 1 / math.sqrt(LOOKS), (runs, LOOKS))
    return np.cumsum(steps, axis=1) / np.sqrt(np.arange(1, LOOKS + 1) / LOOKS)


def limits(amounts: np.ndarray, spending: Spending = "obrien-fleming") -> np.ndarray:
    """Of each look at a test whose days pass evenly and that knows so much at each."""
    clock = [(i + 1) / len(amounts) for i in range(len(amounts))]
    return np.array(boundaries([float(a) for a in amounts], spending=spending, final=True, times=clock))


def growing(
    runs: int, rng: np.random.Generator, *, apart: float, users: int = 50, more: int = 0, weeks: int = 8
) -> None:
    """Tests whose users came in the first week (but ``more`` an arm each week) and do something every week; limits of each test's own information."""
    old = new = 0
    for _ in range(max(1, runs // 500)):
        own = rng.normal(size=(2, 500, users + more * weeks)) * math.sqrt(apart)
        total = np.zeros_like(own)
        z, known = [], []
        for week in range(weeks):
            n = users + more * (week + 1)
            total[:, :, :n] += own[:, :, :n] + rng.normal(size=(2, 500, n)) * math.sqrt(1 - apart)
            square = total[:, :, :n].var(axis=2, ddof=1).sum(axis=0) / n
            z.append((total[1, :, :n].mean(axis=1) - total[0, :, :n].mean(axis=1)) / np.sqrt(square))
            known.append((n / 2) ** 2 * square)
        paths = np.abs(np.stack(z, axis=1))
        amounts = np.maximum.accumulate(np.stack(known, axis=1), axis=1) * (1 + 1e-9) ** np.arange(weeks)
        new += sum((path > limits(own_amounts)).any() for path, own_amounts in zip(paths, amounts, strict=True))
        old += (paths > z_of(0.95)).any(axis=1).sum()
    of = 500 * max(1, runs // 500)
    print(
        f"  share of a user's own {apart:3.1f}, {more} more an arm a week: by users {100 * old / of:5.1f} %, now {100 * new / of:5.2f} %",
        flush=True,
    )


def windowed(runs: int, rng: np.random.Generator, *, stretch: int, users: int = 50, weeks: int = 8) -> None:
    """Tests whose users came within so many days and count for seven; a look counts those who are through, the planned size is the last look."""
    came = np.arange(users) * stretch / users
    whole = [n for week in range(1, weeks + 1) if (n := int((came + 7 <= 7 * week).sum())) > 1]
    whole = whole[: whole.index(users) + 1]
    bounds = np.array(boundaries([float(n) for n in whole], final=True, times=[n / users for n in whole]))
    found = 0
    for _ in range(max(1, runs // 500)):
        value = rng.normal(size=(2, 500, users, 7)).sum(axis=3)
        z = [
            (value[1, :, :n].mean(axis=1) - value[0, :, :n].mean(axis=1))
            / np.sqrt(value[:, :, :n].var(axis=2, ddof=1).sum(axis=0) / n)
            for n in whole
        ]
        rare = [norm.isf(student.sf(np.abs(t), 2 * n - 2)) for t, n in zip(z, whole, strict=True)]
        found += (np.stack(rare, axis=1) > bounds).any(axis=1).sum()
    of = 500 * max(1, runs // 500)
    print(f"  all within {stretch} days, a window of 7: {len(whole)} looks, {100 * found / of:5.2f} %", flush=True)


def moved(runs: int, rng: np.random.Generator, spending: Spending, weeks: int = 8) -> None:
    """Tests that are ended as soon as an end would show an effect, if all that is left is released there; or what the first plan allows."""
    z = np.abs(np.cumsum(rng.normal(size=(runs, weeks)), axis=1) / np.sqrt(np.arange(1, weeks + 1)))
    bounds = limits(np.arange(1.0, weeks + 1), spending)
    clock = [(i + 1) / weeks for i in range(weeks)]
    released = np.array([boundaries(clock[: i + 1], spending=spending, final=True)[-1] for i in range(weeks)])
    ends = np.where((z > released).any(axis=1), (z > released).argmax(axis=1), weeks - 1)
    before = np.arange(weeks)[None, :] < ends[:, None]
    at = np.arange(weeks)[None, :] == ends[:, None]
    old = ((z > bounds) & before | (z > released) & at).any(axis=1).mean()
    new = ((z > bounds) & (before | at)).any(axis=1).mean()
    print(
        f"  end moved after looking, {spending:15} released {100 * old:5.1f} %, by the first plan {100 * new:5.2f} %",
        flush=True,
    )


def main() -> None:
    runs = int(float(sys.argv[1])) if len(sys.argv) > 1 else 1_000_000
    fractions = [i / LOOKS for i in range(1, LOOKS + 1)]
    designs = {
        "naive p < 0.05 each day": np.full(LOOKS, z_of(0.95)),
        "fixed, once at the end": np.array([np.inf] * (LOOKS - 1) + [z_of(0.95)]),
        **{
            f"group sequential, {s}": np.array(boundaries(fractions, spending=s))
            for s in ("obrien-fleming", "pocock", "quadratic")
        },
        "confidence sequence": np.array(
            [confidence_sequence_z(6000 * i, n_star=6000 * LOOKS) for i in range(1, LOOKS + 1)]
        ),
    }
    print(f"{runs:,} runs   false positives   power at 80 % of a fixed test   effect at the stop over the true one")
    drift = z_of(0.95) + 0.8416
    for name, bounds in designs.items():
        rng = np.random.default_rng(2026)
        null = effect = total = 0.0
        for _ in range(max(1, runs // 50_000)):
            null += (np.abs(paths(50_000, 0.0, rng)) > bounds).any(axis=1).mean()
            z = paths(50_000, drift, rng)
            crossed = np.abs(z) > bounds
            effect += crossed.any(axis=1).mean()
            first = crossed.argmax(axis=1)
            at = z[np.arange(len(z)), first] / np.sqrt((first + 1) / LOOKS)
            total += (at[crossed.any(axis=1)] / drift).mean()
        rounds = max(1, runs // 50_000)
        print(
            f"  {name:34} {100 * null / rounds:6.2f} %        {100 * effect / rounds:6.2f} %        {total / rounds:5.2f}",
            flush=True,
        )
    rng = np.random.default_rng(24)
    print("False positives where all users came in the first of eight weeks, and where the end is moved")
    for apart, more in ((0.0, 0), (0.5, 0), (0.0, 2)):
        growing(max(500, runs // 100), rng, apart=apart, more=more)
    for stretch in (7, 14, 42):
        windowed(max(500, runs // 50), rng, stretch=stretch)
    for spending in ("obrien-fleming", "pocock"):
        moved(runs, rng, spending)


if __name__ == "__main__":
    main()
