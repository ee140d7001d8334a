"""Challenges on disk: read them all, or say what is wrong with file and line."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from gazette.params import Acceptance, Challenge, Problem
from gazette.record import Flip, Number
from gazette.register._sheets import read_sheets

__all__ = ["ACCEPTED", "CHALLENGES", "Challenged", "challenge_problems"]

CHALLENGES, ACCEPTED = "reports/challenges", "accepted"


@dataclass(frozen=True)
class Challenged:
    """A challenge with what became of it.

    Attributes:
        challenge: As written.
        digest: SHA-256 of its file.
        pairs: Numbers that both sides have, as published and as found.
        flips: Verdicts that would be others.
        acceptance: Of this very text, None where nobody accepted it.
    """

    challenge: Challenge
    digest: str
    pairs: tuple[tuple[Number, Number], ...]
    flips: tuple[Flip, ...]
    acceptance: Acceptance | None = None


def challenge_problems(root: Path) -> tuple[tuple[Challenged, ...], list[Problem]]:
    """All challenges of a project by id, and everything wrong with their files."""
    folder = root / CHALLENGES
    found: list[Problem] = []
    challenges: dict[str, Challenged] = {}
    for name, path, one in read_sheets(root, folder, Challenge, found):
        if path.stem != one.id:
            mend = f"rename the file to {one.id}.yml"
            found.append(Problem(name, 1, "id", f"id {one.id!r} is not the file's name", mend))
        try:
            pairs = tuple(
                (Number.model_validate(n.published), Number.model_validate(n.found))
                for n in one.numbers
                if n.published is not None and n.found is not None
            )
            flips = tuple(Flip.model_validate(f) for f in one.flips)
        except ValidationError as error:
            what = f"a number or flip is malformed: {error.errors()[0]['msg']}"
            mend = "restore the file from git, or write the challenge anew"
            found.append(Problem(name, _line(path, "numbers:"), "numbers", what, mend))
            continue
        challenges[one.id] = Challenged(one, hashlib.sha256(path.read_bytes()).hexdigest(), pairs, flips)
    unread = {Path(p.file).stem for p in found}
    accepted: dict[str, Acceptance] = {}
    for name, path, one in read_sheets(root, folder / ACCEPTED, Acceptance, found):
        known = challenges.get(one.challenge)
        if path.stem != one.challenge:
            what, mend = f"it accepts {one.challenge!r}", f"rename the file to {one.challenge}.yml"
            found.append(Problem(name, 1, "challenge", f"{what}, which is not the file's name", mend))
        if known is None and one.challenge not in unread:
            what = f"there is no challenge {one.challenge!r}"
            found.append(Problem(name, 1, "challenge", what, "restore it from git, or remove this file"))
        elif known is not None and known.digest != one.challenge_digest:
            what = "the challenge was changed after it was accepted"
            mend = f"restore {CHALLENGES}/{one.challenge}.yml from git, or accept it anew"
            found.append(Problem(name, _line(path, "challenge_digest:"), "challenge_digest", what, mend))
        elif known is not None:
            accepted[one.challenge] = one
    rows = [
        Challenged(c.challenge, c.digest, c.pairs, c.flips, accepted.get(name))
        for name, c in sorted(challenges.items())
    ]
    return tuple(rows), sorted(found)


def _line(path: Path, key: str) -> int:
    lines = path.read_text(encoding="utf-8").splitlines()
    return next((i for i, line in enumerate(lines, 1) if line.startswith(key)), 1)
