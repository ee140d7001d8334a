"""Textbook arithmetic on counts, means and variances; written apart from ``gazette.stats``, which the first computation uses."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from scipy.special import betaincinv, gammaincc, stdtrit

__all__ = [
    "Arm",
    "Second",
    "anytime_critical",
    "apart",
    "changed",
    "degrees",
    "difference",
    "few",
    "normal_critical",
    "opposite",
    "planned_criticals",
    "ratio_change",
    "scaled",
    "share",
    "skewness",
    "split_chance",
    "split_ever",
    "student",
    "uneven",
]


@dataclass(frozen=True)
class Second:
    """A value found a second time, with the ends of its range where that is computed too."""

    value: float
    low: float | None = None
    high: float | None = None
    error: float | None = None

    @classmethod
    def around(cls, value: float, error: float, critical: float) -> Second:
        """A value with a range of ``critical`` standard errors to each side."""
        return cls(value, value - critical * error, value + critical * error, error)


@dataclass(frozen=True)
class Arm:
    """Units, their mean, the sample variance of one unit's value about it (None where only the mean is known), its mean third power, and the variance's degrees of freedom where they are not n - 1."""

    n: int
    mean: float
    variance: float | None
    third: float | None = None
    freedom: float | None = None

    @property
    def square(self) -> float | None:
        """Squared standard error of the mean."""
        return None if self.variance is None else self.variance / self.n


def normal_critical(alpha: float) -> float:
    """Standard errors to each side for a single look at a two-sided error."""
    return -NormalDist().inv_cdf(alpha / 2)


def _density(z: np.ndarray) -> np.ndarray:
    return np.asarray(np.exp(-z * z / 2) / math.sqrt(2 * math.pi))


@np.vectorize
def _beyond(z: float) -> float:
    """The chance of a standard normal value above this one."""
    return math.erfc(z / math.sqrt(2)) / 2


def anytime_critical(units: int, *, tightest: int, alpha: float) -> float:
    """The same for a confidence sequence (Waudby-Smith et al., arXiv 2103.06476, with rho tuned to be tightest at a size)."""
    rho = (-2 * math.log(alpha) + math.log(1 - 2 * math.log(alpha))) / tightest
    x = units * rho
    return math.sqrt(2 * (x + 1) / x * math.log(math.sqrt(x + 1) / alpha))


def planned_criticals(
    shares: list[float], *, alpha: float, spending: str, final: bool, clock: list[float] | None = None
) -> list[float]:
    """The same at each look of a group-sequential test (Lan & DeMets 1983).

    The chance of not having crossed yet is carried from look to look on Gauss-Legendre nodes in units of the look's own standard error,
    and each bound is found by Newton's method; ``gazette.stats`` uses Simpson's rule on the raw scale and bisection.

    Args:
        shares: What each look knows, growing.
        alpha: Two-sided error of the whole test.
        spending: ``obrien-fleming``, ``pocock`` or ``quadratic``.
        final: Whether all that is left is spent at the last look.
        clock: Share of the plan that had passed at each look, by which error is spent; by default ``shares``.
    """
    x, w = np.polynomial.legendre.leggauss(160)
    found: list[float] = []
    nodes, mass = np.zeros(1), np.ones(1)
    spent, before = 0.0, 0.0
    for i, amount in enumerate(shares):
        last = final and i == len(shares) - 1
        if i and spent >= alpha:  # the test is over: the limit stays
            found.append(found[-1])
            continue
        if i and amount - before < amount / 1000 and not last:  # nothing new: nothing spent
            found.append(min(WIDEST, found[-1] + 3 * math.sqrt(1 - before / amount)))
            continue
        share = max(amount, before * 1.001)
        total = alpha if last else _spend((clock or shares)[i], alpha, spending)
        now = max(0.0, total - spent)
        spent = max(spent, total)
        root, step = math.sqrt(share), math.sqrt(share - before)
        centre = nodes * math.sqrt(before) / root  # where the walk is, in standard errors of this look
        bound = _crossed(centre, mass, step / root, now)
        found.append(bound)
        fresh = bound * x
        density = _density((fresh[:, None] - centre[None, :]) * root / step) * root / step
        nodes, mass = fresh, (density @ mass) * w * bound
        before = share
    return found


def _spend(share: float, alpha: float, spending: str) -> float:
    if share >= 1:
        return alpha
    if spending == "pocock":
        return alpha * math.log1p((math.e - 1) * share)
    if spending == "quadratic":
        return alpha * share * share
    return min(alpha, 4 * float(_beyond(normal_critical(alpha / 2) / math.sqrt(share))))


WIDEST = 8.0  # no bound lies further out: nothing of a test ever does


def _crossed(centre: np.ndarray, mass: np.ndarray, step: float, wanted: float) -> float:
    """The bound that is first crossed at this look with the wanted chance."""
    bound = min(WIDEST, normal_critical(wanted)) if wanted > 0 else WIDEST
    for _ in range(100):
        up, down = (bound - centre) / step, (-bound - centre) / step
        chance = float(mass @ (_beyond(up) + _beyond(-down)))
        slope = float(mass @ (_density(up) + _density(down))) / step
        if slope <= 0 or wanted <= 0:
            return WIDEST
        move = (chance - wanted) / slope
        bound = min(WIDEST, max(0.0, bound + max(-0.5, min(0.5, move))))
        if abs(move) < 1e-10:  # noqa: PLR2004
            break
    return bound


def difference(control: Arm, treatment: Arm, critical: float) -> Second:
    """Treatment less control by Welch's t with Satterthwaite's freedom, at a look's standard normal critical value."""
    value = treatment.mean - control.mean
    a, b = control.square, treatment.square
    if a is None or b is None or a + b == 0:  # without any spread there is no range
        return Second(value)
    t, error = _student(critical, _freedom(control, treatment)), math.sqrt(a + b)
    if not math.isfinite(t):
        return Second(value)
    up, down = (_bent(z, _lean(control, treatment)) for z in (t, -t))
    return Second(value, value - up * error, value - down * error, error)


