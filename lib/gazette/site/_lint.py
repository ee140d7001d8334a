"""What engines leave silent: checks of staged and of rendered pages, each problem in one line."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from posixpath import normpath
from typing import Any
from urllib.parse import unquote, urlsplit

import yaml

__all__ = ["lint_site", "lint_sources"]

VOID = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"})
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
LOADS = {
    "script": "src",
    "img": "src",
    "link": "href",
    "iframe": "src",
    "source": "src",
    "video": "src",
    "audio": "src",
    "embed": "src",
    "object": "data",
    "use": "href",
}
FENCE = re.compile(r"^(`{3,}|~{3,})")
DIV = re.compile(r"^(:{3,})\s*(\S.*)?$")
CSS_LOAD = re.compile(r"url\(\s*['\"]?([^'\")]+)|@import\s+['\"]([^'\"]+)")
TYPED = re.compile(
    r"[$€£]\s?\d+(?:[.,]\d+)*|\d+(?:[.,]\d+)*\s?(?:%|per\s?cent|percentage\s+points|points)(?!\w)", re.IGNORECASE
)
CODE = re.compile(r"(`{3,})[^\n]*\n.*?\n\1|`[^`\n]+`", re.DOTALL)
NOT_A_NUMBER = re.compile(r"(?<![\w.])(?:nan|NaN|NaT|-?inf|undefined|<NA>)(?![\w.])")


def lint_sources(stage: Path) -> list[str]:
    """Problems of staged pages: unclosed divs, cell options that an engine would drop, unbalanced HTML."""
    problems = []
    for path in sorted([*stage.rglob("*.qmd"), *stage.rglob("*.ipynb")]):
        name = path.relative_to(stage).as_posix()
        if name.startswith("_data/"):
            continue
        if path.suffix == ".qmd":
            problems += [f"{name}: {p}" for p in _markdown(path.read_text(encoding="utf-8"))]
            continue
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            problems += [f"{name}, cell {cell['id']}: {p}" for p in _cell(cell)]
    return problems


def _cell(cell: dict[str, Any]) -> list[str]:
    if cell["cell_type"] == "markdown":
        return [*_markdown(cell["source"]), *_typed(cell["source"])]
    if cell["cell_type"] != "code":
        return []
    problems = _options(cell["source"])
    for output in cell["outputs"]:
        html = output["data"].get("text/html")
        if html:
            problems += _balance(html)
    return problems


def _typed(text: str) -> list[str]:
    """Results that a person typed into Markdown: they would stay as they are when the data change."""
    found = TYPED.search(CODE.sub(" ", text))
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


class _Rendered(HTMLParser):
    """Ids, links, loaded files and visible text of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.styles: list[str] = []
        self.text: list[str] = []
        self.refreshes: list[str] = []
        self._quiet: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {k: v or "" for k, v in attrs}
        for key in ("id", "name"):
            if values.get(key):
                self.ids.add(values[key])
        if tag == "a" and values.get("href"):
            self.links.append(values["href"])
        if tag in LOADS and values.get(LOADS[tag]):
            canonical = tag == "link" and values.get("rel") in {"canonical", "next", "prev"}
            (self.links if canonical else self.loads).append(values[LOADS[tag]])
        for part in values.get("srcset", "").split(","):
            if part.strip():
                self.loads.append(part.split()[0])
        if "style" in values:
            self.styles.append(values["style"])
        if tag in {"script", "style", "pre", "code", "title"}:
            self._quiet.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._quiet and self._quiet[-1] == tag:
            self._quiet.pop()

    def handle_data(self, data: str) -> None:
        if "style" in self._quiet:
            self.styles.append(data)
        elif not self._quiet:
            self.text.append(data)


def lint_site(site: Path, *, allowed: set[str] | None = None) -> list[str]:
    """Problems of rendered pages: what loads from another host, broken links and anchors, missing files, NaN in text.

    Args:
        site: The rendered site.
        allowed: Addresses outside the site, from its root, that its pages may link to.
    """
    pages: dict[str, _Rendered] = {}
    problems = []
    for path in sorted(site.rglob("*.html")):
        parser = _Rendered()
        parser.feed(path.read_text(encoding="utf-8"))
        pages[path.relative_to(site).as_posix()] = parser
    for name, page in pages.items():
        for address in page.loads:
            problems += [f"{name}: {p}" for p in _load(site, name, address, allowed or set())]
        for style in page.styles:
            problems += [f"{name}: its style loads {u}" for u in _foreign(style)]
        for address in page.links:
            problems += [f"{name}: {p}" for p in _link(site, name, address, pages, allowed or set())]
        if bad := NOT_A_NUMBER.search(" ".join(page.text)):
            problems.append(f"{name}: shows {bad[0]!r} to readers; publish a reason instead")
    for path in sorted(site.rglob("*.css")):
        problems += [
            f"{path.relative_to(site).as_posix()}: loads {u}"
            for u in _foreign(path.read_text(encoding="utf-8", errors="replace"))
        ]
    return problems


def _foreign(style: str) -> list[str]:
    found = [a or b for a, b in CSS_LOAD.findall(style)]
    return [u for u in found if urlsplit(u).scheme in {"http", "https"} or u.startswith("//")]


def _target(name: str, address: str) -> tuple[str, str]:
    parts = urlsplit(address)
    folder = name.rpartition("/")[0]
    path = unquote(parts.path)
    return normpath(f"{folder}/{path}" if folder else path) if path else name, unquote(parts.fragment)


def _load(site: Path, name: str, address: str, allowed: set[str]) -> list[str]:
    parts = urlsplit(address)
    if parts.scheme == "data":
        return []
    if parts.scheme or parts.netloc:
        return [f"loads {address} from another host"]
    target, _ = _target(name, address)
    if target in allowed or (site / target).is_file():
        return []
    return [f"needs the file {address}, which is not there"]


def _link(site: Path, name: str, address: str, pages: dict[str, _Rendered], allowed: set[str]) -> list[str]:
    parts = urlsplit(address)
    if parts.scheme in {"http", "https", "mailto"} or parts.netloc:
        return []
    if parts.scheme:
        return [f"links to {address}, which no reader can follow safely"]
    target, fragment = _target(name, address)
    if target in allowed:
        return []
    if target.startswith(".."):
        return [f"links to {address}, outside the site"]
    if (site / target).is_dir():
        target = f"{target}/index.html" if target != "." else "index.html"
    if not (site / target).is_file():
        return [f"links to {address}, which is not there"]
    if fragment and target in pages and fragment not in pages[target].ids:
        return [f"links to {address}, but the page has no such anchor"]
    return []
