"""``gazette serve``: the published site, on loopback."""

from __future__ import annotations

import contextlib
import functools
import signal
import sys
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gazette.cli._shared import open_project, say
from gazette.errors import WrongUseError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

__all__ = ["EXAMPLE", "HELP", "add_options", "run"]

HELP = "serve the published site on this machine alone"
EXAMPLE = "gazette serve --port 8000"

MAX_PORT = 65535


class _Handler(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Stay quiet."""

    def end_headers(self) -> None:
        """A rebuilt site shows at once."""
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()


def _stop(*_: Any) -> None:
    raise KeyboardInterrupt


def serve(folder: Path, port: int, *, announce: Callable[[str], None]) -> int:
    """Serve a folder until SIGINT or SIGTERM.

    Raises:
        WrongUseError: There is no site, or the port cannot be had.
    """
    if not (folder / "index.html").is_file():
        raise WrongUseError("there is no site yet", where=str(folder), mend="run 'gazette build' first")
    if not 0 <= port <= MAX_PORT:
        raise WrongUseError(f"port {port} does not exist", mend=f"take one from 0 to {MAX_PORT}")
    try:
        server = ThreadingHTTPServer(("127.0.0.1", port), functools.partial(_Handler, directory=str(folder)))
    except OSError as error:
        raise WrongUseError(
            f"port {port} cannot be had: {error.strerror}", mend="name another with --port, or 0 for any free one"
        ) from error
    for number in (signal.SIGINT, signal.SIGTERM):  # a shell has what it starts in the background ignore SIGINT
        signal.signal(number, _stop)
    with server, contextlib.suppress(KeyboardInterrupt):
        announce(f"http://127.0.0.1:{server.server_port}/")
        sys.stdout.flush()
        server.serve_forever()
    return 0


def add_options(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument("--port", type=int, default=8000, help="port (default: 8000; 0 takes a free one)")


def run(options: argparse.Namespace) -> int:
    """The command; returns the exit code."""
    project = open_project(options)
    return serve(
        project.output,
        options.port,
        announce=lambda address: say(
            options, {"address": address}, f"Serving {project.output} at {address} (stop with Ctrl-C)"
        ),
    )
