"""A/A replays: arms drawn at random among the users of a project's own tests, hundreds of times, read as a build reads them."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gazette.build._freeze import period_of
from gazette.editions import Week, write_error
from gazette.errors import EditionError, SourceError, WrongUseError
from gazette.record import AARate, AAReplays, NotPublished, canonical_json, read_aa
from gazette.runs import library_digest
from gazette.sources import Warehouse, draw_in_warehouse, drawn_arms, experiment_answers, user_rows
from gazette.stats import Estimate, proportion
from gazette.workbench import Outcome, compared, replay_outcomes

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from gazette.build._project import Project
    from gazette.params import Experiment, Metric
    from gazette.stats import Comparison

__all__ = ["AA", "copy_aa", "replay_aa"]

AA = "reports/aa"
PART = 25  # replays that are drawn, read and kept together
SURE = 0.99  # of the range by which a rate is called outside
PROOFS = 2  # replays whose arms the warehouse draws, read through the whole path as well
NEAR = 1e-6  # of a standard error, by which both ways may differ
CHANCE = 1e-6  # that units of one value are in one arm though they were assigned one by one
Say = Callable[[str, int, int], None]


@dataclass(frozen=True)
class _Units:
    """Users of a test at each look, and the groups in which they were assigned.

    Attributes:
        ids: Of all looks, sorted.
        looks: Last day, place of each row among the ids, rows.
        groups: Number of each id's group.
        by: Column of the assignment table that the groups are of, empty where each user is one.
        metrics: Definitions, caps by quantile taken out, as the rows are capped.
    """

    ids: list[Any]
    looks: list[tuple[date, NDArray[np.int64], pa.Table]]
    groups: NDArray[np.int64]
    by: str
    metrics: dict[str, Metric]


def copy_aa(project: Project, staging: Path) -> None:
    """What replays found of each test, sealed with the edition that is built next.

    Raises:
        EditionError: A file cannot be read.
    """
    folder = project.root / AA
    for path in sorted(folder.glob("*.json")) if folder.is_dir() else ():
        if path.stem in project.params.experiments:
            read_aa(path.read_bytes(), str(path))  # or it says what is wrong
            (staging / "aa").mkdir(exist_ok=True)
            (staging / "aa" / path.name).write_bytes(path.read_bytes())


def replay_aa(
    project: Project,
    week: Week,
    *,
    tests: Sequence[str] = (),
    replays: int = 500,
    seed: int = 1,
    by: str = "",
    say: Say = lambda *_: None,
) -> list[tuple[Path, AAReplays]]:
    """Replay tests with arms drawn at random and write what came of it; a run that was stopped goes on where it was.

    Args:
        project: The project.
        week: Users are those whom the edition of this week would count.
        tests: Their ids; by default all that such an edition reports on.
        replays: How many of each test.
        seed: Of the draws.
        by: Column of the assignment table whose values were assigned together; by default it is looked for.
        say: Told test, replays done and replays to do.

    Returns:
        File and content of each test.

    Raises:
        WrongUseError: A test is not known, or has nobody yet.
        SourceError: The warehouse does not answer.
        EditionError: Both ways of reading disagree, or the disk refuses.
    """
    chosen = list(tests or (s.id for s in project.subjects(week) if s.id in project.params.experiments))
    for test in chosen:
        if test not in project.params.experiments:
            raise WrongUseError(
                f"no test {test!r}", mend=f"tests are: {', '.join(project.params.experiments) or 'none'}"
            )
    if not chosen:
        raise WrongUseError(f"edition {week} has no test", mend="name one, or another week with --week")
    found, problems = [], []
    for test in chosen:
        try:
            plan = project.params.experiments[test]
            found.append(_one(project, plan, week, replays=replays, seed=seed, by=by, say=say))
        except (SourceError, WrongUseError) as error:
            problems.append(error)
    if problems and len(chosen) == 1:
        raise problems[0]
    if problems:
        listing = "\n".join(map(str, problems))
        mend = "all others are written; mend these and run it again"
        raise SourceError(f"{len(problems)} of {len(chosen)} tests cannot be replayed\n{listing}", mend=mend)
    return found


def _one(
    project: Project, test: Experiment, week: Week, *, replays: int, seed: int, by: str, say: Say
) -> tuple[Path, AAReplays]:
    plan = test.model_copy(update={"segments": [], "reallocations": []})
    metrics = {m: project.params.metrics[m] for m in plan.metrics}
    with Warehouse(project.params.site.warehouse, project=project.root) as warehouse:
        units = _read(project, warehouse, plan, metrics, week, by)
        proofs = _prove(project, warehouse, plan, metrics, week, units)
    key = _key(plan, units, seed, week)
    kept = _Kept(project.state / "aa" / f"{plan.id}.jsonl", key)
    rows = kept.rows[:replays]
    say(plan.id, len(rows), replays)
    while len(rows) < replays:
        wanted = range(len(rows), min(replays, len(rows) + PART))
        fresh = [*_replayed(plan, units, seed, wanted)]
        kept.add(fresh)
        rows += fresh
        say(plan.id, len(rows), replays)
    found = AAReplays(
        test=plan.id,
        title=plan.title,
        edition=str(week),
        units=len(units.ids),
        assigned_by=units.by or "unit_id",
        groups=int(units.groups.max()) + 1,
        looks=len(units.looks),
        replays=replays,
        seed=seed,
        whole_path=proofs,
        alpha=plan.alpha,
        inputs=key,
        library=library_digest(),
        metrics=tuple(_rates(rows, plan.alpha, project.params.metrics)),
    )
    path = project.root / AA / f"{plan.id}.json"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_suffix(".new")
        beside.write_text(found.model_dump_json(indent=1) + "\n", encoding="utf-8")
        beside.replace(path)
    except OSError as error:
        raise write_error(error, path, "run it again; what was replayed is kept") from error
    return path, found


# ---- users


def _read(
    project: Project, warehouse: Warehouse, plan: Experiment, metrics: dict[str, Metric], week: Week, by: str
) -> _Units:
    """Users at each weekly look from the test's first week on, each read once."""
    first, final = Week.of(plan.start), min(week, Week.of(plan.end))
    tables: list[tuple[date, pa.Table]] = []
    more: pa.Table | None = None
    while first <= final:
        rows, more = user_rows(warehouse, plan, metrics, period_of(project, first))
        if rows.num_rows:
            tables.append((first.end, rows))
        first = first.next()
    if not tables:
        raise WrongUseError(f"test {plan.id!r} has no users up to {week}", mend="name a later week with --week")
    ids = sorted({i for _, rows in tables for i in rows["unit_id"].to_pylist()})
    place = {unit: i for i, unit in enumerate(ids)}
    looks = [
        (last, np.array([place[i] for i in rows["unit_id"].to_pylist()]), rows.drop_columns(["unit_id"]))
        for last, rows in tables
    ]
    column, groups = _groups(plan, tables[-1][1], more, place, by)
    own = {
        m: metric.model_copy(update={"cap_quantile": None}) if metric.cap_quantile is not None else metric
        for m, metric in metrics.items()
    }
    return _Units(ids, looks, groups, column, own)


