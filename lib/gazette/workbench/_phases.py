"""Arms of a test whose allocation was moved while it ran, compared within days of one allocation."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gazette import stats
from gazette.record import NotPublished
from gazette.workbench._answers import number

__all__ = ["MOVED", "splits", "stratified", "too_few", "worst"]

MOVED = "the allocation was moved while the test ran, and this is not taken within days of one allocation"
ENDS = ("_mean", "_var", "_cov", "_third")
LACKS = ("_lack_mean", "_lack_cov", "_lack_pre_cov", "_lack_xxl_third", "_lack_xyl_third", "_lack_yyl_third")
POWERS = ("_den_power4", "_den_power5")  # which of a sum over phases do not say the degrees of freedom

# Below these a stretch that weighs much has far too narrow a range: its own variance is hardly known, and weighs as if it were.
FEWEST_USERS = 100
FEWEST_SHARES = 20  # expected successes and failures, of a proportion
ROUNDING = 1e-9  # of a number of users that was made of shares


def stratified(rows: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Aggregates per variant as if every arm had been filled by the days alike (post-stratification, Holt & Smith 1979).

    A phase weighs as many units as it has in all arms together, so a mean is the sum of weight times the phase's mean. Variances,
    covariances and third moments are such that, divided by the arm's units (squared), they are those of these means.

    Args:
        rows: Aggregates per phase and variant.

    Returns:
        Rows as the table ``arms`` has them, less those of units that lack a covariate. ``stretch`` is the fewest units that the arm
        has in a phase, and ``<metric>_stretch`` the fewest that one could expect to have 1 there, or 0, at the phase's rate in all arms.
    """
    found = [dict(r) for r in rows]
    sizes: dict[Any, int] = {}
    for row in found:
        sizes[row["phase"]] = sizes.get(row["phase"], 0) + int(row["n"])
    whole = sum(sizes.values())
    rates: dict[tuple[Any, str], float] = {}
    for row in found:
        for column in row:
            if column.endswith("_mean") and row["n"]:
                part = int(row["n"]) / sizes[row["phase"]] * number(row[column])
                rates[row["phase"], column] = rates.get((row["phase"], column), 0.0) + part
    arms: dict[str, dict[str, Any]] = {}
    for variant in dict.fromkeys(str(r["variant"]) for r in found):
        own = [r for r in found if str(r["variant"]) == variant]
        n = sum(int(r["n"]) for r in own)
        made: dict[str, Any] = {"variant": variant, "n": n}
        counts = dict.fromkeys(sizes, 0) | {r["phase"]: int(r["n"]) for r in own}
        made["stretch"] = min(counts.values())
        for column in own[0]:
            if _of_a_part(column, own[0]) or column in {"variant", "n", "phase"}:
                continue
            if not column.endswith(ENDS):
                made[column] = sum(number(r[column]) for r in own)
            elif column.endswith("_mean"):
                made[column] = math.fsum(sizes[r["phase"]] / whole * number(r[column]) for r in own)
                shares = [(n, rates[phase, column]) for phase, n in counts.items()]
                made[f"{column.removesuffix('_mean')}_stretch"] = min(n * min(p, 1 - p) for n, p in shares)
            else:
                power = 3 if column.endswith("_third") else 2
                made[column] = n ** (power - 1) * math.fsum(
                    (sizes[r["phase"]] / whole) ** power * number(r[column]) / int(r["n"]) ** (power - 1) for r in own
                )
        arms[variant] = made
    return arms


def _of_a_part(column: str, row: Mapping[str, Any]) -> bool:
    """Whether a column is of units that lack a metric's covariate, or of its denominator's powers; a metric may itself be called lack, or end so."""
    return any(column.endswith(end) and f"{column.removesuffix(end)}_mean" in row for end in (*LACKS, *POWERS))


def too_few(row: Mapping[str, Any], column: str, *, proportion: bool) -> NotPublished | None:
    """Why an arm cannot be compared within days of one allocation; None where it can.

    Args:
        row: Of the arm, from `stratified`; any other row has no such reason.
        column: The metric's.
        proportion: Whether every unit has 1 or 0.
    """
    users = row.get("stretch", FEWEST_USERS)
    if users < FEWEST_USERS:
        return NotPublished(
            reason=f"an arm has {users} users in days of one allocation, too few: {FEWEST_USERS} are needed"
        )
    if proportion and row.get(f"{column}_stretch", FEWEST_SHARES) < FEWEST_SHARES * (1 - ROUNDING):
        return NotPublished(
            reason=f"in days of one allocation fewer than {FEWEST_SHARES} users of an arm could be expected to do it, or not to"
        )
    return None


def worst(chances: Iterable[float | NotPublished]) -> float | NotPublished:
    """The smallest of several p-values, times their number (Bonferroni)."""
    known = [p for p in chances if not isinstance(p, NotPublished)]
    return min(1.0, min(known) * len(known)) if known else NotPublished(reason="no units")


def splits(phases: Sequence[tuple[Sequence[Sequence[int]], Sequence[float]]], *, daily: bool) -> float | NotPublished:
    """P-value of the split, each phase against its own shares.

    Args:
        phases: New units per arm, one row a day, and planned shares, of each phase.
        daily: Whether the split is watched day by day.
    """
    if daily:
        return worst([stats.sample_ratio_sequence(rows, weights) for rows, weights in phases])
    return worst([stats.sample_ratio([sum(c) for c in zip(*rows, strict=True)], w) for rows, w in phases if rows])
