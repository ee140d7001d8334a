"""Where everyone went who was assigned: into arms, or somewhere that the page must say; and values that are none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gazette.record import NotPublished
from gazette.sources import column_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pandas as pd

    from gazette.params import Metric

__all__ = ["Accounted", "broken_values"]

WHY = {"unknown": "which the file does not know", "excluded": "which the file excludes", "several": "so in none"}


@dataclass(frozen=True)
class Accounted:
    """What the query ``accounted`` found; editions of earlier code did not ask it.

    Attributes:
        frame: Rows of kind, label, units, rows and repeated; None where it was not asked.
        dated: Rows of metric and table whose facts have days and no times; None where it was not asked.
    """

    frame: pd.DataFrame | None
    dated: pd.DataFrame | None

    def unknown(self) -> int | None:
        """Units of variants that the file neither knows nor excludes, and rows without an id; None where it was not asked."""
        return None if self.frame is None else sum(_heads(r) for r in self._rows() if r["kind"] == "unknown")

    def others(self) -> list[tuple[str, int]]:
        """Who is in no arm and why, and how many."""
        return [(f"{_shown(r['label'])}, {WHY[r['kind']]}", _heads(r)) for r in self._rows() if r["kind"] in WHY]

    def dated_by_day(self) -> list[tuple[str, str]]:
        """Metrics whose facts have days and no times, with the table."""
        rows = [] if self.dated is None else self.dated.to_dict("records")
        return [(str(row["metric"]), str(row["table"])) for row in rows]

    def _rows(self) -> list[dict[Any, Any]]:
        return [] if self.frame is None else self.frame.to_dict("records")


def _shown(label: str) -> str:
    """A spelling; in quotes where blanks at its ends would not be seen."""
    return label if label == label.strip() else f"'{label}'"


def _heads(row: dict[Any, Any]) -> int:
    """Units; rows where these have no identifier to tell units by."""
    return int(row["units"]) or int(row["rows"])


def broken_values(metric: str, known: Metric, arms: Iterable[Mapping[str, Any]]) -> NotPublished | None:
    """Why a metric is withheld: a column that it reads holds values which cannot be added up; None where none does.

    Args:
        metric: Its id.
        known: Its definition.
        arms: Aggregates of each arm; those of earlier code count no such values.
    """
    rows = [*arms]
    for part, table, column in (
        ("", known.fact and known.fact.table, known.fact and known.fact.value),
        ("_den", known.denominator and known.denominator.table, known.denominator and known.denominator.value),
    ):
        found = [row.get(f"{column_of(metric)}{part}_broken", 0) for row in rows] if column else []
        if n := int(sum(found)):
            what = (
                "1 value that is no number or infinite" if n == 1 else f"{n:,} values that are no numbers or infinite"
            )
            return NotPublished(reason=f"column {column} of {table} holds {what}")
    return None
