"""The bench of the page for leadership: headline, what matters, this week's tests, completeness, record."""

from __future__ import annotations

from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, Any

from gazette import conclusions, display
from gazette.display import Block, Column, Table
from gazette.workbench._bench import Emitted
from gazette.workbench._risks import Risks
from gazette.workbench._upstream import tables_of

if TYPE_CHECKING:
    from pathlib import Path

    from gazette.record import Finding, Number, Record

__all__ = ["SummaryBench", "open_summary"]

GROUPS = {
    "ready": {"ship", "ship with monitoring"},
    "stop": {"don't ship", "stop: no winner"},
    "untrusted": {"fix the test first"},
    "open": {"keep running", "wait"},
}


def open_summary(subject: str, *, edition: str, root: str | Path = ".") -> SummaryBench:
    """Open the summary of an edition whose other notebooks have run."""
    return SummaryBench(subject, edition=edition, root=root)


class SummaryBench(Risks):
    """Steps of the executive page."""

    @cached_property
    def _headline(self) -> Finding:
        waiting = [(r, v) for r, v in self.ranked if not conclusions.is_decided(self.decided.get(r.subject), v.action)]
        actions = [v.action for _, v in waiting]
        counts = {
            key: self.count(f"tests-{key}", f"Tests: {key}", sum(a in members for a in actions), "headline")
            for key, members in GROUPS.items()
        }
        models = [r for r in self.records if r.kind == "model"]
        if settled := len(self.ranked) - len(waiting):
            counts["decided"] = self.count("tests-decided", "Tests: decided", settled, "headline")
        counts["reported"] = self.count("models", "Models reported", len(models), "headline")
        failed = self.count("failed", "Analyses that failed", len(self.failures), "headline") if self.failures else None
        ready = [r for r, v in waiting if v.action in GROUPS["ready"]]
        material = conclusions.Material(
            models=[(r.title, n) for r in models if (n := self._number(r, "revenue-effect"))],
            ready=[(r.title, n) for r in ready if (n := self._number(r, "impact"))],
        )
        return self.keep(conclusions.headline(counts, failed, material))

    def _number(self, record: Record, suffix: str) -> Number | None:
        found = self.known.get(f"{record.subject}.{suffix}")
        return found[0] if found else None

    def headline(self) -> Block:
        """The week in a sentence."""
        text = display.sentence(self._headline, self._numbers, currency=self.currency)
        return Block(f'<p class="gz-headline">{text}</p>')

    @cached_property
    def _matters(self) -> list[Finding]:
        counts = {}
        for record in self.records:
            if record.kind != "model":
                continue
            lacking = conclusions.lacking(record)
            title = f"{record.title}, figures missing for one reason" if lacking else f"{record.title}, further signs"
            signs = lacking or conclusions.signs(record)
            if signs:
                counts[record.subject] = self.count(f"{record.subject}.signs", title, signs, "matters")
        extra = conclusions.Extra(
            names={k: m.title for k, m in self.params.metrics.items()},
            late=self.overdue(),
            common=[c for c, _ in self.common],
            causes=[
                (c, self.count(f"cause-{i}", f"What one cause may explain: {c.what}", c.findings, "matters"))
                for i, c in enumerate(conclusions.causes(self.records, tables_of(self.params)), 1)
            ],
        )
        most = [
            conclusions.check_fails_for_most(
                c, failing, self.count(f"check.{c.check}.of", f"All that have this check: {c.what}", c.of, "matters")
            )
            for c, failing in self.common
        ]
        return [*most, *(self.keep(f) for f in conclusions.matters(self.records, counts, extra))]

    def matters(self) -> Block:
        """What leadership should know of the models; one cause of several findings is said once."""
        if not self._matters and not any(r.kind == "model" for r in self.records):
            return Block("<p>No model was read this week.</p>")
        if not self._matters:
            return Block("<p>No model has anything to say that is told from chance.</p>")
        made = self._record(title="", owner="", findings=self._matters)
        return display.findings(made, currency=self.currency, rules=False)

    def verdicts(self) -> Table | Block:
        """This week's tests, what needs a person first."""
        import pandas as pd  # noqa: PLC0415

        if not self.ranked:
            return Block("<p>No test was read this week.</p>")
        rows = []
        for record, verdict in self.ranked:
            shown = record.effect(verdict)
            trusted = verdict.state not in {"not trustworthy", "not published"} and shown is not None and shown.interval
            rows.append(
                {
                    "test": f'<a href="experiments/{record.subject}.html">{escape(record.title)}</a>',
                    "subject": record.subject,
                    "verdict": display.chip(verdict.state),
                    "state": verdict.state,
                    "metric": self.params.metrics[verdict.metric].title,
                    "effect": f"{display.format_number(shown, 'signed')} ({display.format_number(shown, 'interval')})"
                    if trusted and shown is not None
                    else "not shown",
                    "action": conclusions.to_do(record, verdict),
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
        return display.table(
            pd.DataFrame(rows, columns=names), "verdicts", "What each test showed, and what to do", columns
        )

    def failed(self) -> Block:
        """Analyses that failed, with their pages, and where to read on."""
        more = self._again() + self._further()
        if not self.failures:
            return Block(f"<p>Every analysis of this week ran.</p>{more}")
        items = "".join(
            f'<li class="bad"><a class="gz-term" href="{escape(_page_of(f))}">{escape(f["title"])}</a> failed: '
            f'<q class="gz-term">{escape(f["what"].splitlines()[0])}</q> <span class="gz-term">Owner: {escape(f["owner"])}.</span></li>'
            for f in self.failures
        )
        return Block(
            f'<div class="gz-failed"><p><strong>{len(self.failures)} of the analyses failed; their numbers are not on this page.</strong></p><ul class="gz-findings">{items}</ul></div>{more}'
        )

    def _again(self) -> str:
        """What replays of past editions came to."""
        return "".join(f"<p>{display.sentence(f, self._numbers, currency=self.currency)}</p>" for f in self.replayed)

    def _further(self) -> str:
        """Links down to the pages of teams."""
        pages = [("models.html", "models"), ("experiments.html", "tests")]
        kinds = {"operations", "translation", "portfolio"}
        pages += [(f"{r.kind}.html", r.title) for r in self.records if r.kind in kinds]
        pages.append(("rules.html", "rules that wrote these sentences"))
        links = ", ".join(f'<a href="{place}">{escape(title)}</a>' for place, title in pages)
        return f"<p>Read on: {links}.</p>"

    def emit(self) -> Emitted:
        """The record of this page; counts and cards, with the ids they have on their own pages."""
        executive = self.params.site.executive
        findings = [
            self._headline,
            *self._matters,
            *self.due,
            *self.reviews,
            *(said for _, said in self.watched),
            *self.apart,
            *self.changed,
            *self.replayed,
        ]
        return Emitted(self._record(title=executive.title, owner=executive.owner, findings=findings))


def _page_of(failure: dict[str, Any]) -> str:
    """Address of the page of an analysis that failed."""
    kind, page = failure["kind"], failure["page"]
    return f"{kind}s/{page}.html" if kind in {"model", "experiment"} else f"{kind}.html"
