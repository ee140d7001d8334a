"""From an executed notebook to a page that both engines read alike, with its downloads."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any

from gazette.record import RECORD_MIME, in_lines, joined
from gazette.site._passports import cell_names
from gazette.site._text import front_matter, guarded_markdown, raw_html

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Page", "to_page"]

PICTURES = ("image/svg+xml", "image/png", "image/jpeg")


@dataclass(frozen=True)
class Page:
    """A page ready for staging: the notebook for the engine, and files that it links to.

    Attributes:
        notebook: nbformat 4 content.
        files: Name to content of downloads, to lie in the page's data folder.
        cells: Names of cells that have an anchor, ``cell-`` before the name.
    """

    notebook: dict[str, Any]
    files: dict[str, str] = field(default_factory=dict)
    cells: frozenset[str] = frozenset()


def _markdown(source: str, cell_id: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "id": cell_id, "metadata": {}, "source": source}


def _html_output(html: str) -> dict[str, Any]:
    """HTML as a raw block of Markdown: to a page with an output of type ``text/html`` Quarto adds scripts from the web."""
    return _output_of("text/markdown", raw_html(html))


def _output_of(kind: str, content: str) -> dict[str, Any]:
    return {"output_type": "display_data", "data": {kind: content}, "metadata": {}}


def _pre(text: str, *, error: bool = False) -> str:
    return f'<pre class="gz-output{" gz-error" if error else ""}"><code>{escape(text)}</code></pre>'


def _output(output: dict[str, Any], data: str, files: dict[str, str]) -> list[dict[str, Any]]:
    """An output as HTML that holds no markup of others; tables leave their CSV in ``files``."""
    kind = output["output_type"]
    if kind == "stream":
        return [_html_output(_pre(joined(output["text"])))]
    if kind == "error":
        return [
            _html_output(
                _pre("\n".join(output.get("traceback", [])) or f"{output['ename']}: {output['evalue']}", error=True)
            )
        ]
    if RECORD_MIME in output["data"]:
        links = f'<a href="{data}/record.json" download>record (JSON)</a> and <a href="{data}/notebook.ipynb" download>executed notebook</a>'
        return [_html_output(f'<p class="gz-download">Everything on this page as data: {links}.</p>')]
    content = {k: joined(v) for k, v in output["data"].items() if isinstance(v, (str, list))}
    if "text/html" in content:
        html = content["text/html"]
        if "text/csv" in content:
            name = f"{output['metadata']['gazette.name']}.csv"
            files[name] = content["text/csv"]
            html += f'<p class="gz-download"><a href="{data}/{escape(name)}" download>Table as CSV</a></p>'
        return [_html_output(html)]
    picture = next((m for m in PICTURES if m in content), None)
    if picture:
        return [_output_of(picture, content[picture])]
    if "text/markdown" in content:
        return [_output_of("text/markdown", guarded_markdown(content["text/markdown"]))]
    return [_html_output(_pre(content.get("text/plain", "")))]


def to_page(notebook: dict[str, Any], *, header: Mapping[str, Any], lead: str, data: str, record: str) -> Page:
    """Stage an executed notebook.

    Args:
        notebook: As the edition holds it.
        header: Front matter.
        lead: HTML below the title.
        data: Relative address of the page's data folder.
        record: The record as JSON, for download.
    """
    files = {
        "record.json": record,
        "notebook.ipynb": json.dumps(in_lines(notebook), indent=1, ensure_ascii=False) + "\n",
    }
    cells = [
        {"cell_type": "raw", "id": "front-matter", "metadata": {}, "source": front_matter(**header)},
        _markdown(raw_html(lead), "lead"),
    ]
    anchored: set[str] = set()
    for cell in notebook["cells"]:
        tags = cell["metadata"].get("tags", [])
        if "parameters" in tags or "injected-parameters" in tags or cell["cell_type"] == "raw":
            continue
        if cell["cell_type"] == "markdown":
            cells.append(_markdown(guarded_markdown(joined(cell["source"])), cell["id"]))
            continue
        own = joined(cell["source"])
        source = own if own.startswith("#|") else f"#| code-fold: true\n{own}"
        outputs = [kept for output in cell["outputs"] for kept in _output(output, data, files)]
        names = [name for name in cell_names(own, cell["id"]) if name not in anchored]
        anchored.update(names)
        marks = "".join(f'<div class="gz-cell" id="cell-{name}"></div>' for name in names)
        if marks:
            cells.append(_markdown(raw_html(marks), f"at-{cell['id']}"))
        cells.append(
            {
                "cell_type": "code",
                "id": cell["id"],
                "metadata": {},
                "execution_count": None,
                "source": source,
                "outputs": outputs,
            }
        )
    metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    staged = in_lines({"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5})
    return Page(staged, files, frozenset(anchored))
