from __future__ import annotations

import hashlib
import json
import re
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from program import copy_project, gazette
from small import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Iterator

EXPERIMENTS = {p.stem for p in (REPOSITORY / "params" / "experiments").glob("*.yml")}


@pytest.fixture(scope="module")
def warehouse(demo: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(demo / ".gazette" / "demo" / "warehouse.duckdb"), read_only=True) as connection:
        yield connection


def one(warehouse: duckdb.DuckDBPyConnection, sql: str) -> Any:
    row = warehouse.execute(sql).fetchone()
    assert row is not None
    return row[0] if len(row) == 1 else row


def test_the_click_through_test_has_exactly_the_articles_counts(warehouse: duckdb.DuckDBPyConnection) -> None:
    rows = warehouse.execute(
        """
        SELECT a.variant, count(*), count(c.unit_id)
        FROM (SELECT DISTINCT unit_id, variant FROM experiment_assignments WHERE experiment = 'ranking-v3-2') a
        LEFT JOIN (SELECT DISTINCT unit_id FROM shop_events WHERE kind = 'click') c USING (unit_id)
        GROUP BY 1 ORDER BY 1
        """
    ).fetchall()
    assert [(n, clicks) for _, n, clicks in rows] == [(62500, 1463), (62500, 1569)]


def test_there_are_six_experiments_each_with_rows(warehouse: duckdb.DuckDBPyConnection) -> None:
    rows = warehouse.execute("SELECT experiment, count(*) FROM experiment_assignments GROUP BY 1").fetchall()
    assert {name for name, _ in rows} == EXPERIMENTS
    assert len(EXPERIMENTS) == 6
    assert min(n for _, n in rows) > 1000


def test_business_figures_reach_back_more_than_a_year(warehouse: duckdb.DuckDBPyConnection) -> None:
    first, last, days = one(warehouse, "SELECT min(day), max(day), count(DISTINCT day) FROM shop_daily")
    assert (last - first).days + 1 == days, "no day is missing"
    assert days >= 60 * 7


def test_flight_labels_arrive_after_the_score(warehouse: duckdb.DuckDBPyConnection) -> None:
    rows, early = one(
        warehouse,
        "SELECT count(*), count(*) FILTER (l.known_at <= p.scored_at) FROM flight_predictions p JOIN flight_labels l USING (flight_id)",
    )
    assert rows > 10_000
    assert early == 0


def test_predictions_come_from_two_versions_and_no_flight_was_trained_on(warehouse: duckdb.DuckDBPyConnection) -> None:
    assert one(warehouse, "SELECT count(DISTINCT model_version) FROM flight_predictions") == 2


def test_every_table_has_rows(warehouse: duckdb.DuckDBPyConnection) -> None:
    for (name,) in warehouse.execute("SHOW TABLES").fetchall():
        assert one(warehouse, f'SELECT count(*) FROM "{name}"') > 0, name


def test_the_truth_lists_every_simulated_test(demo: Path) -> None:
    truth = json.loads((demo / ".gazette" / "demo" / "truth.json").read_text())
    assert {e["experiment"] for e in truth["experiments"]} == EXPERIMENTS


def test_winners_of_the_past_overstate_their_true_effects_and_holdouts_do_not(
    demo: Path, warehouse: duckdb.DuckDBPyConnection
) -> None:
    truth = json.loads((demo / ".gazette" / "demo" / "truth.json").read_text())["past"]["tests"]
    rows = warehouse.execute(
        "SELECT test, CASE metric WHEN 'cart-abandonment' THEN -1 ELSE 1 END, effect, realised FROM past_tests WHERE decision = 'ship'"
    ).fetchall()
    assert len(truth) == one(warehouse, "SELECT count(*) FROM past_tests") == 24
    claimed = sum(sign * effect for _, sign, effect, _ in rows)
    true = sum(sign * truth[test]["effect"] for test, sign, _, _ in rows)
    assert claimed > 1.2 * true > 0
    again = [(sign * later, sign * truth[test]["effect"]) for test, sign, _, later in rows if later is not None]
    assert len(again) >= 6
    assert sum(a for a, _ in again) == pytest.approx(sum(b for _, b in again), rel=0.35)


def test_only_tests_read_the_truth() -> None:
    for folder in ("lib", "notebooks", "reports", "params"):
        for path in (REPOSITORY / folder).rglob("*"):
            if path.is_file() and path.suffix in {".py", ".ipynb", ".yml", ".qmd"} and "demo" not in path.parts:
                assert "truth" not in path.read_text(), path


def test_making_it_again_does_nothing_until_forced(demo: Path) -> None:
    done = json.loads(gazette("demo", "--json", project=demo).stdout)
    assert done["made"] is False


def test_it_is_the_same_every_time(demo: Path, tmp_path: Path) -> None:
    """Every table of a second demo holds the same rows; files of DuckDB and MLflow themselves hold times."""
    again = copy_project(tmp_path / "again")
    gazette("demo", project=again)
    places = [p / ".gazette" / "demo" for p in (demo, again)]
    assert contents(places[0] / "warehouse.duckdb") == contents(places[1] / "warehouse.duckdb")
    assert (places[0] / "truth.json").read_bytes() == (places[1] / "truth.json").read_bytes()


def contents(path: Path) -> dict[str, str]:
    with duckdb.connect(str(path), read_only=True) as connection:
        names = [n for (n,) in connection.execute("SHOW TABLES").fetchall()]
        return {
            n: hashlib.sha256(
                str(connection.execute(f'SELECT count(*), bit_xor(hash(t)) FROM "{n}" t').fetchall()).encode()
            ).hexdigest()
            for n in names
        }


def test_dates_of_the_running_test_lie_around_the_newest_week() -> None:
    text = (REPOSITORY / "params" / "experiments" / "diverse-recommendations.yml").read_text()
    start, end = (date.fromisoformat(re.search(rf"^{k}: (\S+)", text, re.MULTILINE)[1]) for k in ("start", "end"))  # type: ignore[index]
    assert start < date(2026, 11, 22) < end
