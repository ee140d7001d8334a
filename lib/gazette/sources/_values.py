"""Values as people have them: numbers without a value, classes under other names, ids of two types."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from gazette.errors import SourceError
from gazette.sources._answer import real

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = [
    "alike",
    "class_of",
    "comparable",
    "form_of",
    "number",
    "quoted",
    "refuse_labels",
    "refuse_scores",
    "text_of",
]

TWO = 2
SHOWN = 8  # values that an error lists
ROUNDED = 1e-6  # as far beyond 0 or 1 as a probability may be for its rounding


def number(column: Any) -> Any:
    """A column as a float, null where it has no value: NULL, NaN, infinity or an empty text."""
    import ibis  # noqa: PLC0415

    kind = column.type()
    if kind.is_boolean():
        return ibis.cases((column, real(1)), (~column, real(0)))  # no cast, which not every warehouse has
    if kind.is_string():
        column = column.strip().nullif("")
    value = column.cast("float64")
    if kind.is_integer() or kind.is_decimal():
        return value
    return ibis.ifelse(value.isnan() | value.isinf(), None, value)


def class_of(column: Any, positive: str | int | bool | None, *, where: str) -> tuple[Any, Any]:  # noqa: FBT001  a label
    """A label as 1 or 0, null where it has no value or is neither; and its own value as text, null where it has none.

    Args:
        column: The labels.
        positive: The value that means 1, any other meaning 0; None where 1 and 0, or true and false, are written.
        where: The parameter file, for errors.

    Raises:
        SourceError: The column cannot hold the value that is named as positive.
    """
    import ibis  # noqa: PLC0415

    kind = column.type()
    if kind.is_boolean():
        told = column.cast("string")
        wanted: Any = True if positive is None else positive if isinstance(positive, bool) else None
        hit = column if wanted else ~column
    elif kind.is_numeric():
        value = number(column)
        told = ibis.ifelse(value.notnull(), column.cast("string"), None)
        wanted = 1 if positive is None else None if isinstance(positive, bool | str) else positive
        hit = value == wanted
        column = value
    elif kind.is_string():
        column = told = column.nullif("")
        wanted = "1" if positive is None else positive if isinstance(positive, str) else None
        hit = column == wanted
    else:
        raise SourceError(
            f"labels are of type {kind}, which names no classes",
            where=where,
            mend="use a column of numbers, booleans or text",
        )
    if wanted is None:
        raise SourceError(
            f"labels.positive: {positive!r} cannot be a value of the labels, which are of type {kind}",
            where=where,
            mend="write it as the warehouse has it; in YAML, yes and no are booleans unless they are quoted",
        )
    if positive is not None:
        return ibis.cases((hit, 1), (~hit, 0)), told
    miss = ~column if kind.is_boolean() else column == (0.0 if kind.is_numeric() else "0")
    return ibis.cases((hit, 1), (miss, 0)), told


def refuse_labels(found: Iterable[Mapping[str, Any]], positive: Any, *, where: str) -> None:
    """Raise if labels have other values than two classes.

    Args:
        found: A row per value: ``told`` as text, ``label`` (1, 0 or null), ``n`` rows; the most frequent first.
        positive: As for `class_of`.
        where: The parameter file.

    Raises:
        SourceError: With the values found.
    """
    rows = [r for r in found if r["told"] is not None]
    known = {r["label"] for r in rows}
    if positive is None and None in known:
        what, mend = "labels are not 0 and 1", "name the value that means 1 as 'labels: positive:' in the model's file"
    elif positive is not None and len(rows) > TWO:
        what, mend = "labels have more than two values", "let a view map them to two, null where nothing is known"
    elif positive is not None and len(rows) == TWO and 1 not in known:
        what = f"no label is {positive!r}, which labels.positive names"
        mend = "write it as the warehouse has it, capitals included"
    else:
        return
    listed = ", ".join(f"{r['told']!r} ({r['n']:,} rows)" for r in rows[:SHOWN])
    more = " and others" if len(rows) > SHOWN else ""
    raise SourceError(f"{what}: found {listed}{more}", where=where, mend=mend)


def refuse_scores(low: float | None, high: float | None, *, where: str) -> None:
    """Raise if scores are no probabilities.

    Raises:
        SourceError: With the range found.
    """
    if low is None or high is None or (low >= -ROUNDED and high <= 1 + ROUNDED):
        return
    raise SourceError(
        f"scores of a classifier must be probabilities from 0 to 1: found {low:g} to {high:g}",
        where=where,
        mend="log the probability, not the margin, or let a view map it",
    )


def alike(one: Any, other: Any, *, names: tuple[str, str], where: str) -> tuple[Any, Any]:
    """Two columns of ids so that they can be compared, as :func:`comparable` makes them.

    Raises:
        SourceError: One is a real number and the other is not: it cannot hold every id.
    """
    a, b = one.type(), other.type()
    if a.is_floating() != b.is_floating():
        floating, exact = (names[0], names[1]) if a.is_floating() else (names[1], names[0])
        raise SourceError(
            f"{floating} is a real number ({a if a.is_floating() else b}) and {exact} is not ({b if a.is_floating() else a}): a real number cannot hold every id",
            where=where,
            mend="store both as text or as whole numbers",
        )
    return comparable(one, other)


def comparable(one: Any, other: Any) -> tuple[Any, Any]:
    """Two columns of identifiers as they are where both are numbers or of one type, else as text."""
    a, b = one.type().copy(nullable=True), other.type().copy(nullable=True)
    return (one, other) if a == b or (a.is_numeric() and b.is_numeric()) else (text_of(one), text_of(other))


def form_of(text: str) -> str:
    """How a text is written, not what it says: letters as a, digits as 9, each run of them once.

    >>> form_of("user-0042"), form_of("ada.lovelace@example.com"), form_of(" 7.0")
    ('a-9', 'a.a@a.a', ' 9.9')
    """
    return re.sub(r"[^\W\d_]+", "a", re.sub(r"\d+", "9", text))[:40]


def quoted(text: str, most: int = 12) -> str:
    """A value as it is written where it is short, else its form: a long one may be somebody's name or address."""
    return repr(text) if len(text) <= most else f"one written like {form_of(text)!r}"


def text_of(values: Any) -> Any:
    """A column as text."""
    return values if values.type().is_string() else values.cast("string")
