"""What the libraries say of two arms: scipy, statsmodels and NumPy, from a value per unit. Nothing of the product is used here."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import statsmodels.api as sm
from scipy import optimize, stats
from statsmodels.stats.proportion import proportion_confint


@dataclass(frozen=True)
class Right:
    """A value with its standard error, and range and p where a library has them; ``sure`` is whether it surely may be published; ``freedom`` are degrees that are not n - 1."""

    value: float
    error: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    sure: bool = True
    freedom: float | None = None


@dataclass(frozen=True)
class Withheld:
    """There is no right value; the reason has to say so."""

    reason: str


Answer = Right | Withheld
DUST = 1e-9  # of the values, below which what varies is their rounding
TOO_SKEWED = "say too little of its mean"
NEVER = "too few units of the control did it"
TOO_FEW = "fewer than two units|no users|no units|users are too few"
NO_SPREAD = "no variation"
UNEQUAL = "of so unequal size"
NEAR_NOUGHT = "too close to zero|the control is negative"


def alike(x: np.ndarray) -> bool:
    """Whether all values are one but for rounding."""
    return bool(np.ptp(x) <= DUST * np.abs(x).max())


def skewness_of(*arms: np.ndarray) -> float:
    """Of distances from the arms' own means, all arms together."""
    off = np.concatenate([np.zeros(len(x)) if alike(x) else x - x.mean() for x in arms if len(x)])
    freedom = len(off) - sum(len(x) > 0 for x in arms)
    square = float(off @ off) / freedom if freedom else 0.0
    return float(np.mean((off / math.sqrt(square)) ** 3)) if square > 0 else 0.0


def bent(z: float, lean: float) -> float:
    """The statistic of which Hall's cubic (1992) is z: where it rises through it; on the side of the tail no further than 3.5."""
    if lean == 0:
        return z
    if z * lean > 0 and abs(z) > 3.5:
        end = math.copysign(3.5, z)
        return bent(end, lean) + z - end

    def above(t: float) -> float:
        return t + lean * t**2 / 3 + lean**2 * t**3 / 27 + lean / 6 - z

    return float(optimize.brentq(above, -1e4, 1e4, xtol=1e-13))


def unbent(t: float, lean: float) -> float:
    """Where `bent` came from, so that a range and a p-value say the same."""
    end = math.copysign(3.5, lean)
    last = bent(end, lean)
    if lean and (t - last) * end > 0:
        return end + t - last
    return t + lean * t**2 / 3 + lean**2 * t**3 / 27 + lean / 6


def lean_of(a: np.ndarray, b: np.ndarray) -> float:
    """Skewness of the difference of the means of two arms of one shape."""
    n, m = len(a), len(b)
    return skewness_of(a, b) * (1 / m**2 - 1 / n**2) / (1 / m + 1 / n) ** 1.5


def too_skewed(n: int, *arms: np.ndarray) -> Withheld | None:
    return Withheld(TOO_SKEWED) if skewness_of(*arms) ** 2 > n else None


def mean_of(
    x: np.ndarray, alpha: float, others: Sequence[np.ndarray] | None = None, freedom: float | None = None
) -> Answer:
    """A mean with Student's range, bent by the skewness of all arms together where these are given."""
    if len(x) < 2:
        return Withheld(TOO_FEW)
    if others is not None and (few := too_skewed(len(x), x, *others)) is not None:
        return few
    if freedom is not None and freedom < 2 - DUST:
        return Withheld(UNEQUAL)
    error = float(stats.sem(x))
    degrees = len(x) - 1 if freedom is None else freedom
    if alike(x):
        return Right(float(x.mean()), 0.0, float(x.mean()), float(x.mean()))
    low, high = stats.t.interval(1 - alpha, degrees, loc=x.mean(), scale=error)
    if others is not None:
        lean, t = skewness_of(x, *others) / math.sqrt(len(x)), stats.t.isf(alpha / 2, degrees)
        low, high = (x.mean() - error * bent(z, lean) for z in (t, -t))
    return Right(float(x.mean()), error, float(low), float(high))


