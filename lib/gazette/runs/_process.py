"""Start workers: forked from this process's warm one where this Python and this library run notebooks, else from nothing."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import selectors
import socket
import struct
import subprocess
import sys
import threading
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

import psutil

from gazette.runs._interpreter import KERNEL_ENVIRONMENT, Interpreter, variables

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

__all__ = ["PID", "Worker", "start", "warm"]

PID = struct.Struct("=i")  # in which the warm process tells a worker's id
PATIENCE = 120.0  # seconds for the warm process to import what it needs
STARTING = threading.Lock()


@dataclass
class Worker:
    """A process that runs a notebook, and the pipe in which it speaks.

    What a notebook started and left running may hold that pipe for as long as it likes, so its end is not waited for.
    """

    process: psutil.Process
    said: int
    started: subprocess.Popen[bytes] | None = None

    def lines(self) -> Iterator[str]:
        """What it says, line by line, until it ends."""
        left = b""
        with selectors.DefaultSelector() as ready:
            ready.register(self.said, selectors.EVENT_READ)
            while True:
                alive = _alive(self.process)
                if not ready.select(timeout=0.5 if alive else 0):
                    if alive:
                        continue
                    return
                if not (read := os.read(self.said, 1 << 16)):
                    return
                *whole, left = (left + read).split(b"\n")
                yield from (line.decode(errors="replace") for line in whole)

    def kill(self) -> None:
        """Kill it and all that it started; a process of the same id that is another one is left alone."""
        try:
            family = [self.process, *self.process.children(recursive=True)]
        except psutil.NoSuchProcess:
            return
        for process in family:
            try:
                process.kill()
            except psutil.NoSuchProcess:
                continue

    def close(self) -> None:
        """Kill it and close the pipe."""
        self.kill()
        if self.started:
            self.started.wait()
        os.close(self.said)


def _alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


class _Warm:
    """The warm process of this one."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.lock = threading.Lock()
        self.ours, theirs = socket.socketpair()
        self.ours.settimeout(PATIENCE)
        with theirs:
            self.process = psutil.Popen(  # asks the system, so that it is also right in a fork of this process
                [sys.executable, "-P", "-m", "gazette.runs._warm", str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                env={**variables(), **KERNEL_ENVIRONMENT, "PYTHONPATH": path},
                start_new_session=True,
            )

    def fork(self, streams: list[int]) -> int:
        """Process id of a new worker on these streams.

        Raises:
            OSError: The warm process has ended or does not answer; it is of no use any more.
        """
        with self.lock:
            try:
                socket.send_fds(self.ours, [b"w"], streams)
                answer = self.ours.recv(PID.size, socket.MSG_WAITALL)
            except OSError:
                self.stop()  # what it may answer later would be taken for the answer to another question
                raise
        if len(answer) < PID.size:
            raise ConnectionError
        return int(PID.unpack(answer)[0])

    def stop(self) -> None:
        """End it at once, whatever it does; its workers end by themselves."""
        self.ours.close()
        with contextlib.suppress(psutil.NoSuchProcess):
            self.process.kill()
        self.process.wait()


class _Kept:
    warm: _Warm | None = None


def warm() -> _Warm:
    """The warm process, started if there is none: it is ready a few seconds later."""
    path = Interpreter().python_path()
    with STARTING:
        known = _Kept.warm
        if known is not None and (known.path != path or not _alive(known.process)):
            known.stop()
            known = None
        if known is None:
            known = _Kept.warm = _Warm(path)
            atexit.register(known.stop)
        return known


def start(runner: Interpreter, job: Mapping[str, Any], errors: Path, more: Collection[str] = ()) -> Worker:
    """Start a worker on a job.

    Args:
        runner: What runs it.
        job: For `gazette.runs._worker.run`, without the environment, which is what notebooks may see of this process's.
        errors: File that is to take what it writes to its standard error.
        more: Variables that it sees beside those that every notebook does.
    """
    message = json.dumps({**job, "environment": {**variables(more), "PYTHONPATH": runner.python_path()}}).encode()
    with errors.open("wb") as err:
        if runner == Interpreter():
            try:
                return _forked(message, err.fileno())
            except OSError:
                pass  # it cannot start here: from nothing then, whose errors say why
        return _from_nothing(runner, message, err.fileno())


def _forked(message: bytes, err: int) -> Worker:
    (job, tell), (said, out) = os.pipe(), os.pipe()
    try:
        process = psutil.Process(warm().fork([job, out, err]))
    except (OSError, psutil.NoSuchProcess) as error:
        os.close(tell)
        os.close(said)
        raise OSError from error
    finally:
        os.close(job)
        os.close(out)
    _tell(os.fdopen(tell, "wb"), message)
    return Worker(process, said)


def _from_nothing(runner: Interpreter, message: bytes, err: int) -> Worker:
    said, out = os.pipe()
    try:
        process = subprocess.Popen(  # noqa: S603  our own worker, by this Python or one that we set up
            [runner.executable, "-P", "-m", "gazette.runs._worker"],
            stdin=subprocess.PIPE,
            stdout=out,
            stderr=err,
            env={**variables(), **KERNEL_ENVIRONMENT, "PYTHONPATH": runner.python_path()},
            start_new_session=True,
        )
    finally:
        os.close(out)
    assert process.stdin is not None  # noqa: S101  asked for above
    _tell(process.stdin, message)
    return Worker(psutil.Process(process.pid), said, process)


def _tell(pipe: IO[bytes], message: bytes) -> None:
    """Hand the job over; a worker that is dead already is found out by who listens to it."""
    try:
        with pipe:
            pipe.write(message)
    except BrokenPipeError:
        return
