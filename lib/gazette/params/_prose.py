"""What people wrote in parameter files for readers: each text with its file, line and key."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gazette.params._problem import Location, Problem, Source

__all__ = ["Prose", "prose"]

KEYS = frozenset(
    {"title", "description", "definition", "hypothesis", "notice", "change", "text", "note", "notes", "summary", "why"}
)
UNREAD = ("glossary.yml",)  # it explains words, so it may name the wrong ones


class Prose:
    """A text of a file, and how to report what is wrong with it."""

    def __init__(self, source: Source, location: Location, text: str) -> None:
        self.source, self.location, self.text = source, location, text

    @property
    def file(self) -> str:
        """Name of the file, from ``params/``."""
        return self.source.name

    def problem(self, what: str, mend: str) -> Problem:
        """A problem of this text."""
        return self.source.problem(self.location, what, mend)


def prose(sources: dict[str, Source]) -> Iterator[Prose]:
    """Every text that pages show, in the order of the files."""
    for name, source in sorted(sources.items()):
        if name not in UNREAD:
            yield from _texts(source, source.raw, ())


def _texts(source: Source, value: Any, at: Location) -> Iterator[Prose]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in KEYS and isinstance(inner, str):
                yield Prose(source, (*at, str(key)), inner)
            else:
                yield from _texts(source, inner, (*at, str(key)))
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            yield from _texts(source, inner, (*at, i))
