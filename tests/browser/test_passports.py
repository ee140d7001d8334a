"""Passports in a real browser: opened on the page for leadership, followed down to the executed cell."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from test_pages import NEWEST, Watched

from program import gazette, serving
from small import SmallProject

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> SmallProject:
    small = SmallProject(tmp_path_factory.mktemp("passports") / "project")
    small.site["executive"]["cards"] = ["button.ctr.treatment", "button.ctr.control", "button.ctr.difference"]
    small.experiment["description"] = "A green button; clicks are a guardrail."
    small.write()
    gazette("build", "2026-W47", project=small.root)
    return small


@pytest.fixture(params=["http", "file"])
def home(request: pytest.FixtureRequest, project: SmallProject) -> Iterator[str]:
    if request.param == "file":
        yield f"{(project.root / '_site').as_uri()}/"
    else:
        with serving(project.root) as served:
            yield served


@pytest.fixture(params=[1280, 390])
def wide(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Watched]:
    one = Watched(browser, viewport={"width": request.param, "height": 800})
    yield one
    assert one.faults == []
    one.context.close()


def numbers_of(root: Path) -> dict[str, dict[str, object]]:
    record = json.loads((root / "editions" / "2026-W47" / "records" / "button.json").read_text())
    return {n["id"]: n for n in record["numbers"]}


def test_three_passports_are_opened_and_one_is_followed_to_its_cell(
    wide: Watched, home: str, project: SmallProject
) -> None:
    page = wide.page
    page.goto(f"{home}{NEWEST}/index.html", wait_until="load")
    for number_id in ("button.ctr.treatment", "button.ctr.control", "button.ctr.difference"):
        page.locator(f'.gz-number[data-number="{number_id}"]').first.click()
        card = page.locator(".gz-passport")
        assert card.count() == 1
        said = card.inner_text()
        number = numbers_of(project.root)[number_id]
        for word in (
            "Value",
            "Range",
            "n",
            "Definition",
            "Query",
            "Cell",
            "Snapshot",
            "Edition",
            "2026-W47",
            number_id,
        ):
            assert word in said
        assert str(number["snapshot"])[:16] in said
        page.keyboard.press("Escape")
        assert card.count() == 0
    page.locator('.gz-number[data-number="button.ctr.treatment"]').first.click()
    cell = str(numbers_of(project.root)["button.ctr.treatment"]["cell"])
    with page.expect_navigation():
        page.locator(".gz-passport dd a", has_text=f"{cell} of").click()
    assert page.url.endswith(f"experiments/button.html#cell-{cell}")
    arrived = page.locator(".gz-arrived")
    assert arrived.count() == 1
    assert f".{cell.replace('-', '_')}(" in arrived.locator("pre").first.inner_text()
    assert arrived.locator("details").first.get_attribute("open") is not None
    page.wait_for_timeout(1500)  # charts above it are drawn
    inside = "e => { const b = e.getBoundingClientRect(); return b.top < innerHeight && b.bottom > 0; }"
    assert arrived.evaluate(inside)
    executed = json.loads((project.root / "editions" / "2026-W47" / "notebooks" / "button.ipynb").read_text())
    sources = {"".join(c["source"]) for c in executed["cells"] if c["cell_type"] == "code"}
    code = arrived.locator("pre").first.inner_text().strip()
    assert any(code in source or source in code for source in sources), "the code of the cell as it was executed"
    shown = page.locator('.gz-number[data-number="button.ctr.treatment"]').all_inner_texts()
    assert shown, "the page of the cell shows the number"


def test_the_summary_shows_its_code_only_on_demand(wide: Watched, home: str) -> None:
    page = wide.page
    page.goto(f"{home}{NEWEST}/index.html", wait_until="load")
    folds = page.locator("main details.code-fold, main .cell > details:not(.gz-fold)")
    assert folds.count() > 3
    assert not any(folds.nth(i).is_visible() for i in range(folds.count()))
    button = page.get_by_role("button", name="Show the code of this page")
    button.click()
    assert all(folds.nth(i).is_visible() for i in range(folds.count()))
    assert page.locator("main pre", has_text="week.cards()").first.is_visible()
    page.get_by_role("button", name="Hide the code of this page").click()
    assert not folds.first.is_visible()
    page.goto(f"{home}{NEWEST}/index.html#cell-cards", wait_until="load")
    assert page.locator(".gz-arrived").is_visible(), "a passport that leads here opens its own cell"
    assert page.locator("main pre", has_text="week.cards()").first.is_visible()


def test_a_passport_leads_to_its_query_and_snapshot(wide: Watched, home: str) -> None:
    page = wide.page
    page.goto(f"{home}{NEWEST}/index.html", wait_until="load")
    page.locator('.gz-number[data-number="button.ctr.treatment"]').first.click()
    with page.expect_navigation():
        page.locator(".gz-passport dd a", has_text="ctr, version").click()
    assert page.url.endswith("metrics/ctr.html")
    for label, anchor in (("arms", "#query-button-arms"), ("", "#snapshot-button")):
        page.goto(f"{home}{NEWEST}/index.html", wait_until="load")
        page.locator('.gz-number[data-number="button.ctr.treatment"]').first.click()
        link = page.locator(f'.gz-passport dd a[href$="{anchor}"]')
        assert label in link.inner_text()
        with page.expect_navigation():
            link.click()
        assert page.url.endswith(f"provenance.html{anchor}")
    page.goto(f"{home}{NEWEST}/provenance.html#query-button-arms", wait_until="load")
    assert "SELECT" in page.locator("#query-button-arms pre").inner_text().upper()


def test_a_passport_stays_while_it_is_hovered_and_goes_when_left(browser: Browser, home: str) -> None:
    one = Watched(browser, viewport={"width": 1280, "height": 900})
    page = one.page
    page.goto(f"{home}{NEWEST}/index.html", wait_until="load")
    page.locator(".gz-card .gz-number").first.hover()
    card = page.locator(".gz-passport")
    card.locator("a").first.hover()
    page.wait_for_timeout(500)
    assert card.count() == 1
    page.mouse.move(5, 5)
    page.wait_for_timeout(500)
    assert card.count() == 0
    one.context.close()


def test_a_passport_is_read_with_the_keyboard_alone(browser: Browser, home: str) -> None:
    one = Watched(browser, viewport={"width": 1280, "height": 900})
    page = one.page
    page.goto(f"{home}{NEWEST}/index.html", wait_until="load")
    number = page.locator(".gz-card .gz-number").first
    number.focus()
    assert page.locator(".gz-passport").count() == 1
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.closest('.gz-passport') !== null")
    assert page.evaluate("document.activeElement.tagName") == "A"
    page.keyboard.press("Escape")
    assert page.locator(".gz-passport").count() == 0
    assert number.evaluate("e => e === document.activeElement")
    assert number.get_attribute("role") == "button"
    assert one.faults == []
    one.context.close()


def test_a_word_explains_itself_and_leads_to_the_glossary(wide: Watched, home: str) -> None:
    page = wide.page
    page.goto(f"{home}{NEWEST}/experiments/button.html", wait_until="load")
    word = page.locator('a.gz-gloss[href$="#guardrail"]')
    assert word.count() == 1
    word.focus()
    card = page.locator(".gz-passport")
    assert "must not make worse" in card.inner_text()
    word.click()
    with page.expect_navigation():
        card.get_by_role("link", name="Glossary").click()
    assert page.url.endswith("glossary.html#guardrail")
    assert page.locator("#guardrail").is_visible()
