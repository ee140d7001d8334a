from __future__ import annotations

import subprocess
import sys
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from gazette.errors import SourceError
from gazette.params import load
from gazette.sources import Period, Warehouse, experiment_answers, model_answers, read_registry

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from small import SmallProject

START = datetime(2026, 11, 16)  # noqa: DTZ001  UTC without zone
PERIOD = Period(START, START + timedelta(days=7), 12)


def tables(small: SmallProject, period: Period = PERIOD) -> dict[str, pd.DataFrame]:
    params = load(small.root / "params")
    with Warehouse(params.site.warehouse, project=small.root) as warehouse:
        return {
            a.name: a.table.to_pandas()
            for a in experiment_answers(warehouse, params.experiments["button"], params.metrics, period)
        }


def sql(small: SmallProject, text: str) -> None:
    with duckdb.connect(str(small.root / "warehouse.duckdb")) as warehouse:
        warehouse.execute(text)


def arm(found: dict[str, pd.DataFrame], name: str) -> dict[str, Any]:
    frame = found["arms"]
    return {str(k): v for k, v in frame[frame["variant"] == name].iloc[0].items()}


def test_aggregates_agree_with_pandas_on_the_rows(small: SmallProject) -> None:
    with duckdb.connect(str(small.root / "warehouse.duckdb"), read_only=True) as warehouse:
        users = warehouse.execute("SELECT * FROM experiment_assignments").df()
        clicked = set(warehouse.execute("SELECT unit_id FROM events").df()["unit_id"])
    value = users["unit_id"].isin(clicked).astype(float)
    found = tables(small)
    for name in ("blue", "green"):
        mine, row = value[users["variant"] == name], arm(found, name)
        assert row["n"] == len(mine)
        assert row["m_ctr_mean"] == pytest.approx(mine.mean(), rel=1e-12)
        assert row["m_ctr_var"] == pytest.approx(mine.var(ddof=1), rel=1e-12)


@pytest.mark.parametrize(
    ("at", "counts"),
    [
        ("2026-11-09 00:00:00", True),
        ("2026-11-08 23:59:59", False),
        ("2026-11-22 23:59:59", True),
        ("2026-11-23 00:00:00", False),
    ],
)
def test_a_user_counts_from_the_first_instant_of_the_test_to_the_last(
    small: SmallProject, at: str, counts: bool
) -> None:
    before = arm(tables(small), "blue")["n"]
    sql(small, f"INSERT INTO experiment_assignments VALUES ('button', 'edge', 'blue', '{at}')")
    assert arm(tables(small), "blue")["n"] - before == int(counts)


@pytest.mark.parametrize(
    ("at", "loaded", "counts"),
    [
        ("2026-11-22 23:59:59", "2026-11-22 23:59:59", True),
        ("2026-11-22 23:59:59", "2026-11-23 00:00:00", False),
        ("2026-11-23 00:00:00", "2026-11-22 10:00:00", False),
        ("2026-11-09 00:00:00", "2026-11-10 00:00:00", True),
        ("2026-11-08 10:00:00", "2026-11-10 00:00:00", False),
    ],
)
def test_an_event_counts_if_it_happened_in_the_test_and_had_arrived(
    small: SmallProject, at: str, loaded: str, counts: bool
) -> None:
    sql(small, "INSERT INTO experiment_assignments VALUES ('button', 'edge', 'blue', '2026-11-09')")
    before = arm(tables(small), "blue")
    sql(small, f"INSERT INTO events VALUES ('edge', '{at}', '{loaded}')")
    after = arm(tables(small), "blue")
    assert after["m_ctr_mean"] * after["n"] - before["m_ctr_mean"] * before["n"] == pytest.approx(int(counts))


def test_a_user_in_both_arms_leaves_both_and_is_counted(small: SmallProject) -> None:
    before = tables(small)
    sql(small, "INSERT INTO experiment_assignments VALUES ('button', 'blue-3', 'green', '2026-11-12')")
    after = tables(small)
    assert after["exposure"]["units_in_several_arms"].tolist() == [1]
    assert arm(after, "blue")["n"] == arm(before, "blue")["n"] - 1
    assert arm(after, "green")["n"] == arm(before, "green")["n"]


def test_a_user_assigned_twice_to_one_arm_counts_once(small: SmallProject) -> None:
    before = arm(tables(small), "blue")["n"]
    sql(small, "INSERT INTO experiment_assignments VALUES ('button', 'blue-3', 'blue', '2026-11-20')")
    assert arm(tables(small), "blue")["n"] == before


