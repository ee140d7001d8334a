"""The last pass over rendered pages: words of the glossary explain themselves, and all text is in the site's language."""

from __future__ import annotations

import json
import re
from html import escape
from typing import TYPE_CHECKING, Any

from gazette.display import localise
from gazette.site._echo import VOID, Echo

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from gazette.params import Term

__all__ = ["finish_words"]

AS_IS = frozenset({"pre", "code", "script", "style", "textarea"})
UNEXPLAINED = frozenset(
    {
        *AS_IS,
        "a",
        "button",
        "summary",
        "label",
        "select",
        "option",
        "nav",
        "header",
        "footer",
        "title",
        "h1",
        "h2",
        "h3",
    }
    | {"h4", "h5", "h6", "dt", "th", "caption", "figcaption", "q", "blockquote"}
)
UNEXPLAINED_CLASSES = frozenset(
    {"gz-number", "gz-verdict", "gz-term", "gz-rule", "gz-controls", "gz-byline", "gz-glossary", "gz-box"}
)
ATTRIBUTES = ("title", "aria-label", "alt", "placeholder", "data-label", "data-gloss", "aria-description")
PASSPORT = ("label", "value", "interval", "method", "note")
CHART_TEXT = frozenset({"title", "text", "subtitle", "description", "label"})
ATTRIBUTE = re.compile(r"\s([a-z-]+)=(\"[^\"]*\"|'[^']*')")
SHORT_DATES = {"%d %b %Y": "%b %-d, %Y", "%d %b": "%b %-d", "%a %d %b %H:%M": "%a %b %-d %H:%M"}
LOCALES = {"british": "en-GB", "american": "en-US"}


class _Pass(Echo):
    """Writes a page again, byte for byte except for words."""

    def __init__(self, language: Any, words: Mapping[str, Term], up: str) -> None:
        super().__init__()
        self.language, self.words, self.up = language, words, up
        self.open: list[
            tuple[str, bool, bool]
        ] = []  # tag, whether its text stays as it is, whether no word is explained
        self.main = 0
        self.explained: set[str] = set()
        forms = sorted(words, key=len, reverse=True)
        self.pattern = re.compile(rf"(?<![\w-])({'|'.join(map(re.escape, forms))})(?![\w-])") if forms else None

    def _inside(self, which: int) -> bool:
        return bool(self.open) and bool(self.open[-1][which])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        text = self.get_starttag_text() or ""
        values = {k: v or "" for k, v in attrs}
        self.out.append(self._tag(tag, text, values))
        if tag in VOID:
            return
        classes = set(values.get("class", "").split())
        chart = tag == "script" and values.get("type") == "application/json"
        as_is = self._inside(1) or tag in AS_IS
        self.open.append(
            (
                "chart" if chart else tag,
                as_is,
                self._inside(2) or tag in UNEXPLAINED or bool(classes & UNEXPLAINED_CLASSES),
            )
        )
        self.main += tag == "main"

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.out.append(self._tag(tag, self.get_starttag_text() or "", {k: v or "" for k, v in attrs}))

    def _tag(self, tag: str, text: str, values: Mapping[str, str]) -> str:
        if tag == "html" and values.get("lang", "").startswith("en"):
            text = re.sub(r"lang=([\"'])[^\"']*\1", f'lang="{LOCALES[self.language]}"', text)
        if self.language == "british":
            return text

        def change(match: re.Match[str]) -> str:
            name = match[1]
            if name == "data-passport":
                facts = json.loads(values[name])
                facts |= {k: localise(facts[k], self.language) for k in PASSPORT if k in facts}
                return f' {name}="{escape(json.dumps(facts, ensure_ascii=False))}"'
            if name in ATTRIBUTES:
                return f' {name}="{escape(localise(values[name], self.language))}"'
            return match[0]

        return ATTRIBUTE.sub(change, text)

    def handle_endtag(self, tag: str) -> None:
        self.out.append(f"</{tag}>")
        kinds = [("script" if name == "chart" else name) for name, _, _ in self.open]
        if tag in kinds:
            while self.open:
                name = self.open.pop()[0]
                if (name if name != "chart" else "script") == tag:
                    break
        self.main -= tag == "main"

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1][0] == "chart" and self.language != "british":
            data = _chart(data, self.language)
        elif not self._inside(1):
            data = localise(data, self.language)
            if self.main > 0 and not self._inside(2) and self.pattern:
                data = self.pattern.sub(self._explain, data)
        self.out.append(data)

    def _explain(self, match: re.Match[str]) -> str:
        term = self.words[match[0]]
        if term.id in self.explained:
            return match[0]
        self.explained.add(term.id)
        meaning = escape(localise(term.definition, self.language))
        return (
            f'<a class="gz-gloss" href="{self.up}glossary.html#{escape(term.id)}" data-gloss="{meaning}" '
            f'aria-description="{meaning}">{match[0]}</a>'
        )


def _chart(text: str, language: Any) -> str:
    try:
        spec = json.loads(text)
    except ValueError:
        return text  # not a chart of ours

    def walk(value: Any, key: str) -> Any:
        if isinstance(value, dict):
            return {k: v if k in {"values", "datasets"} else walk(v, k) for k, v in value.items()}
        if isinstance(value, list):
            return [walk(v, key) for v in value]
        if isinstance(value, str):
            if key == "format":
                return SHORT_DATES.get(value, value)
            return localise(value, language) if key in CHART_TEXT else value
        return value

    made = json.dumps(walk(spec, ""), ensure_ascii=False, separators=(",", ":"))
    return made.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def finish_words(site: Path, *, language: Any, words: Mapping[str, Term]) -> None:
    """Rewrite every page of a rendered site, and its search index.

    Args:
        site: The rendered site.
        language: ``british`` (as all is written) or ``american``.
        words: Forms to explain at their first use on a page, none on the glossary itself.
    """
    for path in sorted(site.rglob("*.html")):
        name = path.relative_to(site).as_posix()
        if name.startswith(("theme/", "site_libs/")):
            continue  # parts that pages were made of
        up = "../" * name.count("/")
        one = _Pass(language, {} if name == "glossary.html" else words, up)
        one.feed(path.read_text(encoding="utf-8"))
        one.close()
        path.write_text("".join(one.out), encoding="utf-8")
    index = site / "search.json"
    if language != "british" and index.is_file():
        entries = json.loads(index.read_text(encoding="utf-8"))
        for entry in entries if isinstance(entries, list) else []:
            entry |= {
                k: localise(entry[k], language) for k in ("title", "section", "text") if isinstance(entry.get(k), str)
            }
        index.write_text(json.dumps(entries, ensure_ascii=False), encoding="utf-8")
