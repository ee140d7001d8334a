"""The frozen types that a notebook emits and everything downstream reads."""

from __future__ import annotations

import json
import re
from datetime import date, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, StrictInt, field_validator, model_validator

RECORD_MIME = "application/vnd.gazette.record+json"
ID_PATTERN = r"^[a-z0-9]+(?:[._-][a-z0-9]+)*$"
Id = Annotated[str, Field(pattern=ID_PATTERN)]
Unit = Literal["fraction", "points", "relative", "count", "score", "money", "days", "hours", "minutes", "ms", "number"]
Direction = Literal["higher", "lower", "zero"]
VerdictState = Literal[
    "benefit shown", "harm shown", "no worthwhile benefit", "not resolved", "not trustworthy", "not published"
]
Action = Literal[
    "ship", "ship with monitoring", "don't ship", "keep running", "stop: no winner", "fix the test first", "wait"
]
Kind = Literal["model", "experiment", "operations", "reconciliation", "translation", "portfolio", "summary"]
Tone = Literal["good", "bad", "unsure", "neutral"]

REFERENCE = re.compile(r"\{(?P<id>[a-z0-9][a-z0-9._-]*)(?:\|(?P<form>[a-z]+))?\}|\{=(?P<term>[a-z_]+)\}")


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=False, ser_json_inf_nan="null")


class Interval(_Frozen):
    """A range for a value, in the value's unit, with its level (0.95 for 95 %)."""

    low: FiniteFloat
    high: FiniteFloat
    level: float = Field(gt=0, lt=1)
    method: str

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.low > self.high:
            msg = f"interval runs backwards: {self.low} > {self.high}"
            raise ValueError(msg)
        return self


class NotPublished(_Frozen):
    """A quantity that cannot be computed: never 0, never NaN, always a reason."""

    reason: str = Field(min_length=1)


OWN = {
    "gazette.count": "How many there are of what the label names, counted by the page itself.",
    "gazette.days": "Days between a day that the project's files name, or an edition found, and the last day of the week.",
    "gazette.share": "Share of what the label names among all that the page counted.",
}
"""Metrics that need no definition in a project, whose ids hold no dot: what they are, by id."""


class Number(_Frozen):
    """A published value with its passport.

    ``fraction`` is shown as per cent, ``points`` (a difference of fractions) as percentage points,
    ``relative`` (a ratio less one) as signed per cent. ``value`` is a float in that unit or ``NotPublished``. A ``provisional``
    one compares what is not equally complete: it is shown and marked, and no finding rests on it.
    """

    id: Id
    label: str
    value: FiniteFloat | NotPublished
    unit: Unit
    interval: Interval | None = None
    n: StrictInt | None = Field(default=None, ge=0)
    direction: Direction | None = None
    metric: str
    metric_version: StrictInt = Field(ge=1)
    cell: str
    query: str | None
    snapshot: str
    as_of: datetime
    note: str = ""
    provisional: bool = False

    @property
    def published(self) -> bool:
        """Whether there is a value to show."""
        return not isinstance(self.value, NotPublished)


class Finding(_Frozen):
    """A generated sentence; every digit in it is a number reference.

    ``text`` holds references: ``{number.id}``, ``{number.id|form}`` (forms: ``signed``, ``abs``, ``interval``,
    ``low``, ``high``, ``nearest``, ``farthest``, ``rough``) and ``{=term}`` for proper names and dates, whose text is in ``terms``.
    """

    id: Id
    rule: str
    text: str
    tone: Tone = "neutral"
    terms: dict[str, str] = Field(default_factory=dict)

    @property
    def references(self) -> tuple[str, ...]:
        """Ids of the numbers that the sentence refers to, in order."""
        return tuple(m["id"] for m in REFERENCE.finditer(self.text) if m["id"])

    @model_validator(mode="after")
    def _only_references_carry_digits(self) -> Self:
        bare = REFERENCE.sub("", self.text)
        if digits := re.search(r"\d", bare):
            msg = f"finding {self.id!r}: digit {digits[0]!r} typed in the text; refer to a number by its id instead"
            raise ValueError(msg)
        for match in REFERENCE.finditer(self.text):
            if match["term"] and match["term"] not in self.terms:
                msg = f"finding {self.id!r}: term {match['term']!r} has no text"
                raise ValueError(msg)
        return self


class Verdict(_Frozen):
    """The state of an experiment on one metric and what follows from it, by a named rule."""

    metric: str
    state: VerdictState
    rule: str
    action: Action
    action_rule: str
    reason: Finding
    advice: Finding
    primary: bool = True


