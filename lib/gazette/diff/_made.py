"""Code, versions and frozen queries of two editions beside each other; pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gazette.diff._found import CodeChange, DataChange

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gazette.diff._side import FrozenQuery, Side

__all__ = ["changed_code", "changed_data"]

FIRST = ("gazette", "library", "python", "engine")  # versions that say most, before packages by name
LAST = ("environment",)  # a digest over all packages
TIMES = re.compile(
    r"MAKE_(?:TIMESTAMP|DATE)\([^)]*\)|\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?)?|\d{4}-W\d\d|\b1[5-9]\d{8}\b"
)
HOW = ("columns", "gone", "new", "text", "dates", "rows")


def changed_code(before: Side, after: Side) -> Iterator[CodeChange]:
    """Cells of notebooks, told once where many pages share a template; then the library, versions of packages."""
    cells: dict[tuple[str, str | None, str | None], list[str]] = {}
    for page in sorted(before.cells.keys() & after.cells.keys()):
        was, now = before.cells[page], after.cells[page]
        for cell in dict.fromkeys([*now, *was]):
            if was.get(cell) != now.get(cell):
                cells.setdefault((cell, was.get(cell), now.get(cell)), []).append(page)
    for (cell, source, source_now), pages in sorted(cells.items(), key=lambda c: (-len(c[1]), c[1], c[0][0])):
        yield CodeChange("cell", cell, tuple(pages), source, source_now)
    known = bool(before.packages and after.packages)  # where one edition does not say, nothing came or went
    old, new = ({**(side.packages if known else {}), **side.versions} for side in (before, after))
    for name in sorted(old.keys() | new.keys(), key=_version_key):
        if old.get(name) != new.get(name):
            yield CodeChange("version", name, (), old.get(name), new.get(name))


def _version_key(name: str) -> tuple[int, str]:
    return (FIRST.index(name) if name in FIRST else len(FIRST) + (name in LAST)), name


def changed_data(
    before: Mapping[tuple[str, str], FrozenQuery], after: Mapping[tuple[str, str], FrozenQuery]
) -> Iterator[DataChange]:
    """Queries that are not what they were: another schema first, then those that went or came, another text, other rows."""
    found = [
        c for key in before.keys() | after.keys() if (c := _query(key, before.get(key), after.get(key))) is not None
    ]
    yield from sorted(found, key=_data_key)


def _data_key(change: DataChange) -> tuple[object, ...]:
    was, now = (r or 0 for r in change.rows)
    share = abs(now - was) / max(was, 1)
    how = "dates" if change.dates else change.how
    return HOW.index(how), -share, change.snapshot, change.query


def _query(key: tuple[str, str], old: FrozenQuery | None, new: FrozenQuery | None) -> DataChange | None:
    if old is None or new is None:
        rows, digests = (
            (None if q is None else q.rows for q in (old, new)),
            (None if q is None else q.digest for q in (old, new)),
        )
        return DataChange(
            *key, "new" if old is None else "gone", (next(rows), next(rows)), (next(digests), next(digests))
        )
    pair = (old.rows, new.rows), (old.digest, new.digest)
    if old.columns and new.columns and old.columns != new.columns:
        return DataChange(*key, "columns", *pair, _schema(old.columns, new.columns), _schema(new.columns, old.columns))
    if old.sql != new.sql:
        return DataChange(
            *key, "text", *pair, old.sql, new.sql, dates=TIMES.sub("?", old.sql) == TIMES.sub("?", new.sql)
        )
    return DataChange(*key, "rows", *pair) if old.digest != new.digest else None


def _schema(columns: Mapping[str, str], other: Mapping[str, str]) -> str:
    """The columns that the other has not, or has with another type."""
    return ", ".join(f"{name} {kind}" for name, kind in columns.items() if other.get(name) != kind) or "nothing else"
