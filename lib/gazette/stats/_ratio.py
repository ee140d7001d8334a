"""Sample ratio: do the arms have the sizes that were planned?"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import chdtrc, gammaln

from gazette.record import NotPublished

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["homogeneity", "sample_ratio", "sample_ratio_sequence"]

FEWEST = 5  # units expected in an arm below which the chi-square distribution misleads (Cochran 1954)
MOST = 1_000_000  # outcomes that are listed one by one
ALIKE = 1 + 1e-7  # two chances that differ by less are the same
TWO = 2


def sample_ratio(counts: Sequence[int], weights: Sequence[float]) -> float | NotPublished:
    """P-value of the test that units were split by ``weights``: chi-square (Pearson 1900), exact where it expects few in an arm.

    Exact is the chance of all splits that are no likelier than this one: binomial for two arms, multinomial for more. Where more arms have
    too many splits to list, each arm is tested against the others, and the smallest p counts, times the number of arms (Bonferroni).

    Args:
        counts: Units per arm.
        weights: Planned shares, in the same order, adding up to 1.

    >>> round(sample_ratio([44700, 45489], [0.5, 0.5]), 4), round(sample_ratio([96, 4], [0.99, 0.01]), 4)
    (0.0086, 0.0184)
    """
    total = sum(counts)
    if total == 0:
        return NotPublished(reason="no units")
    if total * min(weights) < FEWEST:
        return _exact_split(counts, weights)
    statistic = math.fsum((c - total * w) ** 2 / (total * w) for c, w in zip(counts, weights, strict=True))
    return float(chdtrc(len(counts) - 1, statistic))


def _exact_split(counts: Sequence[int], weights: Sequence[float]) -> float:
    from scipy.stats import binomtest  # noqa: PLC0415  slow to import, and rarely needed

    total, arms = sum(counts), len(counts)
    if arms > TWO and (total + 1) ** (arms - 1) <= MOST:
        listed = _splits([total] * (arms - 1), total)
        chances = _log_factorials(listed) + np.log(weights) @ listed
        own = _log_factorials(np.array(counts)) + float(np.log(weights) @ np.array(counts))
        return _no_likelier(chances, float(own))
    alone = [float(binomtest(c, total, min(1.0, w)).pvalue) for c, w in zip(counts, weights, strict=True)]
    return alone[0] if arms == TWO else min(1.0, arms * min(alone))


def _splits(most: Sequence[int], total: int) -> np.ndarray:
    """All ways to put ``total`` units into arms, a column each; ``most`` are bounds of all arms but the last."""
    first = np.indices([m + 1 for m in most]).reshape(len(most), -1)
    last = total - first.sum(axis=0)
    return np.vstack([first, last])[:, last >= 0]


def _log_factorials(units: np.ndarray) -> np.ndarray:
    """Minus the logarithm of the product of the factorials of each column."""
    return np.asarray(-gammaln(units + 1.0).sum(axis=0))


def _no_likelier(chances: np.ndarray, own: float) -> float:
    """Share of the chance, given as logarithms, of outcomes that are no likelier than the one at hand."""
    scaled = np.exp(chances - chances.max())
    return min(1.0, float(scaled[scaled <= ALIKE * math.exp(own - chances.max())].sum() / scaled.sum()))


def homogeneity(counts: Sequence[tuple[int, int]]) -> float | NotPublished:
    """P-value of the test that a share is the same in every arm: chi-square without correction for continuity (Pearson 1900), exact for few.

    Exact, given how many have it in all, as for `sample_ratio`: Fisher's test for two arms, Freeman and Halton's (1951) for more.

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
    if min(share, 1 - share) * min(n for _, n in arms) < FEWEST:
        return _exact_share([(x if share <= 1 / 2 else n - x, n) for x, n in arms])
    statistic = math.fsum((x - n * share) ** 2 / (n * share * (1 - share)) for x, n in arms)
    return float(chdtrc(len(arms) - 1, statistic))


def _exact_share(arms: Sequence[tuple[int, int]]) -> float:
    from scipy.stats import fisher_exact  # noqa: PLC0415  slow to import, and rarely needed

    have, total = sum(x for x, _ in arms), sum(n for _, n in arms)
    most = [min(have, n) for _, n in arms[:-1]]
    if len(arms) > TWO and math.prod(m + 1 for m in most) <= MOST:
        sizes = np.array([n for _, n in arms])
        listed = _splits(most, have)
        listed = listed[:, listed[-1] <= sizes[-1]]
        own = np.array([x for x, _ in arms])
        chances = [
            _log_factorials(x) + _log_factorials(sizes.reshape(-1, *[1] * (x.ndim - 1)) - x) for x in (listed, own)
        ]
        return _no_likelier(chances[0], float(chances[1]))
    alone = [float(fisher_exact(np.array([[x, n - x], [have - x, total - n - have + x]])).pvalue) for x, n in arms]
    return alone[0] if len(arms) == TWO else min(1.0, len(arms) * min(alone))


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
