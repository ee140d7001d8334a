"""Who was assigned to what, and what each of them did: identifiers, spellings and times as people's tables have them."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from gazette.errors import SourceError
from gazette.sources._answer import flag, real
from gazette.sources._values import comparable, number, text_of

if TYPE_CHECKING:
    from gazette.params import Experiment, Fact
    from gazette.sources._warehouse import Period, Warehouse

__all__ = [
    "accounted",
    "assigned",
    "broken_value",
    "by_day",
    "end_of",
    "events",
    "grown",
    "identifier",
    "label",
    "moment",
    "once",
    "phase",
    "same",
    "total",
    "triggered",
]

WHOLE = {4: 2**24, 8: 2**53}  # bytes of a real number to the first whole number whose neighbour it cannot tell from it
NO_VARIANT, NO_ID, NO_TIME = "no variant", "no id", "no time"  # as pages name them, and as the file excludes them


def end_of(experiment: Experiment, period: Period) -> datetime:
    """The first moment that no longer counts."""
    return min(datetime.combine(experiment.end, time()) + timedelta(days=1), period.end)


# ---- columns


def identifier(warehouse: Warehouse, table: Any, column: str, *, name: str, file: str) -> Any:
    """A column of identifiers: text, or whole numbers.

    Raises:
        SourceError: It holds real numbers that are not whole, or so large that different ids have become the same.
    """
    import ibis  # noqa: PLC0415

    values = table[column]
    if not values.type().is_floating():
        return values
    limit = WHOLE[values.type().nbytes]
    wrong = table.filter(~values.isnan(), (values.abs() >= limit) | (values != values.floor()))
    found = warehouse.ask("ids", wrong.aggregate(n=wrong.count()), file=file).table.to_pylist()[0]
    if found["n"]:
        raise SourceError(
            f"column {column!r} of table {name!r} holds ids as real numbers ({values.type()}), of which {found['n']:,} are not whole "
            "or too large to be told from their neighbours",
            where=file,
            mend="load the ids as text or as whole numbers, from where they were made: what the table lost cannot be had from it",
        )
    return ibis.ifelse(values.isnan(), ibis.null("int64"), values.cast("int64"))


def same(left: Any, right: Any) -> Any:
    """Whether two identifiers are the same: as text, where one is text and the other a number."""
    one, other = comparable(left, right)
    return one == other


def moment(table: Any, column: str, *, name: str, file: str) -> Any:
    """A column of times; a day is its first moment.

    Raises:
        SourceError: It holds something else.
    """
    values = table[column]
    kind = values.type()
    if kind.is_timestamp():
        return values
    if kind.is_date():
        return values.cast("timestamp")
    raise SourceError(
        f"column {column!r} of table {name!r} holds {kind}, not times",
        where=file,
        mend="make it a time or a day, in a view",
    )


def label(variant: Any, experiment: Experiment) -> Any:
    """The variant's id for each of its spellings; any other text as it is, nothing as ``no variant``."""
    import ibis  # noqa: PLC0415

    text = text_of(variant)
    spelt = [(text == alias, v.id) for v in experiment.variants for alias in v.aliases]
    return (ibis.cases(*spelt, else_=text) if spelt else text).nullif("").fill_null(NO_VARIANT)


# ---- units


def assigned(warehouse: Warehouse, experiment: Experiment, period: Period, *, file: str) -> Any:
    """A row per identifier (and one for all rows without): variant, how many different ones, rows, first moment.

    A row without a variant says nothing against the variant of another: it is one of ``gaps``, and its moment does not count.
    """
    import ibis  # noqa: PLC0415

    columns = {c: c for c in ("experiment", "unit_id", "variant", "assigned_at")}
    name = experiment.assignments
    table = warehouse.table(name, columns, file=file)
    at = moment(table, "assigned_at", name=name, file=file)
    start = datetime.combine(experiment.start, time())
    inside = (at >= start) & (at < end_of(experiment, period))
    rows = table.filter(table.experiment == experiment.id, inside | at.isnull())
    mine = rows.select(
        unit_id=identifier(warehouse, rows, "unit_id", name=name, file=file),
        variant=label(rows.variant, experiment),
        assigned_at=moment(rows, "assigned_at", name=name, file=file),
    )
    mine = mine.mutate(arm=mine.variant.nullif(NO_VARIANT))
    mine = mine.mutate(seen=ibis.cases((mine.arm.notnull(), mine.assigned_at)))
    found = mine.group_by("unit_id").aggregate(
        variant=mine.arm.min().fill_null(NO_VARIANT),
        arms=ibis.greatest(mine.arm.nunique(), 1),
        named=mine.arm.count(),
        first=mine.assigned_at.min(),
        seen=mine.seen.min(),
        rows=mine.count(),
    )
    told = found.unit_id.notnull() & (found.named > 0)
    return found.select(
        "unit_id",
        "variant",
        "arms",
        "rows",
        assigned_at=ibis.ifelse(found.named > 0, found.seen, found["first"]),
        gaps=ibis.ifelse(told, found["rows"] - found.named, 0),
    )


