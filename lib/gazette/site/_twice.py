"""What pages say of numbers that were computed twice: a line on the summary, a part of the provenance page."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from gazette.recompute import read_recomputed
from gazette.record import NotPublished, Record
from gazette.site._text import raw_html, table_html

if TYPE_CHECKING:
    from pathlib import Path

    from gazette.recompute import Recomputed
    from gazette.record import Number

__all__ = ["ANCHOR", "twice_ids", "twice_line", "twice_part"]

ANCHOR = "computed-twice"
OFF = "The second computation of numbers is switched off."


def twice_ids(edition: Path) -> list[str]:
    """Numbers of an edition that were computed twice."""
    found = read_recomputed(edition)
    return sorted(c.id for c in found.checked) if found else []


def _said(found: Recomputed | None) -> str:
    """One or two plain sentences for any reader."""
    if found is None:
        return OFF
    twice, every = len(found.checked), found.numbers
    if not every:
        return "There is no number to compute a second time."
    if not twice:
        said = f"None of the {every} numbers of these pages could be computed a second time."
    else:
        said = f"{twice} of {every} numbers were computed a second time from raw rows, by separate code; all agree."
    if failed := len(found.failed):
        said += f" {failed} quer{'ies' if failed > 1 else 'y'} of the second computation failed."
    return said


def twice_line(edition: Path) -> str:
    """What the line below the summary's title says of it, as HTML."""
    return f'{escape(_said(read_recomputed(edition)))} <a href="provenance.html#{ANCHOR}">Which numbers</a>'


def twice_part(edition: Path) -> list[str]:
    """The part of the provenance page: every number that was computed twice with both values, and those computed once."""
    found = read_recomputed(edition)
    parts = ["## Numbers computed twice", raw_html(f'<p id="{ANCHOR}">{escape(_said(found))}</p>')]
    if found is None:
        return parts
    rule = (
        "<p>The second computation shares no code with the first: plain SQL over the same rows up to the same cut-off, frozen above as "
        "<code>recomputed</code>, and textbook arithmetic. Values have to agree to a millionth, ends of ranges to a thousandth of half of the "
        "range; a number that does not stops the edition. A range is compared where the second computation has one too.</p>"
    )
    parts.append(raw_html(rule))
    if found.failed:
        queries = [(escape(f.subject), escape(f.query or "all"), escape(f.reason)) for f in found.failed]
        parts.append(
            raw_html(table_html("Queries of the second computation that failed", ("Page", "Query", "Why"), queries))
        )
    records = {
        r.subject: r for r in (Record.from_json(p.read_bytes()) for p in sorted((edition / "records").glob("*.json")))
    }
    twice = {c.id: c for c in found.checked}
    for page in sorted({c.page for c in found.checked}):
        rows = []
        for number in records[page].numbers:
            if (second := twice.get(number.id)) is not None and second.page == page:
                again = _range(second.low, second.high)
                rows.append((escape(number.id), _published(number), f"{second.value:.12g}", again))
        heads = ("Number", "Published, in full", "The second time", "Its range the second time")
        table = table_html(f"Numbers of {page} that were computed twice", heads, rows)
        once = [
            n.id for n in records[page].numbers if n.published and n.id not in twice and n.id.startswith(f"{page}.")
        ]
        rest = f"<p>Computed once: {', '.join(f'<code>{escape(i)}</code>' for i in once)}.</p>" if once else ""
        title = f"{escape(page)}: {len(rows)} numbers computed twice, {len(once)} once"
        parts.append(raw_html(f"<details><summary>{title}</summary>{table}{rest}</details>"))
    return parts


def _published(number: Number) -> str:
    assert not isinstance(number.value, NotPublished)  # noqa: S101  only values are compared
    span = number.interval
    return f"{number.value:.12g}" + (f" ({_range(span.low, span.high)})" if span is not None else "")


def _range(low: float | None, high: float | None) -> str:
    return "–" if low is None or high is None else f"{low:.12g} to {high:.12g}"
