"""Bridges between two definitions, against values computed by hand and by NumPy from the rows."""

from __future__ import annotations

import math
from datetime import datetime
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pytest
from scipy.stats import binom

from gazette import stats
from gazette.errors import SourceError
from gazette.params import Before
from gazette.record import NotPublished
from gazette.site._bridge import _estimate, _ratio
from gazette.sources import Period, Warehouse, bridge_answer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

PERIOD = Period(datetime(2026, 11, 16), datetime(2026, 11, 23), 2)  # noqa: DTZ001  UTC without zone
FACT = {
    "table": "events",
    "unit": "unit_id",
    "time": "happened_at",
    "arrived": "loaded_at",
    "where": [{"column": "kind", "equals": "order"}],
    "value": "value",
    "aggregation": "sum",
}
COUNT = {**{k: v for k, v in FACT.items() if k != "value"}, "aggregation": "count"}
ROWS = [  # unit, when, kind, value
    ("a", "2026-11-17", "order", 10.0),
    ("a", "2026-11-18", "order", 30.0),
    ("b", "2026-11-17", "order", 4.0),
    ("c", "2026-11-19", "click", 0.0),
    ("d", "2026-11-22 23:59:59", "order", 2.0),
]


def fill(
    root: Path, rows: list[tuple[str, str, str, float]], *, late: Sequence[tuple[str, str, str, float]] = ()
) -> None:
    with duckdb.connect(str(root / "w.duckdb")) as db:
        db.execute(
            "CREATE TABLE events (unit_id VARCHAR, happened_at TIMESTAMP, loaded_at TIMESTAMP, kind VARCHAR, value DOUBLE)"
        )
        for unit, when, kind, value in rows:
            db.execute("INSERT INTO events VALUES (?, ?, ?, ?, ?)", [unit, when, when, kind, value])
        for unit, when, kind, value in late:
            db.execute("INSERT INTO events VALUES (?, ?, '2026-11-23', ?, ?)", [unit, when, kind, value])


def ask(root: Path, old: dict[str, Any], new: dict[str, Any]) -> list[dict[str, Any]]:
    with Warehouse("duckdb://w.duckdb", project=root) as warehouse:
        answer = bridge_answer(warehouse, "bridge", Before(**old), Before(**new), PERIOD, file="metrics.yml")
    return list(answer.table.to_pylist())


def test_a_cap_that_went_away_against_hand(tmp_path: Path) -> None:
    fill(tmp_path, ROWS, late=[("e", "2026-11-20", "order", 500.0)])
    [row] = ask(tmp_path, {"fact": FACT, "cap": 20.0}, {"fact": FACT})
    # units a 40, b 4, c 0, d 2; capped at 20: 20, 4, 0, 2; e was loaded at the cut-off
    assert row["n"] == 4
    assert f"{row['week']:%Y-%m-%d}" == "2026-11-16"
    assert row["old"] == pytest.approx(26 / 4)
    assert row["new"] == pytest.approx(46 / 4)
    assert row["old_var"] == pytest.approx((13.5**2 + 2.5**2 + 6.5**2 + 4.5**2) / 3)
    assert row["new_var"] == pytest.approx((28.5**2 + 7.5**2 + 11.5**2 + 9.5**2) / 3)
    assert row["cov"] == pytest.approx((13.5 * 28.5 + 2.5 * 7.5 + 6.5 * 11.5 + 4.5 * 9.5) / 3)


def test_a_share_that_became_a_ratio_of_sums_against_hand(tmp_path: Path) -> None:
    fill(tmp_path, ROWS)
    [row] = ask(tmp_path, {"fact": {**COUNT, "aggregation": "any"}}, {"fact": FACT, "denominator": COUNT})
    assert row["old"] == pytest.approx(3 / 4)
    assert row["new"] == pytest.approx(46 / 4)  # orders: a 2, b 1, d 1
    influence = np.array([40 - 11.5 * 2, 4 - 11.5, 0, 2 - 11.5]) / 1.0  # orders per unit: 4 / 4
    assert row["new_var"] == pytest.approx(influence.var(ddof=1))
    assert row["cov"] == pytest.approx(np.cov([1, 1, 0, 1], influence)[0, 1])


