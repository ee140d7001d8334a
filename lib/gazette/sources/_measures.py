"""What models of every kind share: from rows with influences to aggregates per week, version and segment.

A measure of a group is one value ``v``; each row moves it by its influence ``i`` (mean zero within the group), so the
value's variance is about ``var(i) / n`` (Hampel 1974), and that of a difference between two versions on the same rows
is ``var(i_live - i_baseline) / n``. Rows stay in the warehouse.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from gazette.sources._answer import flag
from gazette.sources._values import alike, class_of, number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gazette.params import Model, Scores
    from gazette.sources._warehouse import Period, Warehouse

__all__ = [
    "Rows",
    "answers",
    "arrivals",
    "at_one_age",
    "days",
    "first_of_each",
    "mean_influences",
    "outcomes",
    "unscored",
    "user_of",
    "within",
]


USER = "of_user"  # the column that names the user, where rows repeat users
Rows = Callable[[Any, Sequence[str]], Any]
"""What a kind of model adds: columns ``v_<measure>`` (constant in a group) and ``i_<measure>`` (per row)."""


def mean_influences(rows: Any, groups: Sequence[str], columns: Sequence[str]) -> Any:
    """For measures that are means of a column: the mean, and each row's distance from it."""
    import ibis  # noqa: PLC0415

    group = ibis.window(group_by=list(groups))
    rows = rows.mutate(**{f"v_{c}": rows[c].mean().over(group) for c in columns})
    return rows.mutate(**{f"i_{c}": rows[c] - rows[f"v_{c}"] for c in columns})


def first_of_each(rows: Any, keys: Sequence[str], *order: str) -> Any:
    """One row per key, the one that came first: a row loaded twice may not count twice.

    Where several came at the same moment it is the one of the least value: not by chance another one each time.
    """
    import ibis  # noqa: PLC0415

    turn = ibis.row_number().over(ibis.window(group_by=list(keys), order_by=list(order)))
    return rows.mutate(turn=turn).filter(lambda t: t.turn == 0).drop("turn")


def days(rows: Any, period: Period) -> Any:
    """Rows of each day of the week."""
    return (
        rows.filter(rows.time >= period.start)
        .mutate(day=lambda t: t.time.date())
        .group_by("day")
        .aggregate(n=lambda t: t.count())
        .order_by("day")
    )


def arrivals(rows: Any, period: Period) -> Iterator[tuple[str, Any]]:
    """How many rows were scored and how many outcomes are known, by week, version and day; whether all weeks at the same age."""
    counted = rows.group_by("week", "version").aggregate(
        scored=rows.count(), labelled=rows.label.count(), aged=flag(rows.aged).min()
    )
    yield "completeness", counted.order_by("week", "version")
    yield "days", days(rows, period)


def at_one_age(rows: Any, period: Period, *, label: bool) -> Any:
    """Rows and outcomes of each week as they were known when it was as old as this week is at the cut-off.

    Outcomes arrive late, so a week of which more is known is another sample: likes are compared with likes. A week of which
    less than half came by that age (its history was loaded later, all at once) stays as it is known now; ``aged`` is false.

    Args:
        rows: With ``week``, ``arrived`` and, where there are outcomes, ``label`` and ``told`` as they are known now, and as they were
            then (``label_then``, ``told_then``).
        period: The edition's week.
        label: Whether there are outcomes.
    """
    import ibis  # noqa: PLC0415

    rows = rows.mutate(came=rows.arrived < _due(rows.week, period))
    if label:
        rows = rows.mutate(
            settled=rows.came & rows.told_then.notnull()
        )  # of which the label may be none of two classes
        counted = rows.label.notnull()
    else:
        rows = rows.mutate(settled=rows.came)
        counted = rows.arrived.notnull()
    of_week = ibis.window(group_by="week")
    rows = rows.mutate(
        aged=2 * ibis.ifelse(counted & rows.settled, 1, 0).sum().over(of_week)
        >= ibis.ifelse(counted, 1, 0).sum().over(of_week)
    )
    rows = rows.filter(~rows.aged | rows.came)
    if label:
        then = {c: ibis.ifelse(rows.settled, rows[f"{c}_then"], None) for c in ("label", "told")}
        rows = rows.mutate(**{c: ibis.ifelse(rows.aged, then[c], rows[c]) for c in then})
        rows = rows.drop("label_then").drop("told_then")
    return rows.drop("came").drop("settled")


