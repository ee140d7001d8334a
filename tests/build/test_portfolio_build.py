"""The portfolio page of whole editions: what the history says, what it may not yet say, and what happens without it."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from gazette.record import Record
from program import gazette, writable

if TYPE_CHECKING:
    from pathlib import Path

    from small import SmallProject

pytestmark = pytest.mark.integration
WEEK = "2026-W47"
EVIL = "<script>alert('x')</script>{{< include secret >}}"
COLUMNS = "test, title, ended, decision, metric, effect, effect_error, realised, realised_error, realised_on"
ROWS = [
    *(
        f"('t{i}', 'Test {i}', DATE '2026-0{1 + i % 9}-10', 'ship', 'ctr', {0.008 + 0.001 * i}, 0.003, 0.005, 0.003, DATE '2026-11-0{1 + i % 9}')"
        for i in range(5)
    ),
    *(
        f"('s{i}', 'Stopped {i}', DATE '2026-0{1 + i}-12', 'stop', 'ctr', {0.002 * i - 0.006}, 0.003, NULL, NULL, NULL)"
        for i in range(5)
    ),
]


def with_history(small: SmallProject, *rows: str) -> SmallProject:
    small.site["history"] = "past_tests"
    small.write()
    small.add_pages("portfolio")
    small.add_metrics("win-rate", "cumulative-effect", "realised-share")
    with duckdb.connect(str(small.root / "warehouse.duckdb")) as warehouse:
        warehouse.execute(f"CREATE TABLE past_tests AS SELECT * FROM (VALUES {', '.join(rows)}) v({COLUMNS})")
    return small


def build(small: SmallProject, week: str = WEEK, code: int = 0) -> dict[str, Any]:
    return dict(json.loads(gazette("build", week, "--json", project=small.root, code=code).stdout))


def folder(small: SmallProject, week: str = WEEK) -> Path:
    return small.root / "editions" / week


def record(small: SmallProject, week: str = WEEK) -> Record:
    return Record.from_json((folder(small, week) / "records" / "portfolio.json").read_bytes())


def page(small: SmallProject, week: str = WEEK) -> str:
    return (folder(small, week) / "site" / "portfolio.html").read_text()


def test_the_page_has_every_test_and_nothing_of_after_the_cut_off(small: SmallProject) -> None:
    late = (
        "('late', 'Late test', DATE '2026-11-23', 'ship', 'ctr', 0.9, 0.001, NULL, NULL, NULL)",
        f"('evil', '{EVIL.replace(chr(39), chr(39) * 2)}', DATE '2026-10-01', 'ship', 'ctr', 0.01, 0.003, 0.77, 0.001, DATE '2026-11-24')",
    )
    build(with_history(small, *ROWS, *late))
    found, text = record(small), page(small)
    assert found.number("portfolio.tests").value == 12, "ten past ones, the one with markup, the running one"
    assert found.number("portfolio.decided").value == 11
    assert found.number("portfolio.measured-again").value == 5
    assert "Late test" not in text
    assert "+77" not in text
    assert "<script>alert(" not in text
    assert "alert(&#x27;x&#x27;)" in text or "alert('x')" in text
    assert 'href="experiments/button.html"' in text
    assert 'href="portfolio.html"' in (folder(small) / "site" / "index.html").read_text()
    csv = (folder(small) / "site" / "data" / "portfolio" / "tests.csv").read_text()
    assert len(csv.strip().splitlines()) == 13


def test_the_same_edition_is_made_twice_byte_for_byte(small: SmallProject) -> None:
    build(with_history(small, *ROWS))
    first = {p.name: p.read_bytes() for p in (folder(small) / "records").iterdir()}
    before = page(small)
    (small.root / "editions" / ".published" / WEEK).unlink()
    shutil.rmtree(writable(small.root / "_site" / "editions" / WEEK))
    gazette("build", WEEK, "--force", project=small.root)
    assert {p.name: p.read_bytes() for p in (folder(small) / "records").iterdir()} == first
    assert page(small) == before


def test_a_history_that_cannot_be_read_stops_no_edition_and_the_page_says_so(small: SmallProject) -> None:
    small = with_history(small, *ROWS)
    with duckdb.connect(str(small.root / "warehouse.duckdb")) as warehouse:
        warehouse.execute("ALTER TABLE past_tests DROP effect_error")
    build(small)
    assert "portfolio-unread" in {f.rule for f in record(small).findings}
    assert "could not be read" in page(small)
    assert "effect_error" in page(small)


def test_an_experiment_of_an_earlier_edition_stays_in_the_portfolio(small: SmallProject) -> None:
    """The test of W46 is over for longer than it stays in the editions."""
    small.site["ended_weeks"] = 0
    small.experiment |= {"end": "2026-11-15"}
    small = with_history(small, *ROWS)
    build(small, "2026-W46")
    small.add_experiment("later", start="2026-11-16", end="2026-11-29")
    with duckdb.connect(str(small.root / "warehouse.duckdb")) as warehouse:
        warehouse.execute(
            "UPDATE experiment_assignments SET assigned_at = assigned_at + INTERVAL 7 DAY WHERE experiment = 'later'"
        )
    (small.root / "params" / "site.yml").write_text(
        (small.root / "params" / "site.yml").read_text().replace("button.ctr.treatment", "later.ctr.treatment")
    )
    build(small)
    assert not (folder(small) / "records" / "button.json").exists()
    assert "portfolio.test.button.effect" in {n.id for n in record(small).numbers}
    assert "last in edition 2026-W46" in page(small)
    assert record(small, "2026-W46").number("portfolio.tests").value == 11
    assert record(small).number("portfolio.tests").value == 12


def test_a_portfolio_that_fails_is_named_on_a_whole_site(small: SmallProject) -> None:
    small.template("portfolio", "raise RuntimeError('portfolio broke')")
    answer = build(small, code=1)
    assert answer["published"]
    assert "portfolio broke" in page(small)
    assert 'href="portfolio.html"' in (folder(small) / "site" / "index.html").read_text()


def test_a_project_whose_history_has_no_defined_metrics_is_told_which(small: SmallProject) -> None:
    small.site["history"] = "past_tests"
    small.write()
    says = gazette("check", project=small.root, code=1)
    for name in ("win-rate", "cumulative-effect", "realised-share"):
        assert f"unknown metric '{name}'" in says.stdout + says.stderr
