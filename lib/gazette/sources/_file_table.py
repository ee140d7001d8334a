"""An opened file: every column of a CSV as the text that stands there, of a Parquet file in its own type, and both as SQL."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gazette.errors import SourceError

if TYPE_CHECKING:
    import duckdb

__all__ = ["ENCODINGS", "SEPARATORS", "FileTable", "clear", "header_of", "is_written", "open_file", "quoted"]

READERS = {".parquet": "parquet", ".pq": "parquet", ".csv": "csv", ".tsv": "csv", ".gz": "csv"}
SEPARATORS = (",", ";", "\t", "|")
ENCODINGS = ("utf-8", "utf-16", "latin-1")  # those that DuckDB reads without an extension
FLOATS = {"FLOAT": 2**24, "DOUBLE": 2**53}  # from here on whole numbers share one value
LARGEST = 1e150
NUMBERS = {
    *("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "BOOLEAN", "DECIMAL"),
    *("UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT", *FLOATS),
}


def quoted(value: str) -> str:
    """Text as an SQL literal."""
    return "'" + value.replace("'", "''") + "'"


@dataclass(frozen=True)
class FileTable:
    """A file that DuckDB reads under the name ``file``.

    Attributes:
        connection: Where it is open.
        path: The file.
        columns: Name to its SQL, in the order of the file; what was declared to mean "missing" is NULL there.
        types: Name to DuckDB's type; VARCHAR for every column of a CSV file.
        written: Whether it is a CSV file, which is read once and kept.
        doubled: Names that stand several times in the header.
    """

    connection: duckdb.DuckDBPyConnection
    path: Path
    columns: dict[str, str]
    types: dict[str, str]
    written: bool
    doubled: tuple[str, ...] = ()

    def text(self, column: str) -> str:
        """A name or id as text, byte for byte; NULL where nothing but blanks stands there, or NaN."""
        value = self.columns[column]
        if self.types[column] in FLOATS:
            return f"CASE WHEN NOT isnan({value}) THEN {value}::VARCHAR END"
        return f"CASE WHEN trim({value}::VARCHAR) <> '' THEN {value}::VARCHAR END"

    def key(self, column: str) -> str:
        """An id to group by: as text, or in its own type where that is as exact and quicker."""
        return (
            self.columns[column]
            if self.types[column] in NUMBERS - set(FLOATS) or self.types[column] == "UUID"
            else self.text(column)
        )

    def any_number(self, column: str) -> str:
        """A number as DOUBLE, infinite and NaN included; NULL where nothing or no number stands there."""
        value = self.columns[column]
        if self.types[column] in NUMBERS:
            return f"{value}::DOUBLE"
        if self.types[column] != "VARCHAR":
            return "NULL::DOUBLE"
        read = (
            f"CASE WHEN NOT contains({value}, '_') THEN TRY_CAST({value} AS DOUBLE) END"  # 1_000 is a number to DuckDB
        )
        return f"coalesce({read}, CASE lower(trim({value})) WHEN 'true' THEN 1.0 WHEN 'false' THEN 0.0 END)"

    def number(self, column: str) -> str:
        """A finite number as DOUBLE, else NULL."""
        value = self.any_number(column)
        if self.types[column] in NUMBERS - set(FLOATS):
            return value
        return f"CASE WHEN isfinite({value}) THEN {value} END"

    def is_text(self, column: str) -> str:
        """Whether something stands there that is no number."""
        value = self.columns[column]
        there = f"trim({value}) <> ''" if self.types[column] == "VARCHAR" else f"{value} IS NOT NULL"
        return f"({there} AND {self.any_number(column)} IS NULL)"

    def is_too_large(self, column: str) -> str:
        """Whether a number stands there whose square no real number holds."""
        return f"(abs({self.number(column)}) > {LARGEST!r})"

    def moment(self, column: str) -> str:
        """A time as microseconds, or a number as it is, to be put in order; a time without zone is UTC."""
        value = self.columns[column]
        if self.types[column] in NUMBERS:
            return f"{value}::DOUBLE"
        stamp = f"epoch_us(TRY_CAST({value} AS TIMESTAMPTZ))::DOUBLE"
        return f"coalesce(TRY_CAST({value} AS DOUBLE), {stamp})" if self.types[column] == "VARCHAR" else stamp

    def is_no_moment(self, column: str) -> str:
        """Whether something stands there that is no time."""
        return f"({self.columns[column]} IS NOT NULL AND {self.moment(column)} IS NULL)"

    def is_inexact(self, column: str) -> str:
        """Whether a number stands there that its type cannot tell from the next."""
        limit = FLOATS.get(self.types[column])
        return f"abs({self.columns[column]}) >= {limit} AND isfinite({self.columns[column]})" if limit else "false"


@contextmanager
def clear(path: Path) -> Iterator[None]:
    """Errors of DuckDB as errors of the file, in the words before DuckDB's own advice."""
    import duckdb  # noqa: PLC0415  needed only here

    try:
        yield
    except duckdb.Error as error:
        lines = str(error).replace(str(path.absolute()), path.name).splitlines()
        said = [line for line in lines[1:4] if line.strip() and not line.startswith(("Possible", "LINE"))]
        what = "; ".join([lines[0], *said])[:300]
        mend = "`gazette analyse FILE --doctor` lists what is wrong with a CSV file" if _kind(path) == "csv" else ""
        raise SourceError(
            f"the file cannot be read: {what}",
            where=str(path),
            mend=mend or "check that it is a whole Parquet file",
        ) from error