def _freedom(control: Arm, treatment: Arm) -> float:
    """Satterthwaite's, from the shares of the variance."""
    parts = [(arm.square or 0.0, arm.freedom or arm.n - 1) for arm in (control, treatment)]
    whole = sum(square for square, _ in parts)
    return 1 / sum((square / whole) ** 2 / n for square, n in parts)


def uneven(arm: Arm, sums: Sequence[float]) -> Arm:
    """An arm of a ratio, whose units are of unequal size, with an unbiased variance and its degrees of freedom.

    Residuals are I - 1 w' times errors of variance w^2, w being a unit's share of the denominator. The sum of their squares expects the trace
    of their covariance; its degrees are the trace's square over that of the squared matrix, diagonal and rest added up apart.

    Args:
        arm: With the sample variance of the linearised values.
        sums: Of the second to sixth powers of the shares.
    """
    two, three, four, five, six = sums
    trace = (1 + two) * two - 2 * three
    if arm.variance is None or arm.n < 2 or trace <= 1e-9 * two:  # noqa: PLR2004
        return arm
    diagonal = (1 + two) ** 2 * four - 4 * (1 + two) * five + 4 * six
    everywhere = two**4 + 2 * two * four + 2 * three**2 - 4 * two**2 * three
    rest = everywhere - (two**2 * four - 4 * two * five + 4 * six)
    wider = two / trace * (1 - 1 / arm.n)
    third = None if arm.third is None else arm.third * math.sqrt(wider) ** 3
    return Arm(arm.n, arm.mean, arm.variance * wider, third, trace**2 / (diagonal + rest))


def skewness(arms: Sequence[Arm]) -> float:
    """Of a unit's value about its arm's mean: mean third power over the three halves' power of the variance, all arms together."""
    rows = [(arm.n, arm.variance, arm.third) for arm in arms]
    squares = sum((n - 1) * v for n, v, _ in rows if v is not None)
    cubes = [n * third for n, _, third in rows if third is not None]
    units = sum(n for n, _, _ in rows)
    if len(cubes) < len(rows) or squares <= 0:
        return 0.0
    return float(math.fsum(cubes) / units / (squares / (units - len(rows))) ** 1.5)


def _lean(control: Arm, treatment: Arm) -> float:
    """Skewness of the difference of two means of values of one shape and spread: third cumulants over their variance to the power 3/2."""
    n, m = float(control.n), float(treatment.n)
    return float(skewness((control, treatment)) * (m**-2 - n**-2) / (1 / m + 1 / n) ** 1.5)


def _bent(z: float, lean: float) -> float:
    """Where Hall's cubic t + g t^2 / 3 + g^2 t^3 / 27 + g / 6 is z: its one real root; past 3.5 on the side of g as far on as z is."""
    if abs(lean) < 1e-9:  # noqa: PLR2004
        return z
    past = math.copysign(max(0.0, math.copysign(z, z * lean) - 3.5), z)
    roots = np.roots([lean**2 / 27, lean / 3, 1.0, lean / 6 - (z - past)])
    return float(min(roots, key=lambda r: abs(r.imag)).real) + past


