"""Figures that several systems report: rules, queries on real tables, the page, the line among the risks."""

from __future__ import annotations

import json
import re
from datetime import date, datetime
from html import unescape
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
import yaml

from gazette.conclusions import agreement_of
from gazette.errors import ParamsError, SourceError
from gazette.params import ReconciliationsFile, Ruling, Told, load
from gazette.sources import Period, Warehouse, told_answer
from program import gazette
from small import WEEK, SmallProject

if TYPE_CHECKING:
    from pathlib import Path

LAST = date(2026, 11, 22)
EVIL = "<script>alert(1)</script>"
PERIOD = Period(datetime(2026, 11, 16), datetime(2026, 11, 23), 3)  # noqa: DTZ001  the clock of editions is UTC without zone


def ruling(**more: Any) -> Ruling:
    content = {
        "text": "Returns.",
        "low": -0.03,
        "high": -0.01,
        "use": "ledger",
        "by": "Carla",
        "ruled": date(2026, 9, 1),
    }
    return Ruling.model_validate(content | more)


@pytest.mark.parametrize(
    ("gap", "ruled", "state"),
    [
        (0.005, None, "agrees"),
        (-0.005, ruling(), "agrees"),
        (0.0051, None, "no ruling"),
        (-0.02, ruling(), "explained"),
        (-0.03, ruling(), "explained"),
        (-0.031, ruling(), "beyond the ruling"),
        (0.02, ruling(), "beyond the ruling"),
        (-0.02, ruling(until=date(2026, 11, 21)), "no ruling"),
        (-0.02, ruling(until=LAST), "explained"),
        (-0.02, ruling(ruled=date(2026, 11, 23)), "no ruling"),
        (None, ruling(), "no data"),
    ],
)
def test_how_two_sources_stand_to_each_other(gap: float | None, ruled: Ruling | None, state: str) -> None:
    assert agreement_of(gap, 0.005, ruled, LAST) == state


SHEET: dict[str, Any] = {
    "owner": "office",
    "reconciliations": [
        {
            "id": "clicks",
            "title": "Clicks",
            "owner": "growth",
            "metric": "clicks",
            "reference": "tracker",
            "tolerance": 0.01,
            "sources": [
                {"id": "tracker", "title": "the tracker", "table": "tracked", "time": "happened", "arrived": "loaded", "aggregation": "count"},
                {"id": "ledger", "title": "the ledger", "table": "booked", "time": "day", "aggregation": "sum", "value": "amount"},
            ],
        }
    ],
}  # fmt: skip


def sheet(**source: Any) -> dict[str, Any]:
    """The sheet with other keys of the second source."""
    content: dict[str, Any] = json.loads(json.dumps(SHEET))
    content["reconciliations"][0]["sources"][1] |= source
    return content


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda f: f.update(reference="nobody"), "reference 'nobody' is not one of the sources"),
        (lambda f: f["sources"].pop(), "at least 2"),
        (lambda f: f["sources"][1].update(id="tracker"), "two sources have the same id"),
        (lambda f: f["sources"][1].update(value=None), "needs a value column"),
        (lambda f: f["sources"][1].update(ruling=json.loads(ruling(use="tracker").model_dump_json()) | {"use": "x"}), "is not one of"),
        (lambda f: f["sources"][0].update(ruling=json.loads(ruling().model_dump_json())), "not with the reference"),
        (lambda f: f["sources"][1].update(ruling=json.loads(ruling().model_dump_json()) | {"low": 0.5}), "lies below low"),
        (lambda f: f.update(tolerance=-1.0), "tolerance"),
        (lambda f: f.update(metric="nothing"), "unknown metric 'nothing'"),
    ],
)  # fmt: skip
def test_a_wrong_sheet_is_named_with_file_and_line(small: SmallProject, change: Any, words: str) -> None:
    small.add_metric("clicks", title="Clicks", unit="count")
    content = sheet()
    change(content["reconciliations"][0])
    (small.root / "params" / "reconciliations.yml").write_text(yaml.safe_dump(content))
    with pytest.raises(ParamsError, match=r"reconciliations\.yml:\d+") as error:
        load(small.root / "params")
    assert words in str(error.value)


