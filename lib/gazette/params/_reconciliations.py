"""``reconciliations.yml``: figures that several systems report, and what was ruled where they differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import Field

from gazette.params._types import Column, Fraction, Id, Sheet, Text, Window, as_day, sum_faults

__all__ = ["Reconciliation", "ReconciliationsFile", "Ruling", "Told"]

Relative = Annotated[float, Field(gt=-1, allow_inf_nan=False)]


class Ruling(Sheet):
    """What somebody who may say so has said of a difference: why it is there, how large it may be, what counts."""

    text: Text = Field(description="Why they differ, in a sentence.")
    low: Relative = Field(
        description="Smallest difference that this explains, relative to the reference (-0.03 for -3 %)."
    )
    high: Relative
    use: Id = Field(description="The source that counts.")
    by: Text
    ruled: date
    until: date | None = Field(
        default=None, description="Last day on which the ruling holds; without it, until it is changed."
    )

    @classmethod
    def faults(cls, raw: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """Ranges and dates run forward."""
        if raw["low"] > raw["high"]:
            yield "high", f"high ({raw['high']}) lies below low ({raw['low']})"
        ruled, until = as_day(raw["ruled"]), as_day(raw.get("until"))
        if ruled is not None and until is not None and until < ruled:
            yield "until", "the ruling ends before it was made"


class Told(Sheet):
    """A system that reports the figure: rows of a warehouse table, added up or counted."""

    id: Id
    title: Text
    table: Column
    time: Column = Field(description="Column with the time or day at which it happened (UTC).")
    arrived: Column | None = Field(default=None, description="Column with the time at which the row was loaded.")
    aggregation: Literal["sum", "count"]
    value: Column | None = Field(default=None, description="Column to add up; needed for aggregation: sum.")
    where: list[Window] = Field(default_factory=list)
    ruling: Ruling | None = Field(default=None, description="On its difference from the reference.")

    @classmethod
    def faults(cls, raw: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """Only a sum adds up a column."""
        yield from sum_faults(raw)


class Reconciliation(Sheet):
    """One figure and the systems that report it."""

    id: Id
    title: Text
    owner: Text
    metric: Id = Field(description="Its definition in metrics.yml, which says the unit.")
    reference: Id = Field(description="The source that the others are compared with.")
    tolerance: Fraction = Field(description="Relative difference below which two sources agree (0.005 for 0.5 %).")
    sources: list[Told] = Field(min_length=2, max_length=6)

    @classmethod
    def faults(cls, raw: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """Sources have names of their own; the reference is one of them and has no ruling on itself."""
        ids = [s["id"] for s in raw["sources"]]
        if len(set(ids)) != len(ids):
            yield "sources", "two sources have the same id"
        if raw["reference"] not in ids:
            yield "reference", f"reference {raw['reference']!r} is not one of the sources {ids}"
        for source in raw["sources"]:
            ruling = source.get("ruling")
            if ruling and source["id"] == raw["reference"]:
                yield "sources", "a ruling stands with the source that differs, not with the reference"
            if ruling and ruling["use"] not in ids:
                yield "sources", f"the ruling on {source['id']!r} uses {ruling['use']!r}, which is not one of {ids}"

    @property
    def others(self) -> list[Told]:
        """The sources that are compared with the reference."""
        return [s for s in self.sources if s.id != self.reference]

    def source(self, ident: str) -> Told:
        """A source by its id."""
        return next(s for s in self.sources if s.id == ident)


class ReconciliationsFile(Sheet):
    """All figures that are reconciled."""

    owner: Text = Field(description="Of the page.")
    title: Text = "Sources compared"
    reconciliations: list[Reconciliation] = Field(min_length=1)
