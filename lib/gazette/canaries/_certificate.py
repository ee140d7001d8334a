"""What came of the hidden tests, as the edition keeps it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, StrictBool, StrictInt, ValidationError

from gazette.errors import EditionError
from gazette.record import canonical_json

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["FILE", "Canary", "Certificate", "Count", "Smallest", "read_certificate"]

FILE = "canaries.json"


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Canary(_Frozen):
    """One hidden test.

    Attributes:
        id: Of the test.
        planted: What is wrong with it, or what its answer is.
        must: What the edition has to say of it.
        found: What it said.
        caught: Whether that is so.
        known: The difference of the arms that was planted, where it is known.
        value, low, high: The difference as the first computation read it, with its range, to twelve digits; None where it read none.
    """

    id: str
    planted: str
    must: str
    found: str
    caught: StrictBool
    known: FiniteFloat | None = None
    value: FiniteFloat | None = None
    low: FiniteFloat | None = None
    high: FiniteFloat | None = None


class Count(_Frozen):
    """What depends on chance, counted over editions.

    Attributes:
        editions: In which it was counted, this one included.
        draws: Hidden tests in all.
        wrong: Of those, which were wrong.
        stated: Share that may be wrong.
        chance: Of so many wrong ones or more where the stated share is kept (exact binomial).
        here: Wrong ones in this edition.
    """

    editions: StrictInt = Field(ge=1)
    draws: StrictInt = Field(ge=1)
    wrong: StrictInt = Field(ge=0)
    stated: FiniteFloat
    chance: FiniteFloat
    here: StrictInt = Field(ge=0)


class Smallest(_Frozen):
    """The smallest bias that is caught.

    Attributes:
        what: Is lost.
        share: Of an arm's, as a fraction; None where not even the largest that was tried is caught.
        lost, of: So many of so many.
        by: What catches it.
    """

    what: str
    share: FiniteFloat | None
    lost: StrictInt
    of: StrictInt
    by: str


class Certificate(_Frozen):
    """All hidden tests of an edition.

    Attributes:
        edition: Its week, from which the hidden users are drawn.
        canaries: Those that have to be caught each time.
        false_alarms: Tests of two equal arms of which a change was shown.
        missed: Tests of a known lift whose range did not hold it.
        smallest: The smallest biases that are caught.
    """

    schema_version: Literal["gazette.canaries/1"] = "gazette.canaries/1"
    edition: str
    canaries: tuple[Canary, ...]
    false_alarms: Count
    missed: Count
    smallest: tuple[Smallest, ...]

    def earlier(self) -> Certificate | None:
        """One with the counts as they stood before this edition; None where it is the first."""
        counts = {}
        for name in ("false_alarms", "missed"):
            count: Count = getattr(self, name)
            if count.draws == 1:
                return None
            counts[name] = count.model_copy(
                update={
                    "editions": count.editions - 1,
                    "draws": count.draws - 1,
                    "wrong": count.wrong - count.here,
                    "here": 0,
                }
            )
        return self.model_copy(update=counts)

    def write(self, edition: Path) -> None:
        """Put it into an edition that is being built."""
        (edition / FILE).write_text(canonical_json(self.model_dump(mode="json")), encoding="utf-8")


def read_certificate(content: bytes, where: str) -> Certificate:
    """The content of an edition's file.

    Args:
        content: JSON.
        where: The file, for errors.

    Raises:
        EditionError: It is not a certificate.
    """
    try:
        return Certificate.model_validate_json(content)
    except ValidationError as error:
        raise EditionError(
            f"what became of the hidden tests cannot be read: {str(error).splitlines()[0]}",
            where=where,
            mend="'gazette verify' says what changed; restore the file from a copy of the edition",
        ) from error
