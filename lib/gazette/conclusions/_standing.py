"""How one metric of a test stands, by its ranges alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from gazette.stats import POWER

if TYPE_CHECKING:
    from gazette.record import Number, VerdictState

__all__ = ["MetricResult", "Skewed", "Standing", "guardrail_of", "state_by", "state_of", "within"]

Role = Literal["primary", "secondary", "guardrail"]
Standing = Literal["passed", "broken", "open", "unknown"]


@dataclass(frozen=True, kw_only=True)
class Skewed:
    """That a few users hold much of a metric, which bent its range or took it away.

    Attributes:
        withheld: Whether there is no range.
        ratio: Whether it is a ratio, of which the total is the numerator's and which takes no cap.
        units: What is counted: users or clusters.
        users: Of control and treatment.
        effective: Users who would make up the total if all had alike.
        largest: Share of the total that the largest in a hundred users hold; None where it is not known.
        needed: Users of the smaller arm from which on there is a range.
    """

    withheld: bool
    ratio: bool = False
    units: str = "users"
    users: Number
    effective: Number
    largest: Number | None
    needed: Number


@dataclass(frozen=True, kw_only=True)
class MetricResult:
    """What a look found for one metric.

    Attributes:
        metric: Its id.
        title: Its name for readers.
        role: Why it is in the test.
        higher_is_better: Its good direction.
        control, treatment: Value per arm.
        difference: Treatment less control, in the metric's unit.
        relative: The same relative to the control.
        margin: For a guardrail, the relative loss that it may not exceed.
        margin_number: The same as a number that sentences can refer to.
        power: For a guardrail, the chance to show at this look that it holds where nothing changed.
        needed: For a guardrail, the users of all arms for which that chance is 80 %.
        adjusted: Whether the comparison is adjusted by a covariate, so that the arms as shown do not subtract to the difference.
        minimum: For the primary metric, the smallest relative effect worth having.
        skewed: Where a few users hold so much of it that the range is bent or withheld.
    """

    metric: str
    title: str
    role: Role
    higher_is_better: bool
    control: Number
    treatment: Number
    difference: Number
    relative: Number
    margin: float | None = None
    margin_number: Number | None = None
    power: Number | None = None
    needed: Number | None = None
    minimum: float | None = None
    adjusted: bool = False
    skewed: Skewed | None = None

    def good(self, number: Number) -> tuple[float, float] | None:
        """The interval read in the good direction (above zero is better), or None without one."""
        if not number.published or number.interval is None:
            return None
        low, high = number.interval.low, number.interval.high
        return (low, high) if self.higher_is_better else (-high, -low)

    @property
    def guarded(self) -> bool:
        """Whether the test had the planned power to show that the guardrail holds."""
        return self.power is not None and isinstance(self.power.value, float) and self.power.value >= POWER

    @property
    def size(self) -> float:
        """The control without its sign: what shares are of where no relative change is published."""
        return abs(self.control.value) if isinstance(self.control.value, float) else 0.0


def state_of(result: MetricResult) -> tuple[VerdictState, str]:
    """State and rule of one metric, by its intervals alone."""
    return state_by(result.good(result.difference), result.good(result.relative), result.minimum, size=result.size)


def state_by(
    absolute: tuple[float, float] | None,
    relative: tuple[float, float] | None,
    minimum: float | None,
    *,
    size: float = 0.0,
) -> tuple[VerdictState, str]:
    """State and rule by intervals read in the good direction (above zero is better).

    Args:
        absolute: Of the difference, in the metric's unit; None without one.
        relative: Of the relative difference (0.02 for 2 %); None without one.
        minimum: Smallest relative effect worth having; None where none counts.
        size: The control without its sign, for a difference that has no relative (the control is negative or near zero).
    """
    if absolute is None:
        return "not published", "not-computable"
    if absolute[0] > 0:
        return "benefit shown", "interval-above-zero"
    if absolute[1] < 0:
        return "harm shown", "interval-below-zero"
    if minimum is not None and (absolute[1] < minimum * size if relative is None else relative[1] < minimum):
        return "no worthwhile benefit", "worthwhile-ruled-out"
    return "not resolved", "interval-includes-zero"


def guardrail_of(result: MetricResult) -> Standing:
    """Whether non-inferiority is shown: the interval excludes a loss beyond the margin; unknown where there is no interval.

    Where no relative change is published, that share of the control's size is what the difference may not lose. What includes no change as a
    difference has not lost, whatever the relative range says.
    """
    interval, allowed = result.good(result.relative), result.margin
    if interval is None and allowed is not None:
        interval, allowed = result.good(result.difference), allowed * result.size
    if interval is None or allowed is None:
        return "unknown"
    if interval[0] > -allowed:
        return "passed"
    lost = result.good(result.difference)
    return "broken" if interval[1] < -allowed and (lost is None or lost[1] < 0) else "open"


def within(result: MetricResult) -> tuple[bool, bool]:
    """Whether the range lies above, and whether it lies below, what a change of the smallest effect worth having would bring to either side."""
    interval, least = result.good(result.relative), result.minimum
    if interval is None and least is not None:
        interval, least = result.good(result.difference), least * result.size
    if interval is None or least is None:
        return False, False
    return interval[0] > -least, interval[1] < least
