"""What a project keeps to save time: files that may be deleted at any time, and are not trusted once they were changed."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["keep", "kept"]


def keep(path: Path, content: bytes) -> None:
    """Write a file whose first line is the SHA-256 of the rest; a full disk here costs only time later."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(hashlib.sha256(content).hexdigest().encode() + b"\n" + content)
        part.replace(path)
    except OSError:
        with suppress(OSError):
            part.unlink()


def kept(path: Path) -> bytes | None:
    """What was kept; None where there is nothing, or not what was written."""
    try:
        digest, _, content = path.read_bytes().partition(b"\n")
    except OSError:
        return None
    return content if digest == hashlib.sha256(content).hexdigest().encode() else None
