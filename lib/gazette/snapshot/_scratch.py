"""Folders for a moment, which do not outlive a program that was killed: the next one removes them."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["scratch"]

PREFIX = "gazette-run-"
YOUNG = 60.0  # seconds in which a folder may not be held yet


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


@cache
def _sweep(place: str) -> None:
    """Remove what nobody holds any more; once in a process."""
    with suppress(OSError):
        for entry in os.scandir(place):
            with suppress(OSError):
                if entry.name.startswith(PREFIX) and _is_stale(entry):
                    shutil.rmtree(entry.path, ignore_errors=True)


def _is_stale(entry: os.DirEntry[str]) -> bool:
    known = entry.stat(follow_symlinks=False)
    if not entry.is_dir(follow_symlinks=False) or known.st_uid != os.getuid() or time.time() - known.st_mtime < YOUNG:
        return False
    held = os.open(entry.path, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(held)
    return True
