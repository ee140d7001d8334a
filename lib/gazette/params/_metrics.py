"""``metrics.yml``: what is agreed across subjects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import Field

from gazette.params._types import (
    Changelog,
    Column,
    Fraction,
    Id,
    Positive,
    Sheet,
    Text,
    Unit,
    Window,
    as_day,
    sum_faults,
)

__all__ = [
    "FLAGS",
    "Before",
    "Covariate",
    "Entry",
    "Fact",
    "Metric",
    "MetricsFile",
    "Trigger",
    "changelog_faults",
    "clashes",
    "shape_faults",
]


FLAGS = ("broken", "absent", "untimed", "unarrived")  # what rows of a fact may lack, kept of each unit
PARTS = ("den", "pre", "lack", *FLAGS, *(f"den-{kind}" for kind in FLAGS))  # what is kept of a unit beside its value
TAKEN = {"n": "users per arm", "missing": "checks of what is missing"}  # numbers of a test that have parts


def clashes(ids: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Metrics of one test that cannot be told from another's parts or from the test's own numbers: the id to blame, and what to say.

    Args:
        ids: All metrics of the test.
    """
    for metric in dict.fromkeys(ids):
        if metric in TAKEN:
            yield metric, f"a metric cannot be called {metric!r}: the {TAKEN[metric]} are; give it another name"
        for part in PARTS:
            if (other := metric.removesuffix(f"-{part}")) != metric and other in ids:
                yield (
                    metric,
                    f"metrics {other!r} and {metric!r} cannot be told apart in one test: a part of {other!r} is called the same; give one another name",
                )


class Rows(Sheet):
    """Rows of a warehouse table that say what happened to a unit, and when."""

    table: Column
    unit: Column = Field(description="Column with the unit, the same ids as in the assignment table.")
    time: Column = Field(description="Column with the time at which it happened (UTC).")
    arrived: Column | None = Field(default=None, description="Column with the time at which the row was loaded.")
    where: list[Window] = Field(default_factory=list)


class Fact(Rows):
    """Rows of a warehouse table that a metric counts or adds up, one unit at a time."""

    value: Column | None = Field(default=None, description="Column to add up; needed for aggregation: sum.")
    aggregation: Literal["any", "count", "sum"]

    @classmethod
    def faults(cls, raw: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """Only a sum adds up a column."""
        yield from sum_faults(raw)


class Trigger(Rows):
    """Rows that say which units met the place where a test's change is, and when."""

    @property
    def fact(self) -> Fact:
        """The same rows as a fact of which one is enough."""
        return Fact(**dict(self), aggregation="any")


class Covariate(Sheet):
    """A value per unit from before the test, which explains part of the metric and so narrows its range (CUPED)."""

    table: Column
    unit: Column
    column: Column


def changelog_faults(raw: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """A changelog counts from 1 and runs forward."""
    versions = [entry["version"] for entry in raw["changelog"]]
    if versions != list(range(1, len(versions) + 1)):
        yield "changelog", f"changelog versions must be 1, 2, 3 …, oldest first; found {versions}"
    dates = [day for entry in raw["changelog"] if (day := as_day(entry["date"])) is not None]
    if dates != sorted(dates):
        yield "changelog", "changelog dates run backwards; write the oldest first"


def shape_faults(raw: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What is wrong between the keys that say how a metric is measured."""
    shapes = [k for k in ("denominator", "quantile", "cap", "cap_quantile") if raw.get(k) is not None]
    if len(shapes) > 1:
        yield shapes[1], f"give at most one of {', '.join(shapes)}"
    if shapes and not raw.get("fact"):
        yield shapes[0], f"{shapes[0]!r} needs a fact"
    elif shapes and shapes[0] != "denominator" and raw["fact"]["aggregation"] == "any":
        yield shapes[0], f"{shapes[0]!r} needs values; aggregation 'any' only says yes or no"


class Before(Sheet):
    """How a metric was measured until a change: all of it, not only what changed."""

    fact: Fact
    denominator: Fact | None = None
    quantile: Fraction | None = None
    cap: Positive | None = None
    cap_quantile: Fraction | None = None
    unit: Unit | None = Field(default=None, description="The unit until then; by default the metric's.")

    @classmethod
    def faults(cls, raw: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """As for a metric: of one kind."""
        yield from shape_faults(raw)


class Entry(Changelog):
    """A change of a metric, with the definition until then where what is measured changed."""

    before: Before | None = Field(
        default=None, description="The definition until this entry; both are then shown over the same weeks."
    )


class Metric(Sheet):
    """A definition that people agreed on; its id appears in number ids."""

    title: Text
    owner: Text
    definition: Text
    unit: Unit
    direction: Literal["higher", "lower", "zero"] = Field(
        description="Which way is good; 'zero' where it should be nought, such as a bias."
    )
    fact: Fact | None = Field(default=None, description="How experiments measure it, a unit at a time.")
    denominator: Fact | None = Field(default=None, description="Makes it a ratio of two sums, unit by unit.")
    quantile: Fraction | None = Field(default=None, description="Makes it this quantile of the units' values.")
    cap: Positive | None = Field(default=None, description="A unit's value counts as at most this.")
    cap_quantile: Fraction | None = Field(
        default=None, description="A unit's value counts as at most this quantile of all units (winsorised)."
    )
    covariate: Covariate | None = None
    formula: Text | None = Field(
        default=None, description="The formula in words or symbols, where no fact says it; it is shown as text."
    )
    code: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_.]*$")] | None = Field(
        default=None, description="Dotted name of the function that computes it, where no fact says it."
    )
    changelog: list[Entry] = Field(min_length=1)

    @property
    def version(self) -> int:
        """The version in force."""
        return self.changelog[-1].version

    @property
    def proportion(self) -> bool:
        """Whether experiments measure it as a share of units."""
        return self.fact is not None and self.fact.aggregation == "any" and not self.denominator

    @classmethod
    def faults(cls, raw: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """A changelog runs forward; a metric is of one kind."""
        yield from shape_faults(raw)
        if raw.get("quantile") is not None and raw.get("covariate"):
            yield "covariate", "a quantile takes no covariate"
        if raw.get("fact") and raw["direction"] == "zero":
            yield "direction", "an experiment needs a way that is good: higher or lower"
        yield from changelog_faults(raw)
        told = [entry["version"] for entry in raw["changelog"] if entry.get("before")]
        if told and not raw.get("fact"):
            yield (
                "changelog",
                f"version {told[0]} says how it was measured before, but the metric has no fact to compare with",
            )
        if 1 in told:
            yield "changelog", "version 1 is the first definition; nothing was before it"


class MetricsFile(Sheet):
    """All metrics, by id."""

    metrics: dict[Id, Metric]
