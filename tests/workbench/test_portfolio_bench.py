"""The portfolio on a history written by hand: what counts, what does not, and what the page says when little is known."""

from __future__ import annotations

import json
import shutil
from datetime import date
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from gazette import display
from gazette.display import Block, Chart, Table
from gazette.record import NotPublished, Record
from gazette.snapshot import freeze
from gazette.sources import Answer, empty_history
from gazette.workbench import PortfolioBench, open_portfolio
from small import SmallProject

if TYPE_CHECKING:
    from pathlib import Path

WEEK = "2026-W47"
EVIL = "<script>alert('x')</script><img src=x onerror=alert(1)>"
NEEDED = ("win-rate", "cumulative-effect", "realised-share")


def past(test: str, **changes: Any) -> dict[str, Any]:
    row = dict.fromkeys(empty_history().schema.names) | {
        "test": test,
        "title": test.title(),
        "ended": date(2026, 8, 1),
        "decision": "stop",
        "metric": "ctr",
        "effect": 0.001,
        "effect_error": 0.004,
    }
    return row | changes


def decided(n: int) -> list[dict[str, Any]]:
    """Tests of which every second was shipped, winners ahead; the first four shipped ones were measured again."""
    rows = []
    for i in range(n):
        wins = i % 2 == 0
        again = {"realised": 0.006, "realised_error": 0.001, "realised_on": date(2026, 11, 1)} if wins and i < 8 else {}
        changes = {"effect": 0.012 + 0.001 * i, "decision": "ship"} if wins else {"effect": -0.004 - 0.001 * i}
        rows.append(past(f"test-{i:02}", ended=date(2026, 1, 1 + i), **changes, **again))
    return rows


def edition(
    small: SmallProject, rows: list[dict[str, Any]] | None, *, unread: str = "", more: list[Answer] | None = None
) -> PortfolioBench:
    """An edition's folder with this history (None: site.yml names none), opened."""
    small.add_metrics(*NEEDED)
    small.add_metric("abandoned", title="Left carts", direction="lower")
    root = small.root.parent / "edition"
    shutil.copytree(small.root / "params", root / "params")
    clock = {"edition": WEEK, "week_start": "2026-11-16", "cutoff": "2026-11-23T00:00:00"}
    (root / "edition.json").write_text(json.dumps(clock))
    for name in ("records", "failures"):
        (root / name).mkdir()
    if rows is not None:
        said = pa.table({"what": [unread] if unread else [], "reason": ["it is away"] if unread else []})
        table = pa.Table.from_pylist(sorted(rows, key=lambda r: r["ended"]), schema=empty_history().schema)
        freeze(
            "history",
            [Answer("past_tests", "SELECT 1\n", table), Answer("unread", "\n", said)],
            root / "snapshot" / "history",
        )
    if more:
        freeze("portfolio", more, root / "snapshot" / "portfolio")
    return open_portfolio("portfolio", edition=WEEK, root=root)


def record(bench: PortfolioBench) -> Record:
    return bench.emit().record


def rules(bench: PortfolioBench) -> dict[str, str]:
    """Each rule that spoke, with its last sentence."""
    found = record(bench)
    numbers = {n.id: n for n in found.numbers}
    return {f.rule: display.plain_sentence(f, numbers) for f in found.findings}


def html(bench: PortfolioBench) -> str:
    """All that the page shows."""
    parts = [
        bench.findings(),
        bench.cards(),
        bench.sums(),
        bench.sums_table(),
        bench.claims(),
        bench.claims_table(),
        bench.tests(),
    ]
    return "".join(p.to_html() if isinstance(p, Table) else p._repr_html_() for p in parts)


