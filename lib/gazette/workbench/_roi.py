"""Money on the summary: what models and tests bring less what they cost, the price of waiting, revenue against the baseline by day."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, Any

from gazette import conclusions, display, stats
from gazette.display import Block, Chart, Column, Table
from gazette.params import Model
from gazette.record import NotPublished, Number
from gazette.snapshot import reopen
from gazette.workbench._numbers import day_of
from gazette.workbench._payback import begun_of, earned_back, first_gain, first_look, shown_after
from gazette.workbench._register import Registered

if TYPE_CHECKING:
    from gazette.params import Experiment
    from gazette.record import Finding, Record, Verdict
    from gazette.snapshot import Snapshot

__all__ = ["Money", "daily"]

MONTH = 365.25 / 12
SOON = 28  # days ahead that a review is spoken of
WEEKS_OF_EFFECT = 28
DAYS, RUN = 30, 7
LOOKED = ("effect", "standard_error", "critical")
FEWEST = 14  # days of a line that says anything
PRICE = "What the estimate, less what it costs, would bring in a week; nothing for the users of the test itself is taken off."


class Money(Registered):
    """Steps on money."""

    # ---- costs and benefits

    def roi(self) -> Table | Block:
        """Benefit a month less cost a month, of every model and test that states one."""
        import pandas as pd  # noqa: PLC0415

        rows = []
        for record in self.records:
            plan = self.params.models.get(record.subject) or self.params.experiments.get(record.subject)
            benefit = self._benefit(record)
            if plan is not None and (plan.cost is not None or benefit is not None):
                rows.append(self._roi_row(record, plan, benefit))
        if not rows:
            return Block("<p>No model and no test states what it costs or brings.</p>")
        columns = {
            "what": Column("What", html=True),
            "benefit": Column("Benefit a month", html=True),
            "cost": Column("Cost a month", html=True),
            "net": Column("Benefit less cost", html=True),
            "says": Column("Does it pay?", html=True),
            "shown": Column("Gain shown after", html=True),
            "back": Column("Building earned back in", html=True),
        }
        caption = "Benefit less cost a month, in ranges; building is spread evenly over the months stated. Days count from a test's first day, or the live model's training."
        return display.table(pd.DataFrame(rows), "costs", caption, columns, currency=self.currency)

    def _benefit(self, record: Record) -> stats.Estimate | NotPublished | None:
        """A month's benefit, from the revenue effect of a model or the stated worth of a test."""
        name, scale = ("revenue-effect", MONTH / WEEKS_OF_EFFECT) if record.kind == "model" else ("impact", 1.0)
        found = self.known.get(f"{record.subject}.{name}")
        if found is None:
            return None
        number = found[0]
        if isinstance(number.value, NotPublished):
            return number.value
        if number.interval is None:
            return NotPublished(reason="it has no range")
        low, high = number.interval.low * scale, number.interval.high * scale
        error = (high - low) / 2 / stats.z_of(number.interval.level)
        method = f"{number.interval.method}, a month"
        return stats.Estimate(
            number.value * scale, low, high, number.interval.level, error, None, number.n or 0, method
        )

    def _roi_row(
        self, record: Record, plan: Model | Experiment, benefit: stats.Estimate | NotPublished | None
    ) -> dict[str, Any]:
        metric = "revenue-effect" if record.kind == "model" and "revenue-effect" in self.params.metrics else ""
        metric = metric or getattr(plan, "primary", "gazette.count")
        shared: dict[str, Any] = {
            "unit": "money",
            "metric": metric,
            "cell": "roi",
            "query": None,
            "direction": "higher",
        }
        row = {
            "what": f'<a href="{self.place(record)}">{escape(record.title)}</a>',
            "subject": record.subject,
            "benefit": "not shown" if benefit is None else "",
            "cost": "not stated",
            "net": "–",
            "says": "–",
            "shown": self._shown(record, plan, shared),
            "back": "–",
        }
        if benefit is not None:
            number = self.add(f"{record.subject}.benefit", f"{record.title}, benefit a month", benefit, **shared)
            row["benefit"] = self._range(number)
        if plan.cost is not None:
            title = f"{record.title}, cost a month"
            spent = self.add(f"{record.subject}.cost", title, plan.cost.per_month, note=plan.cost.source, **shared)
            row["cost"] = display.number_span(spent, currency=self.currency)
        if plan.cost is not None and isinstance(benefit, stats.Estimate):
            net = self.add(
                f"{record.subject}.net",
                f"{record.title}, benefit less cost a month",
                less(benefit, plan.cost.per_month),
                **shared,
            )
            apart = display.range_apart_in_print(net, number, spent, currency=self.currency)
            row["net"] = self._range(net) + (f" <small>({display.ROUNDED})</small>" if apart else "")
            row["says"] = display.chip(_says(net))
            back = earned_back(plan.cost, benefit)
            name, title = f"{record.subject}.earned-back", f"{record.title}, days until building it is earned back"
            kept = self.add(name, title, back, **shared | {"unit": "days", "direction": "lower"})
            row["back"] = (
                f"{display.number_span(kept, 'rough')} at best, perhaps never"
                if isinstance(back, float)
                else self._range(kept)
            )
        return row

    def _shown(self, record: Record, plan: Model | Experiment, shared: dict[str, Any]) -> str:
        """Days from the beginning until a gain was shown, or that none is yet."""
        snapshot = reopen(self.root / "snapshot" / record.subject)
        end = self.week_start + timedelta(days=7)
        if isinstance(plan, Model):
            begun = begun_of(snapshot.table("registry").query("role == 'live'").to_dict("records"), self.cutoff)
            if plan.business is None or begun is None or not snapshot.has("business"):
                return "–"
            frame, went = snapshot.table("business"), self._went_live(snapshot, begun)
            seen, before = first_gain(frame, plan.business.new, plan.business.baseline, went, end)
            level, method = (
                0.95,
                "weekly looks, their error shared out; between the look before and the one that showed it",
            )
        else:
            begun = plan.start
            looks = [
                (r["edition"], *(_float(r[k]) for k in LOOKED)) for r in snapshot.table("looks").to_dict("records")
            ]
            looks += [(look.edition, look.effect, look.standard_error, look.critical) for look in record.looks]
            trusted = any(v.primary and v.state not in {"not trustworthy", "not published"} for v in record.verdicts)
            good = -1.0 if self.params.metrics[plan.primary].direction == "lower" else 1.0
            seen, before = first_look(looks, good) if trusted else (None, None)
            level, method = 1 - plan.alpha, "sequential looks; between the look before and the one that showed it"
        days = shown_after(begun, seen, before, level, method)
        name, title = f"{record.subject}.shown-after", f"{record.title}, days until a gain was shown"
        if isinstance(days, NotPublished):
            return escape(days.reason.partition(":")[0].capitalize())
        return self._range(self.add(name, title, days, **shared | {"unit": "days", "direction": "lower"}))

    def _went_live(self, snapshot: Snapshot, begun: date) -> date:
        """First whole day of the live version in production; of its training where no deployment is recorded."""
        live = snapshot.table("registry").query("role == 'live'")["version"].astype(str).tolist()
        frame = snapshot.table("deployments") if snapshot.has("deployments") else None
        times = [] if frame is None else [d["at"] for d in frame.to_dict("records") if str(d["model_version"]) in live]
        return times[-1].date() + timedelta(days=1) if times else begun

    def _range(self, number: Number) -> str:
        form = "interval" if number.published and number.interval else ""
        return display.number_span(number, form, currency=self.currency)

    # ---- decisions

    @cached_property
    def due(self) -> list[Finding]:
        """A sentence a test, the dearest to wait for first within its urgency; those that are decided come last."""
        found, settled = [], []
        for record, verdict in self.ranked:
            if taken := self.settled(record, verdict):
                settled.append(self.keep(taken))
                continue
            if self.in_common(record.subject):
                continue
            days, users = self._more(record)
            price, why = self._price(record, verdict)
            effect, reached = self.rests_on(record, verdict)
            kept = conclusions.Due(
                subject=record.subject,
                title=record.title,
                verdict=verdict,
                days=days,
                users=users,
                price=price,
                why_free=why,
                metric=self.metric_words(verdict),
                effect=effect,
                reached=reached,
                net=self.taken(f"{record.subject}.net") if verdict.action_rule.endswith("does-not-pay") else None,
            )
            found.append(self.keep(conclusions.decision(kept)))
        once = [self.keep(conclusions.mend_once(c, n)) for c, n in self.common if c.kind == "experiment"]
        return [*once, *found, *settled]

    @cached_property
    def reviews(self) -> list[Finding]:
        """Models that people are to look at again within four weeks."""
        last, found = self.week_start + timedelta(days=6), []
        for model in self.params.models.values():
            due = model.review_by
            if (
                due is None
                or not last <= due <= last + timedelta(days=SOON)
                or f"{model.id}.model-age" not in self.known
            ):
                continue
            left = self._days(f"{model.id}.review-in", f"{model.title}, days until its review", (due - last).days)
            found.append(conclusions.review(model.id, model.title, day=day_of(due), left=left))
        return found

    def _days(self, suffix: str, label: str, days: int) -> Number:
        return self.add(suffix, label, float(days), unit="days", metric="gazette.days", cell="decisions", query=None)

    def overdue(self) -> dict[str, Number]:
        """Model to the days since its review was due."""
        last, found = self.week_start + timedelta(days=6), {}
        for model in self.params.models.values():
            if model.review_by is not None and model.review_by < last:
                label = f"{model.title}, days since its review was due"
                found[model.id] = self._days(f"{model.id}.review-late", label, (last - model.review_by).days)
        return found

    def decisions(self) -> Block:
        """What is due, and what waiting costs."""
        said = [*self.due, *self.reviews]
        made = self._record(title="", owner="", findings=said)
        return (
            display.findings(made, currency=self.currency, rules=False) if said else Block("<p>No decision is due.</p>")
        )

    def _more(self, record: Record) -> tuple[Number | None, Number | None]:
        """Days and users until the plan's size while it runs, until the size that the smallest effect needs after its end."""
        subject, plan = record.subject, self.params.experiments[record.subject]
        numbers = {n.id.removeprefix(f"{subject}."): n for n in record.numbers}
        running = plan.end > self.week_start + timedelta(days=6)
        goal, wait = ("planned", "arrival") if running and "planned" in numbers else ("needed", "wait")
        if goal == "planned" and not numbers["arrival"].published:
            goal, wait = "needed", "wait"
        target, units, days = numbers.get(goal), numbers.get("units"), self.taken(f"{subject}.{wait}")
        if not (target and units and isinstance(target.value, float) and isinstance(units.value, float)):
            return days, None
        short = target.value - units.value
        if short <= 0:
            return days, None
        title = f"{record.title}, users that it still needs"
        shared: dict[str, Any] = {"unit": "count", "metric": "gazette.count", "cell": "decisions", "query": None}
        return days, self.add(f"{subject}.users-more", title, short, **shared)

    def _price(self, record: Record, verdict: Verdict) -> tuple[Number | None, str]:
        """What a week of waiting costs, or why that is not known."""
        subject, plan = record.subject, self.params.experiments[record.subject]
        worth = self.known.get(f"{subject}.impact")
        if plan.impact is None:
            return None, "no value of a user is stated"
        if worth is None or worth[0].interval is None or not isinstance(worth[0].value, float):
            return None, "nothing is concluded yet"
        cost = plan.cost.per_month if plan.cost is not None else 0.0
        price = (worth[0].value - cost) * 7 / MONTH
        if price <= 0:  # what is known speaks for what is live
            return None, ""
        shared: dict[str, Any] = {"unit": "money", "metric": verdict.metric, "cell": "decisions", "query": None}
        return self.add(
            f"{subject}.waiting", f"{record.title}, price of a week of waiting", price, note=PRICE, **shared
        ), ""

    # ---- thirty days

    def trend(self) -> Block:
        """Revenue per user of new against baseline over thirty days, of each model with business figures."""
        parts: list[str] = []
        for record in self.records:
            plan = self.params.models.get(record.subject)
            if plan is None or plan.business is None:
                continue
            frame = reopen(self.root / "snapshot" / record.subject).table("business")
            names = {plan.business.new: "new", plan.business.baseline: "baseline"}
            rows = daily(frame, names, self.week_start + timedelta(days=7))
            days = len({r["when"] for r in rows})
            if days < FEWEST:
                first = f"{frame['day'].min():%Y-%m-%d}" if len(frame) else "nowhere"
                parts.append(f"<p>{escape(record.title)}: history too short for a trend (history starts {first}).</p>")
                continue
            said = f"{record.title}: revenue per user and day, new model against baseline, last {days} days. Line: mean of the seven days until then; band: its 95 % range over those days."
            spec = display.trend(rows, title=f"per user, {self.currency}", form=",.2f")
            chart: Chart = display.chart(spec, f"trend-{record.subject}", said)
            parts.append(chart._repr_html_())
        return Block("".join(parts))


