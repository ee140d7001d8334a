"""Sample ratio: do the arms have the sizes that were planned?"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from scipy.special import chdtrc

from gazette.record import NotPublished

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["sample_ratio"]


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
