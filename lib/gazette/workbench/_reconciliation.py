"""The bench of the page on figures that several systems report."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from gazette import conclusions, display
from gazette.conclusions import Reconciled
from gazette.display import Block, Chart, Column, Table
from gazette.errors import EditionError
from gazette.record import NotPublished
from gazette.snapshot import reopen
from gazette.workbench._bench import Bench, Emitted
from gazette.workbench._measures import records_of
from gazette.workbench._numbers import day_of

if TYPE_CHECKING:
    from pathlib import Path

    from gazette.conclusions import Agreement
    from gazette.params import Reconciliation, Told
    from gazette.record import Finding, Number, Record

__all__ = ["ReconciliationBench", "open_reconciliation"]


def open_reconciliation(
    subject: str = "reconciliation", *, edition: str, root: str | Path = "."
) -> ReconciliationBench:
    """Open the comparison of sources of an edition.

    Raises:
        EditionError: The parameters name nothing to reconcile.
    """
    return ReconciliationBench(subject, edition=edition, root=root)


@dataclass(frozen=True)
class _Pair:
    """A source beside the reference this week."""

    figure: Reconciliation
    source: Told
    state: Agreement
    said: Finding


class ReconciliationBench(Bench):
    """Steps of the page."""

    kind = "reconciliation"

    def __init__(self, subject: str, *, edition: str, root: str | Path) -> None:
        super().__init__(subject, edition=edition, root=root)
        if self.params.reconciliations is None:
            raise EditionError(
                "this edition compares no sources",
                where=str(self.root),
                mend="write params/reconciliations.yml and build again",
            )
        self.plan = self.params.reconciliations
        self.snapshot = reopen(self.root / "snapshot" / "reconciliation")
        self.snapshot_digest = self.snapshot.digest
        self.last = self.week_start + timedelta(days=6)
        self._read: dict[str, dict[date, float]] = {}  # a file is checked and decoded once, not once a week

    @cached_property
    def unread(self) -> dict[str, str]:
        """Query to the reason for which it could not be read."""
        return {str(r["what"]): str(r["reason"]) for r in records_of(self.snapshot.table("unread"))}

    def days(self, figure: Reconciliation, source: Told) -> dict[date, float]:
        """What a source says, by day of the history."""
        query = f"{figure.id}--{source.id}"
        if query not in self._read:
            rows = records_of(self.snapshot.table(query)) if self.snapshot.has(query) else []
            self._read[query] = {r["day"].date(): float(r["value"]) for r in rows if r["value"] == r["value"]}
        return self._read[query]

    def _week(self, figure: Reconciliation, source: Told, start: date) -> dict[date, float]:
        return {d: v for d, v in self.days(figure, source).items() if start <= d < start + timedelta(days=7)}

    # ---- numbers

    def _total(self, figure: Reconciliation, source: Told) -> float | NotPublished:
        week = self._week(figure, source, self.week_start)
        if week:
            return sum(week.values())
        reason = self.unread.get(f"{figure.id}--{source.id}")
        return NotPublished(
            reason=f"{source.title} {'cannot be read: ' + reason if reason else 'has no rows this week'}"
        )

    @cached_property
    def pairs(self) -> list[_Pair]:
        """Every source but the reference, with its numbers and the sentence on it."""
        found = []
        for figure in self.plan.reconciliations:
            unit = self.params.metrics[figure.metric].unit
            base = figure.source(figure.reference)
            shared: dict[str, Any] = {"metric": figure.metric, "cell": "sources"}
            totals = {}
            for source in figure.sources:
                query = f"{figure.id}--{source.id}"
                totals[source.id] = self.add(
                    f"{figure.id}.{source.id}",
                    f"{figure.title}, {source.title}",
                    self._total(figure, source),
                    unit=unit,
                    query=query if self.snapshot.has(query) else None,
                    **shared,
                )
            label = f"{figure.title}, difference below which sources agree"
            tolerance = self.add(
                f"{figure.id}.tolerance", label, figure.tolerance, unit="fraction", query=None, **shared
            )
            base_total = totals[base.id]
            found += [self._pair(figure, s, base_total, totals[s.id], tolerance) for s in figure.others]
        return found

    def _pair(self, figure: Reconciliation, source: Told, base: Number, told: Number, tolerance: Number) -> _Pair:
        prefix, title = (
            f"{figure.id}.{source.id}",
            f"{figure.title}, {source.title} against {figure.source(figure.reference).title}",
        )
        shared: dict[str, Any] = {"metric": figure.metric, "cell": "sources", "query": f"{figure.id}--{source.id}"}
        gap = self._gap(base, told)
        number = self.add(f"{prefix}.gap", title, gap, unit="relative", **shared)
        value = None if isinstance(gap, NotPublished) else gap
        state = conclusions.agreement_of(value, figure.tolerance, source.ruling, self.last)
        low = high = apart = None
        ruling, lapsed, ruled = source.ruling, "", ""
        if ruling is not None:
            ruled = day_of(ruling.ruled)
            lapsed = day_of(ruling.until) if ruling.until is not None and ruling.until < self.last else ""
            if conclusions.holds(ruling, self.last):
                own = {**shared, "query": None}
                low = self.add(
                    f"{prefix}.ruled-low", f"{title}: smallest that is explained", ruling.low, unit="relative", **own
                )
                high = self.add(
                    f"{prefix}.ruled-high", f"{title}: largest that is explained", ruling.high, unit="relative", **own
                )
        days = set(self._week(figure, source, self.week_start)) ^ set(
            self._week(figure, figure.source(figure.reference), self.week_start)
        )
        if days and value is not None:
            apart = self.add(
                f"{prefix}.days-apart", f"{title}: days of one only", float(len(days)), unit="count", **shared
            )
        row = Reconciled(
            id=f"{self.subject}.{prefix}",
            figure=figure,
            source=source,
            state=state,
            gap=number if value is not None else None,
            tolerance=tolerance,
            low=low,
            high=high,
            apart=apart,
            why=gap.reason if isinstance(gap, NotPublished) else "",
            lapsed=lapsed,
            ruled=ruled,
        )
        return _Pair(figure, source, state, conclusions.reconciled(row))

    def _gap(self, base: Number, told: Number) -> float | NotPublished:
        for number in (base, told):
            if isinstance(number.value, NotPublished):
                return number.value
        assert isinstance(base.value, float)  # noqa: S101  the loop has said so
        assert isinstance(told.value, float)  # noqa: S101
        if base.value == 0:
            return NotPublished(reason="the reference is zero this week, so there is no share of it")
        return told.value / base.value - 1

    # ---- the page

    def findings(self) -> Block:
        """How the sources of each figure stand to each other."""
        return display.findings(self._made, currency=self.currency)

    def sources(self) -> Table:
        """What each source says this week, side by side."""
        import pandas as pd  # noqa: PLC0415

        states = {(p.figure.id, p.source.id): p for p in self.pairs}
        rows = []
        for figure in self.plan.reconciliations:
            for source in figure.sources:
                pair = states.get((figure.id, source.id))
                number = self._numbers[f"{self.subject}.{figure.id}.{source.id}"]
                reading = "reference"
                gap = "–"
                if pair is not None:
                    reading = display.chip(pair.state)
                    gap = display.number_span(self._numbers[f"{self.subject}.{figure.id}.{source.id}.gap"], "signed")
                rows.append(
                    {
                        "figure": figure.title,
                        "source": source.title,
                        "value": display.number_span(number, currency=self.currency),
                        "gap": gap,
                        "reading": reading,
                        "owner": figure.owner,
                    }
                )
        columns = {
            "figure": Column("Figure"),
            "source": Column("Source"),
            "value": Column("This week", html=True),
            "gap": Column("Against the reference", html=True),
            "reading": Column("Reading", html=True),
            "owner": Column("Owner"),
        }
        return display.table(
            pd.DataFrame(rows), "sources", "What each source says this week", columns, currency=self.currency
        )

    def trend(self) -> Block:
        """The difference by week, with the band in which nothing is said of it."""
        parts = []
        for pair in self.pairs:
            figure, source = pair.figure, pair.source
            rows = self._weeks(figure, source)
            if len(rows) < 2:  # noqa: PLR2004  a line needs two
                continue
            base = figure.source(figure.reference).title
            what = (
                "what the ruling explains"
                if source.ruling and conclusions.holds(source.ruling, self.last)
                else "the tolerance"
            )
            said = f"{figure.title}: {source.title} against {base} by week, as a share of it. Band: {what}."
            spec = display.trend(rows, title="Difference", form="+.1%", zero=True)
            chart: Chart = display.chart(spec, f"gap-{figure.id}-{source.id}", said)
            parts.append(chart._repr_html_())
        return Block("".join(parts) or "<p>There are too few weeks for a line.</p>")

    def _weeks(self, figure: Reconciliation, source: Told) -> list[dict[str, Any]]:
        base, ruling = figure.source(figure.reference), source.ruling
        low, high = -figure.tolerance, figure.tolerance
        if ruling is not None and conclusions.holds(ruling, self.last):
            low, high = ruling.low, ruling.high
        rows = []
        for back in range(self.params.site.history_weeks - 1, -1, -1):
            start = self.week_start - timedelta(weeks=back)
            mine, theirs = (sum(self._week(figure, s, start).values()) for s in (source, base))
            if theirs and self._week(figure, source, start):
                rows.append(
                    {
                        "when": f"{start.day} {start:%b}",
                        "series": source.title,
                        "value": round(mine / theirs - 1, 6),
                        "low": low,
                        "high": high,
                    }
                )
        return rows

    def by_day(self) -> Table:
        """Each day of the week, so that a day that one of them lacks is seen."""
        import pandas as pd  # noqa: PLC0415

        rows = []
        for pair in self.pairs:
            base = pair.figure.source(pair.figure.reference)
            mine, theirs = (self._week(pair.figure, s, self.week_start) for s in (pair.source, base))
            unit = self.params.metrics[pair.figure.metric].unit
            for i in range(7):
                day = self.week_start + timedelta(days=i)
                a, b = mine.get(day), theirs.get(day)
                rows.append(
                    {
                        "day": day_of(day),
                        "figure": f"{pair.figure.title}, {pair.source.title}",
                        "told": self._shown(a, unit),
                        "base": self._shown(b, unit),
                        "gap": "–" if a is None or not b else display.format_value(a / b - 1, "relative", signed=True),
                    }
                )
        columns = {
            "day": Column("Day"),
            "figure": Column("Figure and source"),
            "told": Column("Source"),
            "base": Column("Reference"),
            "gap": Column("Difference"),
        }
        return display.table(pd.DataFrame(rows), "days", "The week day by day", columns, currency=self.currency)

    def _shown(self, value: float | None, unit: Any) -> str:
        return "no rows" if value is None else display.format_value(value, unit, currency=self.currency)

    def rulings(self) -> Table | Block:
        """What was ruled, by whom, how long it holds."""
        import pandas as pd  # noqa: PLC0415

        rows = []
        for pair in self.pairs:
            ruling = pair.source.ruling
            if ruling is None:
                continue
            low, high = display.format_ends(ruling.low, ruling.high, "relative", signed=True)
            until = "until it is changed" if ruling.until is None else f"until {day_of(ruling.until)}"
            rows.append(
                {
                    "figure": f"{pair.figure.title}, {pair.source.title}",
                    "text": ruling.text,
                    "range": f"{low} to {high}",
                    "use": pair.figure.source(ruling.use).title,
                    "by": f"{ruling.by}, {day_of(ruling.ruled)}, {until}",
                }
            )
        if not rows:
            return Block("<p>Nobody has ruled on a difference.</p>")
        columns = {
            "figure": Column("Figure and source"),
            "text": Column("Why they differ"),
            "range": Column("Explained"),
            "use": Column("What counts"),
            "by": Column("Ruled"),
        }
        return display.table(pd.DataFrame(rows), "rulings", "Rulings on differences", columns, currency=self.currency)

    # ---- the record

    @cached_property
    def _made(self) -> Record:
        order = {"no data": 0, "no ruling": 1, "beyond the ruling": 2, "explained": 3, "agrees": 4}
        said = [p.said for p in sorted(self.pairs, key=lambda p: order[p.state])]
        return self._record(title=self.plan.title, owner=self.plan.owner, findings=said)

    def emit(self) -> Emitted:
        """The record of this page."""
        return Emitted(self._made)
