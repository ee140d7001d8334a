"""Servers that tests start on loopback, and stop again by their process id."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def get(address: str) -> Any:
    """JSON or text of an address on loopback, None where nothing answers."""
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:  # noqa: S310  loopback
            text = answer.read().decode()
            return json.loads(text) if text.startswith(("{", "[")) else text
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return None


def wait(done: Callable[[], bool], *, what: str, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, f"waited {seconds:.0f} s for {what}"
        time.sleep(0.2)


@contextmanager
def running(*arguments: str, place: Path, ready: str) -> Iterator[None]:
    """A server that answers at ``ready``."""
    with (place / f"{arguments[0]}.log").open("w") as log:
        process = subprocess.Popen(arguments, cwd=place, stdout=log, stderr=subprocess.STDOUT)
        try:
            wait(lambda: get(ready) is not None, what=f"{arguments[0]} to start; see {log.name}")
            yield
        finally:
            os.kill(process.pid, signal.SIGTERM)
            process.wait(timeout=30)