def _due(week: Any, period: Period) -> Any:
    """Until when a week's rows had to be there to be as old as this week's are at the cut-off."""
    import ibis  # noqa: PLC0415

    later = [timedelta(days=7 * k) for k in range(1, period.history_weeks)]
    return ibis.cases(
        *((week == (period.start - back).date(), ibis.literal(period.cutoff - back)) for back in later),
        else_=ibis.literal(period.cutoff),
    )


def unscored(rows: Any, columns: Sequence[str], period: Period, live: str) -> tuple[str, Any]:
    """Rows of the live version this week, and how many of them lack each column."""
    now = rows.filter(rows.version == live, rows.time >= period.start)
    found = {c: flag(now[c].isnull()).sum() for c in columns}
    return "unscored", now.aggregate(n=now.count(), **found)


def user_of(table: Any, scores: Scores, row_id: Any) -> dict[str, Any]:
    """The column that names a row's user, where the file says that rows repeat users; a row of nobody stands for itself."""
    import ibis  # noqa: PLC0415

    if scores.unit is None:
        return {}
    alone = ibis.literal("row ") + row_id.cast("string")
    return {USER: ibis.coalesce(table[scores.unit].cast("string"), alone)}


def within(table: Any, scores: Scores, period: Period) -> Any:
    """Predictions that apply to the history's weeks and had arrived by the cut-off; those without an id are nobody's."""
    return table.filter(
        table[scores.id].notnull(),
        table[scores.time] >= period.history_start,
        table[scores.time] < period.end,
        table[scores.arrived] < period.cutoff,
    )


def outcomes(warehouse: Warehouse, model: Model, period: Period, versions: dict[str, str], *, file: str) -> Any:
    """Rows of the period with score and label, each row and version once; null where there is none.

    ``told`` is the label as it is written, ``label`` what it means: 0 or 1 for a classifier, else a number. Of several labels it is
    the one that came last and says something, of several at a moment the least; ``label_then`` and ``told_then`` are those of the
    week's age.

    Args:
        warehouse: An open warehouse.
        model: Its parameters, with a score and labels.
        period: The edition's week.
        versions: Roles to the versions that are read.
        file: The parameter file, for errors.

    Raises:
        SourceError: Ids or labels are of types that cannot be what they are named as.
    """
    scores, labels = model.scores, model.labels
    assert labels is not None  # noqa: S101  the parameter check guarantees both
    assert scores.score is not None  # noqa: S101
    wanted = {k: getattr(scores, k) for k in ("id", "time", "arrived", "version", "score")}
    wanted |= {f"segments {s}": s for s in scores.segments} | ({"unit": scores.unit} if scores.unit else {})
    s = warehouse.table(scores.table, wanted, file=file)
    y = warehouse.table(labels.table, {"id": labels.id, "label": labels.label, "arrived": labels.arrived}, file=file)
    names = (f"{scores.table}.{scores.id}", f"{labels.table}.{labels.id}")
    row_id, label_id = alike(s[scores.id], y[labels.id], names=names, where=file)
    s = s.mutate(row_id=row_id)
    s = within(s, scores, period)
    s = s.select(
        row_id="row_id",
        time=s[scores.time],
        arrived=s[scores.arrived],
        week=s[scores.time].truncate("W").date(),
        version=s[scores.version].cast("string"),
        score=number(s[scores.score]),
        **user_of(s, scores, s.row_id),
        **{column: s[column].cast("string") for column in scores.segments},
    )
    s = s.filter(s.version.isin(sorted(set(versions.values()))))
    s = first_of_each(s, ["row_id", "version"], "arrived", "score", "time", *scores.segments)
    label, told = (
        class_of(y[labels.label], labels.positive, where=file)
        if model.kind == "classifier"
        else (number(y[labels.label]), y[labels.label].cast("string"))
    )
    y = y.mutate(label_id=label_id, label=label, told=told).filter(y[labels.arrived] < period.cutoff)
    y = y.filter(y.told.notnull() if model.kind == "classifier" else y.label.notnull())
    y = y.select("label_id", "label", "told", known=y[labels.arrived])
    return _latest(s.left_join(y, s.row_id == y.label_id).drop("label_id"), period)


