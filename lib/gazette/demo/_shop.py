"""A simulated shop: daily figures of two cohorts, and requests to the recommender."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    import duckdb

__all__ = ["write"]

LAST_DAY = pd.Timestamp("2026-11-22")
LIVE_SINCE = pd.Timestamp("2026-09-14")
REVENUE_LIFT = 0.03
NDCG = {"v3.1": 0.631, "v3.2.1": 0.642}
PRECISION = {"v3.1": 0.714, "v3.2.1": 0.721}


def write(warehouse: duckdb.DuckDBPyConnection, seed: int) -> dict[str, Any]:
    """Create ``shop_daily`` and ``recommender_requests``; returns the truth."""
    rng = np.random.default_rng(seed)
    days = pd.date_range(end=LAST_DAY, periods=7 * 72, freq="D")
    t = np.arange(len(days))
    base = (
        30000
        * (1 + 0.0009 * t)
        * (1 + 0.08 * np.sin(2 * np.pi * days.dayofyear / 365.25))
        * np.where(days.weekday >= 5, 1.15, 1.0)
    )
    shared = rng.normal(0, 0.02, len(days))
    frames = []
    for cohort, share in (("new", 0.9), ("baseline", 0.1)):
        users = rng.poisson(base * share)
        live = (days >= LIVE_SINCE) & (cohort == "new")
        per_user = 5.6 * (1 + shared) * np.where(live, 1 + REVENUE_LIFT, 1.0)
        spread = 18.0 / np.sqrt(users)
        revenue = users * (per_user + rng.normal(0, spread))
        answers = rng.poisson(users * 0.01)
        promoters = rng.binomial(answers, np.where(live, 0.665, 0.65))
        detractors = rng.binomial(answers - promoters, 0.18)
        sessions = rng.poisson(users * 1.4)
        frames.append(
            pd.DataFrame(
                {
                    "day": days,
                    "cohort": cohort,
                    "users": users,
                    "sessions": sessions,
                    "session_seconds": np.round(sessions * 310.0 * np.where(live, 1.02, 1.0), 1),
                    "orders": rng.binomial(users, 0.115),
                    "revenue": np.round(revenue, 2),
                    "nps_responses": answers,
                    "nps_promoters": promoters,
                    "nps_detractors": detractors,
                    "returning_users": rng.binomial(users, 0.58),
                    "model_version": np.where(live, "v3.2.1", "v3.1"),
                    "loaded_at": days + pd.Timedelta(hours=23, minutes=50),
                }
            )
        )
    daily = pd.concat(frames)  # noqa: F841  DuckDB reads it by name
    warehouse.execute("CREATE TABLE shop_daily AS SELECT * REPLACE (day::DATE AS day) FROM daily ORDER BY day, cohort")
    n = 1200 * 7 * 16
    start = LAST_DAY + pd.Timedelta(days=1) - pd.Timedelta(weeks=16)
    at = start + pd.to_timedelta(np.sort(rng.uniform(0, 16 * 7 * 86400, n)).round(), unit="s")
    device = rng.choice(["desktop", "mobile", "tablet"], n, p=[0.45, 0.45, 0.1])
    customer = rng.choice(["new", "returning"], n, p=[0.35, 0.65])
    shift = np.select([device == "desktop", device == "mobile"], [0.02, -0.02], 0.0)
    luck = rng.normal(0, 0.11, n)
    requests = []
    for version, mean in NDCG.items():
        own = rng.normal(0, 0.06, n)
        requests.append(
            pd.DataFrame(
                {
                    "request_id": np.arange(n),
                    "at": at,
                    "model_version": version,
                    "device": device,
                    "customer_type": customer,
                    "ndcg_5": np.clip(mean + shift + luck + own, 0, 1).round(6),
                    "precision_10": rng.binomial(10, PRECISION[version], n) / 10,
                    "loaded_at": at + pd.Timedelta(minutes=5),
                }
            )
        )
    served = pd.concat(requests)  # noqa: F841
    warehouse.execute("CREATE TABLE recommender_requests AS SELECT * FROM served ORDER BY request_id, model_version")
    return {"revenue_lift": REVENUE_LIFT, "ndcg_5": NDCG, "precision_10": PRECISION}
