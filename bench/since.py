"""What the largest t over all places of a change of level exceeds in 5 of 100 steady series, by weeks and correlation. Usage: python bench/since.py [SERIES]"""

from __future__ import annotations

import sys

import numpy as np

from gazette.monitoring._change import BEFORE, CRITICAL, STRONGEST


def largest(x: np.ndarray) -> np.ndarray:
    """Of each row, the largest t over all places."""
    weeks = x.shape[1]
    sums, total = np.cumsum(x, 1), (x**2).sum(1)
    found = np.zeros(len(x))
    for k in range(BEFORE, weeks):
        a, b = sums[:, k - 1] / k, (sums[:, -1] - sums[:, k - 1]) / (weeks - k)
        within = (total - k * a * a - (weeks - k) * b * b) / (weeks - 2)
        found = np.maximum(found, np.abs(b - a) / np.sqrt(within * (1 / k + 1 / (weeks - k))))
    return found


def steady(rng: np.random.Generator, runs: int, weeks: int, correlation: float) -> np.ndarray:
    """Series of one level whose weeks are like the weeks before."""
    x = rng.normal(size=(runs, weeks))
    for t in range(1, weeks):
        x[:, t] = correlation * x[:, t - 1] + np.sqrt(1 - correlation**2) * x[:, t]
    return x


def main() -> int:
    runs = int(float(sys.argv[1])) if len(sys.argv) > 1 else 20_000
    rng, outside = np.random.default_rng(2026), 0
    print(
        f"{runs:,} series: said to have changed at correlation 0, 0.3, 0.5, 0.8, and what 5 of 100 exceed at {STRONGEST}"
    )
    for weeks, critical in CRITICAL.items():
        found = [largest(steady(rng, runs, weeks, c)) for c in (0.0, 0.3, 0.5, STRONGEST)]
        shares = [float((t > critical).mean()) for t in found]
        outside += max(shares) > 0.055  # noqa: PLR2004  the level
        print(
            f"  {weeks:4}  {'  '.join(f'{100 * s:4.1f} %' for s in shares)}   {np.quantile(found[-1], 0.95):.3f}",
            flush=True,
        )
    return int(outside > 0)


if __name__ == "__main__":
    raise SystemExit(main())
