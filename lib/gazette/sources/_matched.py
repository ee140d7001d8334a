"""Whether rows of a fact are of anybody who was assigned: a key that fits nobody gives every user 0, and says nothing."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, time
from typing import TYPE_CHECKING, Any

from gazette.sources._answer import column_of, flag
from gazette.sources._units import identifier, moment, same
from gazette.sources._values import form_of, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gazette.params import Experiment, Fact, Metric
    from gazette.sources._answer import Answer
    from gazette.sources._warehouse import Period, Warehouse

__all__ = ["THERE", "matched", "of_nobody", "without_ids"]

THERE = "__there"  # ends the column of units that have a row; no id of a metric gives two underscores


def matched(
    warehouse: Warehouse,
    joined: Any,
    units: Any,
    experiment: Experiment,
    metrics: dict[str, Metric],
    end: datetime,
    period: Period,
) -> Iterator[tuple[str, Any]]:
    """The query ``matched`` (users of each arm that have a row of a fact), and ``unmatched`` of the facts that nobody has a row of.

    Args:
        warehouse: An open warehouse.
        joined: A row per unit, with whether it has a row of each fact.
        units: Units in an arm.
        experiment: The test.
        metrics: Its metrics.
        end: The first moment that no longer counts.
        period: The edition's week.
    """
    facts = [*_facts(metrics)]
    if not facts:
        return
    sums = {f"{column}{THERE}": joined[f"{column}{THERE}"].sum() for *_, column, _ in facts}
    found = joined.group_by("variant").aggregate(n=joined.count(), **sums)
    import ibis  # noqa: PLC0415

    parts = [
        found.select(
            "variant", "n", units=found[f"{c}{THERE}"].cast("int64"), metric=ibis.literal(m), part=ibis.literal(p)
        )
        for m, p, c, _ in facts
    ]
    yield "matched", _union(parts).order_by("metric", "part", "variant")
    counted = warehouse.ask("matched", joined.aggregate(n=joined.count(), **sums), file="params").table.to_pylist()[0]
    lost = [
        _strangers(warehouse, fact, units, experiment, end, period, f"params/metrics.yml ({m})").mutate(
            metric=ibis.literal(m), part=ibis.literal(p), table=ibis.literal(fact.table), column=ibis.literal(fact.unit)
        )
        for m, p, c, fact in facts
        if counted["n"] and not counted[f"{c}{THERE}"]
    ]
    if lost:
        yield "unmatched", _union(lost).order_by("metric", "part")


def _facts(metrics: dict[str, Metric]) -> Iterator[tuple[str, str, str, Fact]]:
    """Metric, part of it, column of units, and the fact that it is of."""
    for name, metric in metrics.items():
        for part, end, fact in (("value", "", metric.fact), ("denominator", "_den", metric.denominator)):
            if fact is not None:
                yield name, part, f"{column_of(name)}{end}", fact


def _union(parts: list[Any]) -> Any:
    import ibis  # noqa: PLC0415

    return ibis.union(*parts) if len(parts) > 1 else parts[0]


def _strangers(
    warehouse: Warehouse, fact: Fact, units: Any, experiment: Experiment, end: datetime, period: Period, file: str
) -> Any:
    """One row: rows of the fact in the test's days, those of them that are of a unit, and an identifier of each side as text."""
    import ibis  # noqa: PLC0415

    table = warehouse.table(fact.table, {"unit": fact.unit, "time": fact.time}, file=file)
    at = moment(table, fact.time, name=fact.table, file=file)
    conditions = [at >= datetime.combine(experiment.start, time()), at < end]
    conditions += [table[w.column] == w.equals for w in fact.where]
    if fact.arrived:
        conditions.append(moment(table, fact.arrived, name=fact.table, file=file) < period.cutoff)
    rows = table.filter(*conditions)
    rows = rows.select(event_unit=identifier(warehouse, rows, fact.unit, name=fact.table, file=file))
    own = units.select("unit_id")
    both = rows.left_join(own, same(rows.event_unit, own.unit_id))
    kinds = {
        name: ibis.literal(str(of.type().copy(nullable=True)))
        for name, of in (("kind", rows.event_unit), ("own_kind", units.unit_id))
    }
    found = both.aggregate(
        rows=both.count(), known=flag(both.unit_id.notnull()).sum().fill_null(0), such=text_of(both.event_unit).min()
    )
    return found.mutate(own_such=text_of(units.unit_id).min().as_scalar(), **kinds)


def of_nobody(row: Mapping[str, Any]) -> str:
    """Why rows of a fact are of nobody, with an identifier of each side; empty where there are none, or some are of users.

    Args:
        row: Of the answer ``unmatched``.
    """
    if not int(row["rows"] or 0) or int(row["known"] or 0):
        return ""
    theirs, ours = str(row["such"]), str(row["own_such"])
    cause = str(row["cause"]) if "cause" in row else _cause(theirs, ours)  # editions of earlier code kept an identifier
    what = f"none of {int(row['rows']):,} rows of {row['table']} is of a user of the test: {row['column']} is {theirs!r} there, and unit_id is {ours!r}"
    kinds = f"{row['kind']} and {row['own_kind']}"
    return f"{what} ({cause or ('types: ' + kinds if row['kind'] != row['own_kind'] else 'other identifiers')})"


def without_ids(answer: Answer) -> Answer:
    """The answer ``unmatched`` with the form of an identifier of each side, and what makes them unlike, in the place of anybody's own."""
    import pyarrow as pa  # noqa: PLC0415  slow to import

    rows = []
    for row in answer.table.to_pylist():
        one, other = str(row["such"]), str(row["own_such"])
        rows.append({**row, "such": form_of(one), "own_such": form_of(other), "cause": _cause(one, other)})
    return replace(
        answer, table=pa.Table.from_pylist(rows, schema=answer.table.schema.append(pa.field("cause", pa.string())))
    )


def _cause(one: str, other: str) -> str:
    """What makes two identifiers unlike at first sight: padding, a prefix, capitals, a decimal point."""
    short, long = sorted((re.sub(r"[a-z]+", "a", re.sub(r"[0-9]+", "0", t.lower())) for t in (one, other)), key=len)
    padded = [t.startswith("0") and len(t) > 1 for t in (one, other)]
    if one.strip() != one or other.strip() != other:
        return "blanks around one of them"
    if short == long == "0" and padded[0] != padded[1]:
        return "noughts in front of one of them"
    if (short, long) == ("0", "0.0"):
        return "one is written with a decimal point"
    if short == long and one != other and (one.islower(), one.isupper()) != (other.islower(), other.isupper()):
        return "capitals"
    if short != long and long.endswith(short) and "0" not in long.removesuffix(short):
        return "a prefix of one of them"
    return ""
