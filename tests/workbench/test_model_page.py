"""The demo's model and operations pages, from its sealed edition."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pytest

from gazette.record import Record
from gazette.workbench import open_model, open_operations

if TYPE_CHECKING:
    from pathlib import Path

WEEK = "2026-W47"
pytestmark = pytest.mark.integration


def record(built: Path, page: str, week: str = WEEK) -> Record:
    return Record.from_json((built / "editions" / week / "records" / f"{page}.json").read_bytes())


def test_the_real_seasonal_drift_of_flights_shows_and_is_named(built: Path) -> None:
    flights = record(built, "flight-delay")
    found = next(f for f in flights.findings if f.rule == "drift-seasonal")
    named = [v for k, v in found.terms.items() if k.startswith("feature_")]
    assert "temp" in named
    assert "month_day" not in named, "a field of the calendar is no drift"
    assert found.terms["season"] == "November"
    distance = flights.number("flight-delay.drift.temp").value
    assert isinstance(distance, float)
    assert distance > 0.3


def test_every_measure_has_its_range_and_both_differences(built: Path) -> None:
    flights = record(built, "flight-delay")
    for measure in ("auc", "pr-auc", "log-loss", "calibration-gap", "precision", "recall"):
        for suffix in ("", ".vs-baseline", ".change"):
            number = flights.number(f"flight-delay.{measure}{suffix}")
            assert number.published
            assert number.interval is not None


def test_editions_know_which_version_was_live_when(built: Path) -> None:
    model = open_model("flight-delay", edition=WEEK, root=built / "editions" / WEEK)
    frame = model.lived().frame
    assert frame["edition"].tolist() == ["2026-W47", "2026-W46", "2026-W45"]
    assert set(frame["live"]) == {"2"}
    assert frame["run"].str.len().min() > 0


def test_an_alert_that_fires_on_from_week_to_week_keeps_its_start(built: Path) -> None:
    first, last = ({(a.id, a.subject): a for a in record(built, "operations", w).alerts} for w in ("2026-W45", WEEK))
    drift = ("drift", "flight-delay")
    assert first[drift].state == last[drift].state == "firing"
    assert first[drift].since == last[drift].since


def test_the_incident_of_the_week_before_is_remembered_in_its_edition_alone(built: Path) -> None:
    """The demo's recommender was slow and failed on 11 November from 14 to 17 o'clock."""
    during = open_operations(edition="2026-W46", root=built / "editions" / "2026-W46")
    fired = {(s.alert, s.subject) for s in during.states if s.episodes}
    assert {
        ("model-not-serving", "recommender"),
        ("latency-limit", "recommender"),
        ("cache-cold", "recommender"),
        ("out-of-memory", "recommender"),
    } <= fired
    state = next(s for s in during.states if (s.alert, s.subject) == ("model-not-serving", "recommender"))
    assert [f"{t:%d %H:%M}" for t in state.episodes[0]] == ["11 14:00", "11 17:00"]
    after = open_operations(edition=WEEK, root=built / "editions" / WEEK)
    assert not any(s.episodes for s in after.states if (s.alert, s.subject) == ("model-not-serving", "recommender"))


def test_a_pipeline_that_failed_fires_until_its_next_run_went_well(
    built: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    operations = open_operations(edition=WEEK, root=built / "editions" / WEEK)
    times = [("2026-11-16 02:10", "ok"), ("2026-11-17 02:10", "failed"), ("2026-11-18 05:40", "ok")]
    runs = [
        {"pipeline": "p", "started_at": pd.Timestamp(t), "finished_at": pd.Timestamp(t), "status": s} for t, s in times
    ]
    monkeypatch.setattr(operations, "rows", lambda name: runs if name == "pipeline_runs" else [])
    state = next(s for s in operations.states if s.alert == "pipeline-failed")
    assert state.state == "ok"
    assert [(f"{a:%d %H:%M}", f"{b:%d %H:%M}") for a, b in state.episodes] == [("17 02:00", "18 05:00")]
    runs.append({**runs[-1], "finished_at": pd.Timestamp("2026-11-22 03:00"), "status": "failed"})
    del operations.__dict__["states"]
    state = next(s for s in operations.states if s.alert == "pipeline-failed")
    assert state.state == "firing"
    assert f"{state.since:%d %H:%M}" == "22 03:00"


def test_the_operations_page_counts_what_chance_alone_would_raise(built: Path) -> None:
    """Two models, of which one names features: eight measures, of which a level is watched at 5 % each, and three rates of 5 %."""
    operations = open_operations(edition=WEEK, root=built / "editions" / WEEK)
    made = operations.emit().record
    number = made.number("operations.by-chance")
    assert number.value == pytest.approx(0.05 * (1 + 1 + 1 / 2) + 0.05 * 8)
    said = next(f for f in made.findings if f.rule == "alarms-by-chance")
    assert said.references == (number.id,)
