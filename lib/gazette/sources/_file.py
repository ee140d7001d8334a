"""A file with a row per unit, read by DuckDB: one scan gives the aggregates of every arm, in the shape that experiments have."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gazette.errors import SourceError
from gazette.sources._answer import column_of
from gazette.sources._experiment import Z
from gazette.sources._file_metric import FileMetric

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

__all__ = ["FileAnswer", "FileQuestion", "read_file"]

READERS = {".parquet": "read_parquet", ".pq": "read_parquet", ".csv": "read_csv", ".tsv": "read_csv", ".gz": "read_csv"}
MOST_ARMS = 8
NUMERIC = (
    "TINYINT",
    "SMALLINT",
    "INTEGER",
    "BIGINT",
    "HUGEINT",
    "UTINYINT",
    "USMALLINT",
    "UINTEGER",
    "UBIGINT",
    "FLOAT",
    "DOUBLE",
    "DECIMAL",
    "BOOLEAN",
)


@dataclass(frozen=True, kw_only=True)
class FileQuestion:
    """What to read; column names as in the file."""

    path: Path
    variant: str
    metrics: tuple[FileMetric, ...]
    unit: str = ""
    cluster: str = ""
    covariate: str = ""
    segment: str = ""


@dataclass(frozen=True)
class FileAnswer:
    """Tables as an experiment has them, and what was left out, in words."""

    tables: Mapping[str, pd.DataFrame]
    exclusions: tuple[str, ...]


def read_file(question: FileQuestion, *, control: str, threads: int | None = None) -> FileAnswer:
    """Aggregate the file.

    Args:
        question: What to read.
        control: The arm that others are compared with.
        threads: Of DuckDB; by default all cores.

    Raises:
        SourceError: The file or a column cannot be read as asked; the message says which and how to mend it.
    """
    import duckdb  # noqa: PLC0415  needed only here

    with _clear(question.path), duckdb.connect(":memory:") as connection:
        if threads:
            connection.execute(f"SET threads = {int(threads)}")
        source = _source(connection, question)
        return _Reader(connection, question, source, control).read()


@contextmanager
def _clear(path: Path) -> Iterator[None]:
    import duckdb  # noqa: PLC0415

    try:
        yield
    except duckdb.Error as error:
        raise SourceError(
            f"the file cannot be read: {str(error).splitlines()[0]}",
            where=str(path),
            mend="check that it is a whole CSV or Parquet file",
        ) from error


def _source(connection: duckdb.DuckDBPyConnection, question: FileQuestion) -> str:
    path = question.path
    if not path.is_file():
        raise SourceError("there is no such file", where=str(path), mend="check the path")
    if path.stat().st_size == 0:
        raise SourceError("the file is empty", where=str(path), mend="write it again")
    suffix = path.suffix.lower()
    if suffix not in READERS:
        raise SourceError(
            f"{suffix or 'a file without suffix'} is not read here",
            where=str(path),
            mend="give a .csv, .csv.gz, .tsv or .parquet file",
        )
    options = ", header = true" if READERS[suffix] == "read_csv" else ""
    connection.execute(f"CREATE VIEW file AS SELECT * FROM {READERS[suffix]}({_text(str(path))}{options})")
    return "file"


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _name(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'


class _Reader:
    """One question to one file."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, question: FileQuestion, source: str, control: str
    ) -> None:
        self.connection = connection
        self.question = question
        self.source = source
        self.control = control
        self.exclusions: list[str] = []

    def read(self) -> FileAnswer:
        self._check_columns()
        if self.question.cluster:
            self._by_cluster()
        crossed = self._units() if self.question.unit and not self.question.cluster else 0
        tables = {"arms": self._arms(), "exposure": self._frame(f"SELECT {crossed} AS units_in_several_arms")}
        quantiles = [m for m in self.question.metrics if m.kind == "quantile"]
        if quantiles:
            tables["quantiles"] = self._quantiles(quantiles, tables["arms"])
        if self.question.segment:
            tables["segments"] = self._segments()
        return FileAnswer(tables, tuple(self.exclusions))

    def _frame(self, sql: str) -> pd.DataFrame:
        return self.connection.execute(sql).df()

    @property
    def _values(self) -> list[str]:
        """Columns that hold numbers."""
        found = [c for m in self.question.metrics for c in (m.column, m.denominator) if c]
        return list(dict.fromkeys([*found, *([self.question.covariate] if self.question.covariate else [])]))

    def _check_columns(self) -> None:
        types = {row[0]: str(row[1]) for row in self.connection.execute(f"DESCRIBE {self.source}").fetchall()}
        question = self.question
        named = {
            "--variant": question.variant,
            "--unit": question.unit,
            "--cluster": question.cluster,
            "--segment": question.segment,
            "--covariate": question.covariate,
        }
        wanted = {k: v for k, v in named.items() if v} | {
            f"--metric {c}": c for m in question.metrics for c in (m.column, m.denominator) if c
        }
        missing = [f"{v!r} ({k.split()[0]})" for k, v in wanted.items() if v not in types]
        if missing:
            raise SourceError(
                f"the file has no column {', '.join(missing)}",
                where=str(question.path),
                mend=f"its columns are: {', '.join(types)}",
            )
        for column in self._values:
            if types[column].split("(")[0] not in NUMERIC:
                row = self.connection.execute(
                    f"SELECT {_name(column)}::VARCHAR FROM {self.source} WHERE TRY_CAST({_name(column)}::VARCHAR AS DOUBLE) IS NULL AND {_name(column)} IS NOT NULL LIMIT 1"
                ).fetchone()
                seen = f", such as {row[0]!r}" if row else ""
                raise SourceError(
                    f"column {column!r} holds {types[column].lower()}{seen}, not numbers",
                    where=str(question.path),
                    mend="clean the column, or name another",
                )

    def _by_cluster(self) -> None:
        """One row a cluster: sums of each column and the count of its rows, so that means become ratios."""
        cluster, variant = _name(self.question.cluster), _name(self.question.variant)
        sums = ", ".join(f"sum({_name(c)}::DOUBLE) AS {_name(c)}" for c in self._values)
        several = self.connection.execute(
            f"SELECT count(*) FROM (SELECT {cluster} FROM {self.source} GROUP BY 1 HAVING count(DISTINCT {variant}) > 1)"
        ).fetchone()
        if several and several[0]:
            raise SourceError(
                f"{several[0]:,} clusters have rows in several arms",
                where=str(self.question.path),
                mend="name the column by which arms were assigned",
            )
        segment = (
            f", min({_name(self.question.segment)}) AS {_name(self.question.segment)}" if self.question.segment else ""
        )
        self.connection.execute(
            f"CREATE TEMP TABLE clusters AS SELECT {cluster}, min({variant}) AS {variant}, count(*)::DOUBLE AS gz_rows, {sums}{segment} FROM {self.source} GROUP BY {cluster}"
        )
        self.source = "clusters"

    def _units(self) -> int:
        """Units in several arms are left out and counted; a unit with several rows in one arm is an error."""
        unit, variant = _name(self.question.unit), _name(self.question.variant)
        row = self.connection.execute(
            f"SELECT count(*) FILTER (arms > 1), count(*) FILTER (arms = 1 AND n > 1), count(*) FILTER (u IS NULL) FROM "
            f"(SELECT {unit} AS u, count(*) AS n, count(DISTINCT {variant}) AS arms FROM {self.source} GROUP BY 1)"
        ).fetchone()
        crossed, twice, none = row or (0, 0, 0)
        if none:
            self.exclusions.append(f"rows without a value of {self.question.unit!r} were left out")
            self.source = f"(SELECT * FROM {self.source} WHERE {unit} IS NOT NULL)"
        if twice:
            raise SourceError(
                f"{twice:,} units have several rows",
                where=f"{self.question.path}, column {self.question.unit!r}",
                mend="give one row a unit; if rows lie below the unit of assignment, name it with --cluster instead",
            )
        if crossed:
            self.exclusions.append(f"{crossed:,} units seen in several arms were left out")
            self.source = f"(SELECT * FROM {self.source} WHERE {unit} NOT IN (SELECT {unit} FROM {self.source} GROUP BY 1 HAVING count(DISTINCT {variant}) > 1))"
        return int(crossed)

    def _measures(self, limits: Mapping[str, float]) -> list[str]:
        """SQL of n and of every metric's moments."""
        found = ["count(*) AS n"]
        for metric in self.question.metrics:
            value = f"{_name(metric.column)}::DOUBLE"
            if metric.kind == "capped":
                value = f"least({value}, {limits[metric.name]!r}::DOUBLE)"
            column = column_of(metric.name)
            found += [f"avg({value}) AS {column}_mean", f"var_samp({value}) AS {column}_var"]
            below = metric.denominator and f"{_name(metric.denominator)}::DOUBLE"
            if self.question.cluster and metric.kind != "ratio":
                below = "gz_rows"
            before = (
                self.question.covariate
                and metric.kind in {"proportion", "mean", "count", "capped"}
                and not self.question.cluster
            )
            for part, other in (("den", below), ("pre", before and f"{_name(self.question.covariate)}::DOUBLE")):
                if other:
                    found += [
                        f"avg({other}) AS {column}_{part}_mean",
                        f"var_samp({other}) AS {column}_{part}_var",
                        f"covar_samp({value}, {other}) AS {column}_{part}_cov",
                    ]
        return found

    def _arms(self) -> pd.DataFrame:
        """Moments per arm in one scan; where a value is missing, in a second one over the rows that are whole."""
        variant = _name(self.question.variant)
        counts = ", ".join(f"count({_name(c)}) AS {_name('there ' + c)}" for c in self._values)
        limits = self._limits()
        sql = f"SELECT {variant}::VARCHAR AS variant, {', '.join(self._measures(limits))}, {counts} FROM {self.source} GROUP BY 1 ORDER BY 1"
        try:
            frame = self._frame(sql)
        except Exception as error:  # an infinite value stops DuckDB's variance
            if "out of range" not in str(error).lower():
                raise
            frame = None
        if frame is None or self._incomplete(frame):
            self._leave_out()
            limits = self._limits()
            sql = f"SELECT {variant}::VARCHAR AS variant, {', '.join(self._measures(limits))} FROM {self.source} GROUP BY 1 ORDER BY 1"
            frame = self._frame(sql)
        frame = frame[[c for c in frame.columns if not c.startswith("there ")]]
        self._check_arms([str(v) for v in frame["variant"]])
        for metric in self.question.metrics:
            if metric.kind == "proportion" and not self.question.cluster:
                self._check_shares(frame, metric)
        return frame

    def _incomplete(self, frame: pd.DataFrame) -> bool:
        whole = all((frame[f"there {c}"] == frame["n"]).all() for c in self._values)
        numbers = frame.drop(columns="variant").fillna({c: 0.0 for c in frame.columns if c.endswith(("_var", "_cov"))})
        finite = all(math.isfinite(float(v)) for row in numbers.to_numpy() for v in row)
        return not whole or not finite or bool(frame["variant"].isna().any())

    def _leave_out(self) -> None:
        """Rows with a missing or infinite value, counted by column and said."""
        bad = {c: f"({_name(c)} IS NULL OR NOT isfinite({_name(c)}::DOUBLE))" for c in self._values}
        bad = {**bad, self.question.variant: f"{_name(self.question.variant)} IS NULL"}
        row = (
            self.connection.execute(
                f"SELECT {', '.join(f'count(*) FILTER ({b})' for b in bad.values())} FROM {self.source}"
            ).fetchone()
            or ()
        )
        for column, count in zip(bad, row, strict=True):
            if count:
                self.exclusions.append(f"{count:,} rows without a finite value in {column!r} were left out")
        self.source = f"(SELECT * FROM {self.source} WHERE NOT ({' OR '.join(bad.values())}))"

    def _limits(self) -> dict[str, float]:
        capped = [m for m in self.question.metrics if m.kind == "capped"]
        if not capped:
            return {}
        parts = ", ".join(
            f"quantile_cont({_name(m.column)}::DOUBLE, {m.quantile}) FILTER (isfinite({_name(m.column)}::DOUBLE))"
            for m in capped
        )
        row = self.connection.execute(f"SELECT {parts} FROM {self.source}").fetchone() or ()
        return {m.name: float(v) if v is not None else 0.0 for m, v in zip(capped, row, strict=True)}

    def _check_arms(self, arms: Sequence[str]) -> None:
        where = f"{self.question.path}, column {self.question.variant!r}"
        if not arms:
            raise SourceError(
                "no row is left to analyse",
                where=where,
                mend="look at the exclusions: " + ("; ".join(self.exclusions) or "the file has no rows"),
            )
        if len(arms) > MOST_ARMS:
            raise SourceError(
                f"it has {len(arms):,} different values, too many for arms",
                where=where,
                mend="name the column with the arms",
            )
        if len(arms) == 1:
            raise SourceError(f"there is only one arm, {arms[0]!r}", where=where, mend="a comparison needs two")
        if self.control not in arms:
            raise SourceError(
                f"no row is of the control {self.control!r}",
                where=where,
                mend=f"--control is one of: {', '.join(arms)}",
            )

    def _check_shares(self, frame: pd.DataFrame, metric: FileMetric) -> None:
        """0 and 1 alone have the variance p (1 - p) n / (n - 1)."""
        column = column_of(metric.name)
        for row in frame.to_dict("records"):
            n, p, variance = int(row["n"]), float(row[f"{column}_mean"]), float(row[f"{column}_var"])
            if n > 1 and (not 0 <= p <= 1 or abs(variance - p * (1 - p) * n / (n - 1)) > 1e-9):  # noqa: PLR2004  rounding
                raise SourceError(
                    f"column {metric.column!r} holds other values than 0 and 1",
                    where=str(self.question.path),
                    mend=f"write {metric.name}:mean:{metric.column}, or name a column of 0 and 1",
                )

    def _quantiles(self, metrics: Sequence[FileMetric], arms: pd.DataFrame) -> pd.DataFrame:
        parts = []
        for metric in metrics:
            for row in arms.to_dict("records"):
                n, q = int(row["n"]), metric.quantile
                half = Z * math.sqrt(q * (1 - q) / n)
                ranks = [min(1.0, max(0.0, r)) for r in (q, q - half, q + half)]
                marks = ", ".join(
                    f"quantile_disc({_name(metric.column)}::DOUBLE, {r!r}) AS {name}"
                    for r, name in zip(ranks, ("quantile", "low", "high"), strict=True)
                )
                variant = str(row["variant"])
                parts.append(
                    f"SELECT {_text(metric.name)} AS metric, {_text(variant)} AS variant, {marks} FROM {self.source} WHERE {_name(self.question.variant)}::VARCHAR = {_text(variant)}"
                )
        return self._frame(" UNION ALL ".join(parts))

    def _segments(self) -> pd.DataFrame:
        title = self.question.segment
        first = self.question.metrics[0]
        whole = self.question
        self.question = FileQuestion(**{**whole.__dict__, "metrics": (first,)})
        measures = ", ".join(self._measures(self._limits()))
        self.question = whole
        frame = self._frame(
            f"SELECT {_text(title)} AS segment, coalesce({_name(title)}::VARCHAR, 'unknown') AS value, {_name(whole.variant)}::VARCHAR AS variant, {measures} FROM {self.source} GROUP BY 2, 3 ORDER BY 2, 3"
        )
        if (found := frame["value"].nunique()) > 50:  # noqa: PLR2004  a chart of more says nothing
            raise SourceError(
                f"column {title!r} has {found:,} values, too many for segments",
                where=str(whole.path),
                mend="name a column with few values",
            )
        return frame
