"""Simulated serving telemetry, deployments, alerts and pipeline runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    import duckdb

__all__ = ["write"]

END = pd.Timestamp("2026-11-23")
INCIDENT = (pd.Timestamp("2026-11-11 14:00"), pd.Timestamp("2026-11-11 17:00"))


def write(warehouse: duckdb.DuckDBPyConnection, seed: int) -> None:
    """Create ``serving_telemetry``, ``deployments``, ``alert_events`` and ``pipeline_runs``."""
    rng = np.random.default_rng(seed + 1)
    hours = pd.date_range(END - pd.Timedelta(weeks=16), END, freq="h", inclusive="left")
    n = len(hours)
    frames = []
    for service, load, p99, version in (("recommender", 8000, 205, "v3.2.1"), ("flight-delay", 60, 120, "2")):
        requests = rng.poisson(load * (1 + 0.4 * np.sin(2 * np.pi * (hours.hour - 8) / 24)))
        incident = (hours >= INCIDENT[0]) & (hours < INCIDENT[1]) & (service == "recommender")
        rate = np.where(incident, 0.06, 0.0025)
        hits = rng.binomial(requests, np.where(incident, 0.6, 0.88))
        slow = p99 * np.where(incident, 2.4, 1.0) * rng.lognormal(0, 0.04, n)
        frames.append(
            pd.DataFrame(
                {
                    "at": hours,
                    "service": service,
                    "model_version": version,
                    "requests": requests,
                    "errors": rng.binomial(requests, rate),
                    "latency_p50_ms": (slow * 0.59).round(1),
                    "latency_p95_ms": (slow * 0.86).round(1),
                    "latency_p99_ms": slow.round(1),
                    "cpu": rng.beta(8, 10, n).round(4),
                    "memory": rng.beta(12, 10, n).round(4),
                    "gpu": rng.beta(6, 10, n).round(4),
                    "cache_hits": hits,
                    "cache_misses": requests - hits,
                    "feature_store_ms": rng.lognormal(3.6, 0.2, n).round(1),
                    "up_seconds": np.where(incident, 3300.0, 3600.0),
                    "oom_kills": np.where(hours == INCIDENT[0], 1, 0) * incident,
                }
            )
        )
    telemetry = pd.concat(frames)  # noqa: F841  DuckDB reads it by name
    warehouse.execute('CREATE TABLE serving_telemetry AS SELECT * FROM telemetry ORDER BY service, "at"')
    deployments = pd.DataFrame(  # noqa: F841
        [
            ("2026-04-06 09:00", "flight-delay", "1", "production", "flight-science", "First version"),
            ("2026-07-13 09:00", "flight-delay", "2", "production", "flight-science", "Weather features"),
            ("2026-03-09 10:00", "recommender", "v3.1", "production", "recommendation-science", "Ranking v3.1"),
            ("2026-09-14 10:00", "recommender", "v3.2.1", "production", "recommendation-science", "Ranking v3.2.1"),
        ],
        columns=["at", "model", "model_version", "environment", "deployed_by", "note"],
    ).astype({"at": "datetime64[us]"})
    warehouse.execute('CREATE TABLE deployments AS SELECT * FROM deployments ORDER BY "at"')
    count = 60
    started = (END - pd.Timedelta(weeks=16)) + pd.to_timedelta(
        np.sort(rng.uniform(0, 16 * 7 * 24 * 60, count)).round(), unit="m"
    )
    acknowledged = started + pd.to_timedelta(rng.exponential(18, count).round() + 1, unit="m")
    alerts = pd.DataFrame(  # noqa: F841
        {
            "alert": rng.choice(
                ["latency-limit", "cache-cold", "labels-late", "model-not-serving"], count, p=[0.45, 0.3, 0.2, 0.05]
            ),
            "tier": "warning",
            "service": rng.choice(["recommender", "flight-delay"], count),
            "started_at": started,
            "acknowledged_at": acknowledged,
            "resolved_at": acknowledged + pd.to_timedelta(rng.exponential(40, count).round() + 1, unit="m"),
            "value": rng.lognormal(5.6, 0.1, count).round(2),
            "actionable": rng.random(count) < 0.6,
        }
    )
    warehouse.execute(
        "CREATE TABLE alert_events AS SELECT * REPLACE (CASE WHEN alert = 'model-not-serving' THEN 'critical' ELSE tier END AS tier) FROM alerts ORDER BY started_at"
    )
    days = pd.date_range(END - pd.Timedelta(weeks=16), END, freq="D", inclusive="left")
    took = pd.to_timedelta(rng.exponential(20, len(days)).round() + 5, unit="m")
    runs = pd.DataFrame(  # noqa: F841
        {
            "pipeline": "features",
            "started_at": days + pd.Timedelta(hours=2),
            "finished_at": days + pd.Timedelta(hours=2) + took,
            "status": np.where(rng.random(len(days)) < 0.98, "ok", "failed"),
            "row_count": rng.poisson(400000, len(days)),
        }
    )
    warehouse.execute("CREATE TABLE pipeline_runs AS SELECT * FROM runs ORDER BY started_at")
