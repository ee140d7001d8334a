"""In a real Chromium, found on the machine or installed by tools/browser.sh; never skipped in silence."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import duckdb
import pytest

from program import copy_project, gazette, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    from small import SmallProject

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
NEWEST = "editions/2026-W47"
PAGES = (
    "index.html",
    "archive.html",
    f"{NEWEST}/index.html",
    f"{NEWEST}/experiments.html",
    f"{NEWEST}/models.html",
    f"{NEWEST}/provenance.html",
    f"{NEWEST}/models/flight-delay.html",
    f"{NEWEST}/models/recommender.html",
    f"{NEWEST}/operations.html",
    f"{NEWEST}/portfolio.html",
    f"{NEWEST}/experiments/ranking-v3-2.html",
    f"{NEWEST}/experiments/search-autocomplete.html",
    f"{NEWEST}/experiments/checkout-one-page.html",
    "editions/2026-W45/index.html",
)


@pytest.fixture(scope="session", params=["http", "file"])
def address(request: pytest.FixtureRequest, built: Path) -> Iterator[str]:
    """Where the demo's site begins, with a slash at the end."""
    if request.param == "file":
        yield f"{(built / '_site').as_uri()}/"
    else:
        with serving(built) as served:
            yield served


class Watched:
    """A page that remembers what must not happen."""

    def __init__(self, browser: Browser, **options: Any) -> None:
        self.context = browser.new_context(**options)
        self.page: Page = self.context.new_page()
        self.faults: list[str] = []
        self.page.on("console", lambda m: self.faults.append(m.text) if m.type in {"error", "warning"} else None)
        self.page.on("pageerror", lambda e: self.faults.append(str(e)))
        self.page.on("dialog", lambda d: (self.faults.append(f"dialog {d.message}"), d.dismiss()))
        self.page.on("requestfailed", self._failed)
        self.page.on("request", self._request)

    def _failed(self, request: Any) -> None:
        if request.failure != "net::ERR_ABORTED":  # the reader went on before it had come
            self.faults.append(f"failed {request.url}: {request.failure}")

    def _request(self, request: Any) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in {"file", "data", "blob"} and parts.hostname != "127.0.0.1":
            self.faults.append(f"request to {request.url}")


@pytest.fixture
def watched(browser: Browser) -> Iterator[Watched]:
    one = Watched(browser, viewport={"width": 1280, "height": 900})
    yield one
    one.context.close()


def draw_all(page: Page) -> int:
    """Scroll to every chart and wait until it is drawn."""
    charts = page.locator(".gz-chart")
    for i in range(charts.count()):
        opened = "e => { for (let p = e; p; p = p.parentElement) if (p.tagName === 'DETAILS') p.open = true }"
        charts.nth(i).evaluate(opened)
        charts.nth(i).scroll_into_view_if_needed()
        page.wait_for_function(
            "i => document.querySelectorAll('.gz-chart')[i].dataset.drawn === 'yes'", arg=i, timeout=20_000
        )
    return charts.count()


@pytest.mark.parametrize("place", PAGES)
def test_a_page_is_quiet_whole_and_draws_its_charts(watched: Watched, address: str, place: str) -> None:
    watched.page.goto(address + place, wait_until="load")
    drawn = draw_all(watched.page)
    if "/models/" in place or "/experiments/" in place:
        assert drawn > 0
    assert watched.faults == []
    assert watched.page.locator("h1").count() == 1


@pytest.mark.parametrize("place", PAGES)
def test_on_a_phone_nothing_scrolls_sideways(browser: Browser, built: Path, place: str) -> None:
    one = Watched(browser, viewport={"width": 390, "height": 800}, device_scale_factor=2)
    try:
        one.page.goto(f"{(built / '_site').as_uri()}/{place}", wait_until="load")
        draw_all(one.page)
        wide = one.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0
        assert one.faults == []
    finally:
        one.context.close()


def test_the_switcher_leads_to_an_earlier_edition_that_says_so(watched: Watched, address: str) -> None:
    page = watched.page
    page.goto(f"{address}{NEWEST}/index.html")
    assert page.locator(".gz-old").is_hidden()
    options = page.locator(".gz-switch option").all_text_contents()
    assert [o.split(" ")[0] for o in options] == ["2026-W47", "2026-W46", "2026-W45"]
    with page.expect_navigation():
        page.locator(".gz-switch select").select_option("2026-W45")
    assert page.url.endswith("editions/2026-W45/index.html")
    assert "This is an earlier edition" in page.locator(".gz-old").inner_text()
    with page.expect_navigation():
        page.locator(".gz-old a").click()
    assert page.url.endswith(f"{NEWEST}/index.html")
    assert watched.faults == []


def test_the_shelf_leads_to_the_newest_edition_and_its_test(watched: Watched, address: str) -> None:
    page = watched.page
    page.goto(f"{address}index.html")
    with page.expect_navigation():
        page.get_by_role("link", name="Read the edition").click()
    with page.expect_navigation():
        page.locator("main").get_by_role("link", name="New ranking algorithm").first.click()
    assert page.url.endswith("experiments/ranking-v3-2.html")
    assert page.locator("h1").inner_text() == "New ranking algorithm"


