"""Ask today's warehouse what an edition's snapshot asked; what is not a question to the warehouse stays as it was sealed."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from gazette.errors import SnapshotError, SourceError
from gazette.params import Experiment, Model
from gazette.snapshot import verify, without_small_cells
from gazette.sources import Answer, experiment_answers, model_answers

if TYPE_CHECKING:
    from collections.abc import Collection

    import pyarrow as pa

    from gazette.params import Params
    from gazette.snapshot import Snapshot
    from gazette.sources import Period, Warehouse

__all__ = ["ask", "differing", "gone", "late_rows", "same_rows", "sealed_answers"]

# How complete and fresh the data were at the cut-off is a fact about the edition, which rows that came later do not change;
# deployments are cut by when they were, so a later cut-off would bring those of later weeks.
AS_SEALED = frozenset(
    {"completeness", "volume", "schema", "label_checks", "feature_checks", "deployments", "strays", "unscored"}
)
DAYS = ("assigned_per_day", "rows_per_day", "days", "weekly", "business")
ROUNDING = 1e-9  # as little as a replay would call equal
TIMES = ("day", "week")
COUNTED = (("rows_per_day", "n"), ("days", "n"), ("business", ""), ("assigned_per_day", "n"))


def same_rows(one: pa.Table, other: pa.Table) -> bool:
    """Whether two answers have the same rows in the same order; missing values are equal to each other."""
    if one.column_names != other.column_names or one.num_rows != other.num_rows:
        return False
    if one.replace_schema_metadata(None).equals(other.replace_schema_metadata(None)):
        return True
    return all(
        _same_column(a, b) for (_, a), (_, b) in zip(one.to_pandas().items(), other.to_pandas().items(), strict=True)
    )


def _same_column(one: Any, other: Any) -> bool:
    """Whether two columns hold the same; real numbers may differ in the last digits, for a warehouse adds in any order."""
    import numpy as np  # noqa: PLC0415  slow to import

    if one.dtype.kind == "f" and other.dtype.kind == "f":
        return bool(np.allclose(one, other, rtol=ROUNDING, atol=ROUNDING, equal_nan=True))
    return bool(one.equals(other))


def differing(now: dict[str, Answer], before: dict[str, Answer]) -> list[str]:
    """Names of today's answers whose rows are others than before, or that were not there."""
    return [n for n, a in now.items() if n not in before or not same_rows(a.table, before[n].table)]


def sealed_answers(snapshot: Snapshot) -> dict[str, Answer]:
    """What was frozen, by name of the query.

    Raises:
        SnapshotError: A file is missing or changed.
    """
    import pyarrow.parquet as pq  # noqa: PLC0415  slow to import

    verify(snapshot)
    try:
        return {
            q.name: Answer(q.name, q.sql, pq.read_table(snapshot.directory / f"{q.name}.parquet"))
            for q in snapshot.queries
        }
    except (OSError, ValueError) as error:
        raise SnapshotError(f"frozen data cannot be read: {error}", where=str(snapshot.directory)) from error


def ask(
    warehouse: Warehouse,
    params: Params,
    page: str,
    sealed: dict[str, Answer],
    period: Period,
    only: Collection[str] | None = None,
) -> dict[str, Answer]:
    """Today's answers to a page's questions.

    Args:
        warehouse: An open warehouse.
        params: Definitions to ask by.
        page: A subject.
        sealed: The edition's own answers; they say which versions of a model were live.
        period: The edition's week, with the cut-off to ask for.
        only: Names of the questions, where not all are to be asked.

    Raises:
        SourceError: A table or column is gone, or the warehouse fails.
    """

    def wanted(name: str) -> bool:
        return name not in AS_SEALED and (only is None or name in only)

    sheet = params.models.get(page) or params.experiments.get(page)
    if isinstance(sheet, Experiment):
        found = experiment_answers(warehouse, sheet, params.metrics, period, wanted)
    elif isinstance(sheet, Model):
        rows = sealed["registry"].table.to_pylist() if "registry" in sealed else []
        versions = {"live": "", **{str(r["role"]): str(r["version"]) for r in rows}}
        found = model_answers(warehouse, sheet, period, versions, wanted)
    else:
        raise SourceError(f"{page!r} is no longer defined", where="params/", mend="its numbers stay as published")
    found = without_small_cells(list(found), params.site.smallest_cell)
    return {a.name: a for a in found if wanted(a.name)}


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


def late_rows(before: dict[str, Answer], after: dict[str, Answer]) -> int | None:
    """How many rows more a later cut-off brings, by the first answer that counts rows; None where none has more."""
    for name, column in COUNTED:
        if name in before and name in after:
            old, new = (_count(a[name].table, column) for a in (before, after))
            if new > old:
                return new - old
    return None


def _count(table: pa.Table, column: str) -> int:
    if not column or column not in table.column_names:
        return int(table.num_rows)
    return sum(int(v) for v in table.column(column).to_pylist() if v is not None)
