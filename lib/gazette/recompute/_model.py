"""A model's quality a second time: ranks, counts and means by plain SQL, ranges from the textbook."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from gazette.recompute._arithmetic import Second, apart, few, share
from gazette.recompute._sql import literal, moment, name, table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gazette.params import Model, Scores
    from gazette.sources import Period

__all__ = ["questions", "seconds"]

Rows = list[dict[str, Any]]
LEAST = 1e-15  # of a probability whose logarithm is taken, as in scikit-learn
MEANS = {
    "classifier": {
        "log_loss": f"-LN(GREATEST(CASE WHEN y = 1 THEN s ELSE 1 - s END, {LEAST!r}))",
        "calibration_gap": "s - y",
    },
    "regressor": {"mae": "ABS(s - y)", "bias": "s - y", "square": "(s - y) * (s - y)"},
}
"""Measures that are a mean over rows, by the kind of a model; ``square`` is what the root mean squared error is made of."""


def questions(model: Model, period: Period, versions: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Name and SQL of each query, for this week and the one before.

    Args:
        model: Its parameters.
        period: The edition's week.
        versions: ``live`` and, where there is one, ``baseline`` to the version as the warehouse writes it.
    """
    if not versions.get("live"):
        return
    means = _means(model)
    known = _known(model, period, versions)
    yield "quality", f"{known}{_quality(model, means, 'known')}"
    if model.kind == "classifier":
        yield "areas", f"{known}{_areas('known')}"
    if model.labels is not None:
        yield "outcomes", _outcomes(model, period, versions["live"])
    base = versions.get("baseline", "")
    if not base or base == versions["live"]:
        return
    shared = f"{known},\n{_shared()}"
    yield "shared", f"{shared}{_quality(model, means, 'shared')}"
    if model.kind == "classifier":
        yield "shared-areas", f"{shared}{_areas('shared')}"
    yield "pairs", f"{shared}{_pairs(model, means, versions['live'], base)}"


def _means(model: Model) -> dict[str, str]:
    """Name to the expression whose mean over rows is the measure."""
    if model.kind == "ranker":
        return {_column(q.metric): _column(q.metric) for q in model.scores.quality}
    return MEANS[model.kind]


def _column(measure: str) -> str:
    return measure.replace("-", "_")


def _number_of(column: str) -> str:
    """A column as a number, whatever it is written as; an empty text is none."""
    return f"CAST(NULLIF(TRIM(CAST({name(column)} AS VARCHAR)), '') AS DOUBLE)"


def _finite(value: str) -> str:
    """A number, or none for what is not a number or without end: no such value lies between two others."""
    return f"CASE WHEN {value} > -1e308 AND {value} < 1e308 THEN {value} END"


def _label_of(model: Model) -> tuple[str, str]:
    """A label as it is written, called ``w``, and what that means: for a classifier 1 or 0, none where it is neither."""
    assert model.labels is not None  # noqa: S101  asked by the caller
    column, sought = model.labels.label, model.labels.positive
    text = f"NULLIF(CAST({name(column)} AS VARCHAR), '')"
    if model.kind != "classifier":
        return _number_of(column), _finite("w")
    if isinstance(sought, int) and not isinstance(sought, bool):
        value = _finite("w")
        return _number_of(column), f"CASE WHEN ({value}) = {sought} THEN 1.0 WHEN ({value}) <> {sought} THEN 0.0 END"
    if sought is not None:
        wanted = literal(str(sought).lower() if isinstance(sought, bool) else sought)
        return text, f"CASE WHEN w = {wanted} THEN 1.0 WHEN w <> {wanted} THEN 0.0 END"
    written = f"CASE LOWER({text}) WHEN 'true' THEN 1.0 WHEN 'false' THEN 0.0 ELSE CAST({text} AS DOUBLE) END"
    return written, "CASE WHEN w IN (0, 1) THEN w END"


