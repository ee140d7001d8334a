"""The summary on one printed page, set by Typst: its compiler and its fonts come in one package, so a machine needs no more."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gazette.deliver._digest import clip, more
from gazette.errors import SiteError

if TYPE_CHECKING:
    from gazette.deliver._digest import Digest

__all__ = ["pdf"]

UNREADABLE = "Some signs of this page are in no font at hand; the site shows them."


@dataclass(frozen=True)
class _Room:
    """How much is shown: tests, sentences a section, characters of a title and of a sentence; size of the letters in points."""

    tests: int
    items: int
    title: int
    text: int
    size: float


ROOMS = (
    _Room(20, 8, 120, 600, 9.5),
    _Room(12, 6, 90, 400, 9.5),
    _Room(10, 4, 80, 300, 9),
    _Room(8, 3, 60, 220, 9),
    _Room(6, 2, 50, 160, 8.5),
    _Room(4, 1, 40, 120, 8),
)


def pdf(content: Digest, *, fonts: Path | None = None) -> bytes:
    """One page, A4 or Letter, with its fonts in it and no colour that carries meaning: the same bytes for the same digest.

    Args:
        content: The edition in short; what has no room is counted ("and 12 more on the site").
        fonts: Folder with fonts for scripts that the built-in ones lack (these have Latin, Greek, Cyrillic and Hebrew).

    Raises:
        SiteError: Not even the shortest form fits on a page.
    """
    import typst  # noqa: PLC0415  a large library, needed only here

    own = [str(fonts)] if fonts is not None and fonts.is_dir() else []
    known = typst.Fonts(include_system_fonts=False, font_paths=own)
    families = sorted({f.family for f in known.fonts() if f.path is not None})
    stamp = int((content.cutoff - type(content.cutoff)(1970, 1, 1)).total_seconds())
    with as_file(files("gazette.deliver") / "page.typ") as template:
        for room in ROOMS:
            data = {**_data(content, room), "families": families}
            inputs = {"data": json.dumps(data, ensure_ascii=False)}
            compiler = typst.Compiler(str(template), font_paths=known, sys_inputs=inputs)
            if compiler.query("<pages>", field="value", one=True).strip() != "1":
                continue
            try:  # the standard for readers with screen readers, which also refuses signs that no font has
                return _bytes(compiler.compile(pdf_standards=["ua-1"], timestamp=stamp))
            except typst.TypstError:
                inputs = {"data": json.dumps({**data, "unreadable": UNREADABLE}, ensure_ascii=False)}
                compiler = typst.Compiler(str(template), font_paths=known, sys_inputs=inputs)
                if compiler.query("<pages>", field="value", one=True).strip() == "1":
                    return _bytes(compiler.compile(timestamp=stamp))
    raise SiteError(
        "the summary does not fit on one printed page",
        where="summary.pdf",
        mend="shorten the titles of the site, the cards and the tests",
    )


def _bytes(made: object) -> bytes:
    """The library gives a list only for pictures, one a page."""
    if not isinstance(made, bytes):
        raise TypeError("a PDF is one file")
    return made


def _data(content: Digest, room: _Room) -> dict[str, Any]:
    """What the template shows; it reads texts as data, so nothing in them is markup."""
    return {
        "paper": content.paper,
        "size": room.size,
        "title": clip(content.title, room.title),
        "dates": content.dates,
        "headline": clip(content.headline, 2 * room.text),
        "cards": [
            {
                "label": clip(c.label, room.title),
                "value": clip(c.value, 60),
                "lines": [clip(x, 120) for x in ([f"Range {c.interval}"] if c.interval else []) + list(c.changes)],
            }
            for c in content.cards
        ],
        "tests": [
            [
                clip(t.title, room.title),
                f"{t.icon} {t.state}",
                t.action,
                clip(t.metric, room.title),
                clip(t.effect, 80),
            ]
            for t in content.tests[: room.tests]
        ],
        "tests_left": more(len(content.tests) - room.tests) if len(content.tests) > room.tests else "",
        "sections": [
            {
                "name": name,
                "items": [[i.icon, clip(i.text, room.text)] for i in items[: room.items]],
                "left": more(len(items) - room.items) if len(items) > room.items else "",
            }
            for name, items in content.sections
        ],
        "note": content.note,
        "notice": clip(content.notice, room.text),
        "link": clip(content.address("index.html"), 200),
        "unreadable": "",
    }