def share_of(x: np.ndarray, alpha: float) -> Answer:
    """A share with Wilson's range."""
    if len(x) == 0:
        return Withheld(TOO_FEW)
    low, high = proportion_confint(x.sum(), len(x), alpha=alpha, method="wilson")
    return Right(float(x.mean()), math.sqrt(x.mean() * (1 - x.mean()) / len(x)), float(low), float(high))


def gap_of_means(a: np.ndarray, b: np.ndarray, alpha: float, freedoms: tuple[float, float] | None = None) -> Answer:
    """Second less first, by Welch's t, with other degrees than n - 1 of either arm where they are given."""
    if min(len(a), len(b)) < 2:
        return Withheld(TOO_FEW)
    if alike(a) and alike(b):
        return Withheld(NO_SPREAD)
    if (few := too_skewed(min(len(a), len(b)), a, b)) is not None:
        return few
    if freedoms is not None and min(freedoms) < 2 - DUST:
        return Withheld(UNEQUAL)
    lean = lean_of(a, b)
    a, b = (np.full(len(x), x.mean()) if alike(x) else x for x in (a, b))
    if alike(a) or alike(b):  # scipy warns of rounding, which is none here
        other = b if alike(a) else a
        error, freedom, gap = float(stats.sem(other)), len(other) - 1, float(b.mean() - a.mean())
    else:
        test = stats.ttest_ind(b, a, equal_var=False)
        error, freedom, gap = math.hypot(stats.sem(a), stats.sem(b)), float(test.df), float(b.mean() - a.mean())
    if freedoms is not None:
        x, y = ((stats.sem(v) / error) ** 2 for v in (a, b))
        freedom = 1 / (x**2 / freedoms[0] + y**2 / freedoms[1])
    t, end = gap / error, float(stats.t.isf(alpha / 2, freedom))
    low, high = (gap - error * bent(z, lean) for z in (end, -end))
    t = unbent(t, lean)
    return Right(gap, error, low, high, float(2 * stats.t.sf(abs(t), freedom)))


def gap_of_shares(a: np.ndarray, b: np.ndarray, alpha: float) -> Answer:
    """Second less first, by the score test that is corrected for skewness."""
    return _scored(a, b, alpha, 1.0)


def change_of_shares(a: np.ndarray, b: np.ndarray, alpha: float) -> Answer:
    """Second over first, less one, by the same test."""
    found = _scored(a, b, alpha, None)
    if isinstance(found, Right) and a.sum() == 0:
        return Withheld(NEVER)
    return found


