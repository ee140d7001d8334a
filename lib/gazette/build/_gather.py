"""What a model's page and the operations page need beside one room's queries: registry, importance, earlier editions."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from gazette import conclusions
from gazette.errors import SourceError
from gazette.sources import (
    Answer,
    empty_history,
    empty_telemetry,
    importance_rows,
    model_answers,
    past_tests,
    read_importance,
    read_prometheus,
    read_registry,
    tables,
    told_answer,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gazette.build._project import Project
    from gazette.editions import Week
    from gazette.params import Model, Operations, ReconciliationsFile
    from gazette.sources import Period, Warehouse

__all__ = [
    "HISTORY",
    "OPERATIONS",
    "PORTFOLIO",
    "RECONCILIATION",
    "history_answers",
    "model_answers_of",
    "operations_answers",
    "portfolio_answers",
    "reconciliation_answers",
    "versions_of",
]

HISTORY = "history"
OPERATIONS = "operations"
PORTFOLIO = "portfolio"
RECONCILIATION = "reconciliation"


def versions_of(rows: Iterable[Mapping[Any, Any]]) -> dict[str, str]:
    """Role to version, from rows of the registry's answer."""
    return {str(row["role"]): str(row["version"]) for row in rows}


def model_answers_of(project: Project, week: Week, warehouse: Warehouse, model: Model, period: Period) -> list[Answer]:
    """All that a model's page needs; what is there only to explain the model may fail, and the page says so."""
    import pyarrow as pa  # noqa: PLC0415  slow to import, needed only here

    uri = project.params.site.mlflow
    assert uri is not None  # noqa: S101  the parameter check has seen to it
    registry, every = read_registry(uri, model, project=project.root)
    rows = {row["role"]: row for row in registry.table.to_pylist()}
    versions = versions_of(rows.values())
    versions.setdefault("live", "")  # no version behind the alias: the page says so
    found = [registry, every, *model_answers(warehouse, model, period, versions)]
    unread = []
    if model.features is not None and model.labels is not None:
        numbers = {role: row["registered"] for role, row in rows.items()}
        try:
            sample = importance_rows(warehouse, model, period, versions).table
            found.append(read_importance(uri, model, sample, numbers, project=project.root))
        except SourceError as error:
            unread.append({"what": "importance", "reason": error.what})
    schema = pa.schema([("what", pa.string()), ("reason", pa.string())])
    found.append(Answer("unread", "Sources that could not be read, and why.\n", pa.Table.from_pylist(unread, schema)))
    return [*found, *_before(project, week, model.id)]


def _before(project: Project, week: Week, subject: str) -> list[Answer]:
    """What earlier editions said: which version was live, and the columns of the tables when they were last frozen."""
    import pyarrow as pa  # noqa: PLC0415  slow to import, needed only here

    rows: list[dict[str, str]] = []
    columns = None
    for earlier in reversed([w for w in project.store.weeks() if w < week]):
        sealed = project.store.open(earlier)
        frozen, record = sealed.snapshot(subject), sealed.record(subject)
        if columns is None and frozen is not None and frozen.has("schema"):
            columns = (str(earlier), frozen.table("schema"))
        if record is not None:
            facts = record.facts
            rows.append({"edition": str(earlier), **{k: facts.get(k, "") for k in ("live", "baseline", "run_id")}})
        if frozen is not None and frozen.has("live_before"):  # it knew all of those before it
            known = frozen.table("live_before").to_dict("records")
            rows += [{str(k): str(v) for k, v in row.items()} for row in reversed(known)]
            break
    rows.reverse()
    names = pa.schema([(k, pa.string()) for k in ("edition", "live", "baseline", "run_id")])
    found = [
        Answer("live_before", "The live version in earlier editions' records.\n", pa.Table.from_pylist(rows, names))
    ]
    if columns:
        asked = f"Columns and types as edition {columns[0]} froze them.\n"
        found.append(Answer("schema_before", asked, pa.Table.from_pandas(columns[1], preserve_index=False)))
    return found


def operations_answers(
    project: Project, week: Week, warehouse: Warehouse, operations: Operations, period: Period
) -> list[Answer]:
    """All that the operations page needs; a source that fails is named there, and stops no edition."""
    import pyarrow as pa  # noqa: PLC0415  slow to import, needed only here

    found, unread = [], []
    asked = [*tables(warehouse, operations, period)]
    if operations.prometheus:
        own = {str(k): v for k, v in project.params.alerts.promql.items()}
        asked.append(("telemetry", lambda: read_prometheus(operations, period, own, project=project.root)))
    for name, ask in asked:
        try:
            found.append(ask())
        except SourceError as error:
            unread.append({"what": name, "reason": error.what})
    if not any(a.name == "telemetry" for a in found):
        found.append(Answer("telemetry", "No telemetry could be read.\n", empty_telemetry()))
    schema = pa.schema([("what", pa.string()), ("reason", pa.string())])
    found.append(Answer("unread", "Sources that could not be read, and why.\n", pa.Table.from_pylist(unread, schema)))
    return [*found, _alerts_before(project, week)]


