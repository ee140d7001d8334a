"""Let an edition say what became of the numbers of those before it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gazette.build._freeze import period_of
from gazette.restate import Now, restate

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gazette.build._project import Project
    from gazette.editions import Week

__all__ = ["restate_earlier"]


def restate_earlier(project: Project, week: Week, staging: Path, say: Callable[[str], None]) -> None:
    """Write ``restatements.json`` into the edition that is being built; no file where there is no edition to compute again.

    Args:
        project: The project.
        week: Of the edition that is being built.
        staging: Its folder.
        say: Told of each stage.

    Raises:
        OSError: The folder cannot be written.
    """
    most = project.params.site.restatements.editions
    weeks = [w for w in project.store.weeks() if w < week][-most:] if most else []
    if not weeks:
        return
    now = Now(
        edition=str(week),
        period=period_of(project, week),
        params=project.params,
        folder=staging / "params",
        project=project.root,
        scratch=project.state / "work" / "restate",
        cache=project.state / "cache" / "restate",
    )
    restate(project.store, weeks, now, say).write(staging)
