"""Pages on paper, printed by a real Chromium."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

import pytest
from pypdf import PdfReader

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
CUT = """[...document.querySelectorAll('main table, main svg, main pre, .gz-card')]
  .filter(e => e.offsetParent !== null && e.getBoundingClientRect().right > innerWidth + 1)
  .map(e => e.dataset.name || e.outerHTML.slice(0, 80))"""
PAGES = ("index", "operations", "experiments/ranking-v3-2", "models/flight-delay", "provenance")


def opened(browser: Browser, built: Path, name: str) -> Page:
    page = browser.new_page(viewport={"width": 1280, "height": 900}, color_scheme="dark")
    page.goto((built / "_site" / "editions" / "2026-W47" / f"{name}.html").as_uri(), wait_until="load")
    page.wait_for_function("[...document.querySelectorAll('.gz-chart')].every(f => f.dataset.drawn || !f.offsetWidth)")
    return page


@pytest.mark.parametrize("name", PAGES)
def test_a_printed_page_cuts_nothing_has_no_navigation_and_is_dark_on_white(
    browser: Browser,
    built: Path,
    name: str,
) -> None:
    page = opened(browser, built, name)
    folds = "[...document.querySelectorAll('details.gz-fold')].map(d => d.open)"
    before = page.evaluate(folds)
    pages = PdfReader(io.BytesIO(page.pdf(format="A4"))).pages
    text = " ".join(p.extract_text() for p in pages)
    assert "November 2026" in text
    assert "Provenance" not in text.replace("Provenance", "", name == "provenance"), "navigation is printed"
    if name == "index":
        assert len(pages) <= 2
        for shown in page.locator(".gz-card-value .gz-number").all_inner_texts():
            assert re.sub(r"\s", "", shown) in re.sub(r"\s", "", text)
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 687, "height": 900})  # A4 less its margins
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate(CUT) == []
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate("[...document.querySelectorAll('details.gz-fold')].every(d => d.open)")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.evaluate(folds) == before
    page.close()


def test_cards_stand_in_a_row_on_paper(browser: Browser, built: Path) -> None:
    page = opened(browser, built, "index")
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 687, "height": 900})
    tops = page.evaluate("[...document.querySelectorAll('.gz-card')].map(c => c.getBoundingClientRect().top)")
    assert len(tops) > 1
    assert len(set(tops)) == 1
    page.close()


def test_the_summary_links_its_other_forms(built: Path) -> None:
    site = built / "_site" / "editions" / "2026-W47"
    html = (site / "index.html").read_text()
    for name in ("summary.pdf", "email.html", "email.eml", "slack.json"):
        assert f'href="share/{name}"' in html
        assert (site / "share" / name).is_file()