def once(units: Any, experiment: Experiment) -> Any:
    """Units that were in one arm, which the file knows."""
    ids = [v.id for v in experiment.variants]
    kept = units.filter(units.unit_id.notnull(), units.arms == 1, units.assigned_at.notnull(), units.variant.isin(ids))
    return kept.select("unit_id", "variant", "assigned_at")


def triggered(warehouse: Warehouse, units: Any, experiment: Experiment, end: datetime, period: Period) -> Any:
    """Units that met the change after their assignment, as assigned at the first moment at which they did.

    What a unit did before is the same in all arms, and only adds noise (Deng & Hu 2015). Where the rows have days alone, the day of
    assignment counts, and a unit is triggered no sooner than it was assigned.
    """
    import ibis  # noqa: PLC0415

    assert experiment.triggered is not None  # noqa: S101  asked by the caller
    fact, file = experiment.triggered.fact, f"params/experiments/{experiment.id}.yml (triggered)"
    rows = events(warehouse, fact, units, end, period, file=file)
    rows = rows.filter(rows.counts == 1)
    first = rows.group_by("unit_id", "variant").aggregate(met=rows.happened.min(), since=rows.assigned_at.min())
    return first.select("unit_id", "variant", assigned_at=ibis.greatest(first.met, first.since))


def grown(units: Any, experiment: Experiment, end: datetime) -> Any:
    """Whether the days for which a unit counts are over: 1 or 0."""
    return flag(units.assigned_at <= end - timedelta(days=experiment.window_days or 0))


def phase(units: Any, experiment: Experiment) -> Any:
    """Which stretch of one allocation each unit was assigned in, from 0."""
    import ibis  # noqa: PLC0415

    starts = [datetime.combine(first, time()) for first, _ in experiment.phases()]
    later = [(units.assigned_at >= start, i) for i, start in enumerate(starts) if i]
    return ibis.cases(*reversed(later), else_=0)


def accounted(units: Any, experiment: Experiment) -> Any:
    """Where every identifier went, in rows of kind, label and counts; together they are all rows of the test's time.

    One that has rows with a variant and rows without is told of twice: where it went, and as one without for these rows.
    """
    import ibis  # noqa: PLC0415

    known = units.variant.isin([v.id for v in experiment.variants])
    told = ibis.cases(
        (units.unit_id.isnull(), NO_ID),
        (units.assigned_at.isnull(), NO_TIME),
        (units.arms > 1, "several variants"),
        else_=units.variant,
    )
    kind = ibis.cases(
        (units.unit_id.notnull() & units.assigned_at.notnull() & (units.arms > 1), "several"),
        (units.unit_id.notnull() & units.assigned_at.notnull() & known, "assigned"),
        else_="unknown",
    )
    if experiment.exclude:
        kind = ibis.ifelse((kind == "unknown") & told.isin(experiment.exclude), "excluded", kind)
    rows = units["rows"] - units.gaps
    went = units.select(kind=kind, label=told, units=flag(units.unit_id.notnull()), rows=rows, repeated=flag(rows > 1))
    lost = units.filter(units.gaps > 0)
    state = "excluded" if NO_VARIANT in experiment.exclude else "unknown"
    gaps = lost.select(
        kind=ibis.literal(state),
        label=ibis.literal(NO_VARIANT),
        units=flag(lost.gaps > 0),
        rows=lost.gaps,
        repeated=flag(lost.gaps < 0),
    )
    both = ibis.union(went, gaps)
    found = both.group_by("kind", "label").aggregate(
        units=both.units.sum(), rows=both["rows"].sum(), repeated=both.repeated.sum()
    )
    return found.order_by("kind", "label")


# ---- what they did