def _alerts_before(project: Project, week: Week) -> Answer:
    """States of the edition before, so that one that still fires is said to fire since then."""
    import pyarrow as pa  # noqa: PLC0415  slow to import, needed only here

    rows: list[dict[str, object]] = []
    source = "no earlier edition has a record of operations"
    for earlier in reversed([w for w in project.store.weeks() if w < week]):
        record = project.store.open(earlier).record(OPERATIONS)
        if record is not None:
            rows = [{"id": a.id, "subject": a.subject, "state": a.state, "since": a.since} for a in record.alerts]
            source = f"records/{OPERATIONS}.json of edition {earlier}"
            break
    schema = pa.schema([*((k, pa.string()) for k in ("id", "subject", "state")), ("since", pa.timestamp("us"))])
    return Answer("alerts_before", f"States of alerts: {source}.\n", pa.Table.from_pylist(rows, schema=schema))


def history_answers(warehouse: Warehouse, table: str, period: Period) -> list[Answer]:
    """Past tests as they were known at the cut-off; a table that cannot be read is named on the pages, and stops no edition."""
    import pyarrow as pa  # noqa: PLC0415  slow to import, needed only here

    unread = []
    try:
        found = past_tests(warehouse, table, period)
    except SourceError as error:
        unread.append({"what": table, "reason": error.what})
        found = Answer("past_tests", "The table of past tests could not be read.\n", empty_history())
    schema = pa.schema([("what", pa.string()), ("reason", pa.string())])
    return [found, Answer("unread", "Sources that could not be read, and why.\n", pa.Table.from_pylist(unread, schema))]


def reconciliation_answers(warehouse: Warehouse, plan: ReconciliationsFile, period: Period) -> list[Answer]:
    """What every system says of every figure; one that cannot be read is named on the page and on the summary, and stops no edition."""
    import pyarrow as pa  # noqa: PLC0415  slow to import, needed only here

    found, unread = [], []
    for figure in plan.reconciliations:
        for source in figure.sources:
            name = f"{figure.id}--{source.id}"
            try:
                found.append(told_answer(warehouse, name, source, period))
            except SourceError as error:
                unread.append({"what": name, "reason": error.what})
    schema = pa.schema([("what", pa.string()), ("reason", pa.string())])
    return [
        *found,
        Answer("unread", "Sources that could not be read, and why.\n", pa.Table.from_pylist(unread, schema)),
    ]


def portfolio_answers(project: Project, week: Week, present: set[str]) -> list[Answer]:
    """Experiments that are in no page of this edition any more, as the newest record of each says.

    Args:
        project: The project, with its earlier editions.
        week: Of this edition.
        present: Ids of this edition's own subjects.
    """
    import pyarrow as pa  # noqa: PLC0415  slow to import, needed only here

    known: dict[str, dict[str, object]] = {}
    for earlier in reversed([w for w in project.store.weeks() if w < week]):
        sealed = project.store.open(earlier)
        for record in sealed.records():
            if record.subject not in known and (found := conclusions.tested(record)):
                known[record.subject] = asdict(found)
        frozen = sealed.snapshot(PORTFOLIO)
        if frozen is not None and frozen.has("known"):  # it knew all of those before it
            kept = frozen.table("known").astype(object)
            for row in kept.where(kept.notna(), None).to_dict("records"):
                known.setdefault(str(row["test"]), {str(k): v for k, v in row.items()})
            break
    texts = ("test", "title", "edition", "state", "action", "metric", "number")
    schema = pa.schema(
        [*((c, pa.string()) for c in texts), *((c, pa.float64()) for c in ("effect", "low", "high", "level"))]
    )
    rows = [known[test] for test in sorted(known)]
    gone = [row for row in rows if row["test"] not in present]
    return [
        Answer(
            "earlier",
            "The newest record of each experiment of an earlier edition that this one has not.\n",
            pa.Table.from_pylist(gone, schema),
        ),
        Answer(
            "known",
            "The newest record of each experiment of an earlier edition: what the next edition starts from.\n",
            pa.Table.from_pylist(rows, schema),
        ),
    ]
