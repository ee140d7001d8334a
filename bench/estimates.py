"""Errors and coverage of one look's estimates, with more settings than the tests have. Usage: python bench/estimates.py [SHARE OF THE RUNS]"""

from __future__ import annotations

import math
from collections.abc import Iterator

from scipy import stats as scipy_stats

from gazette import stats

SPLITS = ((900, 100), (9000, 1000), (500, 500), (750, 250), (9900, 100))
EXPECTED = (1, 2, 3, 5, 10, 20)  # events of the smaller arm


def outcomes(n: int, m: int, p: float, q: float) -> Iterator[tuple[int, int, float]]:
    """Counts of both arms with their chance, but for one in a hundred thousand."""
    x, y = scipy_stats.binom(n, p), scipy_stats.binom(m, q)
    for a in range(int(x.ppf(1e-5)), int(x.isf(1e-5)) + 1):
        for b in range(int(y.ppf(1e-5)), int(y.isf(1e-5)) + 1):
            yield a, b, float(x.pmf(a) * y.pmf(b))


def shares() -> bool:
    """Errors without an effect, and coverage of both ranges; whether one is out of bounds."""
    print("two shares   control  treatment  expected   Wald errs   errs   withheld   relative covers")
    bad = False
    for n, m in SPLITS:
        for expected in EXPECTED:
            p = expected / min(n, m)
            wald = wrong = kept = held = there = 0.0
            for x, y, chance in outcomes(n, m, p, p):
                gap, change = (
                    f((x, n), (y, m)) for f in (stats.difference_of_proportions, stats.relative_of_proportions)
                )
                error = math.sqrt(sum(k * (of - k) / of**3 for k, of in ((x, n), (y, m))))
                wald += chance * (error > 0 and abs(y / m - x / n) > 1.959964 * error)
                if isinstance(gap, stats.Estimate):
                    kept += chance
                    wrong += chance * (gap.low > 0 or gap.high < 0)
                if isinstance(change, stats.Estimate):
                    there += chance
                    held += chance * (change.low <= 0 <= change.high)
            bad |= wrong > 0.055
            covers = f"{100 * held / there:6.1f} %" if there > 0.01 else "     none"  # noqa: PLR2004
            print(
                f"            {n:9,} {m:9,} {expected:9}    {100 * wald:6.1f} % {100 * wrong:6.2f} %   {100 * (1 - kept):6.1f} %   {covers}",
                flush=True,
            )
    return bad


def main() -> int:
    return int(shares())


if __name__ == "__main__":
    raise SystemExit(main())
