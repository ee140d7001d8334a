"""``reports/decisions/*.yml``: what was decided on an experiment, who signed it, and what came of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import Field

from gazette.params._types import Fraction, Id, Sheet, Text, Unit

__all__ = ["Choice", "Decision", "Effect", "Realised", "Score", "SignOff", "Watch"]

Choice = Literal["ship", "ship-with-monitoring", "stop", "continue"]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Edition = Annotated[str, Field(pattern=r"^[0-9]{4}-W[0-9]{2}$")]
DecisionId = Annotated[str, Field(pattern=r"^[a-z0-9]+(?:-[a-z0-9]+)*-[0-9]{4}-W[0-9]{2}(?:-[0-9]+)?$", max_length=100)]


class Range(Sheet):
    """A value with its interval at a level, in its unit."""

    value: Finite
    low: Finite
    high: Finite
    level: Fraction
    unit: Unit

    @classmethod
    def faults(cls, raw: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """An interval runs upwards."""
        if raw["low"] > raw["high"]:
            yield "low", f"the interval runs backwards: {raw['low']} is above {raw['high']}"


class Effect(Sheet):
    """What the edition expected of one metric, kept to be scored."""

    metric: Id
    title: Text
    direction: Literal["higher", "lower"]
    primary: bool = False
    difference: Range | None = None
    relative: Range | None = None
    standard_error: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = Field(
        default=None, description="Of the relative difference."
    )


class Recommendation(Sheet):
    """What the edition's rules said, whatever was decided."""

    action: Text
    rule: Text
    state: Text
    state_rule: Text


class Watch(Sheet):
    """A metric that the editions until a date must report on, and the relative loss that it may not exceed."""

    metric: Id
    title: Text
    margin: Fraction
    until: date
    owner: Text


class Superseded(Sheet):
    """The decision that this one replaces, and the SHA-256 of its file."""

    decision: DecisionId
    digest: Digest


class Decision(Sheet):
    """One decision on one experiment, bound to the edition that it was taken on."""

    id: DecisionId
    experiment: Id
    title: Text
    edition: Edition
    edition_digest: Digest = Field(description="Digest of the edition's manifest.")
    decision: Choice
    options: list[Choice] = Field(min_length=1)
    by: Text
    decided: date
    because: Text
    recommendation: Recommendation
    override: bool = Field(default=False, description="Taken against the recommendation; 'because' says why.")
    expected: list[Effect] = Field(default_factory=list)
    shrunken: Finite | None = Field(
        default=None, description="Difference on the primary metric drawn towards zero, where the test stopped early."
    )
    watch: list[Watch] = Field(default_factory=list)
    supersedes: Superseded | None = None

    @classmethod
    def faults(cls, raw: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """A name that says what it is of, and a watch list where there is monitoring."""
        own, stem = str(raw["id"]), f"{raw['experiment']}-{raw['edition']}"
        if own != stem and own.rpartition("-")[0] != stem:
            yield "id", f"the id must start with experiment and edition: {stem}"
        if raw["decision"] == "ship-with-monitoring" and not raw.get("watch"):
            yield "watch", "shipping with monitoring needs a watch list"
        if raw["decision"] != "ship-with-monitoring" and raw.get("watch"):
            yield "watch", "only ship-with-monitoring has a watch list"

    @property
    def primary(self) -> Effect | None:
        """What was expected of the primary metric."""
        return next((e for e in self.expected if e.primary), None)


class SignOff(Sheet):
    """A second person's agreement, bound to what was agreed to."""

    decision: DecisionId
    decision_digest: Digest = Field(description="SHA-256 of the decision's file.")
    edition_digest: Digest
    by: Text
    signed: date
    note: str = ""


class Realised(Sheet):
    """What was measured after the decision, relative."""

    metric: Id
    value: Finite
    standard_error: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    measured: date
    source: Text


class Score(Sheet):
    """What came of a decision; in a file of its own, so that what was signed never changes."""

    decision: DecisionId
    by: Text
    realised: list[Realised] = Field(min_length=1)
