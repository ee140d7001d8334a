"""Whether rows of a fact were loaded twice: rows of one user, time and value that there are more of than one, on each day of the week."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gazette.sources._units import by_day, events

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from gazette.params import Fact, Metric
    from gazette.sources._warehouse import Period, Warehouse

__all__ = ["REPEATED", "repeated", "worst_day"]

REPEATED = 0.2  # of a day's rows, from which it is said: a day loaded twice has half, what people do twice in a second is far below
FEWEST = 20  # rows of a day that is judged


def repeated(
    warehouse: Warehouse, units: Any, metrics: Mapping[str, Metric], end: datetime, period: Period
) -> Iterator[tuple[str, Any]]:
    """The query ``repeated``: of each fact that is summed or counted, rows of the week and those that repeat another, by day.

    A row repeats another that has its user, time and value, whenever each arrived. Facts that have days and no times are not asked: two
    rows of a day may well be alike there. Nor is whether a user has any row, which a second one does not change.

    Args:
        warehouse: An open warehouse.
        units: Units in an arm.
        metrics: The test's metrics.
        end: The first moment that no longer counts.
        period: The edition's week, whose rows alone are read: earlier ones were looked at in their week.
    """
    import ibis  # noqa: PLC0415

    parts = []
    for name, fact in _facts(metrics):
        file = f"params/metrics.yml ({name})"
        if by_day(warehouse, fact, end, file=file):
            continue
        rows = events(warehouse, fact, units, end, period, file=file)
        rows = rows.filter(rows.counts == 1, rows.happened >= period.start)
        alike = rows.group_by("unit_id", "happened", "value").aggregate(n=rows.count())
        alike = alike.mutate(day=alike.happened.date())
        found = alike.group_by("day").aggregate(rows=alike.n.sum(), again=(alike.n - 1).sum())
        parts.append(found.mutate(metric=ibis.literal(name), table=ibis.literal(fact.table)))
    if parts:
        both = ibis.union(*parts) if len(parts) > 1 else parts[0]
        yield "repeated", both.order_by("metric", "day")


def _facts(metrics: Mapping[str, Metric]) -> Iterator[tuple[str, Fact]]:
    """Every fact once, with the first metric that reads it."""
    seen = set()
    for name, metric in metrics.items():
        for fact in (metric.fact, metric.denominator):
            if fact is None or fact.aggregation == "any":
                continue
            key = (fact.table, fact.unit, fact.time, fact.value, tuple((w.column, w.equals) for w in fact.where))
            if key not in seen:
                seen.add(key)
                yield name, fact


def worst_day(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Of each metric and table, in their order, the day on which most rows repeat another, where that is a fifth of them or more.

    Args:
        rows: Of the answer ``repeated``.
    """
    judged = [r for r in rows if int(r["rows"]) >= FEWEST and int(r["again"]) >= REPEATED * int(r["rows"])]
    judged.sort(key=lambda r: int(r["again"]) / int(r["rows"]))
    worst = {(str(r["metric"]), str(r["table"])): r for r in judged}
    return [
        worst[key] for key in sorted(worst)
    ]  # an order that does not change from week to week, as ids of numbers do not
