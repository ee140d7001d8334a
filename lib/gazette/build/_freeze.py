"""From the warehouse and the registry to frozen snapshots."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import TYPE_CHECKING

from gazette.build._before import digest_before
from gazette.build._definitions import METRICS, metric_answers
from gazette.build._gather import (
    HISTORY,
    OPERATIONS,
    PORTFOLIO,
    RECONCILIATION,
    history_answers,
    model_answers_of,
    operations_answers,
    portfolio_answers,
    reconciliation_answers,
    versions_of,
)
from gazette.build._matrix import TRANSLATION, translation_answers
from gazette.build._register import decided_answer, portfolio_decisions, register_of, replayed_answer, watch_answers
from gazette.errors import EditionError, SourceError
from gazette.params import Model
from gazette.recompute import FOLDER as SECOND
from gazette.recompute import ask
from gazette.record import TakenLook
from gazette.snapshot import freeze, without_small_cells
from gazette.sources import (
    Answer,
    Period,
    Warehouse,
    experiment_answers,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from gazette.build._project import Project
    from gazette.editions import Week
    from gazette.params import Experiment
    from gazette.register import Register
    from gazette.snapshot import Snapshot

__all__ = ["answers_of", "freeze_all", "period_of"]


SUMMARY = "executive"


def period_of(project: Project, week: Week) -> Period:
    """The edition's clock for queries."""
    site = project.params.site
    cutoff = week.cutoff(site.cutoff_hours)
    return Period(week.cutoff() - timedelta(days=7), cutoff, site.history_weeks)


def answers_of(
    project: Project, week: Week, warehouse: Warehouse, subject: Model | Experiment, period: Period, register: Register
) -> list[Answer]:
    """All that the page of one subject needs, less cells of few users.

    Raises:
        SourceError: The warehouse fails, or an arm has too few users for anything to be shown.
    """
    fewest = project.params.site.smallest_cell
    if isinstance(subject, Model):
        return without_small_cells(model_answers_of(project, week, warehouse, subject, period), fewest)
    answers = experiment_answers(warehouse, subject, project.params.metrics, period)
    _refuse_small_arms(subject, answers, fewest)
    return [
        *without_small_cells(answers, fewest),
        _looks(project, week, subject.id),
        *watch_answers(project, register, week, subject.id),
        *decided_answer(register, week, subject.id),
    ]


def _refuse_small_arms(test: Experiment, answers: Sequence[Answer], fewest: int) -> None:
    """Raise where an arm, or an arm in a stretch of one allocation, has so few users that nothing of it may be kept."""
    tables = {a.name: a.table for a in answers if a.name in {"arms", "phases"}}
    for name, what in (("arms", "an arm"), ("phases", "an arm in days of one allocation")):
        rows = tables[name].select(["variant", "n"]).to_pylist() if name in tables else []
        if few := sorted({str(r["variant"]) for r in rows if 0 < r["n"] < fewest}):
            raise SourceError(
                f"{what} has fewer users than may be shown, {fewest}: {', '.join(few)}",
                where=f"params/experiments/{test.id}.yml",
                mend="wait for more users, let the test start where there are more, or set 'smallest_cell:' in params/site.yml",
            )


def freeze_all(
    project: Project, week: Week, subjects: list[Model | Experiment], directory: Path, say: Callable[[str], None]
) -> tuple[dict[str, Snapshot], dict[str, SourceError]]:
    """Ask every source and freeze the answers, one snapshot a subject.

    Returns:
        The snapshots, and by subject why a source of it failed: its page is not published, all others are.

    Raises:
        SourceError: The warehouse cannot be opened or no longer answers, or a source of every subject failed; all are named.
        EditionError: There is no data of this week.
    """
    period, site = period_of(project, week), project.params.site
    register = register_of(project)
    answers: dict[str, list[Answer]] = {}
    problems: dict[str, SourceError] = {}
    with Warehouse(project.params.site.warehouse, project=project.root) as warehouse:
        for subject in subjects:
            say(subject.title)
            try:
                answers[subject.id] = answers_of(project, week, warehouse, subject, period, register)
            except SourceError as error:
                if not warehouse.answers():
                    raise
                problems[subject.id] = error
        if len(problems) == len(subjects):
            raise _nothing_read([*problems.values()])
        subjects = [s for s in subjects if s.id not in problems]
        more = _for_all(project, week, warehouse, period, say)
        if site.recompute:
            say("a second time")
            versions = {
                s.id: versions_of(next(a for a in answers[s.id] if a.name == "registry").table.to_pylist())
                for s in subjects
                if isinstance(s, Model)
            }
            more[SECOND] = ask(warehouse, subjects, project.params.metrics, period, versions, fewest=site.smallest_cell)
    _refuse_empty(week, subjects, answers)
    answers |= more | _above(project, week, subjects, register)
    return {name: freeze(name, found, directory / name) for name, found in answers.items()}, problems