def _latest(rows: Any, period: Period) -> Any:
    """Of rows that stand there once for each label, those with the last one; beside it the last one that was there in time."""
    import ibis  # noqa: PLC0415

    order = [ibis.desc("known"), "told"]
    rows = rows.mutate(in_time=flag(rows.known < _due(rows.week, period)))
    own = ibis.window(group_by=["row_id", "version"])
    rows = rows.mutate(
        turn=ibis.row_number().over(ibis.window(group_by=["row_id", "version"], order_by=order)),
        of_alike=ibis.row_number().over(ibis.window(group_by=["row_id", "version", "in_time"], order_by=order)),
    )
    then = (rows.in_time == 1) & (rows.of_alike == 0)
    rows = rows.mutate(**{f"{c}_then": ibis.ifelse(then, rows[c], None).max().over(own) for c in ("label", "told")})
    return rows.filter(rows.turn == 0).drop("turn").drop("of_alike").drop("in_time")


def answers(
    placed: Rows,
    rows: Any,
    measures: Sequence[str],
    model: Model,
    period: Period,
    versions: dict[str, str],
    *,
    counts: Sequence[str] = (),
    some_missing: bool = False,
) -> Iterator[tuple[str, Any]]:
    """The queries ``weekly``, ``paired``, ``segments`` and ``segments_paired``.

    Args:
        placed: Gives rows their values and influences.
        rows: With ``row_id``, ``time``, ``week``, ``version`` and the segments' columns.
        measures: Names of the measures, as columns.
        model: The model's parameters.
        period: The edition's week.
        versions: ``live`` and ``baseline`` to the version as the warehouse writes it.
        counts: Columns of zeros and ones to count beside them.
        some_missing: Whether a row may lack a measure, which then counts the rows that have it, as ``<measure>_n``.
    """
    import ibis  # noqa: PLC0415

    live, base = versions["live"], versions.get("baseline", "")
    rows = rows.filter(rows.version.isin(sorted(set(versions.values()))))
    yield (
        "weekly",
        _summary(placed(rows, ["week", "version"]), measures, ["week", "version"], counts, some_missing=some_missing),
    )
    own = ibis.window(group_by=["row_id", "week"])  # not every dialect counts different values in a window
    both = rows.mutate(seen_first=rows.version.min().over(own), seen_last=rows.version.max().over(own))
    both = both.filter(both.seen_first != both.seen_last) if base and base != live else both.limit(0)
    if some_missing:  # of a pair that lacks one side neither counts
        both = both.mutate(**{m: ibis.ifelse(both[m].count().over(own) == 2, both[m], None) for m in measures})  # noqa: PLR2004
    yield "paired", _paired(placed, both, measures, ["week"], live, base, counts, some_missing=some_missing)
    if not model.scores.segments:
        return
    keys = ["segment", "of", "week"]
    every = _split(rows, model.scores.segments)
    yield (
        "segments",
        _summary(placed(every, [*keys, "version"]), measures, [*keys, "version"], counts, some_missing=some_missing),
    )
    now = both.filter(both.time >= period.start)
    now = now.mutate(  # a pair is of the live row's segment: the two may have been told different ones
        **{c: ibis.ifelse(now.version == live, now[c], None).max().over(own) for c in model.scores.segments}
    )
    now = _split(now, model.scores.segments)
    yield "segments_paired", _paired(placed, now, measures, keys, live, base, counts, some_missing=some_missing)


def _split(rows: Any, columns: Sequence[str]) -> Any:
    """Every row once per property, with the property's name and value."""
    import ibis  # noqa: PLC0415

    parts = [rows.mutate(segment=ibis.literal(c), of=rows[c]) for c in columns]
    return ibis.union(*parts) if len(parts) > 1 else parts[0]


