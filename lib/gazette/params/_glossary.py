"""``glossary.yml``: words that readers may not know, explained where they first stand on a page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import Field

from gazette.params._types import Id, Sheet, Text

__all__ = ["GlossaryFile", "Term"]


class Term(Sheet):
    """A word and what it means here; an id of the shipped glossary replaces that entry."""

    id: Id
    term: Text = Field(description="As it is written in its own right.")
    also: list[Text] = Field(default_factory=list, description="Other forms to explain in a text, such as the plural.")
    inline: bool = Field(default=True, description="Whether texts explain it; the glossary always lists it.")
    definition: Text


class GlossaryFile(Sheet):
    """Words of this company."""

    shipped: bool = Field(default=True, description="Whether the words that Gazette ships are explained as well.")
    terms: list[Term] = Field(default_factory=list)

    @classmethod
    def faults(cls, raw: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """One meaning a word."""
        ids: set[str] = set()
        words: dict[str, str] = {}
        for row in raw.get("terms") or []:
            if row["id"] in ids:
                yield "terms", f"duplicate id {row['id']!r}"
            ids.add(row["id"])
            for word in (row["term"], *(row.get("also") or [])):
                if words.setdefault(str(word).casefold(), row["id"]) != row["id"]:
                    yield "terms", f"the word {word!r} has two meanings"
