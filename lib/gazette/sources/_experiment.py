"""Queries of an experiment: aggregates per arm, day, segment and day since exposure; no row about one unit leaves the warehouse."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from gazette.sources._answer import ROUNDING, column_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gazette.params import Experiment, Fact, Metric
    from gazette.sources._warehouse import Period, Warehouse

__all__ = ["measures", "queries"]

SHAPE = (0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)
Z = 1.959963984540054  # of the ranks that bound a quantile, as in gazette.stats


def queries(
    warehouse: Warehouse,
    experiment: Experiment,
    metrics: dict[str, Metric],
    period: Period,
    *,
    held: str,
    file: str,
) -> Iterator[tuple[str, Any]]:
    """Name and ibis expression of each query; every row of an answer is an aggregate.

    A unit counts from its first assignment; units seen in more than one arm are left out and counted.
    What a unit did counts from its assignment to the end of the test or the edition's cut-off. One table with a row per unit is
    held under the name ``held``; the aggregates are taken from it.
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
    known = {name: metrics[name] for name in experiment.metrics}
    joined = once.select("unit_id", "variant", "assigned_at")
    for name, metric in known.items():
        joined = _with_metric(warehouse, joined, once, name, metric, end, period)
    joined = warehouse.hold(held, joined)
    yield "arms", joined.group_by("variant").aggregate(**measures(joined, known)).order_by("variant")
    daily = once.mutate(day=once.assigned_at.date())
    yield "assigned_per_day", daily.group_by("day", "variant").aggregate(n=daily.count()).order_by("day", "variant")
    crossed = units.filter(units.arms > 1)
    yield "exposure", crossed.aggregate(units_in_several_arms=crossed.count(), at=ibis.literal(0)).drop("at")
    primary = known[experiment.primary]
    if primary.fact is not None:
        rows = _events(warehouse, primary.fact, once, end, period, file=f"params/metrics.yml ({experiment.primary})")
        yield "effect_by_day", _by_day(rows, primary.fact)
        dated = rows.mutate(day=rows.happened.date())
        yield "rows_per_day", dated.group_by("day").aggregate(n=dated.count()).order_by("day")
    ranked = [_ranks(joined, n, m.quantile) for n, m in known.items() if m.quantile is not None]
    if ranked:
        yield "quantiles", _together(ranked).order_by("metric", "variant")
    skewed = [n for n, m in known.items() if m.fact is not None and m.fact.aggregation == "sum" and not m.denominator]
    if skewed:
        yield "shapes", _together([_shape(joined, n) for n in skewed]).order_by("metric", "variant")
    if experiment.segments:
        parts = [_segment(warehouse, joined, s, {experiment.primary: primary}, file) for s in experiment.segments]
        yield "segments", _together(parts).order_by("segment", "value", "variant")


def _together(parts: Sequence[Any]) -> Any:
    import ibis  # noqa: PLC0415

    return ibis.union(*parts) if len(parts) > 1 else parts[0]


def measures(joined: Any, metrics: dict[str, Metric]) -> dict[str, Any]:
    """Aggregates of a table with a row per unit: n, and per metric mean and variance, with those of denominator and covariate."""
    found: dict[str, Any] = {"n": joined.count()}
    for name, metric in metrics.items():
        column = column_of(name)
        value = joined[column]
        if metric.cap is not None:
            value = _at_most(value, metric.cap)
        elif metric.cap_quantile is not None:
            value = _at_most(value, joined[column].quantile(metric.cap_quantile).as_scalar())
        found[f"{column}_mean"] = value.mean()
        found[f"{column}_var"] = value.var(how="sample")
        for part, there in (("den", metric.denominator), ("pre", metric.covariate)):
            if there is not None:
                other = joined[f"{column}_{part}"]
                found[f"{column}_{part}_mean"] = other.mean()
                found[f"{column}_{part}_var"] = other.var(how="sample")
                found[f"{column}_{part}_cov"] = value.cov(other, how="sample")
    return found


def _at_most(value: Any, limit: Any) -> Any:
    import ibis  # noqa: PLC0415

    return ibis.least(value, limit)


