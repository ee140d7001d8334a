"""Cells of few: no group of fewer people or rows than the project says is kept, nor can be worked out from those that are."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Mapping, Sequence

    from gazette.sources import Answer

__all__ = ["OTHER", "SMALL_CELLS", "left_out", "without_small_cells"]

SMALL_CELLS = "small_cells"  # the answer that says what was left out
OTHER = "(other)"  # words of a feature that count together
Row = dict[str, Any]


def left_out(cells: Mapping[str, Mapping[Any, int]], fewest: int, taken: Iterable[str] = ()) -> set[str]:
    """Which cells of one table are not shown, so that no small one is, and the sum of those left out is not small either.

    The smallest others go with them until, in every column, those left out are none or at least ``fewest`` together: what is
    published of all, less what is shown, is then of as many (complementary suppression, Cox 1980,
    https://doi.org/10.1080/01621459.1980.10477481, in its simplest form: one table, one sum).

    Args:
        cells: Units by cell and column, such as a segment's value and an arm; a column that a cell lacks has none of it.
        fewest: Units that a cell must have to be shown.
        taken: Cells that are left out anyway.

    >>> sorted(left_out({"at": {"a": 3, "b": 40}, "ch": {"a": 60, "b": 55}, "de": {"a": 900, "b": 910}}, 10))
    ['at', 'ch']
    """
    gone = {c for c, ns in cells.items() if any(0 < n < fewest for n in ns.values())} | {*taken} & {*cells}
    rest = sorted((c for c in cells if c not in gone), key=lambda c: (sum(cells[c].values()), c))
    columns = {column for ns in cells.values() for column in ns}
    while rest and any(0 < sum(cells[c].get(column, 0) for c in gone) < fewest for column in columns):
        gone.add(rest.pop(0))
    return gone


def without_small_cells(answers: Sequence[Answer], fewest: int) -> list[Answer]:
    """Answers of one subject without cells of fewer than so many users, or rows of a model; what was left out is an answer more.

    Segments lose values, an effect by days since exposure its days, and words of a feature count with the others.
    """
    import pyarrow as pa  # noqa: PLC0415  slow to import

    edges: list[str] = next((a.table.column_names for a in answers if a.name == "drift_edges"), [])
    numeric = {column.rpartition("__")[0] for column in edges}
    ways: dict[str, Callable[[Sequence[Row], int], tuple[list[Row], dict[str, int]]]] = {
        "segments": _segments,
        "segments_paired": _by_group,
        "effect_by_day": _days,
        "drift": lambda rows, k: _words(rows, k, numeric),
    }
    found, told = [], []
    for answer in answers:
        if fewest < 2 or (way := ways.get(answer.name)) is None:  # noqa: PLR2004  a cell of one is the smallest
            found.append(answer)
            continue
        rows = answer.table.to_pylist()
        kept, gone = way(rows, fewest)
        if gone:
            answer = replace(answer, table=pa.Table.from_pylist(kept, schema=answer.table.schema))  # noqa: PLW2901
            told += [{"query": answer.name, "of": of, "cells": n, "fewest": fewest} for of, n in sorted(gone.items())]
        found.append(answer)
    if told:
        kinds = [("query", pa.string()), ("of", pa.string()), ("cells", pa.int64()), ("fewest", pa.int64())]
        text = (
            "Cells that are left out because they, or what could be worked out with them, are of fewer than so many.\n"
        )
        found.append(
            replace(answers[0], name=SMALL_CELLS, sql=text, table=pa.Table.from_pylist(told, schema=pa.schema(kinds)))
        )
    return found


def _label(value: Any) -> str:
    """None is another value than an empty text."""
    return "n" if value is None else f"v{value}"


def _parted(
    rows: Sequence[Row],
    fewest: int,
    table: Callable[[Row], Any],
    cell: Callable[[Row], str],
    column: Callable[[Row], Any],
) -> dict[Any, set[str]]:
    """Per table, the cells that are left out."""
    tables: dict[Any, dict[str, dict[Any, int]]] = {}
    for row in rows:
        tables.setdefault(table(row), {}).setdefault(cell(row), {})[column(row)] = int(row["n"])
    return {key: left_out(cells, fewest) for key, cells in tables.items()}


def _segments(rows: Sequence[Row], fewest: int) -> tuple[list[Row], dict[str, int]]:
    """Of a test: values of a property in all arms alike; of a model: in each week and version by itself."""
    if rows and "variant" not in rows[0]:
        return _by_group(rows, fewest)
    gone = _parted(rows, fewest, lambda r: r["segment"], lambda r: _label(r["value"]), lambda r: r["variant"])
    kept = [r for r in rows if _label(r["value"]) not in gone[r["segment"]]]
    return kept, {str(of): len(cells) for of, cells in gone.items() if cells}


def _by_group(rows: Sequence[Row], fewest: int) -> tuple[list[Row], dict[str, int]]:
    def group(row: Row) -> tuple[Any, ...]:
        return row["segment"], row["week"], row.get("version")

    gone = _parted(rows, fewest, group, lambda r: _label(r["of"]), lambda _: 0)
    kept = [r for r in rows if _label(r["of"]) not in gone[group(r)]]
    said: dict[str, int] = {}
    for (of, _, _), cells in gone.items():
        said[str(of)] = said.get(str(of), 0) + len(cells)
    return kept, {of: n for of, n in said.items() if n}


def _days(rows: Sequence[Row], fewest: int) -> tuple[list[Row], dict[str, int]]:
    def day(row: Row) -> str:
        return f"{int(row['day']):06}"

    gone = _parted(rows, fewest, lambda _: 0, day, lambda r: r["variant"]).get(0, set())
    return [r for r in rows if day(r) not in gone], {"day": len(gone)} if gone else {}


def _words(rows: Sequence[Row], fewest: int, numeric: Container[str]) -> tuple[list[Row], dict[str, int]]:
    """Words that few rows have count with the others, which become as many."""
    tables: dict[str, dict[str, dict[str, int]]] = {}
    for row in (r for r in rows if r["feature"] not in numeric):
        tables.setdefault(row["feature"], {}).setdefault(str(row["bin"]), {})[row["part"]] = int(row["n"])
    gone = {f: left_out(cells, fewest, {OTHER}) - {OTHER} for f, cells in tables.items()}
    gone = {f: words for f, words in gone.items() if words}
    if not gone:
        return list(rows), {}
    kept: dict[tuple[str, str, str], Row] = {}
    for row in rows:
        merged = row["bin"] in gone.get(row["feature"], ())
        name = OTHER if merged else row["bin"]
        key = (row["feature"], name, row["part"])
        n = int(row["n"]) + (int(kept[key]["n"]) if key in kept else 0)
        kept[key] = {**row, "bin": name, "n": n}
    return [kept[key] for key in sorted(kept)], {f: len(words) for f, words in gone.items()}
