"""Compute subjects of sealed editions again: today's library, then corrected rows, then late rows, then today's definitions."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

from gazette.editions import copy_writable
from gazette.errors import GazetteError, SourceError
from gazette.params import load
from gazette.record import CAUSES, Record, canonical_json
from gazette.register import Log, Unread, logs_of
from gazette.replay import read_recorded, rerun
from gazette.restate._ask import ask, differing, gone, late_rows, sealed_answers
from gazette.restate._definitions import differences, sheet_of
from gazette.restate._rows import Step, rows_of
from gazette.runs import present_environment, versions
from gazette.snapshot import freeze, keep, kept, reopen
from gazette.sources import Period, Warehouse

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from gazette.editions import Store, Week
    from gazette.params import Params
    from gazette.record import Cause, Restatement
    from gazette.sources import Answer

__all__ = ["Now", "restate"]

PASSED_ON = (
    GazetteError,
    OSError,
    ValueError,
    KeyError,
)  # of an old edition's files: they are reported, and stop nothing


@dataclass(frozen=True)
class Now:
    """What earlier editions are computed on.

    Attributes:
        edition: The edition that is being built.
        period: Its clock for queries.
        params: Today's definitions.
        folder: The folder of the files that they were read from.
        project: The project's folder.
        scratch: Folder for copies; it is emptied.
        cache: Folder that remembers what came of the same inputs; it may be deleted at any time.
    """

    edition: str
    period: Period
    params: Params
    folder: Path
    project: Path
    scratch: Path
    cache: Path


@dataclass
class _Page:
    """A subject of an edition on its way from the sealed record to today's."""

    record: Record
    steps: list[Step] = field(default_factory=list)
    done: bool = False


def restate(store: Store, weeks: Sequence[Week], now: Now, say: Callable[[str], None]) -> Log:
    """Compute the subjects of these editions again and tell apart what moved their numbers.

    Nothing in an edition is written, and nothing of an old edition stops the build: what cannot be computed is named with its reason.

    Args:
        store: The sealed editions.
        weeks: Which of them.
        now: What they are computed on.
        say: Told of each stage.
    """
    since = [w for w in store.weeks() if weeks and min(weeks) < w and str(w) < now.edition]
    logs, faults = logs_of(store, since)
    known = [r for log in logs for r in log.restatements]
    unread = [Unread(edition=edition, why=error.what) for edition, error in faults]
    rows: list[Restatement] = []
    shutil.rmtree(now.scratch, ignore_errors=True)
    for week in sorted(weeks):
        say(f"Restating earlier editions: {week}")
        try:
            one = _Edition(store, week, now, say)
            one.run()
        except PASSED_ON as error:
            unread.append(Unread(edition=str(week), why=_why(error)))
            continue
        finally:
            shutil.rmtree(now.scratch, ignore_errors=True)
        unread += one.unread
        for page in one.pages.values():
            rows += rows_of(page.record, page.steps, known, found_in=now.edition, found_at=now.period.cutoff)
    return Log(edition=now.edition, restatements=tuple(rows), unread=tuple(unread))


def _why(error: Exception) -> str:
    """The reason without a path of this machine."""
    if isinstance(error, GazetteError):
        return error.what
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    return f"its files are not as this library expects them ({type(error).__name__})"


@dataclass(frozen=True)
class _Stage:
    """One cause for one page: what it would then be computed on."""

    cause: Cause
    detail: str
    answers: dict[str, Answer]