def _scored(a: np.ndarray, b: np.ndarray, alpha: float, factor: float | None) -> Answer:  # noqa: C901  one test, read from top to bottom
    """Ends where the distance from what is tested, less a sixth of the skewness times z^2 - 1, is z (Gart & Nam 1988, 1990).

    A factor of 1 is for differences, None for ratios. The shares under what is tested are where the likelihood is highest, found by its slope.
    """
    if min(len(a), len(b)) == 0:
        return Withheld(TOO_FEW)
    n, m, x, y = len(a), len(b), int(a.sum()), int(b.sum())
    if x + y in {0, n + m}:
        return Withheld(NO_SPREAD)
    expected = min(x + y, n + m - x - y) / (n + m) * min(n, m)
    if expected < 10 and max(n, m) > 15 * min(n, m):
        return Withheld("too little to say")
    z = float(stats.norm.isf(alpha / 2))

    def distance(value: float) -> tuple[float, float]:
        """In standard errors, and a sixth of the skewness."""
        f, shift = (1.0, value) if factor else (value, 0.0)
        low, high = max(0.0, -shift / f), min(1.0, (1 - shift) / f)

        def slope(p: float) -> float:
            q = f * p + shift
            rates = ((x, p, 1), (n - x, 1 - p, -1), (y, q, f), (m - y, 1 - q, -f))
            return sum(sign * k / max(rate, 1e-18) for k, rate, sign in rates)

        nearly = 1e-13 * (high - low)
        ends = low + nearly, high - nearly
        p = (
            ends[0]
            if slope(ends[0]) <= 0
            else ends[1]
            if slope(ends[1]) >= 0
            else optimize.brentq(slope, *ends, xtol=1e-16)
        )
        q = f * p + shift
        spread = (q * (1 - q) / m + f**2 * p * (1 - p) / n) * (n + m) / (n + m - 1)
        third = q * (1 - q) * (1 - 2 * q) / m**2 - f**3 * p * (1 - p) * (1 - 2 * p) / n**2
        return (y / m - f * x / n - shift) / math.sqrt(spread), third / (6 * spread**1.5)

    s, k = distance(1e-12 if factor else 1 + 1e-12)  # no change
    score = s if k == 0 else (math.sqrt(1 + 4 * k * (k + s)) - 1) / (2 * k) if abs(k) > 1e-7 else s - k * (s**2 - 1)
    p = float(2 * stats.norm.sf(abs(score)))
    error = math.sqrt(sum((k + 1) * (of - k + 1) / (of + 2) ** 3 for k, of in ((x, n), (y, m))))
    if factor:
        value, least, most = y / m - x / n, -1 + 1e-9, 1 - 1e-9
    elif x == 0:
        return Right(0.0)
    else:
        value, least, most = (y / m) / (x / n), 1e-9, 1e6
        parts = (math.sqrt((k + 1) * (of - k + 1) / (of + 2) ** 3) for k, of in ((x, n), (y, m)))
        below, above = parts
        error = math.hypot(above, value * below) / (x / n)

    def end(side: int, limit: float) -> float | None:
        def beyond(at: float) -> float:
            far, lean = distance(at)
            return side * (far - lean * (z**2 - 1)) - z

        low = max(value, 1e-9)
        places = (
            limit + (value - limit) * np.linspace(0, 1, 41)
            if factor
            else limit * (low / limit) ** np.linspace(0, 1, 41)
        )
        for out, kept in itertools.pairwise(places[:-1] if abs(value) == 1 and factor else places):
            if beyond(out) <= 0:
                return None
            if beyond(kept) < 0:
                return float(optimize.brentq(beyond, kept, out, xtol=1e-12))
        return None

    ends = end(1, least), end(-1, most)
    shift = 0.0 if factor else 1.0
    low = (-1.0 if ends[0] is None else ends[0]) if factor else (0.0 if ends[0] is None else ends[0])
    if ends[1] is None and not factor:
        return Withheld(NEVER)
    return Right(value - shift, error, low - shift, (1.0 if ends[1] is None else ends[1]) - shift, p)


def relative(a: Answer, b: Answer, gap: Answer, freedom: float, alpha: float, lean: float = 0.0) -> Answer:
    """Second over first, less one, with the roots r of Welch's statistic of second less r first (Fieller 1954); the error by the delta method.

    The degrees of freedom and the skewness, ``lean``, are those of the difference.
    """
    for one in (gap, a, b):
        if isinstance(one, Withheld):
            return Withheld(f"{one.reason}|{NEAR_NOUGHT}") if one is gap else one
    assert isinstance(a, Right)
    assert isinstance(b, Right)
    end = float(stats.t.isf(alpha / 2, freedom))
    reaches = [abs(bent(z, lean)) for z in (end, -end)]
    t = max(reaches)
    below, above = a.error or 0.0, b.error or 0.0
    sure = not math.isclose(abs(a.value), t * below, rel_tol=1e-6, abs_tol=DUST)
    if a.value <= t * below and sure:
        return Withheld(NEAR_NOUGHT)
    if a.value == 0:
        return Withheld(NEAR_NOUGHT)
    ratio = b.value / a.value
    error = math.hypot(above, ratio * below) / abs(a.value)
    if not sure:
        return Right(ratio - 1, error, sure=False)
    ends = [
        np.sort(np.roots([a.value**2 - (t * below) ** 2, -2 * a.value * b.value, b.value**2 - (t * above) ** 2]).real)
        - 1
        for t in reaches
    ]
    return Right(ratio - 1, error, float(ends[0][0]), float(ends[1][1]))


