"""One set of ibis queries per subject: rows in the warehouse go in, aggregates come out."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from gazette.errors import SourceError
from gazette.params import Model
from gazette.sources import (
    _bridge,
    _classifier,
    _drawn,
    _experiment,
    _features,
    _operations,
    _ranker,
    _reconciliation,
    _regressor,
)
from gazette.sources._answer import Answer
from gazette.sources._culprit import clear_values, read_as_numbers
from gazette.sources._engine import first_line, open_engine
from gazette.sources._matched import without_ids

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pyarrow as pa

    from gazette.params import Before, Experiment, Metric, Told
    from gazette.secrets import Address
    from gazette.sources._engine import Engine

__all__ = [
    "Period",
    "Warehouse",
    "bridge_answer",
    "draw_in_warehouse",
    "experiment_answers",
    "importance_rows",
    "model_answers",
    "people_answers",
    "row_counts",
    "tables_of",
    "told_answer",
    "user_rows",
]


@dataclass(frozen=True)
class Period:
    """The week that an edition covers and until when data counts, UTC without zone.

    Attributes:
        start: Monday 00:00.
        cutoff: Only rows that had arrived before this are read.
        history_weeks: Weeks of history, this one included.
    """

    start: datetime
    cutoff: datetime
    history_weeks: int

    @property
    def end(self) -> datetime:
        """The Monday after the week."""
        return self.start + timedelta(days=7)

    @property
    def history_start(self) -> datetime:
        """The Monday where history begins."""
        return self.start - timedelta(days=7 * (self.history_weeks - 1))


class Warehouse:
    """A connection that remembers nothing but its address; use it as a context manager."""

    def __init__(self, url: Address | str, *, project: Path) -> None:
        self.url = url
        self._project = project
        self._engine: Engine | None = None
        self._known: dict[str, Any] = {}
        self._schemas: dict[str, dict[str, str]] = {}
        self._held: dict[str, str] = {}
        self._parts: dict[str, Any] = {}
        self._found: dict[tuple[Any, ...], bool] = {}

    def __enter__(self) -> Self:
        self._engine = open_engine(self.url, self._project)
        return self

    def __exit__(self, *_: object) -> None:
        if self._engine is not None:
            self._engine.close()
            self._engine = None

    @property
    def _open(self) -> Engine:
        assert self._engine is not None, "use it as a context manager"  # noqa: S101
        return self._engine

    def table(self, name: str, columns: dict[str, str], *, file: str) -> Any:
        """The table, after a check that it exists and has the columns (key in the parameter file to column name).

        A name such as ``web.clicks`` is a table of another schema. Times with a zone are there as UTC without one.

        Raises:
            SourceError: The table or columns are missing; all missing columns are named.
        """
        with _clear_errors(f"table {name!r}", file):
            if name not in self._known:
                table = self._open.table(name)
                if table is None:
                    schema = name.rpartition(".")[0]
                    known = self._open.tables(schema) - self._held.keys()
                    of = f"tables of {schema}" if schema else "tables"
                    raise SourceError(
                        f"the warehouse has no table {name!r}",
                        where=file,
                        mend=f"correct the name or load it ({of}: {', '.join(sorted(known)) or 'none'})",
                    )
                self._schemas[name] = {column: str(kind) for column, kind in table.schema().items()}
                zoned = [c for c, kind in table.schema().items() if kind.is_timestamp() and kind.timezone is not None]
                self._known[name] = table.mutate(**{c: table[c].cast("timestamp") for c in zoned}) if zoned else table
            table = self._known[name]
        missing = [f"{key}: {column!r}" for key, column in columns.items() if column not in table.columns]
        if missing:
            raise SourceError(
                f"table {name!r} has no column for {'; '.join(missing)}",
                where=file,
                mend=f"columns are: {', '.join(table.columns)}",
            )
        return self._parts.get(name, table)

    def answers(self) -> bool:
        """Whether it still answers anything; one that does not is no fault of a subject's tables."""
        try:
            return bool(self._open.plain("SELECT 1 AS one").num_rows)
        except Exception:  # noqa: BLE001  every driver has its own errors
            return False

    def narrow(self, name: str, part: Any) -> None:
        """From here on the table is only this part of it, an expression with the same columns; None for all of it."""
        self._parts.pop(name, None)
        if part is not None:
            self._parts[name] = part

    def schema(self, name: str) -> dict[str, str]:
        """Columns of a table and their types, in ibis's words."""
        self.table(name, {}, file="params")
        return dict(self._schemas[name])

    def found(self, key: tuple[Any, ...], ask: Callable[[], bool]) -> bool:
        """What was found of the tables before, else what is found now."""
        if key not in self._found:
            self._found[key] = ask()
        return self._found[key]

    def hold(self, name: str, expression: Any) -> Any:
        """Keep an intermediate table for several queries, in a temporary table of this connection; its SQL goes before theirs.

        Where the warehouse keeps none, the expression itself comes back, and each query computes it.
        """
        held = self._open.hold(name, expression)
        if held is None:
            return expression
        table, sql = held
        before = self._before(sql)
        self._held[name] = f"{before}CREATE TEMPORARY TABLE {name} AS\n{sql};\n\n"
        return table

    def _before(self, sql: str) -> str:
        """How the held tables that a text reads were made."""
        return "".join(made for name, made in self._held.items() if name in sql)

    def ask(self, name: str, expression: Any, *, file: str) -> Answer:
        """Run an ibis expression; its rows must be ordered by the expression itself."""
        with _clear_errors(f"query {name!r}", file):
            sql = self._open.sql(expression)
            return Answer(name, f"{self._before(sql)}{sql}\n", self._open.rows(expression, sql))

    def plain(self, name: str, text: str, *, file: str) -> Answer:
        """Run SQL that is written in DuckDB's dialect, whatever the warehouse speaks; its rows must be ordered by the text itself."""
        with _clear_errors(f"query {name!r}", file):
            own = self._open.translated(text)
            return Answer(name, f"{own}\n", self._open.plain(own))


