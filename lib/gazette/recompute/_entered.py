"""Who is in a test, a second time, in SQL: each unit's arm and first moment, who counts, and who is left out."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING

from gazette.recompute._sql import literal, moment, name, table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gazette.params import Experiment, Trigger
    from gazette.sources import Period

__all__ = ["came", "end_of", "equal", "kind_of", "left_out", "midnight", "seen", "stamped", "through", "window"]


def kind_of(columns: Callable[[str], Mapping[str, str]], of: str, column: str) -> str:
    """Type of a column, in ibis's words, whether or not it may be missing."""
    return columns(of)[column].removeprefix("!")


def _id(expression: str, kind: str) -> str:
    """An identifier; a real number only as far as it is exact."""
    if not kind.startswith("float"):
        return expression
    most = 2**24 if kind == "float32" else 2**53
    return f"CASE WHEN ABS({expression}) < {most} THEN CAST({expression} AS BIGINT) END"


def equal(plan: Experiment, columns: Callable[[str], Mapping[str, str]], of: str, unit: str, alias: str) -> str:
    """Whether a row is a unit's own; identifiers of two types are the same if they are written the same."""
    kinds = kind_of(columns, plan.assignments, "unit_id"), kind_of(columns, of, unit)
    theirs = _id(f"{alias}.{name(unit)}" if alias else name(unit), kinds[1])
    texts = [kind == "string" for kind in kinds]
    if texts[0] == texts[1]:
        return f"{theirs} = seen.unit"
    return f"CAST({theirs} AS VARCHAR) = CAST(seen.unit AS VARCHAR)"


def seen(plan: Experiment, period: Period, columns: Callable[[str], Mapping[str, str]]) -> str:
    """Each unit's arm and first moment there; a unit that was in two arms, or in none that the file knows, is in neither."""
    start, end = datetime.combine(plan.start, time()), end_of(plan, period)
    spelt = "".join(f" WHEN {literal(a)} THEN {literal(v.id)}" for v in plan.variants for a in v.aliases)
    written = "CAST(variant AS VARCHAR)"
    arm = f"CASE {written}{spelt} ELSE {written} END" if spelt else written
    known = ", ".join(literal(v.id) for v in plan.variants)
    return (
        "WITH told AS (\n"
        f"  SELECT {_id('unit_id', kind_of(columns, plan.assignments, 'unit_id'))} AS unit, "
        f"NULLIF(NULLIF({arm}, ''), 'no variant') AS arm, CAST(assigned_at AS TIMESTAMP) AS since\n"
        f"  FROM {table(plan.assignments)}\n  WHERE experiment = {literal(plan.id)}\n"
        f"    AND (assigned_at IS NULL OR (assigned_at >= {moment(start)} AND assigned_at < {moment(end)}))\n"
        "),\n"
        "everyone AS (\n  SELECT unit, COALESCE(MIN(arm), 'no variant') AS arm, COALESCE(MAX(arm), 'no variant') AS other, COUNT(*) AS times,\n"
        "    CASE WHEN COUNT(arm) = 0 THEN MIN(since) ELSE MIN(CASE WHEN arm IS NOT NULL THEN since END) END AS since,\n"
        "    CASE WHEN unit IS NOT NULL AND COUNT(arm) > 0 AND COUNT(arm) < COUNT(*) THEN 1 ELSE 0 END AS armless\n"
        "  FROM told GROUP BY unit\n),\n"
        f"{came(plan)} AS (\n  SELECT unit, arm, since FROM everyone\n"
        f"  WHERE unit IS NOT NULL AND since IS NOT NULL AND arm = other AND arm IN ({known})\n)"
        + ("" if plan.triggered is None else f",\n{_met(plan, plan.triggered, period, columns)}")
        + ("" if plan.window_days is None else f",\nseen AS (SELECT * FROM entered WHERE {through(plan, period)})")
    )


def came(plan: Experiment) -> str:
    """The table of everyone who was assigned to one arm, whether or not the unit counts."""
    if plan.triggered is not None:
        return "reached"
    return "seen" if plan.window_days is None else "entered"


def _met(plan: Experiment, rows: Trigger, period: Period, columns: Callable[[str], Mapping[str, str]]) -> str:
    """Of those assigned, the units that met the change, each since the first moment after its assignment at which it did."""
    at, end = f"fact.{name(rows.time)}", end_of(plan, period)
    dated = kind_of(columns, rows.table, rows.time) == "date"
    begun = (
        midnight("since")
        if dated
        else f"CASE WHEN {stamped(rows.table, at, end)} THEN {midnight('since')} ELSE since END"
    )
    conditions = [
        equal(plan, columns, rows.table, rows.unit, "fact"),
        f"{at} >= seen.begun",
        f"{at} < {moment(end)}",
        *(f"fact.{name(w.column)} = {literal(w.equals)}" for w in rows.where),
        *([f"fact.{name(rows.arrived)} < {moment(period.cutoff)}"] if rows.arrived else []),
    ]
    return (
        f"{'seen' if plan.window_days is None else 'entered'} AS (\n"
        f"  SELECT seen.unit, seen.arm, GREATEST(MIN(seen.since), CAST(MIN({at}) AS TIMESTAMP)) AS since\n"
        f"  FROM (SELECT unit, arm, since, {begun} AS begun FROM reached) AS seen\n"
        f"  JOIN {table(rows.table)} AS fact ON {' AND '.join(conditions)}\n  GROUP BY seen.unit, seen.arm\n)"
    )


def through(plan: Experiment, period: Period) -> str:
    """Whether the days for which a unit counts are over."""
    return f"since + {window(plan)} <= {moment(end_of(plan, period))}"


def window(plan: Experiment) -> str:
    return f"INTERVAL '{plan.window_days} days'"


def left_out(plan: Experiment) -> str:
    """One row: who is in no arm for a reason that the file does not know, rows where there is no identifier; and who has rows without an arm."""
    fine = ", ".join(literal(label) for label in (*(v.id for v in plan.variants), *plan.exclude))
    no_id, no_time = (int(label in plan.exclude) for label in ("no id", "no time"))
    return (
        f"SELECT COALESCE(SUM(CASE WHEN unit IS NULL THEN {'0' if no_id else 'times'} WHEN since IS NULL THEN {1 - no_time} "
        f"WHEN arm <> other OR arm IN ({fine}) THEN 0 ELSE 1 END + {int('no variant' not in plan.exclude)} * armless), 0) AS n FROM everyone"
    )


def end_of(plan: Experiment, period: Period) -> datetime:
    return min(datetime.combine(plan.end, time()) + timedelta(days=1), period.end)


def midnight(moment: str) -> str:
    """The first moment of its day."""
    return f"CAST(CAST({moment} AS DATE) AS TIMESTAMP)"


def stamped(of: str, at: str, end: datetime) -> str:
    """Whether all rows up to the end have a midnight for a time, which means a day; false where there is none."""
    runs = f"SELECT MAX(CASE WHEN {at} = {midnight(at)} THEN 0 ELSE 1 END) FROM {table(of)} AS fact WHERE {at} < {moment(end)}"
    return f"COALESCE(({runs}), 1) = 0"
