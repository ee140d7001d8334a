"""A history too short, a figure missing this week, a change of currency, a negative figure a year ago: in words on the built page."""

from __future__ import annotations

import json
import re
import shutil
from html import unescape
from typing import TYPE_CHECKING

import duckdb
import pytest
import yaml

from gazette.record import Record
from program import gazette, only

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("words")]  # what they share is built once
NEWEST, BEFORE = "2026-W47", "2026-W46"


def seen(html: str) -> str:
    """What a reader sees of a page."""
    kept = re.sub(r"(?s)<(script|style|pre|head)\b.*?</\1>", " ", html)
    kept = re.sub(r"</?(?:span|a|strong|em|small)\b[^>]*>", "", kept)
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", kept)).split())


@pytest.fixture(scope="module")
def place(thin: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's recommender alone: one edition in dollars with every figure, the next in euros without a survey."""
    root = tmp_path_factory.mktemp("words") / "project"
    shutil.copytree(thin, root)
    only(root, "recommender")
    site = root / "params" / "site.yml"
    content = yaml.safe_load(site.read_text()) | {"restatements": {"editions": 0}}
    site.write_text(yaml.safe_dump(content))
    gazette("build", BEFORE, "--engine", "embedded", project=root)
    site.write_text(yaml.safe_dump(content | {"currency": "EUR"}))
    with duckdb.connect(str(root / ".gazette" / "demo" / "warehouse.duckdb")) as warehouse:
        warehouse.execute(
            "UPDATE shop_daily SET nps_responses = 0, nps_promoters = 0, nps_detractors = 0 WHERE day >= DATE '2026-10-26'"
        )
    gazette("build", NEWEST, "--engine", "embedded", project=root)
    return root


@pytest.fixture(scope="module")
def page(place: Path) -> str:
    return (place / "editions" / NEWEST / "site" / "index.html").read_text()


def test_a_history_too_short_is_said_with_its_first_day(page: str) -> None:
    assert "n/a on a year ago (history starts 2026-08-31)" in seen(page)


def test_a_figure_missing_this_week_is_said_with_its_reason_and_what_it_was(page: str) -> None:
    text = seen(page)
    assert "Net promoter score, live model Not published No survey answers" in text
    assert re.search(
        r"Net promoter score, live model is missing now: not published \(no survey answers\); it was \d+\.\d points\.",
        text,
    )
    assert 'data-number="executive.before.recommender.nps"' in page


def test_a_change_of_currency_is_said_and_no_amount_is_compared(page: str) -> None:
    text = seen(page)
    assert "Amounts are now in EUR; in 2026-W46 they were in USD, so they are not compared. Cards in money: 1." in text
    assert "€" in text
    assert "$" not in text
    assert 'data-number="executive.before.recommender.revenue-effect"' not in page


def test_a_negative_figure_before_has_no_percentage_and_the_page_says_so(page: str) -> None:
    assert re.search(r"\+€[\d,]+ \(no percentage of a negative figure\) on a year ago", seen(page))


def test_no_sentence_is_without_a_number_and_none_holds_a_digit_of_its_own(place: Path, page: str) -> None:
    record = Record.from_json((place / "editions" / NEWEST / "records" / "executive.json").read_bytes())
    assert {"news-currency", "news-card-missing"} <= {f.rule for f in record.findings}
    assert [f.text for f in record.findings if not f.references] == []
    items = re.findall(r"(?s)<li\b.*?</li>", page[page.index("What changed") :])
    assert items
    for item in items:
        bare = re.sub(r'(?s)<span class="gz-(?:number|term|icon)\b[^>]*>.*?</span>', "", item)
        assert not re.search(r"\d", re.sub(r"<[^>]*>", "", bare)), item


def test_a_quoted_number_says_of_which_edition_it_is(page: str) -> None:
    (raw,) = re.findall(r'data-number="executive\.before\.recommender\.nps" data-passport="([^"]*)"', page)
    passport = json.loads(unescape(raw))
    assert passport["edition"] == BEFORE
    assert f"in edition {BEFORE}" in passport["label"]
    assert "recommender.nps as that edition published it" in passport["note"]
    assert passport["as_of"] == "2026-11-16 00:00 UTC"
    assert passport["query"] == "digest_before"


def test_the_message_the_mail_and_the_paper_say_the_same(place: Path) -> None:
    share = place / "editions" / NEWEST / "site" / "share"
    message = json.loads((share / "slack.json").read_text())
    slack = " ".join(json.dumps(message, ensure_ascii=False).split())
    mail = seen((share / "email.html").read_text())
    for form in (slack, mail):
        assert "so they are not compared. Cards in money: 1." in form
        assert "is missing now: not published (no survey answers); it was " in form
        assert "n/a on a year ago (history starts 2026-08-31)" in form
