"""What skewed values do to a mean's statistic: a range that reaches further on one side, or none where no range would hold.

A studentised difference of skewed values is not Student's: where the long tail was missed, mean and spread are both too small. Hall's monotone
cubic takes the first-order term of its Edgeworth expansion away (Johnson 1978, JASA 73:536; Hall 1992, JRSS B 54:221). The shape is taken from
both arms together: an arm that missed the tail says itself that there is none.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gazette.record import NotPublished

if TYPE_CHECKING:
    from gazette.stats._moments import Moments

__all__ = ["Skew", "effective_users", "shape", "skew_of", "straight", "too_skewed", "unstraight"]

MOST = 1.0  # skewness of an arm's mean, beyond which a range of 95 % misses in up to 40 % of samples
TINY = 1e-9  # skewness that bends nothing
NOTED = 0.1  # skewness of a difference, which at two standard errors moves an end by an eighth of one
FAR = 3.5  # a statistic on the side of the tail is not bent nearer beyond this: the expansion is one about the middle


def shape(*arms: Moments) -> float:
    """Skewness of one unit's value about its arm's mean, of all arms together; 0 where an arm's third moment was not kept."""
    n, kept = sum(a.n for a in arms), [a.third for a in arms if a.third is not None]
    freedom = n - len(arms)
    spread = sum((a.n - 1) * a.variance for a in arms) / freedom if freedom > 0 else 0.0
    if len(kept) < len(arms) or spread <= 0:
        return 0.0
    scale = math.sqrt(spread)
    return math.fsum(a.n * (third / scale**2 / scale) for a, third in zip(arms, kept, strict=True)) / n


def of_difference(control: Moments, treatment: Moments) -> float:
    """Skewness of a difference of two means, if one unit's value has the same shape in both arms.

    It is that of the smaller arm's mean, nearly, and none for equal arms. With a treatment that multiplies values it is also that of
    treatment - r control at the true ratio r, so that differences and ratios are bent alike.
    """
    a, b = 1 / control.n, 1 / treatment.n
    return shape(control, treatment) * (b * b - a * a) / math.sqrt(a + b) ** 3


def straight(t: float, skewness: float) -> float:
    """A statistic as it would be without the skewness of what it is of: t + g t^2 / 3 + g^2 t^3 / 27 + g / 6, which rises everywhere.

    On the side of the tail values beyond 3.5 are as far apart as they were: limits of early looks lie there, and simulations do not.

    >>> round(straight(-2.5, 0.4), 3), round(straight(9.0, 0.4) - straight(8.0, 0.4), 3)
    (-1.693, 1.0)
    """
    end = math.copysign(FAR, skewness)
    beyond = t - unstraight(end, skewness)
    if beyond * end > 0:
        return end + beyond
    return t + skewness * t * t / 3 + skewness**2 * t**3 / 27 + skewness / 6


def unstraight(z: float, skewness: float) -> float:
    """The statistic that :func:`straight` makes into this value.

    >>> round(unstraight(-1.692593, 0.4), 3)
    -2.5
    """
    if abs(skewness) < TINY or not math.isfinite(z):
        return z
    near = math.copysign(min(abs(z), FAR), z) if z * skewness > 0 else z
    return 3 / skewness * (math.cbrt(1 + skewness * (near - skewness / 6)) - 1) + z - near


def too_skewed(smallest: int, skewness: float) -> NotPublished | None:
    """Why a mean of so many units whose values are so skewed has no range that holds; None where it has.

    Args:
        smallest: Units of the smaller arm.
        skewness: Of one unit's value, from :func:`shape`.
    """
    needed = _needed(skewness)
    if smallest >= needed:
        return None
    return NotPublished(
        reason=f"a few users hold so much of the total that {smallest:,} in an arm say too little of its mean: "
        f"at least {needed:,} are needed, or a cap on the metric"
    )


def _needed(skewness: float) -> int:
    return math.ceil((skewness / MOST) ** 2)


@dataclass(frozen=True)
class Skew:
    """What a few large values do to a comparison.

    Attributes:
        withheld: Whether it has no range for that.
        bent: Whether its range reaches noticeably further on one side.
        needed: Users of the smaller arm from which on there is a range.
    """

    withheld: bool
    bent: bool
    needed: int


def skew_of(control: Moments, treatment: Moments) -> Skew:
    """What the skewness of two arms does to their comparison.

    Args:
        control: As they are compared.
        treatment: Likewise.
    """
    if not control.n or not treatment.n:
        return Skew(withheld=False, bent=False, needed=0)
    skewness = shape(control, treatment)
    withheld = too_skewed(min(control.n, treatment.n), skewness) is not None
    return Skew(withheld, not withheld and abs(of_difference(control, treatment)) >= NOTED, _needed(skewness))


def effective_users(*arms: Moments) -> float:
    """Users who would make up the total if each had as much as the others: the square of the sum over the sum of squares (Kish 1965).

    >>> from gazette.stats import Moments
    >>> round(effective_users(Moments(100, 1.0, 0.0)), 6), round(effective_users(Moments(100, 0.01, 0.01)), 6)
    (100.0, 1.0)
    """
    whole = math.fsum(a.n * a.mean for a in arms)
    squares = math.fsum((a.n - 1) * a.variance + a.n * a.mean**2 for a in arms if a.n)
    return whole**2 / squares if squares > 0 else 0.0
