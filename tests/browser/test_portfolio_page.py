"""The portfolio of the demo in a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def test_words_typed_above_the_table_keep_the_rows_that_hold_them_all(browser: Browser, built: Path) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 844})
    try:
        page.goto((built / "_site" / "editions" / "2026-W47" / "portfolio.html").as_uri())
        rows = page.locator("#gz-rows-tests tbody tr")
        every = rows.count()
        assert every == 30, "six of the edition and twenty-four past ones"
        page.fill("#gz-rows-tests-words", "revenue ship")
        kept = page.locator("#gz-rows-tests tbody tr:visible")
        assert 0 < kept.count() < every
        assert all("Ship" in t or "ship" in t for t in kept.all_inner_texts())
        assert page.locator("#gz-rows-tests tbody tr:visible").count() == int(
            page.locator(".gz-count").first.inner_text().split(" of ")[0]
        )
        page.fill("#gz-rows-tests-words", "")
        assert page.locator("#gz-rows-tests tbody tr:visible").count() == every
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
    finally:
        page.close()
