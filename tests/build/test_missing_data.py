"""What is missing is said on the page: no false number, no failed build."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
import yaml

from gazette.record import Record
from program import gazette, only

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.integration
WEEK = "2026-W47"


def project(place: Path, thin: Path, sql: list[str], **changes: dict[str, Any]) -> Path:
    """The demo's two models without experiments; ``changes`` are merged into parameter files, ``sql`` runs in the warehouse."""
    shutil.copytree(thin, place)
    only(place, "flight-delay", "recommender")
    for name, change in changes.items():
        path = place / "params" / ("site.yml" if name == "site" else f"models/{name.replace('_', '-')}.yml")
        content = yaml.safe_load(path.read_text())
        for key, value in change.items():
            content[key] = {**content[key], **value} if isinstance(value, dict) else value
        path.write_text(yaml.safe_dump(content))
    site = place / "params" / "site.yml"
    site.write_text(site.read_text().replace("history_weeks: 12", "history_weeks: 4"))
    with duckdb.connect(str(place / ".gazette" / "demo" / "warehouse.duckdb")) as warehouse:
        for text in sql:
            warehouse.execute(text)
    gazette("build", WEEK, "--engine", "embedded", project=place)
    return place


def record(place: Path, page: str) -> Record:
    return Record.from_json((place / "editions" / WEEK / "records" / f"{page}.json").read_bytes())


def text_of(place: Path, page: str) -> str:
    return (place / "editions" / WEEK / "site" / f"{page}.html").read_text()


def test_no_outcomes_yet_and_a_model_never_scored(thin: Path, tmp_path: Path) -> None:
    place = project(
        tmp_path / "project",
        thin,
        [
            "DELETE FROM flight_labels WHERE known_at >= TIMESTAMP '2026-11-16'",
            "DELETE FROM recommender_requests",
            "DELETE FROM serving_telemetry WHERE service = 'recommender' AND \"at\" >= TIMESTAMP '2026-11-20'",
        ],
    )
    assert not list((place / "editions" / WEEK / "failures").iterdir())
    flight = record(place, "flight-delay")
    assert not flight.number("flight-delay.auc").published
    assert "no rows with a known outcome" in text_of(place, "models/flight-delay")
    shop = record(place, "recommender")
    assert all(not n.published for n in shop.numbers if n.id.startswith("recommender.ndcg-5"))
    assert "no rows this week" in text_of(place, "models/recommender")
    states = {(a.id, a.subject): a.state for a in record(place, "operations").alerts}
    assert states["latency-limit", "recommender"] == "no data"
    assert "since 2026-11-20" in " ".join(a.why for a in record(place, "operations").alerts)


def test_a_registry_alias_that_is_gone_and_telemetry_that_cannot_be_read(thin: Path, tmp_path: Path) -> None:
    place = project(
        tmp_path / "project",
        thin,
        [
            "UPDATE flight_labels SET delayed = 0 WHERE flight_id IN (SELECT flight_id FROM flight_predictions WHERE origin = 'EWR')"
        ],
        recommender={"registry": {"live": "nobody"}},
        site={
            "operations": {
                "telemetry": "nowhere",
                "dashboard": "https://grafana.invalid/d/x?from={from}&to={to}&var-service={service}",
            }
        },
    )
    assert not list((place / "editions" / WEEK / "failures").iterdir())
    shop = record(place, "recommender")
    assert "'nobody'" in str(shop.number("recommender.ndcg-5").value)
    assert "nobody" in text_of(place, "models/recommender")
    operations = record(place, "operations")
    assert "source-unread" in {f.rule for f in operations.findings}
    assert "nowhere" in text_of(place, "operations")
    assert "from=1794787200000&amp;to=1795392000000&amp;var-service=recommender" in text_of(place, "operations")
    latency = [a for a in operations.alerts if a.id == "latency-limit"]
    assert {a.state for a in latency} == {"no data"}
    assert {a.subject for a in latency} == {"flight-delay", "recommender"}
    page = text_of(place, "models/flight-delay")
    assert "one class only" in page, "of the segment whose flights were all punctual"
    csv = (place / "editions" / WEEK / "site" / "data" / "flight-delay" / "segments.csv").read_text()
    assert json.dumps(csv).count("EWR") == 1