def test_weeks_are_kept_apart_and_those_before_the_history_left_out(tmp_path: Path) -> None:
    fill(tmp_path, [*ROWS, ("a", "2026-11-09", "order", 1.0), ("z", "2026-11-08 23:59:59", "order", 9.0)])
    rows = ask(tmp_path, {"fact": COUNT}, {"fact": FACT})
    assert [(f"{r['week']:%m-%d}", r["n"], r["old"], r["new"]) for r in rows] == [
        ("11-09", 1, 1.0, 1.0),
        ("11-16", 4, 1.0, 11.5),
    ]
    assert rows[0]["old_var"] is None or math.isnan(rows[0]["old_var"])


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_winsorised_and_quantile_against_numpy(tmp_path: Path, seed: int) -> None:
    values = np.random.default_rng(seed).lognormal(3, 1, 400)
    fill(tmp_path, [(f"u{i:03}", "2026-11-18", "order", float(v)) for i, v in enumerate(values)])
    [row] = ask(tmp_path, {"fact": FACT, "cap_quantile": 0.95}, {"fact": FACT, "quantile": 0.5})
    capped = np.minimum(values, np.quantile(values, 0.95))
    assert row["old"] == pytest.approx(capped.mean())
    assert row["old_var"] == pytest.approx(capped.var(ddof=1))
    ordered = np.sort(values)
    assert row["new"] == pytest.approx(ordered[199])
    ranks = int(row["new_low_rank"]), int(row["new_high_rank"])
    assert binom.cdf(ranks[0] - 1, 400, 0.5) <= 0.025
    assert binom.sf(ranks[1] - 1, 400, 0.5) <= 0.025
    assert (row["new_low"], row["new_high"]) == pytest.approx((ordered[ranks[0] - 1], ordered[ranks[1] - 1]))
    error = math.sqrt(row["new_var"] / row["n"])
    assert error == pytest.approx((row["new_high"] - row["new_low"]) / (2 * 1.959963984540054), rel=0.01)


def test_a_quantile_in_a_bridge_has_the_range_of_its_order_statistics(tmp_path: Path) -> None:
    """The same ranks outwards as a test's quantile has; its ratio to itself is one, without any error."""
    values = np.random.default_rng(4).lognormal(3, 1, 100)
    fill(tmp_path, [(f"u{i:03}", "2026-11-18", "order", float(v)) for i, v in enumerate(values)])
    quantile = {"fact": FACT, "quantile": 0.9}
    [row] = ask(tmp_path, quantile, quantile)
    low, high = np.sort(values)[[r - 1 for r in stats.quantile_ranks(0.9, 100)]]
    found = _estimate(row, "new", Before(**quantile))
    assert isinstance(found, stats.Estimate)
    assert (found.low, found.high) == pytest.approx((low, high))
    ratio = _ratio(row, Before(**quantile), Before(**quantile))
    assert isinstance(ratio, stats.Estimate)
    assert ratio.value == 1.0
    assert ratio.standard_error == pytest.approx(0.0, abs=0.01)
    del row["new_low_rank"], row["new_high_rank"]  # as editions before kept it
    earlier = _estimate(row, "new", Before(**quantile))
    assert isinstance(earlier, stats.Estimate)
    assert earlier.value - earlier.low == pytest.approx(earlier.high - earlier.value), "Student's t about the quantile"


def test_quantiles_that_ties_decide_have_no_ratio(tmp_path: Path) -> None:
    values = np.random.default_rng(5).poisson(3, 100)
    fill(tmp_path, [(f"u{i:03}", "2026-11-18", "order", float(v)) for i, v in enumerate(values)])
    old, new = {"fact": FACT}, {"fact": FACT, "quantile": 0.5}
    [row] = ask(tmp_path, old, new)
    found = _ratio(row, Before(**old), Before(**new))
    assert isinstance(found, NotPublished)
    assert "share one value" in found.reason
    assert isinstance(_estimate(row, "new", Before(**new)), stats.Estimate)


def test_the_ratio_of_definitions_covers_the_truth() -> None:
    """The 95 % interval of new over old, of the same units, covers the true ratio in 92 to 98 of 100 samples."""
    rng = np.random.default_rng(7)
    many = np.random.default_rng(8).lognormal(3, 1, 2_000_000)
    truth = many.mean() / np.minimum(many, 40).mean()
    hits = 0
    for _ in range(400):
        new = rng.lognormal(3, 1, 2000)
        old = np.minimum(new, 40)
        cov = np.cov(new, old)
        joint = stats.Joint(
            stats.Moments(2000, new.mean(), cov[0, 0]), stats.Moments(2000, old.mean(), cov[1, 1]), cov[0, 1]
        )
        found = stats.mean(stats.ratio(joint))
        assert isinstance(found, stats.Estimate)
        hits += found.low <= truth <= found.high
    assert 368 <= hits <= 392


def test_a_table_that_is_gone_is_named(tmp_path: Path) -> None:
    fill(tmp_path, ROWS)
    with pytest.raises(SourceError, match="no table 'old_events'"):
        ask(tmp_path, {"fact": {**FACT, "table": "old_events"}}, {"fact": FACT})