def _scored(model: Model, period: Period, columns: Mapping[str, str]) -> str:
    """The table ``scored``: each row and version once, the one that came first, of several at a moment the least."""
    scores = model.scores
    read = "".join(f", {_number_of(source)} AS {column}" for column, source in columns.items())
    kept = "".join(f", {_finite(column)} AS {column}" for column in columns)
    return (
        "read AS (\n"
        f"  SELECT CAST({name(scores.id)} AS VARCHAR) AS id, CAST({name(scores.version)} AS VARCHAR) AS version, "
        f"{name(scores.time)} AS scored_at, {name(scores.arrived)} AS came{read}\n"
        f"  FROM {table(scores.table)}\n  WHERE {_within(scores, period)}\n),\n"
        f"finite AS (SELECT id, version, scored_at, came{kept} FROM read),\n"
        "scored AS (\n"
        f"  SELECT * FROM (\n    SELECT *, ROW_NUMBER() OVER (PARTITION BY id, version ORDER BY {', '.join(('came', *columns, 'scored_at'))}) AS turn\n"
        "    FROM finite\n  ) AS every_row WHERE turn = 1\n)"
    )


def _within(scores: Scores, period: Period) -> str:
    at = name(scores.time)
    return (
        f"{name(scores.id)} IS NOT NULL AND {at} >= {moment(period.history_start)} AND {at} < {moment(period.end)} "
        f"AND {name(scores.arrived)} < {moment(period.cutoff)}"
    )


def _labelled(model: Model, period: Period) -> str:
    """The table ``labelled``: all that was ever told of a row and means something."""
    labels = model.labels
    assert labels is not None  # noqa: S101  asked by the caller
    written, meant = _label_of(model)
    return (
        "written AS (\n"
        f"  SELECT CAST({name(labels.id)} AS VARCHAR) AS id, {written} AS w, CAST({name(labels.label)} AS VARCHAR) AS as_written, "
        f"{name(labels.arrived)} AS told\n"
        f"  FROM {table(labels.table)}\n  WHERE {name(labels.arrived)} < {moment(period.cutoff)}\n),\n"
        f"labelled AS (SELECT * FROM (SELECT id, {meant} AS y, told, as_written FROM written) AS every_label WHERE y IS NOT NULL)"
    )


def _week(period: Period) -> str:
    """Which of two weeks a row is of, and until when it had to be there to be as old as this week's are."""
    start, back = period.start, timedelta(days=7)
    return (
        f"CASE WHEN scored.scored_at >= {moment(start)} THEN 'now' ELSE 'before' END AS wk, "
        f"CASE WHEN scored.scored_at >= {moment(start)} THEN {moment(period.cutoff)} ELSE {moment(period.cutoff - back)} END AS due"
    )


