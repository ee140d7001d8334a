"""Queries that models of every kind share: serving telemetry and daily business figures."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gazette.params import Model
    from gazette.sources._warehouse import Period, Warehouse

__all__ = ["queries"]

BUSINESS_WEEKS = 57  # a year and the weeks needed to compare four weeks with those of the year before


def queries(warehouse: Warehouse, model: Model, period: Period, *, file: str) -> Iterator[tuple[str, Any]]:
    """Name and ibis expression of each query."""
    if model.telemetry is not None:
        columns = {c: c for c in ("at", "service", "requests", "errors", "latency_p99_ms")}
        table = warehouse.table(model.telemetry.table, columns, file=file)
        mine = table.filter(
            table.service == model.telemetry.service, table.at >= period.history_start, table.at < period.end
        )
        mine = mine.mutate(week=mine.at.truncate("W").date())
        yield (
            "telemetry",
            (
                mine.group_by("week")
                .aggregate(
                    hours=mine.count(),
                    requests=mine.requests.sum(),
                    errors=mine.errors.sum(),
                    latency_p99_ms=mine.latency_p99_ms.max(),
                )
                .order_by("week")
            ),
        )
    if model.deployments is not None:
        columns = {c: c for c in ("at", "model", "model_version", "environment", "deployed_by", "note")}
        table = warehouse.table(model.deployments.table, columns, file=file)
        mine = table.filter(table.model == model.deployments.model, table.at < period.cutoff)
        yield "deployments", mine.select(*columns).order_by("at", "model_version")
    if model.business is not None:
        names = ("day", "cohort", "users", "revenue", "nps_responses", "nps_promoters", "nps_detractors", "loaded_at")
        table = warehouse.table(model.business.table, {c: c for c in names}, file=file)
        kept = table.filter(
            table.day >= (period.start - timedelta(days=7 * BUSINESS_WEEKS)).date(),
            table.day < period.end.date(),
            table.loaded_at < period.cutoff,
            table.cohort.isin([model.business.new, model.business.baseline]),
        )
        more = [c for c in ("returning_users",) if c in table.columns]
        kept = kept.select(*names[:-1], *more)
        real = {
            c: kept[c].cast("float64") for c in kept.columns if kept[c].type().is_decimal()
        }  # they meet no real numbers
        yield "business", kept.mutate(**real).order_by("day", "cohort")
