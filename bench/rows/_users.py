"""Users whose truth is known, by kind of metric, and the aggregates that a build would freeze of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import gazette  # noqa: F401  its rooms import each other downwards only
import numpy as np
from gazette.params import Covariate, Experiment, Fact, Metric, Variant
from gazette.sources._experiment import grouped
from gazette.workbench._drawn import DrawnReading, read_looks

__all__ = ["CASES", "Case", "aggregates", "growing_clusters", "looks_of", "plan_of"]

Columns = dict[str, np.ndarray]
START, WEEK, LOOKS = date(2026, 1, 5), 7, 4
AT_ONCE = 2_000_000  # users in memory
LACK, OWN = 0.3, 0.2  # share of users who are new; the rate that stands for theirs
SUM = Fact.model_construct(table="", unit="", time="", aggregation="sum")


def _metric(**of: Any) -> Metric:
    usual = {"title": "", "owner": "", "definition": "", "direction": "higher", "unit": "number", "changelog": []}
    return Metric.model_construct(**usual | {"fact": SUM} | of)


@dataclass(frozen=True)
class Case:
    """A kind of metric: what of a control's users is drawn, and what an effect does to it.

    Attributes:
        name: In words.
        metric: Its definition.
        draw: Generator and shape to columns, ``value`` first; the effect multiplies that of a treatment.
        truth: Of the control's columns of very many users.
        share: Whether an effect moves the chance of a 1 instead.
        sizes: Users (or clusters) of both arms.
        effect: Relative.
    """

    name: str
    metric: Metric
    draw: Callable[[np.random.Generator, tuple[int, int]], Columns]
    truth: Callable[[Columns], float] = lambda c: float(c["value"].mean())
    share: float | None = None
    sizes: tuple[int, ...] = (200, 2000, 20_000)
    effect: float = 0.2
    metrics: dict[str, Metric] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "metrics", {"m": self.metric})


def _revenue(spread: float) -> Callable[[np.random.Generator, tuple[int, int]], Columns]:
    def draw(rng: np.random.Generator, shape: tuple[int, int]) -> Columns:
        return {"value": (rng.random(shape) < 0.1) * np.exp(spread * rng.normal(size=shape))}

    return draw


def _with_past(rng: np.random.Generator, shape: tuple[int, int]) -> Columns:
    own = rng.normal(size=shape)
    now, before = (np.exp(2 * (0.8 * own + 0.6 * rng.normal(size=shape))) for _ in range(2))
    return {"value": (rng.random(shape) < 0.1) * now, "pre": (rng.random(shape) < 0.5) * before}


def _orders(rng: np.random.Generator, shape: tuple[int, int]) -> Columns:
    sessions = 1 + rng.poisson(rng.gamma(0.5, 6, shape))
    return {"value": rng.binomial(sessions, rng.beta(2, 8, shape)) * 1.0, "den": sessions * 1.0}


def _orders_with_past(rng: np.random.Generator, shape: tuple[int, int]) -> Columns:
    """Users who are new have no rate of before."""
    sessions, own = 1 + rng.poisson(rng.gamma(0.5, 6, shape)), rng.beta(2, 8, shape)
    lack = rng.random(shape) < LACK
    before = np.where(lack, OWN, rng.binomial(20, own) / 20)
    return {"value": rng.binomial(sessions, own) * 1.0, "den": sessions * 1.0, "pre": before, "lack": lack * 1.0}


def clusters(rng: np.random.Generator, shape: tuple[int, int]) -> Columns:
    """Rows of clusters of unequal size, their sums and numbers."""
    rows = 1 + rng.poisson(30 * np.exp(0.9 * rng.normal(size=shape)))
    own = rng.normal(10, 3, shape)
    return {"value": rows * own + 5 * np.sqrt(rows) * rng.normal(size=shape), "den": rows * 1.0}


def _ratio(c: Columns) -> float:
    return float(c["value"].sum() / c["den"].sum())


def _quantile(q: float) -> Callable[[Columns], float]:
    return lambda c: float(np.quantile(c["value"], q))


def _exp(rng: np.random.Generator, shape: tuple[int, int]) -> Columns:
    return {"value": np.exp(rng.normal(size=shape))}


BEFORE = Covariate.model_construct(table="", unit="", column="")
PER_ROW = _metric(denominator=SUM)
ONE = Fact.model_construct(table="", unit="", time="", aggregation="any")
CASES = {
    "share": Case(
        "share of 10 %", _metric(unit="fraction", fact=ONE), lambda r, s: {"value": r.random(s) * 1.0}, share=0.1
    ),
    "rare": Case(
        "share of 1 %", _metric(unit="fraction", fact=ONE), lambda r, s: {"value": r.random(s) * 1.0}, share=0.01
    ),
    "mean": Case("mean, normal", _metric(), lambda r, s: {"value": r.normal(10, 5, s)}),
    "revenue1": Case("revenue, 10 % buy, log-normal sd 1", _metric(), _revenue(1)),
    "revenue2": Case("revenue, 10 % buy, log-normal sd 2", _metric(), _revenue(2)),
    "cuped": Case("the same less what a covariate explains", _metric(covariate=BEFORE), _with_past),
    "cuped-ratio": Case(
        "orders a session, by user, less what a covariate explains",
        _metric(denominator=SUM, covariate=BEFORE),
        _orders_with_past,
        _ratio,
    ),
    "ratio": Case("orders a session, by user", PER_ROW, _orders, _ratio),
    "median": Case("median, log-normal", _metric(quantile=0.5), _exp, _quantile(0.5)),
    "normal-median": Case(
        "median, normal", _metric(quantile=0.5), lambda r, s: {"value": r.normal(10, 3, s)}, _quantile(0.5)
    ),
    "p99": Case("p99, log-normal", _metric(quantile=0.99), _exp, _quantile(0.99)),
    "whole-median": Case(
        "median of whole numbers",
        _metric(quantile=0.5),
        lambda r, s: {"value": r.poisson(30, s) * 1.0},
        _quantile(0.5),
        effect=0.0,
    ),
    "clusters": Case("mean of rows, unequal clusters", PER_ROW, clusters, _ratio, sizes=(10, 20, 40, 200)),
}


def plan_of(method: str, spending: str = "obrien-fleming", *, users: int, shares: tuple[float, float]) -> Experiment:
    """A test of four weeks of a control ``a`` and a treatment ``b``."""
    return Experiment.model_construct(
        id="simulated",
        title="",
        owner="",
        description="",
        hypothesis="",
        start=START,
        end=START + timedelta(days=WEEK * LOOKS - 1),
        control="a",
        variants=[Variant.model_construct(id=i, title=i, weight=w) for i, w in zip("ab", shares, strict=True)],
        primary="m",
        secondary=[],
        guardrails=[],
        segments=[],
        alpha=0.05,
        planned_units=users if method == "group-sequential" else None,
        method=method,
        spending=spending,
        minimum_effect=0.05,
        tightest_units=users,
        minimum_days=0,
    )


def aggregates(
    case: Case, rng: np.random.Generator, runs: int, arms: tuple[int, int], *, effect: float, looks: int = 1
) -> Iterator[list[dict[str, dict[str, Any]]]]:
    """Of each simulated test what a build freezes at each look, by arm; users come evenly, their values are complete at once."""
    import ibis
    import pyarrow as pa

    users = sum(arms)
    is_b = np.arange(users) >= arms[0]
    look = np.concatenate([1 + np.arange(n) * looks // n for n in arms])
    engine = ibis.duckdb.connect()
    for first in range(0, runs, most := max(1, AT_ONCE // users)):
        part = min(most, runs - first)
        columns = case.draw(rng, (part, users))
        if case.share is not None:
            columns["value"] = (columns["value"] < case.share * np.where(is_b, 1 + effect, 1.0)) * 1.0
        else:
            columns["value"] = columns["value"] * np.where(is_b, 1 + effect, 1.0)
        named = {"value": "m_m", "den": "m_m_den", "pre": "m_m_pre", "lack": "m_m_lack"}
        table = {named[name]: pa.array(of.ravel()) for name, of in columns.items()}
        if "pre" in columns and "lack" not in columns:
            table["m_m_lack"] = pa.array(np.zeros(part * users))
        table["draw"] = pa.array(np.repeat(np.arange(part), users))
        table["look"] = pa.array(np.tile(look, part))
        table["variant"] = pa.DictionaryArray.from_arrays(
            pa.array(np.tile(is_b, part).astype(np.int8)), pa.array(["a", "b"])
        ).dictionary_decode()
        engine.con.register("users", pa.table(table))
        held = engine.table("users")
        found: list[list[dict[str, dict[str, Any]]]] = [[{} for _ in range(looks)] for _ in range(part)]
        for k in range(looks):
            rows = grouped(held.filter(held["look"] <= k + 1), case.metrics, ["draw", "variant"])
            for r in rows.to_pyarrow().to_pylist():
                found[r["draw"]][k][r["variant"]] = r
        yield from found
        engine.con.unregister("users")


def growing_clusters(
    rng: np.random.Generator, runs: int, arms: tuple[int, int], *, weekly: float = 0.0, spread: float = 0.9
) -> list[list[dict[str, dict[str, Any]]]]:
    """Likewise of clusters that are all there from the start and whose rows come evenly over the looks, as cities have.

    Args:
        rng: Generator.
        runs: Tests.
        arms: Clusters of either arm.
        weekly: How far a cluster's rate moves from week to week, beside 3 between clusters.
        spread: Of the logarithm of clusters' sizes.
    """
    import ibis
    import pyarrow as pa

    n = sum(arms)
    sizes = 30 * np.exp(spread * rng.normal(size=(runs, n))) / LOOKS
    own, value, rows, parts = rng.normal(10, 3, (runs, n)), np.zeros((runs, n)), np.zeros((runs, n)), []
    for look in range(LOOKS):
        new = rng.poisson(sizes) + (look == 0)
        rate = own + weekly * rng.normal(size=own.shape)
        value, rows = value + new * rate + 5 * np.sqrt(new) * rng.normal(size=own.shape), rows + new
        parts.append((value.ravel(), rows.ravel()))
    table = {name: pa.array(np.concatenate([p[i] for p in parts])) for i, name in enumerate(("m_m", "m_m_den"))}
    table["draw"] = pa.array(np.tile(np.repeat(np.arange(runs), n), LOOKS))
    table["look"] = pa.array(np.repeat(np.arange(LOOKS), runs * n))
    table["variant"] = pa.array(np.tile(np.where(np.arange(n) < arms[0], "a", "b"), runs * LOOKS))
    engine = ibis.duckdb.connect(threads=1)
    engine.con.register("clusters", pa.table(table))
    found: list[list[dict[str, dict[str, Any]]]] = [[{} for _ in range(LOOKS)] for _ in range(runs)]
    keys = ["draw", "look", "variant"]
    for r in grouped(engine.table("clusters"), CASES["clusters"].metrics, keys).to_pyarrow().to_pylist():
        found[r["draw"]][r["look"]][r["variant"]] = r
    return found


def looks_of(
    plan: Experiment, case: Case, looks: list[dict[str, dict[str, Any]]], *, last_only: bool = False
) -> list[DrawnReading]:
    """Every look, read with those before it; or the last one alone."""
    lasts = [START + timedelta(days=WEEK * (k + 1) * LOOKS // len(looks) - 1) for k in range(len(looks))]
    pairs = list(zip(lasts, looks, strict=True))
    return read_looks(plan, case.metrics, pairs[-1:] if last_only else pairs)