def freedom_of(a: Answer, b: Answer, n: float, m: float) -> float:
    """Satterthwaite's, of two means with their errors."""
    if not (isinstance(a, Right) and isinstance(b, Right)) or min(n, m) < 2:
        return 1.0
    x, y = (a.error or 0.0) ** 2, (b.error or 0.0) ** 2
    u, v = a.freedom or n - 1, b.freedom or m - 1
    return (x + y) ** 2 / (x**2 / u + y**2 / v) if x + y else 1.0


def sized(x: np.ndarray, y: np.ndarray, freedoms: tuple[float, float] | None) -> tuple[float, float]:
    """What `freedom_of` takes for the sizes of two arms."""
    return (len(x), len(y)) if freedoms is None else (freedoms[0] + 1, freedoms[1] + 1)


def of_ratio(x: np.ndarray, y: np.ndarray) -> np.ndarray | None:
    """A value per unit whose mean is the ratio and whose spread is that of the delta method; None where the denominator is nought."""
    if len(x) == 0 or y.mean() == 0:
        return None
    ratio = x.sum() / y.sum()
    return ratio + _quadratic(y)[0] * (x - ratio * y) / y.mean()


def adjusted_ratios(
    x: tuple[np.ndarray, np.ndarray], y: tuple[np.ndarray, np.ndarray], before: tuple[np.ndarray, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Likewise of two ratios, less what was known before; both denominators are not nought."""
    lines = [a.sum() / b.sum() + (a - a.sum() / b.sum() * b) / b.mean() for a, b in zip(x, y, strict=True)]
    left = adjusted((lines[0], lines[1]), before)
    one, other = (v.mean() + _quadratic(b)[0] * (v - v.mean()) for v, b in zip(left, y, strict=True))
    return one, other


def freedom_of_ratio(y: np.ndarray) -> float:
    """Degrees of freedom of a ratio's variance."""
    return _quadratic(y)[1]


def _quadratic(y: np.ndarray) -> tuple[float, float]:
    """By how much residuals are too small, and Satterthwaite's degrees of the sum of their squares, by matrices.

    Residuals are those of a weighted mean of rates of one variance.
    """
    share = y / y.sum()
    if len(y) < 2 or share.max() > 1 - 1e-9:
        return 1.0, 0.0
    made = np.diag(share) @ (np.eye(len(y)) - np.outer(np.ones(len(y)), share))
    spread = made @ made.T
    trace = float(np.trace(spread))
    wider = float(share @ share) / trace * (len(y) - 1) / len(y)
    return math.sqrt(wider), trace**2 / float((spread**2).sum())


def adjusted(x: tuple[np.ndarray, np.ndarray], before: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Both arms less what was known before; what is between them is the arm's coefficient in a least-squares fit.

    The fit is on arm, the value (at its mean where it is missing) and whether it is missing.
    """
    every, values = np.concatenate(before), np.concatenate(x)
    gone = np.isnan(every)
    arm = np.repeat([0.0, 1.0], [len(x[0]), len(x[1])])
    known = np.column_stack([np.where(gone, np.nanmean(every) if not gone.all() else 0.0, every), gone.astype(float)])
    inside, outcome = known.copy(), values.copy()
    for side in (0, 1):
        inside[arm == side] -= known[arm == side].mean(axis=0)
        outcome[arm == side] -= values[arm == side].mean()
    spread = np.abs(inside).max(axis=0) > 1e-12 * np.abs(known).max()
    known, inside = known[:, spread], inside[:, spread]
    slopes = np.linalg.lstsq(inside, outcome, rcond=1e-9)[0]
    left = values - (known - known.mean(axis=0)) @ slopes
    one, other = left[arm == 0], left[arm == 1]
    design = np.column_stack([np.ones(len(arm)), arm, known - known.mean(axis=0)])
    if np.linalg.matrix_rank(design) == design.shape[1] and len(arm) > design.shape[1]:
        coefficient = sm.OLS(values, design).fit().params[1]
        assert math.isclose(coefficient, other.mean() - one.mean(), rel_tol=1e-6, abs_tol=1e-6 * np.abs(values).max())
    return one, other


def quantile_of(x: np.ndarray, q: float, alpha: float = 0.05) -> Answer:
    """The sample quantile between two order statistics, and the standard error that their distance tells.

    They are those of scipy's exact test of a quantile, or the next ones further out.
    """
    ordered, n, z = np.sort(x), len(x), stats.norm.isf(0.025)
    if max(stats.binom.pmf([0, n], n, q)) > 0.025:
        return Withheld(TOO_FEW)
    value = float(np.quantile(x, q, method="inverted_cdf"))
    ends = n * q + (1 - 2 * q) * (z**2 - 1) / 6 + z * stats.binom.std(n, q) * np.array([-1, 1])
    ranks = max(1, math.floor(ends[0])), min(n, math.ceil(ends[1]) + 1)
    low, high = (float(ordered[r - 1]) for r in ranks)
    exact = stats.quantile_test(np.arange(1, n + 1), p=q).confidence_interval()
    assert ranks[0] in {exact.low, exact.low - 1}
    assert ranks[1] in {exact.high, exact.high + 1}
    misses = stats.binom.cdf(ranks[0] - 1, n, q), stats.binom.sf(ranks[1] - 1, n, q)
    error = (high - low) / float(sum(stats.norm.isf(misses)))
    gap = stats.beta(ranks[1] - ranks[0], n + 1 - ranks[1] + ranks[0])
    freedom = min(n - 1, float(gap.mean() ** 2 / gap.var()) / 2)
    if not math.isclose(alpha, 0.05):
        low, high = value + error * stats.t.isf(alpha / 2, freedom) * np.array([-1, 1])
    return Right(value, error, float(low), float(high), freedom=freedom)


def gap_of_quantiles(a: np.ndarray, b: np.ndarray, q: float, alpha: float) -> Answer:
    """Second less first, by Welch's t."""
    if min(len(a), len(b)) < 2:
        return Withheld(TOO_FEW)
    one, other = quantile_of(a, q), quantile_of(b, q)
    for side in (one, other):
        if isinstance(side, Withheld):
            return side
    assert isinstance(one, Right)
    assert isinstance(other, Right)
    if 0 in {one.error, other.error}:
        return Withheld("ties")
    spans = [side.high - side.low for side in (one, other)]  # type: ignore[operator]  # of 0.95 both are there
    if np.allclose(np.round(there := [one.value, other.value, *spans]), there, rtol=0, atol=1e-6) and min(spans) < 4.5:
        return Withheld("ties would decide")
    gap, error = other.value - one.value, math.hypot(one.error or 0, other.error or 0)
    freedom = freedom_of(one, other, len(a), len(b))
    reach = error * float(stats.t.isf(alpha / 2, freedom))
    return Right(gap, error, gap - reach, gap + reach, float(2 * stats.t.sf(abs(gap) / error, freedom)))


def split(counts: list[int], weights: list[float]) -> float:
    """P-value of the planned split: chi-square, or exact where fewer than five are expected in an arm."""
    total, arms = sum(counts), len(counts)
    if total * min(weights) >= 5:
        return float(stats.chisquare(counts, [total * w for w in weights]).pvalue)
    alone = [float(stats.binomtest(c, total, w).pvalue) for c, w in zip(counts, weights, strict=True)]
    if arms == 2:
        return alone[0]
    if (total + 1) ** (arms - 1) > 1_000_000:
        return min(1.0, arms * min(alone))
    ways = np.array([w for w in itertools.product(range(total + 1), repeat=arms - 1) if sum(w) <= total])
    chances = stats.multinomial.pmf(np.c_[ways, total - ways.sum(axis=1)], total, weights)
    own = stats.multinomial.pmf(counts, total, weights)
    return min(1.0, float(chances[chances <= own * (1 + 1e-7)].sum()))
