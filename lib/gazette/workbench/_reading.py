"""An experiment's aggregates read against its plan: every estimate, before anything is said about them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from gazette import stats
from gazette.record import NotPublished
from gazette.sources import column_of
from gazette.workbench._accounted import Accounted, broken_values
from gazette.workbench._answers import date_of, explained, joint, moments, ordered, records
from gazette.workbench._looks import Looks
from gazette.workbench._phases import MOVED, splits, stratified, too_few

if TYPE_CHECKING:
    import pandas as pd

    from gazette.params import Experiment, Metric
    from gazette.record import TakenLook

__all__ = ["Effect", "Reading"]

USUAL_ROWS = 20


@dataclass(frozen=True, kw_only=True)
class Effect:
    """One metric of one treatment against the control.

    Attributes:
        metric: Its id.
        role: ``primary``, ``secondary`` or ``guardrail``.
        arm: The treatment.
        control, treatment: Value per arm, each with its own interval.
        comparison: Difference and relative difference with the intervals of the design.
        saved: Share of the variance that the covariate explained.
    """

    metric: str
    role: str
    arm: str
    control: stats.Estimate | NotPublished
    treatment: stats.Estimate | NotPublished
    comparison: stats.Comparison
    saved: float = 0.0


class Reading(Looks):
    """Every estimate of a look.

    Args:
        plan: The experiment's parameters.
        metrics: Definitions by id.
        table: Gives a frozen table by name, None where there is none.
        last: Last day of the data.
        past: Looks of earlier editions, oldest first.
        edition: The edition's week.
    """

    def __init__(
        self,
        plan: Experiment,
        metrics: Mapping[str, Metric],
        table: Callable[[str], pd.DataFrame | None],
        *,
        last: date,
        past: Sequence[TakenLook] = (),
        edition: str = "",
    ) -> None:
        super().__init__(plan, metrics, last=last, past=past, edition=edition)
        self.metrics = metrics
        self.table = table
        self.accounted = Accounted(table("accounted"), table("dated_by_day"))

    # ---- units

    @cached_property
    def arms(self) -> dict[str, dict[str, Any]]:
        """Aggregates per variant."""
        if self.plan.reallocations and (moved := self.table("phases")) is not None:
            return stratified(records(moved))
        return {str(row["variant"]): row for row in records(self.table("arms"))}

    def title(self, arm: str) -> str:
        """An arm's name for readers."""
        return next(v.title for v in self.plan.variants if v.id == arm)

    def count(self, arm: str) -> int:
        """Units of an arm."""
        return int(self.arms[arm]["n"]) if arm in self.arms else 0

    @cached_property
    def units(self) -> int:
        """Units of all planned arms."""
        return sum(self.count(v.id) for v in self.plan.variants)

    @cached_property
    def young(self) -> int:
        """Units of all planned arms whose window is not over, so that they do not count yet."""
        return sum(int(row["n"]) for row in records(self.table("young")))

    @cached_property
    def daily(self) -> list[tuple[date, dict[str, int]]]:
        """New units per arm on each day that had any, oldest first."""
        return self._by_day("assigned_per_day")

    @cached_property
    def met(self) -> list[tuple[date, dict[str, int]]]:
        """Units that count from each day on, or will once their window is over: those triggered, or all where the test has no trigger."""
        return self.daily if self.plan.triggered is None else self._by_day("triggered_per_day")

    def _by_day(self, name: str) -> list[tuple[date, dict[str, int]]]:
        found: dict[date, dict[str, int]] = {}
        for row in records(self.table(name)):
            found.setdefault(date_of(row["day"]), {})[str(row["variant"])] = int(row["n"])
        return sorted(found.items())

    # ---- metrics

    def moments(self, row: Mapping[str, Any], metric: str) -> stats.Moments | NotPublished:
        """A metric of an arm (or of a segment's arm) as n (units that have it), mean and variance, whatever its kind."""
        known, column = self.metrics[metric], column_of(metric)
        n = int(row.get(f"{column}_n", row["n"]))
        if (broken := self.broken(metric)) is not None:
            return broken
        if (few := too_few(row, column, proportion=known.proportion)) is not None:
            return few
        if known.quantile is not None and self.plan.reallocations:
            return NotPublished(reason=MOVED)
        if known.quantile is not None:
            return self._quantile(row, metric, n)
        first = moments(row, column, n)
        if known.denominator is None:
            return first
        try:
            return stats.ratio(joint(row, column, "den", first))
        except stats.MomentsError as error:
            return NotPublished(reason=error.what)

    def broken(self, metric: str) -> NotPublished | None:
        """Why a metric has no value though its rows are there: a value of them is none."""
        return broken_values(metric, self.metrics[metric], self.arms.values())

    def _quantile(self, row: Mapping[str, Any], metric: str, n: int) -> stats.Moments | NotPublished:
        """From order statistics beside the row's aggregates, else from the table of the arms' own."""
        q, column = self.metrics[metric].quantile or 0.5, f"{column_of(metric)}_"
        least = stats.quantile_units(q)
        if 0 < n < least:
            return NotPublished(reason=f"{n} users are too few for this quantile: {least} are needed in each arm")
        if f"{column}quantile" in row:
            return ordered(row, column, q, n) if n else NotPublished(reason="no users with a value in this arm")
        if "segment" in row:
            return NotPublished(reason="this quantile was not taken by segment")
        for other in records(self.table("quantiles")):
            if other["metric"] == metric and other["variant"] == str(row["variant"]):
                return ordered(other, "", q, n)
        return NotPublished(reason="no users in this arm")

    def between(
        self, control: stats.Moments, treatment: stats.Moments, metric: str, *, proportion: bool, alpha: float | None
    ) -> stats.Comparison:
        """Two arms (of the test or of a segment) by the design."""
        known = min(control.n, treatment.n) > 1
        if known and self.metrics[metric].quantile is not None and 0 in {control.variance, treatment.variance}:
            ties = NotPublished(reason="so many users share one value (ties) that this quantile has no range")
            return stats.Comparison(ties, ties)
        if known and self.metrics[metric].quantile is not None and stats.too_coarse(control, treatment):
            steps = NotPublished(reason="values are whole numbers, so few near this quantile that ties would decide")
            return stats.Comparison(steps, steps)
        return stats.compare(control, treatment, self.design, proportion=proportion, alpha=alpha)

    def pair(
        self, metric: str, arm: str, *, adjust: bool = True
    ) -> tuple[stats.Moments | NotPublished, stats.Moments | NotPublished, float, bool]:
        """Control and treatment after any adjustment, the share of variance saved, whether both are shares of units."""
        sides = []
        for name in (self.plan.control, arm):
            if self.count(name):
                sides.append(self.moments(self.arms[name], metric))
            else:
                sides.append(NotPublished(reason="an arm has no users"))
        control, treatment = sides
        known, column = self.metrics[metric], column_of(metric)
        if isinstance(control, NotPublished) or isinstance(treatment, NotPublished):
            return control, treatment, 0.0, False
        if not adjust or not self.adjusts(metric) or not control.n or not treatment.n:
            return control, treatment, 0.0, known.proportion and not self.plan.reallocations
        ratios = [explained(self.arms[name], column) for name in (self.plan.control, arm)]
        if known.denominator is not None and ratios[0] is not None and ratios[1] is not None:
            return *stats.adjusted_ratios(ratios[0], ratios[1]), False
        joints = [
            joint(self.arms[name], column, "pre", m) for name, m in ((self.plan.control, control), (arm, treatment))
        ]
        left, right, saved = stats.adjusted(*joints)
        return left, right, saved, False

    def adjusts(self, metric: str) -> bool:
        """Whether a metric is adjusted by a covariate; a ratio is where the edition kept what that takes."""
        known = self.metrics[metric]
        kept = known.denominator is None or all(f"{column_of(metric)}_den_pre_cov" in r for r in self.arms.values())
        return known.covariate is not None and kept

    def compare(self, metric: str, arm: str, alpha: float | None = None) -> stats.Comparison:
        """One comparison at an error; by default the design's."""
        control, treatment, _, proportion = self.pair(metric, arm)
        for side in (control, treatment):
            if isinstance(side, NotPublished):
                return stats.Comparison(side, side)
        assert isinstance(control, stats.Moments)  # noqa: S101  the loop has said so
        assert isinstance(treatment, stats.Moments)  # noqa: S101
        return self.between(control, treatment, metric, proportion=proportion, alpha=alpha)

    def value(self, metric: str, arm: str) -> stats.Estimate | NotPublished:
        """A metric of one arm with its own interval."""
        if not self.count(arm):
            return NotPublished(reason="no users in this arm")
        found = self.moments(self.arms[arm], metric)
        if isinstance(found, NotPublished):
            return found
        level = 1 - self.plan.alpha
        if self.metrics[metric].proportion and not self.plan.reallocations:
            return stats.proportion(round(found.mean * found.n), found.n, level=level)
        others = (self.moments(self.arms[v.id], metric) for v in self.plan.variants if v.id != arm and self.count(v.id))
        return stats.mean(found, level=level, beside=[m for m in others if isinstance(m, stats.Moments)])

    def secondary_alpha(self, arm: str) -> float:
        """The error at which secondary metrics of a treatment are read."""

        def excluded(alpha: float) -> int:
            return sum(self.compare(m, arm, alpha).excludes_zero for m in self.plan.secondary)

        return stats.joint_alpha(self.design.alpha, len(self.plan.secondary), excluded, self.plan.correction)

    def effects(self, arm: str) -> list[Effect]:
        """Every metric of a treatment, the primary first."""
        roles = [(self.plan.primary, "primary")]
        roles += [(m, "secondary") for m in self.plan.secondary]
        roles += [(g.metric, "guardrail") for g in self.plan.guardrails]
        joint = self.secondary_alpha(arm)
        return [
            Effect(
                metric=metric,
                role=role,
                arm=arm,
                control=self.value(metric, self.plan.control),
                treatment=self.value(metric, arm),
                comparison=self.compare(metric, arm, joint if role == "secondary" else None),
                saved=self.pair(metric, arm)[2],
            )
            for metric, role in roles
        ]

    def caps(self) -> dict[str, tuple[float, bool]]:
        """Cap of each metric that is capped, and whether it is a quantile of the values above 0 alone."""
        found = {m: (float(cap), False) for m in self.plan.metrics if (cap := self.metrics[m].cap) is not None}
        for row in records(self.table("caps")):
            above = row["above_zero"] if "above_zero" in row else row["whole"] != row["cap"]
            found[str(row["metric"])] = float(row["cap"]), bool(above)
        return found

    # ---- checks

    def split(self) -> float | NotPublished:
        """P-value of the split at this look."""
        if self.plan.reallocations:
            return splits(self._by_phase(), daily=False)
        counts = [self.count(v.id) for v in self.plan.variants]
        return stats.sample_ratio(counts, [v.weight for v in self.plan.variants])

    def split_sequence(self) -> float | NotPublished:
        """P-value of the split that may be read every day."""
        return splits(self._by_phase(), daily=True)

    def split_of_triggered(self) -> float | NotPublished:
        """The same among those who met the change, which a change that decides who meets it makes uneven."""
        rows = [[n.get(v.id, 0) for v in self.plan.variants] for _, n in self.met]
        return splits([(rows, [v.weight for v in self.plan.variants])], daily=True)

    def _by_phase(self) -> list[tuple[list[list[int]], list[float]]]:
        """New units per arm and day, and planned shares, of each stretch of one allocation."""
        phases = self.plan.phases()
        ends = [*(first for first, _ in phases[1:]), date.max]
        return [
            ([[n.get(v.id, 0) for v in self.plan.variants] for d, n in self.daily if first <= d < end], weights)
            for (first, weights), end in zip(phases, ends, strict=True)
        ]

    def planned_shares(self) -> list[float]:
        """Planned share of each variant among the units so far."""
        sizes = [(sum(map(sum, rows)), weights) for rows, weights in self._by_phase()]
        whole = sum(n for n, _ in sizes)
        if not whole:
            return [v.weight for v in self.plan.variants]
        return [math.fsum(n * w[i] for n, w in sizes) / whole for i in range(len(self.plan.variants))]

    def crossed(self) -> int | NotPublished:
        """Units seen in more than one arm."""
        frame = self.table("exposure")
        if frame is None:
            return NotPublished(reason="nothing says which rows are of one unit")
        return 0 if frame.empty else int(frame["units_in_several_arms"].iloc[0])

    def balance(self) -> float | NotPublished:
        """Smallest p-value, over metrics with a covariate, that the arms were alike before the test (times their number)."""
        found = []
        for name in self.plan.metrics:
            if self.metrics[name].covariate is None or self.broken(name) is not None:
                continue
            column, own = f"{column_of(name)}_pre", f"{column_of(name)}_n"
            for variant in self.plan.treatments:
                sides = [self.arms.get(a) for a in (self.plan.control, variant.id)]
                if None in sides:
                    continue
                left, right = (moments(s, column, int(s.get(own, s["n"]))) for s in sides if s is not None)
                difference = stats.difference_of_means(left, right)
                if isinstance(difference, stats.Estimate) and difference.p_value is not None:
                    found.append(difference.p_value)
        if not found:
            return NotPublished(reason="no metric has a value from before the test")
        return min(1.0, min(found) * len(found))

    def missing_days(self) -> int:
        """Days of the test, from the first to the last of the data, on which nobody came or nothing was recorded.

        Rows of the primary metric are asked for where there are ``USUAL_ROWS`` a day or more; rarer ones may well be absent for a day.
        """
        days = [self.plan.start + timedelta(days=i) for i in range(self.days)]
        if (
            self.plan.window_days is not None
        ):  # who came later could not count, or is more than were planned: nobody has to
            whole = self.plan.planned_units is not None and self.units + self.young >= self.plan.planned_units
            until = max((day for day, _ in self.daily), default=self.last) if whole else self.last
            days = [d for d in days if d <= until and d + timedelta(days=self.plan.window_days) <= self.plan.end]
        there = {day for day, _ in self.daily}
        recorded = {date_of(r["day"]): int(r["n"]) for r in records(self.table("rows_per_day"))}
        if sum(recorded.values()) >= USUAL_ROWS * max(1, len(days)):
            there &= set(recorded)
        return sum(day not in there for day in days)

    # ---- planning

    def needed(self) -> int | NotPublished:
        """Units of all arms for 80 % power at the smallest effect worth having, by the design and the shares of the test."""
        if not self.plan.minimum_effect:
            return NotPublished(reason="no smallest effect worth having was named")
        return self.units_for(self.plan.primary, self.plan.minimum_effect)

    def units_for(self, metric: str, effect: float, *, power: float = stats.POWER) -> int | NotPublished:
        """Units of all arms to show a relative effect on a metric, or that a guardrail lost no more than that where nothing changed."""
        if not self.count(self.plan.control):
            return NotPublished(reason="no users yet")
        main = self.moments(self.arms[self.plan.control], metric)
        if isinstance(main, NotPublished):
            return main
        shares = {v.id: v.weight for v in self.plan.variants}
        pair = shares[self.plan.control], min(shares[v.id] for v in self.plan.treatments)
        variance = main.variance
        if self.plan.reallocations:  # as many again of each stretch; by the first one's shares it would be many more
            others = [self.moments(self.arms[v.id], metric) for v in self.plan.treatments if self.count(v.id)]
            spreads = [main.variance / main.n + m.variance / m.n for m in others if isinstance(m, stats.Moments)]
            if not spreads:
                return NotPublished(reason="no users yet")
            variance = max(spreads) * self.units / (1 / pair[0] + 1 / pair[1])
        found = stats.units_needed(
            main.mean,
            variance,
            effect,
            shares=pair,
            critical=self.critical_at_end,
            power=power,
        )
        if isinstance(found, NotPublished):
            return found
        users = self.count(self.plan.control)  # where some lack the metric, more have to come for as many with it
        return found if main.n in {0, users} else math.ceil(found * users / main.n)

    def rate(self) -> tuple[float, float] | NotPublished:
        """New units a day over the last two weeks, and the standard error of that rate."""
        recent = [sum(day.values()) for _, day in self.met[-14:]]
        if len(recent) < 3:  # noqa: PLR2004  a spread needs some days
            return NotPublished(reason="fewer than three days with users")
        mean = sum(recent) / len(recent)
        spread = math.sqrt(sum((r - mean) ** 2 for r in recent) / (len(recent) - 1))
        return mean, spread / math.sqrt(len(recent))

    def days_until(self, units: int | NotPublished) -> stats.Estimate | NotPublished:
        """Days until the test has so many units, if they come as in the last two weeks."""
        pace = self.rate()
        if isinstance(units, NotPublished):
            return units
        if isinstance(pace, NotPublished):
            return pace
        mean, error = pace
        if units <= self.units:
            return NotPublished(reason="it has them")
        window = self.plan.window_days or 0
        left = max(0, units - self.units - self.young)
        slow = mean - stats.z_of(0.95) * error
        if slow <= 0:
            return NotPublished(reason="users come too unevenly to say")
        return stats.Estimate(
            math.ceil(left / mean) + window,
            math.floor(left / (mean + stats.z_of(0.95) * error)) + window,
            math.ceil(left / slow) + window,
            0.95,
            0.0,
            None,
            self.units,
            "at the rate of the last two weeks",
        )

    def planned_power(self, arm: str) -> float | NotPublished:
        """Chance to show the smallest effect worth having at this look, by the limit that it asks for."""
        if not self.plan.minimum_effect:
            return NotPublished(reason="no smallest effect worth having was named")
        effect = self.compare(self.plan.primary, arm)
        control = self.value(self.plan.primary, self.plan.control)
        if isinstance(effect.difference, NotPublished):
            return effect.difference
        if isinstance(control, NotPublished):
            return control
        size = self.plan.minimum_effect * abs(control.value)
        return stats.power(size, effect.difference.standard_error, critical=self.design.critical())
