"""A longer simulation than the tests run: errors and power over 21 daily looks, by design. Usage: python bench/looks.py [RUNS]"""

from __future__ import annotations

import math
import sys

import numpy as np

from gazette.stats import boundaries, confidence_sequence_z, z_of

LOOKS = 21


def paths(runs: int, drift: float, rng: np.random.Generator) -> np.ndarray:
    """z statistics of a test that grows by the same number of users every day."""
    steps = rng.normal(drift / LOOKS, 1 / math.sqrt(LOOKS), (runs, LOOKS))
    return np.cumsum(steps, axis=1) / np.sqrt(np.arange(1, LOOKS + 1) / LOOKS)


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


if __name__ == "__main__":
    main()
