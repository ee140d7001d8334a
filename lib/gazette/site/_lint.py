"""What engines leave silent in rendered pages, each problem in one line."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from posixpath import normpath
from urllib.parse import unquote, urlsplit

from gazette.site._addresses import LOST

__all__ = ["lint_site"]

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
CSS_LOAD = re.compile(r"url\(\s*['\"]?([^'\")]+)|@import\s+['\"]([^'\"]+)")
NOT_A_NUMBER = re.compile(
    r"(?<![\w.“])(?:nan|NaN|NaT|-?inf|undefined|<NA>)(?![\w.”])"
)  # a word of the data is in quotes
PROSE = 6  # words beside it that make a sentence of a text, where the word is one that somebody wrote


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
    pages.pop(LOST, None)  # shown at any depth, so its links begin at the server's root, which no folder has
    for name, page in pages.items():
        for address in page.loads:
            problems += [f"{name}: {p}" for p in _load(site, name, address, allowed or set())]
        for style in page.styles:
            problems += [f"{name}: its style loads {u}" for u in _foreign(style)]
        for address in page.links:
            problems += [f"{name}: {p}" for p in _link(site, name, address, pages, allowed or set())]
        if bad := next((b for text in page.text if (b := _no_number(text))), ""):
            problems.append(f"{name}: shows {bad!r} to readers; publish a reason instead")
    for path in sorted(site.rglob("*.css")):
        problems += [
            f"{path.relative_to(site).as_posix()}: loads {u}"
            for u in _foreign(path.read_text(encoding="utf-8", errors="replace"))
        ]
    return problems


def _no_number(text: str) -> str:
    """What stands in the place of a number; empty where nothing does."""
    found = NOT_A_NUMBER.search(text)
    if found is None or len(re.findall(r"[^\W\d_]{2,}", NOT_A_NUMBER.sub(" ", text))) >= PROSE:
        return ""
    return found[0]


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