def test_the_archive_is_filtered_while_typing(watched: Watched, address: str) -> None:
    page = watched.page
    page.goto(f"{address}archive.html")
    rows = page.locator("#gz-archive tbody tr:visible")
    assert rows.count() == 3
    page.locator("#gz-filter").fill("w46")
    assert rows.count() == 1
    assert "2026-W46" in rows.first.inner_text()
    page.locator("#gz-filter").fill("nothing like this")
    assert rows.count() == 0
    page.locator("#gz-filter").fill("")
    assert rows.count() == 3


def test_a_number_shows_its_passport_by_mouse_and_by_keyboard(watched: Watched, address: str) -> None:
    page = watched.page
    page.goto(f"{address}{NEWEST}/experiments/ranking-v3-2.html")
    number = page.locator(".gz-number").first
    number.hover()
    card = page.locator(".gz-passport")
    for word in ("Definition", "Data until", "Snapshot", "Cell"):
        assert word in card.inner_text()
    page.keyboard.press("Escape")
    assert card.count() == 0
    number.focus()
    assert card.count() == 1


def test_search_finds_a_test_by_its_name(watched: Watched, address: str) -> None:
    page = watched.page
    page.goto(f"{address}{NEWEST}/index.html")
    box = page.locator("input[type=search]").first
    box.fill("checkout")
    page.wait_for_function("() => document.body.innerText.includes('One-page checkout')")
    link = page.locator("a[href*='checkout-one-page']").first
    assert link.count() == 1
    assert watched.faults == []


def test_the_dark_look_is_kept_from_page_to_page(watched: Watched, address: str) -> None:
    page = watched.page
    page.goto(f"{address}{NEWEST}/experiments/ranking-v3-2.html")
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.locator(".gz-scheme").click()
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert light != dark
    page.goto(f"{address}{NEWEST}/index.html")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == dark
    assert watched.faults == []


def _contrast(one: str, other: str) -> float:
    """Of two colours such as ``rgb(27, 94, 158)``, as WCAG 2.2 defines it."""

    def light(colour: str) -> float:
        parts = [int(v) / 255 for v in re.findall(r"\d+", colour)[:3]]
        linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    dim, bright = sorted((light(one), light(other)))
    return (bright + 0.05) / (dim + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_lines_of_charts_and_their_legend_stand_out_from_the_page(browser: Browser, built: Path, scheme: str) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 900}, color_scheme=scheme)
    page.goto(f"{(built / '_site' / NEWEST / 'index.html').as_uri()}")
    page.locator(".gz-chart[data-drawn='yes']").first.wait_for()
    found = page.evaluate("""() => {
        const chart = document.querySelector(".gz-chart[data-drawn='yes'] svg");
        const of = (what, key) => [...chart.querySelectorAll(what)].map(e => getComputedStyle(e)[key]);
        return { page: getComputedStyle(document.body).backgroundColor, lines: of(".mark-line path", "stroke"),
                 legend: of(".role-legend-symbol path", "fill"), opacity: of(".role-legend-symbol path", "opacity") };
    }""")
    page.close()
    assert len(set(found["lines"])) == len(found["legend"]) == 2
    assert set(found["legend"]) == set(found["lines"])
    assert set(found["opacity"]) == {"1"}
    assert min(_contrast(line, found["page"]) for line in found["lines"]) >= 3


def test_downloads_are_there(watched: Watched, address: str, built: Path) -> None:
    page = watched.page
    page.goto(f"{address}{NEWEST}/experiments/ranking-v3-2.html")
    links = page.eval_on_selector_all("a[download]", "all => all.map(a => a.getAttribute('href'))")
    assert any(link.endswith("record.json") for link in links)
    assert sum(link.endswith(".csv") for link in links) >= 3
    folder = built / "_site" / NEWEST / "experiments"
    for link in links:
        assert (folder / link).resolve().is_file(), link


EVIL = "<script>alert('x')</script>{{< include secret >}} **b** <img src=x onerror=alert(1)>"


def test_markup_in_titles_and_data_shows_as_text(browser: Browser, small: SmallProject, engine: str) -> None:

    small.site |= {"title": EVIL, "organisation": EVIL, "notice": EVIL, "engine": engine}
    small.site["executive"]["title"] = EVIL
    small.metric |= {"title": EVIL, "definition": EVIL, "owner": EVIL}
    small.experiment |= {"title": EVIL, "description": EVIL, "hypothesis": EVIL, "owner": EVIL}
    small.experiment["variants"][0]["title"] = EVIL
    small.experiment["variants"][1]["title"] = EVIL + "2"
    small.write()
    small.add_pages("portfolio")
    gazette("build", "2026-W47", project=small.root)
    one = Watched(browser)
    try:
        with serving(small.root) as home:
            for place in ("index.html", "archive.html", *(f"{NEWEST}/{p}" for p in INSIDE)):
                one.page.goto(home + place, wait_until="load")
                draw_all(one.page)
                assert one.page.locator("img[src=x]").count() == 0
                if place.endswith(("button.html", "W47/index.html", "experiments.html")):
                    assert EVIL in " ".join(one.page.inner_text("body").split()), place
        assert one.faults == []
    finally:
        one.context.close()


