"""The program as its users run it."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from small import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def gazette(*arguments: str, project: Path, code: int = 0, timeout: float = 600) -> subprocess.CompletedProcess[str]:
    """Run the command as its users do, and check its exit code."""
    done = subprocess.run(
        [sys.executable, "-m", "gazette", *arguments, "--project", str(project)],
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout,
    )
    assert done.returncode == code, f"exit {done.returncode}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    return done


def copy_project(place: Path) -> Path:
    """What a project consists of, without anything generated."""
    place.mkdir(parents=True, exist_ok=True)
    for name in ("params", "notebooks", "reports"):
        shutil.copytree(REPOSITORY / name, place / name)
    shutil.copyfile(REPOSITORY / "_quarto.yml", place / "_quarto.yml")
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
