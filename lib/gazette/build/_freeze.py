"""From the warehouse and the registry to frozen snapshots."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from gazette.errors import EditionError, SourceError
from gazette.params import Model
from gazette.record import Record, TakenLook
from gazette.snapshot import freeze, reopen
from gazette.sources import (
    Answer,
    Period,
    Warehouse,
    experiment_answers,
    importance_rows,
    model_answers,
    read_importance,
    read_registry,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gazette.build._project import Project
    from gazette.editions import Week
    from gazette.params import Experiment
    from gazette.snapshot import Snapshot

__all__ = ["freeze_all", "period_of"]


def period_of(project: Project, week: Week) -> Period:
    """The edition's clock for queries."""
    site = project.params.site
    cutoff = week.cutoff(site.cutoff_hours)
    return Period(week.cutoff() - timedelta(days=7), cutoff, site.history_weeks)


def freeze_all(
    project: Project, week: Week, subjects: list[Model | Experiment], directory: Path, say: Callable[[str], None]
) -> dict[str, Snapshot]:
    """Ask every source and freeze the answers, one snapshot a subject.

    Raises:
        SourceError: Sources that failed; all of them are named.
        EditionError: There is no data of this week.
    """
    period = period_of(project, week)
    answers: dict[str, list[Answer]] = {}
    problems: list[SourceError] = []
    with Warehouse(project.params.site.warehouse, project=project.root) as warehouse:
        for subject in subjects:
            say(subject.title)
            try:
                if isinstance(subject, Model):
                    answers[subject.id] = _model(project, week, warehouse, subject, period)
                else:
                    answers[subject.id] = [
                        *experiment_answers(warehouse, subject, project.params.metrics, period),
                        _looks(project, week, subject.id),
                    ]
            except SourceError as error:
                problems.append(error)
    if len(problems) == 1:
        raise problems[0]
    if problems:
        listing = "\n".join(str(p) for p in problems)
        raise SourceError(
            f"{len(problems)} subjects have no data\n{listing}",
            mend="nothing was built; mend all of them, then build again",
        )
    _refuse_empty(week, subjects, answers)
    return {name: freeze(name, found, directory / name) for name, found in answers.items()}


def _model(project: Project, week: Week, warehouse: Warehouse, model: Model, period: Period) -> list[Answer]:
    """All that a model's page needs; what is there only to explain the model may fail, and the page says so."""
    import pyarrow as pa  # noqa: PLC0415  slow to import, needed only here

    uri = project.params.site.mlflow
    registry, every = read_registry(uri, model, project=project.root)
    rows = {row["role"]: row for row in registry.table.to_pylist()}
    versions = {role: row["version"] for role, row in rows.items()}
    versions.setdefault("live", "")  # no version behind the alias: the page says so
    found = [registry, every, *model_answers(warehouse, model, period, versions)]
    unread = []
    if model.features is not None and model.labels is not None:
        numbers = {role: row["registered"] for role, row in rows.items()}
        try:
            sample = importance_rows(warehouse, model, period).table
            found.append(read_importance(uri, model, sample, numbers, project=project.root))
        except SourceError as error:
            unread.append({"what": "importance", "reason": error.what})
    schema = pa.schema([("what", pa.string()), ("reason", pa.string())])
    found.append(Answer("unread", "Sources that could not be read, and why.\n", pa.Table.from_pylist(unread, schema)))
    return [*found, *_before(project, week, model.id)]


def _before(project: Project, week: Week, subject: str) -> list[Answer]:
    """What earlier editions said: which version was live, and the columns of the tables when they were last frozen."""
    import pyarrow as pa  # noqa: PLC0415  slow to import, needed only here

    rows, columns = [], None
    for earlier in [w for w in project.store.weeks() if w < week]:
        path = project.store.path(earlier)
        record = path / "records" / f"{subject}.json"
        if record.is_file():
            facts = Record.from_json(record.read_bytes()).facts
            rows.append({"edition": str(earlier), **{k: facts.get(k, "") for k in ("live", "baseline", "run_id")}})
        frozen = path / "snapshot" / subject
        if (frozen / "schema.parquet").is_file():
            columns = (str(earlier), reopen(frozen).table("schema"))
    names = pa.schema([(k, pa.string()) for k in ("edition", "live", "baseline", "run_id")])
    found = [
        Answer("live_before", "The live version in earlier editions' records.\n", pa.Table.from_pylist(rows, names))
    ]
    if columns:
        asked = f"Columns and types as edition {columns[0]} froze them.\n"
        found.append(Answer("schema_before", asked, pa.Table.from_pandas(columns[1], preserve_index=False)))
    return found


def _looks(project: Project, week: Week, subject: str) -> Answer:
    """The ledger of looks that earlier editions took, from the record of the newest that has one."""
    import pyarrow as pa  # noqa: PLC0415  slow to import, needed only here

    looks: tuple[TakenLook, ...] = ()
    store, source = project.store, "no earlier edition has looked at this experiment"
    for earlier in reversed([w for w in store.weeks() if w < week]):
        path = store.path(earlier) / "records" / f"{subject}.json"
        if path.is_file():
            looks = Record.from_json(path.read_bytes()).looks
            source = f"the ledger in records/{subject}.json of edition {earlier}"
            break
    schema = pa.schema(
        [
            ("edition", pa.string()),
            ("units", pa.int64()),
            ("critical", pa.float64()),
            ("effect", pa.float64()),
            ("standard_error", pa.float64()),
            ("plan", pa.string()),
        ]
    )
    return Answer(
        "looks", f"Looks taken before: {source}.\n", pa.Table.from_pylist([x.model_dump() for x in looks], schema)
    )


def _refuse_empty(week: Week, subjects: list[Model | Experiment], answers: dict[str, list[Answer]]) -> None:
    latest: date | None = None
    for subject in subjects:
        tables = {a.name: a.table for a in answers[subject.id]}
        if isinstance(subject, Model):
            if tables["days"].num_rows:
                return
            weeks = [w for w in tables["weekly"].column("week").to_pylist() if w is not None]
            latest = max([*weeks, *([latest] if latest else [])], default=None)
        elif any(week.start <= day <= week.end for day in tables["assigned_per_day"].column("day").to_pylist()):
            return
    seen = f"the last week with rows is {type(week).of(latest)}" if latest else "no earlier week has rows either"
    raise EditionError(
        f"edition {week} would be empty: no subject has a row between {week.start} and {week.end}",
        mend=f"load the data or choose another week; {seen}",
    )
