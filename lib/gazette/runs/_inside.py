"""A notebook's kernel inside the process that runs it: ipykernel's own shell, without sockets, their threads and a second process.

Papermill and nbclient stay as they are: what the kernel says reaches them as the same messages, by a call instead of ZeroMQ.
"""

from __future__ import annotations

import asyncio
import io
import logging
import os
import select
import sys
import threading
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from ipykernel.ipkernel import IPythonKernel
from ipykernel.kernelapp import IPKernelApp
from jupyter_client.session import Session
from papermill.clientwrap import PapermillNotebookClient

from gazette.runs._kernel import NO_HISTORY, as_new

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["Client", "prepare"]

AFTER = 0.2  # seconds after which what was printed is shown, as in any kernel
PIECE = 1 << 16


class _Session(Session):
    """Hands each message on at once, as it would arrive over a socket."""

    hear: Callable[[dict[str, Any]], object] | None = None
    lock = threading.RLock()

    def send(  # type: ignore[override]  # of what else it could be told, nothing is asked for here
        self,
        stream: Any,  # noqa: ARG002  there is none
        msg_or_type: Any,
        content: Any = None,
        parent: Any = None,
        **more: Any,
    ) -> dict[str, Any]:
        """Hand on a message, or one of this type and content."""
        message: dict[str, Any] = (
            msg_or_type
            if isinstance(msg_or_type, dict)
            else self.msg(msg_or_type, content, parent, more.get("header"), more.get("metadata"))
        )
        message["content"] = self.unpack(self.pack(message["content"]))
        with self.lock:
            if self.hear is not None:
                self.hear(message)
        return message


class _Stream(io.TextIOBase):
    """Standard output or errors of the notebook, and of the programs that it starts."""

    encoding = "UTF-8"

    def __init__(self, session: _Session, name: str, number: int) -> None:
        self.session, self.name, self.number, self.owner = session, name, number, os.getpid()
        self.before = os.dup(number)
        self.read_end, write_end = os.pipe()
        os.set_blocking(self.read_end, False)
        os.dup2(write_end, number)
        os.close(write_end)
        self.text: list[str] = []
        self.since = 0.0
        self.parent: dict[str, Any] = {}

    def fileno(self) -> int:
        """The stream that the process was started with, as of ipykernel's."""
        return self.before

    def isatty(self) -> bool:
        return False

    def writable(self) -> bool:
        return True

    def set_parent(self, parent: dict[str, Any]) -> None:
        """The request that runs now."""
        self.parent = parent

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text)}")
        if os.getpid() != self.owner:  # a fork: it reaches us as any other program does
            os.write(self.number, text.encode(errors="replace"))
        else:
            with self.session.lock:
                self._add(text)
        return len(text)

    def flush(self) -> None:
        if os.getpid() != self.owner:
            return
        with self.session.lock:
            self._listen()
            text, self.text = "".join(self.text), []
            if text:
                self.session.send(None, "stream", {"name": self.name, "text": text}, self.parent)

    def late(self) -> None:
        """Show what was printed a while ago."""
        with self.session.lock:
            self._listen()
            if self.text and time.monotonic() - self.since >= AFTER:
                self.flush()

    def _add(self, text: str) -> None:
        self.since = self.since if self.text else time.monotonic()
        self.text.append(text)

    def _listen(self) -> None:
        """Take in what other programs wrote."""
        pieces = []
        try:
            while piece := os.read(self.read_end, PIECE):
                pieces.append(piece)
        except BlockingIOError:
            pass
        if pieces:
            self._add(b"".join(pieces).decode(errors="replace"))


class _Program(IPKernelApp):
    """What a kernel prepares for its shell, without all that is there to talk to others."""

    def _nothing(self, **_: Any) -> None:
        pass

    init_poller = init_connection_file = init_sockets = init_heartbeat = _nothing
    write_connection_file = log_connection_info = init_signal = _nothing

    def init_io(self) -> None:
        self.session = _Session(parent=self)
        sys.stdout, sys.stderr = _Stream(self.session, "stdout", 1), _Stream(self.session, "stderr", 2)

    def init_kernel(self) -> None:
        self.kernel = IPythonKernel.instance(
            parent=self,
            session=self.session,
            shell_channel_thread=SimpleNamespace(parent_thread=None),
            log=self.log,
            profile_dir=self.profile_dir,
            user_ns=self.user_ns,
        )
        self.kernel._abort_queues = lambda *_: None  # type: ignore[method-assign]  # noqa: SLF001  nothing waits in a queue


def _show(streams: tuple[_Stream, ...]) -> None:
    """Show what was printed while a cell still runs, and keep pipes of other programs from filling up."""
    while True:
        select.select([s.read_end for s in streams], [], [], AFTER)
        for stream in streams:
            stream.late()


def _log() -> logging.Logger:
    """For what the kernel itself has to say, which is no output of the notebook's."""
    log = logging.getLogger("gazette.kernel")
    log.propagate = False
    log.addHandler(logging.StreamHandler(os.fdopen(os.dup(2), "w", encoding="utf-8")))
    return log


def prepare(job: Mapping[str, Any]) -> None:
    """Have this process, a fork, be like a kernel that was started for the job."""
    os.chdir(job["cwd"])
    sys.argv = ["ipykernel_launcher", "-f", f"{job['scratch']}/k.json"]
    as_new()


class Client(PapermillNotebookClient):  # type: ignore[misc]  # papermill has no types
    """Papermill's client, whose kernel is this process."""

    def execute(self, **_: Any) -> Any:
        """Run all cells, as far as they succeed."""
        self.reset_execution_trackers()
        self.loop = asyncio.new_event_loop()
        asyncio.set_event_loop(self.loop)
        program = _Program.instance(log=_log())
        program.initialize([NO_HISTORY])  # type: ignore[no-untyped-call]
        self.kernel, self.session = program.kernel, program.session
        threading.Thread(target=_show, args=((sys.stdout, sys.stderr),), daemon=True).start()
        self.papermill_execute_cells()
        self.set_widgets_metadata()
        return self.nb

    def execute_cell(self, cell: Any, cell_index: int, **_: Any) -> Any:
        """Run a cell and put what it shows below it.

        Raises:
            CellExecutionError: It failed, and may not.
        """
        if cell.cell_type != "code" or not cell.source.strip():
            return cell
        if self.skip_cells_with_tag in cell.metadata.get("tags", []):
            return cell
        cell.metadata["execution"] = {}
        cell.outputs = []
        self.clear_before_next_output = False
        self.code_cells_executed += 1
        replies: list[dict[str, Any]] = []

        def hear(message: dict[str, Any]) -> None:
            if message["msg_type"] == "execute_reply":
                replies.append(message)
            else:
                self.process_message(message, cell, cell_index)

        content = {"code": cell.source, "silent": False, "store_history": True, "allow_stdin": False}
        request = self.session.msg("execute_request", content)
        self.kernel.set_parent([], request)
        self.session.hear = hear
        try:
            self.loop.run_until_complete(self.kernel.execute_request(None, [], request))
        finally:
            self.session.hear = None
        self.loop.run_until_complete(self._check_raise_for_error(cell, cell_index, replies[-1]))
        return cell
