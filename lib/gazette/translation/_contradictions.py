"""Statements about the same two metrics that cannot both hold."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from gazette.translation._chain import Chain, chains

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gazette.translation._links import Link

__all__ = ["Contradiction", "contradictions"]

SEED = 7


@dataclass(frozen=True)
class Contradiction:
    """Two ways from one metric to another whose 80 % ranges do not meet.

    Attributes:
        start, end: The metrics.
        one, other: Ids of the links of each way, the flatter first.
        low, high: How many times steeper the other is, by the near and by the far ends of the ranges; None where
            they differ in sign or a range holds nought.
        units: Said instead of a ratio where the ways speak of different units, which cannot be compared.
    """

    start: str
    end: str
    one: tuple[str, ...]
    other: tuple[str, ...]
    low: float | None
    high: float | None
    units: str = ""


def contradictions(links: Sequence[Link]) -> list[Contradiction]:
    """Pairs of ways that disagree, and ways between the same metrics in units that cannot be compared.

    >>> from gazette.translation import Link, slope_of_range
    >>> said = dict(technical="ndcg", business="revenue", unit="points", effect_unit="relative", observed=(0, 0.03))
    >>> mean, sd = slope_of_range(0.012, 0.018, 0.8, per=0.02)
    >>> forth = Link(id="forth", mean=mean, sd=sd, **said)
    >>> back = Link(id="back", mean=0.15 / 0.015, sd=0, **said)
    >>> found, = contradictions([forth, back])
    >>> f"{found.low:.0f} to {found.high:.0f} times"
    '11 to 17 times'
    """
    found = []
    seen = set()
    segments = sorted({"", *(link.segment for link in links)})
    metrics = sorted({(a.technical, b.business) for a in links for b in links if a.technical != b.business})
    for segment in segments:
        for start, end in metrics:
            for one, other in combinations(chains(links, start, end, segment=segment), 2):
                first, second = sorted((tuple(k.id for k in one.links), tuple(k.id for k in other.links)))
                if (first, second) in seen or set(first) & set(second):
                    continue  # a link that both share explains nothing of the difference
                seen.add((first, second))
                if disagreement := _compare(start, end, one, other):
                    found.append(disagreement)
    return found


def _compare(start: str, end: str, one: Chain, other: Chain) -> Contradiction | None:
    first, second = (tuple(link.id for link in c.links) for c in (one, other))
    if (one.links[0].unit, one.unit) != (other.links[0].unit, other.unit):
        words = " and ".join(f"{c.unit} per {c.links[0].unit}" for c in (one, other))
        return Contradiction(start, end, first, second, None, None, words)
    (low_1, high_1), (low_2, high_2) = _range(one), _range(other)
    if max(low_1, low_2) <= min(high_1, high_2):
        return None
    if low_1 * high_1 <= 0 or low_2 * high_2 <= 0 or low_1 * low_2 < 0:
        return Contradiction(start, end, first, second, None, None)
    flat, steep = sorted(
        [
            (min(abs(low_1), abs(high_1)), max(abs(low_1), abs(high_1)), first),
            (min(abs(low_2), abs(high_2)), max(abs(low_2), abs(high_2)), second),
        ]
    )
    return Contradiction(start, end, flat[2], steep[2], steep[0] / flat[1], steep[1] / flat[0])


def _range(chain: Chain) -> tuple[float, float]:
    """The 80 % range of the way's slope."""
    if len(chain.links) == 1:
        return chain.links[0].range
    import numpy as np  # noqa: PLC0415  slow to import

    low, high = np.quantile(chain.draws(SEED), [0.1, 0.9])
    return float(low), float(high)