def _with_metric(
    warehouse: Warehouse, joined: Any, once: Any, name: str, metric: Metric, end: datetime, period: Period
) -> Any:
    """The units with a column of the metric, and of its denominator and covariate; 0 where a unit has no row."""
    if metric.fact is None:  # the parameter check has said so already
        return joined
    file, column = f"params/metrics.yml ({name})", column_of(name)
    parts = [(column, _per_unit(warehouse, metric.fact, once, end, period, file=file))]
    if metric.denominator is not None:
        parts.append((f"{column}_den", _per_unit(warehouse, metric.denominator, once, end, period, file=file)))
    if metric.covariate is not None:
        before = metric.covariate
        table = warehouse.table(before.table, {"unit": before.unit, "column": before.column}, file=file)
        value = table[before.column].cast("float64")
        values = table.select(unit_id=table[before.unit], value=value)
        parts.append((f"{column}_pre", values.group_by("unit_id").aggregate(value=values.value.max())))
    for part, values in parts:
        right = values.rename({part: "value", f"unit_{part}": "unit_id"})
        joined = joined.left_join(right, joined.unit_id == right[f"unit_{part}"])
        joined = joined.mutate(**{part: joined[part].fill_null(0.0)}).drop(f"unit_{part}")
    return joined


def _events(warehouse: Warehouse, fact: Fact, units: Any, end: datetime, period: Period, *, file: str) -> Any:
    """Rows of the fact that count: of these units, after their assignment, before the end, arrived by the cut-off."""
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
    return kept.inner_join(units, [kept.event_unit == units.unit_id, kept.happened >= units.assigned_at])


def _total(rows: Any, fact: Fact) -> Any:
    return {"any": rows.value.max(), "count": rows.value.sum(), "sum": rows.value.sum()}[fact.aggregation]


def _per_unit(warehouse: Warehouse, fact: Fact, units: Any, end: datetime, period: Period, *, file: str) -> Any:
    mine = _events(warehouse, fact, units, end, period, file=file)
    return mine.group_by("unit_id").aggregate(value=_total(mine, fact))


def _by_day(mine: Any, fact: Fact) -> Any:
    """By days since exposure: units with a value, and its mean and variance among them; the others have 0."""
    mine = mine.mutate(day=mine.happened.date().delta(mine.assigned_at.date(), unit="day"))
    each = mine.group_by("variant", "unit_id", "day").aggregate(value=_total(mine, fact))
    found = each.group_by("day", "variant").aggregate(
        n=each.count(), mean=each.value.mean(), var=each.value.var(how="sample").fill_null(0.0)
    )
    return found.order_by("day", "variant")


def _ranks(joined: Any, name: str, q: float) -> Any:
    """The sample quantile and the two order statistics that bound it, per arm."""
    import ibis  # noqa: PLC0415

    value = joined[column_of(name)]
    window = ibis.window(group_by=joined.variant, order_by=value)
    ranked = joined.select(
        "variant",
        value=value,
        rank=ibis.row_number().over(window) + 1,
        n=joined.count().over(ibis.window(group_by=joined.variant)),
    )
    n = ranked.n.cast("float64")
    half = Z * (n * q * (1 - q)).sqrt()

    def at(rank: Any) -> Any:
        return ranked.value.max(where=ranked["rank"] <= ibis.greatest((rank - ROUNDING).ceil(), 1))

    found = ranked.group_by("variant").aggregate(quantile=at(n * q), low=at(n * q - half), high=at(n * q + half))
    return found.mutate(metric=ibis.literal(name)).select("metric", "variant", "quantile", "low", "high")


def _shape(joined: Any, name: str) -> Any:
    """How a skewed metric is spread: share of zeros and quantiles of the rest."""
    import ibis  # noqa: PLC0415

    value = joined[column_of(name)]
    some = value > 0
    marks = {f"p{round(q * 100)}": value.quantile(q, where=some) for q in SHAPE}
    found = joined.group_by("variant").aggregate(zero=1 - some.cast("float64").mean(), **marks)
    return found.mutate(metric=ibis.literal(name)).select("metric", "variant", "zero", *marks)


def _segment(warehouse: Warehouse, joined: Any, segment: Any, metrics: dict[str, Metric], file: str) -> Any:
    import ibis  # noqa: PLC0415

    table = warehouse.table(segment.table, {"unit": segment.unit, "column": segment.column}, file=file)
    named = table.select(of_unit=table[segment.unit], value=table[segment.column].cast("string"))
    named = named.group_by("of_unit").aggregate(value=named.value.max())
    both = joined.left_join(named, joined.unit_id == named.of_unit)
    both = both.mutate(value=both.value.fill_null("unknown"))
    found = both.group_by("value", "variant").aggregate(**measures(both, metrics))
    rest: Sequence[str] = [c for c in found.columns if c not in {"value", "variant"}]
    return found.mutate(segment=ibis.literal(segment.title)).select("segment", "value", "variant", *rest)
