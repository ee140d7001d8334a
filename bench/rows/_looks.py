"""Rows about the design of a test: looks that were not planned so, ends that move, planned power, the split, what is said of an early stop."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial

import numpy as np
from gazette import stats
from gazette.conclusions import MetricResult, guardrail_of
from gazette.record import Interval, Number
from gazette.stats import Estimate
from rows._row import Row, row
from rows._users import CASES, LOOKS, START, WEEK, aggregates, plan_of
from gazette.workbench._drawn import DrawnReading, read_looks
from datetime import timedelta

__all__ = ["jobs"]

PART = "As filed: the design of a test"
Z80 = 0.8416


def growing(runs: int, *, apart: float, more: int, before: float, users: int = 50, weeks: int = 8) -> list[Row]:
    """All users come in the first week, or ``more`` an arm each week, and do something every week; a share of what they do is their own."""
    rng, wrong = np.random.default_rng(24), []
    for _ in range(runs):
        own = rng.normal(size=(2, users + more * weeks)) * math.sqrt(apart)
        total, z, known = np.zeros_like(own), [], []
        for week in range(weeks):
            n = users + more * (week + 1)
            total[:, :n] += own[:, :n] + rng.normal(size=(2, n)) * math.sqrt(1 - apart)
            arms = [stats.Moments(n, float(t[:n].mean()), float(t[:n].var(ddof=1))) for t in total]
            z.append(abs(_z(arms[0], arms[1])))
            known.append(stats.information(arms[0], arms[1]) or 0.0)
        known = np.maximum.accumulate(known) * (1 + 1e-9) ** np.arange(weeks)
        clock = [(i + 1) / weeks for i in range(weeks)]
        bounds = stats.boundaries([float(k) for k in known], final=True, times=clock)
        wrong.append(any(a > b for a, b in zip(z, bounds, strict=True)))
    kind = "half of a week their own" if apart else f"{more} more an arm a week" if more else "their weeks independent"
    return [row(PART, f"all users in the first of eight weeks, {kind}", "errs", wrong, before=before)]


def _z(control: stats.Moments, treatment: stats.Moments) -> float:
    found = stats.difference_of_means(control, treatment)
    return found.z or 0.0 if isinstance(found, Estimate) else 0.0


def end_moved(runs: int, *, method: str, spending: str, before: float) -> list[Row]:
    """The end is moved to wherever z would pass the limit of an end there; the ledger holds the first plan."""
    case, plan = CASES["mean"], plan_of(method, spending, users=400, shares=(0.5, 0.5))
    wrong: list[bool | None] = []
    for looks in aggregates(case, np.random.default_rng(25), runs, (200, 200), effect=0.0, looks=LOOKS):
        days = [START + timedelta(days=WEEK * (k + 1) - 1) for k in range(LOOKS)]
        read: list[DrawnReading] = []
        for k, (day, arms) in enumerate(zip(days, looks, strict=True)):
            past = read[-1].taken() if read else []
            here = DrawnReading(plan, case.metrics, arms, last=day, past=past, edition=f"2026-W{k + 2:02}")
            ended = DrawnReading(
                plan.model_copy(update={"end": day}),
                case.metrics,
                arms,
                last=day,
                past=past,
                edition=f"2026-W{k + 2:02}",
            )
            near = here.compare("m", "b").difference
            if isinstance(near, Estimate) and abs(near.z or 0.0) > 1.96:
                read.append(ended)
                break
            read.append(here)
        one = method == "fixed"
        wrong.append(any(r.compare("m", "b").excludes_zero and (not one or r.complete) for r in read))
    name = {"group-sequential": {"pocock": "Pocock"}.get(spending, "O'Brien-Fleming")}.get(method, method)
    return [row(PART, f"the end moved to where it looks good, {name}", "errs", wrong, before=before)]


def put_off(runs: int, *, method: str, before: float) -> list[Row]:
    """A test that ended undecided after two of four weeks is put off to the fourth: what a final look said is final."""
    case, wrong = CASES["mean"], []
    short = plan_of(method, users=200, shares=(0.5, 0.5)).model_copy(
        update={"end": START + timedelta(days=2 * WEEK - 1)}
    )
    long = plan_of(method, users=400, shares=(0.5, 0.5))
    for looks in aggregates(case, np.random.default_rng(26), runs, (200, 200), effect=0.0, looks=LOOKS):
        past, bad = [], False
        for k, arms in enumerate(looks):
            day = START + timedelta(days=WEEK * (k + 1) - 1)
            plan = short if k < LOOKS // 2 else long
            reading = DrawnReading(plan, case.metrics, arms, last=day, past=past, edition=f"2026-W{k + 2:02}")
            if reading.closing is None and (method != "fixed" or reading.complete):
                bad |= reading.compare("m", "b").excludes_zero
            past = reading.taken()
        wrong.append(bad)
    return [row(PART, f"ended undecided, then put off to twice its size, {method}", "errs", wrong, before=before)]


def past_the_plan(runs: int) -> list[Row]:
    """Planned for half of the users who come: looks at 0.5, 1, 1.5 and 2 times the plan."""
    case, plan = CASES["share"], plan_of("group-sequential", users=1000, shares=(0.5, 0.5))
    wrong = []
    for looks in aggregates(case, np.random.default_rng(27), runs, (1000, 1000), effect=0.0, looks=LOOKS):
        days = [START + timedelta(days=WEEK * (k + 1) - 1) for k in range(LOOKS)]
        wrong.append(
            any(
                r.compare("m", "b").excludes_zero for r in read_looks(plan, case.metrics, zip(days, looks, strict=True))
            )
        )
    return [row(PART, "looks at 0.5, 1, 1.5 and 2 times the planned size", "errs", wrong)]


def contradictions(runs: int) -> list[Row]:
    """Whether difference and relative change say the same of ten events an arm without an effect."""
    rng, found = np.random.default_rng(28), []
    for x, y in rng.binomial(1000, 0.01, (runs, 2)):
        pair = (int(x), 1000), (int(y), 1000)
        gap, change = stats.difference_of_proportions(*pair), stats.relative_of_proportions(*pair)
        both = isinstance(gap, Estimate) and isinstance(change, Estimate)
        found.append((gap.low > 0) != (change.low > 0) or (gap.high < 0) != (change.high < 0) if both else None)
    return [row(PART, "verdict and relative change contradict each other, ten events", "errs", found, before=0.08)]


def _number(value: float, low: float = 0.0, high: float = 0.0) -> Number:
    return Number.model_construct(value=value, interval=Interval.model_construct(low=low, high=high))


def guardrails(runs: int) -> list[Row]:
    """A guardrail whose true loss is just its margin is called broken by chance alone."""
    rng, rows = np.random.default_rng(29), []
    for base, n, margin in ((0.02, 5000, 0.1), (0.1, 1000, 0.1), (0.01, 5000, 0.02)):
        broken = []
        for x, y in zip(rng.binomial(n, base, runs), rng.binomial(n, base * (1 - margin), runs), strict=True):
            pair = (int(x), n), (int(y), n)
            gap, change = stats.difference_of_proportions(*pair), stats.relative_of_proportions(*pair)
            if not isinstance(gap, Estimate) or not isinstance(change, Estimate):
                broken.append(None)
                continue
            result = MetricResult(
                metric="m",
                title="",
                role="guardrail",
                higher_is_better=True,
                control=_number(int(x) / n),
                treatment=_number(int(y) / n),
                difference=_number(gap.value, gap.low, gap.high),
                relative=_number(change.value, change.low, change.high),
                margin=margin,
            )
            broken.append(guardrail_of(result) == "broken")
        what = f"a guardrail at its margin of {100 * margin:.0f} %, share of {100 * base:.0f} %, {n:,} an arm: broken"
        rows.append(row(PART, what, "errs", broken, nominal=0.025, before=0.077))
    return rows


def planned_power(runs: int) -> list[Row]:
    """Tests of a size that `stats.plan` gives for 80 %, with the effect that it was planned for."""
    rng, rows = np.random.default_rng(30), []
    for shares, method, spending, before in (
        ((0.9, 0.1), "fixed", "obrien-fleming", 0.39),
        ((0.5, 0.5), "confidence-sequence", "obrien-fleming", 0.36),
        ((0.5, 0.5), "group-sequential", "pocock", 0.70),
        ((0.5, 0.5), "group-sequential", "obrien-fleming", None),
    ):
        planned = stats.plan(0.1, 0.09, 0.1, shares=shares, per_day=1000, method=method, spending=spending)
        assert isinstance(planned, stats.Planned) and planned.days
        looks = max(1, math.ceil(planned.days / WEEK))
        times = np.arange(1, looks + 1) / looks
        drift = 0.01 / math.sqrt(0.09 * (1 / shares[0] + 1 / shares[1]) / planned.units)
        z = np.cumsum(rng.normal(drift / looks, 1 / math.sqrt(looks), (runs, looks)), axis=1) / np.sqrt(times)
        if method == "fixed":
            limits = np.array([np.inf] * (looks - 1) + [stats.z_of(0.95)])
        elif method == "group-sequential":
            limits = np.array(stats.boundaries([float(t) for t in times], spending=spending, final=True))
        else:
            limits = np.array(
                [stats.confidence_sequence_z(max(1, int(t * planned.units)), n_star=planned.units) for t in times]
            )
        found = (np.abs(z) > limits).any(axis=1)
        what = f"planned for 80 %: {method}{f' ({spending})' if method == 'group-sequential' else ''}, {shares[0] * 100:.0f}/{shares[1] * 100:.0f}"
        rows.append(row(PART, what, "power", found.tolist(), before=before))
    return rows


def split(runs: int) -> list[Row]:
    """A split that is right, read every week."""
    rng, rows = np.random.default_rng(31), []
    for weeks, before in ((4, 0.034), (8, 0.044), (26, 0.062)):
        counts = rng.binomial(1000, 0.5, (runs, weeks))
        found = []
        for path in counts:
            p = stats.sample_ratio_sequence([(int(c), 1000 - int(c)) for c in path], [0.5, 0.5])
            found.append(p < 0.01 if isinstance(p, float) else None)
        rows.append(
            row(PART, f"split at 1 %, read every week for {weeks} weeks", "errs", found, nominal=0.01, before=before)
        )
    return rows


def early_stop(runs: int) -> list[Row]:
    """What is said of the effect of a test that stops early, over the true one."""
    looks = 4
    times = np.arange(1, looks + 1) / looks
    limits = np.array(stats.boundaries([float(t) for t in times], final=True))
    rng, drift = np.random.default_rng(32), stats.z_of(0.95) + Z80
    z = np.cumsum(rng.normal(drift / looks, 1 / math.sqrt(looks), (runs, looks)), axis=1) / np.sqrt(times)
    crossed = np.abs(z) > limits
    first = np.where(crossed.any(axis=1), crossed.argmax(axis=1), looks)
    designs = [
        stats.Design(
            method="group-sequential",
            alpha=0.05,
            units=1000 * k,
            planned=1000 * looks,
            past=tuple(1000 * j for j in range(1, k)),
            final=k == looks,
        )
        for k in range(1, looks + 1)
    ]
    found, measured = [], []
    for path, k in zip(z, first, strict=True):
        if k < looks - 1:
            error = 1 / math.sqrt(times[k])
            value = float(path[k]) * error
            one = Estimate(value, value - 2 * error, value + 2 * error, 0.95, error, None, 100, "")
            found.append(stats.shrunken(one, designs[k]) / drift)
            measured.append(value / drift)
    mean = float(np.mean(found))
    what = f"expected effect after an early stop over the true one (measured: {np.mean(measured):.2f})"
    error = float(np.std(found) / math.sqrt(len(found)))
    return [
        Row(
            part=PART,
            what=what,
            measure="value",
            nominal=1.0,
            now=mean,
            error=error,
            withheld=0.0,
            runs=len(found),
            before=0.7,
        )
    ]


def jobs(scale: float) -> Iterator[partial[list[Row]]]:
    """All rows of this part."""
    runs = max(50, round(1500 * scale))
    for apart, more, before in ((0.0, 0, 0.181), (0.5, 0, 0.102), (0.0, 2, 0.156)):
        yield partial(growing, runs, apart=apart, more=more, before=before)
    some = max(50, round(800 * scale))
    for method, spending, before in (
        ("group-sequential", "obrien-fleming", 0.186),
        ("group-sequential", "pocock", 0.145),
        ("fixed", "obrien-fleming", 0.192),
        ("confidence-sequence", "obrien-fleming", 0.0004),
    ):
        yield partial(end_moved, some, method=method, spending=spending, before=before)
    for method, before in (("group-sequential", 0.082), ("fixed", 0.10)):
        yield partial(put_off, some, method=method, before=before)
    yield partial(past_the_plan, some)
    yield partial(contradictions, runs)
    yield partial(guardrails, runs)
    yield partial(planned_power, 50 * runs)
    yield partial(split, runs)
    yield partial(early_stop, 10 * runs)