def _summary(
    placed: Any, measures: Sequence[str], groups: Sequence[str], counts: Sequence[str], *, some_missing: bool
) -> Any:
    values = {m: placed[f"v_{m}"].max() for m in measures}
    influences = {m: placed[f"i_{m}"] for m in measures}
    return _spread(placed, values, influences, groups, counts, some_missing=some_missing)


def _spread(
    rows: Any,
    values: dict[str, Any],
    influences: dict[str, Any],
    groups: Sequence[str],
    counts: Sequence[str],
    *,
    some_missing: bool,
) -> Any:
    """Each group's rows, counts and measures, with variance and mean fourth power of the influences.

    Where rows repeat users, each user's influences are added up first: a user's sum, times users over rows, is what the user as a
    whole moves the measure by (Liang & Zeger 1986), and ``units`` counts the users.
    """
    measures = [*values]
    if USER not in rows.columns:
        found = {"n": rows.count()}
        found |= {f"{m}_n": influences[m].count() for m in measures if some_missing}
        found |= {c: rows[c].sum() for c in counts}
        for m, i in influences.items():
            square = i * i
            found |= {m: values[m], f"{m}_var": i.var(how="sample"), f"{m}_fourth": (square * square).mean()}
        return rows.group_by(*groups).aggregate(**found).order_by(*groups)
    own = {"n_rows": rows.count()}
    own |= {f"n_{m}": influences[m].count() for m in measures}
    own |= {f"c_{c}": rows[c].sum() for c in counts}
    own |= {f"v_{m}": v for m, v in values.items()} | {f"s_{m}": i.sum() for m, i in influences.items()}
    users = rows.group_by(*groups, USER).aggregate(**own)
    found = {"n": users.n_rows.sum().cast("int64"), "units": users.count()}
    found["repeats"] = (users.n_rows * users.n_rows).sum() / users.n_rows.sum().cast("float64")
    found |= {f"{m}_n": users[f"n_{m}"].sum().cast("int64") for m in measures if some_missing}
    found |= {f"{m}_units": users[f"s_{m}"].count() for m in measures if some_missing}
    found |= {c: users[f"c_{c}"].sum() for c in counts}
    if "positive" in counts:
        found["positive_units"] = flag(users.c_positive > 0).sum()
        found["negative_units"] = flag(users.c_positive < users.n_rows).sum()
    for m in measures:
        scale = users[f"s_{m}"].count() / users[f"n_{m}"].sum().nullif(0).cast("float64")
        square = users[f"s_{m}"] * users[f"s_{m}"]
        found[m] = users[f"v_{m}"].max()
        found[f"{m}_var"] = users[f"s_{m}"].var(how="sample") * scale * scale
        found[f"{m}_fourth"] = (square * square).mean() * scale * scale * scale * scale
    return users.group_by(*groups).aggregate(**found).order_by(*groups)


def _paired(
    placed: Rows,
    both: Any,
    measures: Sequence[str],
    groups: Sequence[str],
    live: str,
    base: str,
    counts: Sequence[str],
    *,
    some_missing: bool,
) -> Any:
    """Live less baseline on the rows that both scored."""
    kept = [c for c in ("positive",) if c in counts]
    more = [*kept, *([USER] if USER in both.columns else [])]
    columns = [*groups, "version", "row_id", *more, *(f"{p}_{m}" for m in measures for p in "vi")]
    rows = placed(both, [*groups, "version"]).select(*columns)
    a = rows.filter(rows.version == live)
    b = rows.filter(rows.version == base).select(
        other="row_id",
        **{f"other_{g}": g for g in groups},
        **{f"{p}b_{m}": f"{p}_{m}" for m in measures for p in "vi"},
    )
    told = [g for g in groups if g != "of"]  # which both have alike, and may be none
    joined = a.inner_join(b, [a.row_id == b.other, *(a[g] == b[f"other_{g}"] for g in told)])
    values = {m: joined[f"v_{m}"].max() - joined[f"vb_{m}"].max() for m in measures}
    influences = {m: joined[f"i_{m}"] - joined[f"ib_{m}"] for m in measures}
    return _spread(joined, values, influences, groups, kept, some_missing=some_missing)
