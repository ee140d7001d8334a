"""``annotations.yml``: what people know of a date and no table says."""

from __future__ import annotations

from datetime import date

from pydantic import Field

from gazette.params._types import Id, Sheet, Text

__all__ = ["Annotation", "AnnotationsFile"]


class Annotation(Sheet):
    """A remark on a date of a subject's history, shown on its charts with author and date."""

    id: Id
    subject: Id = Field(description="Model or experiment.")
    day: date = Field(description="The date that it is about.")
    author: Text
    text: Text


class AnnotationsFile(Sheet):
    """All annotations."""

    annotations: list[Annotation] = Field(default_factory=list)
