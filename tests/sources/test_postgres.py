"""A real PostgreSQL server says what DuckDB says of the same tables, to 1e-9, whatever is asked."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from everything import DATA, FACT, ITEMS, METRICS, MORE, PERIOD, PLAN, QUALITY, SUM, VERSIONS, metric, model
from gazette.errors import SourceError
from gazette.params import Before, Operations, Told
from gazette.recompute import ask
from gazette.sources import (
    Warehouse,
    bridge_answer,
    experiment_answers,
    importance_rows,
    model_answers,
    past_tests,
    tables,
    told_answer,
)
from postgres import copy_tables, run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gazette.params import Model
    from gazette.sources import Answer

pytestmark = pytest.mark.xdist_group("postgres")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tables in a DuckDB file; ``flags.duckdb`` has labels that are booleans."""
    folder = tmp_path_factory.mktemp("two")
    for name, kind in (("w", "BIGINT"), ("flags", "BOOLEAN")):
        with duckdb.connect(str(folder / f"{name}.duckdb")) as db:
            db.execute(DATA.format(label=kind))
    return folder


@pytest.fixture(scope="module")
def address(place: Path, postgres_server: str) -> str:
    """The same tables in PostgreSQL."""
    copy_tables(place / "w.duckdb", f"{postgres_server}/w")
    return f"{postgres_server}/w"


def close(one: Any, other: Any) -> bool:
    if isinstance(one, (float, Decimal)) and isinstance(other, (float, Decimal, int)):
        return bool(float(other) == pytest.approx(float(one), rel=1e-9, abs=1e-12, nan_ok=True))
    return bool(one == other)


def compare(found: list[list[Answer]]) -> int:
    """How many values the two have; each is the same in both."""
    ours, theirs = ({a.name: a.table for a in answers} for answers in found)
    assert ours.keys() == theirs.keys()
    values = 0
    for name, table in ours.items():
        other = theirs[name]
        assert other.column_names == table.column_names, name
        assert other.num_rows == table.num_rows, name
        for column in table.column_names:
            kinds = (table[column].type, other[column].type)
            if name != "schema":
                for i, (a, b) in enumerate(zip(table[column].to_pylist(), other[column].to_pylist(), strict=True)):
                    assert close(a, b), f"{name}.{column}[{i}]: {a!r}, PostgreSQL {b!r} ({kinds})"
                    values += 1
    return values


def both(place: Path, address: str) -> Iterator[Warehouse]:
    for url in ("duckdb://w.duckdb", address):
        with Warehouse(url, project=place) as warehouse:
            yield warehouse


def test_every_kind_of_metric_of_an_experiment_is_the_same(place: Path, address: str) -> None:
    found = [experiment_answers(w, PLAN, METRICS, PERIOD) for w in both(place, address)]
    assert compare(found) > 300
    arms = {a.name: a.table for a in found[1]}["arms"].to_pylist()
    assert sum(row["n"] for row in arms) > 500


@pytest.mark.parametrize(
    "subject",
    [
        model("classifier", scores={"threshold": 0.5}, **MORE),
        model("regressor", **MORE),
        model(
            "ranker",
            scores={"quality": QUALITY, "items": ITEMS},
            telemetry=MORE["telemetry"],
            business=MORE["business"],
        ),
        model("classifier", scores={"threshold": 0.5, "unit": "who"}),
        model("ranker", scores={"quality": QUALITY, "items": ITEMS, "unit": "who"}),
    ],
    ids=lambda m: f"{m.kind}{' by user' if m.scores.unit else ''}",
)
def test_every_kind_of_model_is_the_same(place: Path, address: str, subject: Model) -> None:
    def asked(warehouse: Warehouse) -> list[Answer]:
        more = [importance_rows(warehouse, subject, PERIOD, VERSIONS)] if subject.features else []
        return [*model_answers(warehouse, subject, PERIOD, VERSIONS), *more]

    assert compare([asked(w) for w in both(place, address)]) > (120 if subject.scores.unit else 200)


def test_the_second_computation_is_the_same_and_reads_everything(place: Path, address: str) -> None:
    subjects = [PLAN, model("classifier", scores={"threshold": 0.5}, **MORE)]
    found = [ask(w, subjects, METRICS, PERIOD, {"m": VERSIONS}) for w in both(place, address)]
    assert [answers[-1].table.to_pylist() for answers in found] == [[], []], "queries that failed"
    assert compare(found) > 150


