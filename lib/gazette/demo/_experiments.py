"""Six simulated experiments with a known truth."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    import duckdb

__all__ = ["write"]

END = pd.Timestamp("2026-11-23")
STREAM = (7, 5)  # one in which each test shows what it is there to show
HABIT = 0.7  # share of the chance to order that follows earlier spending
DELAY = 60_000.0  # mean seconds from assignment to what a user does


@dataclass(frozen=True)
class Truth:
    """What is true of an experiment: rates per arm, order value, units per arm over the whole run."""

    experiment: str
    start: str
    end: str
    units: tuple[int, int]
    conversion: tuple[float, float]
    order_value: tuple[float, float]
    ctr: tuple[float, float]
    clicks: tuple[int, int] | None = None
    abandonment: tuple[float, float] = (0.34, 0.34)
    lost: float = 0.0


PLAN = (
    Truth(
        "ranking-v3-2",
        "2026-11-02",
        "2026-11-15",
        (62500, 62500),
        (0.121, 0.122),
        (48.5, 48.3),
        (0.0234, 0.0251),
        (1463, 1569),
        (0.34, 0.335),
    ),
    Truth(
        "checkout-one-page",
        "2026-10-26",
        "2026-11-22",
        (40000, 40000),
        (0.100, 0.112),
        (48.5, 48.5),
        (0.03, 0.03),
        None,
        (0.34, 0.31),
    ),
    Truth("discount-banner", "2026-11-02", "2026-11-22", (45000, 45000), (0.120, 0.120), (48.5, 44.2), (0.03, 0.031)),
    Truth(
        "search-autocomplete",
        "2026-11-02",
        "2026-11-22",
        (30000, 30000),
        (0.120, 0.126),
        (48.5, 48.5),
        (0.03, 0.03),
        lost=0.06,
    ),
    Truth(
        "diverse-recommendations",
        "2026-11-09",
        "2026-12-06",
        (50000, 50000),
        (0.120, 0.1205),
        (48.5, 48.5),
        (0.03, 0.03),
    ),
    Truth("email-digest", "2026-10-12", "2026-11-08", (30000, 30000), (0.120, 0.120), (48.5, 48.5), (0.03, 0.03)),
)


def write(warehouse: duckdb.DuckDBPyConnection, seed: int) -> list[dict[str, Any]]:
    """Create ``experiment_assignments``, ``shop_events`` and ``user_history``; returns the truth."""
    assignments, events, history = [], [], []
    for number, plan in enumerate(PLAN, start=1):
        rng = np.random.default_rng([seed, number, *STREAM])
        first, last = pd.Timestamp(plan.start), pd.Timestamp(plan.end) + pd.Timedelta(days=1)
        seconds = (last - first).total_seconds()
        offset = number * 1_000_000
        for arm, variant in enumerate(("control", "treatment")):
            n = plan.units[arm]
            ids = offset + 2 * np.arange(n) + arm
            # The last ten hours take no new units, so that every outcome can fall inside the test.
            at = first + pd.to_timedelta(rng.uniform(0, seconds - 36000, n).round(), unit="s")
            keep = rng.random(n) >= (plan.lost if variant == "treatment" else 0.0)
            keep &= at < END
            clicked = np.zeros(n, dtype=bool)
            if plan.clicks:
                clicked[rng.choice(n, plan.clicks[arm], replace=False)] = True
            else:
                clicked = rng.random(n) < plan.ctr[arm]
            past = np.random.default_rng([seed, number, arm])
            before = past.gamma(0.6, 20, n)
            # Who spent before orders more often: that is what an adjustment by the past can take out.
            ordered = rng.random(n) < plan.conversion[arm] * (1 - HABIT + HABIT * before / (0.6 * 20))
            left = rng.random(n) < plan.abandonment[arm]
            value = rng.gamma(2.2, plan.order_value[arm] / 2.2, n).round(2)
            assignments.append(
                pd.DataFrame({"experiment": plan.experiment, "unit_id": ids, "variant": variant, "assigned_at": at})[
                    keep
                ]
            )
            for kind, mask, amount in (
                ("click", clicked, None),
                ("order", ordered, value),
                ("cart_abandoned", left, None),
            ):
                chosen = mask & keep
                # Most act on the first day, some on later ones, all of them before the test ends.
                left_over = (last - at[chosen]).total_seconds().to_numpy()
                delay = np.minimum(
                    30 + rng.exponential(DELAY, int(chosen.sum())),
                    left_over * rng.uniform(0.3, 0.98, int(chosen.sum())),
                )
                when = at[chosen] + pd.to_timedelta(delay.round(), unit="s")
                events.append(
                    pd.DataFrame(
                        {
                            "unit_id": ids[chosen],
                            "at": when,
                            "kind": kind,
                            "value": 0.0 if amount is None else amount[chosen],
                            "loaded_at": when + pd.Timedelta(minutes=10),
                        }
                    )
                )
            history.append(
                pd.DataFrame(
                    {
                        "unit_id": ids,
                        "revenue_before": before.round(2),
                        "orders_before": past.poisson(0.4, n),
                        "country": past.choice(["US", "GB", "DE"], n),
                        "device": past.choice(["desktop", "mobile", "tablet"], n, p=[0.45, 0.45, 0.1]),
                        "new_customer": past.random(n) < 0.35,
                    }
                )
            )
    frames = {"experiment_assignments": assignments, "shop_events": events, "user_history": history}
    orders = {"experiment_assignments": "unit_id", "shop_events": "at, unit_id, kind", "user_history": "unit_id"}
    for name, parts in frames.items():
        frame = pd.concat(parts)  # noqa: F841  DuckDB reads it by name
        if name == "shop_events":
            warehouse.execute(
                'CREATE TABLE shop_events AS SELECT * FROM frame WHERE "at" < TIMESTAMP \'2026-11-23\' ORDER BY "at", unit_id, kind'
            )
        else:
            warehouse.execute(f"CREATE TABLE {name} AS SELECT * FROM frame ORDER BY {orders[name]}")  # noqa: S608  names are ours
    return [asdict(plan) for plan in PLAN]
