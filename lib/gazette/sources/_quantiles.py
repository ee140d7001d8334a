"""Exact quantiles by ranks, as not every warehouse has a function for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["quantiles"]


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
