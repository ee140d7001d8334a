"""Alerts on the operations page: states at the cut-off, what was sent, and what it was worth."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from html import escape
from typing import TYPE_CHECKING, Any

from gazette import display, stats
from gazette.display import Block, Chart, Column, Table
from gazette.record import NotPublished
from gazette.workbench._serving import Serving
from gazette.workbench._watch import ORDER

if TYPE_CHECKING:
    from gazette.monitoring import AlarmState

__all__ = ["TIERS", "Alerts"]

TIERS = {"critical": 0, "warning": 1, "info": 2}
FLAP, FLAP_HOURS = 3, 24
EVENT_WEEKS = 12  # that the answer holds
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


class Alerts(Serving):
    """Steps on alerts."""

    def alerts_table(self) -> Table | Block:
        """Every alert that is not simply in order, with its limit, owner and what to do."""
        chosen = [s for s in self.states if s.state != "ok" or s.episodes]
        return self._alerts(
            chosen,
            "alerts",
            "Alerts at the data cut-off that are not simply in order, and what fired in the week",
            folded=False,
        )

    def alerts_in_order(self) -> Table | Block:
        """All alerts of the registry."""
        return self._alerts(
            self.states, "alerts-all", f"Every alert on everything that it watches ({len(self.states)})", folded=True
        )

    def _alerts(self, states: list[AlarmState], name: str, caption: str, *, folded: bool) -> Table | Block:
        import pandas as pd  # noqa: PLC0415

        if not states:
            return Block("<p>Every alert is in order, and none fired in the week.</p>")
        rows = []
        for s in sorted(states, key=lambda s: (ORDER[s.state], TIERS[self.alarms[s.alert].tier], s.alert, s.subject)):
            alarm = self.alarms[s.alert]
            unit: Any = alarm.unit
            side = "above" if alarm.above is not None else "below"
            limit = f"{side} {display.format_value(alarm.limit, unit)}"
            held = f" for {alarm.for_minutes} min" if alarm.for_minutes else ""
            says = display.chip("informs" if s.state == "firing" and alarm.tier == "info" else s.state)
            value = display.format_value(s.value, unit) if s.value is not None else "–"
            todo = s.why or ("" if s.state == "ok" else alarm.runbook)
            rows.append(
                {
                    "title": f"{escape(alarm.title)}<br><small>{escape(todo)} Owner: {escape(alarm.owner)}.</small>",
                    "alert": s.alert,
                    "on": s.subject or "–",
                    "tier": alarm.tier,
                    "state": s.state,
                    "says": f"{says}<br><small>{f'since {s.since:%d %b %H:%M}' if s.since else ''}</small>",
                    "since": s.since,
                    "value": value,
                    "limit": f"{limit}{held}",
                    "fired": _episodes(s),
                }
            )
        columns = {
            "title": Column("Alert", html=True),
            "on": Column("On"),
            "tier": Column("Tier"),
            "says": Column("State (UTC)", html=True),
            "value": Column("Value"),
            "limit": Column("Fires"),
            "fired": Column("Fired in the week"),
        }
        return display.table(pd.DataFrame(rows), name, caption, columns, folded=folded)

    def recent(self) -> Table | Block:
        """Alerts that were really sent in the week."""
        import pandas as pd  # noqa: PLC0415

        rows = [r for r in self.rows("alert_events") if r["started_at"] >= self.start]
        if not rows:
            read = self.snapshot.has("alert_events")
            return Block(
                f"<p>{'No alert was sent this week.' if read else 'The history of alerts was not read, so none can be listed.'}</p>"
            )
        shown = [
            {
                "started": f"{r['started_at']:%a %d %b %H:%M}",
                "alert": r["alert"],
                "tier": r["tier"],
                "service": r["service"],
                "acknowledged": _after(r["started_at"], r["acknowledged_at"]),
                "resolved": _after(r["started_at"], r["resolved_at"]),
                "actionable": "yes" if r["actionable"] else "no",
            }
            for r in reversed(rows)
        ]
        columns = {
            "started": Column("Started (UTC)"),
            "alert": Column("Alert"),
            "tier": Column("Tier"),
            "service": Column("Service"),
            "acknowledged": Column("Acknowledged after"),
            "resolved": Column("Solved after"),
            "actionable": Column("Needed action"),
        }
        return display.table(pd.DataFrame(shown), "recent-alerts", "Alerts sent this week, newest first", columns)

    def history(self) -> None:
        rows = self.rows("alert_events")
        shared: dict[str, Any] = {"metric": "alerts", "cell": "patterns", "query": "alert_events"}
        nobody = NotPublished(
            reason="no alert was sent in these weeks"
            if self.snapshot.has("alert_events")
            else "the history of alerts was not read"
        )
        acted = stats.proportion(sum(bool(r["actionable"]) for r in rows), len(rows)) if rows else nobody
        self.add(
            "alert-precision",
            "Alerts that needed action (twelve weeks)",
            acted,
            unit="fraction",
            direction="higher",
            **shared,
        )
        for name, title, value in (
            ("alerts-week", "Alerts sent this week", float(sum(r["started_at"] >= self.start for r in rows))),
            (
                "alerts-usual",
                "Alerts sent in a usual week",
                sum(r["started_at"] < self.start for r in rows) / (EVENT_WEEKS - 1),
            ),
        ):
            known = value if self.snapshot.has("alert_events") else nobody
            self.add(
                name, title, known, unit="count" if name == "alerts-week" else "number", direction="lower", **shared
            )
        times = _waits(rows)
        middle = times[len(times) // 2] if times else nobody
        self.add(
            "time-to-acknowledge",
            "Median time until an alert was acknowledged",
            middle,
            unit="minutes",
            direction="lower",
            n=len(times),
            **shared,
        )

    def patterns(self) -> Table | Block:
        """Noise of each rule over twelve weeks: how often, how often in flaps, how soon acknowledged, how often it needed action."""
        import pandas as pd  # noqa: PLC0415

        rows = self.rows("alert_events")
        if not rows:
            return Block("<p>No alert was sent in the last twelve weeks, or their history was not read.</p>")
        shown = []
        for alert, count in Counter(r["alert"] for r in rows).most_common():
            mine = [r for r in rows if r["alert"] == alert]
            acted = stats.proportion(sum(bool(r["actionable"]) for r in mine), len(mine))
            waits = _waits(mine)
            shown.append(
                {
                    "alert": alert,
                    "count": count,
                    "week": sum(r["started_at"] >= self.start for r in mine),
                    "flaps": _flaps([r["started_at"].to_pydatetime() for r in mine]),
                    "wait": f"{waits[len(waits) // 2]:.0f} minutes" if waits else "never",
                    "precision": acted.value if isinstance(acted, stats.Estimate) else None,
                    "range": f"{100 * acted.low:.0f} to {100 * acted.high:.0f} %"
                    if isinstance(acted, stats.Estimate)
                    else "–",
                }
            )
        columns = {
            "alert": Column("Alert"),
            "count": Column("Sent in twelve weeks", "count"),
            "week": Column("This week", "count"),
            "flaps": Column("Flaps", "count"),
            "wait": Column("Acknowledged after (median)"),
            "precision": Column("Needed action", "fraction"),
            "range": Column("Range"),
        }
        caption = f"Patterns of alerts over twelve weeks. A flap: {FLAP} times or more within {FLAP_HOURS} hours. A rule that rarely needs action trains people to look away."
        return display.table(pd.DataFrame(shown), "patterns", caption, columns)

    def hours(self) -> Chart | Block:
        """When alerts come: hour of the day by day of the week."""
        rows = self.rows("alert_events")
        if not rows:
            return Block("")
        counts = Counter((r["started_at"].weekday(), r["started_at"].hour) for r in rows)
        cells = [{"day": DAYS[d], "hour": h, "n": n} for (d, h), n in sorted(counts.items())]
        return display.chart(
            display.hours_of_week(cells, DAYS), "alert-hours", "Alerts of twelve weeks by day and hour (UTC)."
        )


def _episodes(state: AlarmState) -> str:
    return "; ".join(f"{a:%a %H:%M} to {b:%a %H:%M}" for a, b in state.episodes[-3:]) or "–"


def _after(start: Any, end: Any) -> str:
    return f"{(end - start).total_seconds() / 60:.0f} minutes" if end == end and end is not None else "not yet"  # noqa: PLR0124


def _waits(rows: list[dict[str, Any]]) -> list[float]:
    """Minutes until each alert was acknowledged, shortest first; those that nobody did are left out."""
    known = [r for r in rows if r["acknowledged_at"] == r["acknowledged_at"]]  # NaT where nobody did
    return sorted((r["acknowledged_at"] - r["started_at"]).total_seconds() / 60 for r in known)


def _flaps(times: list[datetime]) -> int:
    """How many groups of three or more starts within a day there are.

    >>> _flaps([datetime(2026, 1, 1, h) for h in (1, 2, 3, 4)])
    1
    """
    count, i, ordered = 0, 0, sorted(times)
    while i < len(ordered):
        j = i
        while j < len(ordered) and ordered[j] - ordered[i] <= timedelta(hours=FLAP_HOURS):
            j += 1
        if j - i >= FLAP:
            count, i = count + 1, j
        else:
            i += 1
    return count
