"""Progress on a terminal as live bars, elsewhere as one line an event."""

from __future__ import annotations

import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.progress import Progress, TaskID

    from gazette.build import Listener
    from gazette.runs import Event

__all__ = ["listener"]


class _Lines:
    """For logs: a line when a stage begins and when a notebook ends."""

    def __init__(self) -> None:
        self._start = time.monotonic()

    def _print(self, text: str) -> None:
        print(f"[{time.monotonic() - self._start:6.1f} s] {text}", file=sys.stderr, flush=True)

    def note(self, what: str) -> None:
        """It holds for the whole build."""
        self._print(what)

    def step(self, edition: str, what: str) -> None:
        """A stage began."""
        self._print(f"{edition}: {what}")

    def planned(self, edition: str, titles: dict[str, str]) -> None:
        """Notebooks will run."""
        self._print(f"{edition}: {len(titles)} notebooks to run")

    def notebook(self, edition: str, event: Event) -> None:
        """A notebook ended."""
        if event.status != "running":
            self._print(
                f"{edition}: {event.page}: {event.status}, {event.seconds:.1f} s, {event.peak_memory_mb:.0f} MB"
            )


class _Bars:
    """For terminals: one bar a notebook."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._tasks: dict[str, TaskID] = {}
        self._stage = progress.add_task("", total=None)
        self._lock = threading.Lock()

    def note(self, what: str) -> None:
        """It stays above the bars."""
        self._progress.console.print(what, markup=False, highlight=False)

    def step(self, edition: str, what: str) -> None:
        """A stage began."""
        self._progress.update(self._stage, description=f"[bold]{edition}[/bold] {what}")

    def planned(self, edition: str, titles: dict[str, str]) -> None:
        """A bar for each notebook, in place of those of the edition before."""
        del edition
        from rich.markup import escape  # noqa: PLC0415

        with self._lock:
            for task in self._tasks.values():
                self._progress.remove_task(task)
            self._tasks = {
                page: self._progress.add_task(f"  {escape(title)}", total=None, start=False)
                for page, title in titles.items()
            }

    def notebook(self, edition: str, event: Event) -> None:
        """A cell began, or the notebook ended."""
        del edition
        with self._lock:
            task = self._tasks.get(event.page)
            if task is None:
                return
            self._progress.start_task(task)
            done = event.cells if event.status in {"ok", "cached"} else event.cell
            note = (
                ""
                if event.status == "running"
                else f"{event.status} {event.peak_memory_mb:.0f} MB"
                if event.peak_memory_mb
                else event.status
            )
            self._progress.update(task, total=max(1, event.cells), completed=done, note=note)
            if event.status != "running":
                self._progress.stop_task(task)


@contextmanager
def listener() -> Iterator[Listener]:
    """A listener for as long as the build goes on; it writes to standard error."""
    if not sys.stderr.isatty():
        yield _Lines()
        return
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    columns = [
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}"),
    ]

    class _WithNote(Progress):
        def add_task(self, description: str, **more: object) -> TaskID:  # type: ignore[override]
            more.setdefault("note", "")
            return super().add_task(description, **more)  # type: ignore[arg-type]

    with _WithNote(*columns, console=Console(stderr=True), transient=True) as progress:
        yield _Bars(progress)