def test_a_source_is_what_a_hand_count_of_its_rows_says(tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "w.duckdb")) as warehouse:
        warehouse.execute("CREATE TABLE t (happened TIMESTAMP, loaded TIMESTAMP, kind VARCHAR, v DECIMAL(9, 2))")
        rows = [
            ("2026-11-15 23:59:59", "2026-11-16", "a", 1),
            ("2026-11-16 00:00:00", "2026-11-16", "a", 2),
            ("2026-11-16 12:00:00", "2026-11-17", "a", 3.5),
            ("2026-11-16 12:00:00", "2026-11-17", "b", 100),
            ("2026-11-22 23:59:59", "2026-11-22 23:59:59", "a", 4),
            ("2026-11-22 10:00:00", "2026-11-23 00:00:00", "a", 1000),
            ("2026-11-23 00:00:00", "2026-11-22", "a", 1000),
            ("2026-11-01 23:00:00", "2026-11-02", "a", 1000),
        ]
        warehouse.executemany("INSERT INTO t VALUES (?, ?, ?, ?)", rows)
    base = {
        "id": "s",
        "title": "S",
        "table": "t",
        "time": "happened",
        "arrived": "loaded",
        "where": [{"column": "kind", "equals": "a"}],
    }
    with Warehouse("duckdb://w.duckdb", project=tmp_path) as opened:
        added = told_answer(
            opened, "s", Told.model_validate({**base, "aggregation": "sum", "value": "v"}), PERIOD
        ).table.to_pylist()
        counted = told_answer(
            opened, "s", Told.model_validate({**base, "aggregation": "count"}), PERIOD
        ).table.to_pylist()
        with pytest.raises(SourceError, match="no table 'gone'"):
            told_answer(opened, "s", Told.model_validate({**base, "table": "gone", "aggregation": "count"}), PERIOD)
    assert [(r["day"], r["value"], r["rows"]) for r in added] == [
        (date(2026, 11, 15), 1.0, 1), (date(2026, 11, 16), 5.5, 2), (date(2026, 11, 22), 4.0, 1),
    ]  # fmt: skip
    assert [r["value"] for r in counted] == [1.0, 2.0, 1.0]


def told(small: SmallProject, content: dict[str, Any], *, amount: float = 9.7) -> None:
    """Ten clicks a day in the tracker, so much in the ledger."""
    small.add_metric("clicks", title="Clicks", unit="count")
    (small.root / "params" / "reconciliations.yml").write_text(yaml.safe_dump(content))
    ReconciliationsFile.model_validate(content)
    with duckdb.connect(str(small.root / "warehouse.duckdb")) as warehouse:
        days = "FROM range(21) d(i), range(10) r(j)"
        warehouse.execute(
            f"CREATE TABLE tracked AS SELECT TIMESTAMP '2026-11-02' + to_days(i::INT) AS happened, happened AS loaded {days}"
        )
        warehouse.execute(
            f"CREATE TABLE booked AS SELECT DATE '2026-11-02' + i::INT AS day, {amount} / 10 AS amount {days}"
        )


def words(path: Path) -> str:
    """Text of a page, on one line."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", "", path.read_text(encoding="utf-8"))))


@pytest.mark.integration
def test_a_difference_that_nobody_ruled_on_is_on_its_page_and_among_the_risks(small: SmallProject) -> None:
    told(small, sheet(title=EVIL))
    gazette("build", WEEK, project=small.root)
    site = small.root / "editions" / WEEK / "site"
    record = json.loads((site.parent / "records" / "reconciliation.json").read_text())
    numbers = {n["id"]: n for n in record["numbers"]}
    assert numbers["reconciliation.clicks.tracker"]["value"] == 70
    assert numbers["reconciliation.clicks.ledger"]["value"] == pytest.approx(67.9)
    assert numbers["reconciliation.clicks.ledger.gap"]["value"] == pytest.approx(-0.03)
    assert numbers["reconciliation.clicks.ledger"]["query"] == "clicks--ledger"
    assert [f["rule"] for f in record["findings"]] == ["sources-unruled"]
    page = (site / "reconciliation.html").read_text(encoding="utf-8")
    assert EVIL not in page
    assert "and nobody has ruled which of them counts" in words(site / "reconciliation.html")
    assert "and nobody has ruled which of them counts" in words(site / "index.html")
    assert 'href="reconciliation.html"' in (site / "index.html").read_text(encoding="utf-8")
    gazette("replay", WEEK, "--page", "reconciliation", project=small.root)


@pytest.mark.integration
def test_a_ruling_explains_and_the_summary_is_silent(small: SmallProject) -> None:
    told(small, sheet(ruling=json.loads(ruling(text="Returns are taken off.", low=-0.04).model_dump_json())))
    gazette("build", WEEK, project=small.root)
    site = small.root / "editions" / WEEK / "site"
    said = words(site / "reconciliation.html")
    assert "as Carla ruled on" in said
    assert "Returns are taken off. What counts is the ledger." in said
    assert "Sources compared" not in words(site / "index.html")


@pytest.mark.integration
def test_a_source_that_cannot_be_read_is_named_and_stops_nothing(small: SmallProject) -> None:
    told(small, sheet(table="gone"))
    gazette("build", WEEK, project=small.root)
    record = json.loads((small.root / "editions" / WEEK / "records" / "reconciliation.json").read_text())
    assert [f["rule"] for f in record["findings"]] == ["sources-no-data"]
    assert "the warehouse has no table 'gone'" in words(small.root / "editions" / WEEK / "site" / "index.html")
