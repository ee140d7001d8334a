"""What is wrong with a file, whatever is asked of it: bytes, lines, columns, ids and arms, each with its count and what to do."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gazette.sources._file import columns_wrong
from gazette.sources._file_columns import Examination, look_at
from gazette.sources._file_moments import Moments
from gazette.sources._file_people import FEW, People, other_pages
from gazette.sources._file_table import FileTable, clear, header_of, is_written, open_file

if TYPE_CHECKING:
    import duckdb

    from gazette.sources._file import FileQuestion

__all__ = ["Examination", "examine_file"]

CHUNK = 1 << 20
OFTEN = 0.01  # share of rows from which on an id stands for nobody


def examine_file(question: FileQuestion, *, control: str = "") -> Examination:
    """Examine a file; columns that the question names are looked at more closely.

    Args:
        question: At least the path.
        control: The arm that others are compared with, where it is known.

    Raises:
        SourceError: There is no such file, or nothing of it can be read.
    """
    import duckdb  # noqa: PLC0415  needed only here

    found = Examination()
    with clear(question.path), duckdb.connect(":memory:") as connection:
        if is_written(question.path):
            _bytes(question.path, question.encoding, found)
        table = open_file(
            connection,
            question.path,
            encoding=question.encoding,
            missing=question.missing,
            wanted=list(question.named),
            distinct=question.distinct,
            lenient=True,
            strict=not any(f.kind == "line-ends" for f in found.findings),
        )
        if table.written:
            _header(question, found)
        found.rows = int(connection.execute("SELECT count(*) FROM file").fetchall()[0][0])
        if table.written:
            _lines(connection, found)
        for column in table.types:
            look_at(table, column, question, found)
        _repeated(table, found)
        wrong = [f for f in columns_wrong(table, question) if f.kind not in {"text", "doubled"}]  # said already
        found.findings += wrong
        _who(table, question, control, found)
    order = ("stops", "fails", "note")
    found.findings.sort(key=lambda f: order.index(f.weight))
    return found


# ---- bytes and lines


def _chunks(path: Path) -> Iterator[bytes]:
    """Whole lines, about a megabyte at a time."""
    with gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb") as stream:
        rest = b""
        while block := stream.read(CHUNK):
            head, end, rest = (rest + block).rpartition(b"\n")
            if end:
                yield head + end
        if rest:
            yield rest


def _bytes(path: Path, encoding: str, found: Examination) -> None:
    """Marks, NUL bytes, line ends and encodings."""
    lines = both = zeros = foreign = other = 0
    for i, chunk in enumerate(_chunks(path)):
        if i == 0 and _is_utf16(chunk, encoding, found):
            return
        lines += chunk.count(b"\n")
        both += chunk.count(b"\r\n")
        zeros += chunk.count(b"\x00")
        if not chunk.isascii() and encoding == "utf-8":
            good = [_decodes(line) for line in chunk.splitlines() if not line.isascii()]
            foreign, other = foreign + sum(good), other + len(good) - sum(good)
    if zeros:
        found.add("nul", f"{zeros:,} bytes are NUL", "write it again from its source", count=zeros)
    if 0 < both < lines:
        what = f"{both:,} lines end in CR LF and {lines - both:,} in LF"
        mend = r"write every line end alike: sed -i 's/\r$//' FILE"
        found.add("line-ends", what, mend, count=min(both, lines - both), weight="stops")
    if other and foreign:
        what = f"its encodings are mixed: {other:,} lines are not UTF-8, {foreign:,} are, with letters beyond ASCII"
        found.add("encoding", what, "write it again as UTF-8 from its source", count=other, weight="stops")
    elif other:
        mend = "--encoding latin-1 if that is what it is; else convert it: iconv -f WINDOWS-1252 -t UTF-8"
        found.add("encoding", f"{other:,} lines are not UTF-8", mend, count=other, weight="stops")


def _is_utf16(start: bytes, encoding: str, found: Examination) -> bool:
    """Whether it is UTF-16; notes a byte-order mark."""
    marks = {b"\xef\xbb\xbf": "utf-8", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
    mark = next((e for m, e in marks.items() if start.startswith(m)), "")
    if mark:
        wrong = mark != encoding
        mend, weight = (f"--encoding {mark}", "stops") if wrong else ("", "note")
        found.add("bom", f"it begins with a byte-order mark of {mark}", mend, count=1, weight=weight)
    return "utf-16" in {mark, encoding}


def _decodes(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def _header(question: FileQuestion, found: Examination) -> None:
    names, separator = header_of(question.path, encoding=question.encoding, wanted=list(question.named))
    if separator != ",":
        word = {";": "semicolons", "\t": "tabs", "|": "bars"}[separator]
        found.add("separator", f"its columns are separated by {word}")
    for name in dict.fromkeys(n for n in names if names.count(n) > 1):
        found.add(
            "doubled",
            f"{names.count(name)} columns are called {name!r}; the first is taken here",
            "give each column a name of its own",
            column=name,
            count=names.count(name),
            weight="stops" if name in question.named else "note",
        )
    if "" in names:
        found.add("nameless", f"{names.count('')} columns have no name", count=names.count(""))
    if blank := [n for n in names if n != n.strip()]:
        found.add(
            "blanks",
            f"{len(blank)} names of columns begin or end in blanks, such as {blank[0]!r}",
            "write the name with its blanks, in quotes",
            count=len(blank),
        )
    if all(n.replace(".", "", 1).lstrip("-").isdecimal() for n in names if n):
        found.add(
            "no-header",
            "its first line holds numbers alone, as if the names of the columns were missing",
            "add a line of names",
            count=1,
            weight="stops",
        )


def _lines(connection: duckdb.DuckDBPyConnection, found: Examination) -> None:
    """Lines that could not be read."""
    words = {
        "MISSING COLUMNS": "have too few columns",
        "TOO MANY COLUMNS": "have too many columns",
        "UNQUOTED VALUE": "hold a quotation mark that is not closed",
    }
    rows = connection.execute(
        "SELECT error_type::VARCHAR, count(DISTINCT line), min(line) FROM reject_errors GROUP BY 1 ORDER BY 1"
    ).fetchall()
    for kind, n, first in rows:
        if kind == "INVALID ENCODING" or (
            kind.startswith("INVALID") and any(f.kind == "encoding" for f in found.findings)
        ):
            continue
        what = f"{n:,} lines {words.get(kind, f'cannot be read ({kind.lower()})')}, the first is line {first:,}"
        found.add("lines", what, "mend these lines, or write the file again", count=int(n), weight="stops")


def _repeated(table: FileTable, found: Examination) -> None:
    distinct = int(table.connection.execute("SELECT count(*) FROM (SELECT DISTINCT * FROM file)").fetchall()[0][0])
    if distinct < found.rows:
        found.add(
            "repeated",
            f"{found.rows - distinct:,} rows repeat another in every column",
            "--distinct counts them once",
            count=found.rows - distinct,
        )


# ---- ids and arms


def _who(table: FileTable, question: FileQuestion, control: str, found: Examination) -> None:
    if question.unit in table.types:
        _ids(table, question.unit, found)
    if question.variant not in table.types:
        could = [c.name for c in found.columns if 2 <= c.different <= FEW and c.kind not in {"numbers", "nothing"}]  # noqa: PLR2004  a comparison
        if could and not question.variant:
            found.add(
                "arms",
                f"columns with few values, which could hold the arms: {', '.join(could)}",
                "name the column with --variant, to have it examined",
            )
        return
    named = ("unit", "cluster", "segment", "first", "matches", "covariate")
    gone: dict[str, Any] = {k: "" for k in named if getattr(question, k) not in table.types}
    there = [m for m in question.metrics if {m.column, m.denominator or m.column} <= set(table.types)]
    known = replace(question, metrics=tuple(there), **gone)
    people = People(table, known, control)
    people.count()
    found.findings += [f for f in people.findings if f.what]
    if not people.arms:
        return
    found.add(
        "arms",
        "rows by arm: " + ", ".join(f"{arm!r} {n:,}" for arm, n in people.arms.items()),
        column=question.variant,
        count=sum(people.arms.values()),
    )
    if not question.matches:
        found.findings += other_pages(people)
    if known.metrics and not any(f.weight == "stops" and f.kind in {"arms", "page", "large"} for f in found.findings):
        moments = Moments(people)
        moments.arms()
        found.findings += moments.findings


def _ids(table: FileTable, unit: str, found: Examination) -> None:
    text = table.text(unit)
    plain = "coalesce(nullif(ltrim(lower(trim(id)), '0'), ''), '0')"
    sql = f"SELECT count(*), count(DISTINCT {plain}), arg_max(id, n), max(n) FROM (SELECT {text} AS id, count(*) AS n FROM file GROUP BY 1) WHERE id IS NOT NULL"
    different, alike, often, n = table.connection.execute(sql).fetchall()[0]
    if alike < different:
        found.add(
            "alike-ids",
            f"{different - alike:,} ids of {unit!r} differ from another in leading zeros, case or blanks alone; they are different ids here",
            "write them alike if they are of one unit",
            column=unit,
            count=different - alike,
        )
    if n and n > max(10, OFTEN * found.rows):
        found.add(
            "frequent-id",
            f"the id {often!r} stands in {n:,} rows: it may stand for nobody",
            f"--missing {often!r} if it does",
            column=unit,
            count=int(n),
        )
