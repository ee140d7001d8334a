"""What pages of metrics need beside records: bridges between definitions, and what earlier editions published."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gazette.errors import ParamsError, SourceError
from gazette.params import changes
from gazette.record import SUBJECTS, NotPublished, headline_numbers
from gazette.sources import Answer, bridge_answer, column_of

if TYPE_CHECKING:
    from gazette.build._project import Project
    from gazette.editions import Week
    from gazette.record import Number, Record
    from gazette.sources import Period, Warehouse

__all__ = ["METRICS", "metric_answers", "refuse_changes"]

METRICS = "metrics"
EDITIONS = 12  # shown on a metric's page, this one included


def refuse_changes(project: Project, week: Week) -> None:
    """Refuse definitions that differ from those of the edition before without an entry in their changelog.

    Raises:
        ParamsError: Every change that is not told, with metric, key, old and new value.
    """
    before = project.store.before(week)
    if before is None:
        return
    found = changes(project.root / "params", project.store.open(before).within("params") / "params", str(before))
    if found:
        listing = "\n".join(map(str, found))
        one = len(found) == 1
        raise ParamsError(f"{len(found)} change{'' if one else 's'} of definitions without an entry\n{listing}")


def metric_answers(project: Project, week: Week, warehouse: Warehouse, period: Period) -> list[Answer]:
    """Both definitions of every change that says what was before it, and numbers of earlier editions; a bridge whose tables are gone is named."""
    import pyarrow as pa  # noqa: PLC0415  slow to import, needed only here

    found, unread = [], []
    for name, metric in project.params.metrics.items():
        for i, entry in enumerate(metric.changelog):
            if entry.before is None or metric.fact is None:
                continue
            after = next((e.before for e in metric.changelog[i + 1 :] if e.before is not None), metric)
            query = f"bridge_{column_of(name)}_v{entry.version}"
            file = f"params/metrics.yml ({name}, version {entry.version})"
            try:
                found.append(bridge_answer(warehouse, query, entry.before, after, period, file=file))
            except SourceError as error:
                unread.append({"what": query, "reason": error.what})
    schema = pa.schema([("what", pa.string()), ("reason", pa.string())])
    found.append(
        Answer("unread", "Bridges that could not be computed, and why.\n", pa.Table.from_pylist(unread, schema))
    )
    return [*found, _history(project, week)]


def _history(project: Project, week: Week) -> Answer:
    """Numbers of the editions before this one, as their sealed records have them."""
    import pyarrow as pa  # noqa: PLC0415

    rows: list[dict[str, Any]] = []
    earlier = [w for w in project.store.weeks() if w < week][-(EDITIONS - 1) :]
    for one in earlier:
        for record in project.store.open(one).records():
            if record.kind in SUBJECTS:
                chosen = [n for metric in project.params.metrics for n in headline_numbers(record, metric)]
                rows += [_row(str(one), record, number) for number in chosen]
    text, real, whole = pa.string(), pa.float64(), pa.int64()
    schema = pa.schema(
        [
            *((k, text) for k in ("edition", "subject", "kind", "title", "metric")),
            ("metric_version", whole),
            *((k, text) for k in ("id", "label", "unit")),
            ("value", real),
            ("reason", text),
            *((k, real) for k in ("low", "high", "level")),
            ("method", text),
            ("n", whole),
            *((k, text) for k in ("direction", "cell", "query", "snapshot")),
            ("as_of", pa.timestamp("us")),
            ("note", text),
        ]
    )
    names = ", ".join(map(str, earlier)) or "none"
    return Answer(
        "history", f"Numbers in the records of earlier editions: {names}.\n", pa.Table.from_pylist(rows, schema)
    )


def _row(edition: str, record: Record, number: Number) -> dict[str, Any]:
    content = number.model_dump(exclude={"value", "interval"})
    value, interval = number.value, number.interval
    missing = isinstance(value, NotPublished)
    return {
        "edition": edition,
        "subject": record.subject,
        "kind": record.kind,
        "title": record.title,
        **content,
        "value": None if isinstance(value, NotPublished) else value,
        "reason": value.reason if isinstance(value, NotPublished) else None,
        "low": interval.low if interval and not missing else None,
        "high": interval.high if interval and not missing else None,
        "level": interval.level if interval and not missing else None,
        "method": interval.method if interval and not missing else None,
    }