def _kind(path: Path) -> str:
    return READERS.get(path.suffix.lower(), "")


def is_written(path: Path) -> bool:
    """Whether it is a CSV file that is there."""
    _there(path)
    return _kind(path) == "csv"


def _there(path: Path) -> None:
    if not path.is_file():
        raise SourceError("there is no such file", where=str(path), mend="check the path")
    if path.stat().st_size == 0:
        raise SourceError("the file is empty", where=str(path), mend="write it again")
    if not _kind(path):
        raise SourceError(
            f"{path.suffix.lower() or 'a file without suffix'} is not read here",
            where=str(path),
            mend="give a .csv, .csv.gz, .tsv or .parquet file",
        )


def header_of(path: Path, *, encoding: str = "utf-8", wanted: Sequence[str] = ()) -> tuple[list[str], str]:
    """Names of a CSV's columns and its separator: the one that gives the names wanted, else the one that gives most names."""
    opener = gzip.open if path.suffix.lower() == ".gz" else Path.open
    read_as = "utf-8-sig" if encoding == "utf-8" else encoding
    try:
        with opener(path, "rt", encoding=read_as, newline="", errors="surrogateescape") as stream:
            rows = {s: next(csv.reader(_again(stream), delimiter=s), []) for s in SEPARATORS}
    except (OSError, EOFError, UnicodeError, csv.Error) as error:
        raise SourceError(
            f"its first line cannot be read: {error}",
            where=str(path),
            mend=f"name its encoding: {', '.join(ENCODINGS)}",
        ) from error
    order = sorted(SEPARATORS, key=lambda s: (-len(set(wanted) & set(rows[s])), -len(rows[s])))
    return rows[order[0]], order[0]


def _again(stream: Any) -> Iterator[str]:
    """From the first line on; no `yield from`, which would close the file with the reader."""
    stream.seek(0)
    for line in stream:  # noqa: UP028
        yield line


def open_file(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    *,
    encoding: str = "utf-8",
    missing: Sequence[str] = (),
    wanted: Sequence[str] = (),
    distinct: bool = False,
    lenient: bool = False,
    strict: bool = True,
) -> FileTable:
    """Open a file as the view ``file``.

    A file name is a name: what would be a pattern to DuckDB is escaped. Nothing is guessed from the first rows.

    Args:
        connection: Of DuckDB.
        path: The file.
        encoding: Of a CSV file.
        missing: Texts that mean that a value is missing, such as ``NA``.
        wanted: Columns that should be there, which tell the separator.
        distinct: Whether rows that are alike in every column count once.
        lenient: Whether lines that cannot be read are kept in DuckDB's table ``reject_errors`` instead of stopping.
        strict: Whether a CSV file has to keep to RFC 4180, with one kind of line end.

    Raises:
        SourceError: There is no such file, or it is not of a kind that is read.
    """
    _there(path)
    connection.execute("SET TimeZone = 'UTC'")
    name = "".join(f"[{c}]" if c in "*?[" else c for c in str(path.absolute()))
    doubled: tuple[str, ...] = ()
    if _kind(path) == "parquet":
        read = f"read_parquet({quoted(name)}, hive_partitioning = false)"
        described = connection.execute(f"DESCRIBE SELECT * FROM {read}").fetchall()
        types = {str(row[0]): str(row[1]).split("(")[0] for row in described}
        columns = {c: '"' + c.replace('"', '""') + '"' for c in types}
    else:
        names, separator = header_of(path, encoding=encoding, wanted=wanted)
        doubled = tuple(dict.fromkeys(n for n in names if names.count(n) > 1))
        columns = {}
        for i, n in enumerate(names):
            columns.setdefault(n, f"c{i}")
        types = dict.fromkeys(columns, "VARCHAR")
        spec = ", ".join(f"'c{i}': 'VARCHAR'" for i in range(len(names)))
        read = (
            f"read_csv({quoted(name)}, auto_detect = false, header = true, delim = {quoted(separator)}, quote = '\"', escape = '\"', "
            f"{'store_rejects = true, ' if lenient else ''}strict_mode = {str(strict).lower()}, encoding = {quoted(encoding)}, hive_partitioning = false, columns = {{{spec}}})"
        )
    connection.execute(f"CREATE VIEW file AS SELECT {'DISTINCT ' if distinct else ''}* FROM {read}")
    if missing:
        words = ", ".join(map(quoted, missing))
        columns = {
            c: f"CASE WHEN {sql} NOT IN ({words}) THEN {sql} END" if types[c] == "VARCHAR" else sql
            for c, sql in columns.items()
        }
    return FileTable(connection, path, columns, types, _kind(path) == "csv", doubled)
