"""What tests share: the demo project, built once a session, and a small project that builds in seconds."""

from __future__ import annotations

import fcntl
import gc
import os
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

import audited as audited_project
from postgres import postgres
from program import copy_checkout, copy_project, gazette, thin_demo, writable
from small import REPOSITORY, WEEKS, SmallProject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-sync",
    "--no-first-run",
    "--allow-file-access-from-files=false",
]
pytest_plugins = ["costs"]
collect_ignore = ["warm_program.py"]  # to import it is to start it

_copytree = shutil.copytree


def _copy_to_change(source: Any, target: Any, *more: Any, **others: Any) -> Any:
    """Sealed editions are read-only; tests copy them to change them, also where not everything may be written to."""
    _copytree(source, target, *more, **others)
    writable(Path(target))
    return target


shutil.copytree = _copy_to_change
settings.register_profile("untimed", deadline=None)  # machines are noisy
settings.load_profile("untimed")
gc.set_threshold(
    100_000, 50, 50
)  # of what queries are made of most lives long, and little is garbage: as the command has it
os.environ.setdefault("OMP_NUM_THREADS", "1")  # two workers have no cores to spare for threads that wait by spinning


@contextmanager
def once(folder: Path, name: str) -> Iterator[bool]:
    """Whether this process is the first of all test workers to come here; the others wait until it is done."""
    with (folder / f"{name}.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        done = folder / f"{name}.done"
        yield not done.exists()
        done.touch()


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
def thin(demo: Path, shared: Path) -> Path:
    """The demo's project with a tenth of its predictions, for questions that are not about their number; copy it."""
    place = shared / "thin-project"
    with once(shared, "thin") as first:
        if first:
            thin_demo(demo, place)
    return place


@pytest.fixture(scope="session")
def built(demo: Path, shared: Path) -> Path:
    """A copy of the checkout where ``make report`` has built three editions and the shelf, by the embedded engine."""
    place = shared / "built" / "gazette"
    with once(shared, "built") as first:
        if first:
            copy_checkout(place)
            use_embedded_engine(place)
            if kept := os.environ.get("GAZETTE_TEST_BUILT"):  # a project that was built before, as for the demo
                aside = shutil.ignore_patterns(".git", ".venv")  # ours is a link: what is copied there comes here
                shutil.copytree(kept, place, dirs_exist_ok=True, ignore=aside)
                return place
            (place / ".gazette").mkdir()
            shutil.copytree(demo / ".gazette" / "demo", place / ".gazette" / "demo")
            done = subprocess.run(
                ["make", "report"], cwd=place, capture_output=True, text=True, check=False, timeout=1800
            )
            assert done.returncode == 0, f"{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
            assert "Published: open " in done.stdout
            assert all((place / "editions" / week).is_dir() for week in WEEKS)
    return place


def use_embedded_engine(place: Path) -> None:
    """Quarto is not taken, where it is on PATH."""
    site = place / "params" / "site.yml"
    text = site.read_text()
    assert text.count("engine: auto ") == 1
    site.write_text(text.replace("engine: auto ", "engine: embedded "))


@pytest.fixture(scope="session")
def audited(shared: Path) -> Path:
    """A small project with two sealed weeks, a model, two tests and a decision; copy what you change."""
    place = shared / "audited-project"
    with once(shared, "audited") as first:
        if first and (kept := os.environ.get("GAZETTE_TEST_AUDITED")):  # one that was made before, as for the demo
            shutil.copytree(kept, place)
        elif first:
            audited_project.make(place)
    return place


@pytest.fixture(scope="session")
def runs(shared: Path) -> Path:
    """What notebooks of small projects gave, remembered as a project remembers it from week to week."""
    (shared / "runs").mkdir(exist_ok=True)
    return shared / "runs"


@pytest.fixture
def small(tmp_path: Path, runs: Path) -> SmallProject:
    """A project with one experiment on a few hundred users, nothing built."""
    return SmallProject(tmp_path / "project", runs=runs)


@pytest.fixture(scope="session")
def sealed(shared: Path, runs: Path) -> Path:
    """Such a project with one sealed and published edition; nothing may write into it but state."""
    place = shared / "sealed-project"
    with once(shared, "sealed") as first:
        if first:
            SmallProject(place, runs=runs)
            gazette("build", WEEKS[-1], "--engine", "embedded", project=place)
    return place


@pytest.fixture
def published(small: SmallProject, sealed: Path) -> SmallProject:
    """A small project of one's own whose newest week is sealed and published."""
    for name in ("editions", "_site"):
        shutil.copytree(sealed / name, small.root / name)
    return small


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The address of the one PostgreSQL server of a worker; its tests are of the group ``postgres``, so there is but one."""
    with postgres() as address:
        yield address


@pytest.fixture(params=["embedded", pytest.param("quarto", marks=pytest.mark.quarto)])
def engine(request: pytest.FixtureRequest) -> str:
    """Each site engine in turn; Quarto only where it is on PATH, and otherwise the report says that it was not run."""
    if request.param == "quarto" and not shutil.which("quarto"):
        pytest.skip("not run: quarto is not on PATH")
    return str(request.param)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The one browser that all tests of pages share: Playwright starts once in a process."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  slow to import, needed by few

    program = os.environ.get("GAZETTE_BROWSER")
    if not program:
        found = subprocess.run([REPOSITORY / "tools" / "browser.sh"], capture_output=True, text=True, check=False)
        assert found.returncode == 0, found.stderr
        program = found.stdout.strip()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()
