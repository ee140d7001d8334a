"""All that a notebook started, also what it detached: the worker takes it in when its parent ends, and ends it with the page."""

from __future__ import annotations

import contextlib
import ctypes
import sys
import time

import psutil

__all__ = ["adopt", "end_family"]

PR_SET_CHILD_SUBREAPER = (
    36  # prctl(2): orphans below this process become its children, and not those of the first process
)
PASSES = 50


def adopt() -> None:
    """Be the parent of whatever below this process loses its own; where the system has no such thing, nothing happens."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def end_family() -> None:
    """Kill every process below this one; some that are killed leave others to us, so that it takes a few passes."""
    me = psutil.Process()
    for _ in range(PASSES):
        left = 0
        for one in me.children(recursive=True):
            with contextlib.suppress(psutil.Error):
                if one.status() != psutil.STATUS_ZOMBIE:
                    one.kill()
                    left += 1
        if not left:
            return
        time.sleep(0.01)
