"""What the provenance page says of the hidden tests."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from gazette.canaries import FILE, SURE, read_certificate
from gazette.site._text import raw_html, table_html

if TYPE_CHECKING:
    from pathlib import Path

    from gazette.canaries import Canary, Count, Smallest

__all__ = ["canaries_part"]

OFF = "No hidden tests were run: they are switched off."
LEAD = (
    "Each build also runs hidden tests whose answer is known, on users drawn anew for the week, through the same queries, freezing, reading, "
    "verdict and second computation as the tests of this edition. One that is not caught keeps the edition back. They are on no other page."
)


def canaries_part(edition: Path) -> list[str]:
    """The certificate: what was planted and caught, what chance did over all editions, and the smallest bias that is caught."""
    path = edition / FILE
    parts = ["## Hidden tests"]
    if not path.is_file():
        return [*parts, raw_html(f'<p id="canaries">{OFF}</p>')]
    found = read_certificate(path.read_bytes(), str(path))
    caught = sum(c.caught for c in found.canaries)
    parts.append(
        raw_html(f'<p id="canaries">{LEAD}</p><p>{caught} of {len(found.canaries)} came out as they have to.</p>')
    )
    rows = (
        (escape(c.planted), escape(c.must), escape(c.found), _difference(c), "as it has to be" if c.caught else "not")
        for c in found.canaries
    )
    heads = ("What was planted", "What has to be said", "What was said", "Difference of the arms, in full", "Came out")
    parts.append(raw_html(table_html("Hidden tests of this edition", heads, rows)))
    said = [
        _counted(found.false_alarms, "tests of two equal arms showed a change (the false-positive rate)"),
        _counted(found.missed, "ranges did not hold the known lift"),
        *map(_smallest, found.smallest),
    ]
    parts.append(raw_html(f"<ul>{''.join(f'<li>{s}</li>' for s in said)}</ul>"))
    return parts


def _difference(canary: Canary) -> str:
    if canary.value is None:
        return "–"
    span = "" if canary.low is None or canary.high is None else f" ({canary.low:.12g} to {canary.high:.12g})"
    known = "" if canary.known is None else f"; known: {canary.known:.12g}"
    return f"{canary.value:.12g}{span}{known}"


def _counted(count: Count, what: str) -> str:
    editions = f"{count.editions} edition{'s' * (count.editions != 1)}"
    return (
        f"{count.wrong} of {count.draws} hidden {what}, over {editions}: {100 * count.wrong / count.draws:.3g} %, where {100 * count.stated:.3g} % "
        f"may. Chance alone gives so many or more with probability {count.chance:.3g}; below {SURE:g} the edition is kept back."
    )


def _smallest(one: Smallest) -> str:
    share = "no loss that was tried" if one.share is None else f"{100 * one.share:.3g} % ({one.lost} of {one.of})"
    return f"The smallest bias that would have been caught, by {escape(one.by)}: {share}, of {escape(one.what)}."
