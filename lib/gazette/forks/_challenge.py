"""Challenge published numbers with those of a fork: what differs in the asking, and what in the answers."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gazette.editions import Week, write_error
from gazette.errors import EditionError, NotebookError, WrongUseError
from gazette.forks._fork import pristine
from gazette.forks._notebook import cells_of, notebook_digest, parameters_of
from gazette.forks._open import read_card
from gazette.record import RECORD_MIME, Record, Tolerance, compare_records, joined
from gazette.register import write_challenge
from gazette.runs import Job, library_digest, run_all
from gazette.snapshot import scratch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import date

    from gazette.build import Project
    from gazette.editions import Manifest, Sealed
    from gazette.params import Challenge
    from gazette.record import Comparison, NumberChange
    from gazette.runs import Event

__all__ = ["Found", "challenge"]

SAME = Tolerance(absolute=1e-12, relative=1e-9)  # sums of floats may differ by so much between two machines
LONGEST = 20_000  # of a cell's text in a review
MAX_BYTES = 50_000_000


@dataclass(frozen=True)
class Found:
    """What a challenge found.

    Attributes:
        comparison: Published against found.
        content: Keys of the review.
        challenge: The review, None where there was nothing to write.
        path: Its file.
    """

    comparison: Comparison
    content: Mapping[str, Any]
    challenge: Challenge | None = None
    path: Path | None = None


def challenge(
    project: Project,
    place: Path,
    *,
    by: str,
    because: str,
    on: date,
    as_run: bool = False,
    keep: bool = False,
    progress: Callable[[Event], None] | None = None,
) -> Found:
    """Compare a fork's numbers with the published ones, and write a review where they differ.

    Args:
        project: The project whose edition was forked.
        place: The fork's folder, or its notebook.
        by: Who challenges.
        because: Why.
        on: Today.
        as_run: Take the numbers that the notebook holds; by default it is run.
        keep: Write the review even where all numbers are the same.
        progress: Told of each cell.

    Raises:
        WrongUseError: No fork, or one of another week, whose numbers have nothing to do with the published ones.
        EditionError: The edition is gone or is another one.
        NotebookError: The fork does not run, or emits no record.
    """
    folder = place.parent if place.suffix == ".ipynb" else place
    card = read_card(folder)
    path = place if place.suffix == ".ipynb" else folder / f"{card['subject']}.ipynb"
    week = Week.parse(card["edition"])
    manifest = _manifest(project, week, card)
    sealed = project.store.open(week)
    published = Record.from_json(sealed.read(f"records/{card['subject']}.json"))
    notebook = _notebook(path)
    _refuse_other_week(notebook, card)
    found = _record_in(notebook, path) if as_run else _run(project, folder, path, published, progress)
    if (found.subject, found.kind) != (published.subject, published.kind):
        raise NotebookError(
            f"the fork's record is of {found.subject!r}", where=str(path), mend=f"it must be of {published.subject!r}"
        )
    if found.edition != published.edition:
        raise WrongUseError(
            f"the fork's numbers are of {found.edition}, the published ones of {published.edition}",
            where=str(path),
            mend=f'set week = "{published.edition}" in its first cell and run it again',
        )
    comparison = compare_records(published, found, SAME)
    content = _content(folder, card, sealed, manifest, notebook, comparison, found, published)
    if not comparison.numbers and not comparison.verdicts and not keep:
        return Found(comparison, content)
    made, file = write_challenge(project.root, content, by=by, because=because, on=on)
    return Found(comparison, content, made, file)


def _manifest(project: Project, week: Week, card: Mapping[str, str]) -> Manifest:
    if not project.store.is_sealed(week):
        raise EditionError(
            f"edition {week}, which was forked, is gone",
            where=str(project.store.root),
            mend="restore it from a copy: numbers can only be challenged while the published ones are there",
        )
    manifest = project.store.manifest(week)
    if manifest.digest != card["edition_digest"]:
        raise EditionError(
            f"edition {week} is not the one that was forked",
            where=str(project.store.root),
            mend="restore that edition, or fork the one that is there",
        )
    return manifest


def _notebook(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ValueError(f"larger than {MAX_BYTES // 1_000_000} MB")
        content = json.loads(path.read_text(encoding="utf-8"))
        _ = [(c["cell_type"], c["source"]) for c in content["cells"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise NotebookError(
            f"the fork's notebook cannot be read: {error}", where=str(path), mend="save it again, or fork again"
        ) from error
    return dict(content)


def _refuse_other_week(notebook: Mapping[str, Any], card: Mapping[str, str]) -> None:
    """Before it is run: another week's numbers are no challenge to this one's."""
    week = parameters_of(notebook).get("week", "''").strip("'\"")
    if week not in {"", card["edition"]}:
        raise WrongUseError(
            f"the fork is of week {week}; numbers of {card['edition']} can only be challenged with that week's",
            where="the first cell",
            mend=f'set week = "{card["edition"]}"',
        )


def _record_in(notebook: Mapping[str, Any], path: Path) -> Record:
    outputs = [o for c in notebook["cells"] for o in c.get("outputs", []) if RECORD_MIME in o.get("data", {})]
    if len(outputs) != 1:
        what = f"the notebook holds {len(outputs)} records" if outputs else "the notebook holds no record"
        raise NotebookError(what, where=str(path), mend="run all its cells and save it, or leave --as-run out")
    content = outputs[0]["data"][RECORD_MIME]
    try:
        return Record.model_validate(content if isinstance(content, dict) else json.loads(joined(content)))
    except ValueError as error:
        raise NotebookError(f"its record is malformed: {error}", where=str(path), mend="run all cells again") from error


def _run(
    project: Project, folder: Path, path: Path, published: Record, progress: Callable[[Event], None] | None
) -> Record:
    """Run the notebook; the executed copy stays in the fork, beside the notebook itself."""
    with scratch() as place:
        output = place / "executed.ipynb"
        job = Job(
            page=published.subject,
            kind=published.kind,
            title=published.title,
            owner=published.owner,
            template=path.resolve(),
            parameters={},
            cwd=folder.resolve(),
            output=output,
            timeout=project.params.site.timeout_seconds,
            variables=tuple(project.params.site.notebook_variables),
        )
        outcome = run_all([job], workers=1, progress=progress)[0]
        if outcome.record is None:
            what = outcome.failure.what if outcome.failure else "it emitted no record"
            raise NotebookError(
                f"the fork did not run: {what}", where=str(path), mend="open it, run all cells and mend it"
            )
        try:
            (folder / f"{path.stem}.executed.ipynb").write_bytes(output.read_bytes())
        except OSError as error:
            raise write_error(error, folder, "run the command again; no review was written") from error
    return outcome.record


def _content(
    folder: Path,
    card: Mapping[str, str],
    sealed: Sealed,
    manifest: Manifest,
    notebook: Mapping[str, Any],
    comparison: Comparison,
    found: Record,
    published: Record,
) -> dict[str, Any]:
    original = json.loads(_original(card, sealed))
    was, now = parameters_of(original), parameters_of(notebook)
    library = manifest.versions.get("library", "")
    data = [*_data(folder / "edition", manifest)]
    if found.snapshot != published.snapshot:
        data.append(
            {
                "file": f"snapshot/{card['subject']}",
                "change": f"another snapshot: {found.snapshot[:16]}… for {published.snapshot[:16]}…",
            }
        )
    return {
        "subject": card["subject"],
        "title": published.title,
        "edition": card["edition"],
        "edition_digest": manifest.digest,
        "notebook_digest": notebook_digest(notebook),
        "parameters": [
            {"name": n, "published": was.get(n, ""), "fork": now.get(n, "")}
            for n in {**was, **now}
            if was.get(n) != now.get(n)
        ],
        "cells": [*_cells(cells_of(original), cells_of(notebook))],
        "data": data,
        "library": "" if library == library_digest() else f"{library_digest()} for {library}",
        "compared": comparison.compared,
        "numbers": [_number(n) for n in comparison.numbers],
        "flips": [f.model_dump(mode="json") for v in comparison.flips if (f := v.flip) is not None],
    }


def _original(card: Mapping[str, str], edition: Sealed) -> str:
    """The notebook as the fork was made, from the sealed files, whatever was done to the fork's copies."""
    sealed = edition.within("params", "notebooks")
    with scratch() as place:
        (place / "edition").mkdir()
        (place / "published").mkdir()
        (place / "edition" / "params").symlink_to((sealed / "params").resolve())
        (place / "published" / "notebook.ipynb").symlink_to(
            (sealed / "notebooks" / f"{card['subject']}.ipynb").resolve()
        )
        return pristine(place, card)


