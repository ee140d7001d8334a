"""One set of ibis queries per subject: rows in the warehouse go in, aggregates come out."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from gazette.errors import SourceError
from gazette.sources import (
    _bridge,
    _classifier,
    _experiment,
    _features,
    _operations,
    _ranker,
    _reconciliation,
    _regressor,
)
from gazette.sources._answer import Answer

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

    from gazette.params import Before, Experiment, Metric, Model, Told

HELD = "gazette_units"

__all__ = [
    "Period",
    "Warehouse",
    "bridge_answer",
    "experiment_answers",
    "importance_rows",
    "model_answers",
    "told_answer",
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

    def __init__(self, url: str, *, project: Path) -> None:
        self.url = url
        self._project = project
        self._connection: Any = None
        self._held = ""
        self._parts: dict[str, Any] = {}

    def __enter__(self) -> Self:
        import ibis  # noqa: PLC0415  takes a second, needed only to build

        try:
            if self.url.startswith("duckdb://"):
                path = self._project / self.url.removeprefix("duckdb://")
                if not path.is_file():
                    raise SourceError(
                        "there is no warehouse file here",
                        where=str(path),
                        mend="set 'warehouse:' in params/site.yml, or run 'gazette demo'",
                    )
                self._connection = ibis.duckdb.connect(
                    str(path), read_only=True, threads=1
                )  # several would add floats in an order that differs from run to run
            else:
                self._connection = ibis.connect(self.url)
        except SourceError:
            raise
        except Exception as error:  # every driver has its own errors
            raise SourceError(
                f"the warehouse cannot be opened: {_first_line(error)}",
                where=self.url.split("@")[-1],
                mend="check 'warehouse:' in params/site.yml, rights and network",
            ) from error
        return self

    def __exit__(self, *_: object) -> None:
        if self._connection is not None:
            self._connection.disconnect()
            self._connection = None

    def table(self, name: str, columns: dict[str, str], *, file: str) -> Any:
        """The table, after a check that it exists and has the columns (key in the parameter file to column name).

        Raises:
            SourceError: The table or columns are missing; all missing columns are named.
        """
        with _clear_errors(f"table {name!r}", file):
            known = set(self._connection.list_tables())
            if name not in known:
                raise SourceError(
                    f"the warehouse has no table {name!r}",
                    where=file,
                    mend=f"correct the name or load it (tables: {', '.join(sorted(known)) or 'none'})",
                )
            table = self._connection.table(name)
        missing = [f"{key}: {column!r}" for key, column in columns.items() if column not in table.columns]
        if missing:
            raise SourceError(
                f"table {name!r} has no column for {'; '.join(missing)}",
                where=file,
                mend=f"columns are: {', '.join(table.columns)}",
            )
        return self._parts.get(name, table)

    def narrow(self, name: str, part: Any) -> None:
        """From here on the table is only this part of it, an expression with the same columns."""
        self._parts[name] = part

    def schema(self, name: str) -> dict[str, str]:
        """Columns of a table and their types, in ibis's words."""
        return {column: str(kind) for column, kind in self._connection.table(name).schema().items()}

    def hold(self, name: str, expression: Any) -> Any:
        """Keep an intermediate table for several queries, in a temporary table of this connection; its SQL goes before theirs."""
        if (
            self._connection.name != "duckdb"
        ):  # others may lack the right or the disk for it; they compute it for each query
            return expression
        columns = ", ".join(
            f'CAST("{c}" AS DOUBLE) AS "{c}"' if t.is_floating() else f'"{c}"' for c, t in expression.schema().items()
        )  # DuckDB takes the literal 0.0 for a decimal of one digit, and would keep it so
        sql = f"SELECT {columns} FROM (\n{self._sql(expression)}\n)"  # noqa: S608  columns are ibis's
        self._connection.raw_sql(f"CREATE OR REPLACE TEMPORARY TABLE {name} AS\n{sql}")
        self._held = f"CREATE TEMPORARY TABLE {name} AS\n{sql};\n\n"
        return self._connection.table(name, database="temp.main")

    def _sql(self, expression: Any) -> str:
        import ibis  # noqa: PLC0415

        return str(ibis.to_sql(expression, dialect=self._connection.name))

    def ask(self, name: str, expression: Any, *, file: str) -> Answer:
        """Run an ibis expression; its rows must be ordered by the expression itself."""
        with _clear_errors(f"query {name!r}", file):
            sql = self._sql(expression)
            before = self._held if HELD in sql else ""
            return Answer(name, f"{before}{sql}\n", self._rows(expression, sql))

    def _rows(self, expression: Any, sql: str) -> pa.Table:
        """What this SQL of the expression finds; where we can run it as it stands, it is not compiled a second time."""
        if self._connection.name != "duckdb":
            return expression.to_pyarrow()
        from ibis.backends.duckdb.converter import DuckDBPyArrowData  # noqa: PLC0415  takes a second, needed only to build

        return DuckDBPyArrowData.convert_table(self._connection.con.sql(sql).to_arrow_table(), expression.schema())

    def plain(self, name: str, text: str, *, file: str) -> Answer:
        """Run SQL that is written in DuckDB's dialect, whatever the warehouse speaks; its rows must be ordered by the text itself."""
        with _clear_errors(f"query {name!r}", file):
            expression = self._connection.sql(text, dialect="duckdb")
            return Answer(name, f"{text}\n", self._rows(expression, text))


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


@contextmanager
def _clear_errors(what: str, file: str) -> Iterator[None]:
    try:
        yield
    except SourceError:
        raise
    except Exception as error:  # every driver has its own errors
        raise SourceError(
            f"{what} failed in the warehouse: {_first_line(error)}",
            where=file,
            mend="check the columns that the file names",
        ) from error


def experiment_answers(
    warehouse: Warehouse, experiment: Experiment, metrics: dict[str, Metric], period: Period
) -> list[Answer]:
    """All that an experiment's notebook needs, as aggregates per arm."""
    file = f"params/experiments/{experiment.id}.yml"
    with _clear_errors("an experiment's query", file):
        pairs = [*_experiment.queries(warehouse, experiment, metrics, period, held=HELD, file=file)]
    return [warehouse.ask(name, expression, file=file) for name, expression in pairs]


def model_answers(warehouse: Warehouse, model: Model, period: Period, versions: dict[str, str]) -> list[Answer]:
    """All that a model's notebook needs, as aggregates per week, version and segment.

    Args:
        warehouse: An open warehouse.
        model: The model's parameters.
        period: The edition's week.
        versions: ``live`` and ``baseline`` to the version as the warehouse writes it.
    """
    file = f"params/models/{model.id}.yml"
    room = {"classifier": _classifier, "ranker": _ranker, "regressor": _regressor}[model.kind]
    with _clear_errors("a model's query", file):
        pairs = [*room.queries(warehouse, model, period, versions, held=HELD, file=file)]
        pairs += _operations.queries(warehouse, model, period, file=file)
        more = [*_features.answers(warehouse, model, period, versions, file=file)]
    return [*(warehouse.ask(name, expression, file=file) for name, expression in pairs), *more]


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
