"""Replay an edition: check it, run it again in its environment, compare everything that it said."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

from gazette.canaries import FILE, certify, read_certificate
from gazette.editions import write_error
from gazette.errors import EditionError, GazetteError
from gazette.record import Tolerance, compare_records
from gazette.replay._alive import alive
from gazette.replay._outputs import compare_outputs, read_notebook
from gazette.replay._rebuild import HERE, rebuild
from gazette.replay._recorded import differences, read_recorded
from gazette.replay._rerun import Page, Rerun, pages_of, rerun

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from gazette.editions import Sealed, Store, Week
    from gazette.record import Comparison, Record
    from gazette.replay._outputs import CellChange
    from gazette.replay._recorded import Difference, Recorded
    from gazette.replay._tolerances import Tolerances
    from gazette.runs import Event, Interpreter, Outcome

__all__ = ["Listener", "PageReplay", "Replay", "Where", "replay"]

State = Literal["identical", "equal within tolerance", "differs"]
Where = Literal["same", "here", "build"]
STATES: tuple[State, ...] = ("identical", "equal within tolerance", "differs")
SHOWN = 5
APART = {"numbers", "verdicts", "findings"}  # compared by themselves


class Listener(Protocol):
    """Told how a replay goes on, as a build tells it."""

    def step(self, edition: str, what: str) -> None:
        """A stage began."""

    def planned(self, edition: str, titles: dict[str, str]) -> None:
        """These notebooks will run: page to title."""

    def notebook(self, edition: str, event: Event) -> None:
        """A notebook reached a cell or ended."""


@dataclass(frozen=True)
class PageReplay:
    """One page, then and now.

    Attributes:
        page, title: Which.
        state: The whole in one word.
        comparison: Of its numbers, verdicts and sentences; None where the notebook failed then or now.
        cells: Those that show something else.
        fields: Other parts of the record that differ, such as ``alerts``.
        failed_then, failed_now: Why the notebook failed, empty where it did not.
        seconds: It took.
    """

    page: str
    title: str
    state: State
    comparison: Comparison | None
    cells: tuple[CellChange, ...]
    fields: tuple[str, ...]
    failed_then: str
    failed_now: str
    seconds: float

    @property
    def flips(self) -> bool:
        """Whether a verdict tells readers something else."""
        return bool(self.comparison and self.comparison.flips)


@dataclass(frozen=True)
class Replay:
    """What came of replaying an edition.

    Attributes:
        edition, digest: Which, and its manifest's digest.
        where: ``same``: here, in what was recorded; ``here``: here, although something differs; ``build``: rebuilt.
        environment: The recorded one in a few words.
        differences: Between the recorded environment and the one that ran.
        pages: Those that ran, as a build orders them.
        hidden: Whether hidden tests came out as they did; None where the edition has none, or they were not run again.
    """

    edition: str
    digest: str
    where: Where
    environment: str
    differences: tuple[Difference, ...]
    pages: tuple[PageReplay, ...]
    hidden: State | None = None

    @property
    def state(self) -> State:
        """The worst of its pages and of the hidden tests."""
        states = [p.state for p in self.pages] + ([self.hidden] if self.hidden is not None else [])
        return max(states, key=STATES.index, default="identical")

    @property
    def compared(self) -> int:
        """Numbers that were compared."""
        return sum(p.comparison.compared for p in self.pages if p.comparison)


def replay(
    store: Store,
    week: Week,
    *,
    state: Path,
    tolerances: Tolerances,
    pages: Collection[str] = (),
    where: Where = "same",
    python: str | None = None,
    workers: int = 2,
    timeout: float = 600,
    listener: Listener,
) -> Replay:
    """Run a sealed edition again and compare it with what was published.

    Args:
        store: Sealed editions.
        week: Which of them.
        state: The project's state folder: for the scratch copy, removed at the end, and for rebuilt environments, kept.
        tolerances: What counts as equal.
        pages: Ids of the pages to run; by default all.
        where: ``same`` refuses where the present environment is not the recorded one; ``here`` runs all the same; ``build``
            makes the recorded one.
        python: For ``build``: the Python to build on.
        workers: How many notebooks run at once.
        timeout: Seconds for one notebook.
        listener: Told of progress.

    Raises:
        EditionError: There is no such edition, it is not what was sealed, its environment is not here or cannot be made, or the
            disk refuses. Nothing is left behind.
        WrongUseError: The edition has no such page.
    """
    edition, sealed = str(week), store.open(week)
    manifest = sealed.manifest
    listener.step(edition, "Comparing files with the manifest")
    if problems := store.check(week):
        shown = "\n".join(f"  {p}" for p in problems[:SHOWN])
        more = f"\n  and {len(problems) - SHOWN} more" if len(problems) > SHOWN else ""
        raise EditionError(
            f"the edition is not what was sealed, so a replay would say nothing of what was published\n{shown}{more}",
            where=str(store.root),
            mend=f"restore these files from a copy; 'gazette verify {edition}' lists all",
        )
    folder = sealed.within()
    recorded = read_recorded(folder, manifest.versions)
    runner, differs = _environment(recorded, where, state, python, lambda what: listener.step(edition, what))
    known = pages_of(folder)
    listener.planned(edition, {p.id: p.title for p in known.values() if not pages or p.id in pages})
    listener.step(edition, "Running notebooks again")
    with _scratch(state, edition) as work:
        run = rerun(
            folder,
            work / "edition",
            pages=pages,
            workers=workers,
            timeout=timeout,
            interpreter=runner,
            progress=lambda event: listener.notebook(edition, event),
        )
        listener.step(edition, "Comparing")
        hidden = None if pages or where == "build" else _hidden(sealed, week, work / "hidden")
        found = tuple(_compare(folder, known[page], run, outcome, tolerances) for page, outcome in run.outcomes.items())
    return Replay(edition, manifest.digest, where, recorded.label, tuple(differs), found, hidden)


def _hidden(sealed: Sealed, week: Week, scratch: Path) -> State | None:
    """Whether the hidden tests of an edition come out again as they did, all but the counts of editions before it, which it carries."""
    if not sealed.has(FILE):
        return None
    then = read_certificate(sealed.read(FILE), f"{week}/{FILE}")
    scratch.mkdir()
    try:
        now = certify(week, before=then.earlier(), scratch=scratch.resolve())
    except EditionError:  # another library than the one that sealed it no longer catches one
        return "differs"
    return "identical" if now == then else "differs"


def _environment(
    recorded: Recorded, where: Where, state: Path, python: str | None, say: Any
) -> tuple[Interpreter | None, list[Difference]]:
    if where == "build":
        say("Finding the recorded environment")
        return rebuild(recorded, state, python=python, say=say)
    found = differences(recorded)
    if where == "same" and any(d.decides for d in found):
        shown = "\n".join(f"  {d}" for d in found[: 4 * SHOWN])
        more = f"\n  and {len(found) - 4 * SHOWN} more" if len(found) > 4 * SHOWN else ""
        build = "make the recorded one with --build-environment, or " if recorded.environment else ""
        raise EditionError(
            f"the edition was made in another environment than this one ({recorded.label})\n{shown}{more}",
            mend=f"{build}{HERE}",
        )
    return None, found


@contextmanager
def _scratch(state: Path, edition: str) -> Iterator[Path]:
    """A folder for the scratch copy, gone afterwards; what a killed replay left is removed first."""
    root = state / "replay"
    mine = root / f"{edition}.{os.getpid()}"
    try:
        for old in root.glob("*") if root.is_dir() else ():
            if not alive(old.suffix.removeprefix(".")):
                shutil.rmtree(old, ignore_errors=True)
        mine.mkdir(parents=True)
        yield mine
    except OSError as error:
        if isinstance(error, GazetteError):
            raise
        refused = write_error(error, mine)
        raise EditionError(
            refused.what, where=refused.where, mend="free disk space or mend the rights, then replay again"
        ) from error
    finally:
        shutil.rmtree(mine, ignore_errors=True)
        if root.is_dir() and not any(root.iterdir()):
            root.rmdir()


def _compare(edition: Path, page: Page, run: Rerun, outcome: Outcome, tolerances: Tolerances) -> PageReplay:
    name = f"{page.id}.ipynb"
    failed = outcome.failure.what if outcome.failure else ""
    comparison, close = None, False
    fields: tuple[str, ...] = ()
    if page.record is not None and outcome.record is not None:
        comparison = compare_records(page.record, outcome.record, tolerances.of)
        fields, close = _fields(page.record, outcome.record, tolerances.of_outputs)
    cells: tuple[CellChange, ...] = ()
    if (run.folder / "notebooks" / name).is_file():
        before, after = read_notebook(edition / "notebooks" / name), read_notebook(run.folder / "notebooks" / name)
        cells = compare_outputs(before, after, tolerances.of_outputs)
    differs = failed != page.what or bool(fields) or any(c.how == "differs" for c in cells)
    state: State = comparison.state if comparison else "identical"
    if differs:
        state = "differs"
    elif state == "identical" and (cells or close):
        state = "equal within tolerance"
    return PageReplay(page.id, page.title, state, comparison, cells, fields, page.what, failed, outcome.seconds)


def _fields(before: Record, after: Record, tolerance: Tolerance) -> tuple[tuple[str, ...], bool]:
    """Other parts of the record that differ, and whether some are only equal within the tolerance."""
    old, new = before.model_dump(mode="json"), after.model_dump(mode="json")
    unequal = [name for name in old if name not in APART and old[name] != new[name]]
    beyond = tuple(name for name in unequal if not _holds(old[name], new[name], tolerance))
    return beyond, len(beyond) < len(unequal)


def _holds(before: Any, after: Any, tolerance: Tolerance) -> bool:
    if isinstance(before, dict) and isinstance(after, dict):
        return before.keys() == after.keys() and all(_holds(before[k], after[k], tolerance) for k in before)
    if isinstance(before, list) and isinstance(after, list):
        return len(before) == len(after) and all(_holds(a, b, tolerance) for a, b in zip(before, after, strict=True))
    if isinstance(before, float) and isinstance(after, float):
        return tolerance.holds(before, after)
    return bool(before == after)
