"""One build at a time."""

from __future__ import annotations

import fcntl
import json
import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from gazette.errors import EditionError, LockedError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["lock"]


@contextmanager
def lock(root: Path) -> Iterator[None]:
    """Hold the lock of an editions folder; the system frees it when the process ends, however it ends.

    Raises:
        LockedError: Another process holds it; the message says which.
    """
    path = root / ".lock"
    try:
        root.mkdir(parents=True, exist_ok=True)
        handle = path.open("a+", encoding="utf-8")
    except OSError as error:
        raise EditionError(
            f"the editions folder cannot be written: {error.strerror}", where=str(root), mend="mend its rights"
        ) from error
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            handle.seek(0)
            try:
                holder = json.loads(handle.read())
                who = f"process {holder['pid']} ({holder['command']})"
            except (ValueError, KeyError):
                who = "another process"
            raise LockedError(
                "another build is under way", where=f"{path}, held by {who}", mend="wait until it ends, or stop it"
            ) from error
        handle.truncate(0)
        handle.write(json.dumps({"pid": os.getpid(), "command": " ".join(["gazette", *sys.argv[1:]])}))
        handle.flush()
        try:
            yield
        finally:
            handle.truncate(0)