def _groups(
    plan: Experiment, rows: pa.Table, more: pa.Table | None, place: Mapping[Any, int], by: str
) -> tuple[str, NDArray[np.int64]]:
    """What was assigned as one: the coarsest column of the assignment table each of whose values is in one arm, though several units have it.

    Where units were assigned one by one, so many units of one value would hardly ever be in one arm.
    """
    singles = np.arange(len(place))
    arm = dict(zip(rows["unit_id"].to_pylist(), rows["variant"].to_pylist(), strict=True))
    shares = {v.id: v.weight for v in plan.variants}
    columns = [] if more is None else [c for c in more.column_names if f"{c}__most" in more.column_names]
    if by and by not in columns:
        raise WrongUseError(
            f"{plan.assignments} has no column {by!r} of texts or whole numbers",
            where="--by",
            mend=f"columns are: {', '.join(columns) or 'none'}",
        )
    best: tuple[str, NDArray[np.int64]] = ("", singles)
    for column in [by] if by else columns:
        assert more is not None  # noqa: S101  it has columns
        ids, low, high = (more[c].to_pylist() for c in ("unit_id", column, f"{column}__most"))
        values = {u: a for u, a, b in zip(ids, low, high, strict=True) if u in arm and a is not None and a == b}
        members: dict[Any, list[Any]] = {}
        for unit, value in values.items():
            members.setdefault(value, []).append(unit)
        several = [us for us in members.values() if len(us) > 1]
        together = all(len({arm[u] for u in us}) == 1 for us in several)
        chance = sum(math.log(sum(w ** len(us) for w in shares.values())) for us in several)
        enough = len(members) >= 2 * len(shares) and len(values) == len(arm)
        if by or (together and enough and chance < math.log(CHANCE)):
            number = {value: i for i, value in enumerate(sorted(members))}
            found = np.array([number[values[u]] if u in values else -1 for u in place])
            found[found < 0] = len(number) + np.arange(int((found < 0).sum()))
            if not best[0] or found.max() < best[1].max():
                best = column, found
    return best


