"""Looks past the plan, after a change of plan, and at users whose values go on growing: against simulated tests, without any effect."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from gazette.recompute._arithmetic import Arm, planned_criticals
from gazette.recompute._looks import shared
from gazette.stats import Design, Moments, boundaries, information

RUNS = 40_000
CHANCE = 4 * math.sqrt(0.05 * 0.95 / RUNS)


def error(z: np.ndarray, bounds: list[float]) -> float:
    """Share of runs that cross at any look; z has a row a run."""
    return float((np.abs(z) > bounds).any(axis=1).mean())


def limits(
    amounts: list[float], clock: list[float], *, spending: str = "obrien-fleming", ends: bool = True
) -> list[float]:
    """Of each look as the editions would have taken them, one after the other."""
    found = []
    for k in range(1, len(amounts) + 1):
        last = ends and k == len(amounts)
        design = Design(
            method="group-sequential",
            alpha=0.05,
            units=1000,
            planned=1000,
            final=last,
            spending=spending,  # type: ignore[arg-type]
            information=tuple(amounts[:k]),
            times=tuple(clock[:k]),
        )
        found.append(design.critical())
    second = planned_criticals([*amounts], alpha=0.05, spending=spending, final=ends, clock=[*clock])
    assert second == pytest.approx(found, rel=1e-3)
    return found


@pytest.mark.parametrize("spending", ["obrien-fleming", "pocock"])
def test_two_clocks_agree_with_the_bivariate_normal(spending: str) -> None:
    """Error is spent by days, looks have in common what information says: crossing chances by scipy."""
    from scipy.stats import multivariate_normal  # noqa: PLC0415  slow to import

    from gazette.stats import spent  # noqa: PLC0415

    first, second = limits([3.0, 4.0], [0.3, 1.0], spending=spending)
    due = spent(0.3, spending=spending)  # type: ignore[arg-type]
    root = math.sqrt(3 / 4)
    normal = multivariate_normal(mean=[0, 0], cov=[[1, root], [root, 1]])
    alone = multivariate_normal(mean=[0], cov=[[1]])
    assert 1 - alone.cdf([first], lower_limit=[-first]) == pytest.approx(due, abs=1e-6)
    assert 1 - normal.cdf([first, second], lower_limit=[-first, -second]) == pytest.approx(0.05, abs=2e-5)


def test_a_look_past_the_plan_keeps_the_limit_of_the_last_increment() -> None:
    """The oracle: gsDesign's sfLDOF at 0.5 and 1 has the limits 2.963 and 1.969 (Jennison & Turnbull 2000)."""
    found = boundaries([0.5, 1.0, 1.5, 2.0])
    assert found == pytest.approx([2.963, 1.969, 1.969, 1.969], abs=1e-3)
    assert boundaries([0.5, 1.3])[1] < 2, "over-running spends what is left at once"
    assert planned_criticals([0.5, 1.0, 1.5], alpha=0.05, spending="obrien-fleming", final=False)[-1] == pytest.approx(
        1.9686, abs=1e-3
    )


def growing(looks: int, *, apart: float, users: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """z and estimated information of tests whose users all came in the first week and do something every week.

    ``apart`` is the share of a week's variance that is the user's own, so that weeks of a user are alike.
    """
    runs = 8000
    own = rng.standard_normal((2, runs, users), dtype=np.float32) * math.sqrt(apart)
    total = np.zeros((2, runs, users), dtype=np.float32)
    z, known = [], []
    for _ in range(looks):
        total += own + rng.standard_normal((2, runs, users), dtype=np.float32) * math.sqrt(1 - apart)
        square = total.var(axis=2, ddof=1).sum(axis=0) / users
        z.append((total[1].mean(axis=1) - total[0].mean(axis=1)) / np.sqrt(square))
        known.append((users / 2) ** 2 * square)
    return np.stack(z, axis=1), np.stack(known, axis=1)


@pytest.mark.parametrize("apart", [0.0, 0.5])
def test_users_who_all_came_at_once_are_looked_at_eight_times(apart: float) -> None:
    """18 and 10 % by looks that count users; information is as estimated in each test."""
    z, known = growing(8, apart=apart, rng=np.random.default_rng(1), users=40)
    clock = [k / 8 for k in range(1, 9)]
    bounds = np.array(limits([float(x) for x in known.mean(axis=0)], clock))
    assert (np.abs(z) > bounds).any(axis=1).mean() <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / len(z))
    assert (np.abs(z) > 1.96).any(axis=1).mean() > (0.15 if apart == 0 else 0.07), "the fault that this is about"


def windowed(weeks: int, rng: np.random.Generator, *, came: np.ndarray, users: int = 40) -> np.ndarray:
    """z of tests whose users came on these days and count for seven, each day bringing something, at each look that has whole users."""
    runs, found = 8000, []
    days = 7 * weeks
    each = rng.standard_normal((2, runs, users, 7), dtype=np.float32).cumsum(axis=3)
    for week in range(1, weeks + 1):
        through = came + 7 <= min(7 * week, days)
        if through.sum() > 1:
            value = each[:, :, through, 6]
            square = value.var(axis=2, ddof=1).sum(axis=0) / through.sum()
            found.append((value[1].mean(axis=1) - value[0].mean(axis=1)) / np.sqrt(square))
    return np.stack(found, axis=1)


