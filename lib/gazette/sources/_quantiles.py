"""Exact quantiles and the order statistics that bound them, by ranks, as not every warehouse has a function for them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from gazette.sources._answer import ROUNDING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["MARKS", "bounding", "caps", "quantiles", "ranks"]

Z = 1.959963984540054  # of the ranks that bound a quantile, as in gazette.stats
MARKS = ("quantile", "low", "high", "low_rank", "high_rank")


def bounding(q: float) -> tuple[float, float]:
    """What two ranks that bound a quantile are made of: n q + first -+ second sqrt(n), rounded outwards (``stats.quantile_ranks``)."""
    return (1 - 2 * q) * (Z**2 - 1) / 6, Z * math.sqrt(q * (1 - q))


def ranks(rows: Any, column: str, q: float, by: Sequence[str]) -> Any:
    """A row per group with the sample quantile (the smallest value that so many do not exceed), two order statistics that bound it, and their ranks.

    Args:
        rows: A table.
        column: Its column of values.
        q: The quantile, between 0 and 1.
        by: Columns of the groups.
    """
    import ibis  # noqa: PLC0415

    value = rows[column]
    ranked = rows.select(
        *by,
        value=value,
        rank=ibis.row_number().over(ibis.window(group_by=list(by), order_by=value)) + 1,
        n=rows.count().over(ibis.window(group_by=list(by))).cast("float64"),
    )
    shift, reach = bounding(q)
    ranked = ranked.mutate(
        low_rank=ibis.greatest((ranked.n * q + shift - reach * ranked.n.sqrt()).floor(), 1),
        high_rank=ibis.least((ranked.n * q + shift + reach * ranked.n.sqrt()).ceil() + 1, ranked.n),
        middle=ibis.greatest((ranked.n * q - ROUNDING).ceil(), 1),
    )
    place = {"quantile": "middle", "low": "low_rank", "high": "high_rank"}
    marks = {name: ranked.value.max(where=ranked["rank"] == ranked[rank]) for name, rank in place.items()}
    return ranked.group_by(*by).aggregate(**marks, low_rank=ranked.low_rank.max(), high_rank=ranked.high_rank.max())


def quantiles(rows: Any, column: str, marks: Mapping[str, float], by: Sequence[str] = ()) -> Any:
    """A row per group (one row without) with quantiles of a column, linear between order statistics.

    Definition 7 of Hyndman & Fan (1996), as ``PERCENTILE_CONT`` and NumPy have it; rows without a value do not count.

    Args:
        rows: A table.
        column: Its column of values.
        marks: Name to quantile, between 0 and 1.
        by: Columns of the groups.
    """
    import ibis  # noqa: PLC0415  takes a second, needed only to build

    some = rows.filter(rows[column].notnull())
    value = some[column].cast("float64")
    ranked = some.select(
        *by,
        value=value,
        rank=ibis.row_number().over(ibis.window(group_by=list(by), order_by=value)),
        last=some.count().over(ibis.window(group_by=list(by))).cast("float64") - 1,
    )
    found = {}
    for name, q in marks.items():
        place = ranked["last"] * q
        low, high = (ranked.value.max(where=ranked["rank"] == end) for end in (place.floor(), place.ceil()))
        found[name] = low + (high - low) * (place - place.floor()).max()
    return ranked.group_by(*by).aggregate(**found) if by else ranked.aggregate(**found)


def caps(rows: Any, column: str, q: float, by: Sequence[str] = ()) -> Any:
    """A row per group (one row without) with a cap by quantile: that of all values (``whole``), or of those above 0 where it is not above 0.

    Where most units do nothing, the first would be 0 and leave nothing of the others.

    Args:
        rows: A table.
        column: Its column of values.
        q: The quantile, between 0 and 1.
        by: Columns of the groups.
    """
    import ibis  # noqa: PLC0415

    whole = quantiles(rows, column, {"whole": q}, by)
    above = quantiles(rows.filter(rows[column] > 0), column, {"above": q}, by).rename({f"of_{b}": b for b in by})
    both = whole.left_join(above, [whole[b] == above[f"of_{b}"] for b in by]) if by else whole.cross_join(above)
    cap = ibis.ifelse(both.whole > 0, both.whole, ibis.coalesce(both.above, both.whole))
    return both.select(*by, "whole", cap=cap)
