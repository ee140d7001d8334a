"""Run the notebooks of a sealed edition once more, in a scratch copy: their own cells, parameters and frozen data."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

from pydantic import ValidationError

from gazette.editions import copy_writable, write_error
from gazette.errors import EditionError, WrongUseError
from gazette.params import SiteParams, read_sheet
from gazette.record import Kind, Record
from gazette.runs import Job, run_all

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

    from gazette.runs import Event, Interpreter, Outcome

__all__ = ["Page", "Rerun", "pages_of", "rerun"]

STAGES: tuple[frozenset[str], ...] = (
    frozenset({"model", "experiment"}),
    frozenset({"operations"}),
    frozenset({"reconciliation"}),
    frozenset({"translation"}),
    frozenset({"portfolio"}),
    frozenset({"summary"}),
)  # as build runs them: each reads the records of those before it
LEFT_OUT = {"site", "notebooks", "records", "failures", "environment", "manifest.json", "manifest.sig"}
KINDS = set(get_args(Kind))


@dataclass(frozen=True)
class Page:
    """A page that an edition ran a notebook for.

    Attributes:
        id, kind, title, owner: As its record, or its failure, says.
        record: What it found, None where the notebook failed.
        what: Why it failed, empty where it did not.
    """

    id: str
    kind: Kind
    title: str
    owner: str
    record: Record | None
    what: str = ""


@dataclass(frozen=True)
class Rerun:
    """What came of running notebooks again.

    Attributes:
        folder: The scratch copy: ``notebooks/`` as executed now, ``records/``, ``failures/``.
        outcomes: By page, in the order in which they ran.
    """

    folder: Path
    outcomes: dict[str, Outcome]

    @property
    def records(self) -> dict[str, Record]:
        """What pages found this time; one whose notebook failed is not there."""
        return {page: o.record for page, o in self.outcomes.items() if o.record is not None}


def pages_of(edition: Path) -> dict[str, Page]:
    """Pages of an edition, in the order in which a build runs them.

    Raises:
        EditionError: A record or a failure of it cannot be read.
    """
    found = []
    for path in sorted((edition / "records").glob("*.json")):
        try:
            record = Record.from_json(path.read_bytes())
        except (OSError, ValidationError) as error:
            raise _unreadable(path, error) from error
        found.append(Page(record.subject, record.kind, record.title, record.owner, record))
    for path in sorted((edition / "failures").glob("*.json")):
        try:
            content = json.loads(path.read_bytes())
            if content["kind"] not in KINDS:
                raise ValueError(f"it has no kind {content['kind']!r}")
            names = (content["page"], content["kind"], content["title"], content["owner"])
            found.append(Page(*names, record=None, what=content["what"]))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise _unreadable(path, error) from error
    stage = {kind: number for number, kinds in enumerate(STAGES) for kind in kinds}
    return {page.id: page for page in sorted(found, key=lambda p: (stage[p.kind], p.id))}


def _unreadable(path: Path, error: Exception) -> EditionError:
    return EditionError(
        f"it cannot be read: {error}",
        where=str(path),
        mend="restore the edition from a copy; 'gazette verify' says what changed",
    )


def rerun(
    edition: Path,
    work: Path,
    *,
    pages: Collection[str] = (),
    params: Path | None = None,
    snapshot: Path | None = None,
    workers: int = 2,
    timeout: float = 600,
    interpreter: Interpreter | None = None,
    progress: Callable[[Event], None] | None = None,
) -> Rerun:
    """Run notebooks of a sealed edition again: their own cells and parameters, not today's templates.

    Nothing in the edition's folder is written. Pages that read the records of others read those that were made now; where only
    some pages run, the sealed records of the others stand in.

    Args:
        edition: Folder of the sealed edition.
        work: Folder for the scratch copy; it must not exist, and the caller removes it.
        pages: Ids of those to run; by default all.
        params: Another ``params/`` to run them on, for example today's; by default the edition's own.
        snapshot: Another ``snapshot/``; by default the edition's own.
        workers: How many notebooks run at once.
        timeout: Seconds for one notebook.
        interpreter: What runs them; by default this Python and the library that is running.
        progress: Told of each cell, from any thread.

    Raises:
        WrongUseError: The edition has no such page.
        EditionError: The edition cannot be read, or the scratch copy cannot be written.
        NotebookError: A notebook of the edition cannot be read.
    """
    known = pages_of(edition)
    if unknown := [p for p in pages if p not in known]:
        raise WrongUseError(
            f"edition {edition.name} has no page {unknown[0]!r}", mend=f"it has: {', '.join(known) or 'none'}"
        )
    chosen = set(pages) or set(known)
    try:
        _lay_out(edition, work, params or edition / "params", snapshot or edition / "snapshot")
    except OSError as error:
        raise _refused(error, work) from error
    outcomes: dict[str, Outcome] = {}
    for kinds in STAGES:
        ran = (p for p in known.values() if p.kind in kinds and p.id in chosen)
        jobs = [
            j for j in (_job(edition, work, p, timeout) for p in ran) if j.template.is_file()
        ]  # none where data were not read
        done = run_all(jobs, workers=workers, interpreter=interpreter, progress=progress) if jobs else []
        outcomes |= {o.page: o for o in done}
        try:
            for page in (p for p in known.values() if p.kind in kinds):
                _keep(edition, work, page, outcomes.get(page.id))
        except OSError as error:
            raise _refused(error, work) from error
    return Rerun(work, outcomes)


def _refused(error: OSError, work: Path) -> EditionError:
    """A disk's refusal; nothing of the edition was touched."""
    found = write_error(error, work)
    return EditionError(
        found.what,
        where=found.where,
        mend="free disk space or mend the rights, then run it again; the edition is as it was",
    )


def _lay_out(edition: Path, work: Path, params: Path, snapshot: Path) -> None:
    work.mkdir(parents=True)
    for path in sorted(edition.iterdir()):
        if path.name in LEFT_OUT | {"params", "snapshot"}:
            continue
        if path.is_dir():
            copy_writable(path, work / path.name)
        else:
            shutil.copyfile(path, work / path.name)
    copy_writable(params, work / "params")
    copy_writable(snapshot, work / "snapshot")
    for name in ("notebooks", "records", "failures"):
        (work / name).mkdir()


def _job(edition: Path, work: Path, page: Page, timeout: float) -> Job:
    site, _ = read_sheet(work / "params" / "site.yml", "site.yml", SiteParams)
    return Job(
        page=page.id,
        kind=page.kind,
        title=page.title,
        owner=page.owner,
        template=edition / "notebooks" / f"{page.id}.ipynb",
        parameters={},  # the executed notebook holds them in a cell of its own
        cwd=work,
        output=work / "notebooks" / f"{page.id}.ipynb",
        timeout=timeout,
        variables=tuple(site.notebook_variables) if site is not None else (),
    )


def _keep(edition: Path, work: Path, page: Page, outcome: Outcome | None) -> None:
    """Put the page's record, or its failure, where later pages read it."""
    if outcome is None:
        for folder in ("records", "failures"):
            if (sealed := edition / folder / f"{page.id}.json").is_file():
                shutil.copyfile(sealed, work / folder / f"{page.id}.json")
    elif outcome.record is not None:
        (work / "records" / f"{page.id}.json").write_text(outcome.record.to_json(), encoding="utf-8")
    elif outcome.failure is not None:
        (work / "failures" / f"{page.id}.json").write_text(outcome.failure.to_json(), encoding="utf-8")
