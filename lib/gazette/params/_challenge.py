"""``reports/challenges/*.yml``: numbers of a fork that differ from those published, for a second person to judge."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import Field

from gazette.params._decision import Digest, Edition
from gazette.params._types import Id, Sheet, Text

__all__ = ["Acceptance", "CellChange", "Challenge", "ChallengedNumber", "FileChange", "ParameterChange"]

ChallengeId = Annotated[
    str, Field(pattern=r"^[a-z0-9]+(?:-[a-z0-9]+)*-[0-9]{4}-W[0-9]{2}(?:-[0-9]+)?$", max_length=100)
]


class ParameterChange(Sheet):
    """A value in the fork's first cell that is not the published one; empty where there is none."""

    name: Text
    published: str
    fork: str


class CellChange(Sheet):
    """A cell of the fork that is not the published one, with both texts."""

    cell: Text
    change: Literal["changed", "added", "removed", "moved"]
    published: str = ""
    fork: str = ""


class FileChange(Sheet):
    """Data or parameters of the fork that are not those of the edition."""

    file: Text
    change: Text


class ChallengedNumber(Sheet):
    """A number as published and as the fork found it, each with its passport; null where one has none."""

    id: Text
    how: Text
    published: dict[str, Any] | None = None
    found: dict[str, Any] | None = None


class Challenge(Sheet):
    """One person's objection to an edition's numbers of one subject, with the evidence."""

    id: ChallengeId
    subject: Id
    title: Text
    edition: Edition
    edition_digest: Digest = Field(description="Digest of the edition's manifest.")
    notebook_digest: Digest = Field(description="SHA-256 of the cells of the fork's notebook, outputs left out.")
    by: Text
    written: date
    because: Text
    parameters: list[ParameterChange] = Field(default_factory=list)
    cells: list[CellChange] = Field(default_factory=list)
    data: list[FileChange] = Field(default_factory=list)
    library: str = Field(default="", description="How the library that ran differs from the one that published.")
    compared: Annotated[int, Field(ge=0, strict=True)] = Field(description="How many numbers both have.")
    numbers: list[ChallengedNumber] = Field(default_factory=list)
    flips: list[dict[str, Any]] = Field(default_factory=list, description="Verdicts that would be others.")

    @classmethod
    def faults(cls, raw: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """A name that says what it is of."""
        own, stem = str(raw["id"]), f"{raw['subject']}-{raw['edition']}"
        if own != stem and own.rpartition("-")[0] != stem:
            yield "id", f"the id must start with subject and edition: {stem}"


class Acceptance(Sheet):
    """A second person's agreement that a challenge is right; it makes the numbers found a restatement."""

    challenge: ChallengeId
    challenge_digest: Digest = Field(description="SHA-256 of the challenge's file.")
    by: Text
    accepted: date
    because: Text
