"""What an edition keeps of the register of decisions: its files, and what pages need of them as frozen answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gazette.editions import Week
from gazette.register import FOLDER, REPLAYS, load_register, newest_replays, open_watches, outcomes, prefix_at, standing
from gazette.sources import Answer

if TYPE_CHECKING:
    from pathlib import Path

    from gazette.build._project import Project
    from gazette.params import Params
    from gazette.register import Register

__all__ = ["copy_register", "decided_answer", "portfolio_decisions", "register_of", "replayed_answer", "watch_answers"]

PARTS = ("", "sign-offs", "scores")


def register_of(project: Project) -> Register:
    """The project's decisions.

    Raises:
        ParamsError: A file is malformed.
    """
    return load_register(project.root)


def copy_register(project: Project, staging: Path) -> None:
    """Decisions, sign-offs and scores as they are known now, sealed with the edition that reads them."""
    for part in PARTS:
        folder = project.root / FOLDER / part
        for path in sorted(folder.glob("*.y*ml")) if folder.is_dir() else ():
            if path.is_file() and not path.name.startswith("."):
                place = staging / path.relative_to(project.root)
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(path.read_bytes())


def watch_answers(project: Project, register: Register, week: Week, experiment: str = "") -> list[Answer]:
    """Watches that this edition must report on, of one experiment or of all; no answer where there is none."""
    import pyarrow as pa  # noqa: PLC0415  slow to import, needed only here

    rows = [
        {
            "test": decision.experiment,
            "title": decision.title,
            "edition": decision.edition,
            "decision": decision.id,
            "prefix": prefix_at(decision, project.store),
            "metric": watch.metric,
            "metric_title": watch.title,
            "margin": watch.margin,
            "until": watch.until,
            "owner": watch.owner,
            "known": Week.parse(decision.edition).end,
        }
        for decision, watch in open_watches(register, str(week))
        if not experiment or decision.experiment == experiment
    ]
    if not rows:
        return []
    names = ("test", "title", "edition", "decision", "prefix", "metric", "metric_title", "owner")
    schema = pa.schema(
        [*((n, pa.string()) for n in names), ("margin", pa.float64()), ("until", pa.date32()), ("known", pa.date32())]
    )
    rows.sort(key=lambda r: (str(r["test"]), str(r["edition"]), str(r["metric"])))
    return [Answer("watches", f"Open watch lists of {FOLDER}.\n", pa.Table.from_pylist(rows, schema=schema))]


def decided_answer(register: Register, week: Week, experiment: str = "") -> list[Answer]:
    """The newest decision in force, taken on an earlier edition, on one experiment or on each."""
    import pyarrow as pa  # noqa: PLC0415  slow to import, needed only here

    rows = []
    for test in sorted({e.decision.experiment for e in register.entries}):
        decision = standing(register, test, str(week.next(-1)))
        if decision is not None and experiment in {"", test}:
            rows.append(
                {
                    "test": test,
                    "decision": decision.decision,
                    "edition": decision.edition,
                    "advice": decision.recommendation.action,
                    "by": decision.by,
                }
            )
    if not rows:
        return []
    schema = pa.schema([(n, pa.string()) for n in ("test", "decision", "edition", "advice", "by")])
    return [
        Answer("decided", f"Newest decision on each test in {FOLDER}.\n", pa.Table.from_pylist(rows, schema=schema))
    ]


def replayed_answer(project: Project, week: Week) -> list[Answer]:
    """Newest replay of each earlier edition that was kept by the week's last day; no answer where there is none."""
    import pyarrow as pa  # noqa: PLC0415  slow to import, needed only here

    kept = newest_replays(project.root, project.store, until=week.end)
    rows = [
        {"edition": name, "outcome": one.outcome, "same": one.same, "replayed": one.replayed}
        for name, one in sorted(kept.items())
        if Week.parse(name) < week
    ]
    if not rows:
        return []
    schema = pa.schema(
        [("edition", pa.string()), ("outcome", pa.string()), ("same", pa.bool_()), ("replayed", pa.date32())]
    )
    return [
        Answer(
            "replayed",
            f"Newest replay of each earlier edition in {REPLAYS}.\n",
            pa.Table.from_pylist(rows, schema=schema),
        )
    ]


def portfolio_decisions(project: Project, params: Params, register: Register, week: Week) -> list[Answer]:
    """Decisions in force for the portfolio, each with what came of it where that was scored."""
    import pyarrow as pa  # noqa: PLC0415  slow to import, needed only here

    directions = {name: m.direction for name, m in params.metrics.items()}
    scored = {o.name: o for o in outcomes(register, project.store, directions, before=week)}
    rows = []
    for experiment in sorted({e.decision.experiment for e in register.entries}):
        decision = standing(register, experiment, str(week.next(-1)))
        if decision is None:
            continue
        outcome = scored.get(decision.id)
        rows.append(
            {
                "test": experiment,
                "decision": decision.decision.replace("-", " "),
                "edition": decision.edition,
                "metric": outcome.metric if outcome else None,
                "realised": outcome.realised if outcome else None,
                "realised_error": outcome.prediction.realised_error if outcome else None,
                "source": outcome.source if outcome else None,
            }
        )
    if not rows:
        return []
    texts = ("test", "decision", "edition", "metric", "source")
    real = ("realised", "realised_error")
    schema = pa.schema([*((n, pa.string()) for n in texts), *((n, pa.float64()) for n in real)])
    return [
        Answer("decisions", f"Decisions in {FOLDER} and their outcomes.\n", pa.Table.from_pylist(rows, schema=schema))
    ]