def test_bridges_systems_past_tests_and_operations_are_the_same(place: Path, address: str) -> None:
    said = Told.model_validate(
        {
            "id": "s",
            "title": "s",
            "table": "web.events",
            "time": "at",
            "arrived": "loaded",
            "aggregation": "sum",
            "value": "value",
        }
    )
    days = Told.model_validate({"id": "d", "title": "d", "table": "shop", "time": "day", "aggregation": "count"})
    old = Before.model_validate({"fact": SUM})
    operations = Operations.model_validate({"owner": "o", "telemetry": "serving"})

    def asked(warehouse: Warehouse) -> list[Answer]:
        news = (METRICS["middle"], METRICS["trimmed"], METRICS["per-click"])
        return [
            *(bridge_answer(warehouse, f"b{i}", old, new, PERIOD, file="m") for i, new in enumerate(news)),
            told_answer(warehouse, "said", said, PERIOD),
            told_answer(warehouse, "days", days, PERIOD),
            past_tests(warehouse, "decided", PERIOD),
            *(make() for _, make in tables(warehouse, operations, PERIOD)),
        ]

    assert compare([asked(w) for w in both(place, address)]) > 200


def test_labels_that_are_booleans_count_as_ones_and_noughts(place: Path, postgres_server: str) -> None:
    copy_tables(place / "flags.duckdb", f"{postgres_server}/flags")
    subject = model("classifier", scores={"threshold": 0.5})
    found = []
    for url in ("duckdb://w.duckdb", "duckdb://flags.duckdb", f"{postgres_server}/flags"):
        with Warehouse(url, project=place) as warehouse:
            found.append(model_answers(warehouse, subject, PERIOD, VERSIONS))
    assert compare(found[:2]) == compare(found[::2]) > 100


def test_all_queries_of_an_edition_read_one_state(place: Path, address: str) -> None:
    with Warehouse(address, project=place) as warehouse:
        before = experiment_answers(warehouse, PLAN, METRICS, PERIOD)
        with Warehouse(address, project=place):
            run(address, "CREATE TABLE kept AS TABLE web.events", "DELETE FROM web.events")
        again = experiment_answers(warehouse, PLAN, METRICS, PERIOD)
    with Warehouse(address, project=place) as warehouse:
        later = experiment_answers(warehouse, PLAN, METRICS, PERIOD)
    run(address, "INSERT INTO web.events TABLE kept", "DROP TABLE kept")
    assert compare([before, again]) > 300
    assert next(a for a in later if a.name == "rows_per_day").table.num_rows == 0


def test_nothing_stays_in_the_database(place: Path, address: str) -> None:
    listed = "SELECT table_schema, table_name FROM information_schema.tables WHERE table_schema IN ('public', 'web') ORDER BY 1, 2"
    before = run(address, listed)
    with Warehouse(address, project=place) as warehouse:
        experiment_answers(warehouse, PLAN, METRICS, PERIOD)
    assert run(address, listed) == before


def test_a_query_that_fails_leaves_the_others_their_state(place: Path, address: str) -> None:
    broken = {
        **METRICS,
        "clicks": metric(fact={**FACT, "aggregation": "count", "where": [{"column": "at", "equals": "soon"}]}),
    }
    with Warehouse(address, project=place) as warehouse:
        with pytest.raises(SourceError, match=r"bigint|timestamp"):
            experiment_answers(warehouse, PLAN, broken, PERIOD)
        assert experiment_answers(warehouse, PLAN, METRICS, PERIOD)


def test_a_reader_who_may_make_no_temporary_tables_finds_the_same(place: Path, address: str) -> None:
    run(
        address,
        "CREATE ROLE reader LOGIN",
        "REVOKE TEMPORARY ON DATABASE w FROM PUBLIC",
        "GRANT USAGE ON SCHEMA web TO reader",
        "GRANT SELECT ON ALL TABLES IN SCHEMA public, web TO reader",
    )
    found = []
    for url in (address, address.replace("gazette@", "reader@")):
        with Warehouse(url, project=place) as warehouse:
            found.append(experiment_answers(warehouse, PLAN, METRICS, PERIOD))
    assert compare(found) > 300
    assert "TEMPORARY" in found[0][0].sql
    assert "TEMPORARY" not in found[1][0].sql


def test_a_missing_table_of_a_schema_names_those_that_there_are(place: Path, address: str) -> None:
    for warehouse in both(place, address):
        with pytest.raises(SourceError, match=r"no table 'web.nothing'(?s:.*)tables of web: events"):
            warehouse.table("web.nothing", {}, file="x.yml")
