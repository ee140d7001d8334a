"""The bench of the portfolio page: every test, what was decided, what it brought; it reads records and the frozen history."""

from __future__ import annotations

from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, Any

from gazette import conclusions, display, stats
from gazette.display import Block, Chart, Column, Table
from gazette.record import NotPublished
from gazette.workbench._bench import Emitted
from gazette.workbench._numbers import day_of
from gazette.workbench._portfolio_numbers import CLAIM_LEVEL, PortfolioNumbers

if TYPE_CHECKING:
    from pathlib import Path

    from gazette.record import Number, Record
    from gazette.workbench._portfolio_numbers import KnownTest

__all__ = ["PortfolioBench", "open_portfolio"]

TITLE = "All tests"
MOST = 500  # rows of the table; a page with more is slow to open


def open_portfolio(subject: str = "portfolio", *, edition: str, root: str | Path = ".") -> PortfolioBench:
    """Open the portfolio of an edition whose experiments have run."""
    return PortfolioBench(subject, edition=edition, root=root)


class PortfolioBench(PortfolioNumbers):
    """Steps of the portfolio page."""

    # ---- the page

    def findings(self) -> Block:
        """What the tests say together."""
        return display.findings(self._made, currency=self.currency)

    def cards(self) -> Block:
        """Win rate, shipped tests, what came true of claims."""
        _ = self.measured
        decided = display.number_span(self._numbers[f"{self.subject}.decided"])
        again = display.number_span(self._numbers[f"{self.subject}.measured-again"])
        items = [
            (self._numbers[f"{self.subject}.win-rate"], "", f"of {decided} decided tests showed a benefit"),
            (self._numbers[f"{self.subject}.ship-rate"], "", f"of {decided} decided tests were shipped"),
            (
                self._numbers[f"{self.subject}.realised-share"],
                "",
                f"of the claimed effect, over {again} shipped tests measured again",
            ),
        ]
        return display.cards(items, currency=self.currency)

    @property
    def _added(self) -> dict[str, str]:
        """Metrics with a published sum."""
        _ = self.measured
        return {
            m: self.params.metrics[m].title
            for m in self.priors
            if self._numbers[f"{self.subject}.cumulative.{m}.corrected"].published
        }

    def sums(self) -> Chart | Block:
        """Sums of shipped tests by metric, as measured and corrected."""
        rows = []
        for metric, title in self._added.items():
            for name, words in (("naive", "as measured"), ("corrected", "corrected")):
                number = self._numbers[f"{self.subject}.cumulative.{metric}.{name}"]
                if number.interval is None or not isinstance(number.value, float):
                    continue
                span, sign = number.interval, self._sign(metric)
                clear = "good" if sign * (span.low + span.high) > 0 else "bad"
                state = "untrusted" if name == "naive" else clear if span.low * span.high > 0 else "unsure"
                row = {"name": f"{title}, {words}", "value": number.value, "low": span.low, "high": span.high}
                rows.append({**row, "state": state})
        if not rows:
            return Block(
                "<p>No sum of shipped tests is published; the reasons are in the table and the sentences above.</p>"
            )
        caption = (
            "What shipped tests add up to, each metric twice: as measured (grey), and corrected for the winner's curse."
        )
        return display.chart(display.forest(rows, title="Relative change"), "sums", caption)

    def sums_table(self) -> Table | Block:
        """The same in figures, with the reason where a metric has no sum."""
        import pandas as pd  # noqa: PLC0415

        _ = self.measured
        rows = []
        for metric in self.priors:
            mine = [t for t in self.counted if t.metric == metric]
            row: dict[str, Any] = {"metric": self.params.metrics[metric].title, "decided": len(mine)}
            row["shipped"] = sum(conclusions.shipped(t.decision) for t in mine)
            for name in ("naive", "corrected"):
                row[name] = self._shown(self._numbers[f"{self.subject}.cumulative.{metric}.{name}"])
            rows.append(row)
        if not rows:
            return Block("<p>No decided test has an effect to add up.</p>")
        columns = {
            "metric": Column("Metric"),
            "decided": Column("Decided", "count"),
            "shipped": Column("Shipped", "count"),
            "naive": Column("As measured", html=True),
            "corrected": Column("Corrected", html=True),
        }
        caption = "Relative effects of shipped tests, added up by metric"
        return display.table(pd.DataFrame(rows), "sums", caption, columns, currency=self.currency)

    def claims(self) -> Chart | Block:
        """Claimed against realised effects, in the good direction."""
        rows = []
        for t in self.again:
            sign = self._sign(t.metric)
            z = stats.z_of(CLAIM_LEVEL)
            claimed, realised = sign * (t.effect or 0.0), sign * (t.realised or 0.0)
            before, after = z * (t.error or 0.0), z * (t.realised_error or 0.0)
            row = {
                "title": t.title,
                "metric": self.params.metrics[t.metric].title,
                "claimed": claimed,
                "claimed_low": claimed - before,
                "claimed_high": claimed + before,
                "realised": realised,
                "low": realised - after,
                "high": realised + after,
            }
            rows.append({**row, "held": "as claimed or more" if realised >= claimed else "less than claimed"})
        if not rows:
            return Block("<p>No shipped test has been measured again yet, so no claim can be checked.</p>")
        caption = (
            "Each point is a shipped test: what was claimed when it was shipped, and what a later measurement found, "
            "read so that up is good. On the dashed line both agree; below it less came than was claimed. Lines are 80 % ranges."
        )
        return display.chart(display.claims(rows), "claims", caption)

    def claims_table(self) -> Table | Block:
        """The same in figures."""
        import pandas as pd  # noqa: PLC0415

        rows = [
            {
                "test": t.title,
                "metric": self.params.metrics[t.metric].title,
                "claimed": self._shown(self._past_number(t, "effect")),
                "realised": self._shown(self._past_number(t, "realised")),
                "on": f"{t.realised_on:%Y-%m-%d}",
            }
            for t in self.again
        ]
        if not rows:
            return Block("")
        columns = {
            "test": Column("Test"),
            "metric": Column("Metric"),
            "claimed": Column("Claimed", html=True),
            "realised": Column("Realised", html=True),
            "on": Column("Measured again"),
        }
        return display.table(pd.DataFrame(rows), "claims", "Claims and what came of them, newest test first", columns)

    def _shown(self, number: Number | None) -> str:
        """Value and range as HTML."""
        if number is None:
            return "not shown"
        if not number.published:
            return escape(display.format_number(number))
        span = f" ({escape(display.format_number(number, 'interval'))})" if number.interval else ""
        return f"{display.number_span(number, 'signed', currency=self.currency)}{span}"

    def tests(self) -> Table | Block:
        """Every test with state, decision and effect, to be filtered by any word."""
        import pandas as pd  # noqa: PLC0415

        rows = []
        for row in self.rows[:MOST]:
            known = self.params.metrics.get(row.metric)
            value = row.effect.value if row.effect is not None else None
            span = row.effect.interval if row.effect is not None else None
            rows.append(
                {
                    "test": row.key,
                    "title": f'<a href="{escape(row.link)}">{escape(row.title)}</a>' if row.link else escape(row.title),
                    "name": row.title,
                    "state": row.state,
                    "verdict": display.chip(row.state),
                    "decision": self._decision(row),
                    "metric": known.title if known else row.metric or "not known",
                    "effect": self._shown(row.effect),
                    "realised": self._shown(self._past_number(row.past, "realised"))
                    if row.past is not None and row.past.realised is not None and not row.past.problem
                    else self._shown(row.again)
                    if row.again is not None
                    else "not measured again",
                    "effect_value": value if isinstance(value, float) else None,
                    "effect_low": span.low if span else None,
                    "effect_high": span.high if span else None,
                }
            )
        if not rows:
            return Block("<p>No test is known: none in this edition, none in earlier ones, none in the history.</p>")
        columns = {
            "title": Column("Test", html=True),
            "verdict": Column("State", html=True),
            "decision": Column("Decision"),
            "metric": Column("Metric"),
            "effect": Column("Effect and range", html=True),
            "realised": Column("Measured again later", html=True),
        }
        more = f"; the newest {MOST} of {len(self.rows):,}" if len(self.rows) > MOST else ""
        caption = f"All tests: of this edition, of the history, of earlier editions{more}"
        return display.table(pd.DataFrame(rows), "tests", caption, columns, currency=self.currency, filtered=True)

    def _decision(self, row: KnownTest) -> str:
        if row.decision:
            when = f", ended {day_of(row.past.ended)}" if row.past is not None else ""
            if row.key in self.registered:
                when = f", on edition {self.registered[row.key]['edition']}"
            return f"{row.decision[:1].upper()}{row.decision[1:]}{when}"
        if row.advice:
            return f"Not decided; advice: {row.advice}"
        return f"None recorded; last in edition {row.edition}" if row.edition else "None recorded"

    # ---- the record

    @cached_property
    def _made(self) -> Record:
        _ = self.measured
        rows = self.rows
        self.snapshot_digest = self.history.digest
        self._count("tests", "Tests known", len(rows))
        for t in self.again:
            self._past_number(t, "effect")
            self._past_number(t, "realised")
        short = [
            f"{self.params.metrics[m].title}" for m, prior in self.priors.items() if isinstance(prior, NotPublished)
        ]
        left_out = [f"{t.title} ({t.problem})" for t in self.history.tests if t.problem]
        found = conclusions.describe_portfolio(
            self.subject,
            self._numbers,
            metrics=self._added,
            short=short,
            left_out=left_out,
            unread=self.history.unread,
            only_shipped=self.only_shipped,
        )
        return self._record(title=TITLE, owner=self.params.site.executive.owner, findings=found)

    def emit(self) -> Emitted:
        """The record of this page."""
        return Emitted(self._made)