def _known(model: Model, period: Period, versions: Mapping[str, str]) -> str:
    """The table ``known``: rows of both versions of which all is known, of this week and the last, both at one age; of labels the last.

    A week of which less than half was there at that age is taken as it is known now.
    """
    those = ", ".join(literal(v) for v in sorted(set(versions.values())))
    wanted = f"scored.version IN ({those}) AND scored.scored_at >= {moment(period.start - timedelta(days=7))}"
    ages = (
        "ages AS (SELECT wk AS wk_of, 2 * SUM(in_time) < COUNT(*) AS as_now FROM candidates GROUP BY wk),\n"
        "known AS (SELECT candidates.* FROM candidates JOIN ages ON ages.wk_of = candidates.wk WHERE as_now OR in_time = 1)"
    )
    if model.kind == "ranker":
        ready = {_column(q.metric): q.column for q in model.scores.quality if q.column}
        computed = [q for q in model.scores.quality if not q.column]
        columns = "".join(f", scored.{c}" for c in ready) + "".join(f", gains.{_column(q.metric)}" for q in computed)
        joined = "LEFT JOIN gains ON gains.id = scored.id AND gains.version = scored.version\n  " if computed else ""
        gains = f"{_gains(model)},\n" if computed else ""
        return (
            f"WITH {_scored(model, period, ready)},\n{gains}dated AS (\n"
            f"  SELECT scored.id, scored.version, scored.came, {_week(period)}{columns}\n  FROM scored\n  {joined}"
            f"WHERE {wanted}\n),\ncandidates AS (SELECT *, CASE WHEN came < due THEN 1 ELSE 0 END AS in_time FROM dated),\n{ages}"
        )
    score = {"s": model.scores.score or ""}
    return (
        f"WITH {_scored(model, period, score)},\n{_labelled(model, period)},\ndated AS (\n"
        f"  SELECT scored.id, scored.version, scored.came, labelled.told, labelled.as_written, {_week(period)}, scored.s, labelled.y\n"
        "  FROM scored\n  JOIN labelled ON labelled.id = scored.id\n"
        f"  WHERE {wanted}\n),\n"
        "timed AS (SELECT *, CASE WHEN came < due AND told < due THEN 1 ELSE 0 END AS early FROM dated),\n"
        "turned AS (\n  SELECT *, ROW_NUMBER() OVER (PARTITION BY id, version ORDER BY told DESC, as_written) AS last,\n"
        "    ROW_NUMBER() OVER (PARTITION BY id, version, early ORDER BY told DESC, as_written) AS last_early\n  FROM timed\n),\n"
        "ages AS (SELECT wk AS wk_of, 2 * SUM(CASE WHEN early = 1 AND last_early = 1 THEN 1 ELSE 0 END) "
        "< SUM(CASE WHEN last = 1 THEN 1 ELSE 0 END) AS as_now FROM turned GROUP BY wk),\n"
        "known AS (SELECT turned.* FROM turned JOIN ages ON ages.wk_of = turned.wk WHERE s IS NOT NULL "
        "AND ((as_now AND last = 1) OR (NOT as_now AND early = 1 AND last_early = 1)))"
    )


def _gains(model: Model) -> str:
    """The table ``gains``: each request's score from its items, the gain of a rank over that of the best order."""
    items = model.scores.items
    assert items is not None  # noqa: S101  the parameter check guarantees it
    rank, use = "place", "relevance"
    found = []
    for q in model.scores.quality:
        if q.column:
            continue
        if q.measure == "precision":
            value = f"SUM(CASE WHEN {rank} <= {q.k} AND {use} > 0 THEN 1.0 ELSE 0.0 END) / {q.k}"
        else:
            made = f"SUM(CASE WHEN {rank} <= {q.k} THEN {use} * LN(2) / LN({rank} + 1) ELSE 0 END)"
            best = f"SUM(CASE WHEN turn <= {q.k} THEN {use} * LN(2) / LN(turn + 1) END)"
            value = f"CASE WHEN {best} > 0 THEN {made} / {best} ELSE 0.0 END"
        found.append(f"CASE WHEN COUNT(*) = COUNT({rank} + {use}) THEN {value} END AS {_column(q.metric)}")
    return (
        "listed AS (\n"
        f"  SELECT DISTINCT CAST({name(items.request)} AS VARCHAR) AS id, CAST({name(items.version)} AS VARCHAR) AS version, "
        f"{_finite(_number_of(items.rank))} AS place, {_finite(_number_of(items.relevance))} AS relevance\n  FROM {table(items.table)}\n),\n"
        "shown AS (SELECT *, ROW_NUMBER() OVER (PARTITION BY id, version ORDER BY relevance DESC) AS turn FROM listed),\n"
        f"gains AS (SELECT id, version, {', '.join(found)} FROM shown GROUP BY id, version)"
    )


def _shared() -> str:
    """The table ``shared``: this week's rows of which both versions' scores are known."""
    return (
        "both_know AS (SELECT id FROM known WHERE wk = 'now' GROUP BY id HAVING COUNT(DISTINCT version) = 2),\n"
        "shared AS (SELECT known.* FROM known JOIN both_know ON both_know.id = known.id WHERE known.wk = 'now')"
    )


