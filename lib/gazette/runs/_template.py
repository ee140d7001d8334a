"""Read a template and check parameters against its parameters cell."""

from __future__ import annotations

import ast
import difflib
import json
from typing import TYPE_CHECKING, Any

from gazette.errors import NotebookError
from gazette.record import joined

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["check_parameters", "read_template"]


def read_template(path: Path) -> dict[str, Any]:
    """The notebook as JSON.

    Raises:
        NotebookError: It is missing or not a notebook.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        cells = content["cells"]
        if content["nbformat"] < 4 or not isinstance(cells, list):  # noqa: PLR2004  the format with cells
            raise KeyError("nbformat")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise NotebookError(
            f"the template is not a notebook that can be read: {error}", where=str(path), mend="restore it from git"
        ) from error
    return dict(content)


def check_parameters(template: Path, parameters: Mapping[str, object]) -> None:
    """Refuse a parameter that the template's parameters cell does not assign; Papermill itself only warns.

    Raises:
        NotebookError: An unknown parameter, or no parameters cell.
    """
    cells = [c for c in read_template(template)["cells"] if "parameters" in c.get("metadata", {}).get("tags", [])]
    if not cells:
        raise NotebookError(
            "the template has no cell tagged 'parameters'", where=str(template), mend="tag the cell that assigns them"
        )
    try:
        tree = ast.parse(joined(cells[0]["source"]))
    except SyntaxError as error:
        raise NotebookError(
            f"the parameters cell is not Python: {error.msg}, line {error.lineno}",
            where=str(template),
            mend="mend that line",
        ) from error
    known = []
    for node in tree.body:
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        known += [t.id for t in targets if isinstance(t, ast.Name)]
    for name in parameters:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {close[0]!r}? " if close else ""
            raise NotebookError(
                f"unknown parameter {name!r}", where=str(template), mend=f"{hint}it takes: {', '.join(known)}"
            )
