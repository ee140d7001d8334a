"""What differs between warehouses: how they are opened, keep a table for a while, and hand over rows."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from gazette.errors import SourceError
from gazette.sources._opened import opened

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pyarrow as pa

    from gazette.secrets import Address

__all__ = ["DRIVERS", "Engine", "first_line", "missing_driver", "open_engine"]

DRIVERS = {
    "bigquery": ("bigquery", "google.cloud.bigquery"),
    "clickhouse": ("clickhouse", "clickhouse_connect"),
    "databricks": ("databricks", "databricks.sql"),
    "mssql": ("mssql", "pyodbc"),
    "mysql": ("mysql", "MySQLdb"),
    "postgres": ("postgres", "psycopg"),
    "postgresql": ("postgres", "psycopg"),
    "snowflake": ("snowflake", "snowflake.connector"),
    "trino": ("trino", "trino"),
}
"""First part of an address to the extra that brings its driver, and the module that the driver is."""


def missing_driver(url: Address | str) -> tuple[str, str] | None:
    """What is wrong and how to mend it, where the driver that an address needs is not installed."""
    from importlib.util import find_spec  # noqa: PLC0415  needed only here

    extra, module = DRIVERS.get(urlsplit(str(url)).scheme, ("", ""))
    found: object = True
    if module:
        try:
            found = find_spec(module)
        except ModuleNotFoundError:  # a package above it
            found = None
    if found:
        return None
    return f"the driver for {extra} is not installed ({module})", f"pip install 'gazette[{extra}]'"


def first_line(error: Exception) -> str:
    """An error of a driver in one line."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def open_engine(address: Address | str, project: Path) -> Engine:
    """Connect.

    Raises:
        SourceError: There is no such file, no driver, or the driver refuses.
    """
    import ibis  # noqa: PLC0415  takes a second, needed only to build

    url = opened(address, "warehouse", project)
    try:
        if url.startswith("duckdb://"):
            path = project / url.removeprefix("duckdb://")
            if not path.is_file():
                raise SourceError(
                    "there is no warehouse file here",
                    where=str(path),
                    mend="set 'warehouse:' in params/site.yml, or run 'gazette demo'",
                )
            # several threads would add floats in an order that differs from run to run
            return DuckDB(ibis.duckdb.connect(str(path), read_only=True, threads=1))
        if (lack := missing_driver(url)) is not None:
            raise SourceError(lack[0], where="params/site.yml: warehouse", mend=lack[1])
        if urlsplit(url).scheme in {"postgres", "postgresql"}:
            return Postgres(ibis.connect(url))
        return Engine(ibis.connect(url))
    except SourceError:
        raise
    except Exception as error:  # every driver has its own errors
        raise SourceError(
            f"the warehouse cannot be opened: {first_line(error)}",
            where=str(address),
            mend="check 'warehouse:' in params/site.yml, rights and network",
        ) from error


class Engine:
    """Any warehouse that ibis opens."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self.dialect = str(connection.name)

    def close(self) -> None:
        """Disconnect."""
        self.connection.disconnect()

    def tables(self, schema: str = "") -> set[str]:
        """Names of the tables of a schema, by default the one that the address names."""
        return set(self.connection.list_tables(database=schema) if schema else self.connection.list_tables())

    def table(self, name: str) -> Any:
        """A table, with the schema before a dot where it is in another; None where there is none."""
        schema, _, bare = name.rpartition(".")
        with suppress(Exception):  # every driver has its own error for what is not there
            return self.connection.table(bare, database=schema) if schema else self.connection.table(name)
        return None

    def sql(self, expression: Any) -> str:
        """The text that an expression is; as ``ibis.to_sql`` writes it, which first copies the expression off its connection."""
        compiler = self.connection.compiler
        return str(compiler.to_sqlglot(expression).sql(dialect=compiler.dialect, pretty=True))

    def hold(self, name: str, expression: Any) -> tuple[Any, str] | None:
        """A temporary table of what an expression finds, and the SQL that made it; None where the warehouse cannot."""
        try:
            return self.connection.create_table(name, expression, temp=True, overwrite=True), self.sql(expression)
        except Exception:  # noqa: BLE001  no right, no disk, or no such tables: then each query computes it
            return None

    def rows(self, expression: Any, sql: str) -> pa.Table:  # noqa: ARG002  for those that can run it as it stands
        """What an expression finds; ``sql`` is its text."""
        return expression.to_pyarrow()

    def translated(self, text: str) -> str:
        """SQL of DuckDB's dialect in the warehouse's own."""
        import sqlglot  # noqa: PLC0415

        return text if self.dialect == "duckdb" else sqlglot.transpile(text, read="duckdb", write=self.dialect)[0]

    def plain(self, text: str) -> pa.Table:
        """Run SQL that is written in the warehouse's dialect."""
        return self.connection.sql(text).to_pyarrow()


