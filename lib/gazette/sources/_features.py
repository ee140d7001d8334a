"""Queries on what goes into a model and comes back: drift of features, data checks, rows for permutation importance."""

from __future__ import annotations

from datetime import timedelta
from functools import reduce
from typing import TYPE_CHECKING, Any

from gazette.sources._answer import Answer, flag
from gazette.sources._measures import outcomes
from gazette.sources._quantiles import quantiles
from gazette.sources._values import alike, class_of, number

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gazette.params import Features, Model, Scores
    from gazette.sources._warehouse import Period, Warehouse

__all__ = ["answers", "importance_rows"]

DECILES = tuple(i / 10 for i in range(1, 10))
CATEGORIES = 20  # of a feature of words; rarer ones count together
WEEKS_OF_VOLUME = 5
DRIFT = ("drift_edges", "drift_values", "drift", "drift_ks")  # each needs the ones before it


def answers(
    warehouse: Warehouse,
    model: Model,
    period: Period,
    versions: dict[str, str],
    wanted: Callable[[str], bool],
    *,
    file: str,
) -> Iterator[Answer]:
    """Answers for data checks, drift and importance, as far as the parameters name their tables and they are wanted."""
    scores = model.scores
    table = warehouse.table(
        scores.table, {k: getattr(scores, k) for k in ("id", "time", "arrived", "version")}, file=file
    )
    if wanted("volume"):
        yield warehouse.ask("volume", _volume(table, scores, period, versions["live"]), file=file)
    week = table.filter(
        table[scores.time] >= period.start, table[scores.time] < period.end, table[scores.arrived] < period.cutoff
    )
    nobody = week[scores.id].isnull() | week[scores.version].isnull()
    strays = week.aggregate(n=week.count(), strays=flag(nobody).sum())
    if wanted("strays"):
        yield warehouse.ask("strays", strays, file=file)
    yield _schema(warehouse, model)
    if model.labels is not None and wanted("label_checks"):
        yield warehouse.ask("label_checks", _labels(warehouse, model, period, file=file), file=file)
    if model.features is not None:
        yield from _features(warehouse, model.features, period, wanted, file=file)


def _volume(table: Any, scores: Scores, period: Period, live: str) -> Any:
    """Rows of the live version, week by week, and how many of them had arrived in time."""
    import ibis  # noqa: PLC0415

    mine = table.filter(
        table[scores.time] >= period.start - timedelta(days=7 * (WEEKS_OF_VOLUME - 1)),
        table[scores.time] < period.end,
        table[scores.arrived] < period.cutoff,
        table[scores.id].notnull(),
        table[scores.version].cast("string") == live,
    ).mutate(week=lambda t: t[scores.time].truncate("W").date())
    limit = period.cutoff - period.start
    in_time = [
        (mine.week == (period.start - back).date()) & (mine[scores.arrived] < period.start - back + limit)
        for back in (timedelta(days=7 * k) for k in range(WEEKS_OF_VOLUME))
    ]
    volume = mine.group_by("week").aggregate(
        rows=mine.count(),
        in_time=mine.count(where=ibis.or_(*in_time)),
        different=mine[scores.id].nunique(),
        newest=mine[scores.arrived].max(),
    )
    return volume.order_by("week")


def _schema(warehouse: Warehouse, model: Model) -> Answer:
    """Columns and types of every table that the model reads."""
    import pyarrow as pa  # noqa: PLC0415

    tables = [t.table for t in (model.scores, model.labels, model.features) if t is not None]
    rows = [
        {"table": name, "column": column, "type": str(kind)}
        for name in dict.fromkeys(tables)
        for column, kind in warehouse.schema(name).items()
    ]
    schema = pa.schema([(k, pa.string()) for k in ("table", "column", "type")])
    return Answer(
        "schema", f"Columns and types of {', '.join(dict.fromkeys(tables))}.\n", pa.Table.from_pylist(rows, schema)
    )


