"""What unequal sizes do to the variance of a ratio of sums: how much too small it is, and how little is known of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gazette.record import NotPublished

if TYPE_CHECKING:
    from gazette.stats._moments import Moments

__all__ = ["degrees", "too_unequal", "unequal"]

FEWEST = 2.0  # degrees of freedom of an arm, those of three units of one size
ROUNDING = 1e-9


def unequal(n: int, sums: tuple[float, float, float, float]) -> tuple[float, float]:
    """What the sum of squared residuals has to be multiplied by, and its degrees of freedom.

    A unit's residual x - r y is smaller than its error, as the unit itself moved r: the more so, the larger its share w of the arm's y. If the
    rates x / y of units have one variance (rows of a unit are alike), the sum of squares expects sum w^2 (1 - 2 w + sum w^2) of it where
    sum w^2 is right. The degrees are Satterthwaite's of that quadratic form (Bell & McCaffrey 2002; Pustejovsky & Tipton 2018), those
    that clubSandwich gives for its CR0. Units of one size have n - 1.

    Args:
        n: Units.
        sums: Over units, of the second to fifth powers of their shares of the arm's denominator.

    Returns:
        The factor is 1 and the degrees are 0 where one unit holds everything.

    >>> [round(v, 9) for v in unequal(4, (1 / 4, 1 / 16, 1 / 64, 1 / 256))]
    [1.333333333, 3.0]
    """
    w2, w3, w4, w5 = sums
    expected = w2 - 2 * w3 + w2**2
    spread = w4 * (1 + 2 * w2) - 4 * w5 + w2**4 - 4 * w2**2 * w3 + 2 * w2 * w4 + 2 * w3**2
    if n < 2 or expected <= ROUNDING * w2 or spread <= 0:  # noqa: PLR2004  a variance needs two
        return 1.0, 0.0
    return w2 / expected, min(n - 1.0, expected**2 / spread)


def degrees(arm: Moments) -> float:
    """Degrees of freedom of an arm's variance."""
    return arm.n - 1.0 if arm.freedom is None else arm.freedom


def too_unequal(*arms: Moments) -> NotPublished | None:
    """Why the variance of one of these arms is hardly known; None where it is, or where sizes were not kept."""
    for arm in arms:
        if arm.freedom is not None and arm.freedom < FEWEST * (1 - ROUNDING):
            return NotPublished(
                reason=f"{arm.n:,} units of so unequal size say too little of how units vary: "
                "each arm needs what is worth 3 units of one size, better 10"
            )
    return None
