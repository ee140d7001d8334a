"""Build a project on file systems that are full in one stage after the other: a program for a mount namespace of its own.

How much a build has written when a stage begins is learnt from one with room enough, so the sizes follow what editions weigh.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gazette.build import Silent, build, open_project
from gazette.editions import Week
from small import NOW, WEEK

if TYPE_CHECKING:
    from collections.abc import Iterator

AMPLE = 1 << 28
STAGES = (("Freezing the data", "Running notebooks"), ("Rendering", "Sealing"), ("Publishing", "end"))


@contextmanager
def disk(place: Path, project: Path, size: int) -> Iterator[None]:
    """The project's copy on a file system of this many bytes."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", place], check=True)
    try:
        shutil.copytree(project, place, dirs_exist_ok=True)
        yield
    finally:
        subprocess.run(["umount", place], check=True)


def used(place: Path) -> int:
    """Bytes that are taken."""
    found = os.statvfs(place)
    return (found.f_blocks - found.f_bfree) * found.f_frsize


class Weighed(Silent):
    """Notes what is taken when a stage begins."""

    def __init__(self, place: Path) -> None:
        self.place, self.taken = place, dict[str, int]()

    def step(self, edition: str, what: str) -> None:
        """Only the first of a name."""
        del edition
        self.taken.setdefault(next((s for pair in STAGES for s in pair if what.startswith(s)), what), used(self.place))


def command(place: Path) -> tuple[int, str]:
    """The exit code of a build, and what it said; that is kept elsewhere, as here is no room."""
    with tempfile.TemporaryFile("w+", dir="/dev/shm") as said:
        done = subprocess.run(
            [sys.executable, "-m", "gazette", "build", WEEK], cwd=place, stdout=said, stderr=said, check=False
        )
        said.seek(0)
        return done.returncode, said.read()


def spoilt(place: Path, project: Path, size: int) -> dict[str, Any]:
    """What came of a build with this much room."""
    with disk(place, project, size):
        code, said = command(place)
        editions = place / "editions"
        staged = [p.name for p in (editions / ".staging").glob("*")]
        sealed = [p.name for p in editions.glob("2*")]
        return {"code": code, "said": said, "staged": staged, "sealed": sealed}


def main(place: Path, project: Path) -> None:
    """Print what came of each stage, as JSON."""
    with disk(place, project, AMPLE):
        listener = Weighed(place)
        build(open_project(place), [Week.parse(WEEK)], now=NOW, listener=listener)
        taken = {**listener.taken, "end": used(place)}
    # nearer to the stage's end: a stage before it may have needed more for a while than it left
    json.dump({a: spoilt(place, project, (taken[a] + 4 * taken[b]) // 5) for a, b in STAGES}, sys.stdout)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