class Alert(_Frozen):
    """A condition of the threshold registry on one service, pipeline or model, evaluated at the cut-off."""

    id: Id
    tier: Literal["critical", "warning", "info"]
    subject: str
    state: Literal["firing", "waiting", "suppressed", "near its limit", "ok", "no data"]
    title: str
    number: str | None = None
    since: datetime | None = None
    why: str = ""


class TakenLook(_Frozen):
    """One look at an experiment's primary metric: what the ledger of looks remembers.

    Attributes:
        edition: The edition that took it.
        units: Units of all arms.
        critical: How many standard errors the interval reached to each side.
        effect, standard_error: Of the primary metric's difference for the first treatment, None where there was none.
        plan: The plan in force, as canonical JSON.
        information: How far the comparison had come, on a scale of its own; None where earlier code took the look.
        time: Share of the plan at the first look that had passed, 1 where it allows no later look; None likewise.
        final: Whether it was the last: later ones decide nothing.
        states: State of the verdict on each treatment.
    """

    edition: str
    units: StrictInt = Field(ge=0)
    critical: FiniteFloat | None
    effect: FiniteFloat | None
    standard_error: FiniteFloat | None
    plan: str
    information: FiniteFloat | None = None
    time: FiniteFloat | None = None
    final: bool = False
    states: dict[str, VerdictState] = Field(default_factory=dict)

    @field_validator("states", mode="before")
    @classmethod
    def _from_a_table(cls, value: Any) -> Any:
        """A table keeps them as text."""
        return json.loads(value or "{}") if value is None or isinstance(value, str) else value


class Record(_Frozen):
    """What one notebook emits."""

    schema_version: Literal["gazette.record/1"] = "gazette.record/1"
    subject: Id
    kind: Kind
    title: str
    owner: str
    edition: str
    week_start: date
    as_of: datetime
    snapshot: str
    facts: dict[str, str] = Field(default_factory=dict)
    numbers: tuple[Number, ...] = ()
    findings: tuple[Finding, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    alerts: tuple[Alert, ...] = ()
    looks: tuple[TakenLook, ...] = ()

    @model_validator(mode="after")
    def _references_resolve(self) -> Self:
        ids = [n.id for n in self.numbers]
        if twice := sorted({i for i in ids if ids.count(i) > 1}):
            msg = f"number ids used twice: {', '.join(twice)}"
            raise ValueError(msg)
        sentences = [*self.findings, *(v.reason for v in self.verdicts), *(v.advice for v in self.verdicts)]
        if unknown := sorted({r for s in sentences for r in s.references} - set(ids)):
            msg = f"sentences refer to numbers that the record does not hold: {', '.join(unknown)}"
            raise ValueError(msg)
        return self

    def number(self, number_id: str) -> Number:
        """The number with this id.

        Raises:
            KeyError: The record holds no such number.
        """
        for number in self.numbers:
            if number.id == number_id:
                return number
        raise KeyError(number_id)

    def effect(self, verdict: Verdict) -> Number | None:
        """The number to show beside a verdict: the relative change, or the difference where only that tells the verdict's side or is published.

        Verdicts are decided on differences. A relative change also carries the doubt about the control, so near the border its
        range may hold zero where the difference's does not; to show that one would contradict the verdict.
        """
        found = {n.id: n for n in self.numbers}
        name = f"{verdict.reason.id.removesuffix('.verdict')}.{verdict.metric}"
        relative, difference = found.get(f"{name}.relative"), found.get(f"{name}.difference")
        if relative is None or difference is None or not difference.published:
            return relative
        if not relative.published or side_of(relative) != side_of(difference):
            return difference
        return relative

    def to_json(self) -> str:
        """Canonical JSON text: sorted keys, one trailing newline, the same bytes for the same record."""
        return canonical_json(self.model_dump(mode="json"))

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Read what `to_json` wrote; raises ``pydantic.ValidationError`` (a ValueError) on anything else."""
        return cls.model_validate_json(text)


def side_of(number: Number) -> int | None:
    """Where a number's interval lies: 1 above zero, -1 below, 0 about it; None without one."""
    if number.interval is None or not number.published:
        return None
    return (number.interval.low > 0) - (number.interval.high < 0)


def canonical_json(value: Any) -> str:
    r"""JSON with sorted keys and no NaN, the same bytes for the same value.

    >>> canonical_json({"b": 1, "a": [0.5]})
    '{\n "a": [\n  0.5\n ],\n "b": 1\n}\n'
    """
    return json.dumps(value, sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
