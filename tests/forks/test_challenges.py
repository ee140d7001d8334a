"""Challenges of published numbers, and what an accepted one restates."""

from __future__ import annotations

import json
import shutil
from datetime import date
from typing import TYPE_CHECKING

import pytest
import yaml

from gazette.build import open_project
from gazette.errors import EditionError, GazetteError, NotebookError, ParamsError, WrongUseError
from gazette.forks import challenge, fork
from gazette.record import Record, joined
from gazette.register import accept_challenge, accepted_restatements, listed, load_challenges, load_register
from program import gazette

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.xdist_group("forks")
WEEK, NAME = "2026-W47", "button-2026-W47"
TODAY = date(2026, 11, 26)
FILE = f"reports/challenges/{NAME}.yml"


def edit(path: Path, old: str, new: str) -> None:
    """A person's change of the notebook."""
    content = json.loads(path.read_text())
    sources = [joined(c["source"]) for c in content["cells"]]
    assert sum(old in s for s in sources) == 1
    for cell in content["cells"]:
        cell["source"] = joined(cell["source"]).replace(old, new)
    path.write_text(json.dumps(content))


def append(path: Path, to: str, line: str) -> None:
    """A line at the end of a cell."""
    content = json.loads(path.read_text())
    for cell in content["cells"]:
        if to in joined(cell["source"]):
            cell["source"] = f"{joined(cell['source'])}\n{line}"
    path.write_text(json.dumps(content))


