"""Two editions of a small project: what `gazette diff` and the page say of them, and people's remarks on the pages."""

from __future__ import annotations

import json
import re
import shutil
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from gazette.diff import choose_pair, compare_sides, difference, read_side
from gazette.editions import Store, Week
from gazette.errors import EditionError, WrongUseError
from program import gazette
from small import SmallProject

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser

pytestmark = pytest.mark.integration

HOSTILE = "<script>alert(1)</script> & " + "long" * 60
NOTES: list[dict[str, Any]] = [
    {"id": "whole", "subject": "button", "text": HOSTILE},
    {"id": "one-number", "subject": "button", "number": "button.ctr.difference", "text": "Bots were taken out."},
    {"id": "one-chart", "subject": "button", "chart": "looks", "text": "The second look came late."},
    {"id": "one-day", "subject": "button", "day": "2026-11-18", "text": "The shop was closed."},
    {"id": "later-day", "subject": "button", "day": "2026-11-30", "text": "Not yet known."},
    {"id": "lost-number", "subject": "button", "number": "button.ctr.differnce", "text": "Of a number that went."},
    {"id": "lost-chart", "subject": "button", "chart": "look", "text": "Of a chart that went."},
]
PAGE = "editions/2026-W47/site/experiments/button.html"


def write_notes(root: Path, notes: list[dict[str, Any]]) -> None:
    rows = [{"author": "Ada <b>", "written": "2026-11-23", **n} for n in notes]
    text = yaml.safe_dump({"annotations": rows}, sort_keys=False, width=4096)
    (root / "params" / "annotations.yml").write_text(re.sub(r"'(\d{4}-\d\d-\d\d)'", r"\1", text))


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The project with two editions, and what the second build printed."""
    small = SmallProject(tmp_path_factory.mktemp("diff") / "project", users=400)
    gazette("build", "2026-W46", project=small.root)
    small.metric["changelog"].append(
        {"version": 2, "date": "2026-11-17", "author": "office", "change": "Told more plainly."}
    )
    small.metric["definition"] = "Share of users who clicked at least once."
    small.experiment["planned_units"] = 880
    small.write()
    small.add_experiment("red", title="Red <i>button</i>")
    template = small.root / "notebooks" / "experiment.ipynb"
    content = json.loads(template.read_text())
    cell = next(c for c in content["cells"] if c["cell_type"] == "code" and not c["metadata"].get("tags"))
    cell["source"] = "# a word more\n" + "".join(cell["source"])
    template.write_text(json.dumps(content))
    write_notes(small.root, NOTES)
    return small.root, gazette("build", "2026-W47", project=small.root).stdout


@pytest.fixture
def project(sealed: tuple[Path, str], tmp_path: Path) -> Path:
    shutil.copytree(sealed[0], tmp_path / "project")
    return tmp_path / "project"


@pytest.fixture
def page(sealed: tuple[Path, str]) -> str:
    return (sealed[0] / PAGE).read_text()


def test_the_command_tells_what_changed_the_most_important_first(sealed: tuple[Path, str]) -> None:
    said = gazette("diff", "W47", project=sealed[0]).stdout
    heads = re.findall(r"^(\w+) \(\d+\)$", said, re.MULTILINE)
    assert heads == ["Verdicts", "Numbers", "Findings", "Subjects", "Definitions", "Code", "Data"]
    assert said.startswith("From 2026-W46 to 2026-W47:")
    assert "FLIP  Green button, ctr: " in said
    assert "Version 2 of 2026-11-17 by office: Told more plainly." in said
    assert "experiments/button.yml: planned_units: 800 → 880" in said
    assert "more; --all shows them" in said
    assert "more; --all" not in gazette("diff", "2026-W46", "2026-W47", "--all", project=sealed[0]).stdout


def test_programs_read_the_same_and_values_are_those_of_the_records(sealed: tuple[Path, str]) -> None:
    found = json.loads(gazette("diff", "--json", project=sealed[0]).stdout)
    records = [
        json.loads((sealed[0] / f"editions/{w}/records/button.json").read_text()) for w in ("2026-W46", "2026-W47")
    ]
    old, new = ({n["id"]: n for n in r["numbers"]} for r in records)
    row = next(n for n in found["numbers"] if n["id"] == "button.ctr.control")
    half = (old[row["id"]]["interval"]["high"] - old[row["id"]]["interval"]["low"]) / 2
    assert row["size"] == pytest.approx(abs(new[row["id"]]["value"] - old[row["id"]]["value"]) / half)
    assert row["headline"]
    listed = {n["id"] for n in found["numbers"]}
    assert {i for i in old.keys() | new.keys() if old.get(i, {}).get("value") != new.get(i, {}).get("value")} <= listed
    ranks = [(0 if n["outside"] or n["how"] in {"published", "withheld"} else 1) for n in found["numbers"]]
    assert ranks == sorted(ranks)
    assert [v["flips"] for v in found["verdicts"]] == [True]
    assert {(s["page"], s["how"]) for s in found["subjects"]} == {("red", "new")}
    assert any(c["what"] == "cell" and "button" in c["pages"] for c in found["code"])
    assert {d["snapshot"] for d in found["data"]} >= {"button", "red"}
    assert found["problems"] == []


def test_an_edition_with_itself_and_two_the_wrong_way_round_are_said(sealed: tuple[Path, str]) -> None:
    root = sealed[0]
    assert "compared with itself" in gazette("diff", "2026-W47", "2026-W47", project=root).stdout
    said = gazette("diff", "2026-W47", "2026-W46", project=root).stdout
    assert said.startswith("2026-W47 is the later of the two")
    assert "From 2026-W46 to 2026-W47" in said


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["2026-W46"], 1, "first edition"),
        (["2026-W40"], 1, "no edition 2026-W40"),
        (["W40"], 1, "no edition of a week W40"),
        (["forty"], 2, "not an ISO week"),
        (["2026-W46", "2026-W47", "2026-W48"], 2, "3 editions are named"),
        (["2026-W47", "--page", "nobody"], 2, "has a page 'nobody'"),
    ],
)
def test_what_cannot_be_compared_is_one_clear_error(
    sealed: tuple[Path, str], arguments: list[str], code: int, says: str
) -> None:
    done = gazette("diff", *arguments, project=sealed[0], code=code)
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_one_page_alone_leaves_the_others_out(sealed: tuple[Path, str]) -> None:
    found = json.loads(gazette("diff", "--json", "--page", "button", project=sealed[0]).stdout)
    assert {n["page"] for n in found["numbers"]} == {"button"}
    assert found["subjects"] == []


def test_missing_and_changed_files_are_named_and_the_rest_is_compared(project: Path) -> None:
    store = Store(project / "editions")
    folder = project / "editions" / "2026-W46"
    shutil.rmtree(folder / "notebooks")
    (folder / "params" / "alerts.yml").unlink()
    (folder / "params" / "metrics.yml").write_text("metrics: [")
    (folder / "records" / "executive.json").write_text('{"schema_version": "gazette.record/0"}')
    next((folder / "snapshot" / "button").glob("*.parquet")).write_bytes(b"cut")
    found = difference(store, Week.parse("2026-W46"), Week.parse("2026-W47"))
    said = "\n".join(found.problems)
    for words in (
        "notebooks/button.ipynb is left out: a sealed file cannot be read: it is missing",
        "params/alerts.yml is left out: a sealed file cannot be read: it is missing",
        "params/metrics.yml is left out: a sealed file is not what was sealed",
        "records/executive.json is left out",
        ".parquet is left out",
    ):
        assert words in said
    assert found.numbers
    assert found.flips
    (folder / "manifest.json").write_text("{")
    with pytest.raises(EditionError, match="cannot be trusted"):
        difference(store, Week.parse("2026-W46"), Week.parse("2026-W47"))


def test_no_edition_at_all_and_names_of_none_are_refused(tmp_path: Path) -> None:
    with pytest.raises(EditionError, match="no edition yet"):
        choose_pair(Store(tmp_path), [])
    with pytest.raises(EditionError, match="no edition yet"):
        choose_pair(Store(tmp_path), ["2026-W47"])


def test_a_failed_subject_comes_first_and_other_columns_before_other_rows(sealed: tuple[Path, str]) -> None:
    folder = sealed[0] / "editions" / "2026-W47"
    before = read_side(folder, "2026-W46", versions={"python": "3.11"})
    after = read_side(folder, "2026-W47", versions={"python": "3.12", "quarto": "2"})
    assert not compare_sides(before, read_side(folder, "2026-W46", versions={"python": "3.11"})).data
    after.failures["button"] = {"kind": "experiment", "title": "Green button", "what": "no memory"}
    del after.records["button"]
    name = ("red", "arms")
    after.queries[name] = type(after.queries[name])(
        after.queries[name].rows, "0" * 64, after.queries[name].sql, {"variant": "int64"}
    )
    other = ("red", "looks")
    after.queries[other] = type(after.queries[other])(99, "1" * 64, after.queries[other].sql + "-- 2026-11-23", {})
    found = compare_sides(before, after)
    assert (found.subjects[0].how, found.subjects[0].page) == ("failed", "button")
    assert "no memory" in found.subjects[0].what
    assert [d.how for d in found.data] == ["columns", "text"]
    assert "variant int64" in found.data[0].new
    assert [(c.place, c.old, c.new) for c in found.code] == [("python", "3.11", "3.12"), ("quarto", None, "2")]


def test_packages_of_other_versions_are_named_where_both_editions_keep_their_environment(
    sealed: tuple[Path, str], tmp_path: Path
) -> None:
    shutil.copytree(sealed[0] / "editions" / "2026-W47", tmp_path / "there")
    place = tmp_path / "there" / "environment" / "environment.json"
    content = json.loads(place.read_bytes())
    pandas = content["packages"]["pandas"]
    del content["packages"]["altair"]
    place.write_text(json.dumps(content | {"packages": content["packages"] | {"pandas": "9.0.0", "extra": "1"}}))
    sides = [read_side(f, "2026-W47", versions={}) for f in (sealed[0] / "editions" / "2026-W47", tmp_path / "there")]
    found = [(c.place, c.old, c.new) for c in compare_sides(*sides).code]
    altair = sides[0].packages["altair"]
    assert found == [("altair", altair, None), ("extra", None, "1"), ("pandas", pandas, "9.0.0")]
    shutil.rmtree(place.parent)
    older = read_side(tmp_path / "there", "2026-W46", versions={})
    assert compare_sides(older, sides[0]).code == (), "an edition that does not say has not lost them"
    assert any("environment/ is not there" in p for p in older.problems)


def test_the_page_marks_the_earlier_edition_and_only_this_one_has_passports(sealed: tuple[Path, str]) -> None:
    text = (sealed[0] / "editions/2026-W47/site/changes.html").read_text()
    record = json.loads((sealed[0] / "editions/2026-W46/records/button.json").read_text())
    assert '<span class="gz-before">' in text
    assert "Red &lt;i&gt;button&lt;/i&gt;" in text
    assert "<i>button</i>" not in text
    assert record["edition"] == "2026-W46"
    old = re.findall(r'<span class="gz-before">(.*?)</span>', text, re.DOTALL)
    assert old
    assert not any("data-number" in o for o in old)
    assert "tells readers something else" in text or "tell readers something else" in text
    first = (sealed[0] / "editions/2026-W46/site/changes.html").read_text()
    assert "first edition, so there is none before it" in first
    for place in ("index.html", "provenance.html"):
        assert "changes.html" in (sealed[0] / "editions/2026-W47/site" / place).read_text()


def test_remarks_stand_at_their_subject_number_chart_and_date(page: str) -> None:
    assert "<script>alert(1)" not in page
    top = page.index('class="gz-remark"')
    assert top < page.index("gz-findings")
    assert page.count("Ada &lt;b&gt;") >= 5
    number = page.index('data-number="button.ctr.difference"')
    assert 'href="#remark-one-number"' in page[number : number + 6000]
    figure = re.search(r'<figure class="gz-chart" data-name="looks">.*?</figure>', page, re.DOTALL)
    assert figure
    assert "The second look came late." in figure[0]
    assert "18 November 2026" in figure[0]
    spec = json.loads(re.findall(r'<script type="application/json">(.*?)</script>', figure[0], re.DOTALL)[0])
    rule = next(layer for layer in spec["layer"] if layer.get("name") == "remarked-days")
    assert rule["data"]["values"][0]["when"] == "2026-W47"
    assert "Not yet known." not in page


def test_a_remark_on_what_is_gone_is_reported_everywhere(sealed: tuple[Path, str], page: str) -> None:
    root, printed = sealed
    for words in ("there is no such number any more: button.ctr.differnce", "there is no such chart any more: look"):
        assert words in printed
        assert words in gazette("check", project=root).stdout
        assert words[1:] in page
    assert json.loads(gazette("check", "--json", project=root).stdout)["warnings"]


@pytest.mark.parametrize(
    ("target", "says"),
    [
        (("--number", "button.ctr.differnce"), "did you mean: button.ctr.difference"),
        (("--chart", "look"), "did you mean: looks"),
    ],
)
def test_annotate_refuses_what_the_newest_edition_has_not(project: Path, target: tuple[str, str], says: str) -> None:
    before = (project / "params/annotations.yml").read_bytes()
    done = gazette("annotate", "button", *target, "--by", "B", "--text", "T", project=project, code=2)
    assert says in done.stderr
    assert (project / "params/annotations.yml").read_bytes() == before


def test_names_that_are_no_week_are_wrong_use(sealed: tuple[Path, str]) -> None:
    with pytest.raises(WrongUseError, match="not an ISO week"):
        choose_pair(Store(sealed[0] / "editions"), ["W4"])


@pytest.mark.browser
@pytest.mark.xdist_group("browser")
@pytest.mark.parametrize("width", [1280, 390])
def test_pages_can_be_read_in_a_browser(sealed: tuple[Path, str], browser: Browser, width: int) -> None:
    root = sealed[0]
    context = browser.new_context(viewport={"width": width, "height": 800})
    view = context.new_page()
    faults: list[str] = []
    view.on("pageerror", lambda e: faults.append(str(e)))
    view.on("dialog", lambda d: faults.append(d.message))
    view.goto((root / "_site/editions/2026-W47/experiments/button.html").as_uri(), wait_until="load")
    figure = view.locator('.gz-chart[data-name="looks"]')
    figure.scroll_into_view_if_needed()
    view.wait_for_selector('.gz-chart[data-name="looks"][data-drawn="yes"]')
    assert figure.locator("svg line[stroke='#b07800'], svg path[stroke='#b07800']").count() == 1
    mark = view.locator(".gz-remark-mark a").first
    assert "Bots were taken out. (Ada <b>, 23 November 2026)" in str(mark.get_attribute("aria-label"))
    view.locator('.gz-number[data-number="button.ctr.difference"]').first.click()
    assert "Bots were taken out." in view.locator(".gz-passport").inner_text()
    view.keyboard.press("Escape")
    mark.click()
    assert view.url.endswith("#remark-one-number")
    fits = "() => document.documentElement.scrollWidth <= innerWidth + 1"
    assert view.evaluate(fits)
    view.goto((root / "_site/editions/2026-W47/changes.html").as_uri(), wait_until="load")
    assert view.evaluate(fits)
    assert view.locator("#verdicts, section#verdicts").count() >= 1
    fold = view.locator("details.gz-fold").first
    fold.locator("summary").first.click()
    assert fold.get_attribute("open") is not None
    assert view.evaluate(fits)
    assert faults == []
    context.close()
