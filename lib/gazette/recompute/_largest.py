"""A second time: how much of a total its largest users hold, and how many users it rests on."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from gazette.recompute._arithmetic import Arm, Second, skewness

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gazette.params import Metric

__all__ = ["HELD", "few", "placed"]

HELD = (
    "SUM(CAST(x AS DOUBLE)) AS total, SUM(CAST(x AS DOUBLE) * CAST(x AS DOUBLE)) AS squares, "
    "SUM(CASE WHEN place <= first THEN ABS(x) END) AS top, SUM(ABS(x)) AS size"
)
BOTH = 2


def placed(known: Metric) -> str:
    """Columns of each unit: its place by size (of a ratio, of its numerator) in its arm, and how many are the largest: one in a hundred, the last hundred begun counting as whole."""
    if known.fact is None or known.fact.aggregation == "any":
        return ", 0 AS place, -1 AS first"
    return (
        ", ROW_NUMBER() OVER (PARTITION BY arm ORDER BY ABS(x) DESC) AS place, "
        "CEIL(COUNT(*) OVER (PARTITION BY arm) / CAST(100 AS DOUBLE)) AS first"
    )


def few(rows: Sequence[Mapping[str, Any]], compared: Sequence[Arm]) -> Iterator[tuple[str, Second | None]]:
    """What a metric of two arms rests on: users, those of one size that would vary as much, the share of the largest, users that a range takes.

    Args:
        rows: Of the two arms, as they were measured.
        compared: The two arms as they are compared.
    """
    if len(rows) < BOTH or len(compared) < BOTH or any(row.get("squares") is None for row in rows):
        return
    total, squares = (math.fsum(float(row[k]) for row in rows) for k in ("total", "squares"))
    yield "compared", Second(float(sum(int(row["n"]) for row in rows)))
    yield "effective", Second(total * total / squares if squares else 0.0)
    yield "unskewed", Second(float(math.ceil(skewness(compared) ** 2)))
    if all(row.get("top") is not None for row in rows):
        top, size = (math.fsum(float(row[k]) for row in rows) for k in ("top", "size"))
        if size:
            yield "largest", Second(top / size)
