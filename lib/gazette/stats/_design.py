"""How much evidence a look asks for, by the design of the test: the one place where a comparison gets its interval."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import accumulate
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

__all__ = ["Comparison", "Design", "Method", "compare", "information", "joint_alpha"]

Method = Literal["group-sequential", "confidence-sequence", "fixed"]
Kind = Literal["total", "share", "ratio", "whole"]
HARDLY = 1e-9  # of information that did not grow: such a look spends nothing
WORDS = {"group-sequential": "group sequential", "confidence-sequence": "confidence sequence", "fixed": "fixed horizon"}


@dataclass(frozen=True, kw_only=True)
class Design:
    """A test's design at one look.

    Attributes:
        method: How looks are paid for.
        alpha: Two-sided error of the whole test, for one comparison.
        units: Units of all arms at this look.
        planned: Units planned; needed for group-sequential.
        past: Units at the looks before.
        final: Whether this is the last look that the plan allows, so that all error that is left is spent.
        spending: For group-sequential.
        tightest: Units at which a confidence sequence is narrowest.
        information: Of each look so far on any scale (see `information`), this one last; by default its units.
        times: Share of the plan that had passed at each look, this one last; by default units over those planned.
    """

    method: Method
    alpha: float
    units: int
    planned: int | None = None
    past: tuple[int, ...] = ()
    final: bool = True
    spending: Spending = "obrien-fleming"
    tightest: int = 20000
    information: tuple[float, ...] = ()
    times: tuple[float, ...] = ()

    def fractions(self) -> list[float]:
        """Information at each look so far, this one last; what falls, as numbers are corrected, stays where it was."""
        found: list[float] = []
        for known in self.information or [n / (self.planned or self.units) for n in (*self.past, self.units)]:
            found.append(max(known, found[-1] * (1 + HARDLY)) if found else known)
        return found

    def clock(self) -> list[float]:
        """Share of the plan that had passed at each look so far."""
        return list(accumulate(self.times, max)) or self.fractions()

    def spent(self) -> float:
        """Error spent up to and with this look."""
        if self.method != "group-sequential" or self.final:
            return self.alpha
        return spent(self.clock()[-1], alpha=self.alpha, spending=self.spending)

    def critical(self, alpha: float | None = None) -> float:
        """How many standard errors an interval reaches to each side at this look, for a two-sided error ``alpha``."""
        level = self.alpha if alpha is None else alpha
        if self.method == "fixed" or self.units == 0:
            return z_of(1 - level)
        if self.method == "confidence-sequence":
            return confidence_sequence_z(self.units, n_star=self.tightest, alpha=level)
        return boundaries(self.fractions(), alpha=level, spending=self.spending, final=self.final, times=self.clock())[
            -1
        ]


def information(control: Moments, treatment: Moments, *, kind: Kind = "total") -> float | None:
    """How far a comparison has come, on a scale of which only ratios between looks of one test matter; None without any spread.

    What the z of two looks have in common is sqrt(I_1 / I_2). Where every user's value is complete, I is the number of users, as is 1 / SE^2.
    Where values go on growing, 1 / SE^2 falls while the test learns. With 1/m = 1/n_a + 1/n_b it is for

    - ``total``: m^2 SE^2, the variance of the difference of totals: exact where what a user does later owes nothing to what went before, careful
      where users differ from each other, for then looks have more in common;
    - ``share``: m p / (1 - p), exact for the same users: who has done it cannot do it again;
    - ``ratio``: 1 / SE^2, as its denominator grows with it;
    - ``whole``: m, as nothing is added to a user whose days are over.

    Args:
        control: Of the primary metric, after any adjustment.
        treatment: Likewise.
        kind: What the means are: totals of units (also their quantiles), shares of units, ratios of totals; or of users whose window is over.
    """
    if not control.n or not treatment.n:
        return None
    m = control.n * treatment.n / (control.n + treatment.n)
    square = control.variance / control.n + treatment.variance / treatment.n
    p = (control.n * control.mean + treatment.n * treatment.mean) / (control.n + treatment.n)
    if square <= 0 or (kind == "share" and not 0 < p < 1):
        return None
    if kind == "whole":
        return m
    if kind == "share":
        return m * p / (1 - p)
    return 1 / square if kind == "ratio" else m**2 * square


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
