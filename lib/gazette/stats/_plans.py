"""Users and days of a test before it starts, by the design in which it will be read."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gazette.record import NotPublished
from gazette.stats._design import Design
from gazette.stats._planning import POWER, units_needed

if TYPE_CHECKING:
    from gazette.stats._design import Method
    from gazette.stats._sequential import Spending

__all__ = ["Planned", "plan"]

WEEK = 7


@dataclass(frozen=True)
class Planned:
    """What a test of a smallest effect worth having takes.

    Attributes:
        effect: Relative, 0.02 for 2 %.
        units: Of all arms.
        days: Until they are there, None where their pace is not known.
        critical: Standard errors that the last look asks for.
    """

    effect: float
    units: int
    days: int | None
    critical: float


def plan(
    mean: float,
    variance: float,
    effect: float,
    *,
    shares: tuple[float, ...] = (0.5, 0.5),
    per_day: float | None = None,
    method: Method = "group-sequential",
    spending: Spending = "obrien-fleming",
    alpha: float = 0.05,
    power: float = POWER,
    cluster_size: float = 1.0,
    correlation: float = 0.0,
    window_days: int = 0,
) -> Planned | NotPublished:
    """Users of all arms for a test that is read every week, and the days that they take.

    Each treatment is compared with the control at its share of the error; the smallest decides. Of clusters the variance of a unit is
    larger by 1 + (m - 1) rho (Kish 1965).

    Args:
        mean: Of the control, in the metric's unit.
        variance: Of a unit.
        effect: Smallest relative effect worth having.
        shares: Of the arms, the control first.
        per_day: Units that come in a day; without it looks are planned for four weeks, and no days are given.
        method: How looks are paid for.
        spending: For group-sequential.
        alpha: Two-sided error of the whole test.
        power: Chance to show the effect in one treatment.
        cluster_size: Units of a cluster that is assigned as one.
        correlation: Of units of one cluster.
        window_days: Days for which each unit counts; the last who comes has to be through with them.

    >>> found = plan(0.1, 0.09, 0.05, per_day=5000)
    >>> found.units, found.days
    (117434, 24)
    """
    treatments = len(shares) - 1
    least = min(shares[1:])

    def design(units: int) -> Design:
        looks = max(1, math.ceil(units / per_day / WEEK)) if per_day else 4
        times = tuple(k / looks for k in range(1, looks + 1))
        return Design(
            method=method,
            alpha=alpha / treatments,
            units=units,
            planned=units,
            past=tuple(max(1, math.floor(t * units)) for t in times[:-1]),
            spending=spending,
            tightest=units,
            information=times,
            times=times,
        )

    units = units_needed(
        mean,
        variance * (1 + (cluster_size - 1) * correlation),
        effect,
        shares=(shares[0], least),
        critical=lambda n: design(n).critical(),
        power=power,
    )
    if isinstance(units, NotPublished):
        return units
    days = None if per_day is None else math.ceil(units / per_day) + window_days
    return Planned(effect, units, days, design(units).critical())
