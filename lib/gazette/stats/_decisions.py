"""Second opinions and corrections: Bayes, several comparisons, segments."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from scipy.special import chdtrc, log_ndtr, ndtr

from gazette.record import NotPublished

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gazette.stats._estimates import Estimate

__all__ = ["Bayes", "Correction", "adjust", "bayes", "heterogeneity"]

Correction = Literal["benjamini-hochberg", "holm", "bonferroni", "none"]


@dataclass(frozen=True)
class Bayes:
    """A reading with a flat prior: the chance that the variant is better, and what is lost on average if it is taken and is worse.

    Attributes:
        probability_better: Between 0 and 1.
        expected_loss: Mean of the loss over all that fits, gains counted as no loss, in the effect's unit.
        loss_if_worse: Mean of the loss where there is one: the same over the chance of it.
    """

    probability_better: float
    expected_loss: float
    loss_if_worse: float


def bayes(effect: Estimate, *, higher_is_better: bool = True) -> Bayes:
    """Posterior normal around the effect, flat prior (large-sample; e.g. Stucchio 2015 for the loss).

    P(better) = Phi(d/SE); expected loss = SE phi(d/SE) - d Phi(-d/SE), with d the effect in the good direction.
    """
    d = effect.value if higher_is_better else -effect.value
    z = d / effect.standard_error
    density = math.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)
    loss = max(0.0, effect.standard_error * density - d * float(ndtr(-z)))
    hazard = math.exp(-(z**2) / 2 - float(log_ndtr(-z))) / math.sqrt(2 * math.pi)  # phi / Phi, also far out
    return Bayes(float(ndtr(z)), loss, max(0.0, effect.standard_error * hazard - d))


def adjust(p_values: Sequence[float], method: Correction) -> list[float]:
    """Adjusted p-values in the order given: reject those at or below alpha.

    Benjamini & Hochberg (1995) hold the false discovery rate, Holm (1979) and Bonferroni the family-wise error.

    >>> adjust([0.01, 0.04, 0.03], "benjamini-hochberg")
    [0.03, 0.04, 0.04]
    """
    m = len(p_values)
    order = sorted(range(m), key=lambda i: p_values[i])
    found = [0.0] * m
    if method == "benjamini-hochberg":
        least = 1.0
        for rank in range(m, 0, -1):
            i = order[rank - 1]
            least = min(least, p_values[i] * m / rank)
            found[i] = least
    elif method == "holm":
        most = 0.0
        for rank, i in enumerate(order):
            most = max(most, min(1.0, p_values[i] * (m - rank)))
            found[i] = most
    else:
        found = [min(1.0, p * m) if method == "bonferroni" else p for p in p_values]
    return found


def heterogeneity(effects: Sequence[Estimate]) -> float | NotPublished:
    """P-value that effects of several segments are the same (Cochran's Q, 1954, chi-square with k - 1 degrees of freedom)."""
    if len(effects) < 2:  # noqa: PLR2004  nothing to compare
        return NotPublished(reason="fewer than two segments can be compared")
    weights = [1 / e.standard_error**2 for e in effects]
    centre = math.fsum(w * e.value for w, e in zip(weights, effects, strict=True)) / math.fsum(weights)
    q = math.fsum(w * (e.value - centre) ** 2 for w, e in zip(weights, effects, strict=True))
    return float(chdtrc(len(effects) - 1, q))
