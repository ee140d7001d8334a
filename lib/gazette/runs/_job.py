"""What is to be run and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from gazette.record import Kind, Record, canonical_json

__all__ = ["Event", "Failure", "Job", "Outcome"]


@dataclass(frozen=True, kw_only=True)
class Job:
    """One notebook to run.

    Attributes:
        page: Id of the page, which names files.
        kind, title, owner: For the page of a failed notebook.
        template: Notebook with a cell tagged ``parameters``.
        parameters: Values for names in that cell; an unknown name is an error.
        cwd: Folder to run in; parameters hold paths relative to it.
        output: Where the executed notebook goes.
        timeout: Seconds for the whole notebook.
        inputs: Digests of what it reads, part of the cache key.
        variables: Names of environment variables that it sees beside those that every notebook does.
    """

    page: str
    kind: Kind
    title: str
    owner: str
    template: Path
    parameters: Mapping[str, str | int | float | bool]
    cwd: Path
    output: Path
    timeout: float
    inputs: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()


@dataclass(frozen=True)
class Failure:
    """Why a notebook gave no record."""

    page: str
    kind: str
    title: str
    owner: str
    what: str
    traceback: str

    def to_json(self) -> str:
        """Canonical JSON."""
        return canonical_json(asdict(self))


@dataclass(frozen=True)
class Outcome:
    """What came of a job; exactly one of record and failure is there."""

    page: str
    status: Literal["ok", "cached", "failed"]
    record: Record | None
    failure: Failure | None
    seconds: float
    peak_memory_mb: float


@dataclass(frozen=True)
class Event:
    """Progress: a notebook reached a cell, or is done (``cell == cells``)."""

    page: str
    cell: int
    cells: int
    status: str = "running"
    seconds: float = 0.0
    peak_memory_mb: float = 0.0