PLACED = """,
ranked AS (
  SELECT *,
    RANK() OVER (PARTITION BY version, wk ORDER BY s) + (COUNT(*) OVER (PARTITION BY version, wk, s) - 1) / 2.0 AS of_all,
    RANK() OVER (PARTITION BY version, wk, y ORDER BY s) + (COUNT(*) OVER (PARTITION BY version, wk, y, s) - 1) / 2.0 AS of_own,
    COUNT(*) OVER (PARTITION BY version, wk) AS every,
    SUM(y) OVER (PARTITION BY version, wk) AS hits
  FROM {rows}
),
placed AS (
  SELECT *,
    CASE WHEN y = 1 THEN (of_all - of_own) / NULLIF(every - hits, 0) ELSE 1 - (of_all - of_own) / NULLIF(hits, 0) END AS beaten,
    CASE WHEN y = 1 THEN 1.0 / NULLIF(hits, 0) ELSE 1.0 / NULLIF(every - hits, 0) END AS weight
  FROM ranked
),
middle AS (SELECT version, wk, AVG(CASE WHEN y = 1 THEN beaten END) AS auc FROM placed GROUP BY version, wk)"""
"""Mid-ranks among all rows and among a row's own class: their distance is how many of the other class a row beats."""


def _quality(model: Model, means: Mapping[str, str], rows: str) -> str:
    """A row per version and week: rows, means with their spread, and what a classifier adds."""
    own = "PARTITION BY version, wk"
    values = "".join(f", {e} AS v_{c}" for c, e in means.items())
    off = "".join(f", v_{c} - AVG(v_{c}) OVER ({own}) AS d_{c}" for c in means)
    each = f"valued AS (SELECT *{values} FROM {{}}),\nspread AS (SELECT *{off} FROM valued)"
    found = "".join(
        f", AVG(v_{c}) AS {c}, VAR_SAMP(v_{c}) AS {c}_spread, COUNT(v_{c}) AS {c}_rows, AVG(d_{c} * d_{c} * d_{c} * d_{c}) AS {c}_fourth"
        for c in means
    )
    if model.kind != "classifier":
        start = f",\n{each.format(rows)}"
        return (
            f"{start}\nSELECT version, wk, COUNT(*) AS n{found} FROM spread GROUP BY version, wk ORDER BY version, wk"
        )
    if (threshold := model.scores.threshold) is not None:
        flagged = f"s >= {threshold!r}"
        found += (
            f", SUM(CASE WHEN {flagged} THEN 1 ELSE 0 END) AS flagged"
            f", SUM(CASE WHEN {flagged} AND y = 1 THEN 1 ELSE 0 END) AS caught"
        )
    off = "(spread.beaten - middle.auc) * spread.weight"
    return (
        f"{PLACED.format(rows=rows)},\n{each.format('placed')}"
        f"\nSELECT spread.version, spread.wk, COUNT(*) AS n, SUM(y) AS hits{found}, MIN(middle.auc) AS auc, "
        f"SUM({off} * {off}) * COUNT(*) / NULLIF(COUNT(*) - 1, 0) AS auc_square, "
        f"SUM({off} * {off} * {off} * {off}) AS auc_fourth\n"
        "FROM spread JOIN middle ON middle.version = spread.version AND middle.wk = spread.wk\n"
        "GROUP BY spread.version, spread.wk ORDER BY spread.version, spread.wk"
    )


def _areas(rows: str) -> str:
    """Average precision: over distinct scores from the top, the precision down to each, weighted by the positives there."""
    return (
        f",\nbands AS (SELECT version, wk, s, 1.0 * COUNT(*) AS n, SUM(y) AS hits FROM {rows} GROUP BY version, wk, s),\n"
        "down AS (\n  SELECT version, wk, hits,\n"
        "    SUM(n) OVER (PARTITION BY version, wk ORDER BY s DESC ROWS UNBOUNDED PRECEDING) AS n_down,\n"
        "    SUM(hits) OVER (PARTITION BY version, wk ORDER BY s DESC ROWS UNBOUNDED PRECEDING) AS hits_down\n  FROM bands\n)\n"
        "SELECT version, wk, SUM(hits * hits_down / n_down) / NULLIF(SUM(hits), 0) AS pr_auc\n"
        "FROM down GROUP BY version, wk ORDER BY version, wk"
    )


