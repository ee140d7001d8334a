"""The bench of the page for those on call."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, Any

from gazette import conclusions, display, monitoring
from gazette.display import Block, Column, Table
from gazette.record import Alert
from gazette.workbench._alerts import TIERS, Alerts
from gazette.workbench._bench import Emitted
from gazette.workbench._watch import HOUR

if TYPE_CHECKING:
    from pathlib import Path

    from gazette.record import Record

__all__ = ["OperationsBench", "open_operations"]

DEPLOY_DAYS = 90
FAMILIES = ("changes on last week", "differences to the version before")


def open_operations(subject: str = "operations", *, edition: str, root: str | Path = ".") -> OperationsBench:
    """Open operations of an edition whose model notebooks have run.

    Raises:
        EditionError: The parameters name no operations.
    """
    return OperationsBench(subject, edition=edition, root=root)


class OperationsBench(Alerts):
    """Steps of the operations page."""

    def as_of(self) -> Block:
        """What time the page shows, and where the live one is."""
        newest = self.telemetry["at"].max() if len(self.telemetry) else None
        heard = (
            f"Telemetry until {newest + HOUR:%Y-%m-%d %H:%M} UTC." if newest is not None else "No telemetry was read."
        )
        link = ""
        if self.plan.dashboard:
            first, last = (int(t.timestamp() * 1000) for t in (_utc(self.start), _utc(self.end)))
            parts = []
            for service in self.services:
                address = (
                    self.plan.dashboard.replace("{from}", str(first))
                    .replace("{to}", str(last))
                    .replace("{service}", service)
                )
                parts.append(f'<a href="{escape(address)}">{escape(service)}</a>')
            link = f" This week on the live dashboard: {', '.join(parts)}."
        unread = "".join(
            f"<br>Not read: {escape(str(r['what']))} ({escape(str(r['reason']))})." for r in self.rows("unread")
        )
        return Block(
            f'<p class="gz-asof">A snapshot <strong>as of {self.end:%H:%M} UTC on {self.end:%d %B %Y}</strong>, not a live page. {heard}{link}{unread}</p>'
        )

    def findings(self) -> Block:
        """What fires, what fired, what is near its limit, what is not heard of."""
        return display.findings(self._made(), currency=self.currency)

    @cached_property
    def measured(self) -> None:
        """Numbers of every service, and of alerts."""
        for service in self.services:
            self.measure(service)
        firing = [s for s in self.states if s.state == "firing"]
        shared: dict[str, Any] = {
            "unit": "count",
            "metric": "alerts",
            "cell": "alerts",
            "query": "telemetry",
            "direction": "lower",
        }
        for tier in TIERS:
            mine = [s for s in firing if self.alarms[s.alert].tier == tier]
            self.add(f"firing.{tier}", f"Alerts that fire ({tier})", len(mine), **shared)
        self._by_chance()
        self.history()

    def _by_chance(self) -> None:
        """What chance alone raises in an edition of these models where nothing moved: the rates that their pages keep to, added up."""
        models = [*self.params.models.values()]
        if not models:
            return
        drifting = sum(m.features is not None for m in models) / len(models)
        measures = sum(len(m.measures) for m in models)
        self.add(
            "by-chance",
            "Alarms on models that chance alone would raise",
            monitoring.RATE * (len(FAMILIES) + drifting) + monitoring.SINCE * measures,
            unit="number",
            metric="alerts",
            cell="alerts",
            query=None,
            direction="lower",
            note=f"At most, and on average: {monitoring.RATE:.0%} each for {' and '.join(FAMILIES)} of all models and for drift, {monitoring.SINCE:.0%} for the level of each of {measures} measures.",
        )

    def pipelines(self) -> Table | Block:
        """When each data pipeline last ran well."""
        import pandas as pd  # noqa: PLC0415

        if not self.runs:
            return Block("<p>No runs of pipelines were read, so their freshness cannot be told.</p>")
        shown = []
        for pipeline, mine in sorted(self.runs.items()):
            well = [r for r in mine if r["status"] == "ok"]
            failed = sum(r["status"] != "ok" and r["finished_at"] >= self.start for r in mine)
            hours = (self.end - well[-1]["finished_at"].to_pydatetime()).total_seconds() / 3600 if well else None
            state = "fail" if mine[-1]["status"] != "ok" or not well else "pass"
            shown.append(
                {
                    "pipeline": pipeline,
                    "says": display.chip(state),
                    "last": f"{well[-1]['finished_at']:%a %d %b %H:%M}" if well else "never in four weeks",
                    "age": hours,
                    "failed": failed,
                }
            )
        columns = {
            "pipeline": Column("Pipeline"),
            "says": Column("Last run", html=True),
            "last": Column("Last went well (UTC)"),
            "age": Column("Age at the cut-off", "hours"),
            "failed": Column("Failed runs this week", "count"),
        }
        return display.table(pd.DataFrame(shown), "pipelines", "Freshness of data pipelines", columns)

    def deployments(self) -> Table | Block:
        """What was deployed lately."""
        import pandas as pd  # noqa: PLC0415

        rows = [r for r in self.rows("deployments") if r["at"] >= self.end - timedelta(days=DEPLOY_DAYS)]
        if not rows:
            return Block(
                f"<p>{'Nothing was deployed in the last ninety days.' if self.snapshot.has('deployments') else 'The log of deployments was not read.'}</p>"
            )
        shown = [{**r, "at": f"{r['at']:%Y-%m-%d %H:%M}"} for r in reversed(rows)]
        columns = {
            "at": Column("At (UTC)"),
            "model": Column("Model"),
            "model_version": Column("Version"),
            "environment": Column("Where"),
            "deployed_by": Column("By"),
            "note": Column("Note"),
        }
        return display.table(
            pd.DataFrame(shown), "deployments", "Deployments of the last ninety days, newest first", columns
        )

    def _made(self) -> Record:
        _ = self.measured
        found = conclusions.describe_operations(
            self.subject, self.states, self.alarms, self._numbers, [str(r["what"]) for r in self.rows("unread")]
        )
        alerts = [
            Alert(
                id=s.alert,
                tier=self.alarms[s.alert].tier,
                subject=s.subject,
                state=s.state,
                title=self.alarms[s.alert].title,
                since=s.since,
                why=s.why,
            )
            for s in self.states
        ]
        return self._record(title=self.plan.title, owner=self.plan.owner, findings=found, alerts=alerts)

    def emit(self) -> Emitted:
        """The record of this page."""
        return Emitted(self._made())


def _utc(at: datetime) -> datetime:
    from datetime import UTC  # noqa: PLC0415

    return at.replace(tzinfo=UTC)