def by_day(warehouse: Warehouse, fact: Fact, end: datetime, *, file: str) -> bool:
    """Whether the fact has days and no times: a column of days, or of times that up to the end are all midnight."""
    table = warehouse.table(fact.table, {"time": fact.time}, file=file)
    if table[fact.time].type().is_date():
        return True

    def stamped() -> bool:
        at = moment(table, fact.time, name=fact.table, file=file)
        rows = table.filter(at < end)
        timed = flag(at != at.truncate("D")).sum()
        found = warehouse.ask("days", rows.aggregate(n=rows.count(), timed=timed), file=file).table.to_pylist()[0]
        return bool(found["n"]) and not found["timed"]

    return warehouse.found(("days", fact.table, fact.time, end), stamped)


def broken_value(column: Any, value: Any) -> Any:
    """1 where something stands in a column that :func:`number` could not make a value of: NaN or infinity."""
    import ibis  # noqa: PLC0415

    kind = column.type()
    if kind.is_string():
        column = column.strip().nullif("")
    elif not kind.is_floating():
        return ibis.literal(0)
    return flag(column.notnull() & value.isnull())


def events(
    warehouse: Warehouse,
    fact: Fact,
    units: Any,
    end: datetime,
    period: Period,
    *,
    file: str,
    window_days: int | None = None,
) -> Any:
    """Rows of the fact that count: of these units, after their assignment, before the end, arrived by the cut-off.

    Those dated by day count from the day of assignment. ``broken`` is 1 where the value was NaN or infinite, ``absent``
    where there was none. A row without a time or an arrival is there to be told of: ``untimed`` or ``unarrived`` is 1,
    ``counts`` 0, and it has no value. ``there`` is 1 where a row has something to count. With ``window_days`` a row is ``inside``
    where it came before so many days were over; of those dated by day the day of assignment is the first.
    """
    import ibis  # noqa: PLC0415

    wanted = {"unit": fact.unit, "time": fact.time} | {f"where {w.column}": w.column for w in fact.where}
    wanted |= {"arrived": fact.arrived} if fact.arrived else {}
    wanted |= {"value": fact.value} if fact.value else {}
    table = warehouse.table(fact.table, wanted, file=file)
    at = moment(table, fact.time, name=fact.table, file=file)
    conditions = [(at < end) | at.isnull(), *(table[w.column] == w.equals for w in fact.where)]
    if fact.arrived:
        arrived = moment(table, fact.arrived, name=fact.table, file=file)
        conditions.append((arrived < period.cutoff) | arrived.isnull())
    rows = table.filter(*conditions)
    whole = rows[fact.time].notnull() & rows[fact.arrived].notnull() if fact.arrived else rows[fact.time].notnull()
    value: Any = number(rows[fact.value]) if fact.value else real(1)
    broken: Any = broken_value(rows[fact.value], value) if fact.value else ibis.literal(0)
    kept = rows.select(
        event_unit=identifier(warehouse, rows, fact.unit, name=fact.table, file=file),
        happened=moment(rows, fact.time, name=fact.table, file=file),
        value=ibis.cases((whole, value)),
        broken=broken * flag(whole) if fact.value else broken,
        absent=(flag(value.isnull()) - broken) * flag(whole) if fact.value else ibis.literal(0),
        untimed=flag(rows[fact.time].isnull()),
        unarrived=flag(rows[fact.arrived].isnull()) if fact.arrived else ibis.literal(0),
        counts=flag(whole),
        there=flag(whole & value.notnull()) if fact.value else flag(whole),
    )
    since = units.assigned_at.truncate("D") if by_day(warehouse, fact, end, file=file) else units.assigned_at
    later = (kept.happened >= since) | kept.happened.isnull()
    found = kept.inner_join(units, [same(kept.event_unit, units.unit_id), later])
    if window_days is None:
        return found
    begun = found.assigned_at.truncate("D") if by_day(warehouse, fact, end, file=file) else found.assigned_at
    inside = found.happened < begun + ibis.interval(days=window_days)
    return found.mutate(inside=flag(inside | found.happened.isnull()))


def total(rows: Any, fact: Fact) -> Any:
    """What the rows come to: at least one, how many, or the sum of those that have a value."""
    if fact.aggregation == "any":
        return rows.value.max()
    return rows.value.sum().fill_null(0.0) if fact.aggregation == "sum" else rows.value.sum()
