"""Run jobs in parallel, each in a process that can be killed without harm to the others."""

from __future__ import annotations

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gazette.errors import GazetteError, NotebookError
from gazette.record import Record
from gazette.runs._cache import key
from gazette.runs._interpreter import Interpreter
from gazette.runs._job import Event, Failure, Job, Outcome
from gazette.runs._normal import clean, normalise, take_record
from gazette.runs._process import start
from gazette.runs._template import check_parameters
from gazette.secrets import redact
from gazette.snapshot import keep, kept, scratch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gazette.runs._process import Worker

__all__ = ["run_all"]

NOISE = 40  # lines of what a worker that failed said


@dataclass
class _Heard:
    """What a worker said so far."""

    cell: int = 0
    cells: int = 0
    cell_id: str = ""
    failed: str = ""
    traceback: str = ""
    peak_memory_mb: float = 0.0
    done: bool = False
    noise: list[str] = field(default_factory=list)


@dataclass
class _Running:
    """Workers that run now."""

    workers: list[Worker] = field(default_factory=list)
    stopped: bool = False

    def add(self, worker: Worker) -> None:
        """Count it in; one that comes when all are stopped already is stopped too."""
        self.workers.append(worker)
        if self.stopped:
            worker.kill()

    def stop(self) -> None:
        """Kill all of them."""
        self.stopped = True
        for worker in [*self.workers]:
            worker.kill()


def run_all(
    jobs: Sequence[Job],
    *,
    workers: int,
    cache: Path | None = None,
    interpreter: Interpreter | None = None,
    progress: Callable[[Event], None] | None = None,
) -> list[Outcome]:
    """Run every job; a failed one never stops the others.

    Args:
        jobs: In the order of the result.
        workers: How many run at once.
        cache: Folder of earlier runs; None runs everything. It knows only what this Python ran.
        interpreter: What runs them; by default this Python and this library.
        progress: Told of each cell, from any thread.

    Raises:
        NotebookError: A template cannot be read or does not take a parameter; nothing is run then.
    """
    for job in jobs:
        check_parameters(job.template, job.parameters)
    say = progress or (lambda _: None)
    running = _Running()
    runner = interpreter or Interpreter()
    with ThreadPoolExecutor(max_workers=workers) as pool:
        futures = [pool.submit(_one, job, cache, runner, say, running) for job in jobs]
        try:
            return [future.result() for future in futures]
        except BaseException:
            for future in futures:
                future.cancel()
            running.stop()
            raise


def _one(job: Job, cache: Path | None, runner: Interpreter, say: Callable[[Event], None], running: _Running) -> Outcome:
    start = time.monotonic()
    place = cache / f"{key(job)}.ipynb" if cache else None
    if place and (record := _cached(place, job)):
        say(Event(job.page, 1, 1, "cached"))
        return Outcome(job.page, "cached", record, None, time.monotonic() - start, 0.0)
    heard = _Heard()
    job.output.parent.mkdir(parents=True, exist_ok=True)
    with scratch() as folder:
        raw = folder / "executed.ipynb"
        _watch(job, runner, raw, heard, say, running)
        paths = {str(job.cwd): ".", str(folder): "…", runner.prefix: "<env>", str(runner.library.parent): "<project>"}
        what, record = heard.failed, None
        try:
            notebook = json.loads(raw.read_text(encoding="utf-8"))
            text = normalise(notebook, paths)
            _write(job.output, text)
            if not what:
                record = _own_record(notebook, job)
        except NotebookError as error:
            what = str(error)
        except (OSError, ValueError) as error:
            what = what or f"the worker left no notebook: {error}"
    seconds = time.monotonic() - start
    if record is None:
        trace = clean(heard.traceback or "\n".join(heard.noise[-NOISE:]), paths)
        shown = redact(clean(what, paths)), redact(trace)
        failure = Failure(job.page, job.kind, job.title, job.owner, *shown)
        say(Event(job.page, heard.cell, heard.cells, "failed", seconds, heard.peak_memory_mb))
        return Outcome(job.page, "failed", None, failure, seconds, heard.peak_memory_mb)
    if place:
        keep(place, text.encode())
    say(Event(job.page, heard.cells, heard.cells, "ok", seconds, heard.peak_memory_mb))
    return Outcome(job.page, "ok", record, None, seconds, heard.peak_memory_mb)


def _own_record(notebook: dict[str, Any], job: Job) -> Record:
    record = take_record(notebook)
    if record.subject != job.page or record.kind != job.kind:
        raise NotebookError(f"the record is of {record.kind} {record.subject!r}, not of {job.kind} {job.page!r}")
    return record


def _watch(
    job: Job, runner: Interpreter, raw: Path, heard: _Heard, say: Callable[[Event], None], running: _Running
) -> None:
    """Start the worker, listen to it, and kill it with its kernel when its time is over."""
    message = {
        "template": str(job.template.absolute()),
        "output": str(raw),
        "parameters": dict(job.parameters),
        "cwd": str(job.cwd.absolute()),
        "scratch": str(raw.parent),
    }
    errors = raw.with_name("errors.txt")
    worker = start(runner, message, errors, job.variables)
    running.add(worker)
    late = threading.Event()

    def expire() -> None:
        late.set()
        worker.kill()

    timer = threading.Timer(job.timeout, expire)
    timer.start()
    try:
        for line in worker.lines():
            _hear(line, heard)
            say(Event(job.page, heard.cell, heard.cells))
            if heard.done:
                break
    finally:
        timer.cancel()
        running.workers.remove(worker)
        worker.close()
        heard.noise += errors.read_text(encoding="utf-8", errors="replace").splitlines()[-NOISE:]
    if late.is_set():
        heard.failed = f"timed out after {job.timeout:g} s in cell {heard.cell_id or heard.cell!r}"
        heard.traceback = ""
    elif not heard.done and not heard.failed:
        heard.failed = f"the worker was killed in cell {heard.cell_id or heard.cell!r}"
    elif heard.failed.startswith("DeadKernelError"):
        heard.failed = f"the kernel died in cell {heard.cell_id or heard.cell!r}"


def _hear(line: str, heard: _Heard) -> None:
    try:
        message: dict[str, Any] = json.loads(line)
    except ValueError:
        heard.noise.append(line)
        return
    heard.cell = message.get("cell", heard.cell)
    heard.cells = message.get("cells", heard.cells)
    heard.cell_id = message.get("id", heard.cell_id)
    heard.failed = message.get("failed", heard.failed)
    heard.traceback = message.get("traceback", heard.traceback)
    heard.done = message.get("done", heard.done)
    heard.peak_memory_mb = message.get("peak_memory_mb", heard.peak_memory_mb)


def _write(path: Path, text: str) -> None:
    part = path.with_name(path.name + ".part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)


def _cached(place: Path, job: Job) -> Record | None:
    if (content := kept(place)) is None:
        return None
    try:
        text = content.decode()
        record = _own_record(json.loads(text), job)
    except (ValueError, KeyError, GazetteError):
        return None
    job.output.parent.mkdir(parents=True, exist_ok=True)
    _write(job.output, text)
    return record
