"""A real PostgreSQL server says what DuckDB says of the same tables, to 1e-9, whatever is asked."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from gazette.errors import SourceError
from gazette.params import Before, Experiment, Metric, Model, Operations, Told
from gazette.recompute import ask
from gazette.sources import (
    Period,
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
from small import scored_model

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gazette.sources import Answer

pytestmark = pytest.mark.xdist_group("postgres")

PERIOD = Period(datetime(2026, 11, 16), datetime(2026, 11, 23), 3)  # noqa: DTZ001  the clock of editions is UTC without zone
VERSIONS = {"live": "2", "baseline": "1"}
DATA = """
CREATE SCHEMA web;
CREATE TABLE assigned AS
SELECT 'test' AS experiment, i AS unit_id, if(hash(i) % 2 = 0, 'a', 'b') AS variant,
    TIMESTAMP '2026-11-04' + to_minutes(CAST(hash(i, 1) % 25000 AS INTEGER)) AS assigned_at FROM range(600) t(i)
UNION ALL SELECT 'test', i, 'b', TIMESTAMP '2026-11-12' FROM range(0, 600, 40) t(i)
UNION ALL SELECT 'other', i, 'a', TIMESTAMP '2026-11-12' FROM range(600) t(i);
CREATE TABLE web.events AS
SELECT CAST(hash(i, 2) % 700 AS BIGINT) AS unit, if(i % 5 = 0, 'buy', 'look') AS kind,
    TIMESTAMP '2026-11-04' + to_minutes(CAST(hash(i, 3) % 27000 AS INTEGER)) AS "at", "at" + to_minutes(CAST(hash(i, 4) % 3000 AS INTEGER)) AS loaded,
    if(i % 20 = 7, NULL, CAST((1 + hash(i, 5) % 900) / 10.0 AS DECIMAL(9, 2))) AS value FROM range(3000) t(i);
CREATE TABLE past AS SELECT i AS unit, CAST(hash(i, 6) % 500 AS INTEGER) AS before, if(i % 3 = 0, 'phone', 'desk') AS device FROM range(0, 600, 2) t(i);
CREATE TABLE p AS
SELECT i AS id, TIMESTAMP '2026-11-02' + to_minutes(CAST(hash(i, 7) % 30239 AS INTEGER)) AS "at",
    "at" + to_minutes(CAST(hash(i, v, 8) % 300 AS INTEGER)) AS loaded, CAST(v AS VARCHAR) AS version,
    round((hash(i, 9) % 100 + hash(i, v, 10) % 60) / 160, 2) AS score, if(hash(i, 11) % 2 = 0, 'dk', 'se') AS country,
    (hash(i, v, 12) % 1000) / 1000 AS ready FROM range(1500) t(i), range(1, 4) u(v) WHERE hash(i, v) % 20 > 0;
CREATE TABLE y AS
SELECT i AS id, CAST(hash(i, 13) % 100 < hash(i, 9) % 100 AS {label}) AS label, CAST(hash(i, 14) % 9 > 0 AS BOOLEAN) AS checked,
    TIMESTAMP '2026-11-03' + to_minutes(CAST(hash(i, 7) % 30239 AS INTEGER)) AS known FROM range(1400) t(i);
CREATE TABLE features AS
SELECT i AS id, TIMESTAMP '2026-10-05' + to_minutes(i * 30) AS "at", "at" AS loaded, if(i % 50 = 0, NULL, (hash(i, 15) % 1000) / 7) AS width,
    CAST(hash(i, 16) % 9 AS INTEGER) AS hour, ['red', 'green', 'blue'][1 + CAST(hash(i, 17) % 3 AS INTEGER)] AS colour, i % 7 = 0 AS gift FROM range(2400) t(i);
CREATE TABLE items AS
SELECT CAST(i AS BIGINT) AS request, CAST(v AS VARCHAR) AS version, CAST(r AS INTEGER) AS rank, [0, 0, 0, 1, 3][1 + CAST(hash(i, v, r) % 5 AS INTEGER)] AS relevance
FROM range(1500) t(i), range(1, 4) u(v), range(1, 9) w(r);
CREATE TABLE shop AS
SELECT DATE '2026-09-01' + CAST(i AS INTEGER) AS day, c AS cohort, 900 + CAST(hash(i, c) % 200 AS INTEGER) AS users,
    CAST(users * (2 + (hash(i, c, 1) % 100) / 1000) AS DECIMAL(12, 2)) AS revenue, 50 AS nps_responses, 15 + CAST(hash(i, c, 2) % 10 AS INTEGER) AS nps_promoters,
    9 AS nps_detractors, 400 AS returning_users, CAST(DATE '2026-09-02' + CAST(i AS INTEGER) AS TIMESTAMP) AS loaded_at