def _student(critical: float, freedom: float) -> float:
    """Student's t that is as rare as a standard normal value, by the incomplete beta function."""
    share = float(betaincinv(freedom / 2, 1 / 2, math.erfc(critical / math.sqrt(2))))
    return math.sqrt(freedom * (1 - share) / share) if share > 0 else math.inf


def ratio_change(control: Arm, treatment: Arm, critical: float) -> Second:
    """Treatment over control less one; the ends are the ratios r at which treatment - r control is just told from 0 (Fieller 1954)."""
    ratio = treatment.mean / control.mean
    a, b = control.square, treatment.square
    if a is None or b is None or a + b == 0:
        return Second(ratio - 1)
    t = _student(critical, _freedom(control, treatment))
    if not math.isfinite(t):
        return Second(ratio - 1)
    ends = []
    for place, z in enumerate((t, -t)):
        reach = _bent(z, _lean(control, treatment))
        if control.mean**2 <= reach**2 * a:  # no ratio is too large
            return Second(ratio - 1)
        quadratic = [
            control.mean**2 - reach**2 * a,
            -2 * control.mean * treatment.mean,
            treatment.mean**2 - reach**2 * b,
        ]
        ends.append(sorted(np.roots(quadratic).real)[place])
    return Second(ratio - 1, float(ends[0]) - 1, float(ends[1]) - 1)


def student(
    n: int, mean: float, spread: float, alpha: float = 0.05, *, skewed: float = 0.0, freedom: float | None = None
) -> Second:
    """A mean with Student's range, none of fewer than two values.

    Args:
        n: Values.
        mean: Theirs.
        spread: Standard deviation of one value.
        alpha: Two-sided error.
        skewed: Skewness of one value.
        freedom: Degrees of freedom, n - 1 by default.
    """
    if n < 2:  # noqa: PLR2004
        return Second(mean)
    t, error = float(stdtrit(freedom or n - 1, 1 - alpha / 2)), spread / math.sqrt(n)
    up, down = (_bent(z, skewed / math.sqrt(n)) for z in (t, -t))
    return Second(mean, mean - up * error, mean - down * error, error)


def degrees(n: int, spread: float, fourth: float | None) -> float:
    """Degrees of a t whose variance comes from n values: two over the squared variation of that variance, at most n - 1.

    Args:
        n: Values.
        spread: Their sample standard deviation.
        fourth: Mean fourth power of their distances from the mean, None where it is not known.
    """
    if fourth is None or spread == 0:
        return n - 1.0
    variation = (fourth / spread**4 - 1) / n  # the variance of a variance, over its square
    return min(n - 1.0, 2 / variation) if variation > 0 else n - 1.0


def few(n: int, value: float, spread: float, fourth: float | None, scale: str, alpha: float = 0.05) -> Second:
    """A value with a t of effective degrees on its scale: ``odds`` for areas, ``log`` for losses, else its own.

    Args:
        n: Independent units.
        value: Of the measure.
        spread: Standard deviation of one unit's influence on it.
        fourth: As for `degrees`.
        scale: Where the range is even on both sides.
        alpha: Two-sided error.
    """
    if n < 2:  # noqa: PLR2004
        return Second(value)
    error = spread / math.sqrt(n)
    reach = float(stdtrit(degrees(n, spread, fourth), 1 - alpha / 2)) * error
    if scale == "odds":
        if not 0 < value < 1 or error == 0:
            return Second(value)
        middle, reach = math.log(value) - math.log1p(-value), reach / (value * (1 - value))
        low, high = (0.5 + 0.5 * math.tanh((middle + side * reach) / 2) for side in (-1, 1))
        return Second(value, low, high, error)
    if scale == "log" and value > 0:
        low, high = (math.exp(math.log(value) + side * reach / value) for side in (-1, 1))
        return Second(value, low, high, error)
    return Second(value, value - reach, value + reach, error)


def share(hits: int, n: int, alpha: float = 0.05) -> Second:
    """A share with the range of those shares that a score test would not refuse: the roots of its quadratic (Wilson 1927)."""
    z2 = normal_critical(alpha) ** 2
    p = hits / n
    low, high = sorted(np.roots([1 + z2 / n, -(2 * p + z2 / n), p * p]).real)
    return Second(p, max(0.0, float(low)), min(1.0, float(high)), math.sqrt(p * (1 - p) / n))


