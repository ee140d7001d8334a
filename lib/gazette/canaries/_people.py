"""The hidden project: users drawn from the week, their purchases, and the parameters of tests whose answer is known."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import yaml

if TYPE_CHECKING:
    from pathlib import Path

    from gazette.editions import Week

__all__ = [
    "DAYS",
    "LIFT",
    "LIFTED",
    "LOST",
    "METRIC",
    "PAIRS",
    "SAME",
    "SPLIT",
    "TABLES",
    "UNIT",
    "lay_out",
    "lifted_by",
]

PAIRS = 2000  # users an arm
DAYS = 14
BUYERS, SIZE, SPREAD = 0.3, 3.0, 0.6  # share who buy; mean and standard deviation of the logarithm of what they spend
ALPHA = 0.05  # stated error of the hidden tests
LIFT = 0.25  # of each purchase
GONE = 0.15  # share of an arm's users whose assignment is lost in the broken split
SAME, LIFTED, SPLIT, UNIT = "canary-same", "canary-lift", "canary-split", "canary-unit"
LOST = {
    "canary-lost-one": 0.0,
    "canary-lost-5": 0.05,
    "canary-lost-10": 0.1,
}  # share of an arm's rows; 0 is a single row
TABLES = {test: test.replace("-", "_") for test in (UNIT, *LOST)}  # which the first computation reads by mistake
METRIC = "canary-spend"


def lifted_by() -> float:
    """The known difference: what the lift adds to a user's mean."""
    return float(LIFT * BUYERS * np.exp(SIZE + SPREAD**2 / 2))


def lay_out(root: Path, week: Week, cutoff: str) -> int:
    """Write warehouse, parameters and clock of the hidden project; the same week gives the same.

    Returns:
        Purchases in the arm of the known lift that faulty queries lose some of.
    """
    (root / "params" / "experiments").mkdir(parents=True)
    rows = _warehouse(root / "warehouse.duckdb", week)
    for name, content in _parameters(week).items():
        (root / "params" / f"{name}.yml").write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    clock = {"edition": str(week), "week_start": week.start.isoformat(), "cutoff": cutoff}
    (root / "edition.json").write_text(json.dumps(clock), encoding="utf-8")
    return rows


def _warehouse(path: Path, week: Week) -> int:
    import pyarrow as pa  # noqa: PLC0415  slow to import

    draw = np.random.default_rng(int(hashlib.sha256(f"canaries {week}".encode()).hexdigest()[:15], 16))
    tests: list[pa.Table] = []
    for test in (SAME, LIFTED, SPLIT):
        unit = np.arange(2 * PAIRS)
        spent = np.where(draw.random(2 * PAIRS) < BUYERS, np.exp(draw.normal(SIZE, SPREAD, 2 * PAIRS)), 0.0)
        if test == LIFTED:
            spent[1::2] *= 1 + LIFT
        minute = (unit // 2) * (DAYS * 1440 - 60) // PAIRS  # both of a pair at once: no day is uneven by chance
        tests.append(pa.table({"test": [test] * len(unit), "i": unit, "minute": minute, "spent": spent}))
    people = pa.concat_tables(tests)
    start = f"TIMESTAMP '{week.start - timedelta(days=7)}'"
    with duckdb.connect(str(path)) as warehouse:
        warehouse.register("people", people)
        warehouse.execute(
            f"""CREATE TABLE drawn AS SELECT test, i, test || '-' || i AS unit_id, if(i % 2 = 0, 'as-is', 'changed') AS variant,
            {start} + to_minutes(minute) AS assigned_at, spent FROM people"""  # noqa: S608  all names are ours
        )
        kept = f"test <> '{SPLIT}' OR variant = 'as-is' OR (i // 2) % 100 >= {round(100 * GONE)}"
        warehouse.execute(
            f"""CREATE TABLE experiment_assignments AS
            SELECT test AS experiment, unit_id, variant, assigned_at FROM drawn WHERE {kept}"""  # noqa: S608
        )
        warehouse.execute(
            """CREATE TABLE purchases AS SELECT unit_id, assigned_at + INTERVAL 5 MINUTE AS bought_at,
            assigned_at + INTERVAL 9 MINUTE AS loaded_at, spent, variant, test,
            row_number() OVER (PARTITION BY test, variant ORDER BY i) AS place FROM drawn WHERE spent > 0"""
        )
        for test, share in LOST.items():
            gone = f"place % 100 < {round(100 * share)}" if share else "place = 1"
            warehouse.execute(
                f"CREATE VIEW {TABLES[test]} AS SELECT * FROM purchases WHERE NOT (variant = 'changed' AND {gone})"  # noqa: S608
            )
        cents = f"CREATE VIEW {TABLES[UNIT]} AS SELECT * REPLACE (100 * spent AS spent) FROM purchases"  # noqa: S608
        warehouse.execute(cents)
        warehouse.unregister("people")
    return int((people["spent"].to_numpy()[people["test"].to_numpy() == LIFTED][1::2] > 0).sum())


def _parameters(week: Week) -> dict[str, Any]:
    start = week.start - timedelta(days=7)
    fact = {"table": "purchases", "unit": "unit_id", "time": "bought_at", "arrived": "loaded_at"}
    changed = {"version": 1, "date": start, "author": "gazette", "change": "First definition."}
    metric = {
        "title": "Spent by a hidden user",
        "owner": "gazette",
        "definition": "What a user of a hidden test spent.",
        "unit": "score",
        "direction": "higher",
        "fact": {**fact, "aggregation": "sum", "value": "spent"},
        "changelog": [changed],
    }
    found: dict[str, Any] = {
        "site": {
            "title": "Hidden",
            "organisation": "Hidden",
            "warehouse": "duckdb://warehouse.duckdb",
            "executive": {"owner": "gazette", "cards": [f"{LIFTED}.{METRIC}.treatment"]},
        },
        "metrics": {"metrics": {METRIC: metric}},
        "translations": {"translations": []},
        "alerts": {"alerts": []},
    }
    for test in (SAME, LIFTED, SPLIT):
        found[f"experiments/{test}"] = {
            "id": test,
            "title": test,
            "owner": "gazette",
            "description": "A hidden test whose answer is known.",
            "hypothesis": "Known.",
            "start": start,
            "end": week.end,
            "control": "as-is",
            "variants": [
                {"id": "as-is", "title": "As it is", "weight": 0.5},
                {"id": "changed", "title": "Changed", "weight": 0.5},
            ],
            "primary": METRIC,
            "method": "fixed",
            "planned_units": 2 * PAIRS,
            "minimum_effect": 0.001,
            "alpha": ALPHA,
        }
    return found
