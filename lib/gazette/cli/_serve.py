"""``gazette serve``: the published site, on loopback."""

from __future__ import annotations

import contextlib
import functools
import signal
import sys
from http import HTTPStatus
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


HOSTS = {"127.0.0.1", "localhost", "[::1]"}  # with any port: it may be reached through a tunnel
WAIT = 30.0  # seconds that a reader may take for a request
HEADERS = {
    "Cache-Control": "no-cache",  # a rebuilt site shows at once
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    # charts compile their expressions, and pages carry their own small scripts and styles
    "Content-Security-Policy": "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; worker-src 'self' blob:; object-src 'none'; base-uri 'self'; form-action 'self'; "
    "frame-ancestors 'self'",
}


class _Handler(SimpleHTTPRequestHandler):
    """Files of the site alone: no listings, nothing that begins with a dot, nothing that a link leads out to."""

    timeout = WAIT
    server_version, sys_version = "gazette", ""

    def log_message(self, *_: Any) -> None:
        """Stay quiet."""

    def end_headers(self) -> None:
        """What every answer says."""
        for name, value in HEADERS.items():
            self.send_header(name, value)
        super().end_headers()

    def send_head(self) -> Any:
        """The file that is asked for, to who asks for this machine: pages of other sites may have a name lead here."""
        host = self.headers.get("Host", "")
        if host.removesuffix(f":{host.rpartition(':')[2]}") not in HOSTS and host not in HOSTS:
            self.send_error(HTTPStatus.MISDIRECTED_REQUEST, "This site is served to this machine alone")
            return None
        if not self._is_of_the_site():
            self.send_error(HTTPStatus.NOT_FOUND, "File not found")
            return None
        return super().send_head()

    def _is_of_the_site(self) -> bool:
        try:
            root = Path(self.directory).resolve()
            asked = Path(self.translate_path(self.path))
            inside = asked.resolve().relative_to(root)
            return not any(p.startswith(".") for p in (*inside.parts, *asked.relative_to(self.directory).parts))
        except (OSError, ValueError):  # ValueError: it lies elsewhere, or no path has such signs
            return False

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """The site's own page where nothing is found."""
        page = Path(self.directory, "404.html")
        if code != HTTPStatus.NOT_FOUND or not page.is_file():
            super().send_error(code, message, explain)
            return
        content = page.read_bytes()
        self.send_response(code)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def list_directory(self, _: Any) -> None:
        """Nothing: a folder is its first page."""
        self.send_error(HTTPStatus.NOT_FOUND, "File not found")


def _stop(*_: Any) -> None:
    raise KeyboardInterrupt


def server_of(folder: Path, port: int) -> ThreadingHTTPServer:
    """A server of a folder on loopback, bound and not yet started.

    Raises:
        WrongUseError: There is no site, or the port cannot be had.
    """
    if not (folder / "index.html").is_file():
        raise WrongUseError("there is no site yet", where=str(folder), mend="run 'gazette build' first")
    if not 0 <= port <= MAX_PORT:
        raise WrongUseError(f"port {port} does not exist", mend=f"take one from 0 to {MAX_PORT}")
    try:
        return ThreadingHTTPServer(("127.0.0.1", port), functools.partial(_Handler, directory=str(folder)))
    except OSError as error:
        raise WrongUseError(
            f"port {port} cannot be had: {error.strerror}", mend="name another with --port, or 0 for any free one"
        ) from error


def serve(folder: Path, port: int, *, announce: Callable[[str], None]) -> int:
    """Serve a folder until SIGINT or SIGTERM.

    Raises:
        WrongUseError: There is no site, or the port cannot be had.
    """
    server = server_of(folder, port)
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
