"""What is said of an experiment: its numbers with passports, its checks, its verdicts."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from gazette import conclusions, display, stats
from gazette.errors import WrongUseError
from gazette.record import NotPublished, Number, TakenLook
from gazette.snapshot import reopen
from gazette.workbench._bench import Bench
from gazette.workbench._checks import checks
from gazette.workbench._guards import decision_units, guard_power
from gazette.workbench._matched import Matched, Repeated, Several, matched_of, repeated_of, several_of
from gazette.workbench._missing import Lack, lacks_of
from gazette.workbench._reading import Effect, Reading
from gazette.workbench._skewed import skewed
from gazette.workbench._triggered import diluted, share_met, triggered_numbers

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from gazette.conclusions import Look, MetricResult
    from gazette.params import Guardrail, Impact
    from gazette.record import Finding, Unit, Verdict

__all__ = ["ExperimentNumbers", "day_of", "worth"]


class ExperimentNumbers(Bench):
    """The numbers and verdicts of one experiment; every step of its page is made of them."""

    kind = "experiment"

    def __init__(self, subject: str, *, edition: str, root: str | Path) -> None:
        super().__init__(subject, edition=edition, root=root)
        if subject not in self.params.experiments:
            raise WrongUseError(f"no experiment {subject!r}", mend=f"there are: {', '.join(self.params.experiments)}")
        snapshot = reopen(self.root / "snapshot" / subject)
        self.snapshot_digest = snapshot.digest

        def frozen(name: str) -> pd.DataFrame | None:
            return snapshot.table(name) if snapshot.has(name) else None

        looks = frozen("looks")
        rows = [] if looks is None else looks.to_dict("records")
        past = [TakenLook.model_validate({k: None if v != v else v for k, v in r.items()}) for r in rows]  # noqa: PLR0124  NaN
        last = self.week_start + timedelta(days=6)
        plan = self.params.experiments[subject]
        self._set_up(Reading(plan, self.params.metrics, frozen, last=last, past=past, edition=edition))

    def _set_up(self, reading: Reading) -> None:
        self.plan = reading.plan  # with what was agreed at the first look
        self.reading = reading

    @property
    def raw(self) -> pd.DataFrame:
        """Aggregates per arm, as they came from the warehouse; index is the variant."""
        import pandas as pd  # noqa: PLC0415

        return pd.DataFrame(self.reading.arms.values()).set_index("variant")

    def _title(self, arm: str) -> str:
        return self.reading.title(arm)

    def _prefix(self, arm: str) -> str:
        """Between subject and metric in the ids of a treatment's numbers: empty where there is but one."""
        return f"{arm}." if len(self.plan.treatments) > 1 else ""

    # ---- numbers

    @cached_property
    def _common(self) -> dict[str, Number]:
        """Numbers of the whole test."""
        reading, plan = self.reading, self.plan
        count: dict[str, Any] = {"unit": "count", "metric": "gazette.count", "cell": "status", "query": "arms"}
        for variant in plan.variants:
            self.add(f"n.{variant.id}", f"Users in {variant.title}", reading.count(variant.id), **count)
        found = {"units": self.add("units", "Users in the test", reading.units, **count)}
        none: dict[str, Any] = {**count, "query": None}
        if plan.planned_units:
            found["planned"] = self.add("planned", "Users planned", plan.planned_units, **none)
            share = {**count, "unit": "fraction", "metric": "gazette.share"}
            found["progress"] = self.add(
                "progress", "Share of the planned users", reading.units / plan.planned_units, **share
            )
        needed = reading.needed()
        found["needed"] = self.add("needed", "Users needed to find the smallest effect worth having", needed, **count)
        if plan.guardrails:
            whole = "Users needed to show the smallest effect and every guardrail"
            found["decide"] = self.add("decision-needed", whole, decision_units(reading), **count)
        days: dict[str, Any] = {**count, "unit": "days", "metric": "gazette.days", "query": "assigned_per_day"}
        found["wait"] = self.add("wait", "Days until it has them", reading.days_until(needed), **days)
        if plan.planned_units:
            more = reading.days_until(plan.planned_units)
            found["arrival"] = self.add("arrival", "Days until the planned users are there", more, **days)
        found["rollout"] = self.add("rollout", "Days of roll-out", plan.rollout_days, **{**days, "query": None})
        found["days"] = self.add("days", "Days that it has run", reading.days, **{**days, "query": None})
        if plan.window_days is not None:
            window = {**days, "query": None}
            found["window"] = self.add("window", "Days for which each user counts", plan.window_days, **window)
            young = {**count, "query": "young"}
            found["young"] = self.add(
                "young", "Users whose days are not over, who do not count yet", reading.young, **young
            )
        found |= triggered_numbers(self)
        found["look"] = self.add("look", "Looks taken, this one included", len(reading.past) + 1, **none)
        found["looks"] = self.add("looks", "Looks at most", reading.looks_at_most(), **none)
        if plan.design == "group-sequential":
            error = {**none, "unit": "number", "metric": plan.primary}
            found["spent"] = self.add("spent", "Error spent so far", reading.design.spent(), **error)
            found["alpha"] = self.add("alpha", "Error of the whole test", reading.design.alpha, **error)
        return found

    @cached_property
    def checks_made(self) -> tuple[conclusions.Check, ...]:
        """The gates before any verdict, the gravest first."""
        return checks(self, self._common["days"])

    @cached_property
    def matched(self) -> list[Matched]:
        """Users who have a row of what each metric counts, as far as it was asked."""
        reading = self.reading
        return matched_of(reading.table("matched"), reading.table("unmatched"), self.params.metrics, self.lacks)

    @cached_property
    def several(self) -> list[Several]:
        """Properties of which some users have several values."""
        return several_of(self.reading.table("several"))

    @cached_property
    def repeated(self) -> list[Repeated]:
        """Facts of which many rows of one day repeat another."""
        return repeated_of(self.reading.table("repeated"))

    @cached_property
    def lacks(self) -> list[Lack]:
        """What some rows lack, arm by arm."""
        return lacks_of(self.reading.table("missing"), control=self.plan.control, clustered=self._clustered)

    _clustered = False

    @property
    def counted(self) -> str:
        """What is counted, in words."""
        return "clusters" if self._clustered else "users"

    def _result(self, effect: Effect) -> MetricResult:
        known, metric = self.params.metrics[effect.metric], effect.metric
        prefix = self._prefix(effect.arm)
        shared: dict[str, Any] = {"metric": metric, "cell": "scorecard", "query": "arms", "direction": known.direction}
        unit: Unit = known.unit
        gap: Unit = "points" if unit == "fraction" else unit
        title = known.title
        control = f"{metric}.control"
        numbers = {
            "control": self._numbers.get(f"{self.subject}.{control}")
            or self.add(control, f"{title}, {self._title(self.plan.control)}", effect.control, unit=unit, **shared),
            "treatment": self.add(
                f"{prefix}{metric}.treatment",
                f"{title}, {self._title(effect.arm)}",
                effect.treatment,
                unit=unit,
                **shared,
            ),
            "difference": self.add(
                f"{prefix}{metric}.difference",
                f"{title}, difference",
                effect.comparison.difference,
                unit=gap,
                note=f"a covariate took {100 * effect.saved:.0f} % of the variance" if effect.saved else "",
                **shared,
            ),
            "relative": self.add(
                f"{prefix}{metric}.relative",
                f"{title}, relative difference",
                effect.comparison.relative,
                unit="relative",
                **shared,
            ),
        }
        self.add(f"{prefix}{metric}.p", f"{title}, p-value", self._p_value(effect), unit="number", **shared)
        margin = next((g.margin for g in self.plan.guardrails if g.metric == metric), None)
        if effect.role == "guardrail":
            numbers |= self._guarded(next(g for g in self.plan.guardrails if g.metric == metric), effect.arm)
        return conclusions.MetricResult(
            metric=metric,
            title=title,
            role=effect.role,  # type: ignore[arg-type]  # one of the three that Reading gives
            higher_is_better=known.direction == "higher",
            margin=margin if effect.role == "guardrail" else None,
            minimum=(self.plan.minimum_effect or None) if effect.role == "primary" else None,
            adjusted=bool(effect.saved),
            skewed=skewed(self, effect),
            **numbers,
        )

    def _guarded(self, guardrail: Guardrail, arm: str) -> dict[str, Number]:
        """Numbers of a guardrail: its margin, the chance to show it at this look, and the users that it takes."""
        metric, title = guardrail.metric, self.params.metrics[guardrail.metric].title
        shared: dict[str, Any] = {"metric": metric, "cell": "status", "query": "arms"}
        none = {**shared, "cell": "scorecard", "query": None, "direction": self.params.metrics[metric].direction}
        known = self._numbers.get
        return {
            "margin_number": known(f"{self.subject}.{metric}.margin")
            or self.add(f"{metric}.margin", f"{title}, agreed loss", guardrail.margin, unit="relative", **none),
            "power": self.add(
                f"{self._prefix(arm)}{metric}.guard-power",
                f"{title}, power at the agreed loss if nothing changed",
                guard_power(self.reading, guardrail, arm),
                unit="fraction",
                **shared,
            ),
            "needed": known(f"{self.subject}.{metric}.guard-needed")
            or self.add(
                f"{metric}.guard-needed",
                f"{title}, users needed to show the agreed loss",
                self.reading.units_for(metric, guardrail.margin),
                unit="count",
                **shared,
            ),
        }

    def _p_value(self, effect: Effect) -> float | NotPublished:
        """Of a single look; for a confidence sequence the one that may be read at any time."""
        difference = effect.comparison.difference
        if isinstance(difference, NotPublished):
            return difference
        if self.plan.design == "confidence-sequence":
            z = difference.value / difference.standard_error if difference.z is None else difference.z
            alpha = self.reading.design.alpha
            return stats.always_valid_p(z, self.reading.units, n_star=self.plan.tightest_units, alpha=alpha)
        return NotPublished(reason="no test") if difference.p_value is None else difference.p_value

    @cached_property
    def looks_by_arm(self) -> dict[str, Look]:
        """Everything that the verdicts rest on, one reading a treatment."""
        return {v.id: self._look(v.id) for v in self.plan.treatments}

    def _look(self, arm: str) -> Look:
        plan, reading, common = self.plan, self.reading, self._common
        effects = reading.effects(arm)
        results = tuple(self._result(effect) for effect in effects)
        prefix, primary = self._prefix(arm), effects[0]
        shared: dict[str, Any] = {"metric": plan.primary, "cell": "verdict", "query": "arms"}
        difference, extra = primary.comparison.difference, {}
        if isinstance(difference, stats.Estimate) and not isinstance(primary.control, NotPublished):
            better = stats.bayes(difference, higher_is_better=results[0].higher_is_better)
            gap = results[0].difference.unit
            extra["better"] = self.add(
                f"{prefix}better",
                "Chance that it is better (Bayes), 99.99 % at most",
                min(0.9999, max(0.0001, better.probability_better)),
                unit="fraction",
                **shared,
            )
            extra["loss"] = self.add(
                f"{prefix}loss", "Expected loss if it is worse (Bayes)", better.loss_if_worse, unit=gap, **shared
            )
            if self.early and primary.comparison.excludes_zero:
                drawn = stats.shrunken(difference, reading.design)
                extra["shrunken"] = self.add(
                    f"{prefix}shrunken", "Effect drawn towards zero", drawn, unit=gap, **shared
                )
        if plan.triggered is not None:
            over_all = diluted(difference, share_met(reading), self.params.metrics[plan.primary])
            gap, title = results[0].difference.unit, "Difference over everyone assigned"
            self.add(f"{prefix}diluted", title, over_all, **{**shared, "query": "triggered_per_day"}, unit=gap)
        if (net := self._net(difference)) is not None:
            extra["net"] = self.add(
                f"{prefix}net",
                "Worth a month less cost a month",
                net,
                **{**shared, "unit": "money", "cell": "impact", "direction": "higher"},
            )
        power = reading.planned_power(arm)
        self.add(f"{prefix}power", "Power at the smallest effect worth having", power, unit="fraction", **shared)
        settled = reading.earlier(arm)
        return conclusions.Look(
            subject=self.subject,
            prefix=f"{self.subject}.{arm}" if prefix else self.subject,
            treatment=self._title(arm),
            results=results,
            checks=self.checks_made,
            ended=reading.over,
            early=self.early,
            readable=plan.design != "fixed" or reading.complete or reading.closing is not None,
            closed=reading.closing is not None,
            earlier=None if settled is None else conclusions.Earlier(settled.states[arm], settled.edition),
            anytime=plan.design == "confidence-sequence",
            enough_units=not isinstance(power, NotPublished) and power >= stats.POWER,
            end=day_of(plan.end),
            rollout_days=common["rollout"],
            units=common["units"],
            needed=common["needed"],
            wait=common["wait"],
            deviations="; ".join(
                f"{name.replace('_', ' ')} from {then} to {now}" for name, then, now in reading.deviations()
            ),
            **extra,
        )

    def _net(self, difference: stats.Estimate | NotPublished) -> stats.Estimate | None:
        """What a difference is worth a month on the stated base, less what it costs; None where it may not be read or is not stated."""
        plan = self.plan
        failed = any(c.passed is False and c.metric in {"", plan.primary} for c in self.checks_made)
        early = not self.reading.over and plan.design == "fixed"
        if plan.impact is None or plan.cost is None or isinstance(difference, NotPublished) or failed or early:
            return None
        return worth(difference, self._scale(plan.impact), plan.cost.per_month)

    def _scale(self, impact: Impact) -> float:
        """Money a month for one unit of difference, of those triggered where only they count: what is valued is an improvement, so a fall where less is better."""
        good = -1.0 if self.params.metrics[self.plan.primary].direction == "lower" else 1.0
        met = share_met(self.reading)
        assert not isinstance(met, NotPublished)  # noqa: S101  there is a difference, so there are users
        return good * impact.value_per_unit * impact.units_per_month * met

    @cached_property
    def verdicts(self) -> dict[str, tuple[Verdict, tuple[Finding, ...]]]:
        """Verdict and findings of each treatment."""
        return {arm: conclusions.conclude(look) for arm, look in self.looks_by_arm.items()}

    @property
    def arm(self) -> str:
        """The treatment that the page speaks of first."""
        pairs = [(self.looks_by_arm[a], self.verdicts[a][0]) for a in self.verdicts]
        return list(self.verdicts)[conclusions.best(pairs)]

    @property
    def look(self) -> Look:
        """The reading that the page speaks of first."""
        return self.looks_by_arm[self.arm]

    @property
    def trusted(self) -> bool:
        """Whether every check passed, so that effects may be read."""
        return self.look.trusted

    @property
    def early(self) -> bool:
        """Whether a decision now stops the test before its planned size, or it was ended so by moving its last day."""
        if not self.reading.over:
            return True
        moved = any(name == "end" and now < then for name, then, now in self.reading.deviations())
        return moved and self.reading.units < (self.plan.planned_units or 0)

    @property
    def state(self) -> str:
        """Running, reached its size, or stopped early, and with what."""
        plan, reading = self.plan, self.reading
        state = self.verdicts[self.arm][0].state
        outcome = {"benefit shown": "for benefit", "harm shown": "for harm"}.get(state, "with no winner")
        if not reading.over:
            return "running" + (f"; could stop early {outcome}" if outcome != "with no winner" and self.trusted else "")
        if (
            plan.planned_units
            and reading.units < plan.planned_units
            and any(d[0] == "end" for d in reading.deviations())
        ):
            return f"stopped early {outcome}"
        if plan.planned_units and reading.units < 0.99 * plan.planned_units:
            return "ended before it reached its size"
        return "reached its size"

    def method(self) -> str:
        common, design = self._common, self.plan.design
        if design == "group-sequential":
            spent, alpha = (display.format_number(common[k]) for k in ("spent", "alpha"))
            closing = self.reading.closing
            look = f"look {len(self.reading.past) + 1} of at most {self.reading.looks_at_most()}"
            if closing is not None:
                look = f"its final look, number {len(self.reading.past) + 1}, was in edition {closing.edition}"
            return f"group sequential ({self.plan.spending}): {look}, {spent} of {alpha} spent"
        if design == "confidence-sequence":
            return f"confidence sequence: may be read at any time, error {self.plan.alpha:g} over all time"
        return f"fixed horizon: read once, at its end, error {self.plan.alpha:g}"


def worth(difference: stats.Estimate, scale: float, cost: float = 0.0) -> stats.Estimate:
    """A difference in money: times the stated base, less the stated cost.

    Args:
        difference: In the metric's unit.
        scale: Money a month for one unit of it, negative where less is better.
        cost: Money a month.
    """
    low, high = sorted((difference.low * scale - cost, difference.high * scale - cost))
    method = f"{difference.method}, times the stated base{', less the stated cost' if cost else ''}"
    return replace(
        difference,
        value=difference.value * scale - cost,
        low=low,
        high=high,
        standard_error=difference.standard_error * abs(scale),
        method=method,
    )


def day_of(day: Any) -> str:
    return f"{day.day} {day:%B %Y}"
