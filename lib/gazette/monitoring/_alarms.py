"""The state of a threshold at the data cut-off: firing since when, waiting, suppressed, near its limit, without data."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["AlarmState", "Condition", "evaluate", "explained"]

State = Literal["firing", "waiting", "suppressed", "near its limit", "ok", "no data"]
NEAR = 0.9  # of the way to the limit


@dataclass(frozen=True)
class Condition:
    """A limit on one side, for how long, and how long data may be missing.

    Attributes:
        above: The value may not be greater, or None.
        below: The value may not be less, or None.
        duration: How long it must hold.
        grace: How long data may be missing.
        whole: Values are counts, which are never near a limit.
    """

    above: float | None
    below: float | None
    duration: timedelta
    grace: timedelta
    whole: bool = False

    def broken(self, value: float) -> bool:
        """Whether a value lies beyond the limit."""
        return value > self.above if self.above is not None else value < (self.below or 0.0)

    def near(self, value: float) -> bool:
        """Whether a value within the limit has used up nine tenths of the way to it (from nought, or from one)."""
        if self.whole:
            return False
        if self.above is not None:
            return self.above > 0 and value >= NEAR * self.above
        limit = self.below or 0.0
        return 0 < limit < 1 and value <= limit + (1 - NEAR) * (1 - limit)


@dataclass(frozen=True)
class AlarmState:
    """What became of an alert.

    Attributes:
        alert: Id of the alert.
        subject: Service, pipeline or model, empty where there is only one.
        state: At the cut-off.
        since: When the state firing or waiting began.
        value: The newest value, None without data.
        why: What explains a suppressed one or missing data.
        episodes: Times within the period in which it fired, each with its end (the cut-off where it still does).
    """

    alert: str
    subject: str
    state: State
    since: datetime | None
    value: float | None
    why: str = ""
    episodes: tuple[tuple[datetime, datetime], ...] = ()


def evaluate(
    alert: str,
    subject: str,
    condition: Condition,
    series: Sequence[tuple[datetime, float | None]],
    *,
    end: datetime,
    step: timedelta,
    muted: Callable[[datetime], str] = lambda _: "",
) -> AlarmState:
    """Walk a series as an alerting system would have.

    Args:
        alert: Id of the alert.
        subject: What it is measured on.
        condition: The limit.
        series: Points, oldest first; None or NaN where nothing was measured. A point stands for the step that it begins.
        end: The cut-off.
        step: Distance of points.
        muted: The maintenance that a time lies in, or an empty text.
    """
    known = [(at, v) for at, v in series if v is not None and not math.isnan(v) and at < end]
    if not known:
        return AlarmState(alert, subject, "no data", None, None, "nothing was measured")
    episodes: list[tuple[datetime, datetime]] = []
    run: datetime | None = None
    previous: datetime | None = None
    for at, value in known:
        gap = previous is not None and at - previous > step + condition.grace
        if run is not None and (gap or not condition.broken(value) or muted(at)):
            _close(episodes, run, previous or at, condition, step)
            run = None
        if condition.broken(value) and not muted(at) and run is None:
            run = at
        previous = at
    last, value = known[-1]
    if end - last > step + condition.grace:
        if run is not None:
            _close(episodes, run, last, condition, step)
        why = f"nothing was measured since {last + step:%Y-%m-%d %H:%M}"
        return AlarmState(alert, subject, "no data", None, None, why, tuple(episodes))
    if condition.broken(value):
        if why := muted(last):
            return AlarmState(alert, subject, "suppressed", None, value, why, tuple(episodes))
        begun = run or last
        if end - begun >= condition.duration:
            episodes.append((begun, end))
            return AlarmState(alert, subject, "firing", begun, value, "", tuple(episodes))
        return AlarmState(alert, subject, "waiting", begun, value, "", tuple(episodes))
    state: State = "near its limit" if condition.near(value) else "ok"
    return AlarmState(alert, subject, state, None, value, "", tuple(episodes))


def _close(
    episodes: list[tuple[datetime, datetime]], start: datetime, last: datetime, condition: Condition, step: timedelta
) -> None:
    until = last + step
    if until - start >= condition.duration:
        episodes.append((start, until))


def explained(states: Sequence[AlarmState], parents: Mapping[str, Sequence[str]]) -> list[AlarmState]:
    """The states with those suppressed whose parent fires for the same subject (or for all)."""
    firing = {(s.alert, s.subject) for s in states if s.state == "firing"}
    found = []
    for s in states:
        parent = next((p for p in parents.get(s.alert, ()) if {(p, s.subject), (p, "")} & firing), None)
        found.append(
            replace(s, state="suppressed", why=f"explained by {parent}") if parent and s.state == "firing" else s
        )
    return found
