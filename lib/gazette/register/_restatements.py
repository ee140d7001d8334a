"""``restatements.json`` of an edition: what its build found to be otherwise in earlier editions; and all of them together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from gazette.editions import Week
from gazette.errors import EditionError
from gazette.record import CAUSES, Flip, Restatement, Turn, canonical_json, half_widths, side_of, standing
from gazette.register._bound import signed_as_it_stands

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from gazette.editions import Sealed, Store
    from gazette.record import Number
    from gazette.register._files import Register

__all__ = ["FILE", "Listed", "Log", "Moved", "Unread", "facts_of", "listed", "logs_of", "read_log", "tally"]

FILE = "restatements.json"
OF_LOADING = {"published", "readers"}  # known when the log is read, not when it was sealed


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Unread(_Part):
    """What could not be computed again, and why; ``page`` is empty where it is the whole edition."""

    edition: str
    page: str = ""
    why: str


class Log(_Part):
    """What one build found.

    Attributes:
        edition: The edition whose build it was.
        restatements: Numbers that moved since they were published or last restated.
        unread: What could not be computed again.
    """

    schema_version: Literal["gazette.restatements/1"] = "gazette.restatements/1"
    edition: str
    restatements: tuple[Restatement, ...] = ()
    unread: tuple[Unread, ...] = ()

    def to_json(self) -> str:
        """Canonical JSON, the same bytes for the same log."""
        content = self.model_dump(mode="json")
        content["restatements"] = [
            {k: v for k, v in row.items() if k not in OF_LOADING} for row in content["restatements"]
        ]
        return canonical_json(content)

    def write(self, folder: Path) -> None:
        """Put it where `read_log` finds it."""
        (folder / FILE).write_text(self.to_json(), encoding="utf-8")


def read_log(sealed: Sealed) -> Log | None:
    """The log of a sealed edition, None where it has none: it was built before there were any, or without.

    Raises:
        EditionError: It cannot be read, was altered, is malformed, or is another edition's.
    """
    if not sealed.has(FILE):
        return None
    edition = sealed.manifest.edition
    try:
        log = Log.model_validate_json(sealed.read(FILE))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise _unreadable(edition, f"{place}: {first['msg']}" if place else first["msg"]) from error
    if log.edition != edition:
        raise _unreadable(edition, f"it is of edition {log.edition}")
    return log


def _unreadable(edition: str, why: str) -> EditionError:
    return EditionError(
        f"the log of restatements cannot be read: {why}",
        where=f"{edition}/{FILE}",
        mend="restore the edition from a copy; 'gazette verify' says what changed",
    )


def logs_of(store: Store, weeks: Iterable[Week] | None = None) -> tuple[list[Log], list[tuple[str, EditionError]]]:
    """Logs of sealed editions, oldest first, and what is wrong with those that cannot be read, by edition."""
    logs, faults = [], []
    for week in sorted(weeks) if weeks is not None else store.weeks():
        try:
            log = read_log(store.open(week))
        except EditionError as error:
            faults.append((str(week), error))
            continue
        if log is not None:
            logs.append(log)
    return logs, faults


def facts_of(folder: Path) -> list[list[Any]]:
    """What a manifest says of the edition's log, so that notices on old pages need no log: a row for each restatement.

    A row is edition, page, number's id, the flip as state and action before and after or nothing, and, where there are some, the
    turns as what turned (``range`` or a sentence), how it was and how it is.
    """
    path = folder / FILE
    if not path.is_file():
        return []
    return [_fact(r) for r in Log.model_validate_json(path.read_bytes()).restatements]


def _fact(r: Restatement) -> list[Any]:
    flip = r.flip and [r.flip.state_before, r.flip.action_before, r.flip.state_after, r.flip.action_after]
    sides = side_of(r.before), side_of(r.after)
    turns: list[list[Any]] = [["range", *sides]] if None not in sides and sides[0] != sides[1] else []
    turns += [[t.finding, [t.rule_before, t.tone_before], [t.rule_after, t.tone_after]] for t in r.turns]
    return [r.edition, r.page, r.before.id, flip, *([turns] if turns else [])]


def tally(store: Store, accepted: Sequence[Restatement] = ()) -> dict[str, dict[str, Any]]:
    """How many numbers were restated, how many verdicts turned, and how many numbers' ranges or sentences.

    By edition, in ``whole`` and for each of its ``pages``.

    Read from manifests alone. A manifest that cannot be read is passed over: 'gazette verify' names it.
    """
    rows: list[list[Any]] = []
    for week in store.weeks():
        try:
            rows += store.manifest(week).facts.get("restated", ())
        except EditionError:
            continue
    rows += map(_fact, accepted)
    turned: dict[tuple[str, str, str], list[list[str]]] = {}
    ways: dict[tuple[str, str, str], dict[str, list[Any]]] = {}
    for edition, page, number, flip, *more in rows:
        turned.setdefault((edition, page, number), []).extend([flip] if flip else [])
        for what, was, now in more[0] if more else ():
            way = ways.setdefault((edition, page, number), {}).setdefault(what, [was, now])
            way[1] = now
    found: dict[str, dict[str, Any]] = {}
    for (edition, page, number), flips in turned.items():
        one = found.setdefault(edition, {"whole": {"numbers": 0, "flips": 0, "turns": 0}, "pages": {}})
        for counts in (one["whole"], one["pages"].setdefault(page, {"numbers": 0, "flips": 0, "turns": 0})):
            counts["turns"] += any(was != now for was, now in ways.get((edition, page, number), {}).values())
            counts["numbers"] += 1
            counts["flips"] += bool(flips) and flips[0][:2] != flips[-1][2:]
    return found


@dataclass(frozen=True)
class Moved:
    """One published number and all that restated it, oldest first."""

    steps: tuple[Restatement, ...]

    @property
    def edition(self) -> str:
        """The edition that published it."""
        return self.steps[0].edition

    @property
    def page(self) -> str:
        """Its subject."""
        return self.steps[0].page

    @property
    def before(self) -> Number:
        """As published."""
        return self.steps[0].before

    @property
    def after(self) -> Number:
        """As it is now."""
        return self.steps[-1].after

    @property
    def flip(self) -> Flip | None:
        """The verdict as published and as it would be now; None where it is the same."""
        found = [s.flip for s in self.steps if s.flip is not None]
        if not found:
            return None
        old, new = found[0], found[-1]
        if (old.state_before, old.action_before) == (new.state_after, new.action_after):
            return None  # it turned, and turned back
        return Flip(
            metric=new.metric,
            state_before=old.state_before,
            state_after=new.state_after,
            action_before=old.action_before,
            action_after=new.action_after,
        )

    @property
    def crossed(self) -> tuple[int, int] | None:
        """Where its range lay and where it lies (1 above nought, -1 below, 0 about it); None where that is the same."""
        was, now = side_of(self.before), side_of(self.after)
        return None if was is None or now is None or was == now else (was, now)

    @property
    def turns(self) -> tuple[Turn, ...]:
        """Sentences on it that would be said otherwise today."""
        return standing(t for s in self.steps for t in s.turns)

    @property
    def turned(self) -> bool:
        """Whether a reader would be told another direction: by the verdict, the range or a sentence."""
        return self.flip is not None or self.crossed is not None or bool(self.turns)

    @property
    def size(self) -> float | None:
        """The whole difference in half-widths of the published interval; None where there is none."""
        return half_widths(self.before, self.after)

    @property
    def readers(self) -> tuple[str, ...]:
        """Who is known to have relied on the published number."""
        return tuple(dict.fromkeys(name for s in self.steps for name in s.readers))


@dataclass(frozen=True)
class Listed:
    """Restatements of all editions.

    Attributes:
        moved: By number: verdicts that turned first, then ranges and sentences that did, then what moved most for its interval, then newer editions first.
        unread: What the newest log could not compute again.
        faults: Logs that cannot be read, in words.
    """

    moved: tuple[Moved, ...]
    unread: tuple[Unread, ...]
    faults: tuple[str, ...]


def listed(
    store: Store, register: Register, accepted: Sequence[Restatement] = (), *, newest: int | None = None
) -> Listed:
    """Restatements, with who relied on the old value as far as the register knows.

    Args:
        store: The sealed editions.
        register: Decisions and sign-offs.
        accepted: Challenges that were accepted.
        newest: How many of the newest editions' numbers to list, by default all. What restated an edition is always newer than
            it, so no older log need be read; challenges are listed whatever they are of.
    """
    all_weeks = store.weeks()
    chosen = all_weeks if newest is None else all_weeks[-newest:]
    logs, faults = logs_of(store, chosen)
    listing = {str(w) for w in chosen}
    found = [*(r for log in logs for r in log.restatements if newest is None or r.edition in listing), *accepted]
    weeks, digests = {str(w) for w in all_weeks}, {}
    for edition in sorted({r.edition for r in found} & weeks):
        try:
            digests[edition] = store.manifest(Week.parse(edition)).digest
        except EditionError:
            continue  # 'gazette verify' says what is wrong with it; nothing can be bound to it
    groups: dict[tuple[str, str, str], list[Restatement]] = {}
    for row in sorted(found, key=lambda r: (r.found_at, r.found_in, CAUSES.index(r.cause))):
        names = tuple(_readers(row, register, digests))
        seen = row.edition in weeks and store.is_published(Week.parse(row.edition))
        filled = row.model_copy(update={"readers": names, "published": seen})
        groups.setdefault((row.edition, row.page, row.before.id), []).append(filled)
    return Listed(_rank(groups.values()), logs[-1].unread if logs else (), tuple(str(f) for _, f in faults))


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


def _rank(groups: Iterable[list[Restatement]]) -> tuple[Moved, ...]:
    rows = sorted((Moved(tuple(g)) for g in groups), key=lambda m: (m.page, m.before.id))
    rows.sort(key=lambda m: m.edition, reverse=True)
    return tuple(sorted(rows, key=lambda m: (m.flip is None, not m.turned, -(m.size or 0.0))))
