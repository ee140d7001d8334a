"""How much evidence a look asks for, by the design of the test: the one place where a comparison gets its interval."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from gazette.record import NotPublished
from gazette.stats._estimates import (
    Estimate,
    difference_of_means,
    relative_difference,
    z_of,
)
from gazette.stats._moments import Moments
from gazette.stats._sequential import Spending, boundaries, confidence_sequence_z, spent
from gazette.stats._shares import difference_of_proportions, relative_of_proportions

__all__ = ["Comparison", "Design", "Method", "compare", "joint_alpha"]

Method = Literal["group-sequential", "confidence-sequence", "fixed"]
WORDS = {"group-sequential": "group sequential", "confidence-sequence": "confidence sequence", "fixed": "fixed horizon"}


@dataclass(frozen=True, kw_only=True)
class Design:
    """A test's design at one look.

    Attributes:
        method: How looks are paid for.
        alpha: Two-sided error of the whole test, for one comparison.
        units: Units of all arms at this look.
        planned: Units planned; needed for group-sequential.
        past: Units at the looks before, growing, all below ``units``.
        final: Whether the test is over.
        spending: For group-sequential.
        tightest: Units at which a confidence sequence is narrowest.
    """

    method: Method
    alpha: float
    units: int
    planned: int | None = None
    past: tuple[int, ...] = ()
    final: bool = True
    spending: Spending = "obrien-fleming"
    tightest: int = 20000

    def fractions(self) -> list[float]:
        """Information at each look so far, this one last."""
        return [n / (self.planned or self.units) for n in (*self.past, self.units)]

    def spent(self) -> float:
        """Error spent up to and with this look."""
        if self.method != "group-sequential" or self.final:
            return self.alpha
        return spent(self.fractions()[-1], alpha=self.alpha, spending=self.spending)

    def critical(self, alpha: float | None = None) -> float:
        """How many standard errors an interval reaches to each side at this look, for a two-sided error ``alpha``."""
        level = self.alpha if alpha is None else alpha
        if self.method == "fixed" or self.units == 0:
            return z_of(1 - level)
        if self.method == "confidence-sequence":
            return confidence_sequence_z(self.units, n_star=self.tightest, alpha=level)
        return boundaries(self.fractions(), alpha=level, spending=self.spending, final=self.final)[-1]


@dataclass(frozen=True)
class Comparison:
    """Treatment against control on one metric."""

    difference: Estimate | NotPublished
    relative: Estimate | NotPublished

    @property
    def excludes_zero(self) -> bool:
        """Whether the difference's interval lies to one side of no change."""
        return isinstance(self.difference, Estimate) and (self.difference.low > 0 or self.difference.high < 0)


def compare(
    control: Moments, treatment: Moments, design: Design, *, proportion: bool = False, alpha: float | None = None
) -> Comparison:
    """Difference and relative difference with the interval that the design asks for.

    Args:
        control: Of the metric, after any adjustment.
        treatment: Likewise.
        design: The test's design at this look.
        proportion: Whether the means are shares of units, which are compared by the score test.
        alpha: Error for this comparison; by default the design's.
    """
    error = design.alpha if alpha is None else alpha
    z, level = design.critical(error), 1 - error
    word = "" if design.method == "fixed" else f", {WORDS[design.method]}"
    if proportion:
        pairs = [(round(m.mean * m.n), m.n) for m in (control, treatment)]
        found = [f(*pairs, level=level, critical=z) for f in (difference_of_proportions, relative_of_proportions)]
    else:
        found = [f(control, treatment, level=level, critical=z) for f in (difference_of_means, relative_difference)]
    return Comparison(*(replace(e, method=e.method + word) if isinstance(e, Estimate) else e for e in found))


def joint_alpha(alpha: float, count: int, excluded: Callable[[float], int], method: str) -> float:
    """The error at which each of several intervals is read, so that they hold together.

    For Benjamini-Hochberg it is alpha R / m with R the largest number such that at least R intervals at that level exclude zero: those
    are the discoveries, and their intervals hold the false coverage rate (Benjamini & Yekutieli 2005). For Holm it is alpha / (m - R).
    Either way an interval excludes zero exactly where the procedure rejects.

    Args:
        alpha: Error of the family.
        count: Its size, m.
        excluded: How many intervals exclude zero at an error.
        method: ``benjamini-hochberg``, ``holm``, ``bonferroni`` or ``none``.
    """
    if count == 0 or method == "none":
        return alpha
    if method == "bonferroni":
        return alpha / count
    if method == "holm":
        rejected = 0
        while rejected < count and excluded(alpha / (count - rejected)) > rejected:
            rejected = min(count, excluded(alpha / (count - rejected)))
        return alpha / max(1, count - rejected)
    for r in range(count, 0, -1):
        if excluded(alpha * r / count) >= r:
            return alpha * r / count
    return alpha / count
