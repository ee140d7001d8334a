"""Where generated tables lie: one DuckDB in memory, one connection to PostgreSQL, each emptied after a case; and how many cases are run."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from hypothesis import HealthCheck, Phase, settings

from gazette.sources import Warehouse
from postgres import TYPES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from gazette.sources._engine import Engine

LONG = int(os.environ.get("GAZETTE_DIFFERENTIAL", "0"))


def cases(few: int, *, share: float = 1.0) -> Callable[[Any], Any]:
    """So many cases, the same each time, a third of them in quick runs; as many others as GAZETTE_DIFFERENTIAL says, times ``share``."""
    quiet = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.data_too_large]
    if LONG:
        return settings(
            max_examples=max(1, round(LONG * share)), deadline=None, print_blob=True, suppress_health_check=quiet
        )
    few = few // 3 or 1 if os.environ.get("GAZETTE_TEST_QUICK") else few
    phases = [Phase.explicit, Phase.generate]  # what fails is looked into by a long run
    return settings(
        max_examples=few, deadline=None, derandomize=True, database=None, phases=phases, suppress_health_check=quiet
    )


@dataclass
class Table:
    """Columns as people wrote them: DuckDB's type and a text for each row, None where nothing stands."""

    name: str
    columns: dict[str, tuple[str, Sequence[str | None]]] = field(default_factory=dict)

    @property
    def rows(self) -> list[tuple[str | None, ...]]:
        return [*zip(*(texts for _, texts in self.columns.values()), strict=True)]


def _fill_duckdb(engine: Engine, tables: Sequence[Table]) -> None:
    con = engine.connection.con
    for table in tables:
        texts = pa.table({c: pa.array([*texts], pa.string()) for c, (_, texts) in table.columns.items()})
        con.register("gz_texts", texts)
        columns = ", ".join(f'CAST("{c}" AS {kind}) AS "{c}"' for c, (kind, _) in table.columns.items())
        con.execute(f'CREATE OR REPLACE TABLE "{table.name}" AS SELECT {columns} FROM gz_texts')
        con.unregister("gz_texts")


def _fill_postgres(engine: Any, tables: Sequence[Table]) -> None:
    with engine.driver.cursor() as cursor:
        for table in tables:
            kinds = ", ".join(f'"{c}" {TYPES.get(kind, kind)}' for c, (kind, _) in table.columns.items())
            cursor.execute(f'CREATE TABLE "{table.name}" ({kinds})')
            with cursor.copy(f'COPY "{table.name}" FROM STDIN') as copy:
                for row in table.rows:
                    copy.write_row(row)


@contextmanager
def filled(engine: Engine, tables: Sequence[Table]) -> Iterator[Warehouse]:
    """A warehouse with these tables and no others, which are gone afterwards."""
    warehouse = Warehouse("", project=Path())
    warehouse._engine = engine
    if engine.dialect == "duckdb":
        _fill_duckdb(engine, tables)
        yield warehouse
        return
    with engine.driver.transaction(force_rollback=True):  # type: ignore[attr-defined]
        _fill_postgres(engine, tables)
        yield warehouse
