"""Queries of a ranker: scores per request, such as NDCG, ready in a column or computed from the items that were shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gazette.errors import SourceError
from gazette.sources._answer import flag
from gazette.sources._measures import (
    answers,
    at_one_age,
    days,
    first_of_each,
    mean_influences,
    unscored,
    user_of,
    within,
)
from gazette.sources._values import alike, number

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gazette.params import Model, Quality
    from gazette.sources._warehouse import Period, Warehouse

__all__ = ["queries"]


def queries(
    warehouse: Warehouse, model: Model, period: Period, versions: dict[str, str], *, held: str, file: str
) -> Iterator[tuple[str, Any]]:
    """Name and ibis expression of each query."""
    scores = model.scores
    ready = [q for q in scores.quality if q.column]
    wanted = {k: getattr(scores, k) for k in ("id", "time", "arrived", "version")}
    wanted |= {f"quality {q.metric}": str(q.column) for q in ready}
    wanted |= {f"segments {s}": s for s in scores.segments} | ({"unit": scores.unit} if scores.unit else {})
    table = warehouse.table(scores.table, wanted, file=file)
    kept = within(table, scores, period)
    rows = kept.select(
        row_id=kept[scores.id],
        time=kept[scores.time],
        arrived=kept[scores.arrived],
        week=kept[scores.time].truncate("W").date(),
        version=kept[scores.version].cast("string"),
        **{_name(q): number(kept[q.column]) for q in ready},
        **user_of(kept, scores, kept[scores.id]),
        **{column: kept[column].cast("string") for column in scores.segments},
    )
    rows = first_of_each(rows, ["row_id", "version"], "arrived", *(_name(q) for q in ready), "time", *scores.segments)
    rows = rows.filter(rows.version.isin(sorted(set(versions.values()))))
    computed = [q for q in scores.quality if not q.column]
    if computed:
        gains = _gains(warehouse, model, computed, rows, file=file)
        names = (f"{scores.table}.{scores.id}", f"{model.scores.items.table}.{model.scores.items.request}")  # type: ignore[union-attr]
        ours, theirs = alike(rows.row_id, gains.item_request, names=names, where=file)
        rows = rows.left_join(gains, [ours == theirs, rows.version == gains.item_version])
        rows = rows.drop("item_request").drop("item_version")
    columns = [_name(q) for q in scores.quality]
    rows = warehouse.hold(held, at_one_age(rows, period, label=False))
    yield unscored(rows, columns, period, versions["live"])

    def placed(some: Any, groups: Sequence[str]) -> Any:
        return mean_influences(some, groups, columns)

    yield from answers(placed, rows, columns, model, period, versions, some_missing=True)
    yield "days", days(rows.filter(rows.version == versions["live"]), period)


def _name(quality: Quality) -> str:
    return quality.metric.replace("-", "_")


def _gains(warehouse: Warehouse, model: Model, qualities: Sequence[Quality], requests: Any, *, file: str) -> Any:
    """NDCG and precision of each request from its items: linear gain, discount log2(rank + 1) (Järvelin & Kekäläinen 2002).

    A request without any relevant item has an NDCG of 0, as in scikit-learn; one of which an item lacks its rank or its
    relevance has none. An item that stands twice at its rank was loaded twice and counts once.
    """
    import ibis  # noqa: PLC0415

    items = model.scores.items
    assert items is not None  # noqa: S101  the parameter check guarantees it
    wanted = {f"items {k}": getattr(items, k) for k in ("request", "version", "rank", "relevance")}
    table = warehouse.table(items.table, wanted, file=file)
    names = (f"{model.scores.table}.{model.scores.id}", f"{items.table}.{items.request}")
    ours, theirs = alike(requests.row_id, table[items.request], names=names, where=file)
    rows = table.select(
        item_request=theirs,
        item_version=table[items.version].cast("string"),
        rank=number(table[items.rank]),
        relevance=number(table[items.relevance]),
    ).distinct()
    asked = requests.select(asked_request=ours, asked_version="version")
    rows = rows.semi_join(asked, [rows.item_request == asked.asked_request, rows.item_version == asked.asked_version])
    _refuse(warehouse, rows, f"{items.table}: ", file=file)
    keys = ["item_request", "item_version"]
    best = ibis.row_number().over(ibis.window(group_by=keys, order_by=ibis.desc("relevance")))
    rows = rows.mutate(best=best + 1)
    found = {}
    for q in qualities:
        top = rows.rank <= q.k
        if q.measure == "precision":
            value = flag(rows.relevance > 0).sum(where=top).fill_null(0) / q.k
        else:
            gain = (rows.relevance / (rows.rank + 1).log2()).sum(where=top).fill_null(0.0)
            ideal = (rows.relevance / (rows.best + 1).log2()).sum(where=rows.best <= q.k)
            value = ibis.ifelse(ideal > 0, gain / ideal.nullif(0), 0.0)
        found[_name(q)] = ibis.ifelse((rows.rank + rows.relevance).isnull().any(), None, value)
    return rows.group_by(*keys).aggregate(**found)


def _refuse(warehouse: Warehouse, items: Any, table: str, *, file: str) -> None:
    """Look at ranks and relevances before anything is computed from them."""
    import ibis  # noqa: PLC0415

    place = ibis.window(group_by=["item_request", "item_version", "rank"])
    items = items.mutate(there=items.count().over(place))
    looked = items.aggregate(
        lowest_rank=items["rank"].min(),
        between=flag(items["rank"] != items["rank"].floor()).sum(),
        lowest_relevance=items.relevance.min(),
        negative=flag(items.relevance < 0).sum(),
        shared=flag(items["rank"].notnull() & (items.there > 1)).sum(),
    )
    row = warehouse.ask("item_values", looked, file=file).table.to_pylist()[0]
    if (low := row["lowest_rank"]) is not None and low < 1:
        what, mend = (
            f"ranks start at 1, and the lowest found is {low:g}",
            "let a view add to them, so that the first item has rank 1",
        )
    elif row["between"]:
        what, mend = f"{row['between']:,} ranks are no whole numbers", "a rank counts items from the top"
    elif row["negative"]:
        what = f"relevance must be 0 or more, and {row['negative']:,} items have less (down to {row['lowest_relevance']:g}): a gain has no share of a best order then"
        mend = "let a view map it, for example to 0 where an item was disliked"
    elif row["shared"]:
        what = f"{row['shared']:,} items share their rank with another one of other relevance in the same request and version"
        mend = "give every item of a request a rank of its own"
    else:
        return
    raise SourceError(f"{table}{what}", where=file, mend=mend)
