"""How long the page for leadership may be: words and cards, counted on what a reader sees."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

from gazette.record import joined

__all__ = ["length_problems", "words_of"]

MOST_CARDS = 5
QUIET = frozenset({"table", "details", "script", "style", "pre", "code", "figcaption"})
WORD = re.compile(r"[^\W_]+(?:['’.,:-][^\W_]+)*")


class _Seen(HTMLParser):
    """Text outside tables, folded parts, code and captions; cards."""

    def __init__(self) -> None:
        super().__init__()
        self.words = 0
        self.cards = 0
        self._quiet: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = (dict(attrs).get("class") or "").split()
        self.cards += "gz-card" in names
        if tag in QUIET:
            self._quiet.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._quiet and self._quiet[-1] == tag:
            self._quiet.pop()

    def handle_data(self, data: str) -> None:
        if not self._quiet:
            self.words += len(WORD.findall(data))


def words_of(notebook: dict[str, Any]) -> tuple[int, int]:
    """Words and cards of an executed notebook as its page shows them.

    Tables are looked up rather than read, folded parts are opened on purpose, captions explain charts: none of them is counted.
    """
    seen = _Seen()
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            seen.feed(f"<p>{joined(cell['source'])}</p>")
        for output in cell.get("outputs", ()):
            seen.feed(joined(output.get("data", {}).get("text/html", "")))
    return seen.words, seen.cards


def length_problems(notebook: dict[str, Any], *, most: int) -> list[str]:
    """What is too long for two minutes, naming the count."""
    words, cards = words_of(notebook)
    found = []
    if words > most:
        found.append(
            f"index: {words} words, {most} are allowed (executive.max_words in params/site.yml); shorten the page, or allow more on purpose"
        )
    if cards > MOST_CARDS:
        found.append(f"index: {cards} cards, at most {MOST_CARDS} can be taken in; show fewer")
    return found
