"""Rows about models: ranges of measures, arrows, drift, since when."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
from gazette import monitoring
from gazette.record import NotPublished
from gazette.stats import Estimate
from rows._row import Row, row

sys.path[:0] = [str(Path(__file__).parents[2] / "tests" / part) for part in ("monitoring", "")]

from scarce import influences, made, spread_of  # noqa: E402

__all__ = ["jobs"]

PART = "Models and alarms"
THRESHOLD, RATE, RARE = 0.03, 0.05, -4.5  # a base rate of 1.7 % in log odds
BEFORE = {
    (100, "auc"): 0.59,
    (500, "auc"): 0.84,
    (100, "pr-auc"): 0.85,
    (500, "pr-auc"): 0.88,
    (100, "log-loss"): 0.74,
    (500, "log-loss"): 0.90,
}
ARROWS = {(100, "auc"): 0.24, (500, "auc"): 0.07, (100, "recall"): 0.22, (500, "recall"): 0.11}
LARGE = 400_000


def _holds(found: object, truth: float) -> bool | None:
    return found.low <= truth <= found.high if isinstance(found, Estimate) else None


def measures(weeks: int, rows: int, base: float) -> list[Row]:
    """Ranges of each measure, of its difference to the version before, and arrows against last week where nothing changed."""
    rng = np.random.default_rng(2026)
    y, scores = made(rng, LARGE, base)
    whole = [influences(y, s, THRESHOLD) for s in scores]
    held: dict[str, list[bool | None]] = {m: [] for m in ("auc", "pr-auc", "log-loss", "recall")}
    paired: dict[str, list[bool | None]] = {m: [] for m in ("auc", "pr-auc", "log-loss")}
    arrows: dict[str, list[bool | None]] = {m: [] for m in held}
    last: dict[str, object] = {}
    for _ in range(weeks):
        label, versions = made(rng, rows, base)
        one, other = (influences(label, s, THRESHOLD) for s in versions)
        for m in held:
            if m not in one:
                held[m].append(None)
                continue
            value, moved = one[m]
            if m == "recall":
                level = monitoring.share(round(value * label.sum()), int(label.sum()), "positive")
            else:
                level = monitoring.level(m, value, spread_of(moved, label))
            held[m].append(_holds(level, whole[0][m][0]))
            if m in last:
                change = monitoring.independent_difference(level, last[m])
                arrows[m].append(change.low > 0 or change.high < 0 if isinstance(change, Estimate) else None)
            last[m] = level
            if m in paired:
                gap = monitoring.difference(value - other[m][0], spread_of(moved - other[m][1], label))
                paired[m].append(_holds(gap, whole[0][m][0] - whole[1][m][0]))
    rare, what = base == RARE, f"{rows:,} rows, {100 * float(y.mean()):.1f} % positive"
    found = [
        row(PART, f"{m}, {what}", "covers", f, before=BEFORE.get((rows, m)) if rare else None) for m, f in held.items()
    ]
    found += [
        row(
            PART,
            f"{m} against the version before, {what}",
            "covers",
            f,
            before=0.73 if rare and (rows, m) == (500, "auc") else None,
        )
        for m, f in paired.items()
    ]
    return found + [
        row(PART, f"{m} against last week, {what}: an arrow", "errs", f, before=ARROWS.get((rows, m)) if rare else None)
        for m, f in arrows.items()
        if f
    ]


def repeated(weeks: int, users: int = 100, each: int = 10) -> list[Row]:
    """AUC where every user has ten rows: influences are added up by user."""
    rng = np.random.default_rng(33)

    def drawn(n: int) -> tuple[np.ndarray, np.ndarray]:
        own = np.repeat(rng.normal(-1, 1.2, n), each)
        latent = own + rng.normal(0, 0.3, n * each)
        label = (rng.random(n * each) < 1 / (1 + np.exp(-latent))) * 1.0
        return label, 1 / (1 + np.exp(-(own * 0.8 + np.repeat(rng.normal(0, 1, n), each))))

    y, s = drawn(30_000)
    truth = influences(y, s + 1e-9 * rng.random(len(s)), 0.3)["auc"][0]
    held, arrows, last = [], [], None
    for _ in range(weeks):
        label, score = drawn(users)
        value, moved = influences(label, score + 1e-9 * rng.random(len(score)), 0.3)["auc"]
        of_user = moved.reshape(users, each).sum(axis=1) / each
        by_user = label.reshape(users, each)
        classes = (int(by_user.any(axis=1).sum()), int((~by_user.astype(bool)).any(axis=1).sum()))
        spread = monitoring.Spread(
            len(label),
            float(of_user.var(ddof=1)),
            float((of_user**4).mean()),
            units=users,
            classes=classes,
            who="users",
        )
        level = monitoring.level("auc", value, spread)
        held.append(_holds(level, truth))
        if last is not None:
            change = monitoring.independent_difference(level, last)
            arrows.append(change.low > 0 or change.high < 0 if isinstance(change, Estimate) else None)
        last = level
    what = f"AUC, {users * each:,} rows of {users} users"
    return [
        row(PART, what, "covers", held, before=0.61),
        row(PART, f"{what}: an arrow", "errs", arrows, before=0.38),
    ]


def segments(families: int, count: int, prevalence: float, rows: int) -> list[Row]:
    """Arrows of a family of segments of one measure against last week, none of which changed."""
    rng, wrong = np.random.default_rng(34), []
    base = {0.04: -3.6, 0.09: -2.65}[prevalence]
    for _ in range(families):
        family = []
        for _ in range(count):
            levels = []
            for _ in range(2):
                y, (s, _) = made(rng, rows, base)
                found = influences(y, s, THRESHOLD)
                levels.append(
                    monitoring.level("auc", found["auc"][0], spread_of(found["auc"][1], y))
                    if "auc" in found
                    else NotPublished(reason="one class")
                )
            change = monitoring.independent_difference(*levels)
            if isinstance(change, Estimate):
                family.append(change)
        wide = monitoring.together(family, RATE)
        wrong.append(any(e.low > 0 or e.high < 0 for e in wide) if wide else None)
    what = f"arrows of {count} segments of {rows} rows, {100 * prevalence:.0f} % positive"
    return [row(PART, what, "errs", wrong, before={5: 0.07, 20: 0.12}[count])]


def hits(weeks: int, requests: int, before: float | None) -> list[Row]:
    """NDCG where 2 % of requests are hit."""
    rng, held = np.random.default_rng(35), []
    gains = 1 / np.log2(np.arange(2, 7))
    truth = 0.02 * float(gains.mean())
    for _ in range(weeks):
        x = (rng.random(requests) < 0.02) * rng.choice(gains, requests)
        held.append(_holds(monitoring.level("ndcg-5", float(x.mean()), spread_of(x - x.mean())), truth))
    return [row(PART, f"NDCG, {requests} requests, 2 % hit", "covers", held, before=before)]


def drift(weeks: int, rows: int, before: float) -> list[Row]:
    """Twenty features that did not move: whether a week has any alarm."""
    rng, found = np.random.default_rng(36), []
    words = 1 / np.arange(1, 21)
    kinds = [np.full(10, 0.1)] * 10 + [words / words.sum()] * 10
    for _ in range(weeks):
        drifts = {
            str(i): monitoring.drift(rng.multinomial(5000, p).tolist(), rng.multinomial(rows, p).tolist())
            for i, p in enumerate(kinds)
        }
        known = [d for d in monitoring.judged(drifts, RATE).values() if isinstance(d, monitoring.Drift)]
        found.append(any(d.real and d.excess > 0.1 for d in known) if known else None)
    return [row(PART, f"drift of any of 20 features, {rows} rows", "errs", found, before=before)]


def since(runs: int, correlation: float, before: float, weeks: int = 12) -> list[Row]:
    """A steady series is said to have changed."""
    rng, found = np.random.default_rng(37), []
    x = rng.normal(size=(runs, weeks))
    for t in range(1, weeks):
        x[:, t] = correlation * x[:, t - 1] + np.sqrt(1 - correlation**2) * x[:, t]
    for path in x:
        series = [Estimate(float(v), float(v) - 1, float(v) + 1, 0.95, 0.5, None, 100, "") for v in path]
        found.append(monitoring.shift(series) is not None)
    return [row(PART, f"since when: {weeks} steady weeks, correlation {correlation}", "errs", found, before=before)]


def jobs(scale: float) -> Iterator[partial[list[Row]]]:
    """All rows of this part."""
    weeks = max(50, round(1000 * scale))
    for rows, base in ((100, RARE), (500, RARE), (1000, RARE), (2000, RARE), (200, -2.5), (500, -2.5)):
        yield partial(measures, weeks, rows, base)
    yield partial(repeated, weeks)
    for count in (5, 20):
        for prevalence in (0.04, 0.09):
            for rows in (300, 1000):
                yield partial(segments, max(50, round(2000 * scale / (count / 5))), count, prevalence, rows)
    for requests, before in ((100, 0.81), (500, 0.91), (2000, None)):
        yield partial(hits, weeks, requests, before)
    for rows, before in ((50, 0.34), (200, 0.25), (2000, 0.0)):
        yield partial(drift, max(50, weeks // 2), rows, before)
    for correlation, before in ((0.0, 0.03), (0.3, 0.125), (0.5, 0.275), (0.8, 0.585)):
        yield partial(since, weeks, correlation, before)