def _pairs(model: Model, means: Mapping[str, str], live: str, base: str) -> str:
    """One row: pairs of the same row under both versions, and how what is between them is spread."""
    rows, more, gaps, found = "shared", "", "", ""
    for column, expression in means.items():
        more += f", {expression} AS v_{column}"
        gaps += f", a.v_{column} - b.v_{column} AS g_{column}"
        found += (
            f", VAR_SAMP(g_{column}) AS {column}_spread, COUNT(g_{column}) AS {column}_rows"
            f", AVG(d_{column} * d_{column} * d_{column} * d_{column}) AS {column}_fourth"
        )
        if model.kind == "ranker":  # a row may lack a measure under one version only
            found += f", AVG(g_{column}) AS {column}"
    start = ""
    if model.kind == "classifier":
        start, rows = (
            PLACED.format(rows="shared"),
            "placed JOIN middle ON middle.version = placed.version AND middle.wk = placed.wk",
        )
        more += ", (placed.beaten - middle.auc) * placed.weight AS off"
        gaps += ", a.off - b.off AS off"
        found += ", SUM(off * off) * COUNT(*) / NULLIF(COUNT(*) - 1, 0) AS auc_square, SUM(off * off * off * off) AS auc_fourth"
    own = "placed." if start else ""
    away = "".join(f", g_{c} - AVG(g_{c}) OVER () AS d_{c}" for c in means)
    return (
        f"{start},\neach_row AS (SELECT {own}id, {own}version{more} FROM {rows}),\n"
        f"gaps AS (SELECT a.id{gaps} FROM each_row AS a JOIN each_row AS b ON a.id = b.id\n"
        f"  WHERE a.version = {literal(live)} AND b.version = {literal(base)}),\n"
        f"away AS (SELECT *{away} FROM gaps)\nSELECT COUNT(*) AS n{found}\nFROM away"
    )


def _outcomes(model: Model, period: Period, live: str) -> str:
    """One row: rows that the live version scored this week, and of how many the outcome is known."""
    return (
        f"WITH {_scored(model, period, {})},\n{_labelled(model, period)},\nheard AS (SELECT DISTINCT id FROM labelled)\n"
        "SELECT COUNT(*) AS n, COUNT(heard.id) AS known FROM scored LEFT JOIN heard ON heard.id = scored.id\n"
        f"WHERE scored.version = {literal(live)} AND scored.scored_at >= {moment(period.start)}"
    )


# ---- numbers


def seconds(
    model: Model,
    tables: Mapping[str, Rows],
    versions: Mapping[str, str],
    levels: Mapping[str, float] | None = None,
) -> dict[str, Second | None]:
    """Numbers by id without the subject: every measure of the live version, its change, and against the baseline.

    Args:
        model: Its parameters.
        tables: Answers by the names of `questions`; a query that failed is left out.
        versions: As for `questions`.
        levels: Number to the level that its published range states, 95 % where there is none.
    """
    found: dict[str, Second | None] = {}
    if "quality" not in tables or ("areas" not in tables and model.kind == "classifier"):
        return found
    live, base, said = versions["live"], versions.get("baseline", ""), levels or {}
    at = {(r["version"], r["wk"]): r for r in _joined(tables, "quality", "areas")}
    both = {r["version"]: r for r in _joined(tables, "shared", "shared-areas")}
    pair = tables["pairs"][0] if tables.get("pairs") else None
    for measure in model.measures:
        found[measure] = _level(measure, at.get((live, "now")))
        alpha = 1 - said.get(f"{measure}.change", 0.95)
        now, before = (_level(measure, at.get((live, wk)), alpha) for wk in ("now", "before"))
        found[f"{measure}.change"] = apart(now, before) if now and before else None
        if pair is not None and "shared" in tables:
            alpha = 1 - said.get(f"{measure}.vs-baseline", 0.95)
            found[f"{measure}.vs-baseline"] = _against(measure, both.get(live), both.get(base), pair, alpha)
    if model.scores.unit is not None:  # ranges by users are computed once
        found = {k: None if second is None else Second(second.value) for k, second in found.items()}
    if tables.get("outcomes"):
        row = tables["outcomes"][0]
        found["label-completeness"] = share(int(row["known"]), int(row["n"])) if row["n"] else None
    return found


