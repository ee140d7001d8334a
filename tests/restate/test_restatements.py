"""Late rows, corrected rows, a changed definition and changed code, put into a real project after an edition was sealed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from datetime import datetime
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from gazette.build import open_project
from gazette.editions import Store, Week
from gazette.errors import EditionError
from gazette.register import listed, load_register, read_log
from gazette.restate import Now, restate
from gazette.sources import Period
from program import gazette, other_library, reseal
from small import SmallProject

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser

pytestmark = pytest.mark.integration
OLD, NEW = "2026-W46", "2026-W47"
CUTOFFS = (datetime(2026, 11, 16), datetime(2026, 11, 23))  # noqa: DTZ001  the clock of editions is UTC without zone
LATE, BEFORE = "TIMESTAMP '2026-11-17'", "TIMESTAMP '2026-11-15 12:00'"
ZED = "float(ndtri(0.5 + level / 2))"  # the function of the library that is changed: all ranges become wider


def click(root: Path, variant: str, arrived: str, rest: int, happened: str = "assigned_at + INTERVAL 1 HOUR") -> None:
    """Users of an arm whose number has this rest by ten click once (more)."""
    with duckdb.connect(str(root / "warehouse.duckdb")) as warehouse:
        warehouse.execute(
            f"INSERT INTO events SELECT unit_id, {happened}, {arrived} FROM experiment_assignments "
            f"WHERE variant = '{variant}' AND CAST(split_part(unit_id, '-', 2) AS INTEGER) % 10 = {rest} "
            f"AND assigned_at < TIMESTAMP '2026-11-15'"
        )


def count_instead(root: Path) -> None:
    """A new definition of the metric: clicks a user, not whether one clicked."""
    path = root / "params" / "metrics.yml"
    text = path.read_text().replace("aggregation: any", "aggregation: count").replace("unit: fraction", "unit: number")
    before = "{unit: fraction, fact: {table: events, unit: unit_id, time: happened_at, arrived: loaded_at, aggregation: any}}"
    entry = f"    - {{version: 2, date: 2026-11-18, author: office, change: Clicks a user., before: {before}}}\n"
    path.write_text(text.rstrip("\n") + "\n" + entry)


def build(root: Path, **environment: str) -> dict[str, Any]:
    """Build the second week and give its log."""
    done = subprocess.run(
        [sys.executable, "-m", "gazette", "build", NEW, "--project", str(root)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    found: dict[str, Any] = json.loads((root / "editions" / NEW / "restatements.json").read_text())
    return found


def number(log: dict[str, Any], ident: str, cause: str) -> dict[str, Any]:
    (row,) = [r for r in log["restatements"] if r["before"]["id"] == ident and r["cause"] == cause]
    return dict(row)


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One edition on which a decision was taken; two users in ten of each arm clicked twice."""
    small = SmallProject(tmp_path_factory.mktemp("restated") / "project", users=1000)
    small.site |= {
        "restatements": {"editions": 4},
        "recompute": False,
    }  # the second computation would refuse the changed code
    small.write()
    click(small.root, "green", BEFORE, 0)
    gazette("build", OLD, project=small.root)
    decided = ("--by", "Ada", "--because", "It is better.", "--edition", OLD)
    gazette("decide", "button", "ship", *decided, project=small.root)
    gazette("sign-off", f"button-{OLD}", "--by", "Ben", project=small.root)
    return small.root


def copied(sealed: Path, tmp_path_factory: pytest.TempPathFactory, name: str) -> Path:
    root = tmp_path_factory.mktemp(name) / "project"
    shutil.copytree(sealed, root)
    return root


