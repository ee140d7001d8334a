"""The registry of thresholds put to the week's measurements: a state per alert and service, pipeline or model."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from gazette import monitoring
from gazette.errors import EditionError
from gazette.monitoring import AlarmState, Condition
from gazette.params import SIGNALS
from gazette.record import Record
from gazette.snapshot import reopen
from gazette.workbench._bench import Bench
from gazette.workbench._measures import records_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pandas as pd

    from gazette.params import Alarm

__all__ = ["HOUR", "ORDER", "Series", "Watch", "ratio"]

HOUR = timedelta(hours=1)
ORDER = {"firing": 0, "waiting": 1, "near its limit": 2, "suppressed": 3, "no data": 4, "ok": 5}
TREND_HOURS = 24
Series = list[tuple[datetime, float | None]]
COLUMNS = {
    "latency_p99": "latency_p99_ms",
    "feature_store_p99": "feature_store_ms",
    "cpu": "cpu",
    "memory": "memory",
    "gpu": "gpu",
    "oom_kills": "oom_kills",
    "versions": "versions",
}
RATIOS = {
    "error_ratio": ("errors", ("requests",)),
    "cache_hit_ratio": ("cache_hits", ("cache_hits", "cache_misses")),
}
NUMBERS = {
    "drift_distance": "drift-distance",
    "quality_drop": "quality-drop",
    "label_fraction": "label-completeness",
    "model_age": "model-age",
}


class Watch(Bench):
    """Telemetry and alerts of an edition."""

    kind = "operations"

    def __init__(self, subject: str, *, edition: str, root: str | Path) -> None:
        super().__init__(subject, edition=edition, root=root)
        if self.params.site.operations is None:
            raise EditionError(
                "this edition has no operations page",
                where=str(self.root),
                mend="add 'operations:' to params/site.yml and build again",
            )
        self.plan = self.params.site.operations
        self.snapshot = reopen(self.root / "snapshot" / "operations")
        self.snapshot_digest = self.snapshot.digest
        self.start = datetime.combine(self.week_start, datetime.min.time())
        self.end = self.start + timedelta(days=7)
        self._read: dict[str, list[dict[str, Any]]] = {}  # a file is checked and decoded once, not once a chart
        self._hours: dict[str, list[dict[str, Any]]] = {}

    @property
    def alarms(self) -> dict[str, Alarm]:
        """Alerts of the registry by id."""
        return {a.id: a for a in self.params.alerts.alerts}

    @cached_property
    def measured(self) -> None:
        """Compute the page's numbers once; the page itself says which."""

    @cached_property
    def telemetry(self) -> pd.DataFrame:
        """Hourly rows of four weeks."""
        return self.snapshot.table("telemetry")

    @property
    def services(self) -> list[str]:
        """Services that were heard of, and those of models that were not."""
        named = {m.telemetry.service for m in self.params.models.values() if m.telemetry is not None}
        return sorted({*self.telemetry["service"].astype(str), *named})

    def hourly(self, service: str) -> list[dict[str, Any]]:
        """A service's rows, oldest first."""
        if service not in self._hours:
            frame = self.telemetry
            self._hours[service] = records_of(frame[frame["service"] == service].sort_values("at"))
        return self._hours[service]

    def rows(self, name: str) -> list[dict[str, Any]]:
        """Rows of an answer, none where it could not be read."""
        if name not in self._read:
            self._read[name] = records_of(self.snapshot.table(name)) if self.snapshot.has(name) else []
        return self._read[name]

    @cached_property
    def records(self) -> dict[str, Record]:
        """Records of the models of this edition."""
        found = [Record.from_json(p.read_bytes()) for p in sorted((self.root / "records").glob("*.json"))]
        return {r.subject: r for r in found if r.kind == "model"}

    def muted(self, service: str, at: datetime) -> str:
        """The maintenance of a service at a time, or an empty text."""
        for window in self.params.alerts.maintenance:
            start, until = (t.replace(tzinfo=None) for t in (window.start, window.until))
            if service in window.services and start <= at < until:
                return f"maintenance {window.id}: {window.reason}"
        return ""

    def series(self, signal: str) -> Iterator[tuple[str, Series]]:
        """Subject and its points, an hour apart."""
        scope = SIGNALS[signal].scope
        if scope == "service":
            for service in self.services:
                yield service, self._of_service(signal, self.hourly(service))
        elif scope == "pipeline":
            yield from self._of_pipelines(signal)
        elif scope == "model":
            for subject, record in self.records.items():
                plan = self.params.models[subject]
                if (signal == "drift_distance" and plan.features is None) or (
                    signal == "label_fraction" and plan.labels is None
                ):
                    continue  # not measured by design, which the model's page says
                yield subject, [(self.end - HOUR, self._of_model(signal, record))]
        elif scope == "edition":
            yield "", [(self.end - HOUR, 0.0)]
        else:
            for window in self.params.alerts.maintenance:
                hours = (window.start.replace(tzinfo=None) - self.end).total_seconds() / 3600
                if hours >= 0:
                    yield window.id, [(self.end - HOUR, hours)]

    def _of_service(self, signal: str, rows: list[dict[str, Any]]) -> Series:
        times = [r["at"].to_pydatetime() for r in rows]
        if signal == "latency_trend":
            values = [float(r["latency_p99_ms"]) for r in rows]
            found: Series = []
            for i, at in enumerate(times):
                slope = monitoring.slope(values[i + 1 - TREND_HOURS : i + 1]) if i + 1 >= TREND_HOURS else None
                found.append((at, None if slope is None else slope[1] * 24))  # what the rise is at least, per day
            return found
        column = COLUMNS.get(signal, signal)
        return [(at, ratio(r, column)) for at, r in zip(times, rows, strict=True)]

    @property
    def runs(self) -> dict[str, list[dict[str, Any]]]:
        """Runs of each pipeline, oldest first."""
        found: dict[str, list[dict[str, Any]]] = {}
        for row in self.rows("pipeline_runs"):
            found.setdefault(row["pipeline"], []).append(row)
        return found

    def _of_pipelines(self, signal: str) -> Iterator[tuple[str, Series]]:
        for pipeline, mine in self.runs.items():
            if signal == "pipeline_failed":
                yield pipeline, self._hours_of(mine)
            else:
                well = [r["finished_at"].to_pydatetime() for r in mine if r["status"] == "ok"]
                yield pipeline, [(self.end - HOUR, (self.end - well[-1]).total_seconds() / 3600 if well else None)]

    def _hours_of(self, runs: list[dict[str, Any]]) -> Series:
        """Whether the newest run had failed, hour by hour: a state holds until the next run ends."""
        found: Series = []
        ends = [(r["finished_at"].to_pydatetime(), float(r["status"] != "ok")) for r in runs]
        for i in range(7 * 24):
            at = self.start + i * HOUR
            known = [failed for end, failed in ends if end < at + HOUR]
            found.append((at, known[-1] if known else None))
        return found

    def _of_model(self, signal: str, record: Record) -> float | None:
        if signal == "deployment_age":
            text = record.facts.get("deployed_at", "")
            return (self.end - datetime.fromisoformat(text)).total_seconds() / 86400 if text else None
        known = {n.id: n.value for n in record.numbers}
        value = known.get(f"{record.subject}.{NUMBERS[signal]}")
        return value if isinstance(value, float) else None

    @cached_property
    def states(self) -> list[AlarmState]:
        """The state of every alert on everything that it watches, children of a firing parent suppressed."""
        found = [state for alarm in self.params.alerts.alerts for state in self._states_of(alarm)]
        states = monitoring.explained(found, {a.id: a.parents for a in self.params.alerts.alerts})
        return [self._since(state) for state in states]

    def _states_of(self, alarm: Alarm) -> Iterator[AlarmState]:
        condition = Condition(
            alarm.above,
            alarm.below,
            timedelta(minutes=alarm.for_minutes),
            timedelta(minutes=alarm.grace_minutes),
            whole=alarm.unit == "count" or alarm.tier == "info",
        )
        service = SIGNALS[alarm.signal].scope == "service"
        for subject, series in self.series(alarm.signal):
            if alarm.only and subject not in alarm.only:
                continue

            def quiet(at: datetime, subject: str = subject) -> str:
                return self.muted(subject, at) if service else ""

            week = [(at, v) for at, v in series if at >= self.start] if service else series
            older = week or series[-1:]
            state = monitoring.evaluate(alarm.id, subject, condition, older, end=self.end, step=HOUR, muted=quiet)
            once = SIGNALS[alarm.signal].scope not in {"service", "pipeline"}  # measured at the cut-off alone
            yield replace(state, episodes=(), since=self.end if state.since else None) if once else state

    def _since(self, state: AlarmState) -> AlarmState:
        """One that fires since the week began, or is only measured once a week, may have begun in an earlier edition."""
        weekly = SIGNALS[self.alarms[state.alert].signal].scope == "model"
        if state.state != "firing" or state.since is None or not (weekly or state.since <= self.start + HOUR):
            return state
        for row in self.rows("alerts_before"):
            if (row["id"], row["subject"], row["state"]) == (state.alert, state.subject, "firing"):
                return replace(state, since=row["since"].to_pydatetime())
        return state


def ratio(row: dict[str, Any], column: str) -> float | None:
    """A column of an hour, or one of the two ratios of columns; None where nothing was measured."""
    if column in RATIOS:
        part, wholes = RATIOS[column]
        total = sum(float(row[w]) for w in wholes)
        return float(row[part]) / total if total > 0 else None
    value = float(row[column])
    return value if value == value else None  # noqa: PLR0124  NaN