def _joined(tables: Mapping[str, Rows], left: str, right: str) -> Rows:
    more = {(r["version"], r["wk"]): r for r in tables.get(right, [])}
    return [{**r, **more.get((r["version"], r["wk"]), {})} for r in tables.get(left, [])]


def _number(row: Mapping[str, Any], column: str) -> float | None:
    value = row.get(column)
    return None if value is None or value != value else float(value)  # noqa: PLR0124  NaN


def _value(measure: str, row: Mapping[str, Any]) -> float | None:
    if measure in {"precision", "recall"}:
        of, caught = _number(row, "flagged" if measure == "precision" else "hits"), _number(row, "caught")
        return caught / of if caught is not None and of else None
    if measure == "rmse":
        square = _number(row, "square")
        return None if square is None else math.sqrt(square)
    return _number(row, _column(measure))


def _level(measure: str, row: Mapping[str, Any] | None, alpha: float = 0.05) -> Second | None:
    """A measure of one version in one week, with its range where that is computed twice too."""
    value = None if row is None else _value(measure, row)
    if row is None or value is None:
        return None
    n = int(row.get(f"{_column(measure)}_rows") or row["n"])
    if measure in {"precision", "recall"}:
        return share(int(row["caught"]), int(row["flagged" if measure == "precision" else "hits"]), alpha)
    if measure == "pr-auc":
        return Second(value)
    if measure == "auc":
        square, fourth = _number(row, "auc_square"), _number(row, "auc_fourth")
        if not square:
            return Second(value)
        return few(n, value, math.sqrt(square * n), _per_row(fourth, n), "odds", alpha)
    column = "square" if measure == "rmse" else _column(measure)
    spread, fourth = _number(row, f"{column}_spread"), _number(row, f"{column}_fourth")
    if measure == "rmse":  # the root's slope
        slope = 1 / (2 * value) if value else 0.0
        spread, fourth = (None if v is None else v * slope**k for v, k in ((spread, 2), (fourth, 4)))
    scale = "log" if measure in {"log-loss", "mae", "rmse"} else "own"
    return Second(value) if spread is None else few(n, value, math.sqrt(spread), fourth, scale, alpha)


def _per_row(fourth: float | None, n: int) -> float | None:
    """Mean fourth power of rows' influences, from the sum of their parts of the measure, which are n times smaller."""
    return None if fourth is None else fourth * n**3


def _against(
    measure: str,
    live: Mapping[str, Any] | None,
    base: Mapping[str, Any] | None,
    pair: Mapping[str, Any],
    alpha: float,
) -> Second | None:
    """Live less baseline on the rows that both scored."""
    if live is None or base is None:
        return None
    a, b, n = _value(measure, live), _value(measure, base), int(pair.get(f"{_column(measure)}_rows") or pair["n"])
    if (of_pairs := _number(pair, _column(measure))) is not None:
        a, b = of_pairs, 0.0
    if a is None or b is None:
        return None
    spread, fourth = _number(pair, f"{_column(measure)}_spread"), _number(pair, f"{_column(measure)}_fourth")
    if measure == "auc" and (square := _number(pair, "auc_square")) is not None:
        spread, fourth = square * n, _per_row(_number(pair, "auc_fourth"), n)
    return Second(a - b) if spread is None else few(n, a - b, math.sqrt(spread), fourth, "own", alpha)
