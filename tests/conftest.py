"""What tests share: the demo project, built once a session, and a small project that builds in seconds."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from small import SmallProject

if TYPE_CHECKING:
    from collections.abc import Iterator

REPOSITORY = Path(__file__).parents[1]
WEEKS = ("2026-W45", "2026-W46", "2026-W47")


def gazette(*arguments: str, project: Path, code: int = 0, timeout: float = 600) -> subprocess.CompletedProcess[str]:
    """Run the command as its users do, and check its exit code."""
    done = subprocess.run(
        [sys.executable, "-m", "gazette", *arguments, "--project", str(project)],
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout,
    )
    assert done.returncode == code, f"exit {done.returncode}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    return done


@contextmanager
def once(folder: Path, name: str) -> Iterator[bool]:
    """Whether this process is the first of all test workers to come here; the others wait until it is done."""
    with (folder / f"{name}.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        done = folder / f"{name}.done"
        yield not done.exists()
        done.touch()


def copy_project(place: Path) -> Path:
    """What a project consists of, without anything generated."""
    place.mkdir(parents=True, exist_ok=True)
    for name in ("params", "notebooks", "reports"):
        shutil.copytree(REPOSITORY / name, place / name)
    shutil.copyfile(REPOSITORY / "_quarto.yml", place / "_quarto.yml")
    return place


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all test workers of this session share."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base


@pytest.fixture(scope="session")
def demo(shared: Path) -> Path:
    """The demo project with its data, nothing built."""
    place = shared / "demo-project"
    with once(shared, "demo") as first:
        if first:
            copy_project(place)
            if kept := os.environ.get("GAZETTE_TEST_DEMO"):  # a demo that was made before, for quick runs by hand
                shutil.copytree(kept, place / ".gazette" / "demo")
            gazette("demo", project=place)
    return place


@pytest.fixture(scope="session")
def built(demo: Path, shared: Path) -> Path:
    """The demo project with three editions and the shelf, as make report builds them."""
    place = shared / "built-project"
    with once(shared, "built") as first:
        if first:
            copy_project(place)
            (place / ".gazette").mkdir()
            shutil.copytree(demo / ".gazette" / "demo", place / ".gazette" / "demo")
            gazette("build", f"{WEEKS[0]}..{WEEKS[-1]}", "--engine", "embedded", project=place)
    return place


@pytest.fixture
def small(tmp_path: Path) -> SmallProject:
    """A project with one experiment on a few hundred users, nothing built."""
    return SmallProject(tmp_path / "project")
