"""The catalogue of rules as a page of the edition."""

from __future__ import annotations

from html import escape

from gazette import conclusions
from gazette.site._text import front_matter, raw_html

__all__ = ["rules_page"]


def rules_page() -> str:
    """Every rule that writes a sentence or a verdict, by where it writes."""
    rows = "".join(
        f"<tr><td>{escape(r.where)}</td><td><code>{escape(r.id)}</code></td><td>{escape(r.when)}</td><td>{escape(r.then)}</td></tr>"
        for r in conclusions.RULES
    )
    head = "".join(f'<th scope="col">{h}</th>' for h in ("Where", "Rule", "When", "What it says"))
    text = "<p>No sentence of this edition is written by hand. Each comes from one of these rules, named beside it or on hovering.</p>"
    table = f'<div class="gz-table-wrap"><table class="gz-table gz-rules"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
    return f"{front_matter(title='Rules', toc=False)}\n\n{raw_html(text + table)}"