def test_rates_sums_and_claims_of_a_whole_history(small: SmallProject) -> None:
    bench = edition(small, decided(12))
    found = record(bench)
    assert (found.kind, found.subject) == ("portfolio", "portfolio")
    win, ships = found.number("portfolio.win-rate"), found.number("portfolio.ship-rate")
    assert (win.value, ships.value) == (0.5, 0.5)
    assert win.interval is not None
    assert (win.interval.low, win.interval.high) == pytest.approx((0.2538, 0.7462), abs=1e-4)  # Wilson, by hand
    naive = found.number("portfolio.cumulative.ctr.naive")
    corrected = found.number("portfolio.cumulative.ctr.corrected")
    assert naive.value == pytest.approx(sum(0.012 + 0.001 * i for i in range(0, 12, 2)))
    assert isinstance(corrected.value, float)
    assert isinstance(naive.value, float)
    assert 0 < corrected.value < naive.value
    share = found.number("portfolio.realised-share")
    assert share.value == pytest.approx(0.024 / (0.012 + 0.014 + 0.016 + 0.018))
    assert set(rules(bench)) >= {"portfolio-win-rate", "portfolio-cumulative", "claims-overstated", "claims-too-sure"}
    assert isinstance(bench.sums(), Chart)
    assert isinstance(bench.claims(), Chart)


def test_every_test_is_a_row_with_state_decision_and_effect_to_be_filtered(small: SmallProject) -> None:
    table = edition(small, decided(12)).tests()
    assert isinstance(table, Table)
    assert len(table.frame) == 12
    first = table.frame.iloc[0]
    assert (first["test"], first["decision"]) == ("test-11", "Stop, ended 12 January 2026")
    assert set(table.frame["state"]) == {"benefit shown", "not resolved", "harm shown"}
    assert 'data-filters="gz-rows-tests"' in table.to_html()


@pytest.mark.parametrize(
    ("realised", "error", "rule", "words"),
    [
        (0.004, 0.001, "claims-overstated", "so claims promised too much"),
        (0.015, 0.004, "claims-agree", "which agrees with what was claimed"),
        (0.030, 0.002, "claims-exceeded", "so more came than was promised"),
        (0.010, 0.030, "claims-open", "and with no gain at all"),
    ],
)
def test_what_came_of_claims_is_said_as_strongly_as_its_range_allows(
    small: SmallProject, realised: float, error: float, rule: str, words: str
) -> None:
    rows = [r if r["realised"] is None else r | {"realised": realised, "realised_error": error} for r in decided(12)]
    said = rules(edition(small, rows))
    assert words in said[rule]
    assert next(r for r in said if r.startswith("claims-")) == rule
    assert ("claims-coverage" in said) == (rule in {"claims-agree", "claims-open"})


def test_where_lower_is_better_a_fall_is_a_win_and_a_claim(small: SmallProject) -> None:
    rows = [
        {
            **r,
            "metric": "abandoned",
            "effect": -r["effect"],
            "realised": None if r["realised"] is None else -r["realised"],
        }
        for r in decided(12)
    ]
    found = record(edition(small, rows))
    assert found.number("portfolio.win-rate").value == 0.5
    assert found.number("portfolio.realised-share").value == pytest.approx(0.4)
    corrected = found.number("portfolio.cumulative.abandoned.corrected")
    assert isinstance(corrected.value, float)
    assert corrected.value < 0
    tones = {f.rule: f.tone for f in found.findings}
    assert tones["portfolio-cumulative"] == "good"


def test_no_history_an_empty_one_and_one_that_could_not_be_read_are_said(tmp_path: Path) -> None:
    for i, (rows, unread, rule) in enumerate(
        [(None, "", "portfolio-empty"), ([], "", "portfolio-empty"), ([], "past_tests", "portfolio-unread")]
    ):
        bench = edition(SmallProject(tmp_path / str(i) / "project"), rows, unread=unread)
        said = rules(bench)
        assert rule in said
        assert "No decided test is recorded" in said["portfolio-empty"]
        assert "past_tests (it is away)" in said.get("portfolio-unread", "past_tests (it is away)")
        assert all(
            isinstance(record(bench).number(f"portfolio.{n}").value, NotPublished)
            for n in ("win-rate", "realised-share")
        )
        assert "No test is known" in html(bench)


def test_one_row_is_a_history_too_short(small: SmallProject) -> None:
    bench = edition(small, decided(1))
    said = rules(bench)
    assert "History too short: 1 decided test is recorded" in said["portfolio-short"]
    assert "Too few shipped tests were measured again later (1)" in said["claims-unmeasured"]
    assert "not published (history too short)" in html(bench) or "no stopped test" in html(bench)
    assert isinstance(bench.tests(), Table)


