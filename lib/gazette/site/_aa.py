"""What the provenance page says of A/A replays: how often this company's metrics are called changed by chance."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from gazette.display import format_ranged, format_value
from gazette.record import read_aa
from gazette.site._text import raw_html, table_html

if TYPE_CHECKING:
    from pathlib import Path

    from gazette.record import AARate, AAReplays

__all__ = ["aa_part"]

NONE = "No test was replayed with arms drawn at random before this edition. <code>gazette aa</code> does it."
WORDS = {
    "": "as stated",
    "too often": "<strong>too often</strong>: do not trust a change of it before the cause is found",
    "careful": "careful: less often than stated",
    "never published": "never published",
}
DESIGNS = {"fixed": "read once", "group-sequential": "group sequential", "confidence-sequence": "confidence sequence"}
HEADS = ("Metric", "Design", "Looks", "Replays with a range", "Called changed", "Range of that rate", "Stated", "")


def aa_part(edition: Path) -> list[str]:
    """The part of the page: a sentence and a table for each test whose replays the edition has sealed."""
    parts = ["## Errors on this project's own data"]
    found = [read_aa(path.read_bytes(), str(path)) for path in sorted((edition / "aa").glob("*.json"))]
    if not found:
        return [*parts, raw_html(f"<p>{NONE}</p>")]
    rule = (
        "<p>Arms were drawn at random among the users of a test, so that nothing changed, and every metric was read as its page reads it. "
        "What is then called changed is an error. Each metric stands alone here, as if the test had been planned for the days and users that it has.</p>"
    )
    parts.append(raw_html(rule))
    for one in found:
        rows = [_row(one, rate) for rate in one.metrics]
        parts.append(raw_html(f"<p>{_said(one)}</p>{table_html(f'A/A replays of {escape(one.title)}', HEADS, rows)}"))
    return parts


def _said(one: AAReplays) -> str:
    """A sentence on a test; the primary metric's rate by the test's own design."""
    who = (
        f"{one.units:,} users"
        if one.assigned_by == "unit_id"
        else f"{one.groups:,} values of <code>{escape(one.assigned_by)}</code> ({one.units:,} rows), each assigned as one"
    )
    first = one.metrics[0]
    rate = "never had a range" if first.rate is None else f"was called changed in {_shown(first)[0]}"
    both = (
        f" {one.whole_path} of them were read by a build's own queries too, with the same ranges."
        if one.whole_path
        else ""
    )
    return (
        f"Of {one.replays:,} A/A replays of {escape(one.title)} among {who} up to {escape(one.edition)}, "
        f"{escape(first.title)} {rate}; stated: {format_value(one.alpha, 'fraction')}.{both}"
    )


def _shown(rate: AARate) -> tuple[str, str]:
    if rate.rate is None or rate.low is None or rate.high is None:
        return "–", "–"
    value, low, high = format_ranged(rate.rate, rate.low, rate.high, "fraction")
    return value, f"{low} to {high}"


def _row(one: AAReplays, rate: AARate) -> tuple[str, ...]:
    value, span = _shown(rate)
    how = (escape(rate.title), DESIGNS.get(rate.design, escape(rate.design)), str(rate.looks))
    return (*how, f"{rate.published:,}", value, span, format_value(one.alpha, "fraction"), WORDS[rate.flag])