def split_chance(counts: list[int], weights: list[float]) -> float:
    """Chance of a split no likelier than this one: chi-square, or exact where fewer than 5 units are expected in an arm.

    Chances of every split are multiplied out arm by arm; where these are too many, each arm stands against the others, times their number.
    """
    n, arms = sum(counts), len(counts)
    if n * min(weights) >= 5:  # noqa: PLR2004
        square = sum(c * c / (n * w) for c, w in zip(counts, weights, strict=True)) - n
        return float(gammaincc((arms - 1) / 2, max(0.0, square) / 2))
    if arms == 2:  # noqa: PLR2004
        return _binomial(counts[0], n, weights[0])
    if (n + 1) ** (arms - 1) > 10**6:
        return min(1.0, arms * min(_binomial(c, n, w) for c, w in zip(counts, weights, strict=True)))
    own = math.exp(sum(_poisson(c, n * w) for c, w in zip(counts, weights, strict=True)))
    found = np.ones(1)
    left = np.full(1, n)
    for w in weights[:-1]:
        units = np.arange(n + 1)
        chance = np.exp([_poisson(int(u), n * w) for u in units])
        room = left[:, None] >= units[None, :]
        found, left = (found[:, None] * chance)[room], (left[:, None] - units)[room]
    found = found * np.exp([_poisson(u, n * weights[-1]) for u in range(n + 1)])[left]
    return min(1.0, float(found[found <= own * (1 + 1e-7)].sum() / found.sum()))


def split_ever(drawn: list[tuple[str, int, int]], weights: list[float]) -> float:
    """Chance of a split ever so uneven at the end of a day: one over the largest odds so far of an urn against the plan (Lindon & Malek 2022).

    The urn starts with a thousand balls in the planned shares; of each unit's arm another is put in, so it learns what the shares are.

    Args:
        drawn: Day, place of the arm, and how many units, in the order of days.
        weights: Planned shares.
    """
    urn = [1000.0 * w for w in weights]
    odds = most = 0.0
    for i, (day, arm, units) in enumerate(drawn):
        before = sum(urn)
        odds += (
            math.lgamma(urn[arm] + units) - math.lgamma(urn[arm]) - math.lgamma(before + units) + math.lgamma(before)
        )
        odds -= units * math.log(weights[arm])
        urn[arm] += units
        if i + 1 == len(drawn) or drawn[i + 1][0] != day:
            most = max(most, odds)
    return math.exp(-most)


def _poisson(units: int, expected: float) -> float:
    """Logarithm of a Poisson chance; arms that are Poisson are multinomial, given their sum."""
    return units * math.log(expected) - expected - math.lgamma(units + 1)


def _binomial(hits: int, n: int, p: float) -> float:
    """Two-sided chance, added up over the counts of the rarer outcome that have any chance."""
    if p > 1 / 2:
        hits, p = n - hits, 1 - p
    spread = math.sqrt(n * p * (1 - p))
    ends = max(0, int(n * p - 40 * spread) - 200), min(n, max(hits, int(n * p + 40 * spread)) + 200)
    chances = [
        math.exp(
            math.lgamma(n + 1)
            - math.lgamma(k + 1)
            - math.lgamma(n - k + 1)
            + k * math.log(p)
            + (n - k) * math.log1p(-p)
        )
        for k in range(min(hits, ends[0]), ends[1] + 1)
    ]
    own = chances[hits - min(hits, ends[0])]
    return min(1.0, math.fsum(c for c in chances if c <= own * (1 + 1e-7)))


def changed(now: Second, before: Second) -> Second:
    """Now less before, of different rows."""
    value = now.value - before.value
    if now.error is None or before.error is None:
        return Second(value)
    return Second.around(value, math.sqrt(now.error**2 + before.error**2), normal_critical(0.05))


def apart(now: Second, before: Second) -> Second:
    """Now less before, of different rows: each end as far off as what the two ranges leave on its side (Newcombe 1998)."""
    value = now.value - before.value
    if now.low is None or now.high is None or before.low is None or before.high is None:
        return Second(value)
    low = value - math.sqrt((now.value - now.low) ** 2 + (before.high - before.value) ** 2)
    high = value + math.sqrt((now.high - now.value) ** 2 + (before.value - before.low) ** 2)
    return Second(value, low, high)


def opposite(found: Second) -> Second:
    """A value with its sign turned: its upper end becomes the lower one."""
    low, high = (None if end is None else -end for end in (found.high, found.low))
    return Second(-found.value, low, high, found.error)


def scaled(found: Second, factor: float, less: float = 0.0) -> Second:
    """A value times a positive factor, less a fixed amount."""
    low, high, error = found.low, found.high, found.error
    return Second(
        found.value * factor - less,
        None if low is None else low * factor - less,
        None if high is None else high * factor - less,
        None if error is None else error * factor,
    )
