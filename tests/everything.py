"""Tables and parameters of every kind of query, for tests that ask all of them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from gazette.params import Experiment, Metric, Model
from gazette.sources import Period
from small import scored_model

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
    (hash(i, v, 12) % 1000) / 1000 AS ready, if(i % 40 = 0, NULL, i // 5) AS who FROM range(1500) t(i), range(1, 4) u(v) WHERE hash(i, v) % 20 > 0;
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
