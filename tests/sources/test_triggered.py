"""Tests in which only users count who met the change: in DuckDB and PostgreSQL, against pandas on the rows; error and power by simulation."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError
from scipy.stats import binomtest
from statsmodels.stats.power import normal_power
from test_everyone import engine, plain, tables  # noqa: F401  fixtures

from gazette.params import Experiment
from gazette.sources import Period, _experiment
from gazette.stats import Estimate, Moments, difference_of_means
from gazette.workbench._parts import by_day
from gazette.workbench._plan import broken_by, plan_of
from gazette.workbench._triggered import diluted, share_met

if TYPE_CHECKING:
    from test_everyone import Tables

    from gazette.workbench._reading import Reading

START = datetime(2026, 11, 9)  # noqa: DTZ001  the clock of editions is UTC without zone
WEEKS = [Period(START + timedelta(days=7 * k), START + timedelta(days=7 * k + 7), 12) for k in range(3)]
SPENT = {"table": "spent", "unit": "unit_id", "time": "done_at", "arrived": "loaded"}
SEEN = {
    "table": "seen",
    "unit": "unit_id",
    "time": "seen_at",
    "arrived": "loaded",
    "where": [{"column": "page", "equals": "basket"}],
}
ON: dict[str, Any] = {"triggered": SEEN, "end": date(2026, 11, 29)}
IMPACT = {"value_per_unit": 2.0, "units_per_month": 1000.0, "base": "all users"}


def meet(tables: Tables, *names: str, of: str = "hash(unit_id, 5) % 3 = 0") -> Tables:  # noqa: F811
    """2,000 users over ten days, a third of whom see the basket, before their assignment too, and who spend before and after."""
    tables.assign(at="TIMESTAMP '2026-11-09' + to_seconds(i * 432)")
    tables.sql(
        "CREATE TABLE seen AS SELECT unit_id, assigned_at + to_seconds(h * 3600 + unit_id % 977) AS seen_at, page, "
        "assigned_at + to_seconds((h + late) * 3600) AS loaded FROM assigned, "
        "(VALUES (-5, 'basket', 1), (2, 'shelf', 1), (30, 'basket', 1), (31, 'basket', 500), (80, 'basket', 1)) v(h, page, late) "
        f"WHERE page = 'shelf' OR (({of}) AND hash(unit_id, h) % 3 > 0) OR h = -5",
        "CREATE TABLE spent AS SELECT unit_id, assigned_at + to_seconds((d * 86400)::INT) AS done_at, "
        "assigned_at + to_seconds((d * 86400 + 60)::INT) AS loaded, (10 * d + 1 + hash(unit_id, d) % 7)::DOUBLE AS amount "
        "FROM assigned, (VALUES (0.1), (1.4), (3.0), (6.9), (8.5), (12.0)) v(d) WHERE hash(unit_id, d, 1) % 3 > 0",
    )
    tables.metrics = {}
    tables.fact("amount", {**SPENT, "value": "amount", "aggregation": "sum"})
    tables.fact("spent", {**SPENT, "aggregation": "any"})
    tables.fact(
        "each", {**SPENT, "value": "amount", "aggregation": "sum"}, denominator={**SPENT, "aggregation": "count"}
    )
    tables.metrics = {name: known for name, known in tables.metrics.items() if name in names or not names}
    return tables


def right(tables: Tables, period: Period, days: int | None = None, page: str = "basket") -> pd.DataFrame:  # noqa: F811
    """A row per user who met the change after assignment, with what each spent from then on."""
    with duckdb.connect(str(tables.place / "w.duckdb"), read_only=True) as db:
        users, seen, rows = (db.execute(f"SELECT * FROM {t}").df() for t in ("assigned", "seen", "spent"))
    users = users[users["assigned_at"] < pd.Timestamp(period.end)].set_index("unit_id")
    seen = seen[(seen["page"] == page) & (seen["loaded"] < pd.Timestamp(period.cutoff))].join(
        users, on="unit_id", how="inner"
    )
    seen = seen[(seen["seen_at"] >= seen["assigned_at"]) & (seen["seen_at"] < pd.Timestamp(period.end))]
    users["met"] = seen.groupby("unit_id")["seen_at"].min().reindex(users.index)
    users = users.dropna(subset="met")
    until = pd.Timestamp(period.end)
    if days is not None:
        users = users[users["met"] + pd.Timedelta(days=days) <= until]
    own = rows.join(users, on="unit_id", how="inner")
    own = own[(own["done_at"] >= own["met"]) & (own["done_at"] < until) & (own["loaded"] < pd.Timestamp(period.cutoff))]
    if days is not None:
        own = own[own["done_at"] < own["met"] + pd.Timedelta(days=days)]
    sums = own.groupby("unit_id")["amount"]
    users["amount"], users["n"] = (x.reindex(users.index).fillna(0.0) for x in (sums.sum(), sums.size()))
    return users


def check_values(reading: Reading, users: pd.DataFrame) -> None:
    assert reading.units == len(users)
    means = users.groupby("variant")[["amount", "n"]].mean()
    for arm in ("blue", "green"):
        for metric, value in (
            ("amount", means["amount"][arm]),
            ("spent", (users["n"] > 0).groupby(users["variant"]).mean()[arm]),
            ("each", means["amount"][arm] / means["n"][arm]),
        ):
            if metric in reading.metrics:
                found = reading.value(metric, arm)
                assert isinstance(found, Estimate), found
                assert found.value == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize("days", [None, 7])
def test_only_those_triggered_count_each_from_the_first_time(tables: Tables, days: int | None) -> None:  # noqa: F811
    meet(tables)
    reading, second = tables.read(WEEKS[1], **ON, impact=IMPACT, **({"window_days": days} if days else {}))
    users, everyone = right(tables, WEEKS[1], days), right(tables, WEEKS[1])
    assert 0 < len(users) < 2000 / 2
    check_values(reading, users)
    assert share_met(reading) == len(everyone) / 2000
    assert reading.young == len(everyone) - len(users)
    known = {name: found for name, found in second.items() if found is not None}
    assert known["units"].value == reading.units
    assert (known["assigned"].value, known["triggered"].value) == (2000, share_met(reading))
    assert known["drift"].value == pytest.approx(reading.split_sequence())
    assert known["triggered-drift"].value == pytest.approx(reading.split_of_triggered())
    for metric in ("amount", "spent", "each"):
        assert known[f"{metric}.control"].value == pytest.approx(reading.value(metric, "blue").value)  # type: ignore[union-attr]
    gap = reading.compare("amount", "green").difference
    spread = diluted(gap, share_met(reading), tables.metrics["amount"])
    assert isinstance(gap, Estimate)
    assert isinstance(spread, Estimate)
    assert spread.value == pytest.approx(gap.value * len(everyone) / 2000)
    assert known["diluted"].value == pytest.approx(spread.value)
    assert known["diluted"].low == pytest.approx(spread.low, rel=1e-3)
    assert known["impact"].value == pytest.approx(2000 * spread.value), "money is that of everyone assigned"
    assert not isinstance(diluted(gap, 0.5, tables.metrics["each"]), Estimate), "a ratio has no such effect"
    assert by_day(reading, "green")


def test_the_difference_over_everyone_is_that_of_the_rows_from_the_trigger_on(plain: Tables) -> None:  # noqa: F811
    """Where as many are triggered in each arm: everyone's difference of what came after the trigger, by pandas."""
    meet(plain, "amount", of="unit_id % 4 < 2")
    plain.sql("DELETE FROM seen WHERE seen_at > TIMESTAMP '2026-11-20'", "UPDATE seen SET loaded = seen_at")
    plain.sql(
        "INSERT INTO seen SELECT unit_id, assigned_at + INTERVAL 1 HOUR, 'basket', assigned_at FROM assigned WHERE unit_id % 4 < 2"
    )
    plain.sql("DELETE FROM seen WHERE unit_id % 4 >= 2 AND page = 'basket'")
    reading, _ = plain.read(WEEKS[1], **ON)
    users = right(plain, WEEKS[1])
    totals = users.groupby("variant")["amount"].sum() / 1000
    found = diluted(reading.compare("amount", "green").difference, share_met(reading), plain.metrics["amount"])
    assert found.value == pytest.approx(totals["green"] - totals["blue"])  # type: ignore[union-attr]


