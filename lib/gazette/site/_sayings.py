"""What rendered pages say: digits come from numbers, one number has one value, and no wording misleads."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

from gazette.conclusions import misreadings
from gazette.display import format_number, localise
from gazette.record import NotPublished

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from gazette.record import Number, Record

__all__ = ["lint_sayings", "same_numbers"]

VOID = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"})
BLOCKS = frozenset(
    {"p", "li", "dd", "div", "h1", "h2", "h3", "h4", "h5", "h6", "figcaption", "caption", "section", "main"}
)
SILENT = frozenset({"script", "style", "pre", "code", "q", "blockquote", "td", "th", "nav", "select", "title"})
CONCLUSIONS = frozenset({"gz-findings", "gz-headline", "gz-advice", "gz-reason"})
FREE = frozenset({"gz-number", "gz-term", "gz-rule", "gz-icon"})
LEADERSHIP = ("index.html", "experiments.html", "models.html", "translation.html", "portfolio.html", "archive.html")
UNTESTED = ("models/", "operations.html")
EXPLAINS = ("glossary.html", "methods.html", "provenance.html")  # pages that speak of wordings and of files
FORMS = ("", "signed", "abs", "rough", "interval", "low", "high", "nearest", "farthest")
AFTER = re.compile(r"^\s*(?:%|per\s?cent)")


@dataclass
class _Said:
    """A rendered page's numbers, conclusions and texts."""

    numbers: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    conclusions: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.said = _Said()
        self.open: list[tuple[str, frozenset[str]]] = []
        self.text: list[str] = []
        self.bare: list[str] = []
        self.number: tuple[str, dict[str, Any]] | None = None
        self.shown: list[str] = []
        self.before: str = ""

    def _within(self, names: frozenset[str]) -> bool:
        return any(classes & names for _, classes in self.open)

    def _flush(self) -> None:
        text = " ".join("".join(self.text).split())
        bare = " ".join("".join(self.bare).split())
        if text:
            self.said.texts.append(text)
        if re.search(r"\d", bare):
            self.said.conclusions.append(text)
        self.text, self.bare = [], []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in VOID:
            self.text.append(" ")
            return
        if tag in BLOCKS:
            self._flush()
        values = {k: v or "" for k, v in attrs}
        self.open.append((tag, frozenset(values.get("class", "").split())))
        if "data-number" in values:
            try:
                facts = json.loads(values.get("data-passport", "{}"))
            except ValueError:
                facts = {}
            self.number, self.shown = (values["data-number"], facts), []

    def handle_endtag(self, tag: str) -> None:
        if not any(name == tag for name, _ in self.open):
            return
        if tag in BLOCKS:
            self._flush()
        while self.open:
            name, classes = self.open.pop()
            if self.number and "gz-number" in classes:
                self.said.numbers.append((self.number[0], "".join(self.shown).strip(), self.number[1]))
                self.before, self.number = self.number[0], None
            if name == tag:
                break

    def handle_data(self, data: str) -> None:
        if self.number:
            self.shown.append(data)
        elif self.before:
            if AFTER.match(data):
                self.said.doubled.append(self.before)
            self.before = ""
        if not any(name in SILENT for name, _ in self.open) and any(name == "main" for name, _ in self.open):
            self.text.append(data)
        if self._within(CONCLUSIONS) and not self._within(FREE):
            self.bare.append(data)


def _read(path: Path) -> _Said:
    reader = _Reader()
    reader.feed(path.read_text(encoding="utf-8"))
    reader.close()
    return reader.said


def _fact(number: Number) -> tuple[Any, ...]:
    value = number.value.reason if isinstance(number.value, NotPublished) else number.value
    ends = (number.interval.low, number.interval.high, number.interval.level) if number.interval else None
    return value, number.unit, ends


def _said_of(number: Number) -> str:
    if isinstance(number.value, NotPublished):
        return f"not published ({number.value.reason})"
    ends = f" ({number.interval.low!r} to {number.interval.high!r})" if number.interval else ""
    return f"{number.value!r} {number.unit}{ends}"


def same_numbers(records: Mapping[str, Record]) -> list[str]:
    """Numbers that two records of an edition hold with different values.

    Args:
        records: Page to its record.

    Returns:
        A problem an id, naming pages and values.
    """
    seen: dict[str, dict[str, Number]] = {}
    for page, record in records.items():
        for number in record.numbers:
            seen.setdefault(number.id, {})[page] = number
    return [
        f"number {number_id!r} has different values: "
        + "; ".join(f"{p}: {_said_of(n)}" for p, n in sorted(pages.items()))
        for number_id, pages in sorted(seen.items())
        if len({_fact(n) for n in pages.values()}) > 1
    ]


def lint_sayings(
    site: Path, *, records: Sequence[Record] = (), currency: str = "USD", language: Any = "british"
) -> list[str]:
    """Problems of what rendered pages say.

    Args:
        site: The rendered site.
        records: Of the edition; none for the shelf.
        currency: ISO code, to write the numbers as the pages do.
        language: Of the pages.
    """
    pages = {path.relative_to(site).as_posix(): _read(path) for path in sorted(site.rglob("*.html"))}
    known = {n.id: n for record in records for n in record.numbers}
    forms = {number_id: _forms(number, currency, language) for number_id, number in known.items()}
    problems = [*_across(pages)]
    for name, said in pages.items():
        problems += [
            f"{name}: a digit is typed in the conclusion {text[:160]!r}; refer to a number by its id, or to a name or date as a term"
            for text in said.conclusions
        ]
        problems += [
            f"{name}: number {i!r} is followed by a per cent sign of its own (percent-of-points); its unit is part of it"
            for i in said.doubled
        ]
        for number_id, shown, _ in said.numbers:
            if number_id in forms and shown not in forms[number_id]:
                problems.append(
                    f"{name}: number {number_id!r} is shown as {shown!r}, but its record says {min(forms[number_id], key=len)!r}; "
                    "let display.number_span write it"
                )
        if name not in EXPLAINS:
            problems += [f"{name}: {p}" for p in _misread(name, said)]
    return problems


def _forms(number: Number, currency: str, language: Any) -> set[str]:
    kept: tuple[str, ...] = FORMS if number.interval else FORMS[:4]
    if isinstance(number.value, NotPublished):
        kept = ("",)
    return {" ".join(localise(format_number(number, form, currency=currency), language).split()) for form in kept}


def _across(pages: Mapping[str, _Said]) -> Iterator[str]:
    seen: dict[str, dict[str, str]] = {}
    for name, said in pages.items():
        for number_id, _, facts in said.numbers:
            value = " ".join(str(facts.get(k, "")) for k in ("value", "interval")).strip()
            seen.setdefault(number_id, {}).setdefault(value, name)
    for number_id, values in sorted(seen.items()):
        if len(values) > 1:
            listing = "; ".join(f"{page}: {value}" for value, page in sorted(values.items(), key=lambda v: v[1]))
            yield f"number {number_id!r} has different values: {listing}"


def _misread(name: str, said: _Said) -> Iterator[str]:
    leadership, tested = name in LEADERSHIP, not name.startswith(UNTESTED)
    for text in dict.fromkeys(said.texts):
        for one in misreadings(text, leadership=leadership, tested=tested, typed=False):
            yield f"{one.text!r} in {text[:160]!r} can be misread ({one.rule}); {one.mend}"
