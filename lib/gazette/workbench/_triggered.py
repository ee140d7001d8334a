"""Of a test that only counts who met the change: how many of the assigned did, and what the effect is over everyone assigned."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gazette import display, stats
from gazette.record import NotPublished

if TYPE_CHECKING:
    from gazette.params import Metric
    from gazette.record import Number
    from gazette.workbench._numbers import ExperimentNumbers
    from gazette.workbench._reading import Reading

__all__ = ["diluted", "share_met", "triggered_facts", "triggered_numbers"]


def share_met(reading: Reading) -> float | NotPublished:
    """Share of everyone assigned to one arm that met the change; 1 where the test has no trigger."""
    if reading.plan.triggered is None:
        return 1.0
    everyone, met = (sum(sum(n.values()) for _, n in days) for days in (reading.daily, reading.met))
    return met / everyone if everyone else NotPublished(reason="no users yet")


def diluted(
    difference: stats.Estimate | NotPublished, share: float | NotPublished, metric: Metric
) -> stats.Estimate | NotPublished:
    """A difference among the triggered, spread over everyone who was assigned: times the share of them that was triggered.

    Who never met the change does the same in all arms. The share is taken as known: its own error is small beside that of the effect
    (Deng & Hu 2015, section 3).

    Args:
        difference: In the metric's unit, between arms.
        share: Of the assigned, those triggered.
        metric: What is measured.
    """
    if isinstance(difference, NotPublished):
        return difference
    if isinstance(share, NotPublished):
        return share
    if metric.denominator is not None or metric.quantile is not None:
        return NotPublished(
            reason="of a ratio or a quantile the effect over everyone does not follow from that on some"
        )
    return replace(
        difference,
        value=difference.value * share,
        low=difference.low * share,
        high=difference.high * share,
        standard_error=difference.standard_error * share,
        method=f"{difference.method}, times the share of the assigned that was triggered",
    )


def triggered_numbers(bench: ExperimentNumbers) -> dict[str, Number]:
    """Everyone assigned, and the share that was triggered; nothing where the test has no trigger."""
    if bench.plan.triggered is None:
        return {}
    everyone = sum(sum(n.values()) for _, n in bench.reading.daily)
    return {
        "assigned": bench.add(
            "assigned",
            "Users assigned to one arm",
            everyone,
            unit="count",
            metric="gazette.count",
            cell="status",
            query="assigned_per_day",
        ),
        "triggered": bench.add(
            "triggered",
            "Share of them that met the change",
            share_met(bench.reading),
            unit="fraction",
            metric="gazette.share",
            cell="status",
            query="triggered_per_day",
        ),
    }


def triggered_facts(bench: ExperimentNumbers, numbers: dict[str, Number]) -> dict[str, str]:
    """Who counts, and the effect over everyone, for the page."""
    plan, rows = bench.plan, bench.plan.triggered
    if rows is None or "triggered" not in numbers:
        return {}
    share, everyone = (display.format_number(numbers[k]) for k in ("triggered", "assigned"))
    found = {
        "Triggered": f"{share} of {everyone} users assigned have a row of {rows.table} after their assignment; only they count, each from the first on"
    }
    number = bench._numbers.get(f"{bench.subject}.{bench._prefix(bench.arm)}diluted")  # noqa: SLF001  of the same room
    if number is not None and number.published and bench.trusted:
        title = bench.params.metrics[plan.primary].title
        found["Over everyone assigned"] = (
            f"{title}, difference times that share: {display.format_number(number, 'interval')}"
        )
    return found
