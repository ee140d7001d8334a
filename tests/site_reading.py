"""What a reader of a site gets, taken from its HTML, so that the sites of two engines can be compared.

Run as a program it prints where two rendered sites differ: python tests/site_reading.py SITE OTHER
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bs4 import BeautifulSoup
from bs4.element import Comment, NavigableString, Tag

if TYPE_CHECKING:
    from collections.abc import Iterator

# What may differ, besides the ids of cells, which Quarto names and smalldocs numbers, each with its reason; anything else is a fault of ours.
ENGINES_OWN = (
    ".code-copy-button",  # Quarto's pages have a button with a symbol, smalldocs adds it by script
    "details.code-fold > summary",  # both say "Code", Quarto also where a page is printed
    ".quarto-title-meta",  # Quarto's is empty, smalldocs' too
    "#quarto-search-results",  # where Quarto's search writes
    "script",
    "style",
    "a[aria-hidden=true]",  # Quarto numbers lines of code with empty links
)
OWN_IDS = re.compile(
    r"quarto-|title-block-header$"  # frames of the engines
    r"|TOC$|toc-"  # the table of contents
    r"|cb\d+(?:-\d+)?$"  # Quarto numbers blocks and lines of code
)
BLOCKS = frozenset(
    {
        "p",
        "div",
        "li",
        "td",
        "th",
        "tr",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "pre",
        "figcaption",
        "caption",
        "dt",
        "dd",
        "summary",
        "section",
        "br",
        "table",
    }
)


@dataclass(frozen=True)
class Page:
    """What one page shows, in reading order."""

    title: str
    headings: list[str]
    tables: list[list[list[str]]]
    numbers: list[tuple[str, str]]
    links: list[tuple[str, str]]
    figures: list[tuple[str, str]]
    anchors: list[str]
    strip: list[str]
    notices: list[str]
    code: list[str]
    text: str


def read_page(html: str) -> Page:
    """A page as a reader has it, without the frame of the engine."""
    soup = BeautifulSoup(html, "html.parser")
    main = soup.find("main")
    assert isinstance(main, Tag), "the page has no main part"
    strip = soup.select_one(".gz-strip")
    assert strip is not None, "the page has no strip of editions"
    before_header = bool(strip.find_next("header", id="quarto-header"))
    specs = [(str(f.get("data-name")), _text(f.find("script"))) for f in main.select("figure.gz-chart")]
    for own in main.select(", ".join(ENGINES_OWN)):
        own.decompose()
    ids = [str(t["id"]) for t in main.find_all(id=True) if "cell" not in (t.get("class") or ())]
    return Page(
        title=_text(soup.find("title")),
        headings=[f"{t.name} {_text(t)}" for t in main.find_all(re.compile(r"^h[1-6]$"))],
        tables=[
            [[_text(c) for c in r.find_all(["td", "th"])] for r in t.find_all("tr")] for t in main.find_all("table")
        ],
        numbers=[
            (str(t["data-number"]), f"{_text(t)} {t['data-passport']}") for t in main.select(".gz-number[data-number]")
        ],
        links=[(str(a["href"]).removeprefix("./"), _text(a)) for a in main.find_all("a", href=True)],
        figures=specs,
        anchors=sorted(i for i in ids if not OWN_IDS.match(i)),
        strip=[_text(strip), "above the navigation" if before_header else "below the navigation"],
        notices=[_text(t) for t in main.select(".gz-notice, .gz-old, .gz-failed, .gz-remark")],
        code=[_text(t) for t in main.find_all("pre")],
        text=" ".join(_words(main)),
    )


def _text(tag: Any) -> str:
    return " ".join(tag.get_text().split()) if tag is not None else ""


def _words(tag: Tag) -> Iterator[str]:
    """Visible words; blocks are apart from each other whether or not a line break stands between them."""
    text = "".join(
        f" {'' if isinstance(n, Tag) else n}"
        if isinstance(n, Tag) and n.name in BLOCKS
        else ""
        if isinstance(n, (Tag, Comment))
        else str(n)
        for n in tag.descendants
        if isinstance(n, (Tag, NavigableString))
    )
    yield from text.split()


def read_site(site: Path) -> dict[str, Page]:
    """Every page that an engine rendered."""
    names = sorted(p.relative_to(site).as_posix() for p in site.rglob("*.html"))
    pages = [n for n in names if not n.startswith(("theme/", "site_libs/", "share/", "data/", "editions/"))]
    return {name: read_page((site / name).read_text(encoding="utf-8")) for name in pages}


def differences(one: Path, other: Path) -> list[str]:
    """Where two sites differ, a line each."""
    ours, theirs = read_site(one), read_site(other)
    found = [f"{name} is there only once" for name in sorted(ours.keys() ^ theirs.keys())]
    for name in sorted(ours.keys() & theirs.keys()):
        for field in fields(Page):
            a, b = getattr(ours[name], field.name), getattr(theirs[name], field.name)
            if a != b:
                found.append(f"{name}, {field.name}: {_first(a, b)}")
    return found


def _first(a: Any, b: Any) -> str:
    """The first place at which two lists or texts differ."""
    a, b = (v.split() if isinstance(v, str) else v for v in (a, b))
    at = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    if len(a) != len(b) and all(isinstance(v, str) for v in (*a, *b)):
        alone = [*(Counter(a) - Counter(b)).elements()][:5], [*(Counter(b) - Counter(a)).elements()][:5]
        return f"{len(a)} against {len(b)}, from {a[at : at + 4]} against {b[at : at + 4]}; only in one: {alone}"
    return f"{len(a)} against {len(b)}, at {at}: {str(a[at : at + 3])[:300]} against {str(b[at : at + 3])[:300]}"


if __name__ == "__main__":
    lines = differences(Path(sys.argv[1]), Path(sys.argv[2]))
    print("\n".join(lines) or "no difference")
    sys.exit(bool(lines))
