"""Eighteen months of simulated past tests with known slopes: what was decided on them, and what holdouts showed later."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    import duckdb

__all__ = ["write"]

FIRST, LAST = pd.Timestamp("2025-05-18"), pd.Timestamp("2026-11-15")
LATER = pd.Timedelta(days=70)  # a holdout is kept for ten weeks after the decision
KNOWN = pd.Timestamp("2026-11-22")
SPREAD = 0.0015  # of true effects around what the technical change explains
SLOPES = {("ndcg-5", "revenue-per-unit"): 0.6, ("auc", "ctr"): 0.4}  # relative lift per point of the technical metric
STREAM = 43  # one in which the winner's curse shows
SIZES = {("ndcg-5", "revenue-per-unit"): (0.008, 0.011, 0.0045), ("auc", "ctr"): (0.008, 0.011, 0.004)}
RANKERS = (
    "Ranking v2.6",
    "Ranking v2.7",
    "Longer sessions in training",
    "Ranking v2.8",
    "Cold-start features",
    "Ranking v2.9",
    "Price-aware ranking",
    "Fresher items first",
    "Two-stage retrieval",
    "Season-aware ranking",
)
CLICKS = (
    "Click model with recency",
    "Deeper click model",
    "Click model without device",
    "Calibrated click scores",
    "Click model with context",
    "Daily retrained click model",
    "Click model with embeddings",
    "Smaller click model",
)
PAGES = (
    ("Free returns shown early", "conversion"),
    ("Guest checkout", "conversion"),
    ("Larger product pictures", "conversion"),
    ("Reminder of a left cart", "cart-abandonment"),
    ("Fewer delivery options", "cart-abandonment"),
    ("Bundles in the cart", "order-value"),
)


def write(warehouse: duckdb.DuckDBPyConnection, seed: int) -> dict[str, Any]:
    """Create ``past_tests``; returns slopes and true effects.

    Decisions follow the noisy measurement, so effects of shipped tests overstate the truth (the winner's curse); holdouts
    measure the same truth again.
    """
    rng = np.random.default_rng([seed, STREAM])
    kinds: list[tuple[str, str, str | None]] = [(t, "revenue-per-unit", "ndcg-5") for t in RANKERS]
    kinds += [(t, "ctr", "auc") for t in CLICKS]
    kinds += [(t, metric, None) for t, metric in PAGES]
    # Kinds come mixed, each kind in its own order: a later version is a later test.
    mixed = sorted(range(len(kinds)), key=lambda i: (_place(i, kinds), i))
    rows, truth = [], {}
    for place, which in enumerate(mixed):
        title, metric, technical = kinds[which]
        ended = (FIRST + (LAST - FIRST) * place / (len(kinds) - 1)).normalize()
        change = error = measured = None
        good = -1 if metric == "cart-abandonment" else 1
        if technical is None:
            true, spread = good * rng.normal(0.004, 0.007), 0.006
        else:
            middle, width, spread = SIZES[technical, metric]
            real = rng.normal(middle, width)
            error = 0.0008
            measured = real + rng.normal(0, error)
            change = real
            true = SLOPES[technical, metric] * real + rng.normal(0, SPREAD)
        effect_error = spread * rng.uniform(0.8, 1.3)
        effect = true + rng.normal(0, effect_error)
        shipped = good * effect > 1.2 * effect_error
        realised_on = ended + LATER
        told = shipped and realised_on <= KNOWN
        realised_error = spread * rng.uniform(0.9, 1.4)
        realised = true + rng.normal(0, realised_error)
        name = title.lower().replace(" ", "-").replace(".", "-")
        truth[name] = {
            "effect": round(float(true), 6),
            "technical_change": None if change is None else round(change, 6),
        }
        rows.append(
            {
                "test": name,
                "title": title,
                "ended": ended,
                "decision": "ship" if shipped else "stop",
                "metric": metric,
                "effect": round(effect, 5),
                "effect_error": round(effect_error, 5),
                "technical": technical,
                "technical_change": None if measured is None else round(measured, 5),
                "technical_error": error,
                "realised": round(realised, 5) if told else None,
                "realised_error": round(realised_error, 5) if told else None,
                "realised_on": realised_on if told else None,
            }
        )
    past = pd.DataFrame(rows)  # noqa: F841  DuckDB reads it by name
    warehouse.execute(
        "CREATE TABLE past_tests AS SELECT * REPLACE (ended::DATE AS ended, realised_on::DATE AS realised_on) FROM past ORDER BY ended, test"
    )
    slopes = [{"technical": t, "metric": m, "slope": s} for (t, m), s in SLOPES.items()]
    return {"slopes": slopes, "spread": SPREAD, "tests": truth}


def _place(i: int, kinds: list[tuple[str, str, str | None]]) -> float:
    """How far into the list of its kind a test stands, from 0 to 1."""
    mine = [j for j, k in enumerate(kinds) if k[2] == kinds[i][2]]
    return (mine.index(i) + 0.5) / len(mine)
