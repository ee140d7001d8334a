"""Replays that were kept: files, what counts, what later editions, the archive and the log say of them."""

from __future__ import annotations

import json
import re
import shutil
import threading
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from statsmodels.stats.proportion import proportion_confint

from gazette.build import open_project
from gazette.editions import Store, Week
from gazette.errors import EditionError, ParamsError, WrongUseError
from gazette.register import REPLAYS, keep_replay, load_replays, newest_replays
from program import gazette
from small import SmallProject

if TYPE_CHECKING:
    from pathlib import Path

OLD, NEW = "2026-W46", "2026-W47"
EVIL = "<script>alert(1)</script>"
pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("replay")]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An edition that was replayed and kept, then one more week."""
    small = SmallProject(tmp_path_factory.mktemp("kept") / "project")
    gazette("build", OLD, project=small.root)
    first = gazette("replay", OLD, "--keep", "--by", EVIL, "--on", "2026-11-17", "--page", "button", project=small.root)
    assert f"Kept in {REPLAYS}/{OLD}-2026-11-17.yml" in first.stdout
    gazette("replay", "--random", "--seed", "1", "--keep", "--by", "Ada", "--on", "2026-11-17", project=small.root)
    gazette("build", NEW, project=small.root)
    return small.root


@pytest.fixture
def project(kept: Path, tmp_path: Path) -> Path:
    shutil.copytree(kept, tmp_path / "project", ignore=shutil.ignore_patterns(".gazette"))
    return tmp_path / "project"


def sheet(root: Path, **more: Any) -> Path:
    store = Store(root / "editions")
    edition = str(more.get("edition", OLD))
    content: dict[str, Any] = {
        "edition": edition,
        "edition_digest": store.manifest(Week.parse(edition)).digest,
        "outcome": "identical",
        "pages": 2,
        "of_pages": 2,
        "numbers": 50,
        "gazette": "0.1.0",
        "environment": "same",
        "by": "Ben",
        "replayed": date(2026, 11, 18),
    }
    return keep_replay(root, content | more)


def test_a_kept_replay_says_what_was_run_and_is_read_back(kept: Path) -> None:
    part, whole = load_replays(kept)
    assert (part[1].whole, part[1].pages, part[1].of_pages) == (False, 1, 2)
    assert (whole[0], whole[1].outcome, whole[1].by, whole[1].environment) == (
        f"{REPLAYS}/{OLD}-2026-11-17-2.yml", "identical", "Ada", "same",
    )  # fmt: skip
    assert whole[1].numbers >= 20
    assert whole[1].edition_digest == Store(kept / "editions").manifest(Week.parse(OLD)).digest


def test_the_next_summary_says_how_many_came_out_the_same(kept: Path) -> None:
    record = json.loads((kept / "editions" / NEW / "records" / "executive.json").read_text())
    numbers = {n["id"]: n for n in record["numbers"]}
    assert (numbers["executive.replays"]["value"], numbers["executive.replays-same"]["value"]) == (1.0, 1.0)
    low, high = proportion_confint(1, 1, method="wilson")
    rate = numbers["executive.replays-rate"]
    assert (rate["interval"]["low"], rate["interval"]["high"]) == pytest.approx((low, high))
    page = (kept / "editions" / NEW / "site" / "index.html").read_text(encoding="utf-8")
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page))
    assert "Run again, 1 of 1 past editions gave the same numbers: 100 % (21 to 100 %)." in text
    first = json.loads((kept / "editions" / OLD / "records" / "executive.json").read_text())
    assert not [n for n in first["numbers"] if "replays" in n["id"]]


def test_archive_and_log_show_it(kept: Path) -> None:
    archive = (kept / "_site" / "archive.html").read_text(encoding="utf-8")
    assert archive.count("✓ Run again: the same") == 1
    assert "2026-11-17" in archive
    rows = json.loads(gazette("log", "--json", "--kind", "replayed", project=kept).stdout)
    said = [r["what"] for r in (rows["events"] if isinstance(rows, dict) else rows)]
    assert said[0].startswith("identical (1 of 2 pages)")
    assert said[1].startswith("identical: ")


def test_only_the_newest_whole_replay_of_the_edition_that_is_there_counts(project: Path) -> None:
    store = Store(project / "editions")
    assert newest_replays(project, store)[OLD].by == "Ada"
    sheet(project, outcome="differs", flips=1)
    assert newest_replays(project, store)[OLD].outcome == "differs"
    assert newest_replays(project, store, until=date(2026, 11, 17))[OLD].outcome == "identical"
    sheet(project, pages=1, replayed=date(2026, 11, 19))
    sheet(project, edition_digest="0" * 64, replayed=date(2026, 11, 20))
    assert newest_replays(project, store)[OLD].outcome == "differs"
    sheet(project, outcome="did not run", pages=0, numbers=0, reason="No Python.", replayed=date(2026, 11, 21))
    assert newest_replays(project, store)[OLD].outcome == "differs", "what did not run takes no place of what did"
    rows = json.loads(gazette("log", "--json", "--kind", "replayed", project=project).stdout)
    rows = rows["events"] if isinstance(rows, dict) else rows
    assert [r["what"].endswith("; not of the edition that is there") for r in rows].count(True) == 1
    for turn in range(12):
        sheet(project, by=f"P{turn}", replayed=date(2026, 11, 22))
    assert newest_replays(project, store)[OLD].by == "P11", "the tenth file of a day comes after the ninth"


def test_an_edition_that_does_not_run_is_kept_with_the_reason_and_said(project: Path) -> None:
    shutil.rmtree(project / "_site")
    path = project / "editions" / OLD / "notebooks" / "button.ipynb"
    whole = path.read_text()
    path.write_text(whole.replace("ctr", "ctx", 1))
    gazette("replay", OLD, "--keep", "--by", "Ada", "--on", "2026-11-20", project=project, code=1)
    path.write_text(whole)
    last = load_replays(project)[-1][1]
    assert last.outcome == "did not run"
    assert "not what was sealed" in last.reason
    for earlier in (project / REPLAYS).glob("*11-17*"):
        earlier.unlink()
    gazette("build", NEW, project=project)
    archive = (project / "_site" / "archive.html").read_text(encoding="utf-8")
    assert "✗ Run again: did not run" in archive
    assert EVIL not in archive


def test_two_at_once_lose_nothing(project: Path) -> None:
    threads = [threading.Thread(target=sheet, args=(project,), kwargs={"by": f"P{i}"}) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {one.by for _, one in load_replays(project)} == {EVIL, "Ada", *(f"P{i}" for i in range(8))}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"outcome": "fine"}, "outcome"),
        ({"outcome": "did not run"}, "says why"),
        ({"pages": 3}, "3 pages of 2"),
        ({"edition": "W47"}, "edition"),
        ({"replayed": "soon"}, "replayed"),
        ({"more": 1}, "more"),
    ],
)
def test_a_malformed_file_is_named_by_check_and_stops_a_build(
    project: Path, change: dict[str, Any], words: str
) -> None:
    path = project / REPLAYS / f"{OLD}-2026-11-17.yml"
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | change))
    with pytest.raises(ParamsError, match=words):
        load_replays(project)
    name = f"{REPLAYS}/{OLD}-2026-11-17.yml"
    checked = gazette("check", project=project, code=1)
    assert name in checked.stdout + checked.stderr
    assert name in gazette("build", NEW, project=project, code=1).stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([OLD, "--keep"], "--keep, --by and --on go together"),
        ([OLD, "--by", "Ada"], "go together"),
        ([OLD, "--on", "2026-11-20"], "go together"),
        ([], "name an edition, or take one with --random"),
        ([OLD, "--random"], "name an edition, or take one"),
        ([OLD, "--seed", "3"], "--seed goes with --random"),
        ([OLD, "--keep", "--by", " "], "--by is empty"),
    ],
)
def test_a_wrong_request_is_refused(project: Path, arguments: list[str], words: str) -> None:
    before = sorted((project / REPLAYS).iterdir())
    says = gazette("replay", *arguments, project=project, code=2).stderr
    assert words in says
    assert sorted((project / REPLAYS).iterdir()) == before


def test_chance_takes_every_edition_and_a_seed_the_same_one(kept: Path, small: SmallProject) -> None:
    from argparse import Namespace  # noqa: PLC0415

    from gazette.cli._replay import _week  # noqa: PLC0415

    found = open_project(kept)
    taken = [str(_week(found, Namespace(random=True, edition=None, seed=i))) for i in range(40)]
    assert set(taken) == {OLD, NEW}
    again = [str(_week(found, Namespace(random=True, edition=None, seed=i))) for i in range(40)]
    assert again == taken
    with pytest.raises(WrongUseError, match="no edition to replay"):
        _week(open_project(small.root), Namespace(random=True, edition=None, seed=None))


def test_a_disk_that_refuses_is_said(project: Path) -> None:
    shutil.rmtree(project / REPLAYS)
    (project / REPLAYS).write_text("a file where the folder should be")
    with pytest.raises(EditionError, match="cannot write"):
        sheet(project)
