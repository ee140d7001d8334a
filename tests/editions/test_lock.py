from __future__ import annotations

import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from gazette.editions import lock
from gazette.errors import EditionError, LockedError

if TYPE_CHECKING:
    from pathlib import Path

HOLD = "import sys, time\nfrom pathlib import Path\nfrom gazette.editions import lock\nwith lock(Path(sys.argv[1])):\n    print('held', flush=True)\n    time.sleep(600)"


def hold(root: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(root)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_build_says_who_holds_the_lock(tmp_path: Path) -> None:
    with hold(tmp_path) as other:
        try:
            with pytest.raises(LockedError) as error, lock(tmp_path):
                pytest.fail("got the lock twice")
            assert f"process {other.pid}" in str(error.value)
        finally:
            other.kill()


def test_a_killed_holder_frees_the_lock(tmp_path: Path) -> None:
    with hold(tmp_path) as other:
        other.kill()
        other.wait()
    start = time.monotonic()
    with lock(tmp_path):
        assert time.monotonic() - start < 5


def test_the_lock_is_free_again_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), lock(tmp_path):
        _ = 1 / 0
    with lock(tmp_path):
        pass


def test_a_folder_that_cannot_be_made_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EditionError, match="cannot be written"), lock(tmp_path / "file" / "editions"):
        pass
