"""What changed since the reader's last edition, composed in a real browser from files."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from gazette.conclusions import news
from program import gazette
from small import REPOSITORY

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from small import SmallProject

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
EVIL = "<img src=x onerror=alert(1)>"


def subject(name: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "kind": "experiment", "title": f"Title {name}", **more}


def card(name: str, value: float | None, half: float | None, shown: str, unit: str = "money") -> dict[str, Any]:
    return {"id": name, "title": f"Card {name}", "unit": unit, "value": value, "half": half, "shown": shown}


OLD = {
    "edition": "2026-W40",
    "currency": "USD",
    "subjects": [subject("a", state="not resolved", because=""), subject("b"), subject("__proto__")],
    "cards": [
        card("x", 1.0, 0.1, "1"),
        card("y", 2.0, 0.5, "2", "fraction"),
        card("z", None, None, "–"),
        card("w", 5.0, None, "5"),
    ],
}
NEW = {
    "edition": "2026-W47",
    "currency": "EUR",
    "subjects": [
        subject(
            "a",
            state="benefit shown",
            because="it is",
            rests={"id": "a.m.relative", "form": "interval", "words": "effect", "text": "+1 to +2 %"},
        ),
        subject("c", title=EVIL),
    ],
    "cards": [
        card("x", 9.0, 0.1, "9"),
        card("y", 3.0, 0.5, "3", "fraction"),
        card("z", 1.0, 1.0, "1"),
        card("w", None, None, "gone"),
        card("v", 1.0, None, "1"),
    ],
}


def test_the_browser_writes_the_same_sentences_as_the_build(browser: Browser) -> None:
    page = browser.new_page()
    page.add_script_tag(path=str(REPOSITORY / "reports" / "theme" / "reader.js"))
    many = [subject(f"s{i}", state="not resolved") for i in range(8)]
    turned = [subject(f"s{i}", state="benefit shown", because=("it is", "")[i % 3 == 0]) for i in range(8)]
    turned[7] = subject("s7", state="harm shown", rests={"words": "effect", "text": "+1", "id": "s7.m", "form": ""})
    two = {**OLD, "subjects": many}, {**NEW, "subjects": turned}
    for before, now in ((OLD, NEW), (NEW, OLD), (OLD, OLD), (OLD, {**NEW, "currency": "USD"}), two, two[::-1]):
        said = page.evaluate("two => window.gzCompareNews(two[0], two[1])", [before, now])
        assert said == news(before, now)
    assert len(news(OLD, NEW)) == 8
    page.close()


def test_a_reader_who_comes_back_sees_what_changed_since_from_files_alone(
    browser: Browser, small: SmallProject
) -> None:
    gazette("build", "2026-W46", "2026-W47", "--engine", "embedded", project=small.root)
    editions = small.root / "_site" / "editions"
    (editions / "2026-W40").mkdir()
    text = json.dumps({**OLD, "subjects": [subject("gone", title=EVIL)]}).replace("<", "\\u003c")
    (editions / "2026-W40" / "news.js").write_text(f'(window.gzNews = window.gzNews || {{}})["2026-W40"] = {text};')
    context = browser.new_context()
    page = context.new_page()
    alerts: list[str] = []
    page.on("dialog", lambda d: (alerts.append(d.message), d.dismiss()))
    page.goto((editions / "2026-W46" / "index.html").as_uri())
    assert page.locator(".gz-since").is_hidden(), "a first visit has nothing to compare with"
    page.evaluate("localStorage.setItem('gz-read', JSON.stringify({before: '', now: '2026-W40'}))")
    page.goto((editions / "2026-W47" / "index.html").as_uri())
    page.wait_for_selector(".gz-since li")
    said = page.locator(".gz-since").inner_text()
    assert "Since 2026-W40, which you opened last:" in said
    assert "1 new here: Green button." in said
    assert f"1 no longer reported: {EVIL}." in said
    page.reload()
    page.wait_for_selector(".gz-since li")
    assert page.locator(".gz-since").inner_text() == said, "opening it again is no new edition"
    page.goto((editions / "2026-W46" / "index.html").as_uri())
    assert page.locator(".gz-since").is_hidden(), "an older edition does not look ahead"
    for kept in (
        "null",
        '"x"',
        "{",
        json.dumps({"now": "../../evil", "before": "2026-W41"}),
        json.dumps({"now": "2026-W41"}),
    ):
        page.evaluate("text => localStorage.setItem('gz-read', text)", kept)
        page.goto((editions / "2026-W47" / "index.html").as_uri())
        page.wait_for_timeout(200)
    assert "2026-W41, which has nothing to compare with" in page.locator(".gz-since").inner_text()
    assert alerts == []
    context.close()
