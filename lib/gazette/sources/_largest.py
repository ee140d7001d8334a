"""How much of a metric's total its largest users hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gazette.sources._answer import column_of
from gazette.sources._measured import capped

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gazette.params import Metric

__all__ = ["HUNDRED", "adds_up", "largest"]

HUNDRED = 100  # of so many users one is among the largest, and at least one


def adds_up(metric: Metric) -> bool:
    """Whether a metric is a mean of amounts or counts, or divides their total, which a few users can make up."""
    return metric.fact is not None and metric.fact.aggregation != "any" and metric.quantile is None


def largest(joined: Any, metrics: Mapping[str, Metric]) -> Any:
    """A row per metric and variant: the total of all values (of a ratio, of its numerator) without their signs, and that of the largest in a hundred users; None without such metrics.

    Args:
        joined: A table with a row per unit.
        metrics: Definitions by id.
    """
    import ibis  # noqa: PLC0415

    rows, found = capped(joined, dict(metrics)), []
    for name, metric in metrics.items():
        if not adds_up(metric):
            continue
        value = rows[column_of(name)].cast("float64").abs()
        ranked = rows.select(
            "variant",
            value=value,
            rank=ibis.row_number().over(ibis.window(group_by="variant", order_by=value.desc())),
            units=rows.count().over(ibis.window(group_by="variant")),
        )
        top = ranked.value.sum(where=ranked["rank"] * HUNDRED < ranked.units)
        each = ranked.group_by("variant").aggregate(top=top, whole=ranked.value.sum())
        found.append(each.mutate(metric=ibis.literal(name)).select("metric", "variant", "top", "whole"))
    return ibis.union(*found) if len(found) > 1 else found[0] if found else None
