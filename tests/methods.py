"""The page of an edition that says which method is used where: docs/statistics.md as HTML; `make methods` writes it anew."""

from __future__ import annotations

import re
from pathlib import Path

from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[1]
SOURCE, KEPT = ROOT / "docs" / "statistics.md", ROOT / "lib" / "gazette" / "site" / "methods.html"


def slug(heading: str) -> str:
    """The anchor of a heading."""
    return re.sub(r"[^a-z0-9]+", "-", heading.casefold()).strip("-")


def rendered(text: str) -> str:
    """Its HTML below the title, with an anchor for each section, tables as all others, and no links to files that a site does not have."""
    html = MarkdownIt("commonmark").enable("table").render(text.partition("\n")[2])
    html = re.sub(r'<a href="[^"]*\.md[^"]*">(.*?)</a>', r"\1", html)
    html = re.sub(r"<h2>(.*?)</h2>", lambda m: f'<h2 id="{slug(m[1])}">{m[1]}</h2>', html)
    html = re.sub(r"<thead>\s*<tr>(\s*<th></th>)+\s*</tr>\s*</thead>\n?", "", html)
    html = (
        html.replace("<th></th>", "<td></td>")
        .replace("<th>", '<th scope="col">')
        .replace("<table>", '<div class="gz-table-wrap"><table class="gz-table">')
    )
    return html.replace("</table>", "</table></div>")


if __name__ == "__main__":
    KEPT.write_text(rendered(SOURCE.read_text(encoding="utf-8")), encoding="utf-8")
