"""Rows about A/B tests: errors and coverage of designs by kinds of metrics, allocations, sizes and skew, as the workbench reads them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

import numpy as np
from gazette.record import NotPublished
from gazette.stats import Estimate
from rows._row import Row, row
from rows._users import CASES, LOOKS, Case, aggregates, growing_clusters, looks_of, plan_of

__all__ = ["filed", "grid", "growing", "one_look", "several_looks"]

SHARES = ((0.5, 0.5), (0.9, 0.1))
DESIGNS = {
    "O'Brien-Fleming": ("group-sequential", "obrien-fleming"),
    "Pocock": ("group-sequential", "pocock"),
    "confidence sequence": ("confidence-sequence", "obrien-fleming"),
}
HALF = 0.5
LARGE = 1_000_000  # users by whom a truth is known
READ_OFTEN = ("share", "mean", "revenue2", "ratio", "median", "clusters")


def _seed(*of: Any) -> np.random.Generator:
    return np.random.default_rng([2026, *(sum(map(ord, str(x))) for x in of)])


def _holds(found: Estimate | NotPublished, truth: float) -> bool | None:
    return found.low <= truth <= found.high if isinstance(found, Estimate) else None


def truth_of(case: Case) -> float:
    """Value of the control among very many users."""
    return case.truth(case.draw(np.random.default_rng(1), (1, LARGE))) if case.share is None else case.share


def one_look(
    case: Case,
    arms: tuple[int, int],
    runs: int,
    *,
    before: dict[str, float] | None = None,
    part: str = "Fixed, one look",
) -> list[Row]:
    """Errors without an effect; with one, whether the ranges of the difference, of the relative change and of the control hold."""
    users = sum(arms)
    plan, known = plan_of("fixed", users=users, shares=(arms[0] / users, arms[1] / users)), before or {}
    wrong: list[bool | None] = []
    held: dict[str, list[bool | None]] = {"difference": [], "relative": [], "own": []}
    base = truth_of(case)
    for looks in aggregates(case, _seed(case.name, arms, 0), runs, arms, effect=0.0):
        (reading,) = looks_of(plan, case, looks, last_only=True)
        found = reading.compare("m", "b")
        wrong.append(found.excludes_zero if isinstance(found.difference, Estimate) else None)
    for looks in aggregates(case, _seed(case.name, arms, 1), runs, arms, effect=case.effect):
        (reading,) = looks_of(plan, case, looks, last_only=True)
        found = reading.compare("m", "b")
        held["difference"].append(_holds(found.difference, base * case.effect))
        held["relative"].append(_holds(found.relative, case.effect))
        held["own"].append(_holds(reading.value("m", "a"), base))
    what = f"{case.name}, {arms[0]:,} and {arms[1]:,}"
    names = {"difference": "difference", "relative": "relative change", "own": "the control's own value"}
    rows = [row(part, what, "errs", wrong, before=known.get("errs"))]
    return rows + [row(part, f"{what}: {names[k]}", "covers", v, before=known.get(k)) for k, v in held.items()]


def several_looks(
    case: Case, arms: tuple[int, int], runs: int, *, designs: dict[str, tuple[str, str]], before: float | None = None
) -> list[Row]:
    """Errors over four looks without an effect, by design."""
    drawn = aggregates(case, _seed(case.name, arms, 2), runs, arms, effect=0.0, looks=LOOKS)
    return _over_looks(case, f"{case.name}, {arms[0]:,} and {arms[1]:,}", arms, drawn, designs, before)


def growing(
    case: Case, arms: tuple[int, int], runs: int, *, designs: dict[str, tuple[str, str]], weekly: float, spread: float
) -> list[Row]:
    """Errors over four looks of clusters that are there from the start, whose rows come week by week."""
    drawn = growing_clusters(_seed(case.name, arms, weekly, spread), runs, arms, weekly=weekly, spread=spread)
    sizes = "unequal clusters" if spread > HALF else "clusters nearly of one size"
    what = f"mean of rows, {sizes} whose rows come weekly{' at rates of their own' if weekly else ''}"
    return _over_looks(case, f"{what}, {arms[0]:,} and {arms[1]:,}", arms, drawn, designs, None)


def _over_looks(
    case: Case,
    what: str,
    arms: tuple[int, int],
    drawn: Iterable[list[dict[str, dict[str, Any]]]],
    designs: dict[str, tuple[str, str]],
    before: float | None,
) -> list[Row]:
    users = sum(arms)
    plans = {n: plan_of(m, s, users=users, shares=(arms[0] / users, arms[1] / users)) for n, (m, s) in designs.items()}
    wrong: dict[str, list[bool | None]] = {name: [] for name in plans}
    for looks in drawn:
        for name, plan in plans.items():
            found = [reading.compare("m", "b") for reading in looks_of(plan, case, looks)]
            there = [f for f in found if isinstance(f.difference, Estimate)]
            wrong[name].append(any(f.excludes_zero for f in there) if there else None)
    return [row(f"{name}, four looks", what, "errs", v, before=before) for name, v in wrong.items()]


def grid(scale: float) -> Iterator[partial[list[Row]]]:
    """The jobs of the grid: kind by allocation by size, read once, and by design at one size."""
    full = scale >= 1
    for key, case in CASES.items():
        sizes = case.sizes if full else case.sizes[1:2]
        for shares in SHARES:
            for users in sizes:
                arms = (round(users * shares[0]), users - round(users * shares[0]))
                runs = max(50, round((500 if users > case.sizes[1] else 1000) * scale))
                if min(arms) > 1:
                    yield partial(one_look, case, arms, runs)
            if key in READ_OFTEN and (full or shares == SHARES[0]):
                users = case.sizes[1]
                arms = (round(users * shares[0]), users - round(users * shares[0]))
                yield partial(several_looks, case, arms, max(50, round(400 * scale)), designs=DESIGNS)


def filed(scale: float) -> Iterator[partial[list[Row]]]:
    """The jobs of rows that were filed with what was published then."""
    runs = max(50, round(3000 * scale))
    part = "As filed"
    for expected, before in ((1, 0.36), (2, 0.139), (5, 0.087), (10, 0.067)):
        case = Case(
            f"share of {expected} %", CASES["share"].metric, CASES["share"].draw, share=expected / 100, effect=0.0
        )
        yield partial(one_look, case, (900, 100), runs, before={"errs": before}, part=part)
    for events, before in ((10, 0.92), (5, 0.88), (2, 0.66)):
        case = Case(
            f"share of {events / 10:g} %", CASES["share"].metric, CASES["share"].draw, share=events / 1000, effect=0.0
        )
        yield partial(one_look, case, (1000, 1000), runs, before={"relative": before}, part=part)
    for key, arms, known in (
        ("revenue2", (1800, 200), {"errs": 0.17}),
        ("revenue2", (9000, 1000), {"errs": 0.14}),
        ("revenue2", (1000, 1000), {"relative": 0.88}),
        ("revenue2", (200, 200), {"own": 0.63}),
        ("cuped", (1800, 200), {"errs": 0.086}),
        ("clusters", (5, 5), {"errs": 0.10}),
        ("clusters", (10, 10), {"errs": 0.08}),
        ("clusters", (20, 20), {"errs": 0.08}),
        ("clusters", (18, 2), {"errs": 0.17}),
        ("p99", (50, 50), {"errs": 0.73}),
        ("p99", (100, 100), {"errs": 0.30}),
        ("p99", (200, 200), {"errs": 0.10}),
        ("whole-median", (200, 200), {"errs": 0.117}),
    ):
        yield partial(one_look, CASES[key], arms, max(50, runs // 2), before=known, part=part)
    sequential = {"O'Brien-Fleming": DESIGNS["O'Brien-Fleming"]}
    for arms, before in (((5, 5), 0.16), ((10, 10), 0.11), ((20, 20), 0.09), ((18, 2), 0.28)):
        yield partial(several_looks, CASES["clusters"], arms, max(50, runs // 6), designs=sequential, before=before)
    planned = {name: DESIGNS[name] for name in ("O'Brien-Fleming", "Pocock")}
    for arms, weekly, spread in (((5, 5), 0.0, 0.9), ((5, 5), 6.0, 0.9), ((5, 5), 0.0, 0.1), ((10, 10), 6.0, 0.3)):
        yield partial(growing, CASES["clusters"], arms, runs, designs=planned, weekly=weekly, spread=spread)
