"""The bench of an A/B test."""

from __future__ import annotations

from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from gazette import conclusions, display, stats
from gazette.display import Block, Chart, Column, Table
from gazette.errors import WrongUseError
from gazette.record import NotPublished, Number
from gazette.snapshot import reopen
from gazette.workbench._bench import Bench, Emitted

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from gazette.record import Finding, Unit, Verdict

__all__ = ["ExperimentBench", "open_experiment"]

INTERIM_LEVEL = (
    0.999  # Haybittle-Peto: a look before the end asks for far stronger evidence, the last one for the usual
)
SPLIT_ALPHA = 0.001
CROSSED_LIMIT = 0.01


def open_experiment(subject: str, *, edition: str, root: str | Path = ".") -> ExperimentBench:
    """Open an experiment of an edition.

    Args:
        subject: Its id.
        edition: The edition's week, such as 2026-W47.
        root: Folder of the edition.

    Raises:
        WrongUseError: No such experiment.
    """
    return ExperimentBench(subject, edition=edition, root=root)


class ExperimentBench(Bench):
    """Steps of an experiment's page; each returns a table, a chart or a block."""

    kind = "experiment"

    def __init__(self, subject: str, *, edition: str, root: str | Path) -> None:
        super().__init__(subject, edition=edition, root=root)
        if subject not in self.params.experiments:
            raise WrongUseError(f"no experiment {subject!r}", mend=f"there are: {', '.join(self.params.experiments)}")
        self.plan = self.params.experiments[subject]
        self.snapshot = reopen(self.root / "snapshot" / subject)
        self.snapshot_digest = self.snapshot.digest

    @property
    def ended(self) -> bool:
        """Whether the last planned day lies within the edition's weeks."""
        return self.plan.end < self.week_start + timedelta(days=7)

    @property
    def level(self) -> float:
        """Level of this look's intervals."""
        return 1 - self.plan.alpha if self.ended else INTERIM_LEVEL

    @cached_property
    def raw(self) -> pd.DataFrame:
        """Aggregates per arm, as they came from the warehouse; index is the variant."""
        return self.snapshot.table("arms").set_index("variant")

    @cached_property
    def _arms(self) -> dict[str, dict[str, Any]]:
        return {
            str(row["variant"]): {str(k): v for k, v in row.items()}
            for row in self.raw.reset_index().to_dict("records")
        }

    def _moments(self, variant: str, metric: str) -> stats.Moments | None:
        if variant not in self._arms:
            return None
        row, column = self._arms[variant], "m_" + metric.replace("-", "_")
        n, variance = int(row["n"]), float(row[f"{column}_var"])
        return stats.Moments(n, float(row[f"{column}_mean"]), 0.0 if variance != variance else variance)  # noqa: PLR0124  NaN of a single unit

    @cached_property
    def look(self) -> conclusions.Look:
        """Everything that the verdict rests on."""
        plan, treatment = self.plan, self.plan.treatment
        arms = [self.plan.control, treatment.id]
        counts = [int(self._arms[a]["n"]) if a in self._arms else 0 for a in arms]
        weights = [next(v.weight for v in plan.variants if v.id == a) for a in arms]
        primary = plan.primary
        count: dict[str, Any] = {"unit": "count", "metric": primary, "cell": "arms", "query": "arms"}
        for arm, n in zip(arms, counts, strict=True):
            self.add(f"n.{arm}", f"Users in {arm}", n, **count)
        units = self.add("units", "Users in the test", sum(counts), **count)
        planned = self.add("planned", "Users planned", plan.planned_units, **{**count, "query": None})
        progress = self.add(
            "progress", "Share of the planned users", sum(counts) / plan.planned_units, **{**count, "unit": "fraction"}
        )
        del progress
        split_p = stats.sample_ratio(counts, weights)
        split = self.add(
            "split", "Chance of so uneven a split", split_p, unit="number", metric=primary, cell="arms", query="arms"
        )
        crossed_n = int(self.snapshot.table("exposure")["units_in_several_arms"].iloc[0])
        crossed = self.add("crossed", "Users seen in both arms", crossed_n, **{**count, "query": "exposure"})
        rollout = self.add(
            "rollout", "Days of roll-out", plan.rollout_days, unit="days", metric=primary, cell="verdict", query=None
        )
        results = tuple(self._result(metric, role, margin) for metric, role, margin in self._roles())
        main = self._moments(plan.control, primary)
        need: int | NotPublished = NotPublished(reason="no users yet")
        if main is not None:
            each = stats.users_needed(main.mean, main.variance, plan.minimum_effect, alpha=plan.alpha)
            need = each if isinstance(each, NotPublished) else 2 * each
        needed = self.add("needed", "Users needed to find the smallest effect worth having", need, **count)
        return conclusions.Look(
            subject=self.subject,
            treatment=treatment.title,
            results=results,
            ended=self.ended,
            enough_units=not isinstance(need, NotPublished) and sum(counts) >= need,
            end=f"{plan.end:%d %B %Y}",
            rollout_days=rollout,
            units=units,
            planned=planned,
            needed=needed,
            split=split,
            crossed=crossed,
            split_fails=isinstance(split_p, float) and split_p < SPLIT_ALPHA,
            exposure_fails=sum(counts) > 0 and crossed_n / (sum(counts) + crossed_n) > CROSSED_LIMIT,
        )

    def _roles(self) -> list[tuple[str, Any, float | None]]:
        roles: list[tuple[str, Any, float | None]] = [(self.plan.primary, "primary", None)]
        roles += [(m, "secondary", None) for m in self.plan.secondary]
        return roles + [(g.metric, "guardrail", g.margin) for g in self.plan.guardrails]

    def _result(self, metric: str, role: Any, margin: float | None) -> conclusions.MetricResult:
        known = self.params.metrics[metric]
        control, treatment = (self._moments(a, metric) for a in (self.plan.control, self.plan.treatment.id))
        # Bonferroni over the secondary metrics: their intervals are wider, so that several do not mislead together.
        level = self.level if role != "secondary" else 1 - (1 - self.level) / max(1, len(self.plan.secondary))
        unit: Unit = known.unit
        numbers: dict[str, Number] = {}
        shared: dict[str, Any] = {"metric": metric, "cell": "effects", "query": "arms", "direction": known.direction}
        for arm, moments in (("control", control), ("treatment", treatment)):
            value: stats.Estimate | NotPublished
            if moments is None:
                value = NotPublished(reason="no users in this arm")
            elif known.proportion:
                value = stats.proportion(round(moments.mean * moments.n), moments.n, level=1 - self.plan.alpha)
            else:
                value = stats.mean(moments, level=1 - self.plan.alpha)
            numbers[arm] = self.add(f"{metric}.{arm}", f"{known.title}, {arm}", value, unit=unit, **shared)
        difference: stats.Estimate | NotPublished
        relative: stats.Estimate | NotPublished
        if control is None or treatment is None:
            difference = relative = NotPublished(reason="an arm has no users")
        else:
            relative = stats.relative_difference(control, treatment, level=level)
            if known.proportion:
                pairs = [(round(m.mean * m.n), m.n) for m in (control, treatment)]
                difference = stats.difference_of_proportions(pairs[0], pairs[1], level=level)
            else:
                difference = stats.difference_of_means(control, treatment, level=level)
        gap: Unit = "points" if unit == "fraction" else unit
        p_value = difference.p_value if isinstance(difference, stats.Estimate) else None
        numbers["difference"] = self.add(
            f"{metric}.difference",
            f"{known.title}, difference",
            difference,
            unit=gap,
            **shared,
            note=f"p = {p_value:.4g}" if p_value is not None else "",
        )
        numbers["relative"] = self.add(
            f"{metric}.relative", f"{known.title}, relative difference", relative, unit="relative", **shared
        )
        return conclusions.MetricResult(
            metric=metric,
            title=known.title,
            role=role,
            higher_is_better=known.direction == "higher",
            margin=margin,
            minimum=self.plan.minimum_effect if role == "primary" else None,
            **numbers,
        )

    @cached_property
    def concluded(self) -> tuple[Verdict, tuple[Finding, ...]]:
        """The verdict and the findings beside it."""
        return conclusions.conclude(self.look)

    def facts(self) -> Block:
        """What is tested, by whom, since when."""
        plan = self.plan
        day = (min(plan.end, self.week_start + timedelta(days=6)) - plan.start).days + 1
        total = (plan.end - plan.start).days + 1
        counted = self.look.units
        state = "ended" if self.ended else "running"
        return display.facts(
            {
                "Hypothesis": plan.hypothesis,
                "Compared": f"{plan.treatment.title} against {next(v.title for v in plan.variants if v.id == plan.control)}",
                "Status": f"{state}, day {day} of {total} ({plan.start} to {plan.end})",
                "Users": f"{display.format_number(counted)} of {plan.planned_units:,} planned",
                "Evidence asked": f"{100 * self.level:.4g} % ranges"
                + ("" if self.ended else ": the test is not over, so a look asks for more"),
                "Owner": plan.owner,
            }
        )

    def verdict(self) -> Block:
        """The verdict on the primary metric, with reason and advice."""
        return display.verdict(self.concluded[0], self._numbers, currency=self.currency)

    def arms(self) -> Table:
        """Users per arm against the planned split."""
        import pandas as pd  # noqa: PLC0415

        rows = []
        for variant in self.plan.variants:
            n = int(self._arms[variant.id]["n"]) if variant.id in self._arms else 0
            total = max(1, int(self.raw["n"].sum()))
            rows.append({"arm": variant.title, "users": n, "share": n / total, "planned": variant.weight})
        columns = {
            "arm": Column("Arm"),
            "users": Column("Users", "count"),
            "share": Column("Share", "fraction"),
            "planned": Column("Planned share", "fraction"),
        }
        split = self.look.split
        caption = f"Users per arm. Chance of so uneven a split if assignment works: {display.format_number(split)}"
        return display.table(pd.DataFrame(rows), "arms", caption, columns)

    def effects(self) -> Table:
        """Every metric: arms, difference, range, result."""
        import pandas as pd  # noqa: PLC0415

        trusted = self.concluded[0].state != "not trustworthy"
        rows = []
        for result in self.look.results:
            number = result.difference
            state = conclusions.state_of(result)[0] if trusted else "not trustworthy"
            rows.append(
                {
                    "metric": result.title,
                    "role": result.role,
                    "control": display.format_number(result.control, currency=self.currency),
                    "treatment": display.format_number(result.treatment, currency=self.currency),
                    "difference": display.format_number(number, "signed", currency=self.currency),
                    "range": display.format_number(number, "interval", currency=self.currency)
                    if number.interval
                    else "–",
                    "relative": display.format_number(result.relative, "signed"),
                    "state": state,
                    "result": display.chip(state),
                    "value": None if isinstance(number.value, NotPublished) else number.value,
                    "low": number.interval.low if number.interval else None,
                    "high": number.interval.high if number.interval else None,
                    "p_value_note": number.note,
                }
            )
        columns = {
            "metric": Column("Metric"),
            "role": Column("Role"),
            "control": Column("Control"),
            "treatment": Column("Treatment"),
            "difference": Column("Difference"),
            "range": Column("Range that fits the data"),
            "relative": Column("Relative"),
            "result": Column("Result", html=True),
        }
        note = "" if trusted else " The split failed its check: read none of these as an effect."
        return display.table(pd.DataFrame(rows), "effects", f"Effects on every metric.{note}", columns)

    def forest(self) -> Chart:
        """Relative effects with their ranges."""
        tones = {"benefit shown": "good", "harm shown": "bad", "no worthwhile benefit": "bad"}
        trusted = self.concluded[0].state != "not trustworthy"
        rows = []
        for result in self.look.results:
            number = result.relative
            if number.interval is None:
                continue
            state = tones.get(conclusions.state_of(result)[0], "unsure") if trusted else "untrusted"
            rows.append(
                {
                    "name": result.title,
                    "value": number.value,
                    "low": number.interval.low,
                    "high": number.interval.high,
                    "state": state,
                }
            )
        caption = "Relative effect on each metric with the range that fits the data; the dashed line is no change."
        return display.chart(display.forest(rows, title="Relative difference"), "effects", caption)

    def impact(self) -> Block:
        """What the difference is worth on the stated base, or why nothing is said."""
        verdict, _ = self.concluded
        if self.plan.impact is None or verdict.state in {"not trustworthy", "not published"}:
            why = "the arms cannot be compared" if self.plan.impact else "no value per unit is stated in the parameters"
            return Block(f"<p>Worth in money: not published, because {why}.</p>")
        result = self.look.results[0]
        scale = self.plan.impact.value_per_unit * self.plan.impact.units_per_month
        number = result.difference
        if isinstance(number.value, NotPublished) or number.interval is None:
            return Block("<p>Worth in money: not published.</p>")
        value = stats.Estimate(
            number.value * scale,
            number.interval.low * scale,
            number.interval.high * scale,
            number.interval.level,
            0.0,
            None,
            number.n or 0,
            f"{number.interval.method}, times the stated base",
        )
        worth = self.add(
            "impact", "Worth a month", value, unit="money", metric=self.plan.primary, cell="impact", query="arms"
        )
        from html import escape  # noqa: PLC0415

        span = display.number_span(worth, "interval", currency=self.currency)
        return Block(f"<p>Worth a month if it holds: {span}. Base: {escape(self.plan.impact.base)}.</p>")

    def findings(self) -> Block:
        """What else the test says, each sentence by a printed rule."""
        return display.findings(self._made(), currency=self.currency)

    def _made(self) -> Any:
        verdict, others = self.concluded
        primary = self.look.results[0].title
        facts = {"primary": primary, "hypothesis": self.plan.hypothesis}
        return self._record(
            title=self.plan.title, owner=self.plan.owner, findings=others, verdicts=[verdict], facts=facts
        )

    def emit(self) -> Emitted:
        """The record of this page."""
        return Emitted(self._made())