def test_rows_of_later_weeks_do_not_change_an_edition(small: SmallProject) -> None:
    earlier = Period(START - timedelta(days=7), START, 12)
    before = tables(small, earlier)["arms"]
    sql(
        small,
        "INSERT INTO events SELECT unit_id, TIMESTAMP '2026-11-17', TIMESTAMP '2026-11-17' FROM experiment_assignments",
    )
    assert tables(small, earlier)["arms"].equals(before)


def test_the_sql_that_is_recorded_is_what_was_run_and_finds_what_ibis_does(tmp_path: Path) -> None:
    import ibis  # noqa: PLC0415  slow to import

    path = tmp_path / "w.duckdb"
    with duckdb.connect(str(path)) as db:
        db.execute("""CREATE TABLE kinds AS SELECT * FROM (VALUES
            (1::TINYINT, 1.25::DECIMAL(9, 2), 0.1::FLOAT, DATE '2026-11-16', TIMESTAMP '2026-11-16 01:02:03.5', 'é', true, 10::HUGEINT),
            (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)) t(i, d, f, day, "at", s, b, h)""")
    with Warehouse("duckdb://w.duckdb", project=tmp_path) as warehouse:
        kinds = warehouse.table("kinds", {"i": "i"}, file="params/x.yml")
        asked = kinds.group_by("i", "day", "at", "s", "b", "f").agg(d=kinds.d.sum(), h=kinds.h.max(), n=kinds.count())
        asked = asked.mutate(half=asked.n / 2, none=ibis.null()).order_by("i")
        found = warehouse.ask("kinds", asked, file="params/x.yml")
        theirs = asked.to_pyarrow()
    assert found.table.schema == theirs.schema
    assert found.table.equals(theirs)
    assert found.table.num_rows == 2
    with duckdb.connect(str(path)) as db:
        assert db.sql(found.sql).fetchall() == [tuple(row.values()) for row in found.table.to_pylist()]


def test_a_missing_table_names_those_that_there_are(small: SmallProject) -> None:
    sql(small, "DROP TABLE events")
    with pytest.raises(SourceError, match=r"no table 'events'(?s:.*)experiment_assignments"):
        tables(small)


def test_all_missing_columns_are_named_at_once(small: SmallProject) -> None:
    sql(small, "ALTER TABLE events RENAME loaded_at TO l")
    sql(small, "ALTER TABLE events RENAME happened_at TO a")
    with pytest.raises(SourceError, match=r"time: 'happened_at'; arrived: 'loaded_at'"):
        tables(small)


def test_a_column_of_the_wrong_type_is_one_clear_error(small: SmallProject) -> None:
    sql(small, "CREATE OR REPLACE TABLE events (unit_id VARCHAR, happened_at VARCHAR, loaded_at BLOB)")
    with pytest.raises(SourceError, match="column 'happened_at' of table 'events' holds string, not times"):
        tables(small)


def test_a_missing_warehouse_is_not_made(small: SmallProject) -> None:
    (small.root / "warehouse.duckdb").unlink()
    with pytest.raises(SourceError, match="no warehouse file"):
        tables(small)
    assert not (small.root / "warehouse.duckdb").exists()


def test_a_warehouse_of_garbage_is_one_clear_error(small: SmallProject) -> None:
    (small.root / "warehouse.duckdb").write_bytes(b"not a database" * 1000)
    with pytest.raises(SourceError, match="cannot be opened"):
        tables(small)


def test_a_password_is_not_shown_in_errors(small: SmallProject) -> None:
    small.site["warehouse"] = "postgres://gazette:secret@127.0.0.1:1/none"
    small.write()
    with pytest.raises(SourceError) as error:
        tables(small)
    assert "secret" not in str(error.value)


@pytest.fixture(scope="module")
def answers(demo: Path) -> dict[str, pd.DataFrame]:
    params = load(demo / "params")
    model = params.models["flight-delay"]
    with Warehouse(params.site.warehouse, project=demo) as warehouse:
        registry, _ = read_registry(params.site.mlflow, model, project=demo)
        versions = {row["role"]: row["version"] for row in registry.table.to_pylist()}
        found = {a.name: a.table.to_pandas() for a in model_answers(warehouse, model, PERIOD, versions)}
    return {**found, "registry": registry.table.to_pandas()}


