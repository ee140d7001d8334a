"""Queries of an experiment: aggregates per arm, day, segment and day since exposure; no row about one unit leaves the warehouse."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gazette.params import FLAGS
from gazette.sources._answer import Answer, column_of, flag
from gazette.sources._largest import largest
from gazette.sources._matched import THERE, matched
from gazette.sources._measured import measured
from gazette.sources._quantiles import MARKS, caps, quantiles, ranks
from gazette.sources._repeated import repeated
from gazette.sources._units import (
    accounted,
    assigned,
    by_day,
    end_of,
    events,
    grown,
    identifier,
    once,
    phase,
    same,
    total,
    triggered,
)
from gazette.sources._values import number

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator, Sequence
    from datetime import datetime

    from gazette.params import Covariate, Experiment, Fact, Metric, Segment
    from gazette.sources._warehouse import Period, Warehouse

__all__ = ["dated_by_day", "everyone", "grouped", "people", "queries"]

SHAPE = (0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)
SEGMENT, SEVERAL = "gz_segment_", "__several"  # columns of units; no id of a metric gives such names


def queries(
    warehouse: Warehouse, experiment: Experiment, metrics: dict[str, Metric], period: Period, *, file: str
) -> Iterator[tuple[str, Any]]:
    """Name and ibis expression of each query; every row of an answer is an aggregate.

    A unit counts from its first assignment, or where the test has a trigger, from the first one after it; units seen in more than one arm are left out and counted, as is everybody else whom the
    file does not know. What a unit did counts from its assignment to the end of the test or the edition's cut-off; where the test has a
    window, for so many days, and only units whose days are over are in an answer but for ``assigned_per_day`` and ``rows_per_day``. Three tables
    are held, and the aggregates are taken from them: units assigned, days of the primary metric, and units with their metrics.
    """
    import ibis  # noqa: PLC0415

    ready = _prepared(warehouse, experiment, metrics, period, file=file)
    joined, single, days, known = ready.joined, ready.single, ready.days, ready.known
    yield "arms", measured(joined, known, ["variant"]).order_by("variant")
    staged = joined.mutate(phase=phase(joined, experiment)) if experiment.reallocations else joined
    if experiment.reallocations:
        yield "phases", measured(staged, known, ["phase", "variant"]).order_by("phase", "variant")
    yield "assigned_per_day", _per_day(ready.entered)
    if experiment.triggered is not None:
        yield "triggered_per_day", _per_day(single)
    if experiment.window_days is not None:
        young = single.group_by("variant").aggregate(n=(1 - single.grown).sum().cast("int64"))
        yield "young", young.order_by("variant")
    crossed = ready.units.unit_id.notnull() & (ready.units.arms > 1)
    yield "exposure", ready.units.aggregate(units_in_several_arms=flag(crossed).sum().fill_null(0))
    yield from _everyone(warehouse, ready, experiment, period)
    if (missing := _missing(staged, known)) is not None:
        yield "missing", missing
    if days is not None:
        dated = days.filter(days["rows"] > 0)
        whole = dated if experiment.window_days is None else dated.filter(dated.inside == 1, dated.grown == 1)
        yield "effect_by_day", _by_day(whole)
        yield "rows_per_day", dated.group_by("day").aggregate(n=dated["rows"].sum()).order_by("day")
    trimmed = [
        caps(joined, column_of(n), m.cap_quantile).mutate(metric=ibis.literal(n)).select("metric", "cap", "whole")
        for n, m in known.items()
        if m.cap_quantile is not None
    ]
    if trimmed:
        yield "caps", _together(trimmed).order_by("metric")
    ranked = [
        ranks(joined, column_of(n), m.quantile, ["variant"])
        .mutate(metric=ibis.literal(n))
        .select("metric", "variant", *MARKS)
        for n, m in known.items()
        if m.quantile is not None
    ]
    if ranked:
        yield "quantiles", _together(ranked).order_by("metric", "variant")
    yield from _distributions(joined, known)
    if experiment.segments:
        primary = {experiment.primary: known[experiment.primary]}
        parts = [_segment(joined, i, s, primary) for i, s in enumerate(experiment.segments)]
        yield "segments", _together(parts).order_by("segment", "value", "variant")


def everyone(
    warehouse: Warehouse, experiment: Experiment, metrics: dict[str, Metric], period: Period, *, file: str
) -> Iterator[tuple[str, Any]]:
    """The queries about who was counted: where everyone went who was assigned, and who has a row of what is measured.

    Identifiers and values of every fact are looked at on the way, and refused if need be; ``arms`` adds the values up.
    """
    ready = _prepared(warehouse, experiment, metrics, period, file=file)
    yield "arms", measured(ready.joined, ready.known, ["variant"]).order_by("variant")
    yield from _everyone(warehouse, ready, experiment, period)


def people(
    warehouse: Warehouse, experiment: Experiment, metrics: dict[str, Metric], period: Period, *, file: str
) -> Any:
    """The table with a row per unit that the aggregates are taken of."""
    return _prepared(warehouse, experiment, metrics, period, file=file).joined


@dataclass(frozen=True)
class _Prepared:
    """Tables that the queries share: units assigned, those in an arm, of them those triggered (or all), days of the primary metric, units with their metrics."""

    known: dict[str, Metric]
    end: datetime
    units: Any
    entered: Any
    single: Any
    days: Any
    joined: Any


def _prepared(
    warehouse: Warehouse, experiment: Experiment, metrics: dict[str, Metric], period: Period, *, file: str
) -> _Prepared:
    known = {name: metrics[name] for name in experiment.metrics}
    end = end_of(experiment, period)
    units = warehouse.hold("gazette_assigned", assigned(warehouse, experiment, period, file=file))
    counted = single = entered = once(units, experiment)
    if experiment.triggered is not None:
        met = triggered(warehouse, entered, experiment, end, period)
        counted = single = warehouse.hold("gazette_triggered", met)
    window = experiment.window_days
    if window is not None:
        single = single.mutate(grown=grown(single, experiment, end))
        counted = single.filter(single.grown == 1).drop("grown")
    primary, days = known[experiment.primary], None
    if primary.fact is not None:
        file_of = _place(experiment.primary)
        rows = events(warehouse, primary.fact, single, end, period, file=file_of, window_days=window)
        days = warehouse.hold("gazette_days", _days(rows, primary.fact))
    parts: list[Any] = []
    for name, metric in known.items():
        first = days if name == experiment.primary else None
        parts += _of_metric(warehouse, counted, name, metric, end, period, first, window)
    before = {f"{column_of(n)}_pre": (m.covariate, _place(n)) for n, m in known.items() if m.covariate is not None}
    parts += [_property(warehouse, name, covariate, number, file=place) for name, (covariate, place) in before.items()]
    told = {f"{SEGMENT}{i}": segment for i, segment in enumerate(experiment.segments)}
    parts += [_property(warehouse, name, segment, _text, file=file) for name, segment in told.items()]
    joined = _beside(counted, parts, bare={*before, *told})
    joined = _filled(joined, [*before]) if before else joined
    return _Prepared(known, end, units, entered, single, days, warehouse.hold("gazette_units", joined))


def _everyone(
    warehouse: Warehouse, ready: _Prepared, experiment: Experiment, period: Period
) -> Iterator[tuple[str, Any]]:
    yield "accounted", accounted(ready.units, experiment)
    yield from matched(warehouse, ready.joined, ready.single, experiment, ready.known, ready.end, period)
    if (several := _several(ready.joined, experiment, ready.known)) is not None:
        yield "several", several
    yield from repeated(warehouse, ready.single, ready.known, ready.end, period)


def dated_by_day(warehouse: Warehouse, experiment: Experiment, metrics: dict[str, Metric], period: Period) -> Answer:
    """Facts that have days and no times, a row each: metric, part of it, table and column."""
    import pyarrow as pa  # noqa: PLC0415  slow to import, needed only here

    rows, end = [], end_of(experiment, period)
    for name in experiment.metrics:
        for part, fact in (("value", metrics[name].fact), ("denominator", metrics[name].denominator)):
            if fact is not None and by_day(warehouse, fact, end, file=_place(name)):
                rows.append({"metric": name, "part": part, "table": fact.table, "column": fact.time})
    schema = pa.schema([(k, pa.string()) for k in ("metric", "part", "table", "column")])
    text = "Facts whose column of times holds days, or midnights alone.\n"
    return Answer("dated_by_day", text, pa.Table.from_pylist(rows, schema))


def _place(metric: str) -> str:
    return f"params/metrics.yml ({metric})"


def _together(parts: Sequence[Any]) -> Any:
    import ibis  # noqa: PLC0415

    return ibis.union(*parts) if len(parts) > 1 else parts[0]


def _missing(joined: Any, metrics: dict[str, Metric]) -> Any:
    """Per metric and arm, units, and how many have a row without a time, an arrival or a value, or no covariate; None without metrics.

    Also per stretch of one allocation, where the units have a ``phase``.
    """
    import ibis  # noqa: PLC0415

    sums, told = {}, []
    for name, metric in metrics.items():
        for i, (what, columns) in enumerate(_lacks(name, metric).items()):
            lack = joined[columns[0]] if len(columns) == 1 else ibis.greatest(*(joined[c] for c in columns))
            sums[f"{column_of(name)}_{i}"] = lack.sum().cast("int64")
            told.append((name, what, f"{column_of(name)}_{i}"))
    if not told:
        return None
    keys = [key for key in ("variant", "phase") if key in joined.columns]
    found = joined.group_by(*keys).aggregate(n=joined.count(), **sums)
    parts = [
        found.select(
            *keys, "n", rows=found.n, missing=found[column], metric=ibis.literal(name), what=ibis.literal(what)
        )
        for name, what, column in told
    ]
    return _together(parts).order_by("metric", "what", *keys)


def _lacks(name: str, metric: Metric) -> dict[str, list[str]]:
    """What may be missing of a metric, in words, and the columns of units that say so."""
    found: dict[str, list[str]] = {}
    for part, fact in ((column_of(name), metric.fact), (f"{column_of(name)}_den", metric.denominator)):
        if fact is not None:
            for column, kind in ((fact.time, "untimed"), (fact.arrived, "unarrived"), (fact.value, "absent")):
                if column:
                    found.setdefault(f"no {column} in some row of {fact.table}", []).append(f"{part}_{kind}")
    if metric.covariate is not None:
        what = f"no {metric.covariate.column} in {metric.covariate.table}"
        found[what] = [f"{column_of(name)}_lack"]
    return found


def _of_metric(
    warehouse: Warehouse,
    units: Any,
    name: str,
    metric: Metric,
    end: datetime,
    period: Period,
    days: Any,
    window: int | None,
) -> Iterator[Any]:
    """Of a metric and of its denominator, a table of units with its value and of what they lack."""
    for part, fact in ((column_of(name), metric.fact), (f"{column_of(name)}_den", metric.denominator)):
        if fact is not None:
            there = days is not None and fact is metric.fact
            more: dict[str, Any] = {"file": _place(name), "window_days": window}
            rows = days if there else events(warehouse, fact, units, end, period, **more)
            flags = {f"{part}_{kind}": kind for kind in FLAGS} | {f"{part}{THERE}": "there"}
            yield _per_unit(rows, fact).rename({part: "value", f"unit_{part}": "unit_id", **flags})


def _property(
    warehouse: Warehouse, part: str, read: Covariate | Segment, of: Callable[[Any], Any], *, file: str
) -> Any:
    """A table of units with a property of theirs, and whether there were several values of it."""
    table = warehouse.table(read.table, {"unit": read.unit, "column": read.column}, file=file)
    unit = identifier(warehouse, table, read.unit, name=read.table, file=file)
    found = _one_each(table.select(unit_id=unit, value=of(table[read.column])))
    return found.rename({part: "value", f"unit_{part}": "unit_id", f"{part}{SEVERAL}": "several"})


def _one_each(values: Any) -> Any:
    """One value a unit: of several the greatest (of texts the last), and whether there were several."""
    several = values.value.min() != values.value.max()  # to count different ones would take ten times as long
    return values.group_by("unit_id").aggregate(value=values.value.max(), several=flag(several))


def _text(column: Any) -> Any:
    return column.cast("string")


def _beside(units: Any, parts: Sequence[Any], bare: Container[str]) -> Any:
    """The units with the columns of all parts; 0 where a unit has no row, but nothing in those that stay ``bare``.

    One chain of joins: each step that names all columns again would make the query longer by the square of the metrics.
    """
    joined, columns = units, {c: units[c] for c in units.columns}
    for part in parts:
        (key,) = (c for c in part.columns if c.startswith("unit_"))
        joined = joined.left_join(part, same(units.unit_id, part[key]))
        columns |= {c: part[c] if c in bare else part[c].fill_null(0) for c in part.columns if c != key}
    return joined.select(**columns) if parts else units


def _filled(joined: Any, covariates: Sequence[str]) -> Any:
    """The units with what was known of them before, at its mean where nothing was, which ``lack`` says."""
    import ibis  # noqa: PLC0415

    found = {}
    for part in covariates:
        found[f"{part.removesuffix('_pre')}_lack"] = flag(joined[part].isnull()).cast("float64")
        found[part] = ibis.coalesce(joined[part], joined[part].mean().over(ibis.window()), 0.0)
    return joined.mutate(**found)


def _several(joined: Any, experiment: Experiment, metrics: dict[str, Metric]) -> Any:
    """Per property and arm, units, and how many have several different values of it; None where there is no property."""
    import ibis  # noqa: PLC0415

    columns = {f"{s.column} in {s.table}": f"{SEGMENT}{i}{SEVERAL}" for i, s in enumerate(experiment.segments)}
    for name, metric in metrics.items():
        if (before := metric.covariate) is not None:
            columns[f"{before.column} in {before.table}"] = f"{column_of(name)}_pre{SEVERAL}"
    if not columns:
        return None
    sums = {column: joined[column].sum().cast("int64") for column in columns.values()}
    found = joined.group_by("variant").aggregate(n=joined.count(), **sums)
    parts = [
        found.select("variant", "n", several=found[column], what=ibis.literal(what)) for what, column in columns.items()
    ]
    return _together(parts).order_by("what", "variant")


def _per_unit(rows: Any, fact: Fact) -> Any:
    rows = rows.filter(rows.inside == 1) if "inside" in rows.columns else rows
    return rows.group_by("unit_id").aggregate(value=total(rows, fact), **_flags(rows))


def _flags(rows: Any) -> dict[str, Any]:
    """How many values are none, whether a row lacks a value, a time or an arrival, and whether one is there that counts."""
    return {kind: rows[kind].sum() if kind == "broken" else rows[kind].max() for kind in (*FLAGS, "there")}


def _days(rows: Any, fact: Fact) -> Any:
    """A row per unit and day on which it did something; ``since`` counts days from its assignment.

    One that has rows without a time or an arrival alone has no ``rows`` there.
    """
    day = rows.happened.date()
    rows = rows.mutate(day=day, since=day.delta(rows.assigned_at.date(), unit="day"))
    window = [column for column in ("inside", "grown") if column in rows.columns]
    return rows.group_by("unit_id", "variant", "day", "since", *window).aggregate(
        value=total(rows, fact), rows=rows.counts.sum(), **_flags(rows)
    )


def _per_day(units: Any) -> Any:
    """New units per day and arm."""
    daily = units.mutate(day=units.assigned_at.date())
    return daily.group_by("day", "variant").aggregate(n=daily.count()).order_by("day", "variant")


def _by_day(days: Any) -> Any:
    """By days since exposure: units with a value, and its mean and variance among them; the others have 0."""
    found = days.group_by(day=days.since, variant=days.variant).aggregate(
        n=days.count(), mean=days.value.mean(), var=days.value.var(how="sample").fill_null(0.0)
    )
    return found.order_by("day", "variant")


def _distributions(joined: Any, known: dict[str, Metric]) -> Iterator[tuple[str, Any]]:
    """What the largest users hold of each metric, and how those that add up values are spread."""
    if (most := largest(joined, known)) is not None:
        yield "largest", most.order_by("metric", "variant")
    skewed = [n for n, m in known.items() if m.fact is not None and m.fact.aggregation == "sum" and not m.denominator]
    if skewed:
        yield "shapes", _shapes(joined, skewed).order_by("metric", "variant")


def _shapes(joined: Any, names: Sequence[str]) -> Any:
    """How skewed metrics are spread: share of zeros and quantiles of the rest, which may be negative (refunds)."""
    import ibis  # noqa: PLC0415

    each = [joined.select("variant", value=joined[column_of(n)]).mutate(metric=ibis.literal(n)) for n in names]
    values, marks = _together(each), {f"p{round(q * 100)}": q for q in SHAPE}
    zero = values.group_by("metric", "variant").aggregate(zero=1 - flag(values.value != 0).mean())
    rest = quantiles(values.filter(values.value != 0), "value", marks, ["metric", "variant"])
    rest = rest.rename(of_metric="metric", of_variant="variant")
    found = zero.left_join(rest, [zero.metric == rest.of_metric, zero.variant == rest.of_variant])
    return found.select("metric", "variant", "zero", *marks)


def _segment(joined: Any, place: int, segment: Any, metrics: dict[str, Metric]) -> Any:
    """Aggregates by value and arm; a unit without a value has none, which is another than an empty text."""
    import ibis  # noqa: PLC0415

    value = joined[f"{SEGMENT}{place}"]
    both = joined.mutate(part=value.fill_null(""), lacking=flag(value.isnull()))
    keys = ["part", "lacking", "variant"]
    found = grouped(both, metrics, keys)
    rest: Sequence[str] = [c for c in found.columns if c not in keys]
    value = ibis.ifelse(found.lacking == 1, ibis.null("string"), found.part)
    return found.mutate(segment=ibis.literal(segment.title), value=value).select("segment", "value", "variant", *rest)


def grouped(rows: Any, metrics: dict[str, Metric], keys: Sequence[str]) -> Any:
    """Aggregates of a table with a row per unit by columns of it, with the order statistics of quantiles beside them."""
    found = measured(rows, metrics, keys)
    for name, metric in metrics.items():
        if metric.quantile is not None:
            column = column_of(name)
            marks = ranks(rows, column, metric.quantile, keys)
            named = {f"{column}_{mark}": mark for mark in MARKS}
            marks = marks.rename(**{f"of_{key}": key for key in keys}, **named)
            found = found.inner_join(marks, [found[key] == marks[f"of_{key}"] for key in keys])
            for key in keys:
                found = found.drop(f"of_{key}")
    return found