@pytest.mark.parametrize("stretch", [7, 42])
def test_users_who_count_for_a_window_are_looks_of_whole_users(stretch: int) -> None:
    """All in week 1 of eight: the first look with whole users is the only one that decides. Over six weeks: looks by whole users."""
    came = np.arange(40) * stretch / 40
    z = windowed(8, np.random.default_rng(4), came=came)
    whole = [int((came + 7 <= 7 * week).sum()) for week in range(1, 9)]
    whole = [n for n in whole if n > 1]
    until = whole.index(40) + 1  # the size that was planned: the final look
    bounds = np.array(limits([float(n) for n in whole[:until]], [n / 40 for n in whole[:until]]))
    held = np.array([student_z(z[:, k], 2 * whole[k] - 2) for k in range(until)]).T
    assert until == (1 if stretch == 7 else 6)
    assert (np.abs(held) > bounds).any(axis=1).mean() <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / len(z))
    assert (np.abs(held) > bounds).any(axis=1).mean() >= 0.04, "and no less than is agreed"


def student_z(t: np.ndarray, degrees: int) -> np.ndarray:
    """The normal value that is as rare as Student's t."""
    from scipy.stats import norm  # noqa: PLC0415  slow to import
    from scipy.stats import t as student  # noqa: PLC0415

    return np.sign(t) * norm.isf(student.sf(np.abs(t), degrees))


def test_shares_that_go_on_growing_are_known_by_their_odds() -> None:
    """Users who came at once, each of whom does it at last: by week 8 nine of ten have. Correlations of z against the formula."""
    rng = np.random.default_rng(2)
    weeks = rng.geometric(0.25, size=(2, 30_000, 40))
    z = []
    for week in (2, 8):
        shares = (weeks <= week).mean(axis=2)
        z.append(shares[1] - shares[0])
    p = [1 - 0.75**2, 1 - 0.75**8]
    arms = [Moments(40, x, x * (1 - x) * 40 / 39) for x in p]
    first, last = (information(a, a, kind="share") for a in arms)
    assert first is not None
    assert last is not None
    assert np.corrcoef(z)[0, 1] == pytest.approx(math.sqrt(first / last), abs=0.02)


@pytest.mark.parametrize("spending", ["obrien-fleming", "pocock"])
@pytest.mark.parametrize("stop_at", [1.5, 2.0])
def test_an_end_that_is_moved_after_looking_spends_by_the_first_plan(spending: str, stop_at: float) -> None:
    """Whoever ends a test as soon as z looks good releases nothing: 18.6 and 14.5 % before."""
    rng = np.random.default_rng(3)
    looks = 8
    clock = [k / looks for k in range(1, looks + 1)]
    z = np.cumsum(rng.normal(size=(RUNS, looks)), axis=1) / np.sqrt(np.arange(1, looks + 1))
    bounds = np.array(limits(clock, clock, spending=spending))
    ended = np.where((np.abs(z) > stop_at).any(axis=1), (np.abs(z) > stop_at).argmax(axis=1), looks - 1)
    seen = np.arange(looks)[None, :] <= ended[:, None]
    early = limits(clock[:4], clock[:4], spending=spending, ends=False)
    assert early == pytest.approx(bounds[:4], rel=1e-6), "an early end is a look as any other"
    assert ((np.abs(z) > bounds) & seen).any(axis=1).mean() <= 0.05 + CHANCE


def test_information_that_falls_or_stays_spends_nothing() -> None:
    base = Design(method="group-sequential", alpha=0.05, units=100, planned=100, final=False)
    once = replace(base, information=(5.0,), times=(0.5,)).critical()
    again = replace(base, information=(5.0, 4.0), times=(0.5, 0.75)).critical()
    assert again == pytest.approx(once, abs=1e-3)
    assert replace(base, information=(5.0, 4.0, 8.0), times=(0.5, 0.75, 1.0), final=True).critical() < 2.1
    alike = replace(base, information=(5.0, 5.0), times=(0.5, 1.0), final=True).critical()
    assert alike == pytest.approx(1.96, abs=0.02), "the same data at the end are read once"


@pytest.mark.parametrize("kind", ["total", "share", "ratio", "whole"])
def test_information_is_that_of_the_second_computation(kind: str) -> None:
    from gazette.params import Metric  # noqa: PLC0415

    known = Metric.model_construct(
        denominator=object() if kind == "ratio" else None,
        quantile=None,
        covariate=None,
        fact=type("F", (), {"aggregation": "any"})() if kind == "share" else None,
    )
    arms = [Moments(120, 0.3, 0.211), Moments(80, 0.4, 0.243)]
    first = information(*arms, kind=kind)  # type: ignore[arg-type]
    second = shared(known, *(Arm(a.n, a.mean, a.variance) for a in arms), whole=kind == "whole")
    assert first == pytest.approx(second, rel=1e-12)
    assert information(Moments(0, 0.0, 0.0), arms[1]) is None
    assert information(Moments(9, 0.0, 0.0), Moments(9, 0.0, 0.0)) is None
