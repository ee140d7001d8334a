"""``annotations.yml``: what people know of a subject, a date, a number or a chart and no table says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Annotated, Any

from pydantic import Field

from gazette.params._types import Id, Sheet, Text

__all__ = ["Annotation", "AnnotationsFile"]

TARGETS = ("day", "number", "chart")


class Annotation(Sheet):
    """A remark on a subject as a whole, or on one of its dates, numbers or charts; shown with author and date."""

    id: Id
    subject: Id = Field(description="Model or experiment.")
    day: date | None = Field(default=None, description="The date that it is about.")
    number: Annotated[str, Field(pattern=r"^[a-z0-9]+(?:[._-][a-z0-9]+)*$")] | None = Field(
        default=None, description="Id of the number that it is about, which starts with the subject."
    )
    chart: Id | None = Field(default=None, description="Name of the chart that it is about.")
    author: Text
    written: date | None = Field(default=None, description="When it was written; needed where there is no 'day'.")
    text: Text

    @classmethod
    def faults(cls, raw: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """One target at most, and always a date."""
        given = [t for t in TARGETS if raw.get(t) is not None]
        if len(given) > 1:
            yield given[1], f"give at most one of {', '.join(TARGETS)}; without any it is about the whole subject"
        if raw.get("day") is None and raw.get("written") is None:
            yield "written", "say when it was written; readers see author and date"
        number, subject = raw.get("number"), raw.get("subject")
        if isinstance(number, str) and isinstance(subject, str) and not number.startswith(f"{subject}."):
            yield "number", f"number {number!r} is not one of {subject}'s, whose ids start with '{subject}.'"

    @property
    def dated(self) -> date:
        """The date to show: when it was written, or else the day that it is about."""
        found = self.written or self.day
        assert found is not None  # noqa: S101  faults() saw to it
        return found


class AnnotationsFile(Sheet):
    """All annotations."""

    annotations: list[Annotation] = Field(default_factory=list)
