"""A test read from aggregates that are at hand, as a build reads it from frozen ones: what replays with arms drawn at random rest on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from gazette.stats import Estimate
from gazette.workbench._reading import Reading

if TYPE_CHECKING:
    import pandas as pd

    from gazette.params import Experiment, Metric
    from gazette.record import TakenLook
    from gazette.stats import Comparison

__all__ = ["DrawnReading", "Outcome", "alone", "compared", "read_looks", "replay_outcomes"]

ONCE = "fixed"
Arms = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Outcome:
    """What a replay without any effect said of one metric by one design.

    Attributes:
        metric: Its id.
        design: How its looks were paid for.
        looks: How many were taken.
        wrong: Whether a change was shown at one of them; None where nothing was published.
    """

    metric: str
    design: str
    looks: int
    wrong: bool | None


class DrawnReading(Reading):
    """A reading of one look whose arms' aggregates are given.

    Args:
        plan: The experiment's parameters.
        metrics: Definitions by id.
        arms: Aggregates by variant, with the columns of ``sources``' answer ``arms``; quantiles' order statistics beside them.
        last: Last day of the data.
        past: Looks before this one, oldest first.
        edition: The look's week.
    """

    def __init__(
        self,
        plan: Experiment,
        metrics: Mapping[str, Metric],
        arms: Arms,
        *,
        last: date,
        past: Sequence[TakenLook] = (),
        edition: str = "",
    ) -> None:
        super().__init__(plan, metrics, lambda _: None, last=last, past=past, edition=edition)
        self.arms = {variant: dict(row) for variant, row in arms.items()}


def read_looks(
    plan: Experiment, metrics: Mapping[str, Metric], looks: Iterable[tuple[date, Arms]]
) -> list[DrawnReading]:
    """Every look of one test, each with those before it in its ledger, as weekly editions have them.

    Args:
        plan: The experiment's parameters.
        metrics: Definitions by id.
        looks: Last day of the data and aggregates by variant, oldest first.
    """
    found: list[DrawnReading] = []
    for last, arms in looks:
        past = found[-1].taken() if found else []
        week = last.isocalendar()
        edition = f"{week.year}-W{week.week:02}"
        found.append(DrawnReading(plan, metrics, arms, last=last, past=past, edition=edition))
    return found


def alone(plan: Experiment, metric: str, *, last: date, units: int, once: bool = False) -> Experiment:
    """The test with one metric, as if it had been planned for the days and units that it has by now; read once or by its own design."""
    sized = units if plan.design == "group-sequential" and not once else plan.planned_units
    return plan.model_copy(
        update={
            "primary": metric,
            "secondary": [],
            "guardrails": [],
            "segments": [],
            "reallocations": [],
            "end": min(plan.end, last),
            "planned_units": sized,
            "method": ONCE if once else plan.design,
        }
    )


def replay_outcomes(
    plan: Experiment, metrics: Mapping[str, Metric], looks: Sequence[tuple[date, Arms]]
) -> list[Outcome]:
    """Every metric of a test whose arms were drawn at random, by its own design over all looks and read once at the last.

    A change is shown wrongly where the range of the difference of any treatment excludes nought, as verdicts go by it.

    Args:
        plan: The experiment's parameters.
        metrics: Definitions by id.
        looks: Last day of the data and aggregates by variant, oldest first.
    """
    last, arms = looks[-1]
    units = sum(int(row["n"]) for row in arms.values())
    found = []
    for metric in plan.metrics:
        if plan.design != ONCE:
            own = alone(plan, metric, last=last, units=units)
            found.append(Outcome(metric, own.design, len(looks), _wrong(read_looks(own, metrics, looks), metric)))
        once = alone(plan, metric, last=last, units=units, once=True)
        found.append(Outcome(metric, ONCE, 1, _wrong(read_looks(once, metrics, looks[-1:]), metric)))
    return found


def _wrong(readings: Sequence[Reading], metric: str) -> bool | None:
    shown = [
        reading.compare(metric, treatment.id)
        for reading in readings
        for treatment in reading.plan.treatments
        if reading.closing is None
    ]
    there = [c for c in shown if isinstance(c.difference, Estimate)]
    return any(c.excludes_zero for c in there) if there else None


def compared(
    plan: Experiment,
    metrics: Mapping[str, Metric],
    tables: Callable[[str], pd.DataFrame | None] | Arms,
    *,
    last: date,
) -> dict[tuple[str, str], Comparison]:
    """Every metric of every treatment at one look, read once: from frozen answers by name, or from arms' aggregates at hand."""
    found: dict[tuple[str, str], Comparison] = {}
    for metric in plan.metrics:
        once = alone(plan, metric, last=last, units=0, once=True)
        reading = (
            Reading(once, metrics, tables, last=last)
            if callable(tables)
            else DrawnReading(once, metrics, tables, last=last)
        )
        found |= {(metric, t.id): reading.compare(metric, t.id) for t in plan.treatments}
    return found
