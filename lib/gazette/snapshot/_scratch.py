"""Folders and files for a moment, which do not outlive a program that was killed: the next one removes them."""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import tempfile
import time
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["part_of", "scratch"]

PREFIX, PART = "gazette-run-", ".part"
YOUNG = 60.0  # seconds in which what is new may not be held yet


@contextmanager
def scratch() -> Iterator[Path]:
    """A new folder, gone at the end; it is held as long as this process lives, so that others know it is in use.

    Raises:
        OSError: The disk refuses.
    """
    _sweep(tempfile.gettempdir())
    with tempfile.TemporaryDirectory(prefix=PREFIX, ignore_cleanup_errors=True) as folder:
        held = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(held, fcntl.LOCK_EX)
            yield Path(folder)
        finally:
            os.close(held)


@contextmanager
def part_of(path: Path, content: bytes) -> Iterator[Path]:
    """A hidden file with this content beside another, on the disk whole; gone afterwards where nobody has moved it.

    What killed programs left of the kind beside it is removed.

    Raises:
        OSError: The disk refuses.
    """
    _remove_stale(path.parent, lambda name: name.startswith(".") and name.endswith(PART))
    handle, name = tempfile.mkstemp(prefix=".", suffix=PART, dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            fcntl.flock(handle, fcntl.LOCK_EX)
            stream.write(content)
            stream.flush()
            os.fsync(handle)
            yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


@cache
def _sweep(place: str) -> None:
    """Remove folders that nobody holds any more; once in a process."""
    _remove_stale(Path(place), lambda name: name.startswith(PREFIX))


def _remove_stale(place: Path, ours: Callable[[str], bool]) -> None:
    with suppress(OSError):
        for entry in os.scandir(place):
            with suppress(OSError):
                if ours(entry.name) and _is_stale(entry):
                    if entry.is_dir():
                        shutil.rmtree(entry.path, ignore_errors=True)
                    else:
                        Path(entry.path).unlink()


def _is_stale(entry: os.DirEntry[str]) -> bool:
    known = entry.stat(follow_symlinks=False)
    plain = stat.S_ISDIR(known.st_mode) or stat.S_ISREG(known.st_mode)
    if not plain or known.st_uid != os.getuid() or time.time() - known.st_mtime < YOUNG:
        return False
    held = os.open(entry.path, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(held)
    return True
