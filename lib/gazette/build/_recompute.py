"""Hold an edition back whose numbers come out otherwise the second time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gazette.build._gather import versions_of
from gazette.errors import EditionError
from gazette.params import Experiment, Model
from gazette.recompute import FOLDER, Inputs, recompute, rows_of
from gazette.record import Record, canonical_json
from gazette.snapshot import reopen, verify

if TYPE_CHECKING:
    from pathlib import Path

    from gazette.build._project import Project
    from gazette.editions import Week
    from gazette.recompute import Disagreement
    from gazette.snapshot import Snapshot

__all__ = ["compute_twice"]

MOST = 20  # numbers that the error names; the log has all


def compute_twice(project: Project, week: Week, subjects: list[Model | Experiment], staging: Path) -> None:
    """Write ``recomputed.json`` into an edition whose notebooks have run.

    Raises:
        EditionError: Numbers disagree; each is named with both values.
        SnapshotError: Frozen data changed since it was frozen.
    """
    frozen = {s.id: reopen(staging / "snapshot" / s.id) for s in subjects}
    second = reopen(staging / "snapshot" / FOLDER)
    verify(second)
    tests = [s for s in subjects if isinstance(s, Experiment)]

    def _frozen(answer: str) -> dict[str, list[dict[Any, Any]]]:
        return {t.id: frozen[t.id].table(answer).to_dict("records") for t in tests if frozen[t.id].has(answer)}

    inputs = Inputs(
        subjects=subjects,
        metrics=project.params.metrics,
        versions={
            s.id: versions_of(frozen[s.id].table("registry").to_dict("records"))
            for s in subjects
            if isinstance(s, Model)
        },
        past={s.id: [*rows_of(frozen[s.id], "looks")] for s in tests},
        last=week.end,
        segments=_frozen("segments"),
        repeated=_frozen("repeated"),
    )
    records = [Record.from_json(p.read_bytes()) for p in sorted((staging / "records").glob("*.json"))]
    found, wrong = recompute(second, inputs, records)
    if wrong:
        raise _refusal(project, week, second, wrong)
    found.write(staging)


def _refusal(project: Project, week: Week, second: Snapshot, wrong: tuple[Disagreement, ...]) -> EditionError:
    """The error, after both sides and the SQL of the second have been kept where the edition's staging folder is not."""
    folder = project.state / "logs"
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / f"{week}-recomputed.json"
    subjects = {d.number.id.removeprefix("executive.").partition(".")[0] for d in wrong}
    content = {
        "edition": str(week),
        "disagreements": [
            {
                "page": d.page,
                "number": d.number.model_dump(mode="json"),
                "second": None
                if d.second is None
                else {"value": d.second.value, "low": d.second.low, "high": d.second.high},
            }
            for d in wrong
        ],
        "second_queries": {q.name: q.sql for q in second.queries if q.name.partition("--")[0] in subjects},
    }
    log.write_text(canonical_json(content), encoding="utf-8")
    listing = "\n".join(f"  - {d}" for d in wrong[:MOST])
    more = f"\n  … and {len(wrong) - MOST} more" if len(wrong) > MOST else ""
    many = len(wrong) != 1
    return EditionError(
        f"{len(wrong)} number{'s' * many} of edition {week} came out otherwise the second time:\n{listing}{more}",
        where=str(log),
        mend="one of the two computations is wrong, so nothing was published; the file has both sides with the SQL of the second. "
        "'recompute: false' in params/site.yml publishes without a second computation, and the pages say so",
    )
