"""What other systems of the simulated shop say of its revenue and orders: the finance ledger and the payment provider."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    import duckdb

__all__ = ["write"]

RETURNED = 0.022  # of revenue, which the ledger takes off and the shop's own figures do not


def write(warehouse: duckdb.DuckDBPyConnection, seed: int) -> dict[str, Any]:
    """Create ``finance_ledger`` and ``payment_captures`` from ``shop_daily``; returns the truth."""
    rng = np.random.default_rng([seed, 66])
    days = warehouse.execute(
        "SELECT day, SUM(revenue) AS revenue, SUM(orders) AS orders FROM shop_daily GROUP BY day ORDER BY day"
    ).df()
    kinds = []
    for kind, share in (("sale", 1.0), ("return", -RETURNED)):
        noise = rng.normal(0, 0.0008 if kind == "sale" else 0.1, len(days))
        kinds.append(
            pd.DataFrame(
                {
                    "booked_on": days["day"],
                    "kind": kind,
                    "amount": (days["revenue"] * share * (1 + noise)).round(2),
                    "loaded_at": days["day"] + pd.Timedelta(hours=23),
                }
            )
        )
    ledger = pd.concat(kinds)  # noqa: F841  DuckDB reads it by name
    warehouse.execute(
        "CREATE TABLE finance_ledger AS SELECT * REPLACE (booked_on::DATE AS booked_on) FROM ledger ORDER BY booked_on, kind DESC"
    )
    captures = pd.DataFrame(  # noqa: F841
        {
            "day": days["day"],
            "captured": (days["orders"] * (1 + rng.normal(0, 0.001, len(days)))).round().astype(int),
            "loaded_at": days["day"] + pd.Timedelta(hours=23),
        }
    )
    warehouse.execute("CREATE TABLE payment_captures AS SELECT * REPLACE (day::DATE AS day) FROM captures ORDER BY day")
    return {"returned": RETURNED}
