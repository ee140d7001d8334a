"""Risks on the summary of the demo's sealed edition."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gazette.display import Chart, Table
from gazette.workbench import open_summary

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.integration


def test_each_model_has_its_age_quality_checks_and_alerts(built: Path) -> None:
    summary = open_summary("executive", edition="2026-W47", root=built / "editions" / "2026-W47")
    table = summary.risks()
    assert isinstance(table, Table)
    rows = table.frame.set_index("subject")
    assert "140 days of 180 days" in rows.loc["flight-delay", "age"]
    assert "worse than last week" in rows.loc["flight-delay", "quality"]
    assert "An input has moved" in rows.loc["flight-delay", "alerts"]
    assert rows.loc["recommender", "alerts"] == "none"
    assert "in a usual week" in table.caption
    chart = summary.health()
    assert isinstance(chart, Chart)
    last = [r for r in chart.spec["data"]["values"] if r["state"]]
    assert {r["state"] for r in last} == {"worse", "steady"}
    assert len(last) == 2
