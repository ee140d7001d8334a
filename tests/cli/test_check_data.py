"""`gazette check --data` asks the warehouse before anything is built: who was assigned, what cannot be read, how much will be."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import duckdb

from gazette.cli import main
from program import gazette

if TYPE_CHECKING:
    import pytest

    from small import SmallProject


def asked(small: SmallProject, *, code: int) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        gazette("check", "--data", "2026-W47", "--json", project=small.root, code=code).stdout
    )
    return found


def sql(small: SmallProject, *statements: str) -> duckdb.DuckDBPyConnection:
    with duckdb.connect(str(small.root / "warehouse.duckdb")) as warehouse:
        for statement in statements:
            warehouse.execute(statement)
    return duckdb.connect(str(small.root / "warehouse.duckdb"), read_only=True)


def test_everyone_is_accounted_for_and_rows_are_counted(small: SmallProject) -> None:
    (found,) = asked(small, code=0)["data"]
    with sql(small) as db:
        arms = dict(
            db.execute("SELECT variant, count(DISTINCT unit_id) FROM experiment_assignments GROUP BY 1").fetchall()
        )
        rows = {t: db.execute(f"SELECT count(*) FROM {t}").fetchone()[0] for t in found["rows"]}  # type: ignore[index]
    assert found["arms"] == arms
    assert found["rows"] == rows
    assert rows.keys() == {"experiment_assignments", "events"}
    assert (found["passed"], found["lost"], found["problem"]) == (True, {}, "")


def test_spellings_and_ids_are_named_with_how_to_mend_them(small: SmallProject) -> None:
    sql(
        small,
        "UPDATE experiment_assignments SET variant = 'Green' WHERE unit_id IN ('green-1', 'green-2')",
        "UPDATE experiment_assignments SET unit_id = NULL WHERE unit_id = 'blue-3'",
    ).close()
    (found,) = asked(small, code=1)["data"]
    assert found["lost"] == {"Green": 2, "no id": 1}
    assert not found["passed"]
    said = gazette("check", "--data", "2026-W47", project=small.root, code=1).stdout
    assert "2 in no arm: Green" in said
    assert "1 in no arm: no id" in said
    assert "mend: name other spellings under 'aliases:'" in said
    small.experiment["exclude"] = ["no id"]
    for variant in small.experiment["variants"]:
        variant["aliases"] = ["Green"] if variant["id"] == "green" else []
    small.write()
    assert asked(small, code=0)["data"][0]["lost"] == {}


def test_a_table_that_is_gone_is_one_subjects_problem(small: SmallProject) -> None:
    small.add_experiment("other", assignments="elsewhere")
    found = {d["subject"]: d for d in asked(small, code=1)["data"]}
    assert found["button"]["passed"]
    assert "the warehouse has no table 'elsewhere'" in found["other"]["problem"]
    assert not list(small.root.glob("editions/2026*")), "nothing is built"


def test_rows_of_nobody_several_values_and_text_among_numbers_are_named(small: SmallProject) -> None:
    small.experiment["segments"] = [{"title": "Country", "table": "users", "unit": "unit_id", "column": "country"}]
    small.write()
    sql(
        small,
        "CREATE TABLE users AS SELECT unit_id, 'DE' AS country FROM experiment_assignments UNION ALL SELECT 'blue-1', 'FR'",
        "UPDATE events SET unit_id = 'user-' || unit_id",
    ).close()
    (found,) = asked(small, code=1)["data"]
    assert (found["passed"], found["matched"], found["several"]) == (False, {"ctr": 0}, {"country in users": 1})
    assert "of events is of a user of the test" in found["strange"][0]
    assert "(a prefix of one of them)" in found["strange"][0]
    sql(small, "UPDATE events SET unit_id = substr(unit_id, 6)", "ALTER TABLE events ADD COLUMN amount VARCHAR").close()
    sql(small, "UPDATE events SET amount = if(unit_id = (SELECT min(unit_id) FROM events), '12,50', '3')").close()
    small.metric["fact"] |= {"aggregation": "sum", "value": "amount"}
    small.metric["unit"] = "number"
    small.write()
    (found,) = asked(small, code=1)["data"]
    assert (
        "column 'amount' of table 'events' has 1 rows with text that is no number, such as '12,50'" in found["problem"]
    )


def test_a_day_that_was_loaded_twice_is_a_warning(small: SmallProject, capsys: pytest.CaptureFixture[str]) -> None:
    small.metric["fact"] |= {"aggregation": "count"}
    small.metric["unit"] = "number"
    small.write()
    command = ["check", "--data", "2026-W47", "--project", str(small.root)]
    assert main(command) == 0
    assert "repeat another" not in capsys.readouterr().out
    sql(
        small,
        "INSERT INTO events SELECT unit_id, happened_at + INTERVAL 1 HOUR * k, loaded_at FROM events, range(1, 30) t(k) WHERE happened_at::DATE = '2026-11-17'",
        "INSERT INTO events SELECT unit_id, happened_at, loaded_at + INTERVAL 1 DAY FROM events WHERE happened_at::DATE = '2026-11-17'",
    ).close()
    assert main(command) == 0, "a warning"
    said = capsys.readouterr().out
    told = re.search(
        r"warning: ([\d,]+) of ([\d,]+) rows of events repeat another of the same user, time and value \(ctr\) on 2026-11-17;",
        said,
    )
    assert told, said
    with duckdb.connect(str(small.root / "warehouse.duckdb"), read_only=True) as db:
        counts = db.execute(
            "SELECT count(*) - count(DISTINCT (unit_id, happened_at)), count(*) FROM events WHERE happened_at::DATE = '2026-11-17'"
        ).fetchone()
    assert tuple(int(n.replace(",", "")) for n in told.groups()) == counts
    assert "; let a view keep each row once" in said