@contextmanager
def _clear_errors(what: str, file: str) -> Iterator[None]:
    try:
        yield
    except SourceError:
        raise
    except Exception as error:  # every driver has its own errors
        raise SourceError(
            f"{what} failed in the warehouse: {first_line(error)}",
            where=file,
            mend="check the columns that the file names",
        ) from error


def _every(name: str) -> bool:  # noqa: ARG001  the answer is the same for all
    """All queries are wanted."""
    return True


def experiment_answers(
    warehouse: Warehouse,
    experiment: Experiment,
    metrics: dict[str, Metric],
    period: Period,
    wanted: Callable[[str], bool] = _every,
) -> list[Answer]:
    """All that an experiment's notebook needs, as aggregates per arm; only the queries whose names are ``wanted`` are run."""
    file = f"params/experiments/{experiment.id}.yml"
    with _told_why(warehouse, experiment, metrics, "an experiment's query", file):
        pairs = [*_experiment.queries(warehouse, experiment, metrics, period, file=file)]
        dated = _experiment.dated_by_day(warehouse, experiment, metrics, period)
        found = [warehouse.ask(name, expression, file=file) for name, expression in pairs if wanted(name)]
        return [*(without_ids(a) if a.name == "unmatched" else a for a in found), dated]


def people_answers(
    warehouse: Warehouse, experiment: Experiment, metrics: dict[str, Metric], period: Period
) -> list[Answer]:
    """Where everyone went who was assigned, and who has a row of what is measured; a look at ids and values of all its tables.

    Raises:
        SourceError: A table or column is missing, ids cannot be compared, or values cannot be added up.
    """
    file = f"params/experiments/{experiment.id}.yml"
    with _told_why(warehouse, experiment, metrics, "an experiment's query", file):
        pairs = [*_experiment.everyone(warehouse, experiment, metrics, period, file=file)]
        return [warehouse.ask(name, expression, file=file) for name, expression in pairs]


def user_rows(
    warehouse: Warehouse, experiment: Experiment, metrics: dict[str, Metric], period: Period
) -> tuple[pa.Table, pa.Table | None]:
    """A row per user with arm and metrics, and what else the assignment table says of each; not to be frozen: they are rows.

    Raises:
        SourceError: A table or column is missing, or cannot be read.
    """
    file = f"params/experiments/{experiment.id}.yml"
    with _told_why(warehouse, experiment, metrics, "an experiment's query", file):
        rows = warehouse.ask("users", _drawn.users(warehouse, experiment, metrics, period, file=file), file=file).table
        more = _drawn.others(warehouse, experiment, file=file)
        return rows, None if more is None else warehouse.ask("others", more, file=file).table


