"""``translations.yml``: the translation matrix, what relative changes are taken of, and business targets."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from gazette.params._metrics import changelog_faults
from gazette.params._types import Changelog, Fraction, Id, Positive, Sheet, Text

__all__ = ["MoneyBase", "Target", "Translation", "TranslationsFile"]

Real = Annotated[float, Field(strict=True, allow_inf_nan=False)]
ChangeUnit = Literal["points", "relative", "ms", "money", "days", "hours", "minutes", "number"]
SENSITIVITY = ("technical_change", "technical_unit", "business_unit", "observed")
RANGE = ("low", "high", "coverage")
ESTIMATE = ("estimate", "standard_error")


class Translation(Sheet):
    """A row of the matrix: how a technical metric moves a business metric, as a range or an estimate with its error.

    A row without a sensitivity says in ``stated`` how the two hang together; nothing is computed from it.
    """

    id: Id
    technical: Id
    business: Id
    measured: Text = Field(description="How we measure the business metric.")
    sentence: str = Field(default="", description="How the one leads to the other, in a sentence for everyone.")
    stated: str = Field(default="", description="Instead of a sensitivity: what follows, in words.")
    technical_change: Positive | None = Field(default=None, description="The technical change that the effect is of.")
    technical_unit: ChangeUnit | None = Field(
        default=None,
        description="points (0.01 is one point), relative (0.01 is one per cent) or the metric's own unit.",
    )
    low: Real | None = None
    high: Real | None = None
    coverage: Fraction | None = Field(default=None, description="Share of what is believed that the range holds.")
    estimate: Real | None = None
    standard_error: Annotated[float, Field(ge=0, strict=True, allow_inf_nan=False)] | None = None
    business_unit: ChangeUnit | None = None
    observed: list[Real] | None = Field(
        default=None,
        min_length=2,
        max_length=2,
        description="Smallest and largest technical change for which it was seen.",
    )
    segment: str = Field(default="", description="For whom it holds; empty for all.")
    models: list[Id] = Field(default_factory=list, description="Models that it speaks of; empty for all.")
    in_use: bool = Field(default=True, description="False: a statement that is compared with the others, but not used.")
    source: Text
    owner: Text
    notes: str = ""
    changelog: list[Changelog] = Field(min_length=1)

    @property
    def quantified(self) -> bool:
        """Whether it has a sensitivity."""
        return self.technical_change is not None

    @classmethod
    def faults(cls, raw: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """A sensitivity is whole, given once, and its ranges run upwards; a changelog runs forward."""
        yield from _shape(raw)
        if _number(raw.get("low")) and _number(raw.get("high")) and raw["low"] > raw["high"]:
            yield "low", f"low ({raw['low']}) is above high ({raw['high']})"
        seen = raw.get("observed")
        if isinstance(seen, list) and len(seen) == 2 and all(map(_number, seen)):  # noqa: PLR2004  two ends
            if seen[0] > seen[1]:
                yield "observed", f"the observed range runs backwards: {seen}"
            elif seen[0] == seen[1] == 0:
                yield "observed", "the observed range holds no change"
        if raw.get("technical") is not None and raw.get("technical") == raw.get("business"):
            yield "business", "a metric does not translate into itself"
        yield from changelog_faults(raw)


def _shape(raw: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """A sensitivity is whole and given once, or said in words."""
    has = {key for key in (*SENSITIVITY, *RANGE, *ESTIMATE) if raw.get(key) is not None}
    if not has:
        if not raw.get("stated") and not raw.get("sentence"):
            yield "stated", "give a sensitivity, or say in 'stated' or 'sentence' what follows"
        return
    if raw.get("stated"):
        yield "stated", "give a sensitivity or 'stated', not both"
    if has & set(RANGE) and has & set(ESTIMATE):
        yield "estimate", "give a range (low, high, coverage) or an estimate with its standard_error, not both"
    shape = ESTIMATE if has & set(ESTIMATE) else RANGE
    for key in (*SENSITIVITY, *shape):
        if key not in has:
            yield key, f"a sensitivity needs {key!r}"


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


class MoneyBase(Sheet):
    """What a relative change of a metric is taken of, in money a month."""

    id: Id
    metric: Id
    a_month: Positive
    standard_error: Annotated[float, Field(ge=0, strict=True, allow_inf_nan=False)]
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "USD"
    models: list[Id] = Field(default_factory=list, description="Models whose users it counts; empty for all.")
    source: Text
    owner: Text


class Target(Sheet):
    """What leadership wants of a business metric, to be read backward."""

    id: Id
    title: Text
    business: Id
    change: Real
    unit: ChangeUnit
    technical: Id = Field(description="The technical metric that shall bring it.")
    owner: Text
    notes: str = ""

    @classmethod
    def faults(cls, raw: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """A target is a change."""
        if raw.get("change") == 0:
            yield "change", "a target of no change needs nothing"


class TranslationsFile(Sheet):
    """The translation matrix, bases and targets."""

    translations: list[Translation] = Field(default_factory=list)
    bases: list[MoneyBase] = Field(default_factory=list)
    targets: list[Target] = Field(default_factory=list)
