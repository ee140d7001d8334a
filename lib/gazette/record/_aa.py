"""What A/A replays found: how often metrics of a test are called changed where arms were drawn at random."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from gazette.errors import EditionError

__all__ = ["AARate", "AAReplays", "read_aa"]


class AARate(BaseModel):
    """One metric by one design.

    Attributes:
        metric, title: Id and name.
        design: How its looks were paid for; ``fixed`` is one look at the last week.
        looks: How many.
        published: Replays in which something was published.
        wrong: Of those, in which a change was shown.
        rate, low, high, level: Share of wrong ones with Wilson's range; None where nothing was published.
        flag: ``too often`` where the whole range lies above the stated error, ``careful`` where it lies below half of it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    metric: str
    title: str
    design: str
    looks: int
    published: int
    wrong: int
    rate: float | None
    low: float | None
    high: float | None
    level: float
    flag: Literal["", "too often", "careful", "never published"]


class AAReplays(BaseModel):
    """All replays of one test.

    Attributes:
        test, title: Id and name.
        edition: Week up to which its users count.
        units: Users.
        assigned_by, groups: Column whose values were assigned together, and how many there are.
        looks: Weekly looks.
        replays: How many.
        seed: Of the draws.
        whole_path: Replays with arms drawn in the warehouse that were read by a build's own queries as well, with the same ranges.
        alpha: Stated error.
        inputs: SHA-256 of plan, definitions, users and their values.
        library: Digest of the code.
        metrics: What came of each metric.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    test: str
    title: str
    edition: str
    units: int
    assigned_by: str
    groups: int
    looks: int
    replays: int
    seed: int
    whole_path: int
    alpha: float
    inputs: str
    library: str
    metrics: tuple[AARate, ...]


def read_aa(content: bytes, where: str) -> AAReplays:
    """The content of a file of replays.

    Args:
        content: JSON.
        where: The file, for errors.

    Raises:
        EditionError: It is not one.
    """
    try:
        return AAReplays.model_validate_json(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the file"
        raise EditionError(
            f"these A/A replays cannot be read: {place}: {first['msg']}",
            where=where,
            mend="remove the file, or make it anew: gazette aa",
        ) from error
