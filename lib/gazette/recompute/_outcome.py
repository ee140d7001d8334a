"""What came of the second computation, as the edition keeps it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, StrictInt, ValidationError

from gazette.errors import EditionError
from gazette.record import canonical_json

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["FILE", "FOLDER", "Checked", "Failed", "Recomputed", "read_recomputed"]

FILE = "recomputed.json"
FOLDER = "recomputed"


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Checked(_Frozen):
    """A number that was computed twice.

    Attributes:
        page: Whose record publishes it.
        id: Of the number.
        value, low, high: As they came out the second time, in the number's unit, to twelve digits; the ends only where they were
            computed too.
    """

    page: str
    id: str
    value: FiniteFloat
    low: FiniteFloat | None = None
    high: FiniteFloat | None = None


class Failed(_Frozen):
    """A query of the second computation that failed; without a name none of the subject's could be asked."""

    subject: str
    query: str
    reason: str


class Recomputed(_Frozen):
    """All numbers of an edition that were computed twice: all agree, or it would not have been sealed.

    Attributes:
        numbers: How many numbers with a value the pages of models and tests and the summary hold.
        checked: Those of them that were computed twice, by id.
        failed: Queries that failed.
    """

    schema_version: Literal["gazette.recomputed/1"] = "gazette.recomputed/1"
    numbers: StrictInt = Field(ge=0)
    checked: tuple[Checked, ...] = ()
    failed: tuple[Failed, ...] = ()

    def write(self, edition: Path) -> None:
        """Put it into an edition that is being built."""
        (edition / FILE).write_text(canonical_json(self.model_dump(mode="json", exclude_none=True)), encoding="utf-8")


def read_recomputed(edition: Path) -> Recomputed | None:
    """What an edition keeps of it; None where the second computation was switched off, or unknown to the library that built it.

    Raises:
        EditionError: The file cannot be read.
    """
    path = edition / FILE
    if not path.is_file():
        return None
    try:
        return Recomputed.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        first = str(error).splitlines()[0]
        raise EditionError(
            f"the list of numbers computed twice cannot be read: {first}",
            where=str(path),
            mend="'gazette verify' says what changed; restore the file from a copy of the edition",
        ) from error
