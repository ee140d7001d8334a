"""The pages that an engine is given: what would be dropped, broken or misread without a word, each problem in one line.

What is checked here is what both engines read alike. Quarto's habits are as its 1.9 has them (docs/rendering.md).
"""

from __future__ import annotations

import json
import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import yaml

from gazette.record import joined

__all__ = ["lint_sources"]

PAIRED = frozenset(
    {"div", "details", "table", "figure", "ul", "ol", "dl", "p", "span", "script", "style", "section", "pre", "code"}
)
OPTIONS = frozenset(
    {
        "code-fold",
        "code-summary",
        "echo",
        "include",
        "output",
        "label",
        "column",
        "layout-ncol",
        "fig-cap",
        "fig-alt",
        "tbl-cap",
        "code-line-numbers",
        "code-overflow",
    }
)
FENCE = re.compile(r"^(`{3,}|~{3,})")
DIV = re.compile(r"^(:{3,})\s*(\S.*)?$")
TYPED = re.compile(
    r"[$€£]\s?\d+(?:[.,]\d+)*|\d+(?:[.,]\d+)*\s?(?:%|per\s?cent|percentage\s+points|points)(?!\w)", re.IGNORECASE
)
REFERENCE = re.compile(r"(?<![\w@])@(?:fig|tbl|sec|eq|lst|thm|lem|cor|exm|exr|def)-[\w-]+")
FRONT = re.compile(r"---\n(.*?)\n---(?:\n|$)", re.DOTALL)
ANCHOR = re.compile(r'<div class="gz-cell" id="([^"]*)"')
CODE = re.compile(r"(`{3,})[^\n]*\n.*?\n\1|`[^`\n]+`", re.DOTALL)


def lint_sources(stage: Path) -> list[str]:
    """Problems of staged pages: unclosed divs and raw blocks, cell options that an engine would drop, unbalanced HTML, cells that Quarto misreads."""
    problems = []
    for path in sorted([*stage.rglob("*.qmd"), *stage.rglob("*.ipynb")]):
        name = path.relative_to(stage).as_posix()
        if name.startswith("_data/"):
            continue
        if path.suffix == ".qmd":
            text = path.read_text(encoding="utf-8")
            problems += [f"{name}: {p}" for p in [*_front(text), *_markdown(text)]]
            continue
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        problems += [f"{name}: {p}" for p in _anchors(cells)]
        for number, cell in enumerate(cells):
            found = [*(_front(joined(cell["source"])) if not number else []), *_lines(cell["source"]), *_cell(cell)]
            problems += [f"{name}, cell {cell['id']}: {p}" for p in found]
    return problems


def _front(text: str) -> list[str]:
    """Engines take a page's title and layout from lines between two rows of dashes at its very top."""
    found = FRONT.match(text)
    try:
        keys = yaml.safe_load(found[1]) if found else None
    except yaml.YAMLError:
        keys = None
    return (
        []
        if isinstance(keys, dict) and keys.get("title")
        else ["the page does not begin with front matter that has a title"]
    )


def _lines(text: Any) -> list[str]:
    """Quarto takes a text that is one string for one line: front matter, raw blocks and code lose their line breaks."""
    if (
        isinstance(text, list)
        and all(line.endswith("\n") for line in text[:-1])
        and "\n" not in "".join(t[:-1] for t in text)
    ):
        return []
    return ["its text is not a list of lines, as nbformat writes it"]


def _anchors(cells: list[dict[str, Any]]) -> list[str]:
    """Numbers lead to the cell that made them, by an anchor of which there is one."""
    text = "\n".join(joined(c["source"]) for c in cells if c["cell_type"] == "markdown")
    counts = Counter(ANCHOR.findall(text))
    return [f"the anchor {name} stands {n} times" for name, n in counts.items() if n > 1]


def _cell(cell: dict[str, Any]) -> list[str]:
    source = joined(cell["source"])
    if cell["cell_type"] == "markdown":
        return [*_markdown(source), *_typed(source), *_references(source)]
    if cell["cell_type"] != "code":
        return []
    problems = _options(source)
    for output in cell["outputs"]:
        for kind, content in output["data"].items():
            if kind == "text/markdown":
                problems += [*_lines(content), *_markdown(joined(content))]
            elif not kind.startswith("image/"):
                problems.append(f"an output of type {kind}: to such pages Quarto adds scripts from the web")
    return problems


def _references(text: str) -> list[str]:
    """Quarto looks for what they name, the embedded engine shows them as they stand."""
    found = REFERENCE.search(CODE.sub(" ", text))
    return [f"{found[0]!r} is a reference of Quarto's; write a link or words"] if found else []


def _typed(text: str) -> list[str]:
    """Results that a person typed into Markdown: they would stay as they are when the data change."""
    found = TYPED.search(CODE.sub(" ", text.replace("&#36;", "$")))
    return [f"{found[0]!r} is typed in its text; let a finding say it, which refers to a number"] if found else []


def _options(source: str) -> list[str]:
    lines = []
    for line in source.split("\n"):
        if not line.startswith("#|"):
            break
        lines.append(line[2:])
    try:
        found = yaml.safe_load("\n".join(lines)) if lines else {}
    except yaml.YAMLError as error:
        return [f"its '#|' lines are not YAML, so engines drop them all: {str(error).splitlines()[0]}"]
    if not isinstance(found, dict):
        return ["its '#|' lines are not 'key: value' lines, so engines drop them all"]
    return [f"unknown cell option {key!r}; known: {', '.join(sorted(OPTIONS))}" for key in found if key not in OPTIONS]


def _markdown(text: str) -> list[str]:
    open_divs: list[int] = []
    problems: list[str] = []
    fence, raw = "", [""]
    for number, line in enumerate(text.split("\n"), 1):
        mark = FENCE.match(line)
        if fence:
            if mark and mark[1].startswith(fence):
                fence = ""
                problems += _balance("\n".join(raw))
            raw.append(line)
            continue
        if mark:
            fence, raw = mark[1], []
            raw_block = "{=html}" in line
            raw = [] if raw_block else ["<!-- code"]
        elif div := DIV.match(line):
            if div[2]:
                open_divs.append(number)
            elif open_divs:
                open_divs.pop()
            else:
                problems.append(f"line {number} closes a div that is not open")
    problems += [f"the div opened in line {number} is never closed" for number in open_divs]
    if fence:
        problems.append("a code fence is never closed")
    return problems


class _Balance(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.problems: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        if tag in PAIRED:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in PAIRED:
            return
        if tag not in self.open:
            self.problems.append(f"</{tag}> closes nothing")
            return
        while self.open.pop() != tag:
            pass  # HTML closes p and li by itself; a wrong nesting shows as the outer tag left open


def _balance(html: str) -> list[str]:
    if html.startswith("<!-- code"):
        return []
    parser = _Balance()
    parser.feed(html)
    return parser.problems + [f"<{tag}> is never closed" for tag in parser.open if tag != "p"]