INSIDE = (
    "index.html",
    "experiments.html",
    "models.html",
    "portfolio.html",
    "provenance.html",
    "experiments/button.html",
)


def test_markup_in_the_data_itself_shows_as_text(browser: Browser, demo: Path, tmp_path: Path) -> None:
    """A segment whose value is a script, in the warehouse of the flight model."""

    place = copy_project(tmp_path / "project")
    (place / ".gazette").mkdir()
    shutil.copytree(demo / ".gazette" / "demo", place / ".gazette" / "demo")
    gone = ["models/recommender.yml", "annotations.yml"]
    for path in [*(place / "params" / "experiments").glob("*.yml"), *(place / "params" / name for name in gone)]:
        path.unlink()
    site = place / "params" / "site.yml"
    kept = [line for line in site.read_text().splitlines() if not line.strip().startswith("- ")]
    site.write_text("\n".join(kept).replace("  cards:", "  cards: [flight-delay.auc]") + "\n")
    (place / "params" / "translations.yml").write_text("translations: []\n")
    with duckdb.connect(str(place / ".gazette" / "demo" / "warehouse.duckdb")) as warehouse:
        warehouse.execute(
            "UPDATE flight_predictions SET origin = ? WHERE origin = 'EWR'", ["<script>alert(1)</script>"]
        )
    gazette("build", "2026-W47", "--engine", "embedded", project=place)
    one = Watched(browser)
    try:
        one.page.goto(f"{(place / '_site').as_uri()}/{NEWEST}/models/flight-delay.html", wait_until="load")
        draw_all(one.page)
        assert "<script>alert(1)</script>" in one.page.inner_text("body")
        assert one.faults == []
    finally:
        one.context.close()


def drawn_values(page: Page, name: str) -> list[dict[str, Any]]:
    """The rows that a chart really draws, after its filters."""
    rows = page.evaluate(
        """name => {
            const figure = document.querySelector(`.gz-chart[data-name="${name}"]`);
            const state = figure.view.getState({ signals: () => false, data: () => true });
            const names = Object.keys(state.data).filter(n => n.startsWith("data_"));
            const found = names.map(n => figure.view.data(n)).filter(rows => rows.length && rows[0].measure);
            return found.sort((a, b) => a.length - b.length)[0] || [];
        }""",
        name,
    )
    return list(rows)


def test_the_controls_of_a_model_page_really_filter_every_chart_of_their_part(watched: Watched, address: str) -> None:
    page = watched.page
    page.goto(f"{address}/{NEWEST}/models/flight-delay.html", wait_until="load")
    draw_all(page)

    def choose(name: str, value: str) -> None:
        page.select_option(f'.gz-controls select[data-param="{name}"]', value)
        page.wait_for_timeout(400)

    def shown(name: str, field: str) -> set[str]:
        return {str(r[field]) for r in drawn_values(page, name)}

    charts = ("explore-trend", "explore-rows", "explore-segments")
    before = {name: len(drawn_values(page, name)) for name in charts}
    assert all(before.values()), before
    choose("version", "baseline (1)")
    assert [shown(name, "version") for name in charts] == [{"baseline (1)"}] * 3
    choose("measure", "recall")
    assert [shown(name, "measure") for name in charts] == [{"recall"}] * 3
    choose("group", "origin: JFK")
    assert shown("explore-trend", "group") == shown("explore-rows", "group") == {"origin: JFK"}
    choose("start", "2026-10-26")
    choose("end", "2026-11-09")
    weeks = {"2026-10-26", "2026-11-02", "2026-11-09"}
    assert shown("explore-trend", "week") == shown("explore-rows", "week") == weeks
    assert shown("explore-segments", "week") == {"2026-11-09"}, "segments show the last of the chosen weeks"
    page.locator(".gz-scheme").click()
    page.wait_for_timeout(1500)
    assert shown("explore-trend", "week") == weeks, "a redrawn chart keeps the choice"
    assert watched.faults == []


@pytest.mark.parametrize(("now", "said"), [("2026-12-01T12:00:00Z", ""), ("2026-12-04T12:00:00Z", "11 days ago")])
def test_a_newest_edition_of_long_ago_says_so(watched: Watched, address: str, now: str, said: str) -> None:
    watched.page.clock.set_fixed_time(now)
    watched.page.goto(f"{address}/{NEWEST}/index.html", wait_until="load")
    found = watched.page.locator(".gz-stale").all_inner_texts()
    assert (said in found[0]) if said else found == []
    watched.page.goto(f"{address}/editions/2026-W45/index.html", wait_until="load")
    assert watched.page.locator(".gz-stale").count() == 0, "an earlier edition says that it is one"
