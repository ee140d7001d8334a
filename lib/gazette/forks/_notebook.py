"""The notebook of a fork: the published cells, outputs cleared, behind a first cell that says what to compute."""

from __future__ import annotations

import ast
import hashlib
import json
from typing import TYPE_CHECKING, Any

from gazette.errors import NotebookError
from gazette.record import canonical_json, in_lines, joined

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["DEFAULTS", "cells_of", "notebook_digest", "notebook_text", "parameters_of"]

GIVEN = ("subject", "edition", "root")
DEFAULTS = {"source": "snapshot", "week": "", "start": "", "until": "", "segment": "", "arrived_by": ""}
OPEN = """\
# Finds this notebook's folder wherever Jupyter was started, and the data that the first cell asks for.
from gazette.forks import open_fork

fork = open_fork(".", {folder})
edition, root = fork.data({arguments})
fork"""
HEAD = """\
# A fork of {title}, as edition {edition} published it. Change what you like: no official edition is touched.
# Run all cells as they stand, and the numbers are those that were published."""
SOURCES = """\
source = "snapshot"      # "snapshot": the data that was published, in the folder beside this notebook.
                         # "warehouse": asks the live warehouse now, reads only, and freezes the answer into live/.
# What follows is for source = "warehouse"; the snapshot holds the published week alone.
week = {week}        # the week to report on"""
DATES = """\
start = ""               # first day of the test to count, such as {start}; empty: as planned
until = ""               # last day to count, such as {until}; empty: as planned"""
SEGMENT = """\
segment = ""             # a part alone{segments}; empty: everything
arrived_by = ""          # count rows that had arrived by then, such as "2026-12-01 09:00" (UTC); empty: the edition's cut-off"""
ABOVE = """\
# This page reads the records of other pages, which lie in edition/records/; edit those, or fork the subjects themselves."""


def _tags(cell: Mapping[str, Any]) -> list[str]:
    return [*cell.get("metadata", {}).get("tags", [])]


def _assigned(source: str) -> dict[str, str]:
    """Names that a cell assigns, with their values as Python text."""
    found = {}
    for node in ast.parse(source).body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        targets = [node.target] if isinstance(node, ast.AnnAssign) and node.value is not None else targets
        for target in targets:
            if isinstance(target, ast.Name) and isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value:
                found[target.id] = ast.unparse(node.value)
    return found


def _code(cell_id: str, source: str, tags: Sequence[str] = ()) -> dict[str, Any]:
    metadata = {"tags": [*tags]} if tags else {}
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": cell_id,
        "metadata": metadata,
        "outputs": [],
        "source": source,
    }


def notebook_text(
    executed: Mapping[str, Any],
    *,
    title: str,
    edition: str,
    kind: str,
    folder: str,
    segments: Sequence[str] = (),
    dates: tuple[str, str] = ("", ""),
) -> str:
    """The notebook as a file.

    Args:
        executed: The edition's own notebook.
        title: Of the subject.
        edition: Its week.
        kind: Of the record.
        folder: Where the fork lies.
        segments: Properties that the subject's parameters name.
        dates: First and last day of an experiment.
    """
    own: dict[str, str] = {}
    for cell in executed["cells"]:
        if {"parameters", "injected-parameters"} & {*_tags(cell)}:
            own |= _assigned(joined(cell["source"]))
    lines = [HEAD.format(title=json.dumps(title, ensure_ascii=False), edition=edition), f"subject = {own['subject']}"]
    names: list[str] = []
    if kind in {"model", "experiment"}:
        names = [n for n in DEFAULTS if kind == "experiment" or n not in {"start", "until"}]
        lines.append(SOURCES.format(week=json.dumps(edition)))
        if kind == "experiment":
            lines.append(DATES.format(start=json.dumps(dates[0]), until=json.dumps(dates[1])))
        could = " or ".join(json.dumps(f"{s}=…", ensure_ascii=False) for s in segments)
        lines.append(SEGMENT.format(segments=f": {could}" if could else ""))
    else:
        lines.append(ABOVE)
    lines += [f"{name} = {value}" for name, value in own.items() if name not in GIVEN]
    arguments = ", ".join(f"{n}={n}" for n in names)
    cells = [
        _code("parameters", "\n".join(lines), ["parameters"]),
        _code("fork", OPEN.format(folder=json.dumps(folder, ensure_ascii=False), arguments=arguments)),
    ]
    for cell in executed["cells"]:
        if {"parameters", "injected-parameters"} & {*_tags(cell)}:
            continue
        source = joined(cell["source"])
        if cell["cell_type"] == "code":
            cells.append(_code(cell["id"], source, _tags(cell)))
        else:
            cells.append({"cell_type": cell["cell_type"], "id": cell["id"], "metadata": {}, "source": source})
    spec = {"display_name": "Python 3", "language": "python", "name": "python3"}
    content = {
        "cells": cells,
        "metadata": {"kernelspec": spec, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return canonical_json(in_lines(content))


def cells_of(notebook: Mapping[str, Any]) -> dict[str, str]:
    """Id to source of each cell, in order; blank cells at the end are not counted, for editors leave them."""
    found = {str(c.get("id", f"cell-{i}")): joined(c["source"]) for i, c in enumerate(notebook["cells"])}
    return {k: v for k, v in found.items() if v.strip()}


def notebook_digest(notebook: Mapping[str, Any]) -> str:
    """SHA-256 of a notebook's cells, whatever their outputs are."""
    return hashlib.sha256(canonical_json([*cells_of(notebook).items()]).encode()).hexdigest()


def parameters_of(notebook: Mapping[str, Any]) -> dict[str, str]:
    """What the first cell sets, as Python text.

    Raises:
        NotebookError: The cell is gone or is not Python.
    """
    cells = [c for c in notebook["cells"] if "parameters" in _tags(c)]
    try:
        return _assigned(joined(cells[0]["source"]))
    except (IndexError, SyntaxError) as error:
        what = f"is not Python: {error}" if cells else "is gone"
        raise NotebookError(f"the cell tagged 'parameters' {what}", mend="mend it, or fork again") from error
