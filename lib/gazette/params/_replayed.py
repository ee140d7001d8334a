"""``reports/replays/*.yml``: what came of running a sealed edition again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import Field

from gazette.params._decision import Digest, Edition
from gazette.params._types import Count, Sheet, Text

__all__ = ["Replayed"]

NotNegative = Annotated[int, Field(ge=0, strict=True)]


class Replayed(Sheet):
    """One replay, bound to the edition that was run again."""

    edition: Edition
    edition_digest: Digest = Field(description="SHA-256 of the edition's manifest.")
    outcome: Literal["identical", "equal within tolerance", "differs", "did not run"]
    reason: str = Field(default="", description="Why it did not run.")
    pages: NotNegative = Field(description="Pages that were run.")
    of_pages: Count = Field(description="Pages that the edition has.")
    numbers: NotNegative = Field(description="Numbers that were compared.")
    flips: NotNegative = Field(default=0, description="Verdicts that tell readers something else.")
    gazette: Text = Field(description="Version of Gazette that compared.")
    environment: Literal["same", "here", "build"] = Field(
        description="The recorded one; the present one although something differs; or the recorded one, rebuilt."
    )
    by: Text
    replayed: date

    @property
    def whole(self) -> bool:
        """Whether every page was to be run; a replay of some says nothing of the edition."""
        return not self.ran or self.pages == self.of_pages

    @property
    def ran(self) -> bool:
        """Whether anything was run."""
        return self.outcome != "did not run"

    @property
    def same(self) -> bool:
        """Whether the edition came out as it was published."""
        return self.outcome in {"identical", "equal within tolerance"}

    @classmethod
    def faults(cls, raw: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """What did not run has a reason, and nothing else has."""
        if (raw["outcome"] == "did not run") != bool(raw.get("reason")):
            yield "reason", "a replay that did not run says why, and no other has a reason"
        if raw["pages"] > raw["of_pages"]:
            yield "pages", f"{raw['pages']} pages of {raw['of_pages']}"