def _labels(warehouse: Warehouse, model: Model, period: Period, *, file: str) -> Any:
    """Delay and error of last week's labels: this week's are not all in yet, which would make the delay look short."""
    import ibis  # noqa: PLC0415

    labels, scores = model.labels, model.scores
    assert labels is not None  # noqa: S101  asked only where there are labels
    wanted = {"id": labels.id, "label": labels.label, "arrived": labels.arrived}
    wanted |= {"audited": labels.audited} if labels.audited else {}
    y = warehouse.table(labels.table, wanted, file=file)
    y = y.filter(y[labels.arrived] < period.cutoff)

    def meant(column: Any) -> Any:
        return class_of(column, labels.positive, where=file)[0] if model.kind == "classifier" else number(column)

    audited = meant(y[labels.audited]) if labels.audited else ibis.null("int64")
    s = warehouse.table(scores.table, {"id": scores.id, "time": scores.time}, file=file)
    names = (f"{scores.table}.{scores.id}", f"{labels.table}.{labels.id}")
    row_id, label_id = alike(s[scores.id], y[labels.id], names=names, where=file)
    y = y.select(label_id=label_id, label=meant(y[labels.label]), known=y[labels.arrived], audited=audited)
    s = s.mutate(row_id=row_id)
    s = s.filter(s[scores.time] >= period.start - timedelta(days=7), s[scores.time] < period.start)
    s = s.select("row_id", time=s[scores.time]).distinct()
    both = s.inner_join(y, s.row_id == y.label_id)
    delay = (both.known.epoch_seconds() - both.time.epoch_seconds()) / 3600.0
    both = both.mutate(delay=delay)
    return both.aggregate(
        n=both.count(),
        delay_hours=quantiles(both, "delay", {"late": 0.95}).late.as_scalar(),
        audited=both.audited.count(),
        wrong=ibis.ifelse(both.audited != both.label, 1, 0).sum(where=both.audited.notnull()),
    )


def _features(
    warehouse: Warehouse, features: Features, period: Period, wanted: Callable[[str], bool], *, file: str
) -> Iterator[Answer]:
    import ibis  # noqa: PLC0415

    names = [*features.columns]
    columns = {k: getattr(features, k) for k in ("id", "time", "arrived")} | {f"columns {n}": n for n in names}
    table = warehouse.table(features.table, columns, file=file)
    numeric = [n for n in names if table[n].type().is_numeric()]
    words = [n for n in names if n not in numeric]
    if not any(map(wanted, ("feature_checks", *DRIFT))):
        return
    arrived = table.mutate(**{n: number(table[n]) for n in numeric}).filter(table[features.arrived] < period.cutoff)
    arrived = _once(arrived, features, features.id)
    start, until = (ibis.date(d.isoformat()) for d in (features.trained_from, features.trained_until))
    day = arrived[features.time].date()
    reference = arrived.filter(day >= start, day < until).select(*names, part=ibis.literal("training"))
    week = arrived.filter(arrived[features.time] >= period.start, arrived[features.time] < period.end)
    both = warehouse.hold(
        "gazette_features", ibis.union(reference, week.select(*names, part=ibis.literal("week")))
    )  # which every feature reads several times
    reference, week = (both.filter(both.part == part) for part in ("training", "week"))
    if wanted("feature_checks"):
        yield warehouse.ask("feature_checks", _faults(week, features), file=file)
    if not any(map(wanted, DRIFT)):
        return
    edges: dict[str, list[float]] = {}
    frequent: dict[str, list[float]] = {n: [] for n in numeric}
    if numeric:
        tenths = [quantiles(reference, n, {f"{n}__{i}": q for i, q in enumerate(DECILES)}) for n in numeric]
        asked = warehouse.ask("drift_edges", reduce(lambda a, b: a.cross_join(b), tenths), file=file)
        yield asked
        row = asked.table.to_pylist()[0]
        often = warehouse.ask(
            "drift_values", ibis.union(*_frequent(reference, numeric)).order_by("feature", "value"), file=file
        )
        yield often
        for found in often.table.to_pylist():
            frequent[found["feature"]].append(found["value"])
        edges = {n: sorted({row[f"{n}__{i}"] for i in range(len(DECILES))} - {None} | {*frequent[n]}) for n in numeric}
    histograms = [*_bands(both, edges, frequent), *_of_words(both, words)]
    yield warehouse.ask("drift", ibis.union(*histograms).order_by("feature", "bin", "part"), file=file)
    if numeric:
        yield warehouse.ask("drift_ks", ibis.union(*_gaps(both, numeric)).order_by("feature"), file=file)


def _once(rows: Any, features: Features, key: str) -> Any:
    """One row a prediction, the one that arrived first, of several at a moment the least; those without an id cannot be told apart."""
    import ibis  # noqa: PLC0415

    order = [features.arrived, *features.columns]
    turn = ibis.row_number().over(ibis.window(group_by=key, order_by=order))
    return rows.mutate(turn=turn).filter(lambda t: (t.turn == 0) | t[key].isnull()).drop("turn")


def _faults(week: Any, features: Features) -> Any:
    """Missing values and values outside the range, per feature, in one scan."""
    found = {"n": week.count()}
    for name, limits in features.columns.items():
        found[f"{name}__missing"] = flag(week[name].isnull()).sum()
        outside = [week[name] < limits.low] if limits.low is not None else []
        outside += [week[name] > limits.high] if limits.high is not None else []
        if outside:
            broken = outside[0] if len(outside) == 1 else outside[0] | outside[1]
            found[f"{name}__outside"] = flag(broken).sum()
    return week.aggregate(**found)


