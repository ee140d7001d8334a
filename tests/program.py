"""The program as its users run it."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from functools import cache
from multiprocessing import forkserver
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pytest

from gazette.cli import main
from gazette.editions.verifier import MANIFEST, digests_below
from gazette.record import canonical_json
from small import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Iterator

OLD = 1_000_000_000  # seconds since 1970, long before any environment was made

# Commands of tests are processes of their own, but forked from one that has everything imported and a warm process for notebooks:
# importing would be most of what hundreds of small builds cost. Tests of how a command starts or is killed start it themselves.
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["warm_program"])


@cache
def _start_forkserver() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).parent))  # it does not look where we do
        forkserver.ensure_running()


def gazette(*arguments: str, project: Path, code: int = 0, timeout: float = 600) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own, and check its exit code."""
    words = [*arguments, "--project", str(project)]
    quick = os.environ.get("GAZETTE_TEST_QUICK") and arguments[0] == "build" and not code
    assert not quick, "this test builds an edition: mark it integration"
    _start_forkserver()
    with tempfile.TemporaryDirectory() as folder:
        streams = [Path(folder, "stdout"), Path(folder, "stderr")]
        process = PROCESSES.Process(target=_be_command, args=(words, dict(os.environ), *streams))
        process.start()
        process.join(timeout)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(words, timeout)
        stdout, stderr = (path.read_text() if path.exists() else "" for path in streams)
    assert process.exitcode == code, f"exit {process.exitcode}\n{stdout[-4000:]}\n{stderr[-4000:]}"
    return subprocess.CompletedProcess(words, process.exitcode, stdout, stderr)


def _be_command(words: list[str], environment: dict[str, str], *streams: Path) -> None:
    os.environ.clear()
    os.environ.update(environment)
    for stream, path in zip((sys.stdout, sys.stderr), streams, strict=True):
        stream.flush()
        with path.open("wb") as file:
            os.dup2(file.fileno(), stream.fileno())
    sys.argv = ["gazette", *words]
    sys.exit(main())


def writable(folder: Path) -> Path:
    """A folder that is sealed, to be spoiled: sealed ones are read-only."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | stat.S_IWUSR)
    return folder


def reseal(folder: Path) -> None:
    """Make the manifest of an edition fit its files, which a test changed: as if it had been sealed like that."""
    path = folder / MANIFEST
    content = json.loads(path.read_bytes())
    content["files"] = dict(sorted(digests_below(folder, skip=(MANIFEST,))[0].items()))
    del content["digest"]
    content["digest"] = hashlib.sha256(canonical_json(content).encode()).hexdigest()
    path.write_text(canonical_json(content))


def copy_project(place: Path) -> Path:
    """What a project consists of, without anything generated; hidden tests cost seconds a build, so those that are about them turn them on."""
    place.mkdir(parents=True, exist_ok=True)
    for name in ("params", "notebooks", "reports"):
        shutil.copytree(REPOSITORY / name, place / name)
    shutil.copyfile(REPOSITORY / "_quarto.yml", place / "_quarto.yml")
    with (place / "params" / "site.yml").open("a") as site:
        site.write("\ncanaries: false\n")
    return place


THINNED = {
    "flight_predictions": "flight_id",
    "flight_labels": "flight_id",
    "flight_features": "flight_id",
    "recommender_requests": "request_id",
}


def thin_demo(demo: Path, place: Path) -> Path:
    """The demo's project in a new place, with every table whole but those of single predictions, of which one in ten is kept."""
    copy_project(place)
    data = place / ".gazette" / "demo"
    shutil.copytree(demo / ".gazette" / "demo", data, ignore=shutil.ignore_patterns("warehouse.duckdb*"))
    with duckdb.connect(str(data / "warehouse.duckdb")) as warehouse:
        warehouse.execute(f"ATTACH '{demo / '.gazette' / 'demo' / 'warehouse.duckdb'}' AS whole (READ_ONLY)")
        for (name,) in warehouse.execute(
            "SELECT table_name FROM duckdb_tables() WHERE database_name = 'whole'"
        ).fetchall():
            where = f"WHERE hash(CAST({THINNED[name]} AS VARCHAR)) % 10 = 0" if name in THINNED else ""
            warehouse.execute(f"CREATE TABLE {name} AS SELECT * FROM whole.{name} {where}")
        warehouse.execute("DETACH whole")
    return place


def only(place: Path, *subjects: str) -> None:
    """Leave a copy of the demo's project these subjects, the operations and the summary; no other page is built."""
    params = place / "params"
    for path in [*(params / "experiments").glob("*.yml"), *(params / "models").glob("*.yml")]:
        if path.stem not in subjects:
            path.unlink()
    (params / "annotations.yml").write_text("annotations: []\n")
    (params / "reconciliations.yml").unlink()
    for name in ("translation", "portfolio", "reconciliation"):
        (place / "notebooks" / f"{name}.ipynb").unlink()


def copy_checkout(place: Path) -> Path:
    """The files of this checkout, with its environment of Python, which ``make`` takes as it is: the files are old."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        if (REPOSITORY / name).is_file():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(REPOSITORY / name, place / name)
            os.utime(place / name, (OLD, OLD))
    (place / ".venv").symlink_to(REPOSITORY / ".venv")
    return place


def other_library(place: Path, *changes: tuple[str, str, str]) -> Path:
    """A copy of the library with pieces of its modules exchanged; what is the same stays compiled, which is most of its start.

    Args:
        place: A new folder, for ``PYTHONPATH``.
        changes: A module's file, a text that it holds once, and what is to stand there.
    """
    shutil.copytree(REPOSITORY / "lib" / "gazette", place / "gazette", ignore=shutil.ignore_patterns("*.pyc.*"))
    for module, before, after in changes:
        path = place / "gazette" / module
        text = path.read_text(encoding="utf-8")
        assert text.count(before) == 1, (module, before)
        path.write_text(text.replace(before, after), encoding="utf-8")
        for compiled in (path.parent / "__pycache__").glob(f"{path.stem}.*"):
            compiled.unlink()
    return place


@contextmanager
def serving(project: Path) -> Iterator[str]:
    """The address at which the project's site is served; stopped by its process id."""
    process = subprocess.Popen(
        [sys.executable, "-m", "gazette", "serve", "--port", "0", "--json", "--project", str(project)],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())["address"]
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
