"""Ask today's warehouse what an edition's snapshot asked; what is not a question to the warehouse stays as it was sealed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from gazette.errors import SourceError
from gazette.params import Experiment, Model
from gazette.restate._definitions import OPERATIONS, sheet_of
from gazette.sources import Answer, experiment_answers, model_answers, tables

if TYPE_CHECKING:
    import pyarrow as pa

    from gazette.params import Params
    from gazette.snapshot import Snapshot
    from gazette.sources import Period, Warehouse

__all__ = ["Asked", "ask", "ask_as_sealed", "gone", "late_rows", "sealed_answers"]

# How complete and fresh the data were at the cut-off is a fact about the edition, which rows that came later do not change.
AS_SEALED = frozenset({"completeness", "volume", "schema", "label_checks", "feature_checks"})
CLOSED_LATER = frozenset({"alert_events"})  # rows are filled in when an alert ends, without a time of arrival
DAYS = ("assigned_per_day", "rows_per_day", "days", "weekly", "business", "telemetry")
TIMES = ("day", "week", "at")


@dataclass(frozen=True)
class Asked:
    """Answers of today's warehouse, by name; ``late`` are tables whose rows tell when they came (label counts and so on)."""

    answers: dict[str, Answer]
    counts: dict[str, Answer]

    def differs(self, snapshot: Snapshot, sealed: dict[str, Answer]) -> list[str]:
        """Names of answers whose rows are not those of the snapshot."""
        del snapshot
        return [n for n, a in self.answers.items() if n not in sealed or not _same(a.table, sealed[n].table)]


def _same(one: pa.Table, other: pa.Table) -> bool:
    if one.column_names != other.column_names or one.num_rows != other.num_rows:
        return False
    try:
        return bool(one.cast(other.schema).replace_schema_metadata(None).equals(other.replace_schema_metadata(None)))
    except (ValueError, TypeError, NotImplementedError):  # pyarrow's own: types that do not fit into each other
        return False


def sealed_answers(snapshot: Snapshot) -> dict[str, Answer]:
    """What was frozen, by name of the query, each file checked against its digest."""
    import pyarrow as pa  # noqa: PLC0415  slow to import

    found = {}
    for query in snapshot.queries:
        frame = snapshot.table(query.name)  # checks the digest
        del frame
        import pyarrow.parquet as pq  # noqa: PLC0415

        table = pq.read_table(snapshot.directory / f"{query.name}.parquet")
        found[query.name] = Answer(query.name, query.sql, table if isinstance(table, pa.Table) else table)
    return found


def ask(warehouse: Warehouse, params: Params, page: str, sealed: dict[str, Answer], period: Period) -> Asked:
    """Today's answers to a page's questions.

    Args:
        warehouse: An open warehouse.
        params: Definitions to ask by.
        page: A subject, or the operations page.
        sealed: The edition's own answers; they say which versions of a model were live.
        period: The edition's week, with the cut-off to ask for.

    Raises:
        SourceError: A table or column is gone, or the warehouse fails.
    """
    sheet = sheet_of(params, page)
    if isinstance(sheet, Experiment):
        found = experiment_answers(warehouse, sheet, params.metrics, period)
    elif isinstance(sheet, Model):
        found = model_answers(warehouse, sheet, period, _versions(sealed))
    elif page == OPERATIONS and params.site.operations is not None:
        operations = params.site.operations
        found = [build() for name, build in tables(warehouse, operations, period) if name in sealed]
    else:
        raise SourceError(f"{page!r} is no longer defined", where="params/", mend="nothing: its numbers stay as published")
    known = {a.name: a for a in found}
    return Asked(
        {n: a for n, a in known.items() if n not in AS_SEALED},
        {n: a for n, a in known.items() if n in AS_SEALED},
    )


def _versions(sealed: dict[str, Answer]) -> dict[str, str]:
    rows = sealed["registry"].table.to_pylist() if "registry" in sealed else []
    return {"live": "", **{str(r["role"]): str(r["version"]) for r in rows}}


def ask_as_sealed(warehouse: Warehouse, names: list[str], sealed: dict[str, Answer]) -> dict[str, Answer]:
    """Run the very text of sealed queries on today's warehouse, so that a changed query is told from changed rows.

    Raises:
        SourceError: The warehouse no longer takes one of them.
    """
    found = {}
    for name in names:
        old = sealed[name]
        found[name] = Answer(name, old.sql, warehouse.ask_text(name, old.sql, old.table.schema))
    return found


def gone(sealed: dict[str, Answer], now: dict[str, Answer]) -> str:
    """Days or weeks that the snapshot has rows of and today's warehouse has not, in words; empty where there are none.

    A source that has thrown its old rows away says nothing about what they were.
    """
    for name in (n for n in DAYS if n in sealed and n in now):
        for column in (c for c in TIMES if c in sealed[name].table.column_names and c in now[name].table.column_names):
            was, left = (set(t.column(column).to_pylist()) for t in (sealed[name].table, now[name].table))
            lost = sorted((v for v in was - left if isinstance(v, date)), key=str)
            if lost:
                first, last = (_day(v) for v in (lost[0], lost[-1]))
                span = first if first == last else f"{first} to {last}"
                return f"the source no longer has rows of {span} (query {name}); they were deleted or archived since"
    return ""


def _day(value: date) -> str:
    return f"{value:%Y-%m-%d}" if isinstance(value, datetime) else value.isoformat()


def late_rows(before: Asked, after: Asked) -> int | None:
    """How many rows came between two cut-offs, by the first table that counts rows; None where none does."""
    for name, column in (
        ("rows_per_day", "n"),
        ("completeness", "labelled"),
        ("business", ""),
        ("days", "n"),
        ("assigned_per_day", "n"),
    ):
        pair = [{**a.answers, **a.counts}.get(name) for a in (before, after)]
        if all(pair):
            old, new = (_count(a.table, column) for a in pair if a is not None)
            if new > old:
                return new - old
    return None


def _count(table: Any, column: str) -> int:
    if not column or column not in table.column_names:
        return int(table.num_rows)
    return sum(int(v) for v in table.column(column).to_pylist() if v is not None)