FROM range(84) t(i), (VALUES ('new'), ('baseline')) c(c);
CREATE TABLE serving AS
SELECT TIMESTAMP '2026-10-26' + to_hours(i) AS "at", 'm' AS service, 900 + i % 24 * 10 AS requests, i % 3 AS errors, 40 + i % 7 AS latency_p50_ms,
    90 + i % 11 AS latency_p95_ms, 120.5 + i % 5 AS latency_p99_ms FROM range(672) t(i);
CREATE TABLE deployed AS SELECT TIMESTAMP '2026-11-10 08:00:00' AS "at", 'm' AS model, '2' AS model_version, 'production' AS environment, 'ada' AS deployed_by, 'é' AS note;
CREATE TABLE decided AS SELECT 'old' AS test, 'Old' AS title, DATE '2026-06-01' AS ended, 'ship' AS decision, 'ctr' AS metric, 0.1::DOUBLE AS effect, 0.02 AS effect_error;
"""
FACT = {"table": "web.events", "unit": "unit", "time": "at", "arrived": "loaded"}
SUM = {**FACT, "value": "value", "aggregation": "sum"}
PAST = {"covariate": {"table": "past", "unit": "unit", "column": "before"}}
BUY: dict[str, Any] = {
    "unit": "fraction",
    "fact": {**FACT, "aggregation": "any", "where": [{"column": "kind", "equals": "buy"}]},
}


def metric(**more: Any) -> Metric:
    changelog = [{"version": 1, "date": date(2026, 1, 5), "author": "o", "change": "First."}]
    base = {"title": "T", "owner": "o", "definition": "d", "unit": "number", "direction": "higher"}
    return Metric.model_validate({**base, "changelog": changelog, **more})


METRICS = {
    "spend": metric(fact=SUM),
    "bought": metric(**BUY),
    "adjusted-share": metric(**BUY, **PAST),
    "clicks": metric(fact={**FACT, "aggregation": "count"}),
    "capped": metric(fact=SUM, cap=60.0),
    "trimmed": metric(fact=SUM, cap_quantile=0.9),
    "adjusted": metric(fact=SUM, **PAST),
    "per-click": metric(fact=SUM, denominator={**FACT, "aggregation": "count"}),
    "middle": metric(fact=SUM, quantile=0.9),
}
PLAN = Experiment.model_validate(
    {
        "id": "test",
        "title": "T",
        "owner": "o",
        "description": "d",
        "hypothesis": "h",
        "start": date(2026, 11, 5),
        "end": date(2026, 11, 25),
        "assignments": "assigned",
        "control": "a",
        "variants": [{"id": v, "title": v, "weight": 0.5} for v in "ab"],
        "primary": "spend",
        "secondary": [m for m in METRICS if m != "spend"],
        "planned_units": 600,
        "minimum_effect": 0.1,
        "segments": [{"title": "Device", "table": "past", "unit": "unit", "column": "device"}],
    }
)
FEATURES = {
    "table": "features",
    "id": "id",
    "time": "at",
    "arrived": "loaded",
    "columns": {"width": {"low": 1, "high": 140}, "hour": {"low": 0}, "colour": {}, "gift": {}},
    "trained_from": date(2026, 10, 5),
    "trained_until": date(2026, 11, 2),
}
MORE: dict[str, Any] = {
    "features": FEATURES,
    "telemetry": {"table": "serving", "service": "m"},
    "deployments": {"table": "deployed", "model": "m"},
    "business": {"table": "shop"},
}
QUALITY = [
    {"metric": "ready", "column": "ready"},
    {"metric": "ndcg-5", "measure": "ndcg", "k": 5},
    {"metric": "precision-3", "measure": "precision", "k": 3},
]
ITEMS = {k: k for k in ("request", "version", "rank", "relevance")} | {"table": "items"}


def model(kind: str, **more: Any) -> Model:
    return scored_model(kind, arrived="loaded", known="known", segments=("country",), **more)


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
    ],
    ids=lambda m: m.kind,
)
def test_every_kind_of_model_is_the_same(place: Path, address: str, subject: Model) -> None:
    def asked(warehouse: Warehouse) -> list[Answer]:
        more = [importance_rows(warehouse, subject, PERIOD)] if subject.features else []
        return [*model_answers(warehouse, subject, PERIOD, VERSIONS), *more]

    assert compare([asked(w) for w in both(place, address)]) > 200


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
