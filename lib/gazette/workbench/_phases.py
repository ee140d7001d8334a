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
THIRDS = tuple(f"_lack_{pair}l_third" for pair in ("xx", "xy", "yy", "xp", "yp", "pp"))
LACKS = ("_lack_mean", "_lack_cov", "_den_lack_cov", "_lack_pre_cov", *THIRDS)
POWERS = ("_den_power4", "_den_power5")  # which of a sum over phases do not say the degrees of freedom

# Below these an arm is not compared; an arm counts as the users who, all in one stretch, would give as narrow a range.
FEWEST_USERS = 100
FEWEST_SHARES = 20  # expected successes and failures, of a proportion
ONE = 2  # users that a variance needs
ROUNDING = 1e-9  # of a number of users that was made of shares


def stratified(rows: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Aggregates per variant as if every arm had been filled by the days alike.

    A phase weighs as 1 / Σ(1/n) of its arms' units (overlap weights, Li & Li 2019, https://doi.org/10.1214/19-AOAS1282); of two arms these are
    the weights of a regression on the arm and the phase, so days in which one arm had few units count little. A mean is the sum of weight
    times the phase's mean; variances, covariances and third moments are such that, divided by the arm's units (squared), they are those
    of these means.

    Args:
        rows: Aggregates per phase and variant.

    Returns:
        Rows as the table ``arms`` has them, less those of units that lack a covariate. ``stretch`` is the number of units that would give as narrow a
        range if they had come in one phase, and ``<metric>_stretch`` how many of them one could expect to have 1, or 0, at the rate of all arms.
    """
    found = [dict(r) for r in rows]
    variants = [*dict.fromkeys(str(r["variant"]) for r in found)]
    sizes = {(r["phase"], str(r["variant"])): int(r["n"]) for r in found}
    weights = _weights(sizes, variants)
    rates = {c: _rate(found, c, weights) for c in (found[0] if found else ()) if c.endswith("_mean")}
    arms: dict[str, dict[str, Any]] = {}
    for variant in variants:
        every = [r for r in found if str(r["variant"]) == variant]
        own = [r for r in every if weights[r["phase"]]]
        n = sum(int(r["n"]) for r in every)
        units = 1 / math.fsum(weights[r["phase"]] ** 2 / int(r["n"]) for r in own) if own else 0.0
        made: dict[str, Any] = {"variant": variant, "n": n, "stretch": int(units + ROUNDING)}
        for column in every[0]:
            if _of_a_part(column, every[0]) or column in {"variant", "n", "phase"}:
                continue
            if not column.endswith(ENDS):
                made[column] = sum(number(r[column]) for r in every)
            elif column.endswith("_mean"):
                made[column] = math.fsum(weights[r["phase"]] * number(r[column]) for r in own)
                rate = rates[column]
                made[f"{column.removesuffix('_mean')}_stretch"] = units * min(rate, 1 - rate)
            else:
                power = 3 if column.endswith("_third") else 2
                made[column] = n ** (power - 1) * math.fsum(
                    weights[r["phase"]] ** power * number(r[column]) / int(r["n"]) ** (power - 1) for r in own
                )
        arms[variant] = made
    return arms


def _weights(sizes: Mapping[tuple[Any, str], int], variants: Sequence[str]) -> dict[Any, float]:
    """Weight of each phase; none where an arm has fewer units than a variance needs."""
    phases = dict.fromkeys(phase for phase, _ in sizes)
    units = {p: [sizes.get((p, v), 0) for v in variants] for p in phases}
    raw = {p: 1 / math.fsum(1 / n for n in ns) if min(ns) >= ONE else 0.0 for p, ns in units.items()}
    whole = math.fsum(raw.values())
    return {p: w / whole if whole else 0.0 for p, w in raw.items()}


def _rate(rows: Sequence[Mapping[str, Any]], column: str, weights: Mapping[Any, float]) -> float:
    """A metric's mean over the units of all arms of each phase, phases by their weight."""
    there = [r for r in rows if weights[r["phase"]]]
    sums = {p: (sum(int(r["n"]) for r in there if r["phase"] == p)) for p in weights}
    return math.fsum(weights[r["phase"]] * int(r["n"]) / sums[r["phase"]] * number(r[column]) for r in there)


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
            reason=f"within days of one allocation an arm counts as {users} users, too few: {FEWEST_USERS} are needed"
        )
    if proportion and row.get(f"{column}_stretch", FEWEST_SHARES) < FEWEST_SHARES * (1 - ROUNDING):
        return NotPublished(
            reason=f"within days of one allocation fewer than {FEWEST_SHARES} users of an arm could be expected to do it, or not to"
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
