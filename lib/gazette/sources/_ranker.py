"""Queries of a ranker: means and variances of scores per request, and of their differences between versions."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gazette.params import Model
    from gazette.sources._warehouse import Period, Warehouse

__all__ = ["queries"]


def queries(
    warehouse: Warehouse, model: Model, period: Period, versions: dict[str, str], *, file: str
) -> Iterator[tuple[str, Any]]:
    """Name and ibis expression of each query."""
    import ibis  # noqa: PLC0415

    scores = model.scores
    wanted = {k: getattr(scores, k) for k in ("id", "time", "arrived", "version")}
    wanted |= {f"quality {q.metric}": q.column for q in scores.quality}
    wanted |= {f"segments {s}": s for s in scores.segments}
    table = warehouse.table(scores.table, wanted, file=file)
    kept = table.filter(
        table[scores.time] >= period.history_start,
        table[scores.time] < period.end,
        table[scores.arrived] < period.cutoff,
    )
    rows = kept.select(
        row_id=kept[scores.id],
        time=kept[scores.time],
        week=kept[scores.time].truncate("W").date(),
        version=kept[scores.version].cast("string"),
        **{q.column: kept[q.column].cast("float64") for q in scores.quality},
        **{column: kept[column] for column in scores.segments},
    ).filter(lambda t: t.version.isin(sorted(versions.values())))
    columns = [q.column for q in scores.quality]
    yield "weekly", _moments(rows, columns, ["week", "version"])
    live = rows.filter(rows.version == versions["live"])
    base = rows.filter(rows.version == versions.get("baseline", ""))
    base = base.select(base_id="row_id", **{f"base_{c}": c for c in columns})
    both = live.inner_join(base, live.row_id == base.base_id)
    both = both.mutate(**{c: both[c] - both[f"base_{c}"] for c in columns})
    yield "paired", _moments(both, columns, ["week"])
    yield (
        "days",
        (
            live.filter(live.time >= period.start)
            .mutate(day=lambda t: t.time.date())
            .group_by("day")
            .aggregate(n=lambda t: t.count())
            .order_by("day")
        ),
    )
    recent = live.filter(live.time >= period.start - timedelta(days=7))
    segments = [
        _moments(
            recent.mutate(segment=ibis.literal(column), of=recent[column].cast("string")),
            columns,
            ["week", "segment", "of"],
        )
        for column in scores.segments
    ]
    if segments:
        yield "segments", ibis.union(*segments).order_by("segment", "of", "week") if len(segments) > 1 else segments[0]


def _moments(rows: Any, columns: list[str], groups: list[str]) -> Any:
    measures = {"n": rows.count()}
    for column in columns:
        measures[f"{column}_mean"] = rows[column].mean()
        measures[f"{column}_var"] = rows[column].var(how="sample")
    return rows.group_by(*groups).aggregate(**measures).order_by(*groups)