@pytest.fixture(scope="module")
def late(sealed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Most of blue's clicks arrived a day after the first edition's cut-off."""
    root = copied(sealed, tmp_path_factory, "late")
    for rest in range(1, 8):
        click(root, "blue", LATE, rest)
    build(root)
    return root


def test_late_rows_are_told_as_late_data_and_a_verdict_that_turns_is_called_out(late: Path) -> None:
    log = read_log(Store(late / "editions").open(Week.parse(NEW)))
    assert log is not None
    assert {r.cause for r in log.restatements} == {"late data"}
    assert not log.unread
    (flip,) = [r for r in log.restatements if r.flip is not None]
    assert flip.before.id == "button.ctr.relative"
    assert flip.flip is not None
    assert (flip.flip.state_before, flip.flip.action_before) != (flip.flip.state_after, flip.flip.action_after)
    assert flip.size is not None
    assert flip.size > 1
    assert flip.detail.endswith("arrived after the edition's cut-off of 2026-11-16 00:00 UTC")
    blue = next(r for r in log.restatements if r.before.id == "button.ctr.control")
    assert (blue.edition, blue.found_in, blue.found_at) == (OLD, NEW, CUTOFFS[1])
    sealed_record = json.loads((late / "editions" / OLD / "records" / "button.json").read_text())
    published = next(n for n in sealed_record["numbers"] if n["id"] == "button.ctr.control")
    assert json.loads(blue.before.model_dump_json())["value"] == published["value"]


def test_who_relied_on_the_old_number_is_named_from_the_register(late: Path) -> None:
    first = listed(Store(late / "editions"), load_register(late)).moved[0]
    assert first.flip is not None, "a verdict that turned comes first"
    assert first.readers == ("Ada (decided: ship)", "Ben (signed that off)")


def test_the_old_edition_is_as_it_was_and_the_new_one_seals_the_log(late: Path, sealed: Path) -> None:
    old = {p.relative_to(sealed): p.read_bytes() for p in (sealed / "editions" / OLD).rglob("*") if p.is_file()}
    now = {p.relative_to(late): p.read_bytes() for p in (late / "editions" / OLD).rglob("*") if p.is_file()}
    assert old == now
    assert "restatements.json" in json.loads((late / "editions" / NEW / "manifest.json").read_text())["files"]
    gazette("verify", project=late)


def test_the_shelf_and_the_command_say_what_was_published_what_it_is_and_why(late: Path) -> None:
    page = (late / "_site" / "restatements.html").read_text()
    for words in (
        "verdict would be another one today",
        "Data arrived late",
        "Ada (decided: ship)",
        f'id="{OLD}-button"',
        f'href="editions/{OLD}/experiments/button.html"',
    ):
        assert words in page, words
    text = gazette("restatements", project=late).stdout
    assert "FLIP" in text.splitlines()[1]
    content = json.loads(gazette("restatements", "--edition", OLD, "--json", project=late).stdout)
    assert content["numbers"][0]["readers"] == ["Ada (decided: ship)", "Ben (signed that off)"]
    assert "no edition" in gazette("restatements", "--edition", "2026-W01", project=late, code=2).stderr


def again(root: Path, place: Path, edition: str = NEW) -> str:
    """The log as it comes out once more, with nothing remembered."""
    project = open_project(root)
    now = Now(
        edition=edition,
        period=Period(datetime(2026, 11, 16), CUTOFFS[1], project.params.site.history_weeks),  # noqa: DTZ001
        params=project.params,
        folder=root / "params",
        project=root,
        scratch=place / "scratch",
        cache=place / "cache",
    )
    return restate(project.store, [Week.parse(OLD)], now, lambda _: None).to_json()


def test_the_same_inputs_give_the_same_bytes(late: Path, tmp_path: Path) -> None:
    assert again(late, tmp_path) == (late / "editions" / NEW / "restatements.json").read_text()
    assert not (tmp_path / "scratch").exists()


def test_what_an_earlier_build_logged_is_not_logged_again(late: Path, tmp_path: Path) -> None:
    found = json.loads(again(late, tmp_path, "2026-W48"))
    assert found["restatements"] == []
    assert found["unread"] == []


def test_nothing_changed_logs_nothing(sealed: Path, tmp_path: Path) -> None:
    root = tmp_path / "project"
    shutil.copytree(sealed, root)
    log = build(root)
    assert log["restatements"] == []
    assert log["unread"] == []
    assert "Nothing restated" in (root / "_site" / "restatements.html").read_text()
    assert "No published number was restated" in gazette("restatements", project=root).stdout


def test_code_corrected_rows_late_rows_and_a_definition_are_told_apart_in_one_build(
    sealed: Path, tmp_path: Path
) -> None:
    root, library = tmp_path / "project", tmp_path / "lib"
    shutil.copytree(sealed, root)
    click(root, "blue", BEFORE, 1)
    click(root, "green", LATE, 2)
    count_instead(root)
    other_library(library, ("stats/_estimates.py", ZED, f"{ZED} * 1.1"))
    log = build(root, PYTHONPATH=str(library))
    assert log["unread"] == []
    causes = {r["cause"] for r in log["restatements"]}
    assert causes == {"changed code", "corrected source", "late data", "changed definition"}
    code = number(log, "button.ctr.control", "changed code")
    assert "source changed" in code["detail"]
    assert code["before"]["value"] == code["after"]["value"], "only the range is another one"
    corrected = number(log, "button.ctr.control", "corrected source")
    assert "before the edition's cut-off" in corrected["detail"]
    assert corrected["after"]["value"] > corrected["before"]["value"]
    came = number(log, "button.ctr.treatment", "late data")
    assert "arrived after" in came["detail"]
    defined = number(log, "button.ctr.treatment", "changed definition")
    assert "definition 2 of 2026-11-18 (office): Clicks a user." in defined["detail"]
    assert defined["before"]["value"] == came["after"]["value"], "each cause starts where the one before it ended"
    assert not [
        r for r in log["restatements"] if r["cause"] == "late data" and r["before"]["id"] == "button.ctr.control"
    ]


def test_a_source_that_lost_rows_or_a_table_and_a_subject_that_is_gone_are_named(sealed: Path, tmp_path: Path) -> None:
    root = tmp_path / "project"
    shutil.copytree(sealed, root)
    with duckdb.connect(str(root / "warehouse.duckdb")) as warehouse:
        warehouse.execute("DELETE FROM experiment_assignments WHERE assigned_at < TIMESTAMP '2026-11-11'")
    (row,) = json.loads(again(root, tmp_path))["unread"]
    assert (row["edition"], row["page"]) == (OLD, "button")
    assert "no longer has rows of 2026-11-09 to 2026-11-10" in row["why"]
    with duckdb.connect(str(root / "warehouse.duckdb")) as warehouse:
        warehouse.execute("ALTER TABLE events RENAME TO elsewhere")
    (row,) = json.loads(again(root, tmp_path))["unread"]
    assert "no table 'events'" in row["why"]
    (root / "warehouse.duckdb").unlink()
    (row,) = json.loads(again(root, tmp_path))["unread"]
    assert (row["page"], "no warehouse file" in row["why"]) == ("", True)
    shutil.copyfile(sealed / "warehouse.duckdb", root / "warehouse.duckdb")
    path = root / "params" / "experiments" / "button.yml"
    path.rename(path.with_name("other.yml"))
    other = path.with_name("other.yml")
    other.write_text(other.read_text().replace("id: button", "id: other"))
    (root / "params" / "site.yml").write_text(
        (root / "params" / "site.yml").read_text().replace("button.ctr.treatment", "other.ctr.treatment")
    )
    (row,) = json.loads(again(root, tmp_path))["unread"]
    assert "no longer defined" in row["why"]


def test_a_notebook_that_fails_today_is_named_and_stops_nothing(late: Path, tmp_path: Path) -> None:
    root = tmp_path / "project"
    shutil.copytree(late, root)
    path = root / "editions" / OLD / "notebooks" / "button.ipynb"
    notebook = json.loads(path.read_text())
    code = [c for c in notebook["cells"] if c["cell_type"] == "code"]
    code[-1]["source"] = "raise RuntimeError('not any more')"
    path.write_text(json.dumps(notebook))
    found = json.loads(again(root, tmp_path))
    assert "notebooks/button.ipynb: changed" in found["unread"][0]["why"], "nothing is said of what was altered"
    reseal(root / "editions" / OLD)
    found = json.loads(again(root, tmp_path))
    assert found["restatements"] == []
    assert "not any more" in found["unread"][0]["why"]


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"edition": "2026-W46"}', '{"edition": "2026-W47", "restatements": [{}]}']
)
def test_a_malformed_log_is_a_clear_error(tmp_path: Path, text: str) -> None:
    store, week = Store(tmp_path), Week.parse(NEW)
    folder = store.staging(week)
    (folder / "restatements.json").write_text(text)
    store.seal(folder, week, versions={}, facts={})
    with pytest.raises(EditionError, match="the log of restatements cannot be read"):
        read_log(store.open(week))


@pytest.mark.browser
@pytest.mark.xdist_group("browser")
def test_a_reader_of_the_old_edition_is_told_in_the_new_one_that_it_was_restated(late: Path, browser: Browser) -> None:
    context = browser.new_context()
    page = context.new_page()
    line = page.locator(".gz-since-restated")
    page.goto((late / "_site" / "editions" / NEW / "index.html").as_uri())
    page.wait_for_function("window.gzRestated")
    assert line.count() == 0, "who comes for the first time has read nothing else"
    page.evaluate("localStorage.clear()")
    page.goto((late / "_site" / "editions" / OLD / "index.html").as_uri())
    page.wait_for_function("window.gzRestated")
    assert line.count() == 0
    page.goto((late / "_site" / "editions" / NEW / "index.html").as_uri())
    line.wait_for()
    assert f"Of {OLD}, which you opened last, " in line.inner_text()
    assert "not what you read then, and " in line.inner_text()
    assert "would be another one today" in line.inner_text()
    line.locator("a").click()
    page.wait_for_url(f"**/restatements.html#{OLD}")
    context.close()


@pytest.mark.browser
@pytest.mark.xdist_group("browser")
def test_a_page_of_the_old_edition_shows_a_notice_that_links_to_the_restatement(late: Path, browser: Browser) -> None:
    page = browser.new_page()
    for place in ("experiments/button.html", "index.html"):
        page.goto((late / "_site" / "editions" / OLD / place).as_uri())
        notice = page.locator(".gz-restated")
        notice.wait_for()
        assert "verdict would be another one today" in notice.inner_text()
    page.goto((late / "_site" / "editions" / OLD / "experiments" / "button.html").as_uri())
    page.get_by_text("What changed, and why").click()
    page.wait_for_url("**/restatements.html#2026-W46-button")
    assert "Green button" in page.locator(f"[id='{OLD}-button']").inner_text()
    page.goto((late / "_site" / "editions" / NEW / "index.html").as_uri())
    page.wait_for_function("window.gzEditions")
    assert page.locator(".gz-restated").count() == 0
    page.close()
