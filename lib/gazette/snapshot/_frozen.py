"""Write a subject's answers once; read them back only if they are still what they were."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gazette.errors import SnapshotError, disk_is_full
from gazette.record import canonical_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from gazette.sources import Answer

__all__ = ["Frozen", "Snapshot", "freeze", "reopen", "verify"]

SCHEMA = "gazette.snapshot/1"


@dataclass(frozen=True)
class Frozen:
    """One query of a snapshot: its rows as a file, its text, its digest."""

    name: str
    rows: int
    sha256: str
    sql: str


@dataclass(frozen=True)
class Snapshot:
    """The frozen data of one subject in one edition."""

    directory: Path
    subject: str
    digest: str
    queries: tuple[Frozen, ...]

    def table(self, name: str) -> pd.DataFrame:
        """Rows of one query.

        Raises:
            SnapshotError: There is no such query, or its file changed since it was frozen.
        """
        import pyarrow.parquet as pq  # noqa: PLC0415

        known = {q.name: q for q in self.queries}
        if name not in known:
            raise SnapshotError(
                f"the snapshot has no query {name!r}", where=str(self.directory), mend=f"it has: {', '.join(known)}"
            )
        path = self.directory / f"{name}.parquet"
        _check(path, known[name].sha256)
        frame: pd.DataFrame = pq.read_table(path).to_pandas(date_as_object=False)
        return frame

    def has(self, name: str) -> bool:
        """Whether the snapshot holds this query."""
        return any(q.name == name for q in self.queries)


def _check(path: Path, recorded: str) -> None:
    try:
        found = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise SnapshotError(
            f"frozen data cannot be read: {error.strerror}",
            where=str(path),
            mend="restore the file from a copy of the edition",
        ) from error
    if found != recorded:
        raise SnapshotError(
            f"frozen data changed: recorded {recorded[:12]}…, found {found[:12]}…",
            where=str(path),
            mend="restore the file from a copy of the edition; sealed data is never edited",
        )


def freeze(subject: str, answers: Sequence[Answer], directory: Path) -> Snapshot:
    """Write the answers of one subject as Parquet and SQL, with a digest over both.

    Raises:
        SnapshotError: The folder cannot be written (rights, full disk).
    """
    import pyarrow.parquet as pq  # noqa: PLC0415

    frozen = []
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for answer in answers:
            path = directory / f"{answer.name}.parquet"
            pq.write_table(answer.table.replace_schema_metadata(None), path, compression="zstd")
            (directory / f"{answer.name}.sql").write_text(answer.sql, encoding="utf-8")
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            frozen.append(Frozen(answer.name, answer.table.num_rows, digest, answer.sql))
        content = {
            "schema": SCHEMA,
            "subject": subject,
            "queries": [{"name": q.name, "rows": q.rows, "sha256": q.sha256, "sql": q.sql} for q in frozen],
        }
        (directory / "snapshot.json").write_text(canonical_json(content), encoding="utf-8")
    except OSError as error:
        why = "the disk is full" if disk_is_full(error) else error.strerror or error
        raise SnapshotError(
            f"the snapshot of {subject!r} cannot be written: {why}",
            where=str(directory),
            mend="free disk space or mend the rights, then build again",
        ) from error
    return reopen(directory)


def reopen(directory: Path) -> Snapshot:
    """Open what `freeze` wrote.

    Raises:
        SnapshotError: It is missing or unreadable.
    """
    path = directory / "snapshot.json"
    try:
        text = path.read_bytes()
        content = json.loads(text)
        queries = tuple(Frozen(**query) for query in content["queries"])
        subject = content["subject"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SnapshotError(
            f"the snapshot cannot be read: {error}", where=str(path), mend="restore it, or build the edition again"
        ) from error
    return Snapshot(directory, subject, hashlib.sha256(text).hexdigest(), queries)


def verify(snapshot: Snapshot) -> None:
    """Check every file of a snapshot against its digest.

    Raises:
        SnapshotError: A file is missing or changed.
    """
    for query in snapshot.queries:
        _check(snapshot.directory / f"{query.name}.parquet", query.sha256)
