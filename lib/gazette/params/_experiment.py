"""``experiments/*.yml``: one file per A/B test."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import Field

from gazette.params._metrics import Trigger, clashes
from gazette.params._types import Column, Cost, Count, Fraction, Id, Page, Positive, Sheet, Spelling, Text, as_day

__all__ = ["Experiment", "Guardrail", "Impact", "Reallocation", "Segment", "Variant"]


def _named(raw: Mapping[str, Any], key: str) -> list[Any]:
    """Metrics that a key of the file names."""
    if key == "primary":
        return [raw.get("primary")]
    return [row["metric"] if key == "guardrails" else row for row in raw.get(key, ())]


class Variant(Sheet):
    """One arm."""

    id: Id
    title: Text
    weight: Fraction
    aliases: list[Spelling] = Field(
        default_factory=list,
        description="Other spellings of it in the assignment table, such as Blue for blue; blanks count: 'blue ' in quotes.",
    )


class Reallocation(Sheet):
    """Shares of new units from a day on, where they were moved while the test ran."""

    since: date
    weights: dict[Id, Fraction]


class Guardrail(Sheet):
    """A metric that may not get worse by more than the margin (relative, 0.02 for 2 %)."""

    metric: Id
    margin: Fraction


class Segment(Sheet):
    """A property of units by which the effect is looked at."""

    title: Text
    table: Column
    unit: Column
    column: Column


class Impact(Sheet):
    """What one unit of improvement in the primary metric is worth, and on which base: always stated, never assumed."""

    value_per_unit: Positive
    units_per_month: Positive
    base: Text


def _same_titles(raw: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    titles = [str(s.get("title")) for s in raw.get("segments") or () if isinstance(s, Mapping)]
    if same := sorted({t for t in titles if titles.count(t) > 1}):
        yield "segments", f"two properties are called {same[0]!r}; readers could not tell them apart"


class Experiment(Page):
    """An A/B test that an edition reports on."""

    hypothesis: Text
    start: date
    end: date = Field(description="Last day, inclusive.")
    assignments: Column = "experiment_assignments"
    control: Id
    variants: list[Variant] = Field(min_length=2, max_length=8)
    reallocations: list[Reallocation] = Field(
        default_factory=list,
        description="Where shares were moved while the test ran: from which day, to which; arms are then compared within days of one allocation.",
    )
    exclude: list[Spelling] = Field(
        default_factory=list,
        description="Variants of the assignment table that are meant to be no arm, such as holdout; also 'no variant', 'no id', 'no time'.",
    )
    primary: Id
    secondary: list[Id] = Field(default_factory=list)
    guardrails: list[Guardrail] = Field(default_factory=list)
    alpha: Fraction = 0.05
    planned_units: Count | None = Field(
        default=None,
        description="Units of all arms together at the planned end; with window_days those whose window is over.",
    )
    method: Literal["group-sequential", "confidence-sequence", "fixed"] | None = Field(
        default=None,
        description="How looks before the end are paid for; by default group-sequential where planned_units is given.",
    )
    spending: Literal["obrien-fleming", "pocock"] = "obrien-fleming"
    tightest_units: Count = Field(default=20000, description="Units at which a confidence sequence is narrowest.")
    correction: Literal["benjamini-hochberg", "holm", "bonferroni", "none"] = Field(
        default="benjamini-hochberg", description="For the secondary metrics."
    )
    minimum_days: Annotated[int, Field(ge=0, le=90, strict=True)] = Field(
        default=7, description="Days before anything is concluded; whole weeks, for weekdays differ."
    )
    segments: list[Segment] = Field(default_factory=list)
    minimum_effect: Positive = Field(description="Smallest relative effect worth having (0.02 for 2 %).")
    window_days: Annotated[int, Field(gt=0, le=365, strict=True)] | None = Field(
        default=None,
        description="Days from its assignment for which each user counts; who is not through with them does not count yet. Recommended: 7, or whole weeks.",
    )
    triggered: Trigger | None = Field(
        default=None,
        description="Rows of units that met the place where the change is: only these count, each from its first such row after its assignment.",
    )
    rollout_days: Annotated[int, Field(gt=0, le=365, strict=True)] = 7
    impact: Impact | None = None
    cost: Cost | None = Field(default=None, description="Of building and running the variant; for the table of costs.")

    @classmethod
    def faults(cls, raw: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """Dates, weights, variants and metrics that do not fit together."""
        start, end = as_day(raw.get("start")), as_day(raw.get("end"))
        if start is not None and end is not None and end < start:
            yield "end", f"dates run backwards: end {raw['end']} is before start {raw['start']}"
        window = raw.get("window_days")
        if start is not None and end is not None and window and window > (end - start).days:
            yield (
                "window_days",
                f"nobody's {window} days would be over by {end}: end the test later, or count fewer days",
            )
        yield from _same_titles(raw)
        metrics = [m for key in ("primary", "secondary", "guardrails") for m in _named(raw, key)]
        if twice := sorted({m for m in metrics if metrics.count(m) > 1}):
            yield "primary", f"metrics named twice: {', '.join(twice)}"
        for metric, what in clashes([m for m in metrics if isinstance(m, str)]):
            place = next(k for k in ("primary", "secondary", "guardrails") if metric in _named(raw, k))
            yield place, what
        ids = [v["id"] for v in raw["variants"]]
        if len(set(ids)) != len(ids):
            yield "variants", "two variants have the same id"
        spelt = [*ids, *(alias for v in raw["variants"] for alias in v.get("aliases", ())), *raw.get("exclude", ())]
        if twice := sorted({name for name in spelt if spelt.count(name) > 1} - {i for i in ids if ids.count(i) > 1}):
            yield "variants", f"a spelling stands for two things: {', '.join(twice)}"
        if "control" in raw and raw["control"] not in ids:
            yield "control", f"control {raw['control']!r} is not one of the variants {ids}"
        if raw.get("method") == "group-sequential" and raw.get("planned_units") is None:
            yield "method", "group-sequential spends its error by planned_units; give it, or take confidence-sequence"
        yield from cls._misallocated(raw, ids)
        total = sum(v["weight"] for v in raw["variants"])
        if abs(total - 1) > 1e-9:  # noqa: PLR2004  rounding of written decimals
            yield "variants", f"variant weights add up to {total:g}, not to 1"

    @classmethod
    def _misallocated(cls, raw: Mapping[str, Any], ids: list[str]) -> Iterator[tuple[str, str]]:
        if raw.get("triggered") and raw.get("reallocations"):
            what = "users count from their trigger, and shares that were moved hold for days of assignment: leave out triggered, or start a new test"
            yield "triggered", what
        before, end = as_day(raw.get("start")), as_day(raw.get("end"))
        for moved in raw.get("reallocations", ()):
            if sorted(moved["weights"]) != sorted(ids):
                yield "reallocations", f"weights from {moved['since']} on are not those of the variants {ids}"
            elif abs(total := sum(moved["weights"].values()) - 1) > 1e-9:  # noqa: PLR2004  as below
                yield "reallocations", f"weights from {moved['since']} on add up to {1 + total:g}, not to 1"
            since = as_day(moved["since"])
            if before is not None and since is not None and since <= before:
                yield (
                    "reallocations",
                    f"{moved['since']} is not after {before}: they follow each other, after the start",
                )
            if end is not None and since is not None and since > end:
                yield "reallocations", f"{moved['since']} is after the test's end, {end}"
            before = since or before

    def phases(self) -> list[tuple[date, list[float]]]:
        """First day and shares of each stretch of one allocation, the shares in the order of the variants."""
        first = (self.start, [v.weight for v in self.variants])
        return [first, *((m.since, [m.weights[v.id] for v in self.variants]) for m in self.reallocations)]

    @property
    def treatments(self) -> list[Variant]:
        """The variants that are not the control, in their order."""
        return [v for v in self.variants if v.id != self.control]

    @property
    def design(self) -> str:
        """The method in force."""
        return self.method or ("group-sequential" if self.planned_units else "confidence-sequence")

    @property
    def metrics(self) -> list[str]:
        """All metric ids, the primary first."""
        return [self.primary, *self.secondary, *(g.metric for g in self.guardrails)]
