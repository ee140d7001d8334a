"""Write and accept challenges; an accepted one restates the numbers it is about, with credit."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, Any

from gazette.editions import Week
from gazette.errors import EditionError, WrongUseError
from gazette.params import Acceptance, Challenge
from gazette.record import Restatement, half_widths
from gazette.register._challenge_files import ACCEPTED, CHALLENGES, Challenged, challenge_problems
from gazette.register._files import create, one_line, sheet_text
from gazette.register._sheets import refuse

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date
    from pathlib import Path

    from gazette.editions import Store

__all__ = ["accept_challenge", "accepted_restatements", "load_challenges", "write_challenge"]


def load_challenges(root: Path) -> tuple[Challenged, ...]:
    """All challenges of a project.

    Raises:
        ParamsError: A file is wrong; every problem is listed with file and line.
    """
    rows, found = challenge_problems(root)
    refuse(found, "the challenges")
    return rows


def write_challenge(
    root: Path, content: Mapping[str, Any], *, by: str, because: str, on: date
) -> tuple[Challenge, Path]:
    """Write a challenge under the first name that is free.

    Args:
        root: The project.
        content: Keys of a challenge but for its id and who, when and why.
        by: Who challenges.
        because: Why.
        on: Today.

    Raises:
        WrongUseError: A text is empty or too long, or many challenges are written at once.
        ParamsError: A challenge that is there is malformed.
        EditionError: The disk refuses.
    """
    who, why = one_line(by, "--by"), one_line(because, "--because")
    taken = {c.challenge.id for c in load_challenges(root)}
    stem = f"{content['subject']}-{content['edition']}"
    name = next(n for n in (stem, *(f"{stem}-{i}" for i in range(2, len(taken) + 3))) if n not in taken)
    head = {k: content[k] for k in ("subject", "title", "edition", "edition_digest", "notebook_digest")}
    rest = {k: v for k, v in content.items() if k not in head and (v or k == "compared")}
    full = {"id": name, **head, "by": who, "written": on, "because": why, **rest}
    made = Challenge.model_validate(full)
    path = root / CHALLENGES / f"{name}.yml"
    text = sheet_text(full, "challenge", "../../")
    create(path, text, taken="another challenge was written meanwhile", mend="run the command again")
    return made, path


def accept_challenge(
    root: Path, store: Store, challenge: str, *, by: str, because: str, on: date
) -> tuple[Acceptance, Path]:
    """Accept a challenge as a second person, bound to its text.

    Raises:
        WrongUseError: No such challenge, the same person, or a second time.
        EditionError: The edition is gone, is another one, or the disk refuses.
    """
    who, why = one_line(by, "--by"), one_line(because, "--because")
    rows = {c.challenge.id: c for c in load_challenges(root)}
    if challenge not in rows:
        mend = f"challenges: {', '.join(rows) or 'none'}"
        raise WrongUseError(f"there is no challenge {challenge!r}", where=CHALLENGES, mend=mend)
    row = rows[challenge]
    if " ".join(who.split()).casefold() == " ".join(row.challenge.by.split()).casefold():
        raise WrongUseError(f"{row.challenge.by} wrote this challenge", mend="a second person accepts it")
    if row.acceptance is not None:
        raise WrongUseError(f"{row.acceptance.by} has accepted it already", mend="nothing is left to do")
    if not row.pairs:
        mend = "a restatement needs a number with the id of a published one"
        raise WrongUseError("the challenge has no number to restate", where=f"{CHALLENGES}/{challenge}.yml", mend=mend)
    if store.manifest(Week.parse(row.challenge.edition)).digest != row.challenge.edition_digest:
        raise EditionError(
            f"edition {row.challenge.edition} is not the one that was challenged",
            where=f"{CHALLENGES}/{challenge}.yml",
            mend="restore that edition, or challenge the one that is there",
        )
    content = {"challenge": challenge, "challenge_digest": row.digest, "by": who, "accepted": on, "because": why}
    accepted = Acceptance.model_validate(content)
    path = root / CHALLENGES / ACCEPTED / f"{challenge}.yml"
    text = sheet_text(content, "acceptance", "../../../")
    create(path, text, taken="somebody accepted it meanwhile", mend="nothing is left to do")
    return accepted, path


def accepted_restatements(root: Path) -> tuple[Restatement, ...]:
    """What accepted challenges restate, by challenge, in the order of their numbers.

    Raises:
        ParamsError: A challenge is malformed.
    """
    found: list[Restatement] = []
    for row in load_challenges(root):
        one, accepted = row.challenge, row.acceptance
        if accepted is None:
            continue
        flips = {f.metric: f for f in row.flips}
        found += [
            Restatement(
                edition=one.edition,
                page=one.subject,
                before=before,
                after=after,
                cause="challenge",
                detail=f"{one.because} Accepted by {accepted.by}: {accepted.because}",
                found_in=one.id,
                found_at=datetime.combine(accepted.accepted, time(), tzinfo=UTC).replace(tzinfo=None),
                flip=flips.get(before.metric),
                credit=one.by,
                size=half_widths(before, after),
            )
            for before, after in row.pairs
        ]
    return tuple(found)
