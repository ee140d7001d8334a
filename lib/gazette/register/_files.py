"""Decisions on disk: read them all or say what is wrong; write a new one whole or not at all."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from gazette.errors import EditionError, WrongUseError
from gazette.params import Decision, Problem, Score, SignOff
from gazette.register._challenge_files import challenge_problems
from gazette.register._sheets import read_sheets, refuse
from gazette.snapshot import part_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = [
    "FOLDER",
    "Entry",
    "Register",
    "create",
    "load_register",
    "one_line",
    "register_problems",
    "replace",
    "sheet_text",
]

FOLDER = "reports/decisions"
SCORES, SIGNED = "scores", "sign-offs"
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
LONGEST = 4000


@dataclass(frozen=True)
class Entry:
    """A decision with what belongs to it.

    Attributes:
        decision: As written.
        digest: SHA-256 of its file.
        sign_offs: Of it, oldest first.
        score: What came of it, where that was measured.
        superseded_by: Id of the decision that replaced it, or empty.
    """

    decision: Decision
    digest: str
    sign_offs: tuple[SignOff, ...] = ()
    score: Score | None = None
    superseded_by: str = ""


@dataclass(frozen=True)
class Register:
    """Every decision, newest edition first."""

    entries: tuple[Entry, ...] = ()

    def of(self, experiment: str) -> list[Entry]:
        """Decisions on an experiment that are in force, newest edition first."""
        return [e for e in self.entries if e.decision.experiment == experiment and not e.superseded_by]

    def entry(self, decision: str) -> Entry:
        """A decision by its id.

        Raises:
            WrongUseError: There is none.
        """
        for entry in self.entries:
            if entry.decision.id == decision:
                return entry
        known = ", ".join(e.decision.id for e in self.entries[:20]) or "none"
        raise WrongUseError(f"there is no decision {decision!r}", where=FOLDER, mend=f"decisions: {known}")


def register_problems(root: Path) -> tuple[Register, list[Problem]]:
    """All decisions, and everything wrong with their files, with file and line.

    Args:
        root: A folder with ``reports/decisions``: a project.
    """
    folder = root / FOLDER
    found: list[Problem] = []

    def read(place: Path, model: Any) -> dict[str, Any]:
        return {name: value for name, _, value in read_sheets(root, place, model, found)}

    decisions: dict[str, Decision] = read(folder, Decision)
    signed: dict[str, SignOff] = read(folder / SIGNED, SignOff)
    scores: dict[str, Score] = read(folder / SCORES, Score)
    found += _unlinked(decisions, {**signed, **scores}, {Path(p.file).stem for p in found})
    after = {d.supersedes.decision: d.id for d in decisions.values() if d.supersedes}
    entries = [
        Entry(
            one,
            hashlib.sha256((root / name).read_bytes()).hexdigest(),
            tuple(sorted((s for s in signed.values() if s.decision == one.id), key=lambda s: (s.signed, s.by))),
            next((s for s in scores.values() if s.decision == one.id), None),
            after.get(one.id, ""),
        )
        for name, one in decisions.items()
    ]
    entries.sort(key=lambda e: e.decision.id)
    entries.sort(key=lambda e: e.decision.edition, reverse=True)
    found += challenge_problems(root)[1]
    return Register(tuple(entries)), sorted(found)


def _unlinked(
    decisions: dict[str, Decision], others: dict[str, SignOff | Score], unread: set[str]
) -> Iterator[Problem]:
    """Files that do not fit together; what a malformed file would have held is not missed."""
    known = {d.id for d in decisions.values()} | unread
    for name, one in decisions.items():
        if Path(name).stem != one.id:
            yield Problem(name, 1, "id", f"id {one.id!r} is not the file's name", f"rename the file to {one.id}.yml")
        if one.supersedes and one.supersedes.decision not in known:
            what = f"it supersedes {one.supersedes.decision!r}, which is not there"
            yield Problem(name, 1, "supersedes", what, "restore that decision from git")
    for name, other in others.items():
        if other.decision not in known:
            what = f"there is no decision {other.decision!r}"
            yield Problem(name, 1, "decision", what, "restore it from git, or remove this file")


def load_register(root: Path) -> Register:
    """All decisions.

    Raises:
        ParamsError: A file is wrong; every problem is listed with file and line.
    """
    register, found = register_problems(root)
    refuse(found, "the register of decisions")
    return register


def one_line(text: str, what: str) -> str:
    """Text of a person for a file that people read: spaces tidied, nothing that a terminal would obey.

    Raises:
        WrongUseError: It is empty, or longer than a page.
    """
    tidy = CONTROL.sub("", " ".join(text.split()))
    if not tidy:
        raise WrongUseError(f"{what} is empty", mend=f"say something with {what}")
    if len(tidy) > LONGEST:
        raise WrongUseError(f"{what} has {len(tidy)} characters", mend=f"keep it below {LONGEST}; link to the rest")
    return tidy


def sheet_text(content: Mapping[str, Any], schema: str, up: str) -> str:
    """A YAML file for people: its schema for editors, then keys in their order."""
    body = yaml.safe_dump(dict(content), sort_keys=False, allow_unicode=True, width=110)
    return f"# yaml-language-server: $schema={up}params/schemas/{schema}.json\n{body}"


def create(path: Path, text: str, *, taken: str, mend: str) -> None:
    """Write a new file whole or not at all; of two at once, one is refused.

    Raises:
        WrongUseError: The file is there already.
        EditionError: The disk refuses.
    """
    if path.parent.exists() and not path.parent.is_dir():
        raise EditionError(
            "cannot write: there is a file where a folder should be", where=str(path.parent), mend="move that file away"
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part_of(path, text.encode()) as part:
            part.chmod(0o644)
            os.link(part, path)  # refuses where the name is taken, in one step
    except FileExistsError as error:
        raise WrongUseError(taken, where=str(path), mend=mend) from error
    except OSError as error:
        raise EditionError(
            f"cannot write: {error.strerror}",
            where=str(path),
            mend="free disk space or mend the rights; nothing was written",
        ) from error


def replace(path: Path, text: str) -> None:
    """Write a file that is there anew, whole or not at all.

    Raises:
        EditionError: The disk refuses.
    """
    try:
        with part_of(path, text.encode()) as part:
            part.chmod(path.stat().st_mode)
            part.replace(path)
    except OSError as error:
        raise EditionError(
            f"cannot write: {error.strerror}",
            where=str(path),
            mend="free disk space or mend the rights; the file is as it was",
        ) from error
