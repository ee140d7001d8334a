"""The page for leadership: its length, its table of costs, its cards, in a project that builds in seconds."""

from __future__ import annotations

import json
import re
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from gazette.display import card_digest
from gazette.record import NotPublished
from gazette.site._budget import length_problems, words_of
from gazette.stats import Estimate
from gazette.workbench import _business
from gazette.workbench._roi import daily, less
from program import gazette

if TYPE_CHECKING:
    from pathlib import Path

    from small import SmallProject


def page(html: str) -> dict[str, Any]:
    return {"cells": [{"cell_type": "code", "source": "", "outputs": [{"data": {"text/html": html}}]}]}


def test_tables_folded_parts_captions_and_code_are_not_counted_as_words() -> None:
    quiet = "".join(f"<{t}>not counted</{t}>" for t in ("table", "details", "figcaption", "script", "pre"))
    assert words_of(page(f"<p>Two words</p>{quiet}<div class='gz-card'>$1,234.5 a</div>")) == (4, 1)


def test_a_page_that_is_too_long_is_refused_with_its_count() -> None:
    (problem,) = length_problems(page("<p>" + "word " * 451 + "</p>"), most=450)
    assert "451 words, 450 are allowed" in problem
    assert length_problems(page("<p>" + "word " * 450 + "</p>"), most=450) == []
    (cards,) = length_problems(page("<div class='gz-card'></div>" * 6), most=450)
    assert "6 cards" in cards


def test_a_cost_moves_the_whole_range_of_a_benefit() -> None:
    net = less(Estimate(100.0, 60.0, 140.0, 0.95, 20.0, None, 5, "m"), 80.0)
    assert (net.value, net.low, net.high) == (20.0, -20.0, 60.0)


def shop(days: int, revenue: float = 5.0) -> pd.DataFrame:
    rows = [
        {
            "day": pd.Timestamp(date(2026, 11, 22) - timedelta(days=i)),
            "cohort": c,
            "users": 100,
            "revenue": 100 * revenue + i % 7,
        }
        for i in range(days)
        for c in ("n", "b")
    ]
    return pd.DataFrame(rows)


def test_the_trend_has_thirty_days_of_two_lines_each_within_its_band() -> None:
    rows = daily(shop(60), {"n": "new", "b": "baseline"}, date(2026, 11, 23))
    assert len(rows) == 60
    assert {r["series"] for r in rows} == {"new", "baseline"}
    assert all(r["low"] <= r["value"] <= r["high"] for r in rows)
    assert rows[0]["value"] == pytest.approx(5.03)


def test_no_line_is_drawn_through_a_missing_day_or_before_the_history() -> None:
    frame = shop(60)
    frame = frame[frame["day"] != pd.Timestamp("2026-11-15")]
    assert len(daily(frame, {"n": "new"}, date(2026, 11, 23))) == 30 - 7
    assert len(daily(shop(10), {"n": "new"}, date(2026, 11, 23))) == 4


def estimate(value: float, error: float) -> Estimate:
    return Estimate(value, value - 2 * error, value + 2 * error, 0.95, error, None, 10, "m")


def test_no_percentage_is_taken_of_a_negative_or_doubtful_figure() -> None:
    below = _business.relative_change(estimate(10.0, 1.0), estimate(-5.0, 1.0))
    assert isinstance(below, NotPublished)
    assert "below zero" in below.reason
    maybe = _business.relative_change(estimate(10.0, 1.0), estimate(5.0, 4.0))
    assert isinstance(maybe, NotPublished)
    fine = _business.relative_change(estimate(12.0, 1.0), estimate(10.0, 1.0))
    assert isinstance(fine, Estimate)
    assert fine.value == pytest.approx(0.2)
    assert fine.standard_error == pytest.approx(((1 / 10) ** 2 + (12 / 100) ** 2) ** 0.5)


def test_returning_users_are_averaged_over_days_and_compared_on_the_same_days() -> None:
    frame = shop(28).assign(returning_users=lambda f: [60 if c == "n" else 50 for c in f["cohort"]])
    mine = _business.cohort_retention(frame, "n")
    gap = _business.retention_gap(frame, "n", "b")
    assert isinstance(mine, Estimate)
    assert isinstance(gap, Estimate)
    assert mine.value == pytest.approx(0.6)
    assert gap.value == pytest.approx(0.1)


def test_a_card_without_its_number_keeps_its_place_in_the_digest() -> None:
    (row,) = card_digest(["m.x"], [])
    assert row["value"] is None
    assert row["shown"] == "not published this week"


@pytest.mark.integration
class TestASmallProject:
    def test_the_page_says_what_changed_and_lists_decisions(self, small: SmallProject) -> None:
        small.experiment["impact"] = {"value_per_unit": 2.0, "units_per_month": 1000.0, "base": "clicks"}
        small.experiment["cost"] = {
            "build": 2400.0,
            "build_months": 24,
            "run_per_month": 50.0,
            "source": "team <b>x</b>",
        }
        small.write()
        gazette("build", "2026-W46", "2026-W47", project=small.root)
        home = small.root / "_site" / "editions" / "2026-W47"
        text = (home / "index.html").read_text()
        assert '<a href="changes.html">Since 2026-W46</a>:' in text
        assert "Green button: roll it out; waiting costs about" in " ".join(re.sub("<[^>]+>", "", text).split())
        assert 'data-number="executive.button.cost"' in text
        assert ">$150.00<" in text, "a twenty-fourth of the building and the running"
        assert "<b>x</b>" not in text
        assert "catalogue" not in text
        assert "interval-above-zero" in (home / "rules.html").read_text()
        assert 'href="../methods.html#two-shares"' in (home / "experiments" / "button.html").read_text()
        assert 'id="two-shares"' in (home / "methods.html").read_text()
        script = (home / "news.js").read_text()
        kept = json.loads(script[script.index(' = {"') + 3 : script.rindex(";")])
        assert kept["edition"] == "2026-W47"
        frozen = small.root / "editions" / "2026-W47" / "snapshot" / "executive"
        assert json.loads(pd.read_parquet(frozen / "digest_before.parquet")["digest"][0])["edition"] == "2026-W46"

    def test_a_change_of_currency_is_said_in_words(self, small: SmallProject) -> None:
        gazette("build", "2026-W46", project=small.root)
        small.site["currency"] = "EUR"
        small.write()
        gazette("build", "2026-W47", project=small.root)
        page = (small.root / "_site" / "editions" / "2026-W47" / "index.html").read_text()
        text = " ".join(re.sub("<[^>]+>", "", page).split())
        assert "Amounts are now in EUR; in 2026-W46 they were in USD, so they are not compared." in text

    def test_a_page_beyond_its_words_stops_the_build_and_publishes_nothing(self, small: SmallProject) -> None:
        small.site["executive"]["max_words"] = 20
        small.write()
        says = gazette("build", "2026-W47", project=small.root, code=1).stderr
        assert re.search(r"index: \d+ words, 20 are allowed", says)
        assert not (small.root / "_site").exists()


@pytest.mark.integration
def test_the_demo_s_page_has_its_parts_and_no_technical_word(built: Path) -> None:
    text = (built / "_site" / "editions" / "2026-W47" / "index.html").read_text()
    seen = re.sub(r"<[^>]*>", " ", re.sub(r"(?s)<(script|style|pre|head)\b.*?</\1>", " ", text))
    assert not re.search(r"\bAUC\b|p-value", seen)
    for words in (
        "of a negative figure",
        "history starts",
        "waiting costs about",
        "Since 2026-W46",
        "one cause may explain",
    ):
        assert words in seen
    assert text.count('class="gz-card"') == 4
