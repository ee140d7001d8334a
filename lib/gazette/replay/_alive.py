"""Whether the process that began a folder still runs; what a killed one left may be removed."""

from __future__ import annotations

import os

__all__ = ["alive"]


def alive(pid: str) -> bool:
    """Whether there is a process of this number; a text that is no number is of none."""
    try:
        os.kill(int(pid), 0)
    except (ValueError, OverflowError, ProcessLookupError):
        return False
    except PermissionError:
        return True
    return True