@pytest.fixture(scope="module")
def challenged(audited: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose numbers of ``button`` are challenged by a fork that counts the clicks of half a day alone, and no look before."""
    root = tmp_path_factory.mktemp("challenged") / "project"
    shutil.copytree(audited, root)
    made = fork(open_project(root), "button")
    edit(made.notebook, 'source = "snapshot"', 'source = "warehouse"')
    edit(made.notebook, 'arrived_by = "" ', 'arrived_by = "2026-11-09 12:00" ')
    edit(made.notebook, "test = open_experiment", "# <b>mine</b>\ntest = open_experiment")
    append(made.notebook, "test = open_experiment", "test.reading.past = []")
    says = gazette(
        "challenge", str(made.folder), "--by", "Cleo", "--because", "Only <i>one</i> morning counts.", project=root
    )
    (root / "said.txt").write_text(says.stdout)
    return root


@pytest.fixture
def root(challenged: Path, tmp_path: Path) -> Path:
    shutil.copytree(challenged, tmp_path / "project")
    return tmp_path / "project"


def test_an_unchanged_fork_has_nothing_to_challenge(audited: Path, tmp_path: Path) -> None:
    shutil.copytree(audited, tmp_path / "project")
    made = fork(open_project(tmp_path / "project"), "button")
    done = gazette("challenge", str(made.folder), "--by", "Cleo", "--because", "Hm.", project=tmp_path / "project")
    assert "there is nothing to challenge" in done.stdout
    assert not (tmp_path / "project" / "reports" / "challenges").exists()
    executed = made.folder / "button.executed.ipynb"
    shutil.copyfile(executed, made.notebook)
    found = challenge(open_project(tmp_path / "project"), made.folder, by="C", because="W", on=TODAY, as_run=True)
    assert (found.path, found.comparison.numbers) == (None, ()), "what the notebook holds is taken"


def test_a_changed_fork_writes_a_review_with_the_differences_and_the_flip(challenged: Path) -> None:
    review = yaml.safe_load((challenged / FILE).read_text())
    sealed = challenged / "editions" / WEEK
    assert review["edition_digest"] == json.loads((sealed / "manifest.json").read_text())["digest"]
    assert {p["name"] for p in review["parameters"]} == {"source", "arrived_by"}
    assert [(c["cell"], c["change"]) for c in review["cells"]] == [("setup", "changed")]
    published = {n.id: n for n in Record.from_json((sealed / "records" / "button.json").read_bytes()).numbers}
    rows = {n["id"]: n for n in review["numbers"]}
    row = rows["button.ctr.difference"]
    assert row["published"]["value"] == published["button.ctr.difference"].value
    assert row["found"]["interval"]["low"] < 0 < row["found"]["interval"]["high"], "half a day says nothing"
    (flip,) = [f for f in review["flips"] if f["metric"] == "ctr"]
    assert flip["state_before"] != flip["state_after"]
    said = (challenged / "said.txt").read_text()
    assert "VERDICT on ctr" in said
    assert f"Commit {FILE}" in said
    assert "No problem" in gazette("check", project=challenged).stdout
    assert "all as sealed" in gazette("verify", project=challenged).stdout


def test_the_same_person_and_a_second_time_are_refused_and_credit_is_given(root: Path) -> None:
    store = open_project(root).store
    for same in ("Cleo", " cleo "):
        with pytest.raises(WrongUseError, match="wrote this challenge"):
            accept_challenge(root, store, NAME, by=same, because="Yes.", on=TODAY)
    assert accepted_restatements(root) == ()
    gazette("accept", NAME, "--by", "Dora", "--because", "True.", project=root)
    with pytest.raises(WrongUseError, match="Dora has accepted it already"):
        accept_challenge(root, store, NAME, by="Eve", because="Yes.", on=TODAY)
    found = {r.before.id: r for r in accepted_restatements(root)}
    one = found["button.ctr.difference"]
    assert (one.credit, one.cause, one.found_in, one.edition) == ("Cleo", "challenge", NAME, WEEK)
    assert "Only <i>one</i> morning counts." in one.detail
    assert "Accepted by Dora: True." in one.detail
    shown = {m.before.id: m for m in listed(store, load_register(root), accepted_restatements(root)).moved}
    assert shown[one.before.id].readers == ("Ada (decided: ship)", "Ben (signed that off)"), "each once"
    assert one.flip is not None
    assert one.before.value != one.after.value


def test_accepting_needs_a_challenge_and_its_edition(root: Path) -> None:
    store = open_project(root).store
    with pytest.raises(WrongUseError, match="there is no challenge 'butten'") as caught:
        accept_challenge(root, store, "butten", by="Dora", because="Yes.", on=TODAY)
    assert NAME in caught.value.mend
    shutil.rmtree(root / "editions" / WEEK)
    with pytest.raises(EditionError, match=WEEK):
        accept_challenge(root, store, NAME, by="Dora", because="Yes.", on=TODAY)
    with pytest.raises(EditionError, match="is gone"):
        challenge(open_project(root), root / "forks" / NAME, by="Cleo", because="W.", on=TODAY)


@pytest.mark.parametrize("content", ["", "id: [", "- 1", "id: button-2026-W47\n", "\x00", "id: &a [*a]"])
def test_a_malformed_challenge_is_named_with_file(root: Path, content: str) -> None:
    (root / FILE).write_text(content)
    done = gazette("check", project=root, code=1)
    assert FILE in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    with pytest.raises(ParamsError, match=FILE):
        load_challenges(root)


def test_a_challenge_that_was_changed_after_it_was_accepted_counts_no_more(root: Path) -> None:
    accept_challenge(root, open_project(root).store, NAME, by="Dora", because="Yes.", on=TODAY)
    (root / FILE).write_text((root / FILE).read_text().replace("Cleo", "Mallory"))
    with pytest.raises(ParamsError, match="changed after it was accepted"):
        accepted_restatements(root)


@pytest.mark.parametrize("content", ["", "challenge: [", "challenge: other-2026-W47\n"])
def test_a_malformed_acceptance_is_named_with_file(root: Path, content: str) -> None:
    place = root / "reports" / "challenges" / "accepted"
    place.mkdir()
    (place / f"{NAME}.yml").write_text(content)
    with pytest.raises(ParamsError, match=f"accepted/{NAME}.yml"):
        load_challenges(root)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (f'week = "{WEEK}"', 'week = "2026-W46"', "fork is of week 2026-W46"),
        ("subject = 'button'", "subject = ", "is not Python"),
        ("edition, root = fork.data", "raise RuntimeError('<b>')\nedition, root = fork.data", "did not run"),
    ],
)
def test_a_fork_that_cannot_answer_says_why_and_writes_nothing(root: Path, old: str, new: str, says: str) -> None:
    edit(root / "forks" / NAME / "button.ipynb", old, new)
    with pytest.raises(GazetteError, match=says):
        challenge(open_project(root), root / "forks" / NAME, by="C", because="W", on=TODAY)
    assert len(load_challenges(root)) == 1


def test_what_is_no_fork_or_holds_no_record_is_refused(root: Path, tmp_path: Path) -> None:
    project = open_project(root)
    with pytest.raises(WrongUseError, match="there is no fork here"):
        challenge(project, tmp_path, by="C", because="W", on=TODAY)
    with pytest.raises(NotebookError, match="holds no record"):
        challenge(project, root / "forks" / NAME, by="C", because="W", on=TODAY, as_run=True)
    (root / "forks" / NAME / "button.ipynb").write_text("{")
    with pytest.raises(NotebookError, match="cannot be read"):
        challenge(project, root / "forks" / NAME, by="C", because="W", on=TODAY)
    (root / "forks" / NAME / "fork.json").write_text("[]")
    with pytest.raises(WrongUseError, match=r"fork\.json cannot be read"):
        challenge(project, root / "forks" / NAME, by="C", because="W", on=TODAY)
