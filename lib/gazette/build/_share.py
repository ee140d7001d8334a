"""From an edition whose notebooks have run to its files for other places."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from gazette import deliver
from gazette.record import Record

if TYPE_CHECKING:
    from pathlib import Path

    from gazette.build._project import Project
    from gazette.editions import Week

__all__ = ["share_of"]


def share_of(staging: Path, project: Project, week: Week, *, dates: str) -> dict[str, bytes]:
    """Name to content of the PDF, the e-mail and the Slack message.

    Raises:
        SiteError: The PDF cannot be set.
        EditionError: The manifest before cannot be trusted.
    """
    records = [Record.from_json(p.read_bytes()) for p in sorted((staging / "records").glob("*.json"))]
    failures = [json.loads(p.read_text(encoding="utf-8")) for p in sorted((staging / "failures").glob("*.json"))]
    earlier = project.store.before(week)
    content = deliver.digest(
        records,
        failures,
        params=project.params,
        week=str(week),
        dates=dates,
        cutoff=week.cutoff(project.params.site.cutoff_hours),
        before=(str(earlier), project.store.manifest(earlier).digest) if earlier else None,
    )
    return deliver.share(content, fonts=project.root / "reports" / "fonts")
