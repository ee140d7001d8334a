from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from typing import TYPE_CHECKING

import pytest

from gazette.snapshot import scratch
from gazette.snapshot._scratch import _sweep

if TYPE_CHECKING:
    from pathlib import Path

HOLD = """
import sys, time
from gazette.snapshot import scratch
with scratch() as folder:
    (folder / "file").write_text("content")
    print(folder, flush=True)
    time.sleep(300)
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    _sweep.cache_clear()
    return tmp_path


def make_old(path: Path) -> None:
    os.utime(path, (time.time() - 3600, time.time() - 3600))


def test_it_is_gone_at_the_end_also_after_an_error(place: Path) -> None:
    with scratch() as folder:
        assert folder.parent == place
        (folder / "file").write_text("content")
    assert not folder.exists()
    with pytest.raises(ZeroDivisionError), scratch():
        1 / 0  # noqa: B018
    assert list(place.iterdir()) == []


def test_what_a_killed_program_left_is_removed_by_the_next_and_nothing_else(place: Path) -> None:
    environment = {**os.environ, "TMPDIR": str(place)}
    holders = [
        subprocess.Popen([sys.executable, "-c", HOLD], env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    try:
        folders = [place / holder.stdout.readline().strip().rpartition("/")[2] for holder in holders if holder.stdout]
        holders[0].kill()
        holders[0].wait()
        (place / "gazette-run-new").mkdir()
        (place / "gazette-other").mkdir()
        (place / "gazette-run-link").symlink_to(place / "gazette-other")
        for path in (*folders, place / "gazette-other"):
            make_old(path)
        with scratch() as mine:
            left = set(place.iterdir())
        assert folders[0] not in left, "nobody holds it"
        assert left == {mine, folders[1], *(place / f"gazette-{n}" for n in ("run-new", "other", "run-link"))}
        assert (folders[1] / "file").read_text() == "content"
    finally:
        for holder in holders:
            holder.kill()
            holder.communicate()