class DuckDB(Engine):
    """A file; while we read it, nobody can write it."""

    def hold(self, name: str, expression: Any) -> tuple[Any, str] | None:
        sql = self.sql(expression)
        self.connection.raw_sql(f"CREATE OR REPLACE TEMPORARY TABLE {name} AS\n{sql}")
        return self.connection.table(name, database="temp.main"), sql

    def rows(self, expression: Any, sql: str) -> pa.Table:
        from ibis.backends.duckdb.converter import DuckDBPyArrowData  # noqa: PLC0415  takes a second

        return DuckDBPyArrowData.convert_table(self.connection.con.sql(sql).to_arrow_table(), expression.schema())

    def plain(self, text: str) -> pa.Table:
        expression = self.connection.sql(text)
        return self.rows(expression, text)


class Postgres(Engine):
    """A server; everything is read in one transaction, so that all queries see one state of it, and rolled back.

    The transaction is not declared read only, for that would forbid temporary tables. Each query has a savepoint: one that
    fails leaves the others their state.
    """

    def __init__(self, connection: Any) -> None:
        super().__init__(connection)
        self.driver = connection.con
        # parallel workers, and scans that join another's, would add floats in an order that differs from run to run; and where the
        # planner takes an aggregate of a whole table for one row, it compares every row with every other, and compiles the query for long
        for setting in (
            "max_parallel_workers_per_gather = 0",
            "synchronize_seqscans = off",
            "enable_nestloop = off",
            "jit = off",
        ):
            self.driver.execute(f"SET {setting}")
        self.driver.execute("SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        self._whole = self.driver.transaction(force_rollback=True)
        self._whole.__enter__()

    def close(self) -> None:
        with suppress(Exception):  # the server is gone, and the transaction with it
            self._whole.__exit__(None, None, None)
        super().close()

    @contextmanager
    def _cursor(self) -> Iterator[Any]:
        with self.driver.transaction(), self.driver.cursor() as cursor:
            yield cursor

    def hold(self, name: str, expression: Any) -> tuple[Any, str] | None:
        sql = self.sql(expression)
        try:
            with self._cursor() as cursor:
                cursor.execute(f"DROP TABLE IF EXISTS pg_temp.{name}")
                cursor.execute("CREATE TEMPORARY TABLE pg_temp_probe ()")
                cursor.execute("DROP TABLE pg_temp_probe")
        except Exception:  # noqa: BLE001  a standby, or no right to make temporary tables: then each query computes it
            return None
        with self._cursor() as cursor:
            cursor.execute(f"CREATE TEMPORARY TABLE {name} AS\n{sql}")
            cursor.execute(f"ANALYZE {name}")
        return self.connection.table(name), sql

    def rows(self, expression: Any, sql: str) -> pa.Table:
        import pyarrow as pa  # noqa: PLC0415

        schema = expression.schema().to_pyarrow()
        with self._cursor() as cursor:
            found = cursor.execute(sql).fetchall()
        columns = [*zip(*found, strict=True)] or [()] * len(schema)
        return pa.Table.from_arrays(
            [_array(values, field.type) for values, field in zip(columns, schema, strict=True)], schema=schema
        )

    def plain(self, text: str) -> pa.Table:
        import pyarrow as pa  # noqa: PLC0415

        with self._cursor() as cursor:
            found = cursor.execute(text).fetchall()
            kinds = {c.name: self.driver.adapters.types[c.type_code].name for c in cursor.description}
        columns = [*zip(*found, strict=True)] or [()] * len(kinds)
        known = {"numeric": pa.float64(), "float4": pa.float64(), "float8": pa.float64(), "text": pa.string()}
        known |= dict.fromkeys(("int2", "int4", "int8"), pa.int64())
        arrays = [_array(v, known.get(kind)) for v, kind in zip(columns, kinds.values(), strict=True)]
        return pa.Table.from_arrays(arrays, names=[*kinds])


def _array(values: tuple[Any, ...], kind: pa.DataType | None) -> pa.Array:
    """A column; the driver gives decimals where ibis speaks of real and whole numbers."""
    import pyarrow as pa  # noqa: PLC0415

    if kind is not None and pa.types.is_floating(kind):
        return pa.array([None if v is None else float(v) for v in values], kind)
    if kind is not None and pa.types.is_integer(kind):
        return pa.array([None if v is None else int(v) for v in values], kind)
    return pa.array(values, kind)
