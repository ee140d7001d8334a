"""Where a number's passport leads: the page and cell that made it, its query, its snapshot, its definition."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from gazette.snapshot import reopen

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

__all__ = ["cell_names", "passport_map", "query_anchor", "snapshot_anchor"]

CALL = re.compile(r"\.([a-z][a-z0-9_]*)\(")
TABLE = "_table"
DIGITS = 16


def cell_names(source: str, cell_id: str) -> list[str]:
    """Names by which numbers refer to a cell: the methods that it calls, and its own id.

    A method such as ``quality_table`` also answers to ``quality``, which is what it is a table of.

    >>> cell_names("model.quality_table()", "c3")
    ['c3', 'quality', 'quality-table']
    """
    code = "\n".join(line for line in source.split("\n") if not line.lstrip().startswith("#"))
    calls = set(CALL.findall(code))
    stems = {name.removesuffix(TABLE) for name in calls if name.endswith(TABLE)}
    named = {re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") for name in {*calls, *stems, cell_id}}
    return sorted(named - {""})


def query_anchor(subject: str, query: str) -> str:
    """Anchor of a query on the provenance page."""
    return f"query-{subject}-{query.replace('_', '-')}"


def snapshot_anchor(subject: str) -> str:
    """Anchor of a subject's snapshot on the provenance page."""
    return f"snapshot-{subject}"


def passport_map(
    edition: Path,
    *,
    week: str,
    places: Mapping[str, tuple[str, str]],
    cells: Mapping[str, Iterable[str]],
    metrics: Iterable[str],
    twice: Iterable[str] = (),
) -> str:
    """The script that passports read their links from; a script, because a page opened from a disk may not fetch.

    Args:
        edition: Folder of the edition, for its snapshots.
        week: Name of the edition.
        places: Subject to the address of its page from the edition's root, and its title.
        cells: Subject to the names of its cells that have an anchor.
        metrics: Metrics that have a page in ``metrics/``.
        twice: Numbers that were computed a second time.
    """
    snapshots: dict[str, str] = {}
    queries: dict[str, list[str]] = {}
    for folder in sorted(p for p in (edition / "snapshot").iterdir() if p.is_dir()):
        snapshot = reopen(folder)
        snapshots[snapshot.digest[:DIGITS]] = folder.name
        queries[folder.name] = sorted(q.name for q in snapshot.queries)
    content: dict[str, Any] = {
        "edition": week,
        "pages": {
            name: {"at": at, "title": title, "cells": sorted(cells.get(name, ()))}
            for name, (at, title) in sorted(places.items())
        },
        "snapshots": snapshots,
        "queries": queries,
        "metrics": sorted(metrics),
        "twice": sorted(twice),
    }
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":")).replace("<", "\\u003c")
    return f"window.gzPassports = {text};\n"
