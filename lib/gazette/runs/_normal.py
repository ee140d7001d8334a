"""Give an executed notebook the same bytes wherever and whenever it ran, and take the record out of it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from gazette.errors import NotebookError
from gazette.record import RECORD_MIME, Record, canonical_json, in_lines, joined
from gazette.secrets import redact

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["normalise", "take_record"]

ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
KERNEL = re.compile(r"\bipykernel_\d+\b")  # in the name of a cell's file, with the process id
ADDRESS = re.compile(r"\b0x[0-9a-f]{6,}\b")


def clean(text: str, paths: Mapping[str, str]) -> str:
    """Text without colours, memory addresses, process ids and paths of this machine."""
    text = KERNEL.sub("ipykernel", ADDRESS.sub("0x…", ANSI.sub("", text)))
    for path, name in sorted(paths.items(), key=lambda item: -len(item[0])):
        text = text.replace(path, name)
    return text


def _clean(value: Any, paths: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return clean(value, paths)
    if isinstance(value, list):
        return [_clean(v, paths) for v in value]
    if isinstance(value, dict):
        return {k: _clean(v, paths) for k, v in value.items()}
    return value


def normalise(notebook: dict[str, Any], paths: Mapping[str, str]) -> str:
    """Canonical text of an executed notebook.

    Args:
        notebook: As Papermill wrote it.
        paths: Machine path to what stands for it.
    """
    cells = []
    for number, cell in enumerate(notebook["cells"]):
        tags = cell.get("metadata", {}).get("tags", [])
        if "papermill-error-cell-tag" in tags:
            continue
        kept = {
            "cell_type": cell["cell_type"],
            "id": "injected-parameters" if "injected-parameters" in tags else cell.get("id", f"cell-{number}"),
            "metadata": {"tags": tags} if tags else {},
            "source": cell["source"],
        }
        if cell["cell_type"] == "code":
            kept["execution_count"] = cell.get("execution_count")
            kept["outputs"] = _outputs(cell.get("outputs", []), paths)
        cells.append(kept)
    spec = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": spec, "language_info": {"name": "python"}}
    return canonical_json(in_lines({"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}))


def _outputs(outputs: list[dict[str, Any]], paths: Mapping[str, str]) -> list[dict[str, Any]]:
    kept: list[dict[str, Any]] = []
    for output in outputs:
        item = _clean({k: v for k, v in output.items() if k != "transient"}, paths)
        if item["output_type"] == "error":  # drivers quote the addresses that they were given
            item |= {"evalue": redact(item["evalue"]), "traceback": [redact(line) for line in item["traceback"]]}
        previous = kept[-1] if kept else {}
        if item["output_type"] == "stream":
            item["text"] = joined(item["text"])
            if previous.get("output_type") == "stream" and previous["name"] == item["name"]:
                previous["text"] += item["text"]
                continue
        kept.append(item)
    return kept


def take_record(notebook: dict[str, Any]) -> Record:
    """The one record among a notebook's outputs.

    Raises:
        NotebookError: There is none, more than one, or it is malformed.
    """
    found = [
        output["data"][RECORD_MIME]
        for cell in notebook["cells"]
        for output in cell.get("outputs", [])
        if RECORD_MIME in output.get("data", {})
    ]
    if len(found) != 1:
        raise NotebookError(
            f"the notebook emitted {len(found)} records instead of one" if found else "the notebook emitted no record",
            mend="end it with a single call of emit()",
        )
    content = found[0] if isinstance(found[0], dict) else json.loads(joined(found[0]))
    try:
        return Record.model_validate(content)
    except ValidationError as error:
        raise NotebookError(f"the record is malformed: {error}", mend="emit it with the workbench") from error
