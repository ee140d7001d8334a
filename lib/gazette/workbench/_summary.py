"""The bench of the page for leadership; it reads only records."""

from __future__ import annotations

import json
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, Any

from gazette import conclusions, display
from gazette.display import Block, Chart, Column, Table
from gazette.record import Finding, NotPublished, Number, Record
from gazette.workbench._bench import Bench, Emitted
from gazette.workbench._measures import ModelMeasures

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["SummaryBench", "open_summary"]

CHANGES = {"change": "on last week", "vs-baseline": "against the baseline"}
LEVELS = {"month-before": "four weeks earlier", "year-before": "a year earlier"}


def open_summary(subject: str, *, edition: str, root: str | Path = ".") -> SummaryBench:
    """Open the summary of an edition whose other notebooks have run."""
    return SummaryBench(subject, edition=edition, root=root)


class SummaryBench(Bench):
    """Steps of the executive page."""

    kind = "summary"

    @cached_property
    def records(self) -> list[Record]:
        """Records of every subject that has one."""
        paths = sorted((self.root / "records").glob("*.json"))
        return [Record.from_json(p.read_bytes()) for p in paths if p.stem != self.subject]

    @cached_property
    def failures(self) -> list[dict[str, Any]]:
        """What failed."""
        return [json.loads(p.read_text(encoding="utf-8")) for p in sorted((self.root / "failures").glob("*.json"))]

    @cached_property
    def _headline(self) -> Finding:
        groups = {
            "ready": {"ship", "ship with monitoring"},
            "stop": {"don't ship", "stop: no winner"},
            "untrusted": {"fix the test first"},
            "open": {"keep running", "wait"},
        }
        actions = [v.action for _, v in conclusions.ranked(self.records)]
        metric = next(iter(self.params.metrics))
        shared: dict[str, Any] = {"unit": "count", "metric": metric, "cell": "headline", "query": None}
        counts = {
            key: self.add(f"tests-{key}", f"Tests: {key}", sum(a in members for a in actions), **shared)
            for key, members in groups.items()
        }
        failed = self.add("failed", "Analyses that failed", len(self.failures), **shared) if self.failures else None
        return conclusions.headline(counts, failed)

    def headline(self) -> Block:
        """The week in a sentence."""
        text = display.sentence(self._headline, self._numbers, currency=self.currency)
        return Block(f'<p class="gz-headline">{text}</p>')

    def cards(self) -> Block:
        """The few numbers that site.yml names."""
        known = {n.id: (n, r) for r in self.records for n in r.numbers}
        items = []
        for card in self.params.site.executive.cards:
            if card not in known:
                subject, _, rest = card.partition(".")
                missing = NotPublished(
                    reason="the analysis failed"
                    if any(f["page"] == subject for f in self.failures)
                    else "no such number this week"
                )
                metric = rest if rest in self.params.metrics else next(iter(self.params.metrics))
                label = self.params.metrics[metric].title
                stand_in = Number(
                    id=card,
                    label=label,
                    value=missing,
                    unit="number",
                    metric=metric,
                    metric_version=self.params.metrics[metric].version,
                    cell="cards",
                    query=None,
                    snapshot="",
                    as_of=self.cutoff,
                )
                items.append((stand_in, "", ""))
                continue
            number, record = known[card]
            self._numbers[number.id] = number
            deltas = []
            for suffix, words in {**CHANGES, **LEVELS}.items():
                if f"{card}.{suffix}" in known:
                    change = known[f"{card}.{suffix}"][0]
                    self._numbers[change.id] = change
                    form = "signed" if suffix in CHANGES else ""
                    shown = (
                        display.number_span(change, form, currency=self.currency)
                        if change.published
                        else escape(display.format_number(change))
                    )
                    deltas.append(f"{shown} {words}")
            basis = f'{escape(number.note or self.params.metrics[number.metric].definition)} <a href="{_page(record.kind, record.subject)}">{escape(record.title)}</a>'
            items.append((number, "<br>".join(deltas), basis))
        return display.cards(items, currency=self.currency)

    def verdicts(self) -> Table:
        """This week's tests, what needs a person first."""
        import pandas as pd  # noqa: PLC0415

        rows = []
        for record, verdict in conclusions.ranked(self.records):
            numbers = {n.id: n for n in record.numbers}
            shown = numbers[f"{record.subject}.{verdict.metric}.relative"]
            trusted = verdict.state not in {"not trustworthy", "not published"} and shown.interval is not None
            metric = self.params.metrics[verdict.metric].title
            rows.append(
                {
                    "test": f'<a href="experiments/{record.subject}.html">{escape(record.title)}</a>',
                    "subject": record.subject,
                    "verdict": display.chip(verdict.state),
                    "state": verdict.state,
                    "metric": metric,
                    "effect": f"{display.format_number(shown, 'signed')} ({display.format_number(shown, 'interval')})"
                    if trusted
                    else "not shown",
                    "action": verdict.action[:1].upper() + verdict.action[1:],
                }
            )
        columns = {
            "test": Column("Test", html=True),
            "verdict": Column("Verdict", html=True),
            "action": Column("What to do"),
            "metric": Column("Decided on"),
            "effect": Column("Effect and range"),
        }
        names = ["test", "verdict", "action", "metric", "effect", "subject", "state"]
        return display.table(pd.DataFrame(rows, columns=names), "verdicts", "This week's tests", columns)

    def models(self) -> Block:
        """What each model's page says first."""
        parts = []
        for record in self.records:
            if record.kind != "model":
                continue
            chosen = sorted(record.findings, key=lambda f: {"bad": 0, "good": 1, "unsure": 2}.get(f.tone, 3))[:3]
            items = display.findings(record, chosen, currency=self.currency, rules=False).html
            parts.append(f'<h4><a href="models/{record.subject}.html">{escape(record.title)}</a></h4>{items}')
        return Block("".join(parts) or "<p>No model was reported this week.</p>")

    def risks(self) -> Table | Block:
        """Per model: age against its maximum, quality, data checks, alerts that fire, alerts against their history."""
        import pandas as pd  # noqa: PLC0415

        rows = []
        for record in self.records:
            if record.kind == "model":
                numbers = {n.id.removeprefix(f"{record.subject}."): n for n in record.numbers}
                plan = self.params.models[record.subject]
                if not {plan.measures[0], f"{plan.measures[0]}.change", "model-age", "model-age-limit"} <= set(numbers):
                    continue  # a notebook of its own, which measures something else
                level, change = numbers[plan.measures[0]], numbers[f"{plan.measures[0]}.change"]
                word, tone = conclusions.moved(change, level) if change.published else ("not published", "neutral")
                quality = {"better": "up", "worse": "down"}.get(word, "steady")
                broken = sum(name.startswith("check.") for name in numbers)
                rows.append(
                    {
                        "model": f'<a href="models/{record.subject}.html">{escape(record.title)}</a>',
                        "subject": record.subject,
                        "age": _limit(numbers["model-age"], numbers["model-age-limit"]),
                        "quality": display.mark(
                            quality, tone, f"{word} than last week" if quality != "steady" else word
                        ),
                        "checks": f"{broken} do not pass" if broken else "all pass",
                        "alerts": self._firing(record.subject, plan.telemetry.service if plan.telemetry else ""),
                    }
                )
        columns = {
            "model": Column("Model", html=True),
            "age": Column("Age against its maximum", html=True),
            "quality": Column("Main measure", html=True),
            "checks": Column("Data checks"),
            "alerts": Column("Alerts that fire", html=True),
        }
        if not rows:
            return Block("<p>No model was reported this week.</p>")
        return display.table(pd.DataFrame(rows), "risks", f"Risks of each model. {self._frequency()}", columns)

    @property
    def _operations(self) -> Record | None:
        return next((r for r in self.records if r.kind == "operations"), None)

    def _firing(self, *subjects: str) -> str:
        if self._operations is None:
            return escape("not watched")
        loud = [
            a for a in self._operations.alerts if a.subject in subjects and a.state == "firing" and a.tier != "info"
        ]
        if not loud:
            return "none"
        return f'<a href="operations.html">{escape("; ".join(a.title for a in loud))}</a>'

    def _frequency(self) -> str:
        """Alerts of the week against those of a usual week, in words."""
        numbers = {n.id: n for n in self._operations.numbers} if self._operations else {}
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
            change = numbers[f"{record.subject}.{metric}.change"]
            tone = (
                conclusions.moved(change, numbers[f"{record.subject}.{metric}"])[1] if change.published else "neutral"
            )
            series = model.series(metric)
            rows += [
                {
                    "model": f"{record.title}: {self.params.metrics[metric].title}",
                    "when": week.isoformat(),
                    "value": round(e.value, 5),
                    "state": {"good": "better", "bad": "worse"}.get(tone, "steady") if week == self.week_start else "",
                }
                for week, e in series
            ]
        if not rows:
            return Block("")
        caption = "Technical health of the models, by week; the last point is green where it got better, red where it got worse, grey where it is steady."
        return display.chart(display.sparklines(rows), "health", caption)

    def failed(self) -> Block:
        """Analyses that failed, with their pages; nothing where none did."""
        if not self.failures:
            return Block("<p>Every analysis of this week ran.</p>")
        items = "".join(
            f'<li class="bad"><a class="gz-term" href="{_page(f["kind"], f["page"])}">{escape(f["title"])}</a> failed: '
            f'<span class="gz-term">{escape(f["what"].splitlines()[0])} Owner: {escape(f["owner"])}.</span></li>'
            for f in self.failures
        )
        return Block(
            f'<div class="gz-failed"><p><strong>{len(self.failures)} of the analyses failed; their numbers are not on this page.</strong></p><ul class="gz-findings">{items}</ul></div>'
        )

    def emit(self) -> Emitted:
        """The record of this page; counts and cards, with the ids they have on their own pages."""
        executive = self.params.site.executive
        return Emitted(self._record(title=executive.title, owner=executive.owner, findings=[self._headline]))


def _limit(value: Number, limit: Number) -> str:
    if not (isinstance(value.value, float) and isinstance(limit.value, float)):
        return escape(display.format_number(value))
    words = f"{display.format_number(value)} of {display.format_number(limit)}"
    return f"{display.chip('fail' if value.value > limit.value else 'pass')} {escape(words)}"


def _page(kind: str, page: str) -> str:
    """Address of a page from the summary: models and experiments stand in folders of their own."""
    return escape(f"{kind}s/{page}.html" if kind in {"model", "experiment"} else f"{kind}.html")
