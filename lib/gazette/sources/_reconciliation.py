"""What each system says of a figure, day by day."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gazette.params import Told
    from gazette.sources._warehouse import Period, Warehouse

__all__ = ["told"]


def told(warehouse: Warehouse, source: Told, period: Period, *, file: str) -> Any:
    """Expression with a row per day of the history's weeks: day, value, rows; only rows that had arrived by the cut-off."""
    wanted = {"time": source.time} | {f"where {w.column}": w.column for w in source.where}
    wanted |= {"arrived": source.arrived} if source.arrived else {}
    wanted |= {"value": source.value} if source.value else {}
    table = warehouse.table(source.table, wanted, file=file)
    at = table[source.time].cast("timestamp")
    conditions = [at >= period.history_start, at < period.end]
    conditions += [table[w.column] == w.equals for w in source.where]
    if source.arrived:
        conditions.append(table[source.arrived] < period.cutoff)
    kept = table.filter(*conditions)
    kept = kept.mutate(day=kept[source.time].cast("timestamp").date())
    value = kept[source.value].cast("float64").sum() if source.value else kept.count().cast("float64")
    return kept.group_by("day").aggregate(value=value, rows=kept.count()).order_by("day")
