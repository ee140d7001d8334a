"""A sensitivity as a distribution, and changes with their units."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, cast

from gazette.errors import GazetteError
from gazette.record import Unit
from gazette.stats import z_of

__all__ = [
    "Change",
    "ChangeUnit",
    "Link",
    "UnitError",
    "as_number_unit",
    "change_unit",
    "converted",
    "slope_of_range",
]

ChangeUnit = Literal["points", "relative", "ms", "money", "days", "hours", "minutes", "number"]


class UnitError(GazetteError, ValueError):
    """A change in a unit that the sensitivity does not speak of: points are not per cent."""


def change_unit(unit: Unit) -> ChangeUnit:
    """Unit of the difference of two values of a metric.

    >>> change_unit("score"), change_unit("fraction"), change_unit("ms")
    ('points', 'points', 'ms')
    """
    if unit in {"fraction", "score", "points"}:
        return "points"
    return "number" if unit == "count" else cast("ChangeUnit", unit)


def as_number_unit(unit: ChangeUnit, metric: Unit) -> Unit:
    """Unit in which a change of a metric is published: points of a score are shown as a difference of scores.

    >>> as_number_unit("points", "score"), as_number_unit("points", "fraction"), as_number_unit("relative", "score")
    ('score', 'points', 'relative')
    """
    return "score" if unit == "points" and metric == "score" else unit


@dataclass(frozen=True)
class Change:
    """A change of a metric.

    Attributes:
        value: In ``unit``: 0.02 is two points, or two per cent where ``unit`` is ``relative``.
        unit: ``points`` (difference of fractions or scores), ``relative`` (ratio less one), or the metric's own.
        standard_error: Of the value; nought where it is taken as given.
    """

    value: float
    unit: ChangeUnit
    standard_error: float = 0.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.value) and math.isfinite(self.standard_error)) or self.standard_error < 0:
            raise UnitError(f"a change needs a finite value and standard error, found {self!r}")


def converted(change: Change, unit: ChangeUnit, level: float | None = None) -> Change:
    """The change in another unit.

    Args:
        change: As it is known.
        unit: As it is wanted.
        level: The metric before the change, without which points and per cent cannot be exchanged; taken as given.

    Raises:
        UnitError: The units are of different kinds, or the level is missing, negative or nought.

    >>> converted(Change(0.02, "points"), "relative", level=0.64).value
    0.03125
    """
    if change.unit == unit:
        return change
    if "relative" not in {change.unit, unit}:
        raise UnitError(f"a change in {change.unit} is none in {unit}", mend="state both in the same unit")
    if level is None or not math.isfinite(level) or level <= 0:
        raise UnitError(
            f"a change in {change.unit} is {unit} only at a level that is known and above nought",
            mend="give the metric's level before the change",
        )
    by = 1 / level if unit == "relative" else level
    return Change(change.value * by, unit, change.standard_error * by)


@dataclass(frozen=True)
class Link:
    """How a change of one metric moves another: a normal distribution of the slope.

    Attributes:
        id: Of the row in the matrix.
        technical, business: Ids of the two metrics.
        mean, sd: Of the slope, ``effect_unit`` per ``unit``.
        unit: Of the technical change.
        effect_unit: Of the business change.
        observed: Smallest and largest technical change for which it was seen.
        segment: For whom it holds; empty for all.
    """

    id: str
    technical: str
    business: str
    mean: float
    sd: float
    unit: ChangeUnit
    effect_unit: ChangeUnit
    observed: tuple[float, float]
    segment: str = ""

    def __post_init__(self) -> None:
        if not all(map(math.isfinite, (self.mean, self.sd, *self.observed))) or self.sd < 0:
            raise UnitError(f"link {self.id!r} needs finite numbers and a spread that is not negative")
        if self.observed[0] > self.observed[1]:
            raise UnitError(f"the observed range of link {self.id!r} runs backwards: {self.observed}")

    @property
    def range(self) -> tuple[float, float]:
        """The 80 % range of the slope."""
        half = z_of(0.8) * self.sd
        return self.mean - half, self.mean + half


def slope_of_range(low: float, high: float, coverage: float, per: float) -> tuple[float, float]:
    """Mean and standard deviation of the slope that a stated range of the effect of a change of ``per`` means.

    The range is read as the central part of a normal distribution that holds ``coverage`` of what is believed.

    >>> mean, sd = slope_of_range(0.012, 0.018, 0.8, per=0.02)
    >>> round(mean, 6), round(sd, 6)
    (0.75, 0.117046)
    """
    half = (high - low) / 2 / z_of(coverage)
    return (low + high) / 2 / per, abs(half / per)
