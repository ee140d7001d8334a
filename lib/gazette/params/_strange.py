"""What lies among a project's files and cannot be read as one: pipes, devices, sockets, folders that are closed to us."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from gazette.params._problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["strange_files"]

READ = ("params", "notebooks", "reports", "_quarto.yml")
"""What of a project is read; to open a pipe would wait for ever."""
KINDS = {stat.S_IFIFO: "a named pipe", stat.S_IFSOCK: "a socket", stat.S_IFCHR: "a device", stat.S_IFBLK: "a device"}


def strange_files(root: Path, names: Iterable[str] = READ) -> list[Problem]:
    """A problem for each such file of a project, sorted; those of ``params/`` by their name in there, as all problems have it."""
    found: list[Problem] = []
    left = [root / name for name in names]
    while left:
        path = left.pop()
        try:
            mode = path.stat().st_mode
            if stat.S_ISDIR(mode):
                left += [] if path.is_symlink() else [Path(entry.path) for entry in os.scandir(path)]
                continue
        except FileNotFoundError:
            continue  # not there, or a link to nothing, which whoever needs it says
        except OSError as error:
            found.append(_problem(root, path, f"cannot be read: {error.strerror}", "mend its rights"))
            continue
        if not stat.S_ISREG(mode):
            what = f"{KINDS.get(stat.S_IFMT(mode), 'no regular file')}, not a file"
            found.append(_problem(root, path, what, "remove it, or put a file in its place"))
    return sorted(found)


def _problem(root: Path, path: Path, what: str, mend: str) -> Problem:
    return Problem(path.relative_to(root).as_posix().removeprefix("params/"), 1, "", what, mend)
