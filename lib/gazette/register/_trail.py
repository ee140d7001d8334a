"""The trail of a project: who changed a definition or a setting, decided, signed, challenged and remarked, and what was published.

Nothing is written for it: it is read from the files that already say so, each of which is bound to what it speaks of or kept in git.
"""

from __future__ import annotations

import subprocess
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Literal, get_args

from gazette.errors import EditionError
from gazette.register._challenges import load_challenges
from gazette.register._files import FOLDER, SCORES, SIGNED, load_register
from gazette.register._replays import load_replays
from gazette.register._restatements import logs_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from gazette.editions import Store
    from gazette.params import Changelog, Params

__all__ = ["KINDS", "Event", "Trail", "trail"]

Kind = Literal[
    "published", "sealed", "restated", "definition", "settings", "decision", "sign-off", "score", "challenge", "accepted", "remark", "replayed"
]  # fmt: skip
KINDS: tuple[Kind, ...] = get_args(Kind)
SEPARATOR = "\x1f"


@dataclass(frozen=True)
class Event:
    """Something that was done.

    Attributes:
        day: When, as the file says it; of restatements, the cut-off of the edition that found them; of an edition, the time of its
            file on this machine (UTC).
        kind: One of `KINDS`.
        who: Who did it; of an edition, who signed it, empty where nobody is named.
        about: Edition, metric, decision, challenge or subject.
        what: In a sentence.
        where: The file that says so, or the commit.
        digest: What it is bound to: of an edition its manifest, of a sign-off the decision's file; empty where there is none.
    """

    day: date
    kind: Kind
    who: str
    about: str
    what: str
    where: str
    digest: str = ""


@dataclass(frozen=True)
class Trail:
    """What was done, oldest first, and what could not be read, in words."""

    events: tuple[Event, ...]
    missing: tuple[str, ...] = ()


def trail(root: Path, store: Store, params: Params) -> Trail:
    """Everything that files, editions and git say was done in a project.

    Args:
        root: The project.
        store: Its sealed editions.
        params: Its parameters.

    Raises:
        ParamsError: A file of the register is malformed.
    """
    missing: list[str] = []
    found = [
        *_published(store, missing),
        *_restated(store, missing),
        *_definitions(params),
        *_settings(root, missing),
        *_decided(root),
        *_challenged(root),
        *_replayed(root, store),
        *(
            Event(a.dated, "remark", a.author, a.number or a.subject, a.text, "params/annotations.yml")
            for a in params.annotations
        ),
    ]
    return Trail(tuple(sorted(found, key=lambda e: (e.day, KINDS.index(e.kind), e.about, e.who))), tuple(missing))


def _published(store: Store, missing: list[str]) -> Iterator[Event]:
    for week in store.weeks():
        try:
            manifest = store.manifest(week)
        except EditionError as error:
            missing.append(str(error))
            continue
        seen, place = store.is_published(week), store.trace(week)
        day = datetime.fromtimestamp(place.stat().st_mtime, UTC).date()
        signer = f"key {manifest.signer[:16]}…" if manifest.signer else ""
        what = str(manifest.facts.get("headline", ""))
        name = place.relative_to(store.root).as_posix()
        yield Event(
            day,
            "published" if seen else "sealed",
            signer,
            str(week),
            what,
            f"{store.root.name}/{name}",
            manifest.digest,
        )


def _restated(store: Store, missing: list[str]) -> Iterator[Event]:
    logs, faults = logs_of(store)
    missing += [str(error) for _, error in faults]
    for log in logs:
        groups: dict[tuple[date, str, str, str], list[bool]] = {}
        for r in log.restatements:
            groups.setdefault((r.found_at.date(), f"{r.edition} {r.page}", r.cause, r.detail), []).append(
                r.flip is not None
            )
        for (day, about, cause, detail), flips in groups.items():
            turned = f", {sum(flips)} verdicts turned" if any(flips) else ""
            what = f"{len(flips)} numbers{turned}: {cause}: {detail}"
            yield Event(day, "restated", "", about, what, f"{store.root.name}/{log.edition}/restatements.json")


