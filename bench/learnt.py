"""How often learnt sensitivities' 80 % intervals hold the true slope, over a wide grid of histories. Usage: python bench/learnt.py [RUNS]"""

from __future__ import annotations

import itertools
import sys

import numpy as np

from gazette.translation import Learnt, Past, learn

SLOPE, WIDTH = 0.75, 0.01
TESTS = (5, 6, 8, 12, 20, 40)
MEANS = (0.0, 0.5, 2.0)  # of the true technical changes, over their width
ERRORS = (1e-4, 0.4, 0.8)  # of the technical change, over the width of the true ones
NOISE = (0.3, 1.0)  # of the business change, over its usual size
SPREADS = (0.0, 0.3, 0.8)  # of the slope between tests, over the slope


def history(rng: np.random.Generator, n: int, mean: float, errors: float, noise: float, spread: float) -> list[Past]:
    """Tests whose slopes and true changes are known."""
    true = rng.normal(mean * WIDTH, WIDTH, n)
    s = errors * WIDTH * rng.uniform(0.5, 1.5, n)
    r = noise * SLOPE * WIDTH * np.hypot(mean, 1.0) * rng.uniform(0.5, 1.5, n)
    x = true + s * rng.standard_normal(n)
    y = rng.normal(SLOPE, spread * SLOPE, n) * true + r * rng.standard_normal(n)
    return [Past(str(i), *map(float, v)) for i, v in enumerate(zip(x, s, y, r, strict=True))]


def main() -> int:
    runs = int(float(sys.argv[1])) if len(sys.argv) > 1 else 2000
    outside = 0
    print(f"{runs:,} histories a setting   settings   80 % interval covers   of the next test's slope   range found")
    for n in TESTS:
        shares, nexts, known = [], [], []
        for setting in itertools.product(MEANS, ERRORS, NOISE, SPREADS):
            rng = np.random.default_rng(2026)
            every = [learn(history(rng, n, *setting)) for _ in range(runs)]
            found = [one for one in every if isinstance(one, Learnt)]
            known.append(len(found) / runs)
            shares.append(float(np.mean([one.low <= SLOPE <= one.high for one in found])))
            drawn = rng.normal(SLOPE, setting[-1] * SLOPE, len(found))
            gaps = [abs(b - one.slope) <= 1.2816 * one.next_sd for one, b in zip(found, drawn, strict=True)]
            nexts.append(float(np.mean(gaps)))
        outside += sum(not 0.75 <= share <= 0.85 for share in shares)
        print(
            f"  {n:2} tests              {len(shares)}         {100 * min(shares):.1f} to {100 * max(shares):.1f} %"
            f"         {100 * min(nexts):.1f} to {100 * max(nexts):.1f} %          {100 * min(known):.0f} to {100 * max(known):.0f} %",
            flush=True,
        )
    print(f"  settings outside 75 to 85 %: {outside}")
    return int(outside > 0)


if __name__ == "__main__":
    raise SystemExit(main())
