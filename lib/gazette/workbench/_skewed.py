"""Metrics of which a few users hold much: who holds how much of the total, and what that does to the range."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gazette import conclusions, stats
from gazette.record import NotPublished
from gazette.sources import column_of
from gazette.workbench._answers import moments, number, records

if TYPE_CHECKING:
    from gazette.workbench._numbers import ExperimentNumbers
    from gazette.workbench._reading import Effect, Reading

__all__ = ["held_by_largest", "skewed"]


def held_by_largest(reading: Reading, metric: str, arm: str) -> float | None:
    """Share of the total of control and treatment that the largest in a hundred users of either hold; None where it was not asked."""
    rows = [
        r
        for r in records(reading.table("largest"))
        if r["metric"] == metric and str(r["variant"]) in {reading.plan.control, arm}
    ]
    whole = sum(number(r["whole"]) for r in rows)
    return sum(number(r["top"]) for r in rows) / whole if whole > 0 else None


def skewed(bench: ExperimentNumbers, effect: Effect) -> conclusions.Skewed | None:
    """What is to be said of a metric whose range is bent or withheld as a few users hold much of it; None where it is neither."""
    reading, metric = bench.reading, effect.metric
    control, treatment, _, shares = reading.pair(metric, effect.arm)
    if isinstance(control, NotPublished) or isinstance(treatment, NotPublished) or shares:
        return None
    found = stats.skew_of(control, treatment)
    if not (found.withheld or found.bent):
        return None
    ratio, units = reading.metrics[metric].denominator is not None, bench.counted
    title, prefix = bench.params.metrics[metric].title, bench._prefix(effect.arm)  # noqa: SLF001  of the same room
    shared: dict[str, Any] = {"metric": metric, "cell": "scorecard"}
    rows = [reading.arms[a] for a in (reading.plan.control, effect.arm)]
    column = column_of(metric)
    own = [moments(r, column, int(r.get(f"{column}_n", r["n"]))) for r in rows]
    held = held_by_largest(reading, metric, effect.arm)
    return conclusions.Skewed(
        withheld=found.withheld,
        ratio=ratio,
        units=units,
        users=bench.add(
            f"{prefix}{metric}.compared",
            f"{title}, {units} compared",
            sum(m.n for m in own),
            unit="count",
            query="arms",
            **shared,
        ),
        effective=bench.add(
            f"{prefix}{metric}.effective",
            f"{title}, {units} {'that' if units == 'clusters' else 'who'} would make up the total if all had alike",
            stats.effective_users(*own),
            unit="count",
            query="arms",
            **shared,
        ),
        largest=None
        if held is None
        else bench.add(
            f"{prefix}{metric}.largest",
            f"{title}, share of the total that the largest in a hundred {units} hold",
            held,
            unit="fraction",
            query="largest",
            **shared,
        ),
        needed=bench.add(
            f"{prefix}{metric}.unskewed",
            f"{title}, {units} of the smaller arm that a range takes",
            found.needed,
            unit="count",
            query="arms",
            **shared,
        ),
    )
