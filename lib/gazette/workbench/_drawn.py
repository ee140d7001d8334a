"""A test read from aggregates that are at hand, as a build reads it from frozen ones: what replays with arms drawn at random rest on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from gazette.workbench._reading import Reading

if TYPE_CHECKING:
    from gazette.params import Experiment, Metric
    from gazette.record import TakenLook

__all__ = ["DrawnReading", "read_looks"]


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
        arms: Mapping[str, Mapping[str, Any]],
        *,
        last: date,
        past: Sequence[TakenLook] = (),
        edition: str = "",
    ) -> None:
        super().__init__(plan, metrics, lambda _: None, last=last, past=past, edition=edition)
        self.arms = {variant: dict(row) for variant, row in arms.items()}


def read_looks(
    plan: Experiment,
    metrics: Mapping[str, Metric],
    looks: Iterable[tuple[date, Mapping[str, Mapping[str, Any]]]],
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