def _nothing_read(problems: list[SourceError]) -> SourceError:
    """The error where a source of every subject failed."""
    if len(problems) == 1:
        return problems[0]
    listing = "\n".join(str(p) for p in problems)
    return SourceError(
        f"{len(problems)} subjects have no data\n{listing}",
        mend="nothing was built; mend all of them, then build again",
    )


def _for_all(
    project: Project, week: Week, warehouse: Warehouse, period: Period, say: Callable[[str], None]
) -> dict[str, list[Answer]]:
    """What is of no one subject: operations, past tests, figures of several systems, definitions."""
    site, compared = project.params.site, project.params.reconciliations
    found = {METRICS: metric_answers(project, week, warehouse, period)}
    if site.operations is not None:
        say(site.operations.title)
        found[OPERATIONS] = operations_answers(project, week, warehouse, site.operations, period)
    if site.history is not None:
        found[HISTORY] = history_answers(warehouse, site.history, period)
    if compared is not None:
        say(compared.title)
        found[RECONCILIATION] = reconciliation_answers(warehouse, compared, period)
    return found


def _above(
    project: Project, week: Week, subjects: list[Model | Experiment], register: Register
) -> dict[str, list[Answer]]:
    """What the pages above the subjects need of earlier editions and of the register of decisions."""
    decided = [*decided_answer(register, week), *watch_answers(project, register, week)]
    found = {SUMMARY: [digest_before(project, week), *decided, *replayed_answer(project, week)]}
    if (project.root / "notebooks" / f"{TRANSLATION}.ipynb").is_file():
        found[TRANSLATION] = translation_answers(project, week)
    if (project.root / "notebooks" / f"{PORTFOLIO}.ipynb").is_file():
        decisions = portfolio_decisions(project, project.params, register, week)
        found[PORTFOLIO] = [*portfolio_answers(project, week, {s.id for s in subjects}), *decisions]
    return found


def _looks(project: Project, week: Week, subject: str) -> Answer:
    """The ledger of looks that earlier editions took, from the record of the newest that has one."""
    import pyarrow as pa  # noqa: PLC0415  slow to import, needed only here

    looks: tuple[TakenLook, ...] = ()
    store, source = project.store, "no earlier edition has looked at this experiment"
    for earlier in reversed([w for w in store.weeks() if w < week]):
        record = store.open(earlier).record(subject)
        if record is not None:
            looks = record.looks
            source = f"the ledger in records/{subject}.json of edition {earlier}"
            break
    schema = pa.schema(
        [
            ("edition", pa.string()),
            ("units", pa.int64()),
            ("critical", pa.float64()),
            ("effect", pa.float64()),
            ("standard_error", pa.float64()),
            ("plan", pa.string()),
            ("information", pa.float64()),
            ("time", pa.float64()),
            ("final", pa.bool_()),
            ("states", pa.string()),
        ]
    )
    rows = [x.model_dump() | {"states": json.dumps(x.states, sort_keys=True)} for x in looks]
    return Answer("looks", f"Looks taken before: {source}.\n", pa.Table.from_pylist(rows, schema))


def _refuse_empty(week: Week, subjects: list[Model | Experiment], answers: dict[str, list[Answer]]) -> None:
    latest: date | None = None
    for subject in subjects:
        tables = {a.name: a.table for a in answers[subject.id]}
        if isinstance(subject, Model):
            if tables["days"].num_rows:
                return
            weeks = [w for w in tables["weekly"].column("week").to_pylist() if w is not None]
            latest = max([*weeks, *([latest] if latest else [])], default=None)
        else:  # who came before the week may have days in it that count, or do something in it, and a last look needs no new rows
            window = timedelta(days=subject.window_days or 0)
            came = tables["assigned_per_day"].column("day").to_pylist()
            acted = tables["rows_per_day"].column("day").to_pylist() if "rows_per_day" in tables else []
            if any(day <= week.end and day + window >= week.start for day in came):
                return
            if any(week.start <= day <= week.end for day in acted) or (came and subject.end <= week.end):
                return
            latest = max([*came, *acted, *([latest] if latest else [])], default=None)
    seen = f"the last week with rows is {type(week).of(latest)}" if latest else "no earlier week has rows either"
    raise EditionError(
        f"edition {week} would be empty: no subject has a row between {week.start} and {week.end}",
        mend=f"load the data or choose another week; {seen}",
    )
