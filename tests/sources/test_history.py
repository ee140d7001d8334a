"""Past tests as they were known at the cut-off."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from gazette.errors import SourceError
from gazette.sources import Period, Warehouse, empty_history, past_tests

if TYPE_CHECKING:
    from pathlib import Path

PERIOD = Period(datetime(2026, 11, 16), datetime(2026, 11, 23), 12)  # noqa: DTZ001  the clock of editions is UTC without zone
WHOLE = (
    "CREATE TABLE past_tests (test VARCHAR, title VARCHAR, ended DATE, decision VARCHAR, metric VARCHAR, effect DOUBLE, "
    "effect_error DOUBLE, technical VARCHAR, technical_change DOUBLE, technical_error DOUBLE, realised DOUBLE, "
    "realised_error DOUBLE, realised_on DATE)"
)


def asked(place: Path, *sql: str) -> Any:
    with duckdb.connect(str(place / "w.duckdb")) as connection:
        for text in sql:
            connection.execute(text)
    with Warehouse("duckdb://w.duckdb", project=place) as warehouse:
        return past_tests(warehouse, "past_tests", PERIOD)


def test_a_test_that_ended_and_an_effect_that_was_realised_after_the_cut_off_are_not_known_yet(tmp_path: Path) -> None:
    row = "INSERT INTO past_tests VALUES ('{0}', 'T', '{1}', 'ship', 'ctr', 0.01, 0.004, NULL, NULL, NULL, {2})"
    answer = asked(
        tmp_path,
        WHOLE,
        row.format("told", "2026-08-01", "0.005, 0.004, DATE '2026-11-22'"),
        row.format("later", "2026-08-02", "0.006, 0.004, DATE '2026-11-23'"),
        row.format("undated", "2026-08-03", "0.007, 0.004, NULL"),
        row.format("sunday", "2026-11-22", "NULL, NULL, NULL"),
        row.format("monday", "2026-11-23", "NULL, NULL, NULL"),
    )
    rows = {r["test"]: r for r in answer.table.to_pylist()}
    assert list(rows) == ["told", "later", "undated", "sunday"]
    assert (rows["told"]["realised"], rows["told"]["realised_on"]) == (0.005, date(2026, 11, 22))
    for name in ("later", "undated"):
        assert rows[name]["realised"] is rows[name]["realised_error"] is rows[name]["realised_on"] is None
    assert "past_tests" in answer.sql
    assert answer.table.schema.equals(empty_history().schema)


def test_optional_columns_may_be_missing_and_needed_ones_are_named(tmp_path: Path) -> None:
    short = "CREATE TABLE past_tests AS SELECT 'a' AS test, 'A' AS title, DATE '2026-08-01' AS ended, 'ship' AS decision, 'ctr' AS metric, 0.01 AS effect, 0.004 AS effect_error"
    answer = asked(tmp_path, short)
    assert answer.table.num_rows == 1
    assert answer.table.schema.equals(empty_history().schema)
    with pytest.raises(SourceError, match=r"decision.*effect_error"):
        asked(tmp_path, "ALTER TABLE past_tests DROP decision", "ALTER TABLE past_tests DROP effect_error")


def test_an_empty_table_is_no_error_and_one_that_is_no_history_is(tmp_path: Path) -> None:
    assert asked(tmp_path, WHOLE).table.num_rows == 0
    fill = "INSERT INTO past_tests SELECT 't' || i, 'T', DATE '2026-08-01', 'ship', 'ctr', 0.01, 0.004, NULL, NULL, NULL, NULL, NULL, NULL FROM range(20001) r(i)"
    with pytest.raises(SourceError, match="more than 20,000 tests"):
        asked(tmp_path, fill)
    with pytest.raises(SourceError, match="past_tests"):
        asked(
            tmp_path,
            "DROP TABLE past_tests",
            "CREATE TABLE past_tests AS SELECT 'a' AS test, 'A' AS title, 'soon' AS ended, 'ship' AS decision, 'ctr' AS metric, 0.01 AS effect, 0.004 AS effect_error",
        )
