"""Tables that show rounded values and give the full ones for download."""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from gazette.display._csv import csv_cell
from gazette.display._numbers import format_ranged, format_value

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from gazette.record import Unit

__all__ = ["Column", "Table", "table"]


@dataclass(frozen=True)
class Column:
    """How a column looks.

    Attributes:
        title: Its heading.
        unit: Unit of its values; None for text.
        signed: Whether to write a plus.
        html: The values are HTML already (made by this room).
        ends: Names of the columns with the ends of the row's range, which decides the digits; the ends name themselves.
    """

    title: str
    unit: Unit | None = None
    signed: bool = False
    html: bool = False
    ends: tuple[str, str] | None = None


NO_WORDS = {
    "nan",
    "NaN",
    "NaT",
    "inf",
    "-inf",
    "undefined",
    "<NA>",
}  # where the data have these as words, they are quoted


def _blank(value: Any) -> bool:
    """Nothing, NaN or infinity."""
    return value is None or value != value or (isinstance(value, float) and not math.isfinite(value))  # noqa: PLR0124


@dataclass(frozen=True)
class Table:
    """A frame with its look; a notebook shows it as HTML and carries the CSV beside it."""

    frame: pd.DataFrame
    name: str
    caption: str
    columns: Mapping[str, Column]
    currency: str
    folded: bool
    filtered: bool = False

    def _text(self, row: Mapping[Any, Any], name: str) -> str:
        """A value as it is read."""
        value, column = row[name], self.columns[name]
        if _blank(value):
            return "–"
        if column.unit and column.ends and not any(_blank(row[e]) for e in column.ends):
            low, high = (float(row[e]) for e in column.ends)
            shown = format_ranged(float(value), low, high, column.unit, currency=self.currency, signed=column.signed)
            return dict(zip([name, *column.ends], shown, strict=True))[name]
        if column.unit:
            return format_value(float(value), column.unit, currency=self.currency, signed=column.signed)
        if hasattr(value, "strftime"):
            return f"{value:%Y-%m-%d}"
        return f"“{value}”" if str(value) in NO_WORDS else str(value)

    def _cell(self, row: Mapping[Any, Any], name: str) -> str:
        column = self.columns[name]
        opening = f'<td{" class=num" if column.unit else ""} data-label="{escape(column.title)}">'
        text = self._text(row, name)
        return f"{opening}{text if column.html else escape(text)}</td>"

    def plain(self) -> tuple[list[str], list[list[str]]]:
        """Headings and rows as text, rounded as on a page; columns of HTML are left out."""
        shown = [c for c in self.frame.columns if c in self.columns and not self.columns[c].html]
        rows = [[self._text(row, c) for c in shown] for row in self.frame.to_dict("records")]
        return [self.columns[c].title for c in shown], rows

    def to_html(self) -> str:
        """The table as HTML, values rounded for reading."""
        shown = [c for c in self.frame.columns if c in self.columns]
        head = "".join(
            f'<th scope="col"{" class=num" if self.columns[c].unit else ""}>{escape(self.columns[c].title)}</th>'
            for c in shown
        )
        rows = "".join(
            "<tr>" + "".join(self._cell(row, c) for c in shown) + "</tr>" for row in self.frame.to_dict("records")
        )
        caption = escape(self.caption)
        # On a phone, a table of words becomes a list of rows; one of figures scrolls sideways within itself.
        stacked = "" if any(self.columns[c].unit for c in shown) else " gz-stack"
        html = (
            f'<div class="gz-table-wrap"><table class="gz-table{stacked}" data-name="{escape(self.name)}"><caption>{caption}</caption>'
            f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
        )
        if self.filtered:
            place = f"gz-rows-{escape(self.name)}"
            html = (
                f'<p><label for="{place}-words">Filter</label> <input id="{place}-words" class="gz-filter" type="search" data-filters="{place}" placeholder="any words of a row"> '
                f'<span class="gz-count" role="status"></span></p><div id="{place}">{html}</div>'
            )
        return f'<details class="gz-fold"><summary>{caption}</summary>{html}</details>' if self.folded else html

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, str], dict[str, Any]]:
        plain = self.frame[[c for c in self.frame.columns if not (c in self.columns and self.columns[c].html)]]
        texts = plain.select_dtypes(["object", "string", "category"]).columns
        safe = plain.assign(**{str(c): plain[c].astype(object).map(csv_cell) for c in texts})
        return (
            {"text/html": self.to_html(), "text/csv": safe.rename(columns=csv_cell).to_csv(index=False)},
            {"gazette.name": self.name},
        )


def table(
    frame: pd.DataFrame,
    name: str,
    caption: str,
    columns: Mapping[str, Column],
    *,
    currency: str = "USD",
    folded: bool = False,
    filtered: bool = False,
) -> Table:
    """A table for a page; ``columns`` says which columns show, in the frame's order, and how; ``folded`` shows it on demand; ``filtered`` puts a box above it that keeps rows with the words typed there."""
    return Table(frame, name, caption, columns, currency, folded, filtered)
