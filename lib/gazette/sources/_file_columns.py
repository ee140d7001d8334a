"""What stands in each column of a file: kind of values, ends, and what is wrong with them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gazette.sources._file_people import Finding
from gazette.sources._file_table import FileTable, quoted

if TYPE_CHECKING:
    from gazette.sources._file import FileQuestion

__all__ = ["ColumnSeen", "Examination", "look_at"]

NOTHING = ("na", "n/a", "#n/a", "nan", "null", "none", "nil", "undefined", "-", "?", "missing", "unknown")
KEPT = {  # what is lost where such digits are read as a number: words to the pattern of whole values
    "leading zeros": "0[0-9]+",
    "more digits than a real number holds": "[1-9][0-9]{16,}|9[0-9]{15}",
    "a zero at its end": r"[0-9]+\.[0-9]*0",
}
SHORTENED = r"^[0-9](\.[0-9]+)?E\+[0-9]+$"


@dataclass(frozen=True, kw_only=True)
class ColumnSeen:
    """What stands in a column of the whole file: kind of values, how many are missing and different, and their ends."""

    name: str
    kind: str
    missing: int
    different: int
    low: str
    high: str


@dataclass
class Examination:
    """A file's rows, columns and findings, the gravest first."""

    rows: int = 0
    columns: list[ColumnSeen] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def add(
        self, kind: str, what: str, mend: str = "", *, column: str = "", count: int = 0, weight: str = "note"
    ) -> None:
        """Note a finding."""
        self.findings.append(Finding(kind=kind, what=what, mend=mend, column=column, count=count, weight=weight))


def look_at(table: FileTable, column: str, question: FileQuestion, found: Examination) -> None:
    value, any_number = table.columns[column], table.any_number(column)
    text = f"{value}::VARCHAR"
    there = f"trim({text}) <> ''"
    nothing = ", ".join(map(quoted, NOTHING))
    asked = {
        "there": f"count(*) FILTER ({there})",
        "different": f"count(DISTINCT {text}) FILTER ({there})",
        "numbers": f"count({any_number})",
        "whole": f"count(*) FILTER (isfinite({any_number}) AND {any_number} = trunc({any_number}))",
        "unbounded": f"count(*) FILTER (NOT isfinite({any_number}))",
        "low": f"min({any_number})",
        "high": f"max({any_number})",
        "first": f"min({text}) FILTER ({there})",
        "last": f"max({text}) FILTER ({there})",
        "times": f"count(TRY_CAST({text} AS TIMESTAMPTZ)) FILTER ({any_number} IS NULL)",
        "nothing": f"count(*) FILTER ({there} AND {any_number} IS NULL AND lower(trim({text})) IN ({nothing}))",
        "nothing_such": f"min({text}) FILTER ({any_number} IS NULL AND lower(trim({text})) IN ({nothing}))",
        "other": f"min({text}) FILTER ({there} AND {any_number} IS NULL)",
        "commas": rf"count(*) FILTER (regexp_matches({text}, '^-?[0-9]+,[0-9]+$'))",
        "blanks": f"count(*) FILTER ({there} AND trim({text}) <> {text})",
        "shortened": f"count(*) FILTER (regexp_matches({text}, {quoted(SHORTENED)}))",
        "booleans": f"count(*) FILTER (lower(trim({text})) IN ('true', 'false'))",
    }
    row = table.connection.execute(f"SELECT {', '.join(asked.values())} FROM file").fetchall()[0]
    seen: dict[str, Any] = dict(zip(asked, row, strict=True))
    named = {question.unit, question.cluster, question.variant, question.segment}  # which are text
    kind, kept = _kind(seen), []
    if kind in {"whole numbers", "numbers"} and table.types[column] == "VARCHAR":
        kept = [] if column in {*question.numbers, question.first} else _kept(table, column, named=column in named)
    if kept:
        kind = "text"
    numeric = kind in {"whole numbers", "numbers"} and column not in named
    ends = (
        [f"{seen[k]:.10g}" for k in ("low", "high")]
        if numeric
        else [str(seen[k])[:30] for k in ("first", "last")]
        if seen["there"]
        else ["–", "–"]
    )
    found.columns.append(
        ColumnSeen(
            name=column,
            kind=kind,
            missing=found.rows - seen["there"],
            different=seen["different"],
            low=ends[0],
            high=ends[1],
        )
    )
    for words, n, such in kept:
        what = f"{n:,} values of {column!r} have {words}, such as {such!r}: it is text as written, so nothing of them is lost"
        found.add("kept", what, column=column, count=n)
    _values(seen, column, question, found)


