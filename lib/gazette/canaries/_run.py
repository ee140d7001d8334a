"""The hidden tests through queries, freezing, reading, verdict and second computation; what became of each."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from gazette.canaries._certificate import Canary, Certificate, Count, Smallest
from gazette.canaries._people import (
    ALPHA,
    DAYS,
    LIFT,
    LIFTED,
    LOST,
    METRIC,
    PAIRS,
    SAME,
    SPLIT,
    TABLES,
    UNIT,
    lay_out,
    lifted_by,
)
from gazette.errors import EditionError
from gazette.params import load
from gazette.recompute import FOLDER, Inputs, ask, recompute
from gazette.record import NotPublished
from gazette.runs import Job, run_all
from gazette.snapshot import freeze, reopen
from gazette.sources import Answer, Period, Warehouse, experiment_answers
from gazette.stats import sample_ratio_sequence
from gazette.workbench import SPLIT_ALPHA, open_experiment

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from gazette.editions import Week
    from gazette.params import Params
    from gazette.record import Number, Record

__all__ = ["SURE", "certify"]

SURE = 0.001  # chance by which counts over editions may hold one back though all is well
FOLLOWS = {"arms", "quantiles", "caps"}  # answers in which a query's fault shows
STEPS = ("verdict", "scorecard", "checks", "segments", "emit")
SECONDS = 120
LOST_IN_WORDS = {0.0: "a single row", 0.05: "5 % of the rows", 0.1: "10 % of the rows"}


@dataclass(frozen=True)
class _Read:
    """A hidden test as an edition would publish it: its record, and numbers that come out otherwise the second time."""

    record: Record
    disagree: tuple[str, ...]

    def number(self, part: str) -> Number | None:
        """The number of this record whose id ends so."""
        return next((n for n in self.record.numbers if n.id == f"{self.record.subject}.{part}"), None)

    @property
    def state(self) -> str:
        """Of the verdict."""
        return self.record.verdicts[0].state

    @property
    def rule(self) -> str:
        """Of the verdict."""
        return self.record.verdicts[0].rule


def certify(week: Week, *, before: Certificate | None, scratch: Path) -> Certificate:
    """Run the hidden tests of a week.

    Args:
        week: From which their users are drawn: the same week gives the same certificate.
        before: Of the newest earlier edition that has one; its counts go on.
        scratch: An empty folder for the hidden project; the caller removes it.

    Raises:
        EditionError: A hidden test was not caught, or chance was wrong more often than it may be; each is named.
    """
    root = scratch / "project"
    rows = lay_out(root, week, week.cutoff().isoformat())
    read = _read_all(root, week)
    false = read[SAME].state in {"benefit shown", "harm shown"}
    lifted = read[LIFTED].number(f"{METRIC}.difference")
    span = lifted.interval if lifted is not None else None
    held = span is not None and span.low <= lifted_by() <= span.high
    found = Certificate(
        edition=str(week),
        canaries=tuple(c.model_copy(update=_figures(read[c.id])) for c in _judged(read)),
        false_alarms=_counted(before.false_alarms if before is not None else None, wrong=false, stated=ALPHA),
        missed=_counted(before.missed if before is not None else None, wrong=not held, stated=ALPHA),
        smallest=(_smallest_query(read, rows), _smallest_split()),
    )
    _refuse(found)
    return found


# ---- the path


def _read_all(root: Path, week: Week) -> dict[str, _Read]:
    """Every hidden test, and those of the lift whose query has a fault."""
    params = load(root / "params")
    period = Period(week.cutoff() - timedelta(days=7), week.cutoff(), 2)
    records: dict[str, Record] = {}
    with Warehouse(params.site.warehouse, project=root) as warehouse:
        answers: dict[str, list[Answer]] = {}
        for test, plan in params.experiments.items():
            answers[test] = experiment_answers(warehouse, plan, params.metrics, period)
            freeze(test, answers[test], root / "snapshot" / test)
            records[test] = _by_notebook(root, test, week) if test == LIFTED else _by_steps(root, test, week)
        for name, table in TABLES.items():
            faulty = _with_fault(warehouse, params, period, table)
            place = root.parent / name
            shutil.copytree(root / "params", place / "params")
            shutil.copy(root / "edition.json", place)
            freeze(LIFTED, [faulty.get(a.name, a) for a in answers[LIFTED]], place / "snapshot" / LIFTED)
            records[name] = _by_steps(place, LIFTED, week)
        freeze(
            FOLDER,
            ask(warehouse, [*params.experiments.values()], params.metrics, period, {}),
            root / "snapshot" / FOLDER,
        )
    return {name: _Read(record, tuple(_disagreeing(root, params, week, record))) for name, record in records.items()}


def _with_fault(warehouse: Warehouse, params: Params, period: Period, table: str) -> Mapping[str, Answer]:
    """Answers to queries that read another table than the definition says."""
    metric = params.metrics[METRIC]
    assert metric.fact is not None  # noqa: S101  it is ours
    wrong = metric.model_copy(update={"fact": metric.fact.model_copy(update={"table": table})})
    needed = FOLLOWS.__contains__
    found = experiment_answers(warehouse, params.experiments[LIFTED], {METRIC: wrong}, period, needed)
    return {a.name: a for a in found}


def _by_steps(root: Path, test: str, week: Week) -> Record:
    """The record by the functions that a notebook calls."""
    return open_experiment(test, edition=str(week), root=root).emit().record


def _by_notebook(root: Path, test: str, week: Week) -> Record:
    """The record as a notebook's output, run as all notebooks are.

    Raises:
        EditionError: The notebook failed.
    """
    template, output = root / "notebooks" / "hidden.ipynb", root / "executed" / f"{test}.ipynb"
    head = f'subject = "{test}"\nedition = "{week}"\nroot = "."'
    opened = (
        "from gazette.workbench import open_experiment\n\ntest = open_experiment(subject, edition=edition, root=root)"
    )
    cells: list[dict[str, Any]] = [
        {
            "cell_type": "code",
            "id": f"cell-{place}",
            "metadata": {} if place else {"tags": ["parameters"]},
            "source": source,
            "execution_count": None,
            "outputs": [],
        }
        for place, source in enumerate([head, opened, *(f"test.{step}()" for step in STEPS)])
    ]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    content = {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    for folder in (template.parent, output.parent):
        folder.mkdir()
    template.write_text(json.dumps(content), encoding="utf-8")
    job = Job(
        page=test,
        kind="experiment",
        title=test,
        owner="gazette",
        template=template,
        parameters={"subject": test, "edition": str(week), "root": "."},
        cwd=root,
        output=output,
        timeout=SECONDS,
    )
    (outcome,) = run_all([job], workers=1)
    if outcome.record is None:
        why = outcome.failure.what if outcome.failure is not None else "it gave no record"
        raise EditionError(f"the notebook of a hidden test failed: {why}", mend="run it again; else report it")
    return outcome.record


def _disagreeing(root: Path, params: Params, week: Week, record: Record) -> Iterable[str]:
    """Ids of numbers of a hidden test that come out otherwise the second time."""
    inputs = Inputs(
        subjects=[*params.experiments.values()],
        metrics=params.metrics,
        versions={},
        past={test: [] for test in params.experiments},
        last=week.end,
    )
    _, wrong = recompute(reopen(root / "snapshot" / FOLDER), inputs, [record])
    return (d.number.id for d in wrong)


# ---- what became of each


def _judged(read: Mapping[str, _Read]) -> Iterable[Canary]:
    lift, split = read[LIFTED], read[SPLIT]
    yield Canary(
        id=LIFTED,
        planted=f"A known lift of {100 * LIFT:.0f} % among {PAIRS} users in each arm.",
        must="The verdict is not harm, every check passes, and both computations agree.",
        found=f"{lift.state}; {_said(lift)}",
        known=_twelve(lifted_by()),
        caught=lift.state not in {"harm shown", "not trustworthy", "not published"} and not lift.disagree,
    )
    same = read[SAME]
    yield Canary(
        id=SAME,
        planted="Two equal arms (A/A).",
        must="It can be read, and both computations agree. Whether a change is shown is counted below.",
        found=f"{same.state}; {_said(same)}",
        known=0.0,
        caught=same.state not in {"not trustworthy", "not published"} and not same.disagree,
    )
    yield Canary(
        id=SPLIT,
        planted="A broken split: the assignment of 15 % of one arm's users is lost.",
        must="The check of the split fails, and no verdict is given.",
        found=f"{split.state} ({split.rule}); {_said(split)}",
        caught=split.state == "not trustworthy" and split.rule.startswith("gate-sample-ratio") and not split.disagree,
    )
    yield _by_second(read, UNIT, "A unit error: the query counts cents as dollars.")
    for name, share in LOST.items():
        yield _by_second(read, name, f"A biased query: it loses {LOST_IN_WORDS[share]} of one arm.")


def _figures(read: _Read) -> dict[str, float | None]:
    """The difference as it was read."""
    number = read.number(f"{METRIC}.difference")
    if number is None or isinstance(number.value, NotPublished):
        return {}
    span = number.interval
    ends = {"low": None, "high": None} if span is None else {"low": _twelve(span.low), "high": _twelve(span.high)}
    return {"value": _twelve(number.value), **ends}


def _twelve(value: float) -> float:
    """Sums of floats differ in their last digits from run to run."""
    return float(f"{value:.12g}")


def _by_second(read: Mapping[str, _Read], name: str, planted: str) -> Canary:
    """A fault of a query, which the second computation has to see in the metric's own numbers."""
    seen = f"{LIFTED}.{METRIC}.difference" in read[name].disagree
    must = "The second computation disagrees on the difference."
    return Canary(id=name, planted=planted, must=must, found=_said(read[name]), caught=seen)


