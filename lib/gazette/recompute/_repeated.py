"""Rows that were loaded twice, a second time: of each day, all rows less the different ones; against what was frozen."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from gazette.recompute._arithmetic import Second
from gazette.recompute._entered import end_of, equal, kind_of, seen, stamped
from gazette.recompute._sql import endless, literal, moment, name, number, table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from gazette.params import Experiment, Fact, Metric
    from gazette.sources import Period

__all__ = ["loaded_twice", "repeated", "unlike_repeated"]

Rows = list[dict[str, Any]]
FEWEST, SHARE = 20, 0.2  # of a day that is judged: its rows, and how many of them repeat another


def repeated(
    plan: Experiment, metrics: Mapping[str, Metric], period: Period, columns: Callable[[str], Mapping[str, str]]
) -> Iterator[tuple[str, str]]:
    """A query for each fact that is summed or counted: rows of the week by day, and those that have another's user, time and value.

    Args:
        plan: The experiment.
        metrics: Definitions.
        period: The edition's week.
        columns: Gives the columns of a table with their types.
    """
    start, everyone = seen(plan, period, columns), "seen" if plan.window_days is None else "entered"
    for i, (_, fact) in enumerate(_facts(plan, metrics)):
        at, end = f"fact.{name(fact.time)}", end_of(plan, period)
        days = kind_of(columns, fact.table, fact.time) == "date"  # two rows of which may well be alike
        value = "1.0"
        if fact.value:
            value = number(f"fact.{name(fact.value)}", kind_of(columns, fact.table, fact.value))
            value = f"CASE WHEN {endless(value)} THEN NULL ELSE {value} END"
        conditions = [
            f"{at} >= seen.since",
            f"{at} >= {moment(period.start)}",
            f"{at} < {moment(end)}",
            "FALSE" if days else f"NOT ({stamped(fact.table, at, end)})",
            *(f"fact.{name(w.column)} = {literal(w.equals)}" for w in fact.where),
            *([f"fact.{name(fact.arrived)} < {moment(period.cutoff)}"] if fact.arrived else []),
        ]
        own = equal(plan, columns, fact.table, fact.unit, "fact")
        day = "CAST(done AS DATE)"
        parts = [
            f"{start},\ndeeds AS (\n  SELECT seen.unit, CAST({at} AS TIMESTAMP) AS done, {value} AS v\n  FROM {everyone} AS seen",
            f"  JOIN {table(fact.table)} AS fact ON {own}\n  WHERE {' AND '.join(conditions)}\n),",
            f"whole AS (SELECT {day} AS day, COUNT(*) AS n FROM deeds GROUP BY {day}),",
            f"different AS (SELECT {day} AS day, COUNT(*) AS n FROM (SELECT DISTINCT unit, done, v FROM deeds) AS one GROUP BY {day})",
            "SELECT whole.day, whole.n AS everything, whole.n - different.n AS again",
            "FROM whole JOIN different ON different.day = whole.day ORDER BY whole.day",
        ]
        yield f"repeated.{i}", "\n".join(parts)


def _facts(plan: Experiment, metrics: Mapping[str, Metric]) -> list[tuple[str, Fact]]:
    """Each set of rows of which it matters how often one is there, with the first metric that reads it."""
    found: dict[str, tuple[str, Fact]] = {}
    for metric in plan.metrics:
        for fact in (metrics[metric].fact, metrics[metric].denominator):
            if fact is not None and fact.aggregation != "any":
                rows = fact.model_copy(update={"aggregation": "count", "arrived": None})
                found.setdefault(rows.model_dump_json(), (metric, fact))
    return [*found.values()]


def loaded_twice(
    plan: Experiment, metrics: Mapping[str, Metric], tables: Mapping[str, Rows]
) -> dict[str, Second | None]:
    """The share of the worst day of each metric and table by its number's id; None for those of which nothing may be said.

    Args:
        plan: The experiment.
        metrics: Definitions.
        tables: Answers by the names of `repeated`; one that failed is left out.
    """
    worst: dict[str, dict[str, float]] = {}
    for i, (metric, fact) in enumerate(_facts(plan, metrics)):
        of = worst.setdefault(metric, {})
        for row in tables.get(f"repeated.{i}", ()):
            share = row["again"] / row["everything"]
            if row["everything"] >= FEWEST and share >= SHARE:
                of[fact.table] = max(share, of.get(fact.table, 0.0))
    found: dict[str, Second | None] = {}
    for metric, of in worst.items():
        if metric not in {facts[0] for facts in _unread(plan, metrics, tables)}:
            said = [Second(share) for _, share in sorted(of.items())]
            found |= {f"{metric}.repeated{end}": one for end, one in zip(("", "-2"), [*said, None, None], strict=False)}
    return found


def unlike_repeated(
    plan: Experiment,
    metrics: Mapping[str, Metric],
    first: Sequence[Mapping[Any, Any]],
    tables: Mapping[str, Rows],
) -> Iterator[tuple[str, str, float, float]]:
    """Days whose repeated rows the two computations do not count alike: id without the subject, label, first and second count.

    Args:
        plan: The experiment.
        metrics: Definitions.
        first: Rows of the frozen answer ``repeated``.
        tables: Second answers by the names of `repeated`; one that failed is left out.
    """
    sides: list[dict[tuple[str, str, str], Counter[str]]] = [{}, {}]
    for row in first:
        key = str(row["metric"]), str(row["table"]), str(row["day"])[:10]
        sides[0].setdefault(key, Counter()).update({"rows": int(row["rows"]), "again": int(row["again"])})
    for i, (metric, fact) in enumerate(_facts(plan, metrics)):
        for row in tables.get(f"repeated.{i}", ()):
            key = metric, fact.table, str(row["day"])[:10]
            sides[1].setdefault(key, Counter()).update({"rows": int(row["everything"]), "again": int(row["again"])})
    unread = _unread(plan, metrics, tables)
    for key in sorted(k for k in sides[0].keys() | sides[1].keys() if k[:2] not in unread):
        metric, of, day = key
        for what, label in (("rows", "rows"), ("again", "rows that repeat another")):
            one, other = (float(side.get(key, Counter())[what]) for side in sides)
            if one != other:
                yield f"repeated.{metric}.{day}.{what}", f"{of} on {day}, {label}", one, other


def _unread(plan: Experiment, metrics: Mapping[str, Metric], tables: Mapping[str, Rows]) -> set[tuple[str, str]]:
    """Metrics and tables whose query failed."""
    facts = enumerate(_facts(plan, metrics))
    return {(metric, fact.table) for i, (metric, fact) in facts if f"repeated.{i}" not in tables}
