"""``restatements.json`` of an edition: what its build found to be otherwise in earlier editions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from gazette.editions import Week
from gazette.errors import EditionError
from gazette.record import Restatement, canonical_json
from gazette.register import signed_as_it_stands

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from gazette.editions import Store
    from gazette.register import Register

__all__ = ["FILE", "Listed", "Log", "Seen", "Unread", "listed", "logs_of", "rank", "read_log"]

FILE = "restatements.json"
OF_LOADING = {"published", "readers"}  # known when the log is read, not when it was sealed


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Unread(_Part):
    """What could not be recomputed, and why; ``page`` is empty where it is the whole edition."""

    edition: str
    page: str = ""
    why: str


class Seen(_Part):
    """A page as it was last recomputed: the digest of all that went into it, so that the same is not computed again."""

    edition: str
    page: str
    inputs: str


class Log(_Part):
    """What one build found.

    Attributes:
        edition: The edition whose build it was.
        restatements: Numbers that moved since they were last published or restated.
        unread: What could not be recomputed.
        seen: The state of every page that was looked at.
    """

    schema_version: Literal["gazette.restatements/1"] = "gazette.restatements/1"
    edition: str
    restatements: tuple[Restatement, ...] = ()
    unread: tuple[Unread, ...] = ()
    seen: tuple[Seen, ...] = ()

    def to_json(self) -> str:
        """Canonical JSON, the same bytes for the same log."""
        content = self.model_dump(mode="json")
        content["restatements"] = [
            {k: v for k, v in row.items() if k not in OF_LOADING} for row in content["restatements"]
        ]
        return canonical_json(content)


def read_log(folder: Path) -> Log | None:
    """The log of the edition in this folder, None where it has none: it was built before there were any, or without.

    Raises:
        EditionError: It cannot be read, is malformed, or is another edition's.
    """
    path = folder / FILE
    if not path.is_file():
        return None
    try:
        log = Log.model_validate_json(path.read_bytes())
    except OSError as error:
        raise _unreadable(path, error.strerror or str(error)) from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise _unreadable(path, f"{place}: {first['msg']}" if place else first["msg"]) from error
    if log.edition != folder.name:
        raise _unreadable(path, f"it is of edition {log.edition}")
    return log


def _unreadable(path: Path, why: str) -> EditionError:
    return EditionError(
        f"the log of restatements cannot be read: {why}",
        where=str(path),
        mend="restore the edition from a copy; 'gazette verify' says what changed",
    )


@dataclass(frozen=True)
class Listed:
    """Restatements of all editions.

    Attributes:
        restatements: Verdict flips first, then the newest find, then what moved most for its interval.
        unread: What could not be recomputed, newest find first, with the edition whose build said so.
        faults: Logs that cannot be read, in words.
    """

    restatements: tuple[Restatement, ...]
    unread: tuple[tuple[str, Unread], ...]
    faults: tuple[str, ...]


def logs_of(store: Store, weeks: Iterable[Week] | None = None) -> tuple[list[Log], list[EditionError]]:
    """Logs of sealed editions, oldest first, and what is wrong with those that cannot be read."""
    logs, faults = [], []
    for week in sorted(weeks) if weeks is not None else store.weeks():
        try:
            log = read_log(store.path(week))
        except EditionError as error:
            faults.append(error)
            continue
        if log is not None:
            logs.append(log)
    return logs, faults


def listed(store: Store, register: Register, accepted: Sequence[Restatement] = ()) -> Listed:
    """Every restatement, with who relied on the old value as far as the register knows.

    Args:
        store: The sealed editions.
        register: Decisions and sign-offs.
        accepted: Challenges that were accepted.
    """
    logs, faults = logs_of(store)
    found = [*(r for log in logs for r in log.restatements), *accepted]
    weeks, digests = {str(w) for w in store.weeks()}, {}
    for edition in sorted({r.edition for r in found} & weeks):
        try:
            digests[edition] = store.manifest(Week.parse(edition)).digest
        except EditionError:
            continue  # 'gazette verify' says what is wrong with it; nothing can be bound to it
    published = {e for e in {r.edition for r in found} & weeks if store.is_published(Week.parse(e))}
    filled = [
        r.model_copy(
            update={
                "readers": tuple(dict.fromkeys((*r.readers, *_readers(r, register, digests)))),
                "published": r.edition in published,
            }
        )
        for r in found
    ]
    unread = [(log.edition, u) for log in reversed(logs) for u in log.unread]
    return Listed(tuple(rank(filled)), tuple(unread), tuple(str(f) for f in faults))


def _readers(restatement: Restatement, register: Register, digests: dict[str, str]) -> list[str]:
    """Who decided or signed on the edition's word about this page."""
    bound = digests.get(restatement.edition)
    names = []
    for entry in register.entries:
        mine = entry.decision
        if mine.experiment != restatement.page or bound is None or mine.edition_digest != bound:
            continue
        names.append(f"{mine.by} (decided: {mine.decision.replace('-', ' ')})")
        names += [f"{s.by} (signed that off)" for s in signed_as_it_stands(entry)]
    return names


def rank(found: Iterable[Restatement]) -> list[Restatement]:
    """Verdict flips first; then the newest find; then firm figures before provisional ones, and what moved most."""
    rows = sorted(found, key=lambda r: (r.edition, r.page, r.before.id))
    rows.sort(key=lambda r: (r.provisional, -(r.size or 0.0)))
    rows.sort(key=lambda r: (r.found_at, r.found_in), reverse=True)
    return sorted(rows, key=lambda r: r.flip is None)
