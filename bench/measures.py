"""How often ranges of models' measures hold their truth where positives are few, and how often a change is shown that is none. Usage: python bench/measures.py [WEEKS]"""

from __future__ import annotations

import sys
from itertools import pairwise
from pathlib import Path

import numpy as np

sys.path[:0] = [str(Path(__file__).parents[1] / "tests"), str(Path(__file__).parents[1] / "tests" / "monitoring")]

from gazette import monitoring
from gazette.stats import Estimate
from scarce import influences, made
from test_measures import THRESHOLD, week

DESIGNS = ((100, -4.5), (500, -4.5), (1000, -4.5), (2000, -4.5), (200, -2.5), (500, -2.5), (300, -0.8))


def main() -> int:
    weeks = int(float(sys.argv[1])) if len(sys.argv) > 1 else 2000
    outside = 0
    print(f"{weeks:,} weeks   95 % range covers   of the paired difference   false changes   weeks with a range")
    for rows, base in DESIGNS:
        rng = np.random.default_rng(2026)
        y, scores = made(rng, 400_000, base)
        truth, before = ({m: v for m, (v, _) in influences(y, s, THRESHOLD).items()} for s in scores)
        found = [week(rng, rows, base) for _ in range(weeks)]
        print(f"{rows} rows, {rows * y.mean():.0f} positive on average")
        for m in truth:
            levels = [e for week_levels, _, _ in found if (e := week_levels.get(m)) is not None]
            held = [e.low <= truth[m] <= e.high for e in levels if isinstance(e, Estimate)]
            gaps = [g for _, week_gaps, _ in found if isinstance(g := week_gaps.get(m), Estimate)]
            paired = [g.low <= truth[m] - before[m] <= g.high for g in gaps]
            changes = [monitoring.independent_difference(a, b) for a, b in pairwise(levels)]
            wrong = [c.low > 0 or c.high < 0 for c in changes if isinstance(c, Estimate)]
            shares = [100 * float(np.mean(x)) if len(x) > weeks / 20 else float("nan") for x in (held, paired, wrong)]
            outside += sum(x < 93 for x in shares[:2]) + (shares[2] > 5.7)  # noqa: PLR2004  the levels
            print(f"  {m:16} {shares[0]:5.1f} {shares[1]:5.1f} {shares[2]:5.1f}   {len(held) / weeks:.2f}", flush=True)
    print(f"  too low, or false too often: {outside}")
    return int(outside > 0)


if __name__ == "__main__":
    raise SystemExit(main())
