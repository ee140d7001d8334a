"""An edition run again: in the same environment, with another library, with another package, in one rebuilt from its lock."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gazette.build import open_project
from gazette.editions import Week
from gazette.errors import EditionError
from gazette.replay import _rebuild
from program import gazette, other_library

if TYPE_CHECKING:
    from collections.abc import Mapping

WEEK = "2026-W47"
pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("replay")]


@pytest.fixture
def project(sealed: Path, tmp_path: Path) -> Path:
    """A copy to spoil."""
    shutil.copytree(sealed, tmp_path / "project", ignore=shutil.ignore_patterns(".gazette", "_site"))
    return tmp_path / "project"


def digests(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def other(*arguments: str, project: Path, path: Path, **more: Any) -> subprocess.CompletedProcess[str]:
    """The command of another checkout."""
    return subprocess.run(
        [sys.executable, "-m", "gazette", *arguments, "--project", str(project)],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
        env={**os.environ, "PYTHONPATH": str(path)},
        **more,
    )


def pages(answer: Mapping[str, Any]) -> dict[str, Any]:
    return {p["page"]: p for p in answer["pages"]}


def test_an_edition_replays_identically_and_nothing_of_it_is_touched(sealed: Path) -> None:
    before = digests(sealed / "editions")
    answer = json.loads(gazette("replay", WEEK, "--json", project=sealed).stdout)
    assert answer["state"] == "identical"
    assert answer["environment"]["differences"] == []
    assert {p["state"] for p in answer["pages"]} == {"identical"}
    assert pages(answer)["button"]["compared"] >= 20
    assert digests(sealed / "editions") == before
    assert not (sealed / ".gazette" / "replay").exists()


def test_another_checkout_on_the_same_lock_replays_identically(project: Path, tmp_path: Path) -> None:
    done = other("replay", WEEK, "--page", "button", project=project, path=other_library(tmp_path / "lib"))
    assert done.returncode == 0, done.stderr
    assert "Identical: 1 page" in done.stdout
    assert "the present environment, which is the recorded one" in done.stdout


# The spread that a verdict's range comes from, off by a factor, so that the range holds zero; and off in its last digits.
SPREAD = "        spread = (above + slope**2 * below) * (self.n + self.m) / (self.n + self.m - 1)\n"
WIDER = ("stats/_shares.py", SPREAD, SPREAD.replace("= ", "= 9 * "))
HARDLY = ("stats/_shares.py", SPREAD, SPREAD.replace("= ", "= (1 + 1e-13) * "))


def test_a_changed_function_is_named_measured_and_its_flip_called_out(project: Path, tmp_path: Path) -> None:
    path = other_library(tmp_path / "lib", WIDER)
    refused = other("replay", WEEK, "--page", "button", project=project, path=path)
    assert refused.returncode == 1
    assert "stats/_shares.py" in refused.stderr
    assert "--build-environment" in refused.stderr
    assert "--here" in refused.stderr

    done = other("replay", WEEK, "--page", "button", "--here", "--json", project=project, path=path)
    assert done.returncode == 1
    answer = json.loads(done.stdout)
    assert [d["what"] for d in answer["environment"]["differences"]] == [
        "library gazette (1 modules differ: stats/_shares.py)"
    ]
    button = pages(answer)["button"]
    assert answer["state"] == button["state"] == "differs"
    changed = {n["id"]: n for n in button["numbers"]}
    difference = changed["button.ctr.difference"]
    assert difference["how"] == "changed"
    assert difference["difference"] == 0, "the value is as it was, its range is not"
    width = [difference[k]["interval"]["high"] - difference[k]["interval"]["low"] for k in ("before", "after")]
    assert width[1] > 2 * width[0]
    (flip,) = [v for v in button["verdicts"] if v["flips"]]
    assert flip["before"]["state"] == "benefit shown"
    assert flip["after"]["state"] != "benefit shown"
    assert button["cells"], "what the page shows differs too"

    text = other("replay", WEEK, "--page", "button", "--here", project=project, path=path).stdout
    assert "verdict on ctr flips: benefit shown" in text
    assert "1 verdict flips" in text


def test_last_digits_are_equal_within_tolerance(project: Path, tmp_path: Path) -> None:
    path = other_library(tmp_path / "lib", HARDLY)
    done = other("replay", WEEK, "--page", "button", "--here", "--json", project=project, path=path)
    assert done.returncode == 0, done.stderr
    button = pages(json.loads(done.stdout))["button"]
    assert button["state"] == "equal within tolerance"
    assert "button.ctr.difference" in {n["id"] for n in button["close"]}
    assert button["numbers"] == button["verdicts"] == []


def test_a_changed_dependency_is_said(project: Path, tmp_path: Path) -> None:
    """Another version of a small package that Papermill needs, really installed, before the one of the environment."""
    place = tmp_path / "packages"
    install = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--disable-pip-version-check"]
    subprocess.run([*install, "--target", str(place), "tqdm==4.66.1"], check=True, timeout=300)
    done = other("replay", WEEK, "--page", "button", project=project, path=place)
    assert done.returncode == 1
    assert "tqdm: recorded " in done.stderr
    assert "here 4.66.1" in done.stderr
    here = other("replay", WEEK, "--page", "button", "--here", "--json", project=project, path=place)
    assert here.returncode == 0, here.stderr
    answer = json.loads(here.stdout)
    assert answer["state"] == "identical"
    assert [d["what"] for d in answer["environment"]["differences"]] == ["tqdm"]


def test_an_edition_that_was_changed_is_not_replayed(project: Path) -> None:
    path = project / "editions" / WEEK / "notebooks" / "button.ipynb"
    path.write_text(path.read_text().replace("ctr", "ctx", 1))
    says = gazette("replay", WEEK, project=project, code=1).stderr
    assert "notebooks/button.ipynb" in says
    assert "not what was sealed" in says


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["2026-W40"], 1, "there is no edition 2026-W40"),
        (["last week"], 2, "not an ISO week"),
        ([WEEK, "--page", "../button"], 2, "has no page"),
        ([WEEK, "--tolerance", "much"], 2, "not a tolerance"),
        ([WEEK, "--python", "python3"], 2, "goes with --build-environment"),
        ([WEEK, "--build-environment", "--python", "/no/python"], 2, "no Python that runs"),
    ],
)
def test_a_wrong_request_is_refused_with_its_cure(sealed: Path, arguments: list[str], code: int, words: str) -> None:
    says = gazette("replay", *arguments, project=sealed, code=code).stderr
    assert words in says
    assert "mend:" in says


def test_a_disk_that_refuses_is_said_and_leaves_nothing(project: Path) -> None:
    command = f"ulimit -f 8; exec {shlex.quote(sys.executable)} -m gazette replay {WEEK} --project {shlex.quote(str(project))}"  # in blocks of 512 bytes
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "free disk space" in done.stderr
    assert not (project / ".gazette" / "replay").exists()


def test_what_a_killed_replay_left_is_removed(project: Path) -> None:
    gone = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True, check=True
    )
    left = project / ".gazette" / "replay" / f"{WEEK}.{gone.stdout.strip()}"
    left.mkdir(parents=True)
    (left / "half").write_text("written")
    gazette("replay", WEEK, "--page", "button", project=project)
    assert not left.exists()


def test_an_edition_without_its_environment_says_so(project: Path) -> None:
    """As editions from before they carried one: the manifest still has versions to compare."""
    store, week = open_project(project).store, Week.parse(WEEK)
    manifest = store.manifest(week)
    older = project / "older"
    store.path(week).rename(older)
    shutil.rmtree(older / "environment")
    staging = store.staging(week)
    shutil.copytree(older, staging, dirs_exist_ok=True, ignore=shutil.ignore_patterns("manifest.json*"))
    store.seal(staging, week, versions=manifest.versions, facts=manifest.facts)
    refused = gazette("replay", WEEK, "--page", "button", project=project, code=1).stderr
    assert "not carried by this edition" in refused
    says = gazette("replay", WEEK, "--build-environment", project=project, code=1).stderr
    assert "does not carry its environment" in says


TQDM = """\
tqdm==4.66.1 \\
    --hash=sha256:{digest}