def _frequent(reference: Any, numeric: list[str]) -> list[Any]:
    """Values of each feature that hold a tenth or more of the training's rows."""
    import ibis  # noqa: PLC0415

    found = []
    for name in numeric:
        rows = reference.filter(reference[name].notnull()).select(value=reference[name])
        counted = rows.group_by("value").aggregate(n=rows.count())
        counted = counted.mutate(total=counted.n.sum().over(ibis.window()))
        counted = counted.filter(len(DECILES) * counted.n + counted.n >= counted.total)
        found.append(counted.select(feature=ibis.literal(name), value="value", n="n"))
    return found


def _bands(both: Any, edges: dict[str, list[float]], frequent: dict[str, list[float]]) -> list[Any]:
    """Rows per feature, bin and part: ``i`` are values up to the edge i and above the one before, ``=i`` those at the edge i.

    Edges are the training's tenths; a value that holds a tenth or more of it is one of its own, with a bin to itself.
    """
    import ibis  # noqa: PLC0415

    found = []
    for name, cuts in edges.items():
        rows = both.filter(both[name].notnull())
        above = ibis.literal(0)
        for cut in cuts:
            above = above + flag(rows[name] > cut)
        alone = [(rows[name] == value, f"={cuts.index(value)}") for value in frequent[name]]
        rows = rows.mutate(bin=ibis.cases(*alone, else_=above.cast("string")) if alone else above.cast("string"))
        found.append(_counted(rows, name))
    return found


def _of_words(both: Any, words: list[str]) -> list[Any]:
    """Rows per feature, bin and part; bins are the training's most frequent values, all others count together."""
    import ibis  # noqa: PLC0415

    found = []
    for name in words:
        rows = both.filter(both[name].notnull()).mutate(word=both[name].cast("string"))
        common = rows.filter(rows.part == "training").group_by("word").aggregate(seen=lambda t: t.count())
        common = common.order_by(ibis.desc("seen"), "word").limit(CATEGORIES).select(kept="word")
        joined = rows.left_join(common, rows.word == common.kept)
        found.append(_counted(joined.mutate(bin=joined.kept.fill_null("(other)")), name))
    return found


def _counted(rows: Any, name: str) -> Any:
    import ibis  # noqa: PLC0415

    counted = rows.group_by("bin", "part").aggregate(n=rows.count())
    return counted.select(feature=ibis.literal(name), bin="bin", part="part", n="n")


def _gaps(both: Any, numeric: list[str]) -> list[Any]:
    """Kolmogorov-Smirnov distance over all values of each feature."""
    import ibis  # noqa: PLC0415

    found = []
    for name in numeric:
        rows = both.filter(both[name].notnull())
        rows = rows.select(value=rows[name].cast("float64"), part=rows.part)
        steps = rows.group_by("value").aggregate(
            a=flag(rows.part == "training").sum(), b=flag(rows.part == "week").sum()
        )
        upto = ibis.range_window(order_by="value", following=0)
        steps = steps.mutate(
            gap=steps.a.sum().over(upto) / steps.a.sum().over(ibis.window()).nullif(0)
            - steps.b.sum().over(upto) / steps.b.sum().over(ibis.window()).nullif(0)
        )
        found.append(steps.aggregate(ks=steps.gap.abs().max()).select(feature=ibis.literal(name), ks="ks"))
    return found


def importance_rows(warehouse: Warehouse, model: Model, period: Period, versions: dict[str, str], *, file: str) -> Any:
    """Features and outcomes of evenly spaced rows of the week."""
    import ibis  # noqa: PLC0415

    features = model.features
    assert features is not None  # noqa: S101  asked only where there are features
    table = warehouse.table(features.table, {"id": features.id, "arrived": features.arrived}, file=file)
    known = outcomes(warehouse, model, period, versions, file=file).filter(lambda t: t.label.notnull())
    known = known.filter(known.time >= period.start).select("row_id", "label").distinct()
    names = (f"{model.scores.table}.{model.scores.id}", f"{features.table}.{features.id}")
    row_id, feature_id = alike(known.row_id, table[features.id], names=names, where=file)
    rows = known.mutate(row_id=row_id).inner_join(table.mutate(feature_id=feature_id), [("row_id", "feature_id")])
    rows = _once(rows, features, "feature_id")
    rows = rows.select("row_id", "label", *features.columns)
    turn = ibis.row_number().over(ibis.window(order_by="row_id"))
    rows = rows.mutate(turn=turn, total=rows.count().over(ibis.window()))
    step = ibis.greatest(1, (rows.total / features.importance_rows).ceil().cast("int64"))
    return rows.filter(rows.turn % step == 0).drop("turn").drop("total").order_by("row_id")