# ---- replays


def _draws(plan: Experiment, units: _Units, seed: int, turns: Sequence[int]) -> NDArray[np.int8]:
    """Place of each unit's arm, of shape (turns, units): what was assigned as one is in one arm, with the planned chances."""
    ends = np.cumsum([v.weight for v in plan.variants])[:-1]
    n, own = int(units.groups.max()) + 1, int(hashlib.sha256(plan.id.encode()).hexdigest()[:8], 16)
    drawn = [np.searchsorted(ends, np.random.default_rng([seed, own, t]).random(n), side="right") for t in turns]
    return np.stack(drawn).astype(np.int8)[:, units.groups]


def _replayed(plan: Experiment, units: _Units, seed: int, turns: Sequence[int]) -> Iterator[list[Outcome]]:
    arms, ids = _draws(plan, units, seed, turns), [v.id for v in plan.variants]
    read = [drawn_arms(rows, arms[:, where], ids, units.metrics) for _, where, rows in units.looks]
    days = [last for last, _, _ in units.looks]
    for looks in zip(*read, strict=True):
        yield replay_outcomes(plan, units.metrics, [*zip(days, looks, strict=True)])


def _prove(
    project: Project,
    warehouse: Warehouse,
    plan: Experiment,
    metrics: dict[str, Metric],
    week: Week,
    units: _Units,
) -> int:
    """Read the test as it was, and a few replays whose arms the warehouse draws, both ways; how many such replays agree.

    Raises:
        EditionError: They do not.
    """
    import ibis.common.exceptions as ibis_errors  # noqa: PLC0415  slow to import

    last, where, rows = units.looks[-1]
    period = period_of(project, min(week, Week.of(plan.end)))
    place, done = {v.id: i for i, v in enumerate(plan.variants)}, 0
    for turn in range(PROOFS + 1):
        if turn:
            try:
                draw_in_warehouse(warehouse, plan, turn)
                mine, _ = user_rows(warehouse, plan, metrics, period)
            except (SourceError, ibis_errors.IbisError):  # no hash there: then the arms as they were are the proof
                break
        else:
            mine = rows.append_column("unit_id", [[units.ids[i] for i in where]])
        told = dict(zip(mine["unit_id"].to_pylist(), mine["variant"].to_pylist(), strict=True))
        arms = np.array([[place[told[units.ids[i]]] for i in where]], dtype=np.int8)
        frozen = {a.name: a.table.to_pandas() for a in experiment_answers(warehouse, plan, metrics, period, _needed)}
        (drawn,) = drawn_arms(rows, arms, list(place), units.metrics)
        whole = compared(plan, metrics, frozen.get, last=last)
        _refuse_other(plan, whole, compared(plan, units.metrics, drawn, last=last))
        done += turn > 0
    return done


