"""Hold an edition back whose hidden tests come out otherwise than known."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from gazette.canaries import FILE, certify, read_certificate

if TYPE_CHECKING:
    from pathlib import Path

    from gazette.build._project import Project
    from gazette.canaries import Certificate
    from gazette.editions import Week

__all__ = ["run_canaries"]


def run_canaries(project: Project, week: Week, staging: Path) -> None:
    """Write ``canaries.json`` into an edition that is being built.

    Raises:
        EditionError: A hidden test was not caught.
        OSError: The hidden project cannot be written.
    """
    scratch = staging / "hidden"  # what a killed build leaves in there goes with the staging folder
    scratch.mkdir()
    certify(week, before=_before(project, week), scratch=scratch.resolve()).write(staging)
    shutil.rmtree(scratch)


def _before(project: Project, week: Week) -> Certificate | None:
    """Of the newest earlier edition that has one."""
    store = project.store
    for other in reversed([w for w in store.weeks() if w < week]):
        sealed = store.open(other)
        if sealed.has(FILE):
            return read_certificate(sealed.read(FILE), f"{other}/{FILE}")
    return None