def test_a_trigger_that_has_days_counts_the_day_of_assignment(tables: Tables) -> None:  # noqa: F811
    meet(tables, "amount")
    tables.sql(
        "CREATE TABLE daily AS SELECT unit_id, assigned_at::DATE + (unit_id % 3)::INT AS day FROM assigned WHERE unit_id % 5 < 2"
    )
    reading, second = tables.read(
        WEEKS[1], triggered={"table": "daily", "unit": "unit_id", "time": "day"}, end=ON["end"]
    )
    assert reading.units == second["units"].value == 800  # type: ignore[union-attr]
    assert second["amount.control"].value == pytest.approx(reading.value("amount", "blue").value)  # type: ignore[union-attr]


def test_a_trigger_that_the_change_itself_affects_fails_its_own_split_alone(plain: Tables) -> None:  # noqa: F811
    meet(plain, "amount", of="hash(unit_id, 5) % 6 < if(variant = 'blue', 3, 2)")
    reading, _ = plain.read(WEEKS[1], **ON)
    assert reading.split_sequence() > 0.5  # type: ignore[operator]
    assert reading.split_of_triggered() < 0.01  # type: ignore[operator]


def test_a_fault_in_the_trigger_makes_the_second_computation_disagree(
    plain: Tables,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    meet(plain, "amount")
    own = _experiment.triggered

    def from_assignment(warehouse: Any, units: Any, *rest: Any) -> Any:
        met = own(warehouse, units, *rest)
        return units.semi_join(met, "unit_id")

    monkeypatch.setattr(_experiment, "triggered", from_assignment)
    reading, second = plain.read(WEEKS[1], **ON)
    assert second["units"].value == reading.units  # type: ignore[union-attr]
    assert second["amount.control"].value != pytest.approx(reading.value("amount", "blue").value)  # type: ignore[union-attr]
    plain.readings.clear()
    monkeypatch.setattr(_experiment, "triggered", lambda warehouse, units, *rest: units)  # noqa: ARG005
    reading, second = plain.read(WEEKS[1], **ON)
    assert second["units"].value != reading.units  # type: ignore[union-attr]


def test_another_trigger_after_the_first_look_is_another_test_and_moved_shares_are_refused(plain: Tables) -> None:  # noqa: F811
    reading, _ = meet(plain, "amount").read(WEEKS[1], **ON)
    then = plan_of(reading.plan, plain.metrics)
    without = plan_of(reading.plan.model_copy(update={"triggered": None}), plain.metrics)
    assert broken_by(then, then) == {}
    assert broken_by(then, without) == broken_by(without, then) == {"": ["triggered"]}
    raw = reading.plan.model_dump() | {
        "reallocations": [{"since": date(2026, 11, 12), "weights": {"blue": 0.4, "green": 0.6}}]
    }
    with pytest.raises(ValidationError, match="shares that were moved hold for days of assignment"):
        Experiment.model_validate(raw)


def moments_of(rng: np.random.Generator, n: np.ndarray, mean: float) -> list[Moments]:
    """Of so many normal values with a spread of 2, drawn as their mean and variance, which is the same."""
    means, spreads = rng.normal(mean, 2 / np.sqrt(n)), 4 * rng.chisquare(n - 1) / (n - 1)
    return [Moments(int(k), float(m), float(v)) for k, m, v in zip(n, means, spreads, strict=True)]


def together(one: Moments, other: Moments) -> Moments:
    """Of both groups of values as one."""
    n = one.n + other.n
    mean = (one.n * one.mean + other.n * other.mean) / n
    squares = sum((m.n - 1) * m.variance + m.n * (m.mean - mean) ** 2 for m in (one, other))
    return Moments(n, mean, squares / (n - 1))


def test_the_error_is_that_which_was_agreed_and_power_is_gained() -> None:
    """One in five of 2,000 users an arm is triggered, all spend alike otherwise: those triggered alone, and everyone, of the same tests."""
    rng, runs, n = np.random.default_rng(7), 2000, 2000

    def found(effect: float) -> tuple[int, int]:
        said = np.zeros(2, dtype=int)
        arms = []
        for arm in (0, 1):
            met = rng.binomial(n, 0.2, runs)
            some, rest = moments_of(rng, met, 5 + effect * arm), moments_of(rng, n - met, 5)
            arms.append((some, [together(*pair) for pair in zip(some, rest, strict=True)]))
        for k in range(runs):
            gaps = [difference_of_means(arms[0][way][k], arms[1][way][k]) for way in (0, 1)]
            said += [isinstance(gap, Estimate) and not gap.low <= 0 <= gap.high for gap in gaps]
        return int(said[0]), int(said[1])

    error, _ = found(0.0)
    assert binomtest(error, runs, 0.05).pvalue > 0.01
    triggered, everyone = found(0.4)
    expected = [normal_power(0.2, 400 / 2, 0.05), normal_power(0.2 * 0.2, n / 2, 0.05)]
    assert [triggered / runs, everyone / runs] == pytest.approx(expected, abs=0.04)
    assert triggered > everyone + runs / 2
