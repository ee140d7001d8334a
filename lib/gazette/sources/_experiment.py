"""Queries of an experiment: units per arm and, per metric, mean and sample variance per arm."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gazette.params import Experiment, Fact, Metric
    from gazette.sources._warehouse import Period, Warehouse

__all__ = ["queries"]


def queries(
    warehouse: Warehouse, experiment: Experiment, metrics: dict[str, Metric], period: Period, *, file: str
) -> Iterator[tuple[str, Any]]:
    """Name and ibis expression of each query.

    A unit counts from its first assignment; units seen in more than one arm are left out and counted.
    What a unit did counts from its assignment to the end of the test or the edition's cut-off.
    """
    import ibis  # noqa: PLC0415

    columns = {c: c for c in ("experiment", "unit_id", "variant", "assigned_at")}
    start = datetime.combine(experiment.start, time())
    end = min(datetime.combine(experiment.end, time()) + timedelta(days=1), period.end)
    table = warehouse.table(experiment.assignments, columns, file=file)
    mine = table.filter(
        table.experiment == experiment.id,
        table.assigned_at >= start,
        table.assigned_at < end,
    )
    units = mine.group_by("unit_id").aggregate(
        variant=mine.variant.min(), arms=mine.variant.nunique(), assigned_at=mine.assigned_at.min()
    )
    once = units.filter(units.arms == 1)
    joined = once.select("unit_id", "variant", "assigned_at")
    for name in experiment.metrics:
        fact = metrics[name].fact
        if fact is None:  # the parameter check has said so already
            continue
        values = _per_unit(warehouse, fact, once, end, period, file=f"params/metrics.yml ({name})")
        column = _column(name)
        values = values.rename({column: "value", f"unit_{column}": "unit_id"})
        joined = joined.left_join(values, joined.unit_id == values[f"unit_{column}"])
        joined = joined.mutate(**{column: joined[column].fill_null(0.0)}).drop(f"unit_{column}")
    measures: dict[str, Any] = {"n": joined.unit_id.count()}
    for name in experiment.metrics:
        column = joined[_column(name)]
        measures[f"{_column(name)}_mean"] = column.mean()
        measures[f"{_column(name)}_var"] = column.var(how="sample")
    yield "arms", joined.group_by("variant").aggregate(**measures).order_by("variant")
    daily = once.mutate(day=once.assigned_at.date())
    yield "assigned_per_day", daily.group_by("day", "variant").aggregate(n=daily.count()).order_by("day", "variant")
    crossed = units.filter(units.arms > 1)
    yield "exposure", crossed.aggregate(units_in_several_arms=crossed.count(), at=ibis.literal(0)).drop("at")


def _column(metric: str) -> str:
    return "m_" + metric.replace("-", "_")


def _per_unit(warehouse: Warehouse, fact: Fact, units: Any, end: datetime, period: Period, *, file: str) -> Any:
    import ibis  # noqa: PLC0415

    wanted = {"unit": fact.unit, "time": fact.time} | {f"where {w.column}": w.column for w in fact.where}
    wanted |= {"arrived": fact.arrived} if fact.arrived else {}
    wanted |= {"value": fact.value} if fact.value else {}
    events = warehouse.table(fact.table, wanted, file=file)
    conditions = [events[fact.time] < end]
    conditions += [events[w.column] == w.equals for w in fact.where]
    if fact.arrived:
        conditions.append(events[fact.arrived] < period.cutoff)
    kept = events.filter(*conditions)
    value = kept[fact.value].cast("float64") if fact.value else ibis.literal(1.0)
    kept = kept.select(event_unit=kept[fact.unit], happened=kept[fact.time], value=value)
    mine = kept.inner_join(units, [kept.event_unit == units.unit_id, kept.happened >= units.assigned_at])
    total = {"any": mine.value.max(), "count": mine.value.sum(), "sum": mine.value.sum()}[fact.aggregation]
    return mine.group_by("unit_id").aggregate(value=total)
