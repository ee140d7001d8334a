"""Tests in which each user counts for a fixed number of days, in DuckDB and PostgreSQL, against pandas on the rows."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import duckdb
import pandas as pd
import pytest
from test_everyone import engine, plain, tables  # noqa: F401  fixtures

from gazette.params import Guardrail
from gazette.recompute._arithmetic import Arm
from gazette.recompute._looks import critical_of, shared
from gazette.record import TakenLook
from gazette.sources import Period, _experiment
from gazette.stats import Estimate
from gazette.workbench._guards import decision_units, guard_power
from gazette.workbench._parts import by_day
from gazette.workbench._plan import broken_by, plan_of
from gazette.workbench._reading import Reading

if TYPE_CHECKING:
    from test_everyone import Tables

    from gazette.recompute._arithmetic import Second

START = datetime(2026, 11, 9)  # noqa: DTZ001  the clock of editions is UTC without zone
WEEKS = [Period(START + timedelta(days=7 * k), START + timedelta(days=7 * k + 7), 12) for k in range(3)]
SPENT = {"table": "spent", "unit": "unit_id", "time": "done_at", "arrived": "loaded"}
DAILY = {"table": "daily", "unit": "unit_id", "time": "day", "value": "minutes", "aggregation": "sum"}
OPEN: dict[str, Any] = {"window_days": 7, "end": date(2026, 11, 29)}


def grow(tables: Tables, *names: str) -> Tables:  # noqa: F811
    """2,000 users over ten days, who spend something at 0, 3, 6.9, 7, 8 and 12 days after they came, in amounts that differ."""
    tables.assign(at="TIMESTAMP '2026-11-09' + to_seconds(i * 432)")
    tables.sql(
        "CREATE TABLE spent AS SELECT unit_id, done_at, done_at + INTERVAL 1 HOUR AS loaded, amount FROM (SELECT unit_id, assigned_at + to_seconds((d * 86400)::INT) AS done_at, "
        "(10 * d + 1 + hash(unit_id, d) % 7)::DOUBLE AS amount FROM assigned, (VALUES (0.0), (3.0), (6.9), (7.0), (8.0), (12.0)) v(d) WHERE hash(unit_id, d, 1) % 3 > 0)",
        "CREATE TABLE daily AS SELECT unit_id, assigned_at::DATE + k::INT AS day, 1.0::DOUBLE AS minutes FROM assigned, range(0, 14) r(k)",
    )
    tables.metrics = {}
    tables.fact("amount", {**SPENT, "value": "amount", "aggregation": "sum"})
    tables.fact("spent", {**SPENT, "aggregation": "any"})
    tables.fact(
        "each", {**SPENT, "value": "amount", "aggregation": "sum"}, denominator={**SPENT, "aggregation": "count"}
    )
    tables.fact("minutes", DAILY)
    tables.metrics = {name: known for name, known in tables.metrics.items() if name in names or not names}
    return tables


def right(tables: Tables, end: pd.Timestamp) -> pd.DataFrame:  # noqa: F811
    """A row per user who is through with seven days by the end."""
    with duckdb.connect(str(tables.place / "w.duckdb"), read_only=True) as db:
        users, rows = db.execute("SELECT * FROM assigned").df(), db.execute("SELECT * FROM spent").df()
    seven = pd.Timedelta(days=7)
    users = users[users["assigned_at"] + seven <= end].set_index("unit_id")
    own = rows.join(users, on="unit_id", how="inner")
    own = own[own["done_at"] < own["assigned_at"] + seven].groupby("unit_id")["amount"]
    users["amount"], users["n"] = own.sum().reindex(users.index).fillna(0.0), own.size().reindex(users.index).fillna(0)
    return users


def test_each_user_counts_for_the_window_and_only_once_it_is_over(tables: Tables) -> None:  # noqa: F811
    reading, second = grow(tables).read(WEEKS[1], **OPEN)
    users = right(tables, pd.Timestamp(WEEKS[1].end))
    assert 0 < len(users) < 2000
    assert reading.units == len(users)
    assert reading.young == 2000 - len(users)
    expected = users.groupby("variant")[["amount", "n"]].mean()
    for arm in ("blue", "green"):
        for metric, value in (
            ("amount", expected["amount"][arm]),
            ("spent", (users["n"] > 0).groupby(users["variant"]).mean()[arm]),
            ("each", expected["amount"][arm] / expected["n"][arm]),
            ("minutes", 7.0),
        ):
            found = reading.value(metric, arm)
            assert isinstance(found, Estimate), found
            assert found.value == pytest.approx(value, rel=1e-12)
    agree(reading, second)
    parts = by_day(reading, "green")
    assert [p["day"] for p in parts if p["n"]][-1] <= 6, "no day beyond the window"
    assert reading.split_sequence() == pytest.approx(second["drift"].value)  # type: ignore[union-attr]


def agree(reading: Reading, second: dict[str, Second | None]) -> None:
    assert second["units"].value == reading.units  # type: ignore[union-attr]
    assert second["young"].value == reading.young  # type: ignore[union-attr]
    for metric in reading.plan.metrics:
        for name, estimate in (
            ("control", reading.value(metric, "blue")),
            ("treatment", reading.value(metric, "green")),
            ("difference", reading.compare(metric, "green").difference),
        ):
            other = second[f"{metric}.{name}"]
            if isinstance(estimate, Estimate):
                assert other is not None
                assert other.value == pytest.approx(estimate.value, rel=1e-9), metric
                if metric == reading.plan.primary and other.low is not None:
                    assert other.low == pytest.approx(estimate.low, rel=1e-3), "the limit too"


def test_a_fault_in_the_window_makes_the_second_computation_disagree(
    plain: Tables,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    grow(plain, "amount")
    own = _experiment.events
    monkeypatch.setattr(_experiment, "events", lambda *a, **k: own(*a, **{**k, "window_days": 8}))
    reading, second = plain.read(WEEKS[2], **OPEN)
    assert second["amount.control"].value != pytest.approx(reading.value("amount", "blue").value)  # type: ignore[union-attr]
    monkeypatch.undo()
    monkeypatch.setattr(
        _experiment,
        "grown",
        lambda units, experiment, end: (units.assigned_at <= end).cast("int64"),  # noqa: ARG005
    )
    reading, second = plain.read(WEEKS[1], **OPEN)
    assert second["units"].value != reading.units  # type: ignore[union-attr]


def test_looks_count_whole_users_and_the_size_that_was_planned_is_the_last(plain: Tables) -> None:  # noqa: F811
    """All in the first ten days: the look at which the last has had its days is final, though the test ends later."""
    grow(plain, "amount")
    looks: list[TakenLook] = []
    for week in WEEKS[1:]:
        reading, _ = plain.read(week, **{**OPEN, "end": date(2026, 12, 6)})
        reading = Reading(
            reading.plan,
            plain.metrics,
            reading.table,
            last=week.end.date() - timedelta(days=1),
            past=looks,
            edition=f"W{len(looks)}",
        )
        arms = [reading.moments(reading.arms[a], "amount") for a in ("blue", "green")]
        known = shared(plain.metrics["amount"], *(Arm(m.n, m.mean, m.variance) for m in arms), whole=True)  # type: ignore[union-attr]
        rows, last = [look.model_dump() for look in looks], week.end.date() - timedelta(days=1)
        limit = critical_of(reading.plan, rows, units=reading.units, information=known, alpha=0.05, last=last)
        assert limit == pytest.approx(reading.design.critical(), rel=1e-3)
        looks = reading.taken()
    assert [look.time for look in looks] == [pytest.approx(reading_share(plain, 1)), 1.0]
    assert [look.final for look in looks] == [False, True]
    assert reading.over
    assert not reading.ended
    assert looks[1].information / looks[0].information == pytest.approx(2000 / (2000 * looks[0].time), rel=0.01)  # type: ignore[operator]
    assert reading.missing_days() == 0, "nobody has to come who could not count"


def reading_share(tables: Tables, week: int) -> float:  # noqa: F811
    return len(right(tables, pd.Timestamp(WEEKS[week].end))) / 2000


def test_the_power_of_a_guardrail_is_that_of_the_second_computation_and_of_statsmodels(plain: Tables) -> None:  # noqa: F811
    from statsmodels.stats.power import normal_power  # noqa: PLC0415  slow to import

    grow(plain, "spent", "amount")
    rail = Guardrail(metric="amount", margin=0.1)
    more: dict[str, Any] = {"primary": "spent", "secondary": [], "guardrails": [rail.model_dump()], "method": "fixed"}
    reading, second = plain.read(WEEKS[2], **OPEN, **more)
    found = guard_power(reading, rail, "green")
    assert second["amount.guard-power"].value == pytest.approx(found, rel=1e-9)  # type: ignore[union-attr]
    users = right(plain, pd.Timestamp(WEEKS[2].end)).groupby("variant")["amount"].agg(["mean", "var", "size"])
    size = 0.1 * users["mean"]["blue"] / users["var"].mean() ** 0.5
    assert found == pytest.approx(normal_power(size, users["size"].mean() / 2, 0.025, alternative="larger"), rel=1e-3)
    assert isinstance(decision_units(reading), int)


def test_another_window_after_the_first_look_is_another_test(plain: Tables) -> None:  # noqa: F811
    reading, _ = grow(plain, "amount").read(WEEKS[1], **OPEN)
    without = reading.plan.model_copy(update={"window_days": None})
    now, none = plan_of(reading.plan, plain.metrics), plan_of(without, plain.metrics)
    assert "window" not in none, "plans of earlier code keep their digest"
    longer = plan_of(reading.plan.model_copy(update={"window_days": 14}), plain.metrics)
    assert broken_by(now, now) == {}
    for first, then in ((now, none), (none, now), (now, longer)):
        assert broken_by(first, then) == {"": ["window_days"]}
