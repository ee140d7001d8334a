"""Quarto runs this on the notebook that it renders: outputs become raw HTML, for which it adds no scripts from the web.

It needs nothing but Python.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SHORTCODE = re.compile(r"\{\{(?=[<%])|[>%](?=\}\})")
RECORD = "application/vnd.gazette.record+json"


def text_of(value: Any) -> str:
    """A text of a notebook, which is a string or a list of lines."""
    return value if isinstance(value, str) else "".join(value)


def lines_of(text: str) -> list[str]:
    """A text as a list of lines."""
    return text.splitlines(keepends=True)


def guarded(text: str) -> str:
    """Text in which Quarto finds no shortcode, which would read a file or a variable of this machine."""
    return SHORTCODE.sub("\\g<0>\u2060", text)


def markdown(html: str) -> dict[str, Any]:
    """An output that Quarto passes through."""
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", html)), default=0))
    text = f"{fence}{{=html}}\n{guarded(html)}\n{fence}\n"
    return {"output_type": "display_data", "data": {"text/markdown": lines_of(text)}, "metadata": {}}


def outputs_of(cell: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A code cell's outputs; its record is for programs."""
    for output in cell["outputs"]:
        data = output.get("data", {})
        if RECORD in data:
            continue
        yield markdown(text_of(data["text/html"])) if "text/html" in data else output


def title_of() -> str:
    """The title of the fork in this folder, every sign that could be markup as a character reference."""
    title = guarded(json.loads(Path("fork.json").read_text(encoding="utf-8"))["title"])
    return re.sub(r"[^\w\s,.;:()+%/=-]", lambda m: f"&#{ord(m[0])};", title)


def main() -> None:
    """From standard input to standard output."""
    notebook = json.load(sys.stdin)
    ran = False
    for cell in notebook["cells"]:
        cell["source"] = lines_of(text_of(cell["source"]))
        if cell["cell_type"] == "code":
            ran = ran or bool(cell["outputs"]) or bool(cell.get("execution_count"))
            cell["outputs"] = list(outputs_of(cell))
    first = notebook["cells"][0] if notebook["cells"] else {}
    if first.get("cell_type") != "raw":  # else it has a header of its own
        head = ["---\n", f"title: {json.dumps(title_of())}\n", "---"]
        notebook["cells"].insert(0, {"cell_type": "raw", "id": "header", "metadata": {}, "source": head})
    if not ran:
        said = "None of its cells has been run: run them in your editor, or add --execute to quarto render."
        note = {"cell_type": "markdown", "id": "not-run", "metadata": {}, "source": [said]}
        notebook["cells"].insert(1, note)
    json.dump(notebook, sys.stdout)


if __name__ == "__main__":
    main()