def _kept(table: FileTable, column: str, *, named: bool) -> list[tuple[str, int, str]]:
    """Digits that are taken as they are written: in words, how many values, and one; zeros at the end in a name or id alone, as prices have them."""
    patterns = [(w, p) for w, p in KEPT.items() if named or "." not in p]
    value = f"trim({table.columns[column]})"
    fits = [f"regexp_full_match({value}, {quoted(p)})" for _, p in patterns]
    asked = ", ".join(f"count(*) FILTER ({fit}), min({value}) FILTER ({fit})" for fit in fits)
    row = table.connection.execute(f"SELECT {asked} FROM file").fetchall()[0]
    return [(w, row[2 * i], row[2 * i + 1]) for i, (w, _) in enumerate(patterns) if row[2 * i]]


def _kind(seen: dict[str, Any]) -> str:
    there, numbers = seen["there"], seen["numbers"]
    if not there:
        return "nothing"
    if seen["booleans"] == there:
        return "true or false"
    if numbers == there:
        return "whole numbers" if seen["whole"] == there else "numbers"
    if seen["times"] == there:
        return "times"
    return "numbers and text" if numbers > there / 2 else "text"


def _values(seen: dict[str, Any], column: str, question: FileQuestion, found: Examination) -> None:
    asked, there, key = column in question.numbers, seen["there"], column in {question.unit, question.cluster}
    if there and found.rows > there:
        found.add(
            "missing",
            f"{found.rows - there:,} of {found.rows:,} rows have nothing in {column!r}",
            column=column,
            count=found.rows - there,
        )
    if seen["unbounded"]:
        found.add(
            "infinite",
            f"{seen['unbounded']:,} values of {column!r} are infinite or NaN, and count as missing",
            column=column,
            count=seen["unbounded"],
        )
    if seen["different"] == 1 and found.rows > 1:
        found.add("constant", f"{column!r} holds one value alone, {seen['first']!r}", column=column, count=there)
    if seen["commas"]:
        found.add(
            "decimal-comma",
            f"{seen['commas']:,} values of {column!r} seem to have a decimal comma",
            "write decimal points",
            column=column,
            count=seen["commas"],
            weight="stops" if asked else "note",
        )
    text = there - seen["numbers"]
    if text and text > seen["commas"] and (asked or _kind(seen) == "numbers and text"):
        such = seen["nothing_such"] if seen["nothing"] == text else seen["other"]
        mend = (
            f"--missing {such!r} if it means that nothing is there"
            if seen["nothing"] == text
            else "clean the column, or name another"
        )
        found.add(
            "text",
            f"{text:,} values of {column!r} are no numbers, such as {such!r}",
            mend,
            column=column,
            count=text,
            weight="stops" if asked else "note",
        )
    elif seen["nothing"] and seen["nothing"] < there:
        mend = f"--missing {seen['nothing_such']!r}"
        found.add(
            "nothing",
            f"{seen['nothing']:,} values of {column!r} seem to say that nothing is there, such as {seen['nothing_such']!r}",
            mend,
            column=column,
            count=seen["nothing"],
        )
    if seen["blanks"]:
        found.add(
            "blanks",
            f"{seen['blanks']:,} values of {column!r} begin or end in blanks",
            column=column,
            count=seen["blanks"],
        )
    if seen["shortened"]:
        what = f"{seen['shortened']:,} values of {column!r} look like numbers that a spreadsheet shortened: different ones may have become one"
        found.add(
            "shortened",
            what,
            "export them as text from their source",
            column=column,
            count=seen["shortened"],
            weight="fails" if key else "note",
        )