def less(benefit: stats.Estimate, cost: float) -> stats.Estimate:
    """A benefit less a cost that is known: the range moves as a whole."""
    ends = benefit.value - cost, benefit.low - cost, benefit.high - cost
    method = f"{benefit.method}, less the stated cost"
    return stats.Estimate(*ends, benefit.level, benefit.standard_error, None, benefit.n, method)


def _float(value: Any) -> float | None:
    return None if value is None or value != value else float(value)  # noqa: PLR0124  NaN stands for none


def _says(net: Number) -> str:
    if net.interval is None or net.interval.low <= 0 <= net.interval.high:
        return "may pay"
    return "pays" if net.interval.low > 0 else "does not pay"


def daily(frame: Any, names: dict[str, str], end: date) -> list[dict[str, Any]]:
    """Mean revenue per user of the seven days until each of the last thirty, with its t range over those days.

    Args:
        frame: Columns day, cohort, users, revenue.
        names: Cohort to what readers call it.
        end: First day that does not count.
    """
    rows: list[dict[str, Any]] = []
    for cohort, name in names.items():
        mine = frame[(frame["cohort"] == cohort) & (frame["users"] > 0)]
        per_user = {d.date(): float(r / u) for d, r, u in zip(mine["day"], mine["revenue"], mine["users"], strict=True)}
        for back in range(DAYS, 0, -1):
            day = end - timedelta(days=back)
            values = [per_user[d] for i in range(RUN) if (d := day - timedelta(days=i)) in per_user]
            if len(values) < RUN:
                continue  # a day is missing: no line is drawn through it
            average = sum(values) / RUN
            spread = sum((v - average) ** 2 for v in values) / (RUN - 1)
            found = stats.mean(stats.Moments(RUN, average, spread))
            if isinstance(found, stats.Estimate):
                ends = {"value": round(found.value, 4), "low": round(found.low, 4), "high": round(found.high, 4)}
                rows.append({"when": f"{day.day} {day:%b}", "series": name, **ends})
    return rows