def draw_in_warehouse(warehouse: Warehouse, experiment: Experiment, turn: int) -> None:
    """From here on the test's arms are drawn at random, by a hash in the warehouse; everything else is as it was.

    Raises:
        SourceError: The assignment table cannot be read.
    """
    file = f"params/experiments/{experiment.id}.yml"
    with _clear_errors("an experiment's query", file):
        warehouse.narrow(experiment.assignments, None)
        warehouse.narrow(experiment.assignments, _drawn.at_random(warehouse, experiment, turn, file=file))


@contextmanager
def _told_why(
    warehouse: Warehouse, subject: Model | Experiment, metrics: dict[str, Metric], what: str, file: str
) -> Iterator[None]:
    with clear_values(warehouse, read_as_numbers(subject, metrics), file=file), _clear_errors(what, file):
        yield


def tables_of(subject: Model | Experiment, metrics: dict[str, Metric]) -> list[str]:
    """Tables that a subject's page reads, each once."""
    if isinstance(subject, Model):
        parts = [
            subject.scores,
            subject.labels,
            subject.features,
            subject.scores.items,
            subject.telemetry,
            subject.business,
        ]
        return list(dict.fromkeys(p.table for p in parts if p is not None))
    known = [metrics[m] for m in subject.metrics]
    sources: list[Any] = [s for m in known for s in (m.fact, m.denominator, m.covariate) if s is not None]
    sources += [s for s in (subject.triggered,) if s is not None]
    return list(dict.fromkeys([subject.assignments, *(s.table for s in sources), *(s.table for s in subject.segments)]))


def row_counts(warehouse: Warehouse, names: list[str]) -> dict[str, int]:
    """Rows of each table.

    Raises:
        SourceError: There is no such table.
    """
    found = {}
    for name in names:
        table = warehouse.table(name, {}, file="params")
        found[name] = int(warehouse.ask("rows", table.aggregate(n=table.count()), file="params").table["n"][0].as_py())
    return found


def model_answers(
    warehouse: Warehouse,
    model: Model,
    period: Period,
    versions: dict[str, str],
    wanted: Callable[[str], bool] = _every,
) -> list[Answer]:
    """All that a model's notebook needs, as aggregates per week, version and segment.

    Args:
        warehouse: An open warehouse.
        model: The model's parameters.
        period: The edition's week.
        versions: ``live`` and ``baseline`` to the version as the warehouse writes it.
        wanted: Says by a query's name whether it is to be run.
    """
    file = f"params/models/{model.id}.yml"
    room = {"classifier": _classifier, "ranker": _ranker, "regressor": _regressor}[model.kind]
    with _told_why(warehouse, model, {}, "a model's query", file):
        pairs = [*room.queries(warehouse, model, period, versions, held="gazette_rows", file=file)]
        pairs += _operations.queries(warehouse, model, period, file=file)
        more = [*_features.answers(warehouse, model, period, versions, wanted, file=file)]
        return [*(warehouse.ask(name, expression, file=file) for name, expression in pairs if wanted(name)), *more]


def bridge_answer(
    warehouse: Warehouse, name: str, old: Before | Metric, new: Before | Metric, period: Period, *, file: str
) -> Answer:
    """Two definitions of a metric over the same weeks and units.

    Raises:
        SourceError: A table or column of one of them is gone.
    """
    with _clear_errors("a bridge between definitions", file):
        expression = _bridge.bridge(warehouse, old, new, period, file=file)
    return warehouse.ask(name, expression, file=file)


def importance_rows(warehouse: Warehouse, model: Model, period: Period, versions: dict[str, str]) -> Answer:
    """Features and outcomes of some rows of the week, for permutation importance; not to be frozen: they are rows."""
    file = f"params/models/{model.id}.yml"
    with _clear_errors("a model's query", file):
        expression = _features.importance_rows(warehouse, model, period, versions, file=file)
    return warehouse.ask("importance_rows", expression, file=file)


def told_answer(warehouse: Warehouse, name: str, source: Told, period: Period) -> Answer:
    """What a system says of a figure, day by day.

    Raises:
        SourceError: A table or column is missing, or cannot be read.
    """
    file = "params/reconciliations.yml"
    with _clear_errors(f"source {source.id!r}", file):
        expression = _reconciliation.told(warehouse, source, period, file=file)
    return warehouse.ask(name, expression, file=file)
