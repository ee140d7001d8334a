"""Pages can be read by all: axe-core finds nothing against WCAG 2.2 AA on any kind of page, light and dark, charts drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]}
NEWEST = "editions/2026-W47"
PAGES = (
    "index.html",
    "archive.html",
    "decisions.html",
    "404.html",
    f"{NEWEST}/index.html",
    f"{NEWEST}/experiments/checkout-one-page.html",
    f"{NEWEST}/models/flight-delay.html",
    f"{NEWEST}/operations.html",
    f"{NEWEST}/portfolio.html",
    f"{NEWEST}/translation.html",
    f"{NEWEST}/reconciliation.html",
    f"{NEWEST}/metrics.html",
    f"{NEWEST}/rules.html",
)


@pytest.mark.parametrize("page", PAGES)
def test_axe_finds_nothing(built: Path, browser: Browser, page: str) -> None:
    context = browser.new_context(color_scheme="light", viewport={"width": 1200, "height": 900})
    try:
        tab = context.new_page()
        tab.goto((built / "_site" / page).as_uri())
        drawn = "[...document.querySelectorAll('.gz-chart')].every(f => !f.offsetWidth || f.dataset.drawn)"
        tab.wait_for_function(drawn)
        for scheme in ("light", "dark"):
            if scheme == "dark" and (toggle := tab.query_selector(".gz-scheme")):
                toggle.click()
                tab.wait_for_function(drawn)
                tab.wait_for_timeout(400)  # charts are drawn again where they stand, and colours fade over
            found = Axe().run(tab, options=RULES).response
            said = [f"{v['id']}: {v['help']}: {v['nodes'][0]['html'][:160]}" for v in found["violations"]]
            assert not said, f"{scheme}: {said}"
            assert len(found["passes"]) > 10, "it looked"
    finally:
        context.close()


def test_who_uses_the_keyboard_comes_to_the_text_first(built: Path, browser: Browser) -> None:
    tab = browser.new_page()
    try:
        tab.goto((built / "_site" / NEWEST / "index.html").as_uri())
        tab.keyboard.press("Tab")
        assert tab.evaluate("document.activeElement.textContent") == "To the text"
        tab.keyboard.press("Enter")
        assert tab.evaluate("document.activeElement.tagName") == "MAIN"
    finally:
        tab.close()