def _needed(query: str) -> bool:
    return query in {"arms", "quantiles", "caps"}


def _refuse_other(
    plan: Experiment, whole: Mapping[tuple[str, str], Comparison], drawn: Mapping[tuple[str, str], Comparison]
) -> None:
    for key, one in whole.items():
        a, b = one.difference, drawn[key].difference
        if isinstance(a, NotPublished) and isinstance(b, NotPublished):
            continue
        if isinstance(a, Estimate) and isinstance(b, Estimate):
            apart = max(abs(x - y) for x, y in ((a.value, b.value), (a.low, b.low), (a.high, b.high)))
            if apart <= NEAR * a.standard_error:
                continue
        raise EditionError(
            f"{key[0]} of {key[1]} is read otherwise from users in memory than by a build: {b} instead of {a}",
            where=f"params/experiments/{plan.id}.yml",
            mend="data that change while they are read do that: run it again; else report it",
        )


# ---- what came of it


def _rates(rows: Sequence[Sequence[Outcome]], alpha: float, metrics: Mapping[str, Metric]) -> Iterator[AARate]:
    """Share of replays in which each metric was called changed, by design, with its range."""
    for outcomes in zip(*rows, strict=True):
        first, known = outcomes[0], [o.wrong for o in outcomes if o.wrong is not None]
        rate = proportion(sum(known), len(known), level=SURE)
        yield AARate(
            metric=first.metric,
            title=metrics[first.metric].title,
            design=first.design,
            looks=first.looks,
            published=len(known),
            wrong=sum(known),
            rate=rate.value if isinstance(rate, Estimate) else None,
            low=rate.low if isinstance(rate, Estimate) else None,
            high=rate.high if isinstance(rate, Estimate) else None,
            level=SURE,
            flag=("too often" if rate.low > alpha else "careful" if rate.high < alpha / 2 else "")
            if isinstance(rate, Estimate)
            else "never published",
        )


def _key(plan: Experiment, units: _Units, seed: int, week: Week) -> str:
    """Digest of all that a replay rests on, so that a run goes on only with its own."""
    total = hashlib.sha256(canonical_json([plan.model_dump(mode="json"), seed, str(week), units.by]).encode())
    total.update(canonical_json({m: d.model_dump(mode="json") for m, d in units.metrics.items()}).encode())
    total.update(library_digest().encode())
    for last, where, rows in units.looks:
        total.update(last.isoformat().encode() + where.tobytes())
        for column in rows.columns:
            total.update(json.dumps(column.to_pylist(), default=str).encode())
    return total.hexdigest()


class _Kept:
    """Replays that are done, a line each, below the key that they belong to."""

    def __init__(self, path: Path, key: str) -> None:
        self.path = path
        self.rows: list[list[Outcome]] = []
        lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
        if lines and lines[0] == key:
            for line in lines[1:]:
                try:
                    self.rows.append([Outcome(**o) for o in json.loads(line)])
                except (ValueError, TypeError):  # it was stopped while it wrote
                    break
        self._write("".join(f"{line}\n" for line in [key, *map(_line, self.rows)]), "w")

    def add(self, rows: Sequence[Sequence[Outcome]]) -> None:
        """Keep some more."""
        self._write("".join(f"{_line(r)}\n" for r in rows), "a")

    def _write(self, text: str, mode: str) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open(mode, encoding="utf-8") as out:
                out.write(text)
        except OSError as error:
            raise write_error(error, self.path, "run it again; what was replayed is kept") from error


def _line(row: Sequence[Outcome]) -> str:
    return json.dumps([asdict(o) for o in row])