def _said(read: _Read) -> str:
    if not read.disagree:
        return "both computations agree"
    many = len(read.disagree)
    return f"the second computation disagrees on {many} number{'s' * (many != 1)}"


def _smallest_query(read: Mapping[str, _Read], rows: int) -> Smallest:
    """Of what was planted, the smallest loss of rows from which on all are seen."""
    shares = {name: share or 1 / rows for name, share in LOST.items()}
    seen: float | None = None
    for name in sorted(shares, key=lambda n: -shares[n]):
        if f"{LIFTED}.{METRIC}.difference" not in read[name].disagree:
            break
        seen = shares[name]
    lost = 0 if seen is None else round(seen * rows)
    return Smallest(
        what="rows that a query loses in one arm", share=seen, lost=lost, of=rows, by="the second computation"
    )


def _smallest_split() -> Smallest:
    """By halving: the fewest users that one arm loses, evenly over the days, for the check of the split to fail."""

    def fails(lost: int) -> bool:
        daily = [
            (PAIRS // DAYS, PAIRS // DAYS - (lost * (day + 1) // DAYS - lost * day // DAYS)) for day in range(DAYS)
        ]
        p = sample_ratio_sequence(daily, [0.5, 0.5])
        return not isinstance(p, NotPublished) and p < SPLIT_ALPHA

    what, by = "users whose assignment is lost in one arm", "the check of the split"
    least, most = 0, PAIRS // 2
    if not fails(most):
        return Smallest(what=what, share=None, lost=0, of=PAIRS, by=by)
    while most - least > 1:
        middle = (least + most) // 2
        least, most = (least, middle) if fails(middle) else (middle, most)
    return Smallest(what=what, share=most / PAIRS, lost=most, of=PAIRS, by=by)


def _counted(before: Count | None, *, wrong: bool, stated: float) -> Count:
    """One draw more."""
    from scipy.stats import binom  # noqa: PLC0415  slow to import

    draws = 1 + (before.draws if before is not None else 0)
    many = int(wrong) + (before.wrong if before is not None else 0)
    editions = 1 + (before.editions if before is not None else 0)
    chance = round(float(binom.sf(many - 1, draws, stated)), 12)
    return Count(editions=editions, draws=draws, wrong=many, stated=stated, chance=chance, here=int(wrong))


def _refuse(found: Certificate) -> None:
    wrong = [f"{c.id}: {c.planted} {c.must} Found: {c.found}." for c in found.canaries if not c.caught]
    for count, what in (
        (found.false_alarms, "tests of two equal arms showed a change"),
        (found.missed, "ranges did not hold a known lift"),
    ):
        if count.chance < SURE:
            wrong.append(
                f"{count.wrong} of {count.draws} hidden {what}, over {count.editions} editions: the chance of so many is {count.chance:.2g}"
            )
    wrong += [f"{s.what}: no loss that was tried is caught by {s.by}" for s in found.smallest if s.share is None]
    if wrong:
        listing = "\n".join(f"  - {w}" for w in wrong)
        raise EditionError(
            f"{len(wrong)} hidden test{'s' * (len(wrong) != 1)} of edition {found.edition} came out otherwise than known\n{listing}",
            mend="a check, a query or a method of the library is not what it was, so nothing was sealed: report it, or go back to the version "
            "before. 'canaries: false' in params/site.yml publishes without hidden tests, and the provenance page says so",
        )