"""
DIGEST = "d302b3c5b53d47bce91fea46679d9c3c6508cf6332229aa1e7d8653723793386"


@pytest.fixture
def empty_python(tmp_path: Path) -> Path:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "env")], check=True, timeout=60)
    return tmp_path / "env" / "bin" / "python"


@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_packages_are_installed_by_either_installer_and_never_others_than_were_locked(
    empty_python: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, installer: str
) -> None:
    if installer == "pip":
        monkeypatch.setattr(_rebuild, "_uv", lambda: None)
    lock = tmp_path / "locked.txt"
    lock.write_text(TQDM.format(digest="0" * 64))
    with pytest.raises(EditionError, match="not the one that was locked"):
        _rebuild._install(empty_python, lock, hashed=True)
    lock.write_text(TQDM.format(digest=DIGEST))
    _rebuild._install(empty_python, lock, hashed=True)
    code = "import importlib.metadata as m; print(*(f'{d.name} {d.version}' for d in m.distributions()))"
    done = subprocess.run([empty_python, "-I", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["tqdm", "4.66.1"]
    (made,) = tmp_path.glob("env/lib/*/site-packages/tqdm-4.66.1.dist-info/INSTALLER")
    assert made.read_text().strip() == installer


def test_the_recorded_environment_is_built_from_its_lock_and_replays_identically(project: Path, tmp_path: Path) -> None:
    """With another library here, the edition's own is used."""
    path = other_library(tmp_path / "lib", WIDER)
    done = other("replay", WEEK, "--page", "button", "--build-environment", project=project, path=path)
    assert done.returncode == 0, done.stderr
    assert "an environment rebuilt from its lock" in done.stdout
    assert "Identical: 1 page" in done.stdout
    again = other("replay", WEEK, "--page", "button", "--build-environment", project=project, path=path)
    assert again.returncode == 0
    assert "Installing" not in again.stderr, "the second replay finds it"