@pytest.fixture(scope="module")
def rows(demo: Path) -> pd.DataFrame:
    text = """
        SELECT p.model_version AS version, p.score, l.delayed, p.scheduled_at, p.flight_id, greatest(p.scored_at, l.known_at) AS known
        FROM flight_predictions p JOIN flight_labels l USING (flight_id)
        WHERE p.scored_at < TIMESTAMP '2026-11-23' AND l.known_at < TIMESTAMP '2026-11-23' AND l.delayed IS NOT NULL
    """
    with duckdb.connect(str(demo / ".gazette" / "demo" / "warehouse.duckdb"), read_only=True) as warehouse:
        return warehouse.execute(text).df()


class TestFlightModel:
    """The real model on the real flights, against scikit-learn computed from the rows."""

    def test_weekly_auc_agrees_with_scikit_learn(self, answers: dict[str, pd.DataFrame], rows: pd.DataFrame) -> None:
        from sklearn.metrics import average_precision_score, roc_auc_score  # noqa: PLC0415  slow to import

        checked = 0
        for row in answers["weekly"].to_dict("records"):
            start = datetime(row["week"].year, row["week"].month, row["week"].day)  # noqa: DTZ001
            mine = rows[
                (rows["version"].astype(str) == row["version"])
                & (rows["scheduled_at"] >= start)
                & (rows["scheduled_at"] < start + timedelta(days=7))
                & (
                    rows["known"] < start + timedelta(days=7)
                )  # as was known of each week when it was as old as the newest is
            ]
            assert row["n"] == len(mine)
            assert row["auc"] == pytest.approx(roc_auc_score(mine["delayed"], mine["score"]), abs=1e-12)
            assert row["pr_auc"] == pytest.approx(average_precision_score(mine["delayed"], mine["score"]), abs=1e-9)
            checked += 1
        assert checked == 24, "twelve weeks of two versions"

    def test_the_registry_knows_both_versions(self, answers: dict[str, pd.DataFrame]) -> None:
        assert dict(zip(answers["registry"]["role"], answers["registry"]["alias"], strict=True)) == {
            "live": "champion",
            "baseline": "baseline",
        }
        assert answers["registry"]["run_id"].str.len().min() > 0

    def test_no_answer_holds_a_row_about_one_flight(self, answers: dict[str, pd.DataFrame]) -> None:
        for name, frame in answers.items():
            assert "flight_id" not in frame.columns, name
            assert len(frame) < 1000, name


class TestRegistry:
    def test_a_store_that_is_not_there_is_not_made(self, demo: Path, tmp_path: Path) -> None:
        model = load(demo / "params").models["flight-delay"]
        with pytest.raises(SourceError, match="no MLflow store"):
            read_registry("sqlite:///gone.db", model, project=tmp_path)
        assert not (tmp_path / "gone.db").exists()

    def test_a_server_that_does_not_answer_is_one_clear_error(self, demo: Path) -> None:
        code = (
            "from pathlib import Path; from gazette.params import load; from gazette.sources import read_registry; from gazette.errors import SourceError\n"
            "try: read_registry('http://127.0.0.1:9', load(Path('params')).models['flight-delay'], project=Path())\n"
            "except SourceError as e: print(e)"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=demo, capture_output=True, text=True, check=True, timeout=120
        )
        assert "MLflow cannot be asked" in done.stdout
        assert "mend:" in done.stdout

    def test_an_unknown_model_is_named(self, demo: Path) -> None:
        params = load(demo / "params")
        model = params.models["flight-delay"]
        other = model.model_copy(update={"registry": model.registry.model_copy(update={"name": "nobody"})})
        with pytest.raises(SourceError, match="nobody"):
            read_registry(params.site.mlflow, other, project=demo)

    def test_an_alias_that_names_nothing_is_no_error_here(self, demo: Path) -> None:
        params = load(demo / "params")
        model = params.models["flight-delay"]
        other = model.model_copy(update={"registry": model.registry.model_copy(update={"baseline": "gone"})})
        found, every = read_registry(params.site.mlflow, other, project=demo)
        assert [r["role"] for r in found.table.to_pylist()] == ["live"]
        assert [r["aliases"] for r in every.table.to_pylist()] == ["baseline", "champion"]

    def test_a_version_is_named_by_its_number_as_well(self, demo: Path) -> None:
        params = load(demo / "params")
        model = params.models["flight-delay"]
        other = model.model_copy(update={"registry": model.registry.model_copy(update={"live": "1", "baseline": "7"})})
        found, _ = read_registry(params.site.mlflow, other, project=demo)
        assert [(r["role"], r["registered"]) for r in found.table.to_pylist()] == [("live", "1")]
