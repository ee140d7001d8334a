"""Words of SQL: names, literals and moments, written so that no value can be read as anything else."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date, datetime

__all__ = ["day", "endless", "literal", "moment", "name", "number", "table", "whole"]


def name(column: str) -> str:
    """A column, or a table without its schema.

    >>> name('kind'), name('a"b')
    ('"kind"', '"a""b"')
    """
    return '"' + column.replace('"', '""') + '"'


def table(path: str) -> str:
    """A table, with its schema where it has one.

    >>> table("web.clicks")
    '"web"."clicks"'
    """
    return ".".join(name(part) for part in path.split("."))


def literal(value: str | int | bool) -> str:  # noqa: FBT001  a value of a column
    """A value that a column must equal.

    >>> literal("it's"), literal(True), literal(3)
    ("'it''s'", 'TRUE', '3')
    """
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    return str(value) if isinstance(value, int) else "'" + value.replace("'", "''") + "'"


def moment(when: datetime) -> str:
    """A time without zone."""
    return f"TIMESTAMP '{when:%Y-%m-%d %H:%M:%S}'"


def day(when: date) -> str:
    """A day."""
    return f"DATE '{when:%Y-%m-%d}'"


def whole(value: str) -> str:
    """An aggregate of an arm, nothing where one of its values is none that can be added up."""
    return f"CASE WHEN SUM(broken) = 0 THEN {value} END"


def number(value: str, kind: str) -> str:
    """A value as a real number; true is 1, and an empty text is nothing."""
    if kind == "boolean":
        return f"CASE WHEN {value} THEN 1.0 WHEN NOT {value} THEN 0.0 END"
    return f"CAST(NULLIF(TRIM({value}), '') AS DOUBLE)" if kind == "string" else f"CAST({value} AS DOUBLE)"


def endless(value: str) -> str:
    """Whether a value is none that can be added up."""
    return f"{value} IN (CAST('NaN' AS DOUBLE), CAST('Infinity' AS DOUBLE), CAST('-Infinity' AS DOUBLE))"
