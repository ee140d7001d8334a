"""What a model is worth as numbers of its page: revenue, satisfaction, retention, each with its change on a month and a year ago."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from gazette import monitoring
from gazette.workbench import _business

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from gazette import stats
    from gazette.params import Business
    from gazette.record import NotPublished, Unit
    from gazette.workbench._bench import Bench

__all__ = ["add_changes", "add_worth"]

REVENUE = "revenue-per-unit"
AGO = {"month": ("four weeks before", 4), "year": ("a year before", 52)}


def add_changes(
    bench: Bench,
    suffix: str,
    title: str,
    now: stats.Estimate | NotPublished,
    before: Mapping[str, stats.Estimate | NotPublished],
    unit: Unit,
    **shared: Any,
) -> None:
    """Add ``<suffix>.month-change`` and ``<suffix>.year-change``; the two periods share no day, so errors add up."""
    for ago, then in before.items():
        change = monitoring.independent_difference(now, then)
        label = f"{title}, change on {AGO[ago][0]}"
        bench.add(f"{suffix}.{ago}-change", label, change, unit=unit, direction="higher", **shared)


def add_worth(bench: Bench, frame: pd.DataFrame, plan: Business) -> None:
    """Add the numbers of the last four whole weeks to a model's page."""
    end = bench.week_start + timedelta(days=7)
    periods = {"now": _business.period(frame, end)}
    periods |= {ago: _business.period(frame, end - timedelta(weeks=weeks)) for ago, (_, weeks) in AGO.items()}
    _revenue(bench, periods, plan)
    shared: dict[str, Any] = {"cell": "business", "query": "business"}
    points: dict[str, Any] = {"unit": "points", "metric": "nps", **shared}
    scores = {name: _business.nps(rows, plan.new) for name, rows in periods.items()}
    note = "Survey answers of the last four weeks."
    bench.add("nps", "Net promoter score, live model", scores["now"], note=note, direction="higher", **points)
    rest = _business.nps(periods["now"], plan.baseline)
    gap = monitoring.independent_difference(scores["now"], rest)
    bench.add("nps.vs-baseline", "Net promoter score, against the hold-out", gap, direction="higher", **points)
    before = {ago: scores[ago] for ago in AGO}
    add_changes(bench, "nps", "Net promoter score", scores["now"], before, **points)
    if "retention" in bench.params.metrics and "returning_users" in frame.columns:
        _retention(bench, periods, plan)


def _revenue(bench: Bench, periods: Mapping[str, pd.DataFrame | NotPublished], plan: Business) -> None:
    shared: dict[str, Any] = {"cell": "business", "query": "business"}
    money: dict[str, Any] = {"unit": "money", "metric": "revenue-effect", **shared}
    found = {name: _business.revenue_effect(rows, plan.new, plan.baseline) for name, rows in periods.items()}
    title, note = (
        "Revenue effect of the live model, last four weeks",
        "Against a hold-out of users on the baseline model.",
    )
    bench.add("revenue-effect", title, found["now"], note=note, direction="higher", **money)
    for ago, words in (("month", "the four weeks before"), ("year", "the same four weeks a year before")):
        bench.add(f"revenue-effect.{ago}-before", f"Revenue effect, {words}", found[ago], direction="higher", **money)
    if REVENUE in bench.params.metrics:
        against = _business.relative_effect(periods["now"], plan.new, plan.baseline)
        relative: dict[str, Any] = {**shared, "unit": "relative", "metric": REVENUE, "direction": "higher"}
        bench.add(f"{REVENUE}.vs-baseline", "Revenue per user, against the hold-out", against, **relative)
    add_changes(bench, "revenue-effect", "Revenue effect", found["now"], {a: found[a] for a in AGO}, **money)
    for ago, (words, _) in AGO.items():
        share = _business.relative_change(found["now"], found[ago])
        label = f"Revenue effect, relative change on {words}"
        bench.add(f"revenue-effect.{ago}-relative", label, share, **{**money, "unit": "relative"}, direction="higher")


def _retention(bench: Bench, periods: Mapping[str, pd.DataFrame | NotPublished], plan: Business) -> None:
    shared: dict[str, Any] = {"metric": "retention", "cell": "business", "query": "business"}
    found = {name: _business.cohort_retention(rows, plan.new) for name, rows in periods.items()}
    note = "Mean of the days of the last four weeks."
    title = "Returning users, live model"
    bench.add("retention", title, found["now"], unit="fraction", note=note, direction="higher", **shared)
    gap = _business.retention_gap(periods["now"], plan.new, plan.baseline)
    title = "Returning users, against the hold-out"
    bench.add("retention.vs-baseline", title, gap, unit="points", direction="higher", **shared)
    add_changes(bench, "retention", "Returning users", found["now"], {a: found[a] for a in AGO}, "points", **shared)
