"""A process that has everything imported and forks a worker for each notebook, which saves seconds on every page.

It must stay a process of one thread, as forks have only the thread that forked: nothing here may start another.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import signal
import socket
import sys
from typing import NoReturn

from nbformat import validate
from nbformat.v4 import new_notebook

from gazette.runs import _worker
from gazette.runs._process import PID

PRELOADED = (  # what workers and the kernels of our templates import, by name: this room itself uses little of it
    "papermill",
    "papermill.engines",
    "gazette.runs._inside",
    "ipykernel.kernelapp",
    "ipykernel.zmqshell",
    "ipykernel.debugger",
    "IPython.core.completerlib",
    "tornado.platform.asyncio",
    "pandas",
    "pandas.io.formats.csvs",
    "pandas.io.formats.string",
    "pyarrow.dataset",
    "pyarrow.parquet",
    "scipy.stats",
    "gazette.workbench",
)
STREAMS = 3  # standard input, output and errors of a worker


def serve(connection: socket.socket) -> None:
    """Fork a worker on its three streams for each byte that comes, and answer with its process id, until the other side ends."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them: the pool hears from their streams
    while True:
        word, streams, _, _ = socket.recv_fds(connection, 1, STREAMS)
        if not word:
            return
        pid = os.fork()
        if not pid:
            _be_worker(connection, streams)
        for stream in streams:
            os.close(stream)
        connection.sendall(PID.pack(pid))


def _be_worker(connection: socket.socket, streams: list[int]) -> NoReturn:
    code = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setsid()
        connection.close()
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
            os.close(stream)
        code = _worker.main(inside=True)
        sys.stdout.flush()
    except Exception:  # noqa: BLE001  nothing of the warm process may run in the fork
        sys.excepthook(*sys.exc_info())
    finally:
        with contextlib.suppress(OSError):
            sys.stderr.flush()
        os._exit(code)


def main() -> int:
    """Serve on the socket that is named by its number."""
    with socket.socket(fileno=int(sys.argv[1])) as connection:
        for name in PRELOADED:
            importlib.import_module(name)
        validate(new_notebook())  # type: ignore[no-untyped-call]  # the first time makes the validator
        gc.collect()
        gc.freeze()  # shared pages stay shared
        gc.set_threshold(100_000, 50, 50)  # as the command has it
        serve(connection)
    return 0


if __name__ == "__main__":
    sys.exit(main())
