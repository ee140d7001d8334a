"""Sample ratio: do the arms have the sizes that were planned?"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from scipy.special import chdtrc, gammaln

from gazette.record import NotPublished

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["homogeneity", "sample_ratio", "sample_ratio_sequence"]


def sample_ratio(counts: Sequence[int], weights: Sequence[float]) -> float | NotPublished:
    """P-value of the chi-square test that units were split by ``weights`` (Pearson 1900).

    Args:
        counts: Units per arm.
        weights: Planned shares, in the same order, adding up to 1.

    >>> round(sample_ratio([44700, 45489], [0.5, 0.5]), 4)
    0.0086
    """
    total = sum(counts)
    if total == 0:
        return NotPublished(reason="no units")
    statistic = math.fsum((c - total * w) ** 2 / (total * w) for c, w in zip(counts, weights, strict=True))
    return float(chdtrc(len(counts) - 1, statistic))


def homogeneity(counts: Sequence[tuple[int, int]]) -> float | NotPublished:
    """P-value of the chi-square test that a share is the same in every arm, without correction for continuity (Pearson 1900).

    Args:
        counts: Units of each arm that have something, and its units.

    >>> round(homogeneity([(9000, 10000), (8800, 10000)]), 9)
    6.188e-06
    """
    have, total = sum(x for x, _ in counts), sum(n for _, n in counts)
    arms = [(x, n) for x, n in counts if n]
    if len(arms) < 2:  # noqa: PLR2004  a comparison
        return NotPublished(reason="fewer than two arms have units")
    if have in {0, total}:
        return 1.0
    share = have / total
    statistic = math.fsum((x - n * share) ** 2 / (n * share * (1 - share)) for x, n in arms)
    return float(chdtrc(len(arms) - 1, statistic))


def sample_ratio_sequence(daily: Sequence[Sequence[int]], weights: Sequence[float]) -> float | NotPublished:
    """P-value of the split that may be read every day: the smallest 1 / Bayes factor so far (Lindon & Malek, arXiv 2011.03567).

    The factor is Dirichlet-multinomial with a prior of ``CONCENTRATION * weights`` against the planned multinomial.

    Args:
        daily: New units per arm, one row a day, oldest first.
        weights: Planned shares, in the order of the columns, adding up to 1.

    >>> sample_ratio_sequence([[50, 50]] * 20, [0.5, 0.5]) > 0.5, sample_ratio_sequence([[60, 40]] * 20, [0.5, 0.5]) < 0.001
    (True, True)
    """
    totals = [0] * len(weights)
    least = 1.0
    for row in daily:
        totals = [t + n for t, n in zip(totals, row, strict=True)]
        least = min(least, math.exp(min(0.0, -_log_factor(totals, weights))))
    return least if sum(totals) else NotPublished(reason="no units")


CONCENTRATION = (
    1000.0  # how near to the plan a faulty split is thought to be; tightest for shares off by a few per cent
)


def _log_factor(counts: Sequence[int], weights: Sequence[float]) -> float:
    n = sum(counts)
    prior = [CONCENTRATION * w for w in weights]
    beta = gammaln(CONCENTRATION) - gammaln(CONCENTRATION + n)
    beta += sum(gammaln(a + c) - gammaln(a) for a, c in zip(prior, counts, strict=True))
    return float(beta - sum(c * math.log(w) for c, w in zip(counts, weights, strict=True)))
