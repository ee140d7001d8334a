"""The one way to read a sealed edition: nothing is given out that is not what was sealed."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from gazette.editions import verifier
from gazette.errors import EditionError
from gazette.record import Record
from gazette.snapshot import Snapshot, reopen

if TYPE_CHECKING:
    from pathlib import Path

    from gazette.editions._store import Manifest

__all__ = ["Sealed"]

MEND = "restore it from a copy of the edition; 'gazette verify' lists all that is wrong"
SHOWN = 5


class Sealed:
    """A sealed edition to read from; each file is held to the manifest's digest before its content is given out.

    Attributes:
        manifest: Its manifest.
    """

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self._folder = folder
        self.manifest = manifest

    def has(self, name: str) -> bool:
        """Whether a file was sealed, by its path from the edition's folder."""
        return name in self.manifest.files

    def names(self, below: str, suffix: str = "") -> list[str]:
        """Files that were sealed below a folder, sorted."""
        return sorted(n for n in self.manifest.files if n.startswith(f"{below}/") and n.endswith(suffix))

    def read(self, name: str) -> bytes:
        """Content of a file.

        Raises:
            EditionError: It was not sealed, cannot be read or was altered since.
        """
        path = self._folder / name
        recorded = self.manifest.files.get(name)
        if recorded is None:
            raise EditionError(f"edition {self.manifest.edition} has no file {name}", where=str(path), mend=MEND)
        if path.is_symlink():
            raise EditionError("a sealed file is a symbolic link now", where=str(path), mend=MEND)
        try:
            content = path.read_bytes()
        except OSError as error:
            why = "it is missing" if isinstance(error, FileNotFoundError) else error.strerror
            raise EditionError(f"a sealed file cannot be read: {why}", where=str(path), mend=MEND) from error
        if hashlib.sha256(content).hexdigest() != recorded:
            raise EditionError("a sealed file is not what was sealed", where=str(path), mend=MEND)
        return content

    def record(self, page: str) -> Record | None:
        """Record of a page, None where the edition has none.

        Raises:
            EditionError: It cannot be read, was altered or is of another schema.
        """
        name = f"records/{page}.json"
        if not self.has(name):
            return None
        content = self.read(name)
        try:
            return Record.from_json(content)
        except ValueError as error:
            what = f"a record is of another schema and cannot be read: {str(error).splitlines()[0]}"
            raise EditionError(
                what, where=str(self._folder / name), mend="read it with the version that made it"
            ) from error

    def records(self) -> list[Record]:
        """Records of all pages, sorted by their names.

        Raises:
            EditionError: One cannot be read or was altered.
        """
        pages = (n.removeprefix("records/").removesuffix(".json") for n in self.names("records", ".json"))
        return [record for page in pages if (record := self.record(page)) is not None]

    def snapshot(self, name: str) -> Snapshot | None:
        """Frozen data of that name, None where there are none; a table is held to its digest when it is read.

        Raises:
            EditionError: Its list of queries was altered.
            SnapshotError: It cannot be read.
        """
        place = f"snapshot/{name}"
        if not self.has(f"{place}/snapshot.json"):
            return None
        self.read(f"{place}/snapshot.json")
        return reopen(self._folder / place)

    def within(self, *places: str) -> Path:
        """The edition's folder, after all that lies below these places was held to the manifest; by default all of it.

        For what takes a folder: parameters to load, notebooks to run again, pages to copy.

        Raises:
            EditionError: A file there was altered, is missing or is not in the manifest.
        """
        if not places:
            found, faults = verifier.digests_below(self._folder, skip=(verifier.MANIFEST, verifier.SIGNATURE))
            recorded = dict(self.manifest.files)
        else:
            found, faults = {}, {}
            for place in places:
                if not self.names(place) and not (self._folder / place).exists():
                    continue
                here, wrong = verifier.digests_below(self._folder / place)
                found |= {f"{place}/{n}": d for n, d in here.items()}
                faults |= {f"{place}/{n}": what for n, what in wrong.items()}
            recorded = {n: self.manifest.files[n] for p in places for n in self.names(p)}
        wrong = {
            n: faults.get(n)
            or ("changed" if n in found and n in recorded else "is missing" if n in recorded else "was not sealed")
            for n in sorted({*found, *recorded, *faults})
            if n in faults or found.get(n) != recorded.get(n)
        }
        if wrong:
            shown = [f"  - {n}: {what}" for n, what in list(wrong.items())[:SHOWN]]
            more = [f"  and {len(wrong) - SHOWN} more"] * (len(wrong) > SHOWN)
            what = "\n".join([f"edition {self.manifest.edition} is not what was sealed:", *shown, *more])
            raise EditionError(what, where=str(self._folder), mend=MEND)
        return self._folder

    def seal(self) -> dict[str, bytes]:
        """The manifest and, where it was signed, its signature, as they are on disk."""
        paths = (self._folder / name for name in (verifier.SIGNATURE, verifier.MANIFEST))
        return {path.name: path.read_bytes() for path in paths if path.is_file()}
