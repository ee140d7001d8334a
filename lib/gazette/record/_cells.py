"""Text in notebooks: a list of lines with their ends, as nbformat writes it; one string is as valid, and read as well."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["in_lines", "joined"]

SPLIT = ("text/", "image/svg+xml")  # the data that nbformat splits; all else is base64 or JSON


def joined(text: Any) -> str:
    r"""The text of a cell or an output, in either form.

    >>> joined(["a\n", "b"]), joined("a")
    ('a\nb', 'a')
    """
    return text if isinstance(text, str) else "".join(text)


def in_lines(notebook: Mapping[str, Any]) -> dict[str, Any]:
    r"""A notebook whose texts are all lists of lines; Quarto takes one string for one line.

    >>> in_lines({"cells": [{"cell_type": "markdown", "source": "a\nb"}]})["cells"][0]["source"]
    ['a\n', 'b']
    """
    return {**notebook, "cells": [_cell(cell) for cell in notebook["cells"]]}


def _lines(text: Any) -> list[str]:
    return joined(text).splitlines(keepends=True)


def _cell(cell: Mapping[str, Any]) -> dict[str, Any]:
    outputs = {"outputs": [_output(o) for o in cell["outputs"]]} if "outputs" in cell else {}
    return {**cell, "source": _lines(cell["source"]), **outputs}


def _output(output: Mapping[str, Any]) -> dict[str, Any]:
    if "text" in output:
        return {**output, "text": _lines(output["text"])}
    if "data" not in output:
        return dict(output)
    data = {k: _lines(v) if k.startswith(SPLIT) else v for k, v in output["data"].items()}
    return {**output, "data": data}
