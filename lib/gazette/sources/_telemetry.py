"""What happened in production, hour by hour: telemetry, deployments, alerts, pipeline runs, from tables."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from gazette.sources._answer import Answer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pyarrow as pa

    from gazette.params import Operations
    from gazette.sources._warehouse import Period, Warehouse

__all__ = ["MEASURES", "empty_telemetry", "tables"]

FILE = "params/site.yml"
DAYS = 28  # of telemetry, so that a week can be seen beside those before
EVENT_WEEKS = 12
SUMMED = ("requests", "errors", "cache_hits", "cache_misses", "oom_kills")
HIGHEST = ("latency_p50_ms", "latency_p95_ms", "latency_p99_ms", "cpu", "memory", "gpu", "feature_store_ms")
MEASURES = (*SUMMED, *HIGHEST, "versions")


def empty_telemetry() -> pa.Table:
    """Telemetry without a row."""
    import pyarrow as pa  # noqa: PLC0415  slow to import

    schema = [("at", pa.timestamp("us")), ("service", pa.string()), *((m, pa.float64()) for m in MEASURES)]
    return pa.Table.from_pylist([], schema=pa.schema(schema))


def tables(warehouse: Warehouse, operations: Operations, period: Period) -> Iterator[tuple[str, Callable[[], Answer]]]:
    """Name of each answer and what asks for it, so that one that fails takes no other along."""

    def asked(name: str, build: Callable[[], Any]) -> Callable[[], Answer]:
        return lambda: warehouse.ask(name, build(), file=FILE)

    if operations.telemetry:
        yield "telemetry", asked("telemetry", lambda: _telemetry(warehouse, str(operations.telemetry), period))
    if operations.deployments:
        yield "deployments", asked("deployments", lambda: _deployments(warehouse, str(operations.deployments), period))
    if operations.alert_events:
        yield "alert_events", asked("alert_events", lambda: _events(warehouse, str(operations.alert_events), period))
    if operations.pipeline_runs:
        yield "pipeline_runs", asked("pipeline_runs", lambda: _runs(warehouse, str(operations.pipeline_runs), period))


def _telemetry(warehouse: Warehouse, name: str, period: Period) -> Any:
    import ibis  # noqa: PLC0415

    table = warehouse.table(name, {c: c for c in ("at", "service", "requests", "errors")}, file=FILE)
    kept = table.filter(table.at >= period.end - timedelta(days=DAYS), table.at < period.end)
    missing = [c for c in (*SUMMED, *HIGHEST, "model_version") if c not in table.columns]
    kept = kept.mutate(hour=kept.at.truncate("h"), **{c: ibis.null("float64") for c in missing})
    found = {}
    for column in (*SUMMED, *HIGHEST):
        value = kept[column].cast("float64")
        found[column] = value.sum() if column in SUMMED else value.max()
    versions = kept.model_version
    found["versions"] = versions.max() if "model_version" in missing else versions.nunique().cast("float64")
    grouped = kept.group_by(["hour", "service"]).aggregate(**found)
    return grouped.rename(at="hour").select("at", "service", *MEASURES).order_by("service", "at")


def _deployments(warehouse: Warehouse, name: str, period: Period) -> Any:
    columns = ("at", "model", "model_version", "environment", "deployed_by", "note")
    table = warehouse.table(name, {c: c for c in columns}, file=FILE)
    return table.filter(table.at < period.end).select(*columns).order_by("at", "model")


def _events(warehouse: Warehouse, name: str, period: Period) -> Any:
    columns = ("alert", "tier", "service", "started_at", "acknowledged_at", "resolved_at", "actionable")
    table = warehouse.table(name, {c: c for c in columns}, file=FILE)
    start = period.end - timedelta(weeks=EVENT_WEEKS)
    kept = table.filter(table.started_at >= start, table.started_at < period.end)
    return kept.select(*columns).order_by("started_at", "alert", "service")


def _runs(warehouse: Warehouse, name: str, period: Period) -> Any:
    columns = ("pipeline", "started_at", "finished_at", "status")
    table = warehouse.table(name, {c: c for c in columns}, file=FILE)
    start = period.end - timedelta(days=DAYS)
    kept = table.filter(table.finished_at >= start, table.finished_at < period.end)
    return kept.select(*columns).order_by("pipeline", "finished_at", "started_at")