def test_a_history_of_winners_alone_is_added_up_nowhere(small: SmallProject) -> None:
    bench = edition(small, [r for r in decided(24) if r["decision"] == "ship"])
    assert "portfolio-only-shipped" in rules(bench)
    assert "portfolio-cumulative" not in rules(bench)
    assert not record(bench).number("portfolio.cumulative.ctr.naive").published
    assert isinstance(bench.sums(), Block)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"metric": "nobody"}, "has no definition"),
        ({"effect": None}, "effect or standard error"),
        ({"effect_error": 0.0}, "effect or standard error"),
        ({"effect_error": -1.0}, "effect or standard error"),
        ({"effect": float("nan")}, "effect or standard error"),
        ({"effect_error": float("inf")}, "effect or standard error"),
        ({"test": None}, "it has no id"),
        ({"test": "  "}, "it has no id"),
        ({"test": "test-03", "ended": date(2025, 1, 1)}, "recorded twice"),
    ],
)
def test_a_row_that_cannot_be_used_is_named_and_counts_nowhere(
    small: SmallProject, changes: dict[str, Any], says: str
) -> None:
    bench = edition(small, [*decided(12), past("odd") | changes])
    assert says in rules(bench)["portfolio-left-out"]
    assert record(bench).number("portfolio.decided").value == 12
    html(bench)


def test_a_row_without_a_decision_is_a_test_that_is_not_decided(small: SmallProject) -> None:
    bench = edition(small, [*decided(12), past("open", decision=None)])
    assert record(bench).number("portfolio.decided").value == 12
    assert record(bench).number("portfolio.tests").value == 13
    table = bench.tests()
    assert isinstance(table, Table)
    assert table.frame.set_index("test").loc["open", "decision"] == "None recorded"


def test_markup_in_the_history_shows_as_text(small: SmallProject) -> None:
    rows = [r | {"title": EVIL, "decision": f"ship {EVIL}" if r["decision"] == "ship" else EVIL} for r in decided(12)]
    bench = edition(small, [*rows, past("odd", title=EVIL, metric=EVIL)])
    page = html(bench) + bench.numbers().to_html()
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert "&lt;script&gt;alert" in page


def test_endless_names_are_cut(small: SmallProject) -> None:
    table = edition(small, [past("long", title="x" * 100_000)]).tests()
    assert isinstance(table, Table)
    assert len(table.to_html()) < 10_000


def test_more_tests_than_a_page_can_hold_show_the_newest(small: SmallProject) -> None:
    bench = edition(small, [past(f"t{i}", ended=date(2020, 1, 1)) for i in range(600)] + [past("newest")])
    table = bench.tests()
    assert isinstance(table, Table)
    assert len(table.frame) == 500
    assert table.frame.iloc[0]["test"] == "newest"
    assert "the newest 500 of 601" in table.caption


def test_tests_of_earlier_editions_and_later_decisions_come_from_the_snapshot(small: SmallProject) -> None:
    earlier = {"test": "old", "title": "Old", "edition": "2026-W40", "state": "benefit shown", "action": "ship"}
    earlier |= {"metric": "ctr", "number": "old.ctr.relative", "effect": 0.02, "low": 0.01, "high": 0.03, "level": 0.95}
    unscored = {"edition": "2026-W40", "metric": None, "realised": None, "realised_error": None, "source": None}
    said = [
        {"test": "old", "decision": "ship with monitoring", **unscored},
        {"test": "test-01", "decision": "ship", **unscored},
    ]
    more = [
        Answer("earlier", "\n", pa.Table.from_pylist([earlier])),
        Answer("decisions", "\n", pa.Table.from_pylist(said)),
    ]
    bench = edition(small, decided(12), more=more)
    table = bench.tests()
    assert isinstance(table, Table)
    rows = table.frame.set_index("test")
    assert rows.loc["old", "decision"] == "Ship with monitoring, on edition 2026-W40"
    assert "+2.00 %" in rows.loc["old", "effect"]
    assert rows.loc["test-01", "decision"].startswith("Ship,")
    assert record(bench).number("portfolio.shipped").value == 7
