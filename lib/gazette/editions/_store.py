"""Editions on disk: staged, checked, sealed by a rename, chained by their manifests."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gazette.editions import verifier
from gazette.editions._disk import is_read_only, make_read_only, remove, turn_quarto_aside
from gazette.editions._leaks import refuse_leaks
from gazette.editions._sealed import Sealed
from gazette.editions._week import Week
from gazette.editions.verifier import Problem
from gazette.errors import EditionError, WrongUseError, disk_is_full
from gazette.record import canonical_json

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from gazette.editions._keys import Signer

__all__ = ["Manifest", "Store", "write_error"]

SCHEMA, NAME, SIGNATURE = verifier.SCHEMA, verifier.MANIFEST, verifier.SIGNATURE


@dataclass(frozen=True)
class Manifest:
    """What made an edition.

    Attributes:
        edition: Its week.
        digest: SHA-256 of the manifest without this field.
        previous: Week and digest of the edition before it, None for the first.
        files: Relative path to SHA-256.
        versions: What ran: library, environment, engine.
        facts: What lists show without opening the edition.
        signer: Public key (hexadecimal) whose signature stands beside the manifest, None where it was not signed.
    """

    edition: str
    digest: str
    previous: tuple[str, str] | None
    files: Mapping[str, str]
    versions: Mapping[str, str]
    facts: Mapping[str, Any]
    signer: str | None = None


def _manifest_digest(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(canonical_json({k: v for k, v in content.items() if k != "digest"}).encode()).hexdigest()


def _files(root: Path) -> dict[str, str]:
    found, faults = verifier.digests_below(root, skip=(NAME, SIGNATURE))
    if faults:
        name, what = min(faults.items())
        raise EditionError(
            f"{name} cannot be sealed: {what}", where=str(root), mend="build again; nothing was published"
        )
    return dict(sorted(found.items()))


class Store:
    """The folder of sealed editions.

    Args:
        root: The folder.
        site: Where they are published; what lies there was seen, whether it was marked or not.
    """

    def __init__(self, root: Path, *, site: Path | None = None) -> None:
        self.root = root
        self._site = site
        self._read: dict[Path, tuple[tuple[int, ...], Manifest]] = {}

    def weeks(self) -> list[Week]:
        """Sealed weeks, oldest first."""
        found = []
        for path in self.root.iterdir() if self.root.is_dir() else ():
            try:
                week = Week.parse(path.name)
            except WrongUseError:
                continue
            if (path / NAME).is_file():
                found.append(week)
        return sorted(found)

    def path(self, week: Week) -> Path:
        """Folder of an edition."""
        return self.root / str(week)

    def is_sealed(self, week: Week) -> bool:
        """Whether the week has been published."""
        return (self.path(week) / NAME).is_file()

    def manifest(self, week: Week) -> Manifest:
        """The manifest of a sealed edition; it is read once for as long as its file is the same.

        Raises:
            EditionError: It is missing, truncated or was changed.
        """
        path = self.path(week) / NAME
        try:
            state = path.stat()
            mark = (state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns)
        except OSError:
            return self._manifest(week)  # it says what is wrong
        known = self._read.get(path)
        if known is None or known[0] != mark:
            known = self._read[path] = (mark, self._manifest(week))
        return known[1]

    def _manifest(self, week: Week) -> Manifest:
        seal = verifier.read_seal(self.path(week), str(week))
        if isinstance(seal, verifier.Seal):
            content = seal.content
            try:
                return Manifest(
                    seal.edition,
                    seal.digest,
                    seal.previous,
                    seal.files,
                    content["versions"],
                    content["facts"],
                    seal.signer,
                )
            except KeyError as error:
                what = f"it has no {error}"
        elif seal.what == "missing":
            known = ", ".join(map(str, self.weeks())) or "none"
            raise EditionError(f"there is no edition {week}", where=str(self.root), mend=f"sealed editions: {known}")
        else:
            what = seal.what
        raise EditionError(
            f"the manifest cannot be trusted: {what}",
            where=str(self.path(week) / NAME),
            mend="restore the edition from a copy",
        )

    def open(self, week: Week) -> Sealed:
        """A sealed edition to read from.

        Raises:
            EditionError: Its manifest is missing, truncated or was changed.
        """
        return Sealed(self.path(week), self.manifest(week))

    def trace(self, week: Week) -> Path:
        """The file whose time says since when the edition is there: its mark where it is published, else its manifest."""
        mark = self._mark(week)
        return mark if mark.is_file() else self.path(week) / NAME

    def staging(self, week: Week) -> Path:
        """An empty folder to build the week in; what an earlier build left there is removed."""
        path = self.root / ".staging" / str(week)
        try:
            remove(path)
            path.mkdir(parents=True)
        except OSError as error:
            raise write_error(error, path) from error
        return path

    def refuse(self, week: Week) -> None:
        """Refuse a week that would break the chain.

        Raises:
            EditionError: A later week is sealed already.
        """
        later = [w for w in self.weeks() if w > week]
        if later and not self.is_sealed(week):
            raise EditionError(
                f"edition {week} cannot be made any more: {later[-1]} is sealed and names the edition before it",
                mend="build weeks in order; a correction belongs in the next edition",
            )

    def seal(
        self,
        staging: Path,
        week: Week,
        *,
        versions: Mapping[str, str],
        facts: Mapping[str, Any],
        replace: bool = False,
        signer: Signer | None = None,
        allowed: Collection[str] = (),
    ) -> Manifest:
        """Write the manifest and rename the staging folder to its final place.

        Args:
            staging: The edition's files; the folder is gone afterwards.
            week: Its week.
            versions: Of what made it, for the manifest.
            facts: What else the manifest says.
            replace: Whether an unpublished edition of this week may be replaced.
            signer: Signs the manifest; the signature is written beside it, outside its digest.
            allowed: Fingerprints of what only looks like a secret.

        Raises:
            EditionError: The week is sealed already, a later one is, a file holds a secret, or the disk refuses.
        """
        if replace:
            self.refuse_replacing(week)
        elif self.is_sealed(week):
            raise EditionError(f"edition {week} is sealed and never changes", where=str(self.path(week)))
        self.refuse(week)
        before = self.before(week)
        files = _files(staging)
        once = {digest: name for name, digest in reversed(files.items())}  # pages carry copies of notebooks
        refuse_leaks(((name, (staging / name).read_bytes()) for name in sorted(once.values())), "sealed", allowed)
        previous = {"edition": str(before), "digest": self.manifest(before).digest} if before else None
        content = {
            "schema": SCHEMA,
            "edition": str(week),
            "previous": previous,
            "files": files,
            "versions": dict(versions),
            "facts": dict(facts),
        }
        if signer is not None:
            content["signer"] = signer.public
        content["digest"] = _manifest_digest(content)
        raw = canonical_json(content).encode()
        written = {NAME: raw} if signer is None else {SIGNATURE: signer.sign(raw), NAME: raw}
        try:
            for name, data in written.items():
                with (staging / name).open("wb") as stream:
                    stream.write(data)
                    stream.flush()
                    os.fsync(stream.fileno())
            make_read_only(staging, itself=False)
            old = staging.with_name(f"{week}.replaced")
            remove(old)
            if self.is_sealed(week):
                self.path(week).chmod(0o755)  # else it cannot be moved
                self.path(week).rename(old)
            os.replace(staging, self.path(week))  # noqa: PTH105  one system call, whole or not at all
            make_read_only(self.path(week), itself=True)
            remove(old)
            turn_quarto_aside(self.root)
        except OSError as error:
            raise write_error(error, self.path(week)) from error
        return self.manifest(week)

    def before(self, week: Week) -> Week | None:
        """The newest sealed week before this one."""
        earlier = [w for w in self.weeks() if w < week]
        return earlier[-1] if earlier else None

    def is_published(self, week: Week) -> bool:
        """Whether readers may have seen the edition."""
        copy = self._site / "editions" / str(week) if self._site is not None else None
        return self._mark(week).is_file() or (copy is not None and copy.exists())

    def _mark(self, week: Week) -> Path:
        return self.root / verifier.MARKERS / str(week)

    def mark_published(self, week: Week) -> None:
        """Remember that the edition is put where readers are, before it is; from then on it cannot be built again, and is read-only on disk."""
        if not is_read_only(self.path(week)):  # sealed by an earlier version, or copied
            make_read_only(self.path(week), itself=True)
            turn_quarto_aside(self.root)
        marker = self._mark(week)
        if not marker.is_file():
            marker.parent.mkdir(exist_ok=True)
            part = marker.with_name(f".{week}.part")
            with part.open("w", encoding="utf-8") as stream:
                stream.write(self.manifest(week).digest + "\n")
                stream.flush()
                os.fsync(stream.fileno())
            part.replace(marker)

    def refuse_replacing(self, week: Week) -> None:
        """Refuse to replace a sealed edition, unless it is the newest and no reader can have seen it.

        Raises:
            EditionError: It is not the newest, or it is published.
        """
        if self.is_sealed(week) and week != self.weeks()[-1]:
            raise EditionError(
                f"edition {week} is not the newest; later editions name it", mend="correct it in the next edition"
            )
        if self.is_published(week):
            raise EditionError(
                f"edition {week} is published; what readers saw never changes", mend="correct it in the next edition"
            )

    def check(self, week: Week) -> list[Problem]:
        """Every file that is not what the manifest says, and whether the edition before is the one that it names."""
        manifest = self.manifest(week)
        folder, name = self.path(week), str(week)
        seal = verifier.read_seal(folder, name)
        if isinstance(seal, Problem):  # it changed within this instant
            return [seal]
        problems = list(verifier.check_files(folder, name, seal, copy="sealed").problems)
        if fault := verifier.check_signature(folder, name, seal):
            problems.append(fault)
        if manifest.previous is not None:
            before = Week.parse(manifest.previous[0])
            if not self.is_sealed(before) or self.manifest(before).digest != manifest.previous[1]:
                problems.append(Problem(name, NAME, f"the edition before it, {before}, is not the one it names"))
        return problems


def write_error(error: OSError, path: Path, then: str = "build again; nothing was published") -> EditionError:
    """A disk's refusal in words, with what is to be done after it was mended."""
    full = disk_is_full(error)
    mend = f"{'free disk space' if full else 'mend the rights or the path'} and {then}"
    return EditionError(
        "the disk is full" if full else f"cannot write: {error.strerror or error}", where=str(path), mend=mend
    )