class _Edition:
    """One edition, computed again cause by cause."""

    def __init__(self, store: Store, week: Week, now: Now, say: Callable[[str], None]) -> None:
        sealed = store.open(week)
        self.folder, self.name, self.now, self.say = sealed.within(), str(week), now, say
        self.versions = sealed.manifest.versions
        self.params = load(self.folder / "params")
        clock = json.loads((self.folder / "edition.json").read_text(encoding="utf-8"))
        start = datetime.fromisoformat(clock["week_start"])
        cutoff = datetime.fromisoformat(clock["cutoff"])
        self.period = Period(start, cutoff, self.params.site.history_weeks)
        self.unread: list[Unread] = []
        self.pages: dict[str, _Page] = {}
        for record in sealed.records():
            if record.kind in {"model", "experiment"}:
                self.pages[record.subject] = _Page(record)

    def run(self) -> None:
        """Plan every page, then run each cause for all pages that it touches."""
        code = self._code()
        with Warehouse(self.now.params.site.warehouse, project=self.now.project) as warehouse:
            plans = {name: self._plan(warehouse, name, code) for name in self.pages}
        for cause in CAUSES:
            todo = {n: s for n, stages in plans.items() for s in stages if s.cause == cause and not self.pages[n].done}
            if todo:
                self.say(f"Restating earlier editions: {self.name}, {cause}")
                self._compute(cause, todo)

    def _refuse(self, page: str, why: str) -> None:
        self.unread.append(Unread(edition=self.name, page=page, why=why))

    def _code(self) -> str:
        """How what runs notebooks differs from what the edition was made with, in words; empty where it is the same."""
        mine, told = versions(), []
        if self.versions.get("library") != mine["library"]:
            pair = str(self.versions.get("library", "unknown"))[:12], mine["library"][:12]
            told.append(f"the library's source changed from {pair[0]} to {pair[1]}")
        if self.versions.get("environment") != mine["environment"]:
            told.append(f"the environment changed: {', '.join(self._packages()) or 'which packages is not known'}")
        return "; ".join(told)

    def _packages(self) -> list[str]:
        here = present_environment()
        then = read_recorded(self.folder, self.versions).environment
        if then is None:
            return []
        old = {"python": then.python, **then.packages}
        new = {"python": here.python, **here.packages}
        names = sorted(n for n in old.keys() | new.keys() if old.get(n) != new.get(n))
        return [f"{n} {old.get(n, 'none')} → {new.get(n, 'none')}" for n in names]

    def _plan(self, warehouse: Warehouse, name: str, code: str) -> list[_Stage]:
        """Causes that touch a page, in their order."""
        stages: list[_Stage] = []
        try:
            sealed = sealed_answers(reopen(self.folder / "snapshot" / name))
        except PASSED_ON as error:
            self._refuse(name, _why(error))
            return []
        current = sealed
        try:
            late = ask(warehouse, self.params, name, sealed, replace(self.period, cutoff=self.now.period.cutoff))
            if lost := gone(sealed, late):
                raise SourceError(lost)
            moved = differing(late, sealed)
            # what is as it was sealed with all that came since needs no second look
            old = {**late, **ask(warehouse, self.params, name, sealed, self.period, moved)} if moved else late
            others = differing(old, sealed)
        except PASSED_ON as error:
            self._refuse(name, _why(error))
            return [_Stage("changed code", code, sealed)] if code else []
        if code:
            # where the library asks otherwise than it did, other rows are the library's doing
            asked = [n for n in others if n not in sealed or old[n].sql != sealed[n].sql]
            current = {**current, **{n: old[n] for n in asked}}
            stages.append(_Stage("changed code", code, current))
            others = [n for n in others if n not in asked]
        if others:
            current = {**current, **{n: old[n] for n in others}}
            detail = f"rows that had arrived before the edition's cut-off are others now (queries: {', '.join(others)})"
            stages.append(_Stage("corrected source", detail, current))
        if came := differing(late, old):
            current = {**current, **{n: late[n] for n in came}}
            stages.append(_Stage("late data", self._late(old, late, came), current))
        return [*stages, *self._defined(warehouse, name, current)]

    def _late(self, old: dict[str, Answer], late: dict[str, Answer], names: list[str]) -> str:
        count = late_rows(old, late)
        rows = f"{count} rows" if count and count > 1 else "one row" if count else f"rows (queries: {', '.join(names)})"
        return f"{rows} arrived after the edition's cut-off of {self.period.cutoff:%Y-%m-%d %H:%M} UTC"

    def _defined(self, warehouse: Warehouse, name: str, current: dict[str, Answer]) -> list[_Stage]:
        """The stage of today's definitions, none where they are the same."""
        if sheet_of(self.now.params, name) is None:
            self._refuse(name, "it is no longer defined in params/, so today's definitions say nothing about it")
            return []
        told = differences(self.params, self.now.params, name, self.pages[name].record)
        if not told:
            return []
        try:
            period = replace(self.period, cutoff=self.now.period.cutoff, history_weeks=self.now.period.history_weeks)
            asked = ask(warehouse, self.now.params, name, current, period)
        except PASSED_ON as error:
            self._refuse(name, f"by today's definitions ({told}): {_why(error)}")
            return []
        return [_Stage("changed definition", told, {**current, **asked})]

    def _compute(self, cause: Cause, todo: dict[str, _Stage]) -> None:
        """Run the notebooks of these pages, but for those whose result on the same inputs is remembered."""
        shutil.rmtree(self.now.scratch, ignore_errors=True)
        frozen, work = self.now.scratch / "snapshot", self.now.scratch / "run"
        params = self.now.folder if cause == "changed definition" else self.folder / "params"
        copy_writable(self.folder / "snapshot", frozen)
        keys, found = {}, {}
        for name, stage in todo.items():
            shutil.rmtree(frozen / name)
            digest = freeze(name, list(stage.answers.values()), frozen / name).digest
            keys[name] = self.now.cache / f"{self._key(name, digest, params)}.json"
            if record := _remembered(keys[name], name):
                found[name] = record
        if left := [n for n in todo if n not in found]:
            settings = self.now.params.site
            again = rerun(
                self.folder,
                work,
                pages=left,
                params=params,
                snapshot=frozen,
                workers=settings.workers,
                timeout=settings.timeout_seconds,
            )
            for name, record in again.records.items():
                found[name] = record
                keep(keys[name], record.to_json().encode())
            for name, outcome in again.outcomes.items():
                if outcome.failure is not None:
                    self._refuse(name, f"its notebook fails today ({cause}): {outcome.failure.what}")
                    self.pages[name].done = True
        for name, record in found.items():
            self.pages[name].steps.append(Step(cause, todo[name].detail, record))

    def _key(self, page: str, snapshot: str, params: Path) -> str:
        total = hashlib.sha256(canonical_json([page, snapshot, versions()]).encode())
        files = [
            self.folder / "edition.json",
            self.folder / "notebooks" / f"{page}.ipynb",
            *sorted(params.rglob("*.y*ml")),
        ]
        for path in files:
            total.update(hashlib.sha256(path.read_bytes()).digest())
        return total.hexdigest()


def _remembered(path: Path, page: str) -> Record | None:
    content = kept(path)
    try:
        record = Record.from_json(content) if content is not None else None
    except ValueError:
        return None
    return record if record is not None and record.subject == page else None
