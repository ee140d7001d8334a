"""The bench of an A/B test: the steps of its page, in the order of its notebook."""

from __future__ import annotations

from datetime import timedelta
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, Any

from gazette import conclusions, display
from gazette.display import Block, Chart, Column, Table
from gazette.record import NotPublished
from gazette.workbench._answers import records
from gazette.workbench._bench import Emitted
from gazette.workbench._checks import days_of
from gazette.workbench._detail import row
from gazette.workbench._flips import FlipSteps
from gazette.workbench._guards import guard_facts
from gazette.workbench._numbers import day_of, worth
from gazette.workbench._triggered import triggered_facts

if TYPE_CHECKING:
    from pathlib import Path

    from gazette.conclusions import Look, MetricResult
    from gazette.record import Record
    from gazette.workbench._missing import Lack

__all__ = ["ExperimentBench", "open_experiment"]


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


class ExperimentBench(FlipSteps):
    """Steps of an experiment's page; each returns a table, a chart or a block."""

    def verdict(self) -> Block:
        """The panel: verdict and reason, arms side by side, how sure it is, what to do."""
        blocks = []
        for arm in sorted(self.verdicts, key=lambda a: a != self.arm):
            verdict, _ = self.verdicts[arm]
            primary = self.looks_by_arm[arm].primary
            blocks.append(
                display.panel(
                    verdict,
                    self._numbers,
                    arms=[(self._title(self.plan.control), primary.control), (self._title(arm), primary.treatment)],
                    difference=primary.difference if self.trusted else None,
                    relative=primary.relative if self.trusted else None,
                    sure=self._how_sure(arm) if self.trusted else "",
                    currency=self.currency,
                    adjusted=primary.adjusted,
                    decided=self.decision if arm == self.arm else "",
                ).html
            )
        return Block("".join(blocks))

    @cached_property
    def decision(self) -> str:
        """What was decided on the test on an earlier edition, empty where nothing was or the advice has changed since."""
        rows: list[dict[str, Any]] = records(self.reading.table("decided"))
        row = next((r for r in rows if r["test"] == self.subject), None)
        if row is None or not conclusions.is_decided(row, self.verdicts[self.arm][0].action):
            return ""
        return f"{row['decision'].replace('-', ' ')}, on edition {row['edition']}, by {row['by']}"

    def _how_sure(self, arm: str) -> str:
        """The range in words that cannot be read as a chance of being right."""
        number = self.looks_by_arm[arm].primary.difference
        if number.interval is None or not self.looks_by_arm[arm].readable:
            return ""
        level = f"{100 * number.interval.level:.4g}"
        words = {
            "group-sequential": "at each look that was planned",
            "confidence-sequence": "however often it is looked at",
            "fixed": "read once, at the end",
        }[self.plan.design]
        return f"How sure: a range made this way, {words}, holds the true difference in about {level} of 100 tests."

    def status(self) -> Block:
        """Where the test stands: its state, progress, looks, and when it will be done."""
        plan, reading, common = self.plan, self.reading, self._common
        total = days_of(plan)
        bars = [
            ("Days", reading.days / total, f"{reading.days} of {total} ({day_of(plan.start)} to {day_of(plan.end)})")
        ]
        if "planned" in common:
            planned = display.format_number(common["planned"])
            bars.append(
                (
                    "Users",
                    min(1.0, reading.units / (plan.planned_units or 1)),
                    f"{display.format_number(common['units'])} of {planned}",
                )
            )
        power = self._numbers[f"{self.subject}.{self._prefix(self.arm)}power"]
        facts = {"Status": self.state, "Hypothesis": plan.hypothesis, "Method": self.method()}
        if not isinstance(power.value, NotPublished):
            bars.append(
                (
                    "Power",
                    power.value,
                    f"{display.format_number(power)} chance to show a relative change of {100 * plan.minimum_effect:.4g} %",
                )
            )
        arrival = common.get("arrival")
        if not reading.ended and arrival is not None and arrival.published and arrival.interval:
            near, far = (reading.last + timedelta(days=round(d)) for d in (arrival.interval.low, arrival.interval.high))
            facts["Planned users expected"] = f"{day_of(near)} to {day_of(far)}"
        needed, wait = common["needed"], common["wait"]
        if self.verdicts[self.arm][0].state == "not resolved" and needed.published:
            days = f", about {display.format_number(wait)} more" if wait.published else ""
            facts["What it would take"] = (
                f"{display.format_number(needed)} users in all{days}, to show {100 * plan.minimum_effect:.4g} % with 80 % power"
            )
        if "decide" in common:
            facts |= guard_facts(self, self.arm, common["decide"])
        start = "assignment" if plan.triggered is None else "the trigger"
        if dated := reading.accounted.dated_by_day():
            facts["Dated by day"] = "; ".join(
                f"{self.params.metrics[m].title} counts from the day of {start}, as {of} has days and no times"
                for m, of in dated
            )
        if "window" in common:
            window, young = (display.format_number(common[k]) for k in ("window", "young"))
            facts["Exposure window"] = (
                f"each user counts for {window} since {start}; {young} more are not through with theirs and do not count yet"
            )
        facts |= triggered_facts(self, common)
        if plan.reallocations:
            moved = "; ".join(
                f"from {day_of(since)} "
                + ", ".join(f"{v.title} {100 * w:.4g} %" for v, w in zip(plan.variants, weights, strict=True))
                for since, weights in plan.phases()
            )
            facts["Allocation"] = (
                f"moved while the test ran ({moved}); arms are compared within days of one allocation, and the value of each arm weighs those days alike"
            )
        facts["Plan"] = f"digest {reading.plan_digest[:12]}, taken at the first look" + (
            "; changed since, and what was agreed then counts" if reading.deviations() else ""
        )
        facts["Owner"] = plan.owner
        return Block(display.progress(bars).html + display.facts(facts).html)

    def impact(self) -> Block:
        """What the difference is worth on the stated base, or why nothing is said."""
        verdict, _ = self.verdicts[self.arm]
        if self.plan.impact is None or not self.trusted or verdict.rule == "fixed-horizon-not-over":
            why = "nothing is concluded yet" if self.plan.impact else "no value per unit is stated in the parameters"
            return Block(f"<p>Worth in money: not published, because {why}.</p>")
        difference = self.reading.effects(self.arm)[0].comparison.difference
        if isinstance(difference, NotPublished):
            return Block("<p>Worth in money: not published.</p>")
        number = self.add(
            "impact",
            "Worth a month",
            worth(difference, self._scale(self.plan.impact)),
            unit="money",
            metric=self.plan.primary,
            cell="impact",
            query="arms",
            direction="higher",
        )
        span = display.number_span(number, "interval", currency=self.currency)
        return Block(f"<p>Worth a month if it holds: {span}. Base: {escape(self.plan.impact.base)}.</p>")

    def checks(self) -> Table:
        """The gates before any verdict."""
        import pandas as pd  # noqa: PLC0415

        words = {True: "Passed", False: "Failed", None: "Not run"}
        rows = [
            {
                "check": ": ".join(filter(None, (CHECKS[c.name][0], c.of))),
                "asks": CHECKS[c.name][1],
                "found": f"{'p = ' if c.name in P_VALUES and c.number.published else ''}{display.format_number(c.number)}",
                "result": "Warning" if c.warns else words[c.passed],
            }
            for c in self.checks_made
        ]
        columns = {
            "check": Column("Check"),
            "asks": Column("What it asks"),
            "found": Column("Measured"),
            "result": Column("Result"),
        }
        return display.table(pd.DataFrame(rows), "checks", "Checks before any verdict", columns)

    def arms(self) -> Table:
        """Users per arm against the planned split."""
        import pandas as pd  # noqa: PLC0415

        reading = self.reading
        rows = [
            {
                "arm": v.title,
                "users": reading.count(v.id),
                "share": reading.count(v.id) / max(1, reading.units),
                "planned": planned,
            }
            for v, planned in zip(self.plan.variants, reading.planned_shares(), strict=True)
        ]
        others = reading.accounted.others()
        if reading.young:
            others.insert(0, ("not through with the days that count, so not counted yet", reading.young))
        rows += [{"arm": who, "users": n, "share": None, "planned": None} for who, n in others]
        columns = {
            "arm": Column("Arm"),
            "users": Column("Users", "count"),
            "share": Column("Share", "fraction"),
            "planned": Column("Planned share", "fraction"),
        }
        for i, lack in enumerate(self._lacks_of_arms):
            columns[f"lack{i}"] = Column(f"With {lack.what}", "count")
            for v, shown in zip(self.plan.variants, rows, strict=False):
                shown[f"lack{i}"] = int(lack.arms[v.id]["missing"]) if v.id in lack.arms else None
        for i, one in enumerate(self.several):
            columns[f"several{i}"] = Column(f"With several values of {one.what}", "count")
            for v, shown in zip(self.plan.variants, rows, strict=False):
                shown[f"several{i}"] = one.arms.get(v.id, 0)
        return display.table(pd.DataFrame(rows), "arms", "Users per arm", columns)

    @property
    def _lacks_of_arms(self) -> list[Lack]:
        """What the table of arms says is missing."""
        return self.lacks

    def scorecard(self) -> Table:
        """Every metric of every treatment: arms, difference, range, win or loss."""
        import pandas as pd  # noqa: PLC0415

        rows = [self._score(look, result) for look in self.looks_by_arm.values() for result in look.results]
        columns = {
            "treatment": Column("Variant"),
            "metric": Column("Metric"),
            "role": Column("Role"),
            "users": Column("Users with a row", "count"),
            "control_shown": Column("Control"),
            "treatment_shown": Column("Variant's value"),
            "difference_shown": Column("Difference"),
            "range_shown": Column("Range that fits the data"),
            "relative_shown": Column("Relative"),
            "result": Column("Result", html=True),
        }
        if len(self.looks_by_arm) == 1:
            del columns["treatment"]
        if not self.matched:
            del columns["users"]
        return display.table(pd.DataFrame(rows), "scorecard", f"Every metric. {self._multiplicity()}", columns)

    def _multiplicity(self) -> str:
        if not self.trusted:
            return "A check failed: read none of these as an effect."
        parts = []
        if len(self.plan.treatments) > 1:
            parts.append(f"{len(self.plan.treatments)} variants share the error.")
        if len(self.plan.secondary) > 1 and self.plan.correction != "none":
            parts.append(
                f"Ranges of the {len(self.plan.secondary)} secondary metrics hold together ({self.plan.correction})."
            )
        if any(r.adjusted and r.difference.published for look in self.looks_by_arm.values() for r in look.results):
            parts.append(ADJUSTED)
        for metric, (cap, above) in self.reading.caps().items():
            known = self.params.metrics[metric]
            shown = display.format_value(cap, known.unit, currency=self.currency)
            share = (
                ""
                if known.cap_quantile is None
                else f", the {display.format_value(known.cap_quantile, 'fraction')} quantile of "
            )
            of = share and share + ("the values above 0, as that of all is not above 0" if above else "all values")
            parts.append(f"{known.title}: a user counts as at most {shown}{of}.")
        return " ".join(parts)

    def _score(self, look: Look, result: MetricResult) -> dict[str, Any]:
        number, relative = result.difference, result.relative
        trusted = look.trusted and not look.failed(result.metric)
        state: str = conclusions.state_of(result)[0] if trusted else "not trustworthy"
        if result.role == "primary" and trusted:
            state = next(v.state for a, (v, _) in self.verdicts.items() if self.looks_by_arm[a] is look)
        elif not look.readable and state not in {"not published", "not trustworthy"}:
            state = "not resolved"
        shown = state
        if trusted and result.role == "guardrail":
            shown = {
                "passed": "guardrail holds",
                "broken": "guardrail broken",
                "open": "guardrail open",
                "unknown": "not published",
            }[conclusions.guardrail_of(result)]
        p = self._numbers[number.id.removesuffix("difference") + "p"].value
        apart = display.apart_in_print(number, [result.control, result.treatment], currency=self.currency)
        return {
            "treatment": look.treatment,
            "metric": result.title,
            "role": result.role,
            "control_shown": display.format_number(result.control, currency=self.currency),
            "treatment_shown": display.format_number(result.treatment, currency=self.currency),
            "difference_shown": display.format_number(number, "signed", currency=self.currency)
            + (", adjusted" if result.adjusted and number.published else f", {display.ROUNDED}" if apart else ""),
            "range_shown": display.format_number(number, "interval", currency=self.currency)
            if number.interval
            else "–",
            "relative_shown": display.format_number(relative, "signed"),
            "result": display.chip(shown),
            "state": shown,
            "difference": None if isinstance(number.value, NotPublished) else number.value,
            "low": number.interval.low if number.interval else None,
            "high": number.interval.high if number.interval else None,
            "relative": None if isinstance(relative.value, NotPublished) else relative.value,
            "relative_low": relative.interval.low if relative.interval else None,
            "relative_high": relative.interval.high if relative.interval else None,
            "p_value": None if isinstance(p, NotPublished) else p,
        } | self._users_of(result.metric)

    def _users_of(self, metric: str) -> dict[str, int]:
        """How many users have a row that the metric can count, where that was asked."""
        found = [m.users for m in self.matched if (m.metric, m.part) == (metric, "value")]
        return {"users": found[0]} if found else {}

    def forest(self) -> Chart:
        """Relative effects with their ranges."""
        several = len(self.looks_by_arm) > 1
        rows = []
        for look in self.looks_by_arm.values():
            for result in look.results:
                number = result.relative
                if number.interval is None:
                    continue
                state = _tone(result) if self.trusted and not look.failed(result.metric) else "untrusted"
                name = f"{result.title}, {look.treatment}" if several else result.title
                rows.append(row(name, number.value, number.interval.low, number.interval.high, state))
        caption = "Relative effect on each metric with the range that fits the data; the dashed line is no change."
        return display.chart(display.forest(rows, title="Relative difference"), "effects", caption)

    def findings(self) -> Block:
        """What else the test says, each sentence by a printed rule."""
        made = self._made()
        said = [f for f in made.findings if f not in self.flip_findings]  # which stands with its map
        return display.findings(made, said, currency=self.currency)

    def _made(self) -> Record:
        self.impact()
        verdicts = [
            self.verdicts[a][0].model_copy(update={"primary": a == self.arm})
            for a in sorted(self.verdicts, key=lambda a: a != self.arm)
        ]
        facts = {
            "primary": self.look.primary.title,
            "hypothesis": self.plan.hypothesis,
            "status": self.state,
            "method": self.method(),
            "plan": self.reading.plan_digest,
        }
        if self.decision:
            facts["decision"] = self.decision
        return self._record(
            title=self.plan.title,
            owner=self.plan.owner,
            findings=(*self.verdicts[self.arm][1], *self.watch_findings, *self.flip_findings),
            verdicts=verdicts,
            facts=facts,
            looks=self.reading.taken({arm: verdict.state for arm, (verdict, _) in self.verdicts.items()}),
        )

    def emit(self) -> Emitted:
        """The record of this page."""
        return Emitted(self._made())


