"""The looks of a test: what was agreed at the first one, how much of it has passed, and which look was the last."""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from gazette import stats
from gazette.record import NotPublished, TakenLook
from gazette.workbench._plan import as_agreed, broken_by, changes, plan_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gazette.params import Experiment, Metric
    from gazette.record import VerdictState

__all__ = ["Looks"]

ANYTIME = "confidence-sequence"


class Looks(ABC):
    """The ledger of looks and the design that follows from it.

    Every edition is a look, whether or not new users came: what users do goes on. The plan at the first look counts, whatever the file says
    since: its error is spent by its size and its days, and its end is the last look.

    Args:
        plan: The experiment's parameters as its file has them.
        metrics: Definitions by id.
        last: Last day of the data.
        past: Looks of earlier editions, oldest first.
        edition: The edition's week.
    """

    def __init__(
        self, plan: Experiment, metrics: Mapping[str, Metric], *, last: date, past: Sequence[TakenLook], edition: str
    ) -> None:
        self.before = [look for look in past if look.units]  # before anybody came, nothing was seen
        self.file_plan = plan_of(plan, metrics)
        self.first_plan = (self.before[0].plan if self.before else "") or self.file_plan
        self.plan = as_agreed(plan, self.first_plan)
        self.metrics = metrics
        self.last = min(last, plan.end)
        self.ended = plan.end <= last
        self.edition = edition
        agreed = json.loads(self.first_plan)
        self.agreed_end = date.fromisoformat(agreed["end"])
        self.agreed_days = (self.agreed_end - date.fromisoformat(agreed["start"])).days + 1
        self.complete = self.agreed_end <= last and self.agreed_end <= plan.end  # all that was agreed is there
        self.closing = next((x for x in self.before if _closes(x)), None) if self.plan.design != ANYTIME else None
        self.past = self.before if self.closing is None else self.before[: self.before.index(self.closing)]

    @property
    @abstractmethod
    def units(self) -> int:
        """Units of all planned arms."""

    @abstractmethod
    def pair(
        self, metric: str, arm: str
    ) -> tuple[stats.Moments | NotPublished, stats.Moments | NotPublished, float, bool]:
        """Control and treatment after any adjustment."""

    @abstractmethod
    def compare(self, metric: str, arm: str, alpha: float | None = None) -> stats.Comparison:
        """One comparison at an error; by default the design's."""

    @property
    def days(self) -> int:
        """Days that the test has run."""
        return max(0, (self.last - self.plan.start).days + 1)

    @cached_property
    def design(self) -> stats.Design:
        """The design at this look, by the plan at the first one; each treatment has its share of the error.

        After the final look it is that look's: what came in since is shown at its limit, and decides nothing.
        """
        now = self.closing or self._now()
        looks = [look for look in self.past if look.effect is not None]
        known = [look.information for look in (*looks, now)]
        whole = self.plan.planned_units or max(1, now.units)
        return stats.Design(
            method=self.plan.design,  # type: ignore[arg-type]  # its values are the parameter's
            alpha=self.plan.alpha / len(self.plan.treatments),
            units=max(1, now.units),
            planned=self.plan.planned_units,
            past=tuple(look.units for look in looks),
            final=now.final and (now.time is None or now.time >= 1),
            spending=self.plan.spending,
            tightest=self.plan.tightest_units,
            information=() if None in known else tuple(i for i in known if i is not None),
            times=tuple(look.units / whole if look.time is None else look.time for look in (*looks, now)),
        )

    def _now(self) -> TakenLook:
        """This look, before it has a limit."""
        arms = [m for m in self.pair(self.plan.primary, self.plan.treatments[0].id)[:2] if isinstance(m, stats.Moments)]
        known = self.metrics[self.plan.primary]
        kind: stats.Kind = "ratio" if known.denominator is not None else "share" if known.proportion else "total"
        if self.plan.window_days is not None:
            kind = "whole"
        spread = len(arms) == 2 and sum(m.variance for m in arms) > 0  # noqa: PLR2004  both are there
        return TakenLook(
            edition=self.edition,
            units=self.units,
            critical=None,
            effect=arms[1].mean - arms[0].mean if spread else None,
            standard_error=None,
            plan=self.file_plan,
            information=stats.information(*arms, kind=kind) if spread else None,
            time=1.0 if self.complete else self._passed(),
            final=self.ended or self.complete or self.sized,
        )

    def _passed(self) -> float:
        """Share of the plan that has passed, by users and by days, whichever is less: users who are there may go on doing things.

        Users whose window is over do not: then users alone say it, once the test has run as long as it has to before anything is read.
        """
        if self.plan.window_days is not None and self.plan.planned_units is not None:
            least = max(1, min(self.plan.minimum_days, self.agreed_days))
            return min(1.0, self.units / self.plan.planned_units, self.days / least)
        days = self.days / self.agreed_days
        return min(1.0, days if self.plan.planned_units is None else min(days, self.units / self.plan.planned_units))

    @property
    def sized(self) -> bool:
        """Whether all users that were planned have had their days, so that this look is the last whatever the day."""
        return self.plan.window_days is not None and self.plan.design == "group-sequential" and self._passed() >= 1

    @property
    def over(self) -> bool:
        """Whether this look, or an earlier one, was the last that the plan allows."""
        return self.ended or self.complete or self.sized or self.closing is not None

    def earlier(self, arm: str) -> TakenLook | None:
        """The look before this one that settled the state of a treatment: the newest that crossed its limit, else the closing one."""
        looks = [*self.past, *([] if self.closing is None else [self.closing])]
        crossed = (x for x in reversed(looks) if x.states.get(arm) in {"benefit shown", "harm shown"})
        last = self.closing if self.closing is not None and arm in self.closing.states else None
        return next(crossed, last)

    @property
    def plan_digest(self) -> str:
        """SHA-256 of the plan as it was at the first look."""
        return hashlib.sha256(self.first_plan.encode()).hexdigest()

    def deviations(self) -> list[tuple[str, str, str]]:
        """Fields of the plan that are not what they were at the first look: name, then, now."""
        return changes(self.first_plan, self.file_plan)

    def broken_plan(self) -> dict[str, list[str]]:
        """Changes since the first look that nothing can make good, by the metric that they spoil (empty: the whole test)."""
        return broken_by(self.first_plan, self.file_plan)

    def looks_at_most(self) -> int:
        """Editions that fall into the days that were agreed."""
        start = self.agreed_end - timedelta(days=self.agreed_days - 1)
        first, last = start.isocalendar(), self.agreed_end.isocalendar()
        monday = [date.fromisocalendar(x.year, x.week, 1) for x in (first, last)]
        return (monday[1] - monday[0]).days // 7 + 1

    def critical_at_end(self, units: int) -> float:
        """Limit of the last look of a test of this design with so many units, if a look is taken each week of the days that were agreed."""
        weeks = range(1, self.looks_at_most() + 1)
        times = tuple(week / len(weeks) for week in weeks)
        past = tuple(max(1, round(t * units)) for t in times[:-1])
        ends = replace(self.design, units=units, planned=units, past=past, final=True, information=times, times=times)
        return ends.critical()

    def taken(self, states: Mapping[str, VerdictState] | None = None) -> list[TakenLook]:
        """The ledger with this look at its end; after the final look there are no more.

        Args:
            states: Of the verdict on each treatment.
        """
        if self.closing is not None:
            return [*self.past, self.closing]
        effect = self.compare(self.plan.primary, self.plan.treatments[0].id).difference
        found = {
            "critical": self.design.critical() if self.units else None,
            "states": dict(states or {}),
            "effect": None,
        }
        if isinstance(effect, stats.Estimate):
            found |= {"effect": effect.value, "standard_error": effect.standard_error}
        return [*self.past, self._now().model_copy(update=found)]


def _closes(look: TakenLook) -> bool:
    """Whether it was the last look of its test; earlier code did not say so, but the edition's week does."""
    if look.final or look.time is not None:
        return look.final
    try:
        sunday = datetime.strptime(f"{look.edition}-7", "%G-W%V-%u").date()  # noqa: DTZ007  a day
    except ValueError:
        return False
    return bool(look.plan) and date.fromisoformat(json.loads(look.plan)["end"]) <= sunday
