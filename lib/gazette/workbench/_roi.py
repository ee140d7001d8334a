"""Money on the summary: what models and tests bring less what they cost, the price of waiting, revenue against the baseline by day."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, Any

from gazette import conclusions, display, stats
from gazette.display import Block, Chart, Column, Table
from gazette.record import NotPublished, Number
from gazette.snapshot import reopen
from gazette.workbench._register import Registered

if TYPE_CHECKING:
    from gazette.params import Experiment, Model
    from gazette.record import Finding, Record, Verdict

__all__ = ["Money", "daily"]

MONTH = 365.25 / 12
WEEKS_OF_EFFECT = 28
DAYS, RUN = 30, 7
FEWEST = 14  # days of a line that says anything
PRICE = "What choosing right would bring in a week, on average over what the data still allow; nothing for the users of the test itself is taken off."


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
            "says": Column("So it", html=True),
        }
        caption = "Benefit less cost a month, in ranges; costs of building are spread evenly over the months stated."
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
        metric = metric or getattr(plan, "primary", next(iter(self.params.metrics)))
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
            row["net"] = self._range(net)
            row["says"] = display.chip(_says(net))
        return row

    def _range(self, number: Number) -> str:
        form = "interval" if number.published and number.interval else ""
        return display.number_span(number, form, currency=self.currency)

    # ---- decisions

    @cached_property
    def due(self) -> list[Finding]:
        """A sentence a test, the dearest to wait for first within its urgency; those that are decided come last."""
        found, settled = [], []
        for record, verdict in self.ranked:
            if taken := self.settled(record.subject, record.title, verdict):
                settled.append(self.keep(taken))
                continue
            days, users = self._more(record)
            price, why = self._price(record, verdict)
            kept = conclusions.Due(
                subject=record.subject,
                title=record.title,
                verdict=verdict,
                days=days,
                users=users,
                price=price,
                why_free=why,
            )
            found.append(self.keep(conclusions.decision(kept)))
        return [*found, *settled]

    def decisions(self) -> Block:
        """What is due, and what waiting costs."""
        soon = self.week_start + timedelta(days=6 + 28)
        reviews = [
            f'<li class="unsure"><span class="gz-icon" aria-hidden="true">?</span> <a href="models/{m.id}.html">{escape(m.title)}</a>: '
            f'people review it by <span class="gz-term">{m.review_by.day} {m.review_by:%B %Y}</span>.</li>'
            for m in self.params.models.values()
            if m.review_by is not None and m.review_by <= soon and f"{m.id}.model-age" in self.known
        ]
        made = self._record(title="", owner="", findings=self.due)
        shown = display.findings(made, currency=self.currency, rules=False).html if self.due else ""
        more = f'<ul class="gz-findings">{"".join(reviews)}</ul>' if reviews else ""
        return Block(shown + more or "<p>No decision is due.</p>")

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
        shared: dict[str, Any] = {"unit": "count", "metric": plan.primary, "cell": "decisions", "query": None}
        return days, self.add(f"{subject}.users-more", title, short, **shared)

    def _price(self, record: Record, verdict: Verdict) -> tuple[Number | None, str]:
        """What a week of waiting costs, or why that is not known."""
        subject, plan = record.subject, self.params.experiments[record.subject]
        worth = self.known.get(f"{subject}.impact")
        if plan.impact is None:
            return None, "no value of a user is stated"
        if worth is None or worth[0].interval is None or not isinstance(worth[0].value, float):
            return None, "nothing is concluded yet"
        number, look = worth[0], record.looks[-1] if record.looks else None
        assert number.interval is not None  # noqa: S101  checked above
        assert isinstance(number.value, float)  # noqa: S101  checked above
        critical = (look.critical if look else None) or stats.z_of(number.interval.level)
        error = (number.interval.high - number.interval.low) / 2 / critical
        good = -1.0 if self.params.metrics[plan.primary].direction == "lower" else 1.0
        price = stats.expected_gain(good * number.value, error) * 7 / MONTH
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