ADJUSTED = (
    "Adjusted: chance differences between the arms that a value from before the test foretells are taken out; "
    "control and variant are shown as they were measured, so they do not subtract to the difference."
)
P_VALUES = ("sample-ratio", "sample-ratio-sequence", "sample-ratio-triggered", "balance", "missing-values")
CHECKS: dict[str, tuple[str, str]] = {
    "plan-locked": (
        "Plan kept",
        "Changes since the first look that make another test of it: start, control, variants, primary metric, definitions; fails from 1",
    ),
    "accounted": (
        "Everyone accounted for",
        "Rows in no known arm, or without an id, that nothing was declared about; fails from 1",
    ),
    "sample-ratio": ("Split", "Do the arms have the planned sizes? Chance of so uneven a split; fails below 0.01"),
    "sample-ratio-sequence": (
        "Split, day by day",
        "Do the arms have the planned sizes? Chance of so uneven a split at any time of the test; fails below 0.01",
    ),
    "sample-ratio-triggered": (
        "Split of those triggered",
        "Does the change decide who meets it? Chance of so uneven a split of those triggered, at any time; fails below 0.01",
    ),
    "exposure": ("One arm each", "Users seen in several arms; fails above 1 % of all"),
    "balance": ("Alike before", "Were the arms alike before the test? Fails below 0.001"),
    "missing-days": (
        "Every day there",
        "Days without users or without rows of the primary metric: missing or late; fails from 1",
    ),
    "matched": (
        "Rows of users",
        "Have users a row that counts? Fails where there are rows and nobody has one",
    ),
    "several-values": (
        "One value each",
        "Users with several values of a property; the greatest is taken, of texts the last",
    ),
    "repeated-rows": (
        "Each row once",
        "Share of a day's rows that repeat another of the same user, time and value; shown from a fifth. A row that was loaded twice counts twice",
    ),
    "missing-values": (
        "Missing alike",
        "Is as much missing in each arm? Chance of so unlike a share; fails below 0.01",
    ),
    "minimum-run": ("Whole weeks", "Has it run long enough for every weekday?"),
}


def _tone(result: MetricResult) -> str:
    tones = {"benefit shown": "good", "harm shown": "bad", "no worthwhile benefit": "bad"}
    return tones.get(conclusions.state_of(result)[0], "unsure")
