"""Errors and coverage of one look's estimates, with more settings than the tests have. Usage: python bench/estimates.py [SHARE OF THE RUNS]"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator

import numpy as np
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


def moments(x: np.ndarray) -> stats.Moments:
    return stats.Moments(len(x), float(x.mean()), float(x.var(ddof=1)))


def near_nought(runs: int) -> bool:
    """Relative ranges of means that lie so many standard errors from nought; whether one misses too often."""
    print("relative change of means   control's distance   has a range   misses, of all   of those that have one")
    rng, bad = np.random.default_rng(20261123), False
    for spread, n in ((2.0, 300), (20.0, 300), (50.0, 300), (8.0, 12)):
        pairs = ((rng.normal(5, spread, n), rng.normal(5.5, spread, n)) for _ in range(runs))
        found = [stats.relative_difference(moments(a), moments(b)) for a, b in pairs]
        there = [e for e in found if isinstance(e, stats.Estimate)]
        missed = sum(not e.low <= 0.1 <= e.high for e in there)
        bad |= missed / runs > 0.055 + 2 * math.sqrt(0.05 / runs)
        part = [len(there) / runs, missed / runs, missed / max(1, len(there))]
        print(
            f"{5 * math.sqrt(n) / spread:40.1f} {100 * part[0]:12.1f} % {100 * part[1]:14.2f} % {100 * part[2]:14.2f} %",
            flush=True,
        )
    return bad


def few_at_looks(runs: int) -> bool:
    """Errors of five more normal values an arm at each of three planned looks."""
    rng, bounds = np.random.default_rng(5), stats.boundaries([1 / 3, 2 / 3, 1.0], final=True, spending="pocock")
    wrong = normal = 0
    for a, b in rng.normal(size=(runs, 2, 15)):
        looks = [stats.difference_of_means(moments(a[:k]), moments(b[:k])) for k in (5, 10, 15)]
        known = [(e, c) for e, c in zip(looks, bounds, strict=True) if isinstance(e, stats.Estimate)]
        wrong += any(abs(e.z or 0) > c for e, c in known)
        normal += any(abs(e.value / e.standard_error) > c for e, c in known)
    print(
        f"five values an arm at each of three looks: by the normal value {100 * normal / runs:.2f} %, now {100 * wrong / runs:.2f} %"
    )
    return wrong / runs > 0.055


def skewed(runs: int) -> bool:
    """Errors without an effect, and of a treatment of 1.3 times the control, where one user in ten has a value."""
    print(
        "skewed values   sd of logs   control  treatment  times   Welch errs   errs   published   of those errs   relative errs"
    )
    rng, bad = np.random.default_rng(7), False

    def arm(n: int, spread: float, times: float) -> stats.Moments:
        x = times * np.exp(spread * rng.normal(size=n)) * (rng.random(n) < 0.1)  # noqa: PLR2004
        off = x - x.mean()
        return stats.Moments(n, float(x.mean()), float(x.var(ddof=1)), float((off * off * off).mean()))

    for spread in (0.5, 1.0, 2.0):
        for n, m in ((1800, 200), (200, 1800), (9000, 1000), (1000, 1000)):
            for times in (1.0, 1.3):
                pairs = [(arm(n, spread, 1.0), arm(m, spread, times)) for _ in range(runs)]
                pairs = [(a, b) for a, b in pairs if a.variance > 0 and b.variance > 0]
                mean = 0.1 * math.exp(spread**2 / 2)
                plain = [[stats.Moments(x.n, x.mean, x.variance) for x in pair] for pair in pairs]
                shares = []
                for found, true in (
                    ([stats.difference_of_means(*p) for p in plain], (times - 1) * mean),
                    ([stats.difference_of_means(*p) for p in pairs], (times - 1) * mean),
                    ([stats.relative_difference(*p) for p in pairs], times - 1),
                ):
                    kept = [e for e in found if isinstance(e, stats.Estimate)]
                    wrong = sum(not e.low <= true <= e.high for e in kept)
                    shares.append((wrong / len(pairs), len(kept) / len(pairs), wrong / max(1, len(kept))))
                bad |= times == 1 and shares[1][0] > 0.055 + 2 * math.sqrt(0.05 / runs)
                print(
                    f"{spread:26} {n:9,} {m:9,} {times:6} {100 * shares[0][0]:10.1f} % {100 * shares[1][0]:6.2f} % {100 * shares[1][1]:8.0f} % "
                    f"{100 * shares[1][2]:12.2f} % {100 * shares[2][2]:12.2f} %",
                    flush=True,
                )
    return bad


def quantiles(runs: int) -> bool:
    """Errors of quantiles with as many users as they need, and more."""
    print("quantiles   q      users   log-normal errs   normal errs   whole numbers (Poisson, 30)   withheld")
    rng, bad = np.random.default_rng(6), False
    for q in (0.5, 0.9, 0.95, 0.99):
        least = stats.quantile_units(q)
        for n in (least, 2 * least, 10 * least):
            shares = []
            for draw in (
                np.exp(rng.normal(size=(runs, 2, n))),
                rng.normal(size=(runs, 2, n)),
                rng.poisson(30, (runs, 2, n)) * 1.0,
            ):
                ranks = [max(1, math.ceil(share * n - 1e-9)) - 1 for share in (q, *stats.quantile_ranks(q, n))]
                two = [[stats.quantile_moments(n, *arm[ranks]) for arm in arms] for arms in np.sort(draw, axis=2)]
                kept = [stats.difference_of_means(*arms) for arms in two if not stats.too_coarse(*arms)]
                shares += [
                    sum(isinstance(e, stats.Estimate) and e.low * e.high > 0 for e in kept) / runs,
                    1 - len(kept) / runs,
                ]
            bad |= max(shares[0], shares[2], shares[4]) > 0.065  # medians of normal values err in 6 %
            print(
                f"        {q:5} {n:10,} {100 * shares[0]:13.2f} % {100 * shares[2]:13.2f} % {100 * shares[4]:20.2f} % {100 * shares[5]:18.1f} %",
                flush=True,
            )
    return bad


def main() -> int:
    runs = int(4000 * (float(sys.argv[1]) if len(sys.argv) > 1 else 1.0))
    return int(any([shares(), near_nought(runs), few_at_looks(runs), skewed(runs // 2), quantiles(runs)]))


if __name__ == "__main__":
    raise SystemExit(main())