def _cells(was: Mapping[str, str], now: Mapping[str, str]) -> Iterator[dict[str, str]]:
    for name in dict.fromkeys([*was, *now]):
        if name == "parameters" or was.get(name) == now.get(name):
            continue
        change = "added" if name not in was else "removed" if name not in now else "changed"
        texts = {"published": was.get(name, "")[:LONGEST], "fork": now.get(name, "")[:LONGEST]}
        yield {"cell": name, "change": change, **{k: v for k, v in texts.items() if v}}
    common = [n for n in was if n in now]
    for one, other in zip(common, [n for n in now if n in was], strict=True):
        if one != other:
            yield {"cell": other, "change": "moved"}


def _data(folder: Path, manifest: Manifest) -> Iterator[dict[str, str]]:
    """Files of the fork's copy of the edition that are not the edition's."""
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        name = path.relative_to(folder).as_posix()
        if name not in manifest.files:
            yield {"file": name, "change": "added"}
        elif hashlib.sha256(path.read_bytes()).hexdigest() != manifest.files[name]:
            yield {"file": name, "change": "changed"}


def _number(change: NumberChange) -> dict[str, Any]:
    pair = {"published": change.before, "found": change.after}
    row: dict[str, Any] = {"id": change.id, "how": change.how}
    return row | {k: n.model_dump(mode="json", exclude_defaults=True) for k, n in pair.items() if n is not None}
