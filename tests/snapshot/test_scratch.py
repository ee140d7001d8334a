from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from typing import TYPE_CHECKING

import pytest

from gazette.snapshot import part_of, scratch
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


def test_a_part_is_whole_and_what_killed_programs_left_of_the_kind_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "file.yml"
    code = "import sys, time; from pathlib import Path; from gazette.snapshot import part_of\nwith part_of(Path(sys.argv[1]), b'theirs') as part:\n    print(part, flush=True); time.sleep(300)"
    holders = [
        subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    try:
        parts = [tmp_path / holder.stdout.readline().strip().rpartition("/")[2] for holder in holders if holder.stdout]
        holders[0].kill()
        holders[0].wait()
        (tmp_path / ".hidden").write_text("of others")
        for left in (*parts, tmp_path / ".hidden"):
            make_old(left)
        with part_of(path, b"mine") as mine:
            assert mine.read_bytes() == b"mine"
            assert set(tmp_path.iterdir()) == {mine, parts[1], tmp_path / ".hidden"}
            mine.replace(path)
        assert path.read_bytes() == b"mine"
        assert parts[1].read_bytes() == b"theirs"
    finally:
        for holder in holders:
            holder.kill()
            holder.communicate()
