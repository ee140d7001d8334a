"""Ask the warehouse a second time, in the same connection and up to the same cut-off."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gazette.errors import SourceError
from gazette.params import Model
from gazette.recompute import _business, _experiment, _model
from gazette.recompute._segments import PARTED, large_parts
from gazette.sources import Answer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gazette.params import Experiment, Metric
    from gazette.sources import Period, Warehouse

__all__ = ["UNREAD", "ask", "query_of"]

UNREAD = "unread"


def query_of(subject: str, question: str) -> str:
    """The name under which a subject's answer is frozen beside those of all others."""
    return f"{subject}--{question}"


def ask(
    warehouse: Warehouse,
    subjects: Sequence[Model | Experiment],
    metrics: Mapping[str, Metric],
    period: Period,
    versions: Mapping[str, Mapping[str, str]],
    *,
    fewest: int = 0,
) -> list[Answer]:
    """Every answer that the second computation needs, and last the questions that failed: they stop nothing, pages name them.

    Args:
        warehouse: An open warehouse.
        subjects: Those of the edition whose first answers could be had.
        metrics: Definitions.
        period: The edition's clock.
        versions: Model to its versions, ``live`` and ``baseline``.
        fewest: Users that a part of a test must have in each arm to be kept.
    """
    import pyarrow as pa  # noqa: PLC0415  slow to import, needed only here

    found: list[Answer] = []
    unread: list[dict[str, str]] = []
    for subject in subjects:
        kind = "models" if isinstance(subject, Model) else "experiments"
        try:
            for question, text in _questions(warehouse, subject, metrics, period, versions):
                answers = _asked(warehouse, subject.id, kind, question, text, unread)
                found += [_large(a, fewest) for a in answers] if question.startswith(PARTED) else answers
        except SourceError as error:
            unread.append({"subject": subject.id, "query": "", "reason": error.what})
    schema = pa.schema([(k, pa.string()) for k in ("subject", "query", "reason")])
    return [*found, Answer(UNREAD, "Queries that failed, and why.\n", pa.Table.from_pylist(unread, schema))]


def _large(answer: Answer, fewest: int) -> Answer:
    """The parts that may be shown."""
    import pyarrow as pa  # noqa: PLC0415

    rows = large_parts(answer.table.to_pylist(), fewest)
    return replace(answer, table=pa.Table.from_pylist(rows, schema=answer.table.schema))


def _asked(
    warehouse: Warehouse, subject: str, kind: str, question: str, text: str, unread: list[dict[str, str]]
) -> list[Answer]:
    try:
        return [warehouse.plain(query_of(subject, question), text, file=f"params/{kind}/{subject}.yml")]
    except SourceError as error:
        unread.append({"subject": subject, "query": question, "reason": error.what})
        return []


def _questions(
    warehouse: Warehouse,
    subject: Model | Experiment,
    metrics: Mapping[str, Metric],
    period: Period,
    versions: Mapping[str, Mapping[str, str]],
) -> Iterator[tuple[str, str]]:
    if not isinstance(subject, Model):
        yield from _experiment.questions(subject, metrics, period, warehouse.schema)
        return
    yield from _model.questions(subject, period, versions.get(subject.id, {}))
    columns = warehouse.schema(subject.business.table) if subject.business is not None else {}
    yield from _business.questions(subject, period, columns)