def _definitions(params: Params) -> Iterator[Event]:
    sheets: list[tuple[str, str, Sequence[Changelog]]] = [
        *(("metrics.yml", name, metric.changelog) for name, metric in params.metrics.items()),
        *(("translations.yml", row.id, row.changelog) for row in params.translations),
    ]
    for file, name, changelog in sheets:
        for entry in changelog:
            what = f"version {entry.version}: {entry.change}"
            yield Event(entry.date, "definition", entry.author, name, what, f"params/{file}")


def _settings(root: Path, missing: list[str]) -> Iterator[Event]:
    """Commits that touched ``params/``; the subject line alone, as the whole change stands in git."""
    command = ["git", "--no-optional-locks", "-C", str(root), "log", "--no-show-signature", "--cc", "--name-only", "-z"]
    command += [f"--format={SEPARATOR}%H{SEPARATOR}%at{SEPARATOR}%an{SEPARATOR}%s", "--", "params"]
    try:
        done = subprocess.run(command, capture_output=True, timeout=120, check=False)  # noqa: S603  git by name, no shell
    except (OSError, subprocess.TimeoutExpired) as error:
        missing.append(f"changes of settings: git did not answer ({error})")
        return
    if done.returncode:
        first = done.stderr.decode(errors="replace").strip().splitlines()
        missing.append(f"changes of settings: {root} has no history in git ({first[0] if first else 'git failed'})")
        return
    parts = done.stdout.decode(errors="replace").split(SEPARATOR)[1:]
    for commit, seconds, who, rest in zip(parts[::4], parts[1::4], parts[2::4], parts[3::4], strict=True):
        subject, *names = [n.strip() for n in rest.split("\0")]
        files = sorted(n for n in names if n)
        if not files:
            continue  # a merge that only joined what other commits changed
        day = datetime.fromtimestamp(int(seconds), UTC).date()
        about = files[0] if len(files) == 1 else f"{len(files)} files of params/"
        yield Event(day, "settings", who, about, subject, f"commit {commit[:12]}", commit)


def _decided(root: Path) -> Iterator[Event]:
    for entry in load_register(root).entries:
        d = entry.decision
        against = " against the advice" if d.override else ""
        what = f"{d.decision}{against} (advice: {d.recommendation.action}): {d.because}"
        yield Event(d.decided, "decision", d.by, d.id, what, f"{FOLDER}/{d.id}.yml", d.edition_digest)
        for s in entry.sign_offs:
            holds = "signed" if s.decision_digest == entry.digest else "signed another text than the one that is there"
            what = f"{holds}: {s.note}" if s.note else holds
            yield Event(s.signed, "sign-off", s.by, d.id, what, f"{FOLDER}/{SIGNED}/", s.decision_digest)
        if entry.score is not None:
            for r in entry.score.realised:
                what = f"measured {r.metric}, from {r.source}"
                yield Event(r.measured, "score", entry.score.by, d.id, what, f"{FOLDER}/{SCORES}/")


def _challenged(root: Path) -> Iterator[Event]:
    for row in load_challenges(root):
        c, place = row.challenge, f"reports/challenges/{row.challenge.id}.yml"
        yield Event(c.written, "challenge", c.by, c.id, c.because, place, c.edition_digest)
        if row.acceptance is not None:
            a = row.acceptance
            yield Event(
                a.accepted, "accepted", a.by, c.id, a.because, f"reports/challenges/accepted/{c.id}.yml", row.digest
            )


def _replayed(root: Path, store: Store) -> Iterator[Event]:
    digests: dict[str, str] = {}
    for week in store.weeks():
        with suppress(EditionError):  # which `_published` has named
            digests[str(week)] = store.manifest(week).digest
    for name, one in load_replays(root):
        part = "" if one.whole else f" ({one.pages} of {one.of_pages} pages)"
        what = (
            f"{one.outcome}{part}: {one.reason}"
            if one.reason
            else f"{one.outcome}{part}: {one.numbers} numbers compared"
        )
        if digests.get(one.edition) != one.edition_digest:
            what += "; not of the edition that is there"
        yield Event(one.replayed, "replayed", one.by, one.edition, what, name, one.edition_digest)
