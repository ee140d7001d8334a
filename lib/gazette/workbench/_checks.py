"""The checks of a test: what has to hold before any verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gazette import conclusions
from gazette.record import NotPublished

if TYPE_CHECKING:
    from gazette.params import Experiment
    from gazette.record import Number
    from gazette.workbench._matched import Matched, Repeated, Several
    from gazette.workbench._missing import Lack
    from gazette.workbench._numbers import ExperimentNumbers

__all__ = ["SPLIT_ALPHA", "checks", "days_of"]

SPLIT_ALPHA = 0.01  # of a planned split a few checks a test may alarm falsely; a true loss of users must not pass
BALANCE_ALPHA = 0.001
CROSSED_LIMIT = 0.01


def checks(bench: ExperimentNumbers, days: Number) -> tuple[conclusions.Check, ...]:
    """The gates before any verdict, the gravest first."""
    reading, plan = bench.reading, bench.plan
    shared: dict[str, Any] = {"metric": plan.primary, "cell": "checks"}
    counts: dict[str, Any] = {**shared, "metric": "gazette.count"}
    split, drift, balance = reading.split(), reading.split_sequence(), reading.balance()
    crossed, missing = reading.crossed(), reading.missing_days()
    made: list[tuple[Any, Number, bool | None]] = [
        (
            "sample-ratio",
            bench.add("split", "Chance of so uneven a split", split, unit="number", query="arms", **shared),
            _above(split, SPLIT_ALPHA),
        ),
        (
            "sample-ratio-sequence",
            bench.add("drift", "The same, watched daily", drift, unit="number", query="assigned_per_day", **shared),
            _above(drift, SPLIT_ALPHA),
        ),
        (
            "exposure",
            bench.add("crossed", "Users seen in several arms", crossed, unit="count", query="exposure", **counts),
            None if isinstance(crossed, NotPublished) else crossed <= CROSSED_LIMIT * (reading.units + crossed),
        ),
        (
            "balance",
            bench.add("balance", "Chance of so unlike a start", balance, unit="number", query="arms", **shared),
            _above(balance, BALANCE_ALPHA),
        ),
        (
            "missing-days",
            bench.add("missing", "Days without anybody", missing, unit="count", query="assigned_per_day", **counts),
            missing == 0,
        ),
        ("minimum-run", days, reading.days >= min(plan.minimum_days, days_of(plan))),
    ]
    if plan.triggered is not None:
        met = reading.split_of_triggered()
        title = "Chance of so uneven a split of those triggered"
        number = bench.add("triggered-drift", title, met, unit="number", query="triggered_per_day", **shared)
        made.insert(2, ("sample-ratio-triggered", number, _above(met, SPLIT_ALPHA)))
    lost = reading.accounted.unknown()
    if lost is not None:  # editions of earlier code did not ask
        who = bench.add("unaccounted", "In no arm that the file knows", lost, unit="count", query="accounted", **counts)
        made.insert(0, ("accounted", who, lost == 0))
    if not isinstance(drift, NotPublished):  # read every week, a single test would alarm more often than it says
        made = [row for row in made if row[0] != "sample-ratio"]
    if (broken := reading.broken_plan()) and "" in broken:
        changed = bench.add(
            "plan-broken", "Changes of the plan", len(broken[""]), unit="count", query="looks", **counts
        )
        made.insert(0, ("plan-locked", changed, False))
    checks = [conclusions.Check(name=name, number=number, passed=ok) for name, number, ok in made]
    checks += [check for one in bench.matched if (check := _matching(bench, one)) is not None]
    checks += [_several_values(bench, one) for one in bench.several]
    checks += [_repeated_rows(bench, i, one) for i, one in enumerate(bench.repeated)]
    checks += [_redefined(bench, m, len(what)) for m, what in broken.items() if m in plan.metrics]
    return (*checks, *(_evenly(bench, i, lack) for i, lack in enumerate(bench.lacks)))


def _redefined(bench: ExperimentNumbers, metric: str, changes: int) -> conclusions.Check:
    """The check that fails a metric, other than the primary, whose definition is not that of the first look."""
    made = bench.add(
        f"redefined.{metric}",
        f"Changes of the definition: {bench.params.metrics[metric].title}",
        changes,
        unit="count",
        metric="gazette.count",
        cell="checks",
        query="looks",
    )
    of = bench.params.metrics[metric].title
    return conclusions.Check(name="plan-locked", number=made, passed=False, metric=metric, of=of)


def _matching(bench: ExperimentNumbers, one: Matched) -> conclusions.Check | None:
    """Whether rows are of anybody; shown for the primary metric, and for any other where they are not."""
    of = "" if one.part == "value" else f", {one.part}"
    number = bench.add(
        f"{one.metric}.matched{of and '-' + one.part}",
        f"Users with a row, {bench.params.metrics[one.metric].title}{of}",
        one.users,
        unit="count",
        metric="gazette.count",
        cell="checks",
        query="matched",
    )
    if not one.why and (one.metric, one.part) != (bench.plan.primary, "value"):
        return None
    return conclusions.Check(name="matched", number=number, passed=not one.why, metric=one.metric, of=one.why)


def _several_values(bench: ExperimentNumbers, one: Several) -> conclusions.Check:
    """A warning: of several values one is taken, by rule."""
    number = bench.add(
        f"several.{one.name}",
        f"Users with several values of {one.what}",
        sum(one.arms.values()),
        unit="count",
        metric="gazette.count",
        cell="checks",
        query="several",
    )
    return conclusions.Check(name="several-values", number=number, passed=True, warns=True, of=one.what)


def _repeated_rows(bench: ExperimentNumbers, place: int, one: Repeated) -> conclusions.Check:
    """A warning: what was loaded twice counts twice, and nothing in the rows tells it from what happened twice."""
    again = sum(other.metric == one.metric for other in bench.repeated[:place])
    number = bench.add(
        f"{one.metric}.repeated{f'-{again + 1}' if again else ''}",
        f"Rows of {one.table} that repeat another, {one.day:%d %B}",
        one.share,
        unit="fraction",
        metric=one.metric,
        cell="checks",
        query="repeated",
        n=one.rows,
    )
    of = f"{one.table}, {one.day:%A}"
    return conclusions.Check(name="repeated-rows", number=number, passed=True, warns=True, metric=one.metric, of=of)


def _evenly(bench: ExperimentNumbers, place: int, lack: Lack) -> conclusions.Check:
    """Whether as much is missing in each arm; the second thing that a metric lacks has a number of its own."""
    before = sum(other.metric == lack.metric for other in bench.lacks[:place])
    again = f"-{before + 1}" if before else ""
    number = bench.add(
        f"missing.{lack.metric}{again}" if lack.metric else f"missing.of-all-{place}",
        f"Chance of so unlike shares: {lack.what}",
        lack.p,
        unit="number",
        metric=lack.metric or bench.plan.primary,
        cell="checks",
        query="missing",
    )
    passed = None if isinstance(lack.p, NotPublished) else lack.p >= SPLIT_ALPHA
    return conclusions.Check(name="missing-values", number=number, passed=passed, metric=lack.metric, of=lack.what)


def _above(p: float | NotPublished, limit: float) -> bool | None:
    return None if isinstance(p, NotPublished) else p >= limit


def days_of(plan: Experiment) -> int:
    return (plan.end - plan.start).days + 1
