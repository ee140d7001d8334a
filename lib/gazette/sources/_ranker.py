"""Queries of a ranker: scores per request, such as NDCG, ready in a column or computed from the items that were shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gazette.sources._answer import flag
from gazette.sources._measures import answers, days, first_of_each, mean_influences, within

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gazette.params import Model, Quality
    from gazette.sources._warehouse import Period, Warehouse

__all__ = ["queries"]


def queries(
    warehouse: Warehouse, model: Model, period: Period, versions: dict[str, str], *, file: str
) -> Iterator[tuple[str, Any]]:
    """Name and ibis expression of each query."""
    scores = model.scores
    ready = [q for q in scores.quality if q.column]
    wanted = {k: getattr(scores, k) for k in ("id", "time", "arrived", "version")}
    wanted |= {f"quality {q.metric}": str(q.column) for q in ready}
    wanted |= {f"segments {s}": s for s in scores.segments}
    table = warehouse.table(scores.table, wanted, file=file)
    kept = within(table, scores, period)
    rows = kept.select(
        row_id=kept[scores.id],
        time=kept[scores.time],
        arrived=kept[scores.arrived],
        week=kept[scores.time].truncate("W").date(),
        version=kept[scores.version].cast("string"),
        **{_name(q): kept[q.column].cast("float64") for q in ready},
        **{column: kept[column] for column in scores.segments},
    )
    rows = first_of_each(rows, ["row_id", "version"], "arrived")
    computed = [q for q in scores.quality if not q.column]
    if computed:
        gains = _gains(warehouse, model, computed, file=file)
        rows = rows.inner_join(gains, [rows.row_id == gains.item_request, rows.version == gains.item_version])
        rows = rows.drop("item_request", "item_version")
    columns = [_name(q) for q in scores.quality]

    def placed(some: Any, groups: Sequence[str]) -> Any:
        return mean_influences(some, groups, columns)

    yield from answers(placed, rows, columns, model, period, versions)
    yield "days", days(rows.filter(rows.version == versions["live"]), period)


def _name(quality: Quality) -> str:
    return quality.metric.replace("-", "_")


def _gains(warehouse: Warehouse, model: Model, qualities: Sequence[Quality], *, file: str) -> Any:
    """NDCG and precision of each request from its items: linear gain, discount log2(rank + 1) (Järvelin & Kekäläinen 2002).

    A request without any relevant item has an NDCG of 0, as in scikit-learn.
    """
    import ibis  # noqa: PLC0415

    items = model.scores.items
    assert items is not None  # noqa: S101  the parameter check guarantees it
    wanted = {f"items {k}": getattr(items, k) for k in ("request", "version", "rank", "relevance")}
    table = warehouse.table(items.table, wanted, file=file)
    rows = table.select(
        item_request=table[items.request],
        item_version=table[items.version].cast("string"),
        rank=table[items.rank].cast("int64"),
        relevance=table[items.relevance].cast("float64"),
    )
    keys = ["item_request", "item_version"]
    best = ibis.row_number().over(ibis.window(group_by=keys, order_by=ibis.desc("relevance")))
    rows = rows.mutate(best=best + 1)
    found = {}
    for q in qualities:
        top = rows.rank <= q.k
        if q.measure == "precision":
            found[_name(q)] = flag(rows.relevance > 0).sum(where=top) / q.k
            continue
        gain = (rows.relevance / (rows.rank + 1).log2()).sum(where=top)
        ideal = (rows.relevance / (rows.best + 1).log2()).sum(where=rows.best <= q.k)
        found[_name(q)] = ibis.ifelse(ideal > 0, gain / ideal.nullif(0), 0.0)
    return rows.group_by(*keys).aggregate(**found)
