"""Editions whose numbers are computed twice: what is kept and said, and that a fault of either side keeps them back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import date, datetime
from typing import TYPE_CHECKING

import duckdb
import pytest

from gazette.errors import EditionError
from gazette.recompute import FILE, read_recomputed
from gazette.recompute._arithmetic import Second
from gazette.recompute._compare import Disagreement, _agree
from gazette.record import Interval, Number
from program import gazette, other_library
from small import WEEK, SmallProject

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser

CLOCK = datetime(2026, 11, 23)  # noqa: DTZ001  the clock of editions is UTC without zone


def number(value: float, low: float | None = None, high: float | None = None) -> Number:
    span = None if low is None or high is None else Interval(low=low, high=high, level=0.95, method="t")
    return Number(
        id="a.b", label="B", value=value, unit="number", interval=span, metric="b", metric_version=1, cell="c", query=None,
        snapshot="s", as_of=CLOCK,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        (number(100.0), Second(100.00001), True),
        (number(100.0), Second(100.001), False),
        (number(0.0), Second(0.0), True),
        (number(0.0), Second(1e-12), False),
        (number(0.0, -1.0, 1.0), Second(1e-7, -1.0, 1.0), True),
        (number(5.0, 4.0, 6.0), Second(5.0, 4.0005, 6.0), True),
        (number(5.0, 4.0, 6.0), Second(5.0, 4.01, 6.0), False),
        (number(5.0, 4.0, 6.0), Second(5.0, 4.0, 5.99), False),
        (number(5.0, 4.0, 6.0), Second(5.0), True),
        (number(5.0), Second(float("nan")), False),
    ],
)
def test_values_agree_to_a_millionth_and_ranges_to_a_thousandth_of_their_half(
    first: Number, second: Second, same: bool
) -> None:
    assert _agree(first, second) is same


def test_a_disagreement_shows_both_sides_in_full() -> None:
    said = str(Disagreement("a", number(0.1 + 0.2, 0.2, 0.4), Second(0.31, 0.21, 0.41)))
    assert said == "a.b: published 0.30000000000000004 (0.2 to 0.4), the second time 0.31 (0.21 to 0.41)"
    assert str(Disagreement("a", number(1.0), None)) == "a.b: published 1.0, the second time no value"


def spending(root: Path) -> SmallProject:
    """Click-through and, as a second metric, clicks a user; some users click twice, some clicks come after the cut-off, a day came five times."""
    small = SmallProject(root)
    small.experiment["secondary"] = ["clicks"]
    small.write()
    fact = {**small.metric["fact"], "aggregation": "count"}
    small.add_metric("clicks", title="Clicks a user", unit="number", fact=fact)
    with duckdb.connect(str(small.root / "warehouse.duckdb")) as warehouse:
        warehouse.execute(
            "INSERT INTO events SELECT unit_id, happened_at + INTERVAL 1 MINUTE, loaded_at FROM events WHERE unit_id LIKE '%0'"
        )
        warehouse.execute(
            "INSERT INTO events SELECT unit_id, assigned_at, TIMESTAMP '2026-11-24' FROM experiment_assignments WHERE unit_id LIKE 'blue-%5'"
        )
        warehouse.execute(
            "INSERT INTO events SELECT unit_id, happened_at, loaded_at + INTERVAL 1 HOUR FROM events, range(4) WHERE happened_at::DATE = '2026-11-17'"
        )
    return small


def build_with(small: SmallProject, library: Path, file: str, old: str, new: str) -> subprocess.CompletedProcess[str]:
    """Build with a library in which one place is another."""
    other_library(library, (file, old, new))
    return subprocess.run(
        [sys.executable, "-m", "gazette", "build", WEEK, "--project", str(small.root)],
        env={**os.environ, "PYTHONPATH": str(library)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.integration
def test_an_edition_keeps_and_shows_what_was_computed_twice(tmp_path: Path, browser: Browser) -> None:
    small = spending(tmp_path / "project")
    gazette("build", WEEK, project=small.root)
    edition = small.root / "editions" / WEEK
    found = read_recomputed(edition)
    assert found is not None
    assert not found.failed
    record = json.loads((edition / "records" / "button.json").read_text())
    published = {n["id"]: n for n in record["numbers"] if isinstance(n["value"], float)}
    checked = {c.id: c for c in found.checked}
    assert {
        "button.units", "button.n.blue", "button.ctr.control", "button.ctr.treatment", "button.ctr.difference", "button.ctr.relative",
        "button.clicks.control", "button.clicks.difference", "button.clicks.relative",
    } <= set(checked)  # fmt: skip
    assert checked["button.ctr.difference"].low == pytest.approx(
        published["button.ctr.difference"]["interval"]["low"], abs=1e-5
    )
    assert checked["button.clicks.difference"].low is None, "secondary ranges are widened together, once"
    with duckdb.connect(str(small.root / "warehouse.duckdb"), read_only=True) as warehouse:
        events = warehouse.execute(
            "SELECT unit_id, happened_at FROM events WHERE happened_at::DATE = '2026-11-17'"
        ).df()
    share = float(events.duplicated().mean())
    assert (
        published["button.clicks.repeated"]["value"] == checked["button.clicks.repeated"].value == pytest.approx(share)
    )
    assert len(checked) < found.numbers
    said = f"{len(checked)} of {found.numbers} numbers were computed a second time"
    assert said in (edition / "site" / "index.html").read_text(encoding="utf-8")
    page = browser.new_page()
    page.goto((edition / "site" / "provenance.html").as_uri())
    assert said in page.locator("#computed-twice").inner_text()
    row = page.locator("tr", has_text="button.ctr.difference").first
    assert f"{published['button.ctr.difference']['value']:.12g}" in (row.text_content() or "")
    page.goto((edition / "site" / "experiments" / "button.html").as_uri())
    warning = page.locator("tr", has_text="Each row once").inner_text()
    assert "events, Tuesday" in warning
    assert f"{100 * share:g} %" in warning
    page.locator('.gz-number[data-passport*="button.ctr.relative"]').first.click()
    card = page.locator("#gz-card")
    assert "computed a second time by separate code: the same" in card.inner_text()
    page.close()
    gazette("verify", project=small.root)


FAULTS = {
    "fan-out": (
        "sources/_experiment.py",
        'return rows.group_by("unit_id").aggregate(',
        'rows = rows.union(rows)\n    return rows.group_by("unit_id").aggregate(',
        "button.clicks.control",
    ),
    "cut-off": (
        "sources/_units.py",
        "(arrived < period.cutoff)",
        "(arrived < period.cutoff + timedelta(days=3))",
        "button.ctr.control",
    ),
    "statistic": (
        "stats/_estimates.py",
        "float(ndtri(0.5 + level / 2))",
        "float(ndtri(0.5 + level / 2)) * 1.05",
        "button.ctr.treatment",
    ),
    "bounds": (
        "stats/_design.py",
        "list(accumulate(self.times, max)) or",
        "[1.1 * t for t in accumulate(self.times, max)] or",
        "button.ctr.difference",
    ),
    "second": (
        "recompute/_entered.py",
        "since IS NOT NULL AND arm = other",
        "since IS NOT NULL AND unit NOT LIKE '%7'",
        "button.units",
    ),
}


@pytest.mark.integration
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_either_side_keeps_the_edition_back_and_names_its_numbers(tmp_path: Path, fault: str) -> None:
    small = spending(tmp_path / "project")
    if fault == "bounds":  # at its last look a test spends all that is left, however it is counted
        small.experiment |= {"end": date(2026, 12, 6), "planned_units": 800}
        path = small.root / "params" / "experiments" / "button.yml"
        path.write_text(
            path.read_text().replace("2026-11-22", "2026-12-06").replace("planned_units: 400", "planned_units: 800")
        )
    *where, named = FAULTS[fault]
    done = build_with(small, tmp_path / "library", *where)
    assert done.returncode != 0, done.stdout
    assert "came out otherwise the second time" in done.stderr
    assert f"{named}: published" in done.stderr
    assert not (small.root / "editions" / WEEK).exists()
    assert not (small.root / "_site").exists()
    log = json.loads((small.root / ".gazette" / "logs" / f"{WEEK}-recomputed.json").read_text())
    assert named in {d["number"]["id"] for d in log["disagreements"]}
    assert any("FROM" in sql for sql in log["second_queries"].values())


@pytest.mark.integration
def test_a_fault_in_segments_keeps_the_edition_back(tmp_path: Path) -> None:
    small = SmallProject(tmp_path / "project")
    small.experiment["segments"] = [{"title": "Country", "table": "users", "unit": "unit_id", "column": "country"}]
    small.write()
    with duckdb.connect(str(small.root / "warehouse.duckdb")) as warehouse:
        warehouse.execute(
            "CREATE TABLE users AS SELECT unit_id, ['DE', 'DK', 'FR', NULL][(1 + hash(unit_id) % 4)::BIGINT] AS country FROM experiment_assignments"
        )
    done = build_with(
        small, tmp_path / "library", "sources/_experiment.py",
        'joined.mutate(part=value.fill_null("")', 'joined.mutate(part=value.fill_null("").substr(0, 1)',
    )  # fmt: skip
    assert done.returncode != 0, done.stdout
    assert "button.segments.0." in done.stderr
    assert not (small.root / "editions" / WEEK).exists()
    log = json.loads((small.root / ".gazette" / "logs" / f"{WEEK}-recomputed.json").read_text())
    assert {"Country DE, blue, n", "Country DK, green, n", "Country D, blue, n"} <= {
        d["number"]["label"] for d in log["disagreements"]
    }
    gazette("build", WEEK, project=small.root)


def valued(root: Path, **metric: object) -> SmallProject:
    """Two treatments, the first as good as the control and the second better, with a stated worth and cost."""
    small = SmallProject(root)
    small.experiment |= {
        "variants": [{"id": v, "title": v.title(), "weight": w} for v, w in (("blue", 0.4), ("red", 0.2), ("green", 0.4))],
        "impact": {"value_per_unit": 2.0, "units_per_month": 1000.0, "base": "clicks"},
        "cost": {"build": 120.0, "build_months": 12, "run_per_month": 5.0, "source": "team"},
    }  # fmt: skip
    small.metric |= metric
    small.write()
    with duckdb.connect(str(small.root / "warehouse.duckdb")) as warehouse:
        warehouse.execute(
            "INSERT INTO experiment_assignments SELECT experiment, 'r' || unit_id, 'red', assigned_at FROM experiment_assignments WHERE unit_id LIKE 'blue-1%' LIMIT 100"
        )
        warehouse.execute(
            "INSERT INTO events SELECT 'r' || unit_id, happened_at, loaded_at FROM events WHERE unit_id LIKE 'blue-1%'"
        )
    return small


@pytest.mark.integration
def test_the_worth_of_the_treatment_that_a_page_speaks_of_is_computed_twice(tmp_path: Path) -> None:
    small = valued(tmp_path / "project")
    gazette("build", WEEK, project=small.root)
    found = read_recomputed(small.root / "editions" / WEEK)
    assert found is not None
    checked = {c.id: c.value for c in found.checked}
    gap = checked["button.green.ctr.difference"]
    assert checked["button.impact"] == checked["executive.button.benefit"] == pytest.approx(2000 * gap)
    assert checked["button.green.net"] == checked["executive.button.net"] == pytest.approx(2000 * gap - 15)
    assert checked["button.red.net"] == pytest.approx(2000 * checked["button.red.ctr.difference"] - 15)


@pytest.mark.integration
def test_where_less_is_better_a_fall_is_worth_money_on_both_sides_and_on_the_summary(tmp_path: Path) -> None:
    small = valued(tmp_path / "project", direction="lower", title="Carts left")
    with duckdb.connect(str(small.root / "warehouse.duckdb")) as warehouse:  # green leaves fewest
        warehouse.execute("DELETE FROM events WHERE unit_id LIKE 'green%'")
        warehouse.execute(
            "INSERT INTO events SELECT unit_id, assigned_at, assigned_at FROM experiment_assignments WHERE variant <> 'green' AND hash(unit_id) % 3 = 0 "
            "OR unit_id LIKE 'green%0'"
        )
    gazette("build", WEEK, project=small.root)
    edition = small.root / "editions" / WEEK
    record = json.loads((edition / "records" / "button.json").read_text())
    numbers = {n["id"].removeprefix("button."): n for n in record["numbers"]}
    gap, worth, net = (numbers[k] for k in ("green.ctr.difference", "impact", "green.net"))
    assert gap["interval"]["high"] < 0, "all of the range is fewer carts left"
    assert record["verdicts"][0]["state"] == "benefit shown"
    assert worth["value"] == pytest.approx(-2000 * gap["value"])
    assert worth["interval"]["low"] == pytest.approx(-2000 * gap["interval"]["high"])
    assert worth["interval"]["high"] == pytest.approx(-2000 * gap["interval"]["low"])
    assert worth["direction"] == net["direction"] == "higher", "more money is better, whatever it is paid for"
    assert net["interval"]["low"] == pytest.approx(worth["interval"]["low"] - 15)
    found = read_recomputed(edition)
    assert found is not None
    checked = {c.id: c for c in found.checked}
    assert checked["button.impact"].low == pytest.approx(worth["interval"]["low"], rel=1e-3)
    assert checked["executive.button.net"].value == pytest.approx(net["value"])
    summary = json.loads((edition / "records" / "executive.json").read_text())
    price = next(n for n in summary["numbers"] if n["id"] == "executive.button.waiting")
    assert price["value"] >= net["value"] * 7 / (365.25 / 12) * 0.999, "waiting forgoes what a fall brings"


@pytest.mark.integration
def test_the_worth_of_another_treatment_than_the_page_speaks_of_keeps_the_edition_back(tmp_path: Path) -> None:
    small = valued(tmp_path / "project")
    done = build_with(
        small, tmp_path / "library", "workbench/_experiment.py",
        "difference = self.reading.effects(self.arm)[0]", "difference = self.reading.effects(self.plan.treatments[0].id)[0]",
    )  # fmt: skip
    assert "button.impact: published" in done.stderr


@pytest.mark.integration
def test_a_second_query_that_fails_is_named_and_stops_nothing(tmp_path: Path) -> None:
    small = spending(tmp_path / "project")
    done = build_with(
        small, tmp_path / "library", "recompute/_experiment.py", "COUNT(*) AS n FROM seen", "COUNT(*) AS n FROM nowhere"
    )
    assert done.returncode == 0, done.stderr
    edition = small.root / "editions" / WEEK
    found = read_recomputed(edition)
    assert found is not None
    assert [(f.subject, f.query) for f in found.failed] == [("button", "arms")]
    assert "nowhere" in found.failed[0].reason
    assert "1 query of the second computation failed" in (edition / "site" / "index.html").read_text(encoding="utf-8")
    assert "nowhere" in (edition / "site" / "provenance.html").read_text(encoding="utf-8")


@pytest.mark.integration
def test_where_it_is_switched_off_the_pages_say_so(small: SmallProject) -> None:
    small.site["recompute"] = False
    small.write()
    gazette("build", WEEK, project=small.root)
    edition = small.root / "editions" / WEEK
    assert read_recomputed(edition) is None
    assert not (edition / "snapshot" / "recomputed").exists()
    for page in ("index.html", "provenance.html"):
        assert "The second computation of numbers is switched off." in (edition / "site" / page).read_text(
            encoding="utf-8"
        )


@pytest.mark.parametrize("content", ["", "{", '{"numbers": -1}', '{"numbers": 3, "checked": [{"page": "a"}]}', "[]"])
def test_a_damaged_list_is_a_clear_error(tmp_path: Path, content: str) -> None:
    (tmp_path / FILE).write_text(content)
    with pytest.raises(EditionError, match="cannot be read") as error:
        read_recomputed(tmp_path)
    assert FILE in str(error.value)
