"""Risks on the summary: models against their limits, gates that failed, data that is old."""

from __future__ import annotations

from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, Any

from gazette import conclusions, display
from gazette.display import Block, Chart, Column, Table
from gazette.workbench._measures import ModelMeasures
from gazette.workbench._news import News

if TYPE_CHECKING:
    from gazette.record import Finding, Number, Record

__all__ = ["Risks"]

APART = {"sources-beyond-ruling", "sources-unruled", "sources-no-data"}


class Risks(News):
    """Steps on risks."""

    def risks(self) -> Table | Block:
        """Age against its maximum, quality, data, gates, alerts; a row for each model, each test that is not to be trusted, each broken watch."""
        import pandas as pd  # noqa: PLC0415

        rows = [row for r in self.records if r.kind == "model" if (row := self._model_risk(r))]
        watched, apart = self.watch_risks(), self._apart_rows()
        if not rows and not watched and not apart and not any(v.state == "not trustworthy" for _, v in self.ranked):
            return Block("<p>No model was reported this week.</p>")
        for common, failing in self.common:
            if common.kind == "experiment":
                many = f"{display.number_span(failing)} of {common.of:,} tests"
                gate = f"{display.chip('fail')} {escape(common.what)}"
                more = {"subject": "experiments", "age": "–", "quality": gate, "checks": "–", "alerts": "–"}
                rows.append({"model": f'<a href="experiments.html">{many}</a>', **more})
        for record, verdict in self.ranked:
            if verdict.state == "not trustworthy" and not self.in_common(record.subject):
                gate = conclusions.BECAUSE.get(verdict.rule, "a check failed")
                rows.append(
                    {
                        "model": f'<a href="{self.place(record)}">{escape(record.title)}</a>',
                        "subject": record.subject,
                        "age": "–",
                        "quality": f"{display.chip('fail')} {escape(gate)}",
                        "checks": "–",
                        "alerts": "–",
                    }
                )
        rows += watched + apart
        columns = {
            "model": Column("What", html=True),
            "age": Column("Age and maximum", html=True),
            "quality": Column("Quality or gate", html=True),
            "checks": Column("Data", html=True),
            "alerts": Column("Alerts that fire", html=True),
        }
        return display.table(pd.DataFrame(rows), "risks", f"Risks. {self._frequency()}", columns)

    @cached_property
    def apart(self) -> list[Finding]:
        """Sentences on figures that systems tell apart without a ruling that explains it, or that one of them lacks."""
        record = next((r for r in self.records if r.kind == "reconciliation"), None)
        return [self.keep(f) for f in record.findings if f.rule in APART] if record else []

    def _apart_rows(self) -> list[dict[str, Any]]:
        rows = []
        for finding in self.apart:
            text = display.sentence(finding, self._numbers, currency=self.currency)
            place = '<a href="reconciliation.html">Sources compared</a>'
            more = {"age": "–", "checks": "–", "alerts": "–"}
            rows.append(
                {"model": place, "subject": "reconciliation", "quality": f"{display.chip('differs')} {text}", **more}
            )
        return rows

    def _model_risk(self, record: Record) -> dict[str, Any] | None:
        numbers = {n.id.removeprefix(f"{record.subject}."): n for n in record.numbers}
        plan = self.params.models[record.subject]
        if not {plan.measures[0], f"{plan.measures[0]}.change", "model-age", "model-age-limit"} <= set(numbers):
            return None  # a notebook of its own, which measures something else
        level, change = numbers[plan.measures[0]], numbers[f"{plan.measures[0]}.change"]
        word, tone = conclusions.moved(change, level) if change.published else ("not published", "neutral")
        quality = {"better": "up", "worse": "down"}.get(word, "steady")
        words = f"{word} than last week" if quality != "steady" else word
        return {
            "model": f'<a href="models/{record.subject}.html">{escape(record.title)}</a>',
            "subject": record.subject,
            "age": _limit(numbers["model-age"], numbers["model-age-limit"]),
            "quality": display.mark(quality, tone, words),
            "checks": self._data(numbers),
            "alerts": self._firing(record.subject, plan.telemetry.service if plan.telemetry else ""),
        }

    def _data(self, numbers: dict[str, Number]) -> str:
        """Checks that do not pass; data that is old is named, with its age."""
        broken = [name for name in numbers if name.startswith("check.")]
        stale = numbers.get("check.staleness")
        old = f"; stale: newest row {display.format_number(stale)} old" if stale is not None and stale.published else ""
        return escape((f"{len(broken)} checks do not pass" if broken else "all checks pass") + old)

    def _firing(self, *subjects: str) -> str:
        if self.operations is None:
            return escape("not watched")
        loud = [a for a in self.operations.alerts if a.subject in subjects and a.state == "firing" and a.tier != "info"]
        if not loud:
            return "none"
        return f'<a href="operations.html">{escape("; ".join(a.title for a in loud))}</a>'

    def _frequency(self) -> str:
        """Alerts of the week against those of a usual week, in words."""
        numbers = {n.id: n for n in self.operations.numbers} if self.operations else {}
        week, usual = (numbers.get(f"operations.{n}") for n in ("alerts-week", "alerts-usual"))
        if not (week and usual and week.published and usual.published):
            return "The history of alerts was not read."
        return f"Alerts sent this week: {display.format_number(week)}; in a usual week: {display.format_number(usual)}."

    def health(self) -> Chart | Block:
        """Each model's main measure over the weeks, its last point coloured by what became of it."""
        rows = []
        for record in self.records:
            if record.kind != "model":
                continue
            model = ModelMeasures(record.subject, edition=self.edition, root=self.root)
            metric = model.plan.measures[0]
            numbers = {n.id: n for n in record.numbers}
            if f"{record.subject}.{metric}.change" not in numbers:
                continue  # a notebook of its own, which measures something else
            change, level = numbers[f"{record.subject}.{metric}.change"], numbers[f"{record.subject}.{metric}"]
            tone = conclusions.moved(change, level)[1] if change.published else "neutral"
            last = {"good": "better", "bad": "worse"}.get(tone, "steady")
            title = f"{record.title}: {conclusions.plainly(self.params.metrics[metric].title)}"
            rows += [
                {
                    "model": title,
                    "when": week.isoformat(),
                    "value": round(e.value, 5),
                    "state": last if week == self.week_start else "",
                }
                for week, e in model.series(metric)
            ]
        if not rows:
            return Block("")
        caption = "Main measure of each model by week; the last point is green where it got better, red where worse, grey where steady."
        return display.chart(display.sparklines(rows), "health", caption)


def _limit(value: Number, limit: Number) -> str:
    if not (isinstance(value.value, float) and isinstance(limit.value, float)):
        return escape(display.format_number(value))
    words = f"{display.format_number(value)} of {display.format_number(limit)}"
    return f"{display.chip('fail' if value.value > limit.value else 'pass')} {escape(words)}"
