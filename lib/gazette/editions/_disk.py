"""Sealed folders are read-only on disk: a program that is pointed at one by mistake is refused instead of changing it."""

from __future__ import annotations

import os
import shutil
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["copy_writable", "is_read_only", "make_read_only", "remove", "turn_quarto_aside"]

ASIDE = """\
# Quarto, pointed at a notebook in here, writes into .preview/ instead of beside it: sealed editions never change.
project:
  type: default
  output-dir: .preview
"""
WRITE = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH


def _all(folder: Path) -> Iterator[str]:
    """Everything below a folder, itself last."""
    for place, _, files in os.walk(folder, topdown=False):
        yield from (os.path.join(place, name) for name in files)  # noqa: PTH118  many files
        yield place


def _change(place: str, *, writable: bool) -> None:
    mode = stat.S_IMODE(os.lstat(place).st_mode)
    wanted = mode | stat.S_IWUSR if writable else mode & ~WRITE
    if mode != wanted and not os.path.islink(place):  # noqa: PTH114  many files
        os.chmod(place, wanted)  # noqa: PTH101


def is_read_only(folder: Path) -> bool:
    """Whether the right to write was taken from a folder, also where whoever asks may write all the same."""
    return not folder.stat().st_mode & WRITE


def make_read_only(folder: Path, *, itself: bool) -> None:
    """Take away the right to write; ``itself`` whether from the folder too, which can then no longer be moved elsewhere.

    Raises:
        OSError: The disk refuses.
    """
    for place in _all(folder):
        if itself or place != str(folder):
            _change(place, writable=False)


def copy_writable(source: Path, target: Path) -> None:
    """Copy a folder; the copy can be changed.

    Raises:
        OSError: The disk refuses.
    """
    shutil.copytree(source, target)
    for place in _all(target):
        _change(place, writable=True)


def remove(folder: Path) -> None:
    """Remove a folder that may be read-only, as far as the disk lets us."""
    for place, _, _ in os.walk(folder):
        _change(place, writable=True)
    shutil.rmtree(folder, ignore_errors=True)


def turn_quarto_aside(root: Path) -> None:
    """See that ``quarto render`` of a sealed notebook writes elsewhere, also for those whom no right to write stops.

    Raises:
        OSError: The disk refuses.
    """
    path = root / "_quarto.yml"
    if not path.exists():
        path.write_text(ASIDE, encoding="utf-8")
