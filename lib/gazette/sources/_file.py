"""A file with a row per unit, read by DuckDB: aggregates of every arm in the shape that experiments have, and who was left out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from gazette.sources._file_metric import FileMetric
from gazette.sources._file_moments import Moments
from gazette.sources._file_people import Finding, People, other_pages, refuse
from gazette.sources._file_table import FileTable, clear, open_file

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FileAnswer", "FileQuestion", "columns_wrong", "read_file"]

UNACCOUNTED = ("no-arm", "spelling", "no-unit", "no-cluster")


@dataclass(frozen=True, kw_only=True)
class FileQuestion:
    """What to read; column names as in the file.

    Attributes:
        path: CSV or Parquet.
        variant: Column with the arms.
        metrics: The first is the primary one.
        unit: Column with who is who; empty where each row is a unit of its own.
        cluster: Column with the unit of assignment, where rows lie below it.
        covariate: Column with a value from before the test.
        segment: Column by whose values the primary metric is shown too.
        encoding: Of a CSV file.
        missing: Texts that mean that a value is missing.
        aliases: Arm as written to the arm that it means.
        exclude_arms: Arms to leave out; ``no variant`` and ``no id`` declare that rows without are left out.
        first: Column with a time: the first row of a unit counts.
        distinct: Whether rows that are alike in every column count once.
        matches: Column that should fit the arm, such as the page that was shown.
        pages: Its value for each arm; by default what most rows of the arm have.
    """

    path: Path
    variant: str = ""
    metrics: tuple[FileMetric, ...] = ()
    unit: str = ""
    cluster: str = ""
    covariate: str = ""
    segment: str = ""
    encoding: str = "utf-8"
    missing: tuple[str, ...] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)
    exclude_arms: tuple[str, ...] = ()
    first: str = ""
    distinct: bool = False
    matches: str = ""
    pages: Mapping[str, str] = field(default_factory=dict)

    @property
    def numbers(self) -> list[str]:
        """Columns that hold numbers."""
        found = [c for m in self.metrics for c in (m.column, m.denominator) if c]
        return list(dict.fromkeys([*found, *([self.covariate] if self.covariate else [])]))

    @property
    def named(self) -> dict[str, str]:
        """Every column that is asked for, with the option that names it."""
        found = {
            self.variant: "--variant",
            self.unit: "--unit",
            self.cluster: "--cluster",
            self.segment: "--segment",
            self.first: "--first",
            self.matches: "--matches",
            self.covariate: "--covariate",
        }
        return {c: o for c, o in {**dict.fromkeys(self.numbers, "--metric"), **found}.items() if c}


@dataclass(frozen=True)
class FileAnswer:
    """Tables as an experiment has them, and what was left out, in words.

    Besides the tables of an experiment there are ``missing`` (per metric and arm), ``caps`` and ``left_out`` (what was found about who
    was assigned, with its count, whether a check fails of it, and what can be declared).
    """

    tables: Mapping[str, pd.DataFrame]
    exclusions: tuple[str, ...]


def read_file(
    question: FileQuestion, *, control: str, shares: Sequence[str] = (), threads: int | None = None
) -> FileAnswer:
    """Aggregate the file.

    Args:
        question: What to read.
        control: The arm that others are compared with.
        shares: Arms that a ratio was planned for.
        threads: Of DuckDB; by default all cores.

    Raises:
        SourceError: The file or a column cannot be read as asked; the message says everything that is wrong and how to mend it.
    """
    import duckdb  # noqa: PLC0415  needed only here

    with clear(question.path), duckdb.connect(":memory:") as connection:
        if threads:
            connection.execute(f"SET threads = {int(threads)}")
        table = open_file(
            connection,
            question.path,
            encoding=question.encoding,
            missing=question.missing,
            wanted=list(question.named),
            distinct=question.distinct,
        )
        wrong = columns_wrong(table, question)
        if any(f.kind == "no-column" for f in wrong):
            refuse(wrong, question.path)
        people = People(table, question, control, shares, wrong)
        people.count()
        if not people.arms or any(f.kind in {"arms", "large"} for f in people.findings):
            refuse(people.findings, question.path)
        moments = Moments(people)
        tables = {"arms": moments.arms(), "missing": moments.missing()}
        if question.segment:
            tables["segments"] = moments.segments()
        if (most := moments.largest()) is not None:
            tables["largest"] = most
        found = [*people.findings, *_emptied(people, tables["arms"]), *moments.findings]
        if any(f.weight == "stops" for f in found) and not question.matches:
            found += other_pages(people)
        refuse(found, question.path)
        return _answer(people, moments, tables)


def _emptied(people: People, arms: pd.DataFrame) -> Iterator[Finding]:
    """Arms that had rows, of which nobody is left: all were seen in other arms too."""
    if gone := [arm for arm in people.arms if arm not in set(arms["variant"])]:
        what = f"nobody is left in {', '.join(map(repr, gone))}: all were seen in several arms"
        yield _stop(
            "arms", what, "name the column by which arms were assigned, or leave the arm out with --exclude-arm"
        )


def _answer(people: People, moments: Moments, tables: dict[str, pd.DataFrame]) -> FileAnswer:
    import pandas as pd  # noqa: PLC0415

    if people.crossed is not None:
        tables["exposure"] = pd.DataFrame({"units_in_several_arms": [people.crossed]})
    if moments.caps:
        tables["caps"] = pd.DataFrame(moments.caps)
    told = [f for f in people.findings if f.count or f.kind == "pages"]
    tables["left_out"] = pd.DataFrame(
        [
            {
                "kind": f.kind,
                "what": f.what,
                "count": f.count,
                "open": f.kind in UNACCOUNTED and f.weight == "fails",
                "mend": f.mend,
            }
            for f in told
        ],
        columns=["kind", "what", "count", "open", "mend"],
    )
    return FileAnswer(tables, tuple(f.what + (f" ({f.mend})" if f.mend else "") for f in told))


def columns_wrong(table: FileTable, question: FileQuestion) -> list[Finding]:
    """What stops an analysis in the columns that are asked for: not there, no numbers, ids that a column cannot hold, times that are none."""
    missing = [f"{c!r} ({o})" for c, o in question.named.items() if c not in table.types]
    found = []
    if missing:
        mend = f"its columns are: {', '.join(table.types)}"
        found.append(_stop("no-column", f"the file has no column {', '.join(missing)}", mend))
    found += [
        _stop("doubled", f"several columns are called {column!r}", "give each column a name of its own")
        for column in question.named
        if column in table.doubled
    ]
    return [*found, *_no_numbers(table, question), *_no_times(table, question), *_inexact(table, question)]


def _stop(kind: str, what: str, mend: str, count: int = 0) -> Finding:
    return Finding(kind=kind, what=what, mend=mend, count=count, weight="stops")


def _no_numbers(table: FileTable, question: FileQuestion) -> Iterator[Finding]:
    for column in question.numbers:
        n, example = _examples(table, column, "is_text")
        if n:
            what = f"column {column!r} holds text in {n:,} rows, such as {example!r}, not numbers"
            yield _stop("text", what, _mend_text(example), n)
        n, example = _examples(table, column, "is_too_large")
        if n:
            what = f"column {column!r} holds numbers too large to be added up in {n:,} rows, such as {example}"
            yield _stop("large", what, f"if they mean that nothing is there: --missing {quote(example)}", n)


WRITTEN = (
    (r"-?\d+(,\d+)+(\.\d+)?", "write numbers with a decimal point, and nothing between thousands"),
    (r"[^\w.,-]*\s*-?[\d.,]+\s*[^\w.,-]*", "write plain numbers, without a sign of a currency or of per cent"),
    (r"yes|no|y|n|t|f|on|off", "write 1 and 0, or true and false"),
)  # text that is a number to whoever wrote it, and what to do


def _mend_text(example: str) -> str:
    for pattern, mend in WRITTEN:
        if re.fullmatch(pattern, example.strip(), re.IGNORECASE):
            return mend
    return f"clean the column, or name another; if {example!r} means that nothing is there: --missing {quote(example)}"


def _no_times(table: FileTable, question: FileQuestion) -> Iterator[Finding]:
    n, example = _examples(table, question.first, "is_no_moment")
    if n:
        what = f"column {question.first!r} holds no time in {n:,} rows, such as {example!r}"
        yield _stop("time", what, "write times as 2026-11-30 09:15:00", n)


def _inexact(table: FileTable, question: FileQuestion) -> Iterator[Finding]:
    for column in dict.fromkeys((question.unit, question.cluster, question.variant, question.segment)):
        n, example = _examples(table, column, "is_inexact")
        if n:
            what = (
                f"column {column!r} is a {table.types[column].lower()}, which cannot tell large whole numbers apart: "
                f"{n:,} ids such as {float(example):.0f} may each stand for several"
            )
            yield _stop("inexact", what, "write these ids as text or as 64-bit integers", n)


def _examples(table: FileTable, column: str, fault: str) -> tuple[int, str]:
    if column not in table.types:
        return 0, ""
    row = table.connection.execute(
        f"SELECT count(*), min({table.columns[column]}::VARCHAR) FROM file WHERE {getattr(table, fault)(column)}"
    ).fetchone()
    return (int(row[0]), str(row[1])) if row else (0, "")
