"""What is missing, arm by arm, and whether as much is in each: values of a metric, what was known before, identifiers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gazette import display, stats
from gazette.display import Column, Table
from gazette.record import NotPublished
from gazette.workbench._answers import number
from gazette.workbench._phases import worst

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

    from gazette.params import Variant

__all__ = ["Lack", "lacks_of", "missing_table"]


@dataclass(frozen=True)
class Lack:
    """One thing that some rows lack.

    Attributes:
        metric: The metric that it counts against; empty where it counts against several.
        what: In words.
        p: The chance that so unlike shares have where nothing depends on the arm, or why it is not known.
        arms: Variant to its ``rows``, and how many of them are ``missing`` it.
    """

    metric: str
    what: str
    p: float | NotPublished
    arms: Mapping[str, Mapping[Any, Any]]


def lacks_of(frame: pd.DataFrame | None, *, control: str, clustered: bool = False) -> list[Lack]:
    """What the table ``missing`` says, but for what nobody lacks.

    Args:
        frame: Rows of variant, n, rows, missing, metric and what; where rows are in clusters also ``mean`` and ``variance`` of the
            clusters' shares, and where the allocation was moved per ``phase`` of one allocation, within which arms are compared. None
            where it was not asked, as by earlier code.
        control: The arm that others are compared with.
        clustered: Whether rows of a metric lie in clusters, in which they are alike.
    """
    if frame is None or frame.empty:
        return []
    found = []
    for (metric, what), part in frame.groupby(["metric", "what"], sort=False):
        phases = [p for _, p in part.groupby("phase")] if "phase" in part else [part]
        if "phase" in part:
            part = part.groupby("variant", as_index=False)[["n", "rows", "missing"]].sum()  # noqa: PLW2901  of all phases
        arms = _by_arm(part)
        if any(r["missing"] for r in arms.values()):
            p = _of_clusters(arms, control) if clustered and metric else worst(_of_rows(_by_arm(p)) for p in phases)
            found.append(Lack(str(metric), str(what), p, arms))
    return found


def missing_table(lacks: Iterable[Lack], variants: Iterable[Variant]) -> Table:
    """A row per arm and thing that is missing."""
    import pandas as pd  # noqa: PLC0415

    rows = [
        {
            "metric": lack.metric,
            "what": lack.what,
            "arm": variant.title,
            "rows": int(row["rows"]),
            "missing": int(row["missing"]),
            "share": row["missing"] / row["rows"] if row["rows"] else 0.0,
        }
        for lack in lacks
        for variant in variants
        if (row := lack.arms.get(variant.id))
    ]
    columns = {
        "what": Column("What is missing"),
        "arm": Column("Arm"),
        "rows": Column("Rows", "count"),
        "missing": Column("Without", "count"),
        "share": Column("Share", "fraction"),
    }
    caption = (
        "What is missing, arm by arm. A missing value counts against its own metric alone; its row stays in the split."
    )
    return display.table(pd.DataFrame(rows, columns=["metric", *columns]), "missing", caption, columns)


def _by_arm(part: pd.DataFrame) -> dict[str, Mapping[Any, Any]]:
    return {str(r["variant"]): r for r in part.to_dict("records")}


def _of_rows(arms: Mapping[str, Mapping[Any, Any]]) -> float | NotPublished:
    return stats.homogeneity([(int(r["missing"]), int(r["rows"])) for r in arms.values()])


def _of_clusters(arms: Mapping[str, Mapping[Any, Any]], control: str) -> float | NotPublished:
    """Welch's test of the clusters' shares, each arm against the control, times their number: rows of a cluster are alike."""
    sides = {arm: stats.Moments(int(r["n"]), number(r["mean"]), number(r["variance"])) for arm, r in arms.items()}
    least = []
    for arm in set(sides) - {control}:
        gap = stats.difference_of_means(sides[control], sides[arm])
        if isinstance(gap, stats.Estimate) and gap.p_value is not None:
            least.append(gap.p_value)
        elif max(s.variance for s in (sides[control], sides[arm])) == 0:  # one share in all of an arm
            least.append(_permuted(sides[control], sides[arm]))
    return min(1.0, min(least) * len(least)) if least else NotPublished(reason="too few clusters")


def _permuted(one: stats.Moments, other: stats.Moments) -> float:
    """P-value of the permutation test of two arms without variation: of all ways to deal out the clusters two are as extreme."""
    return 1.0 if one.mean == other.mean else min(1.0, 2 / math.comb(one.n + other.n, one.n))
