"""Experiments of every shape on small, real tables: kinds of metrics, arms, looks, gates, against pandas on the rows."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pandas as pd
import pytest

from gazette import stats
from gazette.params import load
from gazette.sources import Period, Warehouse, experiment_answers
from gazette.stats import Estimate
from gazette.workbench._parts import by_day, by_segment
from gazette.workbench._reading import Reading

if TYPE_CHECKING:
    from gazette.record import TakenLook
    from small import SmallProject


def reading(small: SmallProject, *, last: date = date(2026, 11, 22), past: list[TakenLook] | None = None) -> Reading:
    params = load(small.root / "params")
    plan = params.experiments["button"]
    start = datetime(last.year, last.month, last.day) - timedelta(days=last.weekday())  # noqa: DTZ001
    period = Period(start, start + timedelta(days=7), 12)
    with Warehouse(params.site.warehouse, project=small.root) as warehouse:
        tables = {a.name: a.table.to_pandas() for a in experiment_answers(warehouse, plan, params.metrics, period)}
    return Reading(
        plan, params.metrics, tables.get, last=last, past=past or [], edition="{}-W{:02}".format(*last.isocalendar())
    )


def with_values(small: SmallProject) -> pd.DataFrame:
    """Give every user some spending events and a past; returns one row a user."""
    rng = np.random.default_rng(9)
    with duckdb.connect(str(small.root / "warehouse.duckdb")) as warehouse:
        users = warehouse.execute("SELECT unit_id, variant, assigned_at FROM experiment_assignments").df()
        users["past"] = rng.gamma(2, 10, len(users))
        users["orders"] = rng.poisson(1.5, len(users))
        users["device"] = rng.choice(["phone", "desktop"], len(users))
        rows = users.loc[users.index.repeat(users.orders)].copy()
        rows["value"] = rows.past * rng.uniform(0.5, 1.5, len(rows))
        rows["happened_at"] = rows.assigned_at + pd.Timedelta(minutes=2)
        orders = rows[["unit_id", "happened_at", "value"]]  # noqa: F841  DuckDB reads it by name
        history = users[["unit_id", "past", "device"]]  # noqa: F841
        warehouse.execute("CREATE TABLE orders AS SELECT * FROM orders")
        warehouse.execute("CREATE TABLE history AS SELECT * FROM history")
        users["spend"] = rows.groupby("unit_id").value.sum().reindex(users.unit_id).fillna(0).to_numpy()
    return users


def set_metric(small: SmallProject, **changes: Any) -> None:
    fact = {"table": "orders", "unit": "unit_id", "time": "happened_at", "value": "value", "aggregation": "sum"}
    small.metric |= {"fact": fact, "unit": "number", **changes}
    small.write()


def with_calls(small: SmallProject, **changes: Any) -> None:
    """Write the project with a second metric."""
    small.write()
    small.add_metric("calls", title="Calls", **changes)


def sides(users: pd.DataFrame, column: str = "spend") -> tuple[pd.Series, pd.Series]:
    return users[column][users.variant == "blue"], users[column][users.variant == "green"]


def found(small: SmallProject) -> Estimate:
    one = reading(small)
    comparison = stats.compare(*one.pair("ctr", "green")[:2], stats.Design(method="fixed", alpha=0.05, units=400))  # type: ignore[arg-type]
    assert isinstance(comparison.difference, Estimate)
    return comparison.difference


class TestKinds:
    def test_a_sum_per_user(self, small: SmallProject) -> None:
        users = with_values(small)
        set_metric(small)
        a, b = sides(users)
        assert found(small).value == pytest.approx(b.mean() - a.mean(), rel=1e-9)

    def test_a_comparison_is_the_treatment_less_the_control(self, small: SmallProject) -> None:
        a, b = sides(with_values(small))
        set_metric(small)
        difference = reading(small).compare("ctr", "green").difference
        assert isinstance(difference, Estimate)
        assert difference.value == pytest.approx(b.mean() - a.mean(), rel=1e-9)

    def test_a_ratio(self, small: SmallProject) -> None:
        users = with_values(small)
        count = {"table": "orders", "unit": "unit_id", "time": "happened_at", "aggregation": "count"}
        set_metric(small, denominator=count)
        expected = [
            users[users.variant == v].spend.sum() / users[users.variant == v].orders.sum() for v in ("blue", "green")
        ]
        assert found(small).value == pytest.approx(expected[1] - expected[0], rel=1e-9)

    def test_a_capped_and_a_winsorised_mean(self, small: SmallProject) -> None:
        users = with_values(small)
        for changes, limit in (({"cap": 40.0}, 40.0), ({"cap_quantile": 0.9, "cap": None}, users.spend.quantile(0.9))):
            small.metric = {k: v for k, v in {**small.metric, **changes}.items() if v is not None}
            set_metric(small)
            a, b = (x.clip(upper=limit) for x in sides(users))
            assert found(small).value == pytest.approx(b.mean() - a.mean(), rel=1e-9)

    def test_a_cap_that_would_be_nought_is_taken_among_values_above_it(self, small: SmallProject) -> None:
        users = with_values(small)
        with duckdb.connect(str(small.root / "warehouse.duckdb")) as warehouse:
            warehouse.execute("DELETE FROM orders WHERE hash(unit_id) % 4 > 0")  # most users have none
            left = {r[0] for r in warehouse.execute("SELECT DISTINCT unit_id FROM orders").fetchall()}
        users["spend"] = users.spend.where(users.unit_id.isin(left), 0.0)
        assert users.spend.quantile(0.5) == 0, "the case"
        small.metric = {**small.metric, "cap_quantile": 0.5}
        set_metric(small)
        limit = users.spend[users.spend > 0].quantile(0.5)
        a, b = (x.clip(upper=limit) for x in sides(users))
        assert found(small).value == pytest.approx(b.mean() - a.mean(), rel=1e-9)
        assert reading(small).caps() == {"ctr": (pytest.approx(limit), True)}

    def test_a_quantile(self, small: SmallProject) -> None:
        users = with_values(small)
        set_metric(small, quantile=0.75)
        a, b = (np.quantile(x, 0.75, method="inverted_cdf") for x in sides(users))
        estimate = found(small)
        assert estimate.value == pytest.approx(b - a, rel=1e-9)
        assert estimate.standard_error > 0

    def test_a_quantile_by_segment_is_the_segments_own(self, small: SmallProject) -> None:
        users = with_values(small)
        set_metric(small, quantile=0.5)
        small.experiment["segments"] = [{"title": "Device", "table": "history", "unit": "unit_id", "column": "device"}]
        small.write()
        with duckdb.connect(str(small.root / "warehouse.duckdb")) as warehouse:
            warehouse.execute(
                "UPDATE orders SET value = value + 30 FROM history WHERE orders.unit_id = history.unit_id AND device = 'phone' AND orders.unit_id LIKE 'green%'"
            )
            users = users.merge(warehouse.execute("SELECT unit_id, device FROM history").df(), how="left")
            spend = warehouse.execute("SELECT unit_id, sum(value)::DOUBLE AS own FROM orders GROUP BY 1").df()
        users = users.merge(spend, how="left").fillna({"own": 0.0, "device": "unknown"})
        right = users.groupby(["device", "variant"])["own"].quantile(0.5, interpolation="lower")
        seen = {one["value"]: one["comparison"].difference.value for one in by_segment(reading(small), "green")}
        assert seen == pytest.approx({d: right[d, "green"] - right[d, "blue"] for d in users["device"].unique()})
        assert len(seen) > 1

    def test_a_quantile_that_many_share_has_no_range(self, small: SmallProject) -> None:
        users = with_values(small)
        set_metric(small, quantile=0.5)
        small.experiment["segments"] = [{"title": "Device", "table": "history", "unit": "unit_id", "column": "device"}]
        small.write()
        with duckdb.connect(str(small.root / "warehouse.duckdb")) as warehouse:
            warehouse.execute("UPDATE orders SET value = 2.5")
        it = reading(small)
        (effect,) = it.effects("green")
        totals = users.orders.groupby(users.variant).median() * 2.5
        assert [effect.control.value, effect.treatment.value] == [totals["blue"], totals["green"]]  # type: ignore[union-attr]
        assert "(ties)" in effect.comparison.difference.reason  # type: ignore[union-attr]
        own = (users.orders * 2.5).groupby([users.device, users.variant]).quantile(0.5, interpolation="lower")
        seen = {one["value"]: one["comparison"].difference.value for one in by_segment(it, "green")}
        assert seen == {d: own[d, "green"] - own[d, "blue"] for d in seen}
        assert seen, "a segment's range may be there where that of all users is not"

    def test_a_covariate_narrows_and_keeps_the_answer(self, small: SmallProject) -> None:
        with_values(small)
        set_metric(small)
        plain = found(small)
        set_metric(small, covariate={"table": "history", "unit": "unit_id", "column": "past"})
        one = reading(small)
        adjusted = found(small)
        assert adjusted.standard_error < 0.95 * plain.standard_error
        assert abs(adjusted.value - plain.value) < 2 * plain.standard_error
        assert 0.05 < one.effects("green")[0].saved < 1
        balance = one.balance()
        assert isinstance(balance, float)
        assert balance > 0.001

    def test_a_covariate_narrows_a_ratio_as_the_same_regression_does(self, small: SmallProject) -> None:
        users = with_values(small)
        count = {"table": "orders", "unit": "unit_id", "time": "happened_at", "aggregation": "count"}
        with duckdb.connect(str(small.root / "warehouse.duckdb")) as warehouse:
            warehouse.execute("DELETE FROM history WHERE unit_id LIKE '%7'")  # of whom nothing is known
        set_metric(small, denominator=count, covariate={"table": "history", "unit": "unit_id", "column": "past"})
        one = reading(small)
        adjusted = found(small)
        plain = stats.difference_of_means(*one.pair("ctr", "green", adjust=False)[:2])  # type: ignore[arg-type]
        assert isinstance(plain, Estimate)
        gone = users.unit_id.str.endswith("7")
        past = users.past.where(~gone, users.past[~gone].mean())
        rate = users.groupby("variant")[["spend", "orders"]].transform("sum").pipe(lambda t: t.spend / t.orders)
        line = rate + (users.spend - rate * users.orders) / users.groupby("variant").orders.transform("mean")
        design = np.column_stack([np.ones(len(users)), users.variant == "green", past, gone]).astype(float)
        assert adjusted.value == pytest.approx(np.linalg.lstsq(design, line, rcond=None)[0][1], rel=1e-9)
        assert one.effects("green")[0].saved > 0.3
        assert adjusted.standard_error < 0.9 * plain.standard_error
        kept = {arm: {k: v for k, v in row.items() if "_den_pre_" not in k} for arm, row in one.arms.items()}
        one.arms = kept  # as editions of earlier code have it
        assert not one.adjusts("ctr")
        assert one.pair("ctr", "green")[2] == 0.0

    def test_segments_add_up_and_days_since_exposure_follow(self, small: SmallProject) -> None:
        users = with_values(small)
        small.experiment["segments"] = [{"title": "Device", "table": "history", "unit": "unit_id", "column": "device"}]
        set_metric(small)
        one = reading(small)
        segments = by_segment(one, "green")
        assert {s["value"]: s["n"] for s in segments} == users.device.value_counts().to_dict()
        (first, *_) = by_day(one, "green")
        a, b = sides(users)
        assert first["effect"].value == pytest.approx(b.mean() - a.mean(), rel=1e-9)
        assert first["effect"].standard_error == pytest.approx(
            (a.var() / len(a) + b.var() / len(b)) ** 0.5, rel=1e-9
        ), "zeros of those who did nothing count"


class TestDesign:
    def test_three_arms_share_the_error(self, small: SmallProject) -> None:
        with duckdb.connect(str(small.root / "warehouse.duckdb")) as warehouse:
            warehouse.execute(
                "INSERT INTO experiment_assignments SELECT experiment, replace(unit_id, 'blue', 'red'), 'red', assigned_at FROM experiment_assignments WHERE variant = 'blue'"
            )
        small.experiment["variants"] = [
            {"id": i, "title": i, "weight": w} for i, w in (("blue", 0.4), ("green", 0.3), ("red", 0.3))
        ]
        small.write()
        one = reading(small)
        assert one.design.alpha == 0.025
        assert one.units == 600
        assert [e.arm for v in ("green", "red") for e in one.effects(v)] == ["green", "red"]

    @pytest.mark.parametrize(
        ("changes", "design"),
        [
            ({}, "group-sequential"),
            ({"planned_units": None}, "confidence-sequence"),
            ({"method": "fixed"}, "fixed"),
            ({"method": "confidence-sequence"}, "confidence-sequence"),
        ],
    )
    def test_the_design_follows_the_plan(self, small: SmallProject, changes: dict[str, Any], design: str) -> None:
        small.experiment = {k: v for k, v in {**small.experiment, **changes}.items() if v is not None}
        small.write()
        assert reading(small).design.method == design

    def test_a_look_before_the_end_asks_for_more(self, small: SmallProject) -> None:
        early, late = reading(small, last=date(2026, 11, 15)), reading(small)
        assert not early.ended
        assert late.ended
        assert early.design.critical() > 2.5 > late.design.critical()
        assert early.units == 200
        assert early.looks_at_most() == 2

    def test_the_ledger_grows_and_the_last_bound_pays_for_the_looks_before(self, small: SmallProject) -> None:
        first = reading(small, last=date(2026, 11, 15)).taken()
        assert [look.units for look in first] == [200]
        second = reading(small, past=first)
        assert [look.units for look in second.taken()] == [200, 400]
        assert second.design.critical() > reading(small).design.critical() == pytest.approx(stats.z_of(0.95))
        again = reading(small, last=date(2026, 11, 29), past=second.taken())
        assert again.taken() == second.taken(), "after the final look there is none"
        assert again.design.critical() == second.design.critical()

    def test_a_look_without_new_users_is_a_look(self, small: SmallProject) -> None:
        """All came in the first week; what they do goes on growing, and so do looks and information."""
        small.experiment |= {"end": "2026-12-06"}
        small.write()
        with duckdb.connect(str(small.root / "warehouse.duckdb")) as warehouse:
            warehouse.execute(
                "UPDATE experiment_assignments SET assigned_at = '2026-11-09' WHERE assigned_at > '2026-11-15'"
            )
        first = reading(small, last=date(2026, 11, 15))
        second = reading(small, last=date(2026, 11, 22), past=first.taken())
        assert first.units == second.units
        assert [look.time for look in second.taken()] == [0.25, 0.5]
        assert second.design.information[1] > 1.2 * second.design.information[0]
        assert 8 > first.design.critical() > second.design.critical() > 2.5

    def test_a_changed_plan_shows_and_the_first_one_counts(self, small: SmallProject) -> None:
        early = reading(small, last=date(2026, 11, 15))
        small.experiment |= {"alpha": 0.1, "minimum_effect": 0.3, "planned_units": 250, "end": "2026-11-15"}
        small.experiment |= {"method": "group-sequential", "spending": "pocock"}
        small.write()
        late = reading(small, last=date(2026, 11, 15), past=early.taken()[:0] or None)
        assert late.design.critical() < 1.96, "the fault that this is about: a new plan releases what is left"
        changed = reading(small, past=early.taken())
        assert {d[0] for d in changed.deviations()} == {"alpha", "minimum_effect", "planned_units", "end", "spending"}
        assert (changed.plan.alpha, changed.plan.planned_units, changed.plan.minimum_effect) == (0.05, 400, 0.2)
        assert changed.design.critical() > 2.5, "an early end spends no more than a look"
        assert changed.broken_plan() == {}
        assert changed.over
        assert changed.taken()[-1].final

    def test_an_end_that_was_put_off_is_no_second_final_look(self, small: SmallProject) -> None:
        first = reading(small, last=date(2026, 11, 15)).taken()
        final = reading(small, past=first).taken({"green": "not resolved"})
        assert (final[-1].final, final[-1].time) == (True, 1.0)
        small.experiment |= {"end": "2026-12-06", "planned_units": 800}
        small.write()
        longer = reading(small, last=date(2026, 11, 29), past=final)
        assert not longer.ended
        assert longer.over
        assert longer.closing == final[-1]
        assert longer.taken() == final
        assert longer.design.critical() == pytest.approx(final[-1].critical)
        at_once = reading(small, past=first)
        assert at_once.complete, "put off before the final look: that stays where it was agreed"
        assert at_once.design.critical() == pytest.approx(final[-1].critical)

    @pytest.mark.parametrize(
        ("change", "broken"),
        [
            ({"start": "2026-11-10"}, {"": ["start"]}),
            ({"control": "green"}, {"": ["control"]}),
            ({"variants": [{"id": "blue", "title": "Blue", "weight": 0.4}, {"id": "green", "title": "Green", "weight": 0.6}]}, {"": ["variants"]}),
            ({"guardrails": []}, {"": ["guardrail calls dropped"]}),
            ({"guardrails": [{"metric": "calls", "margin": 0.3}]}, {}),
            ({"owner": "somebody else", "title": "Greener button"}, {}),
        ],
    )  # fmt: skip
    def test_what_no_spending_makes_good_breaks_the_plan(
        self, small: SmallProject, change: dict[str, Any], broken: dict[str, list[str]]
    ) -> None:
        small.experiment["guardrails"] = [{"metric": "calls", "margin": 0.02}]
        with_calls(small)
        first = reading(small, last=date(2026, 11, 15)).taken()
        small.experiment |= change
        with_calls(small)
        now = reading(small, past=first)
        assert now.broken_plan() == broken
        assert all(g.margin == 0.02 for g in now.plan.guardrails), "margins are those that were agreed"

    def test_a_metric_that_is_defined_anew_breaks_the_plan_of_what_reads_it(self, small: SmallProject) -> None:
        small.experiment["secondary"] = ["calls"]
        with_calls(small)
        first = reading(small, last=date(2026, 11, 15)).taken()
        small.metric["title"] = "Clicks, by another name"
        with_calls(small, direction="lower")
        assert reading(small, past=first).broken_plan() == {"calls": ["definition of calls"]}
        small.metric["fact"] = {**small.metric["fact"], "aggregation": "count"}
        small.metric["unit"] = "number"
        with_calls(small)
        assert "definition of ctr" in reading(small, past=first).broken_plan()[""]

    def test_plans_of_earlier_code_hold_no_definitions_and_are_not_broken_by_that(self, small: SmallProject) -> None:
        (look,) = reading(small, last=date(2026, 11, 15)).taken()
        old = {k: v for k, v in json.loads(look.plan).items() if k not in {"definitions", "tightest_units"}}
        kept = {"information": None, "time": None, "final": False, "states": {}, "plan": json.dumps(old)}
        now = reading(small, past=[look.model_copy(update=kept)])
        assert (now.deviations(), now.broken_plan()) == ([], {})
        assert now.design.clock() == pytest.approx([0.5, 1.0])
        closed = reading(small, last=date(2026, 11, 29), past=[look.model_copy(update={**kept, "edition": "2026-W47"})])
        assert closed.closing is not None, "its week is after the end of its plan"

    def test_a_test_read_once_has_no_error_for_an_end_brought_forward(self, small: SmallProject) -> None:
        small.experiment |= {"method": "fixed"}
        small.write()
        first = reading(small, last=date(2026, 11, 15)).taken()
        small.experiment |= {"end": "2026-11-21"}
        small.write()
        assert reading(small, past=first).broken_plan() == {"": ["end"]}


class TestGates:
    def test_days_without_anybody_are_counted(self, small: SmallProject) -> None:
        with duckdb.connect(str(small.root / "warehouse.duckdb")) as warehouse:
            warehouse.execute(
                "DELETE FROM experiment_assignments WHERE assigned_at::DATE IN ('2026-11-12', '2026-11-13')"
            )
        assert reading(small).missing_days() == 2

    def test_days_on_which_nothing_was_recorded_are_late(self, small: SmallProject) -> None:
        with duckdb.connect(str(small.root / "warehouse.duckdb")) as warehouse:
            warehouse.execute("INSERT INTO events SELECT e.* FROM events e, range(20)")
        assert reading(small).missing_days() == 0
        with duckdb.connect(str(small.root / "warehouse.duckdb")) as warehouse:
            warehouse.execute("DELETE FROM events WHERE happened_at::DATE = '2026-11-22'")
        assert reading(small).missing_days() == 1

    def test_users_in_both_arms_are_counted(self, small: SmallProject) -> None:
        with duckdb.connect(str(small.root / "warehouse.duckdb")) as warehouse:
            warehouse.execute("INSERT INTO experiment_assignments VALUES ('button', 'blue-1', 'green', '2026-11-12')")
        assert reading(small).crossed() == 1

    def test_a_past_that_differs_is_found(self, small: SmallProject) -> None:
        with_values(small)
        set_metric(small, covariate={"table": "history", "unit": "unit_id", "column": "past"})
        with duckdb.connect(str(small.root / "warehouse.duckdb")) as warehouse:
            warehouse.execute("UPDATE history SET past = past + 10 WHERE unit_id LIKE 'green%'")
        balance = reading(small).balance()
        assert isinstance(balance, float)
        assert balance < 0.001


@pytest.mark.integration
def test_looks_of_editions_make_the_ledger_of_the_next(small: SmallProject) -> None:
    from program import gazette  # noqa: PLC0415

    gazette("build", "2026-W46..2026-W47", project=small.root)
    looks = {}
    for week in ("2026-W46", "2026-W47"):
        record = json.loads((small.root / "editions" / week / "records" / "button.json").read_text())
        looks[week] = [(x["edition"], x["units"]) for x in record["looks"]]
        method = record["facts"]["method"]
    assert looks == {"2026-W46": [("2026-W46", 200)], "2026-W47": [("2026-W46", 200), ("2026-W47", 400)]}
    assert "look 2 of at most 2" in method
    assert "0.0500 of 0.0500 spent" in method
    sql = (small.root / "editions" / "2026-W47" / "snapshot" / "button" / "looks.sql").read_text()
    assert "edition 2026-W46" in sql


@pytest.mark.integration
def test_what_the_final_look_said_stays_though_late_rows_and_a_later_end_say_otherwise(small: SmallProject) -> None:
    """Both computations read the ledger; the third edition has other data, another end, another size, and the same verdict."""
    from program import gazette  # noqa: PLC0415

    with duckdb.connect(str(small.root / "warehouse.duckdb")) as warehouse:
        warehouse.execute(
            "INSERT INTO events SELECT unit_id, assigned_at, assigned_at FROM experiment_assignments WHERE unit_id LIKE 'green%' AND hash(unit_id) % 3 = 0"
        )
    gazette("build", "2026-W46..2026-W47", project=small.root)
    small.experiment |= {"end": "2026-12-06", "planned_units": 800}
    small.write()
    with duckdb.connect(str(small.root / "warehouse.duckdb")) as warehouse:  # blue catches up
        warehouse.execute(
            "INSERT INTO events SELECT unit_id, TIMESTAMP '2026-11-24', TIMESTAMP '2026-11-24' FROM experiment_assignments WHERE unit_id LIKE 'blue%' AND hash(unit_id) % 3 = 0"
        )
        warehouse.execute(
            "INSERT INTO experiment_assignments SELECT experiment, unit_id || '-new', variant, TIMESTAMP '2026-11-23' + to_days(CAST(hash(unit_id) % 7 AS INTEGER)) FROM experiment_assignments WHERE unit_id LIKE '%1' OR unit_id LIKE '%2'"
        )
    gazette("build", "2026-W48", project=small.root)
    found = {}
    for week in ("2026-W47", "2026-W48"):
        record = json.loads((small.root / "editions" / week / "records" / "button.json").read_text())
        found[week] = record["verdicts"][0], record["looks"]
    (final, looks), (after, kept) = found["2026-W47"], found["2026-W48"]
    assert final["state"] == "benefit shown"
    assert (after["state"], after["rule"]) == ("benefit shown", "crossed-at-earlier-look")
    assert after["reason"]["terms"]["when"] == "2026-W47"
    assert "may have faded" in after["reason"]["text"]
    assert kept == looks
    assert [look["final"] for look in looks] == [False, True]
    assert "plan-deviation" in [f["rule"] for f in record["findings"]]
    page = (small.root / "editions" / "2026-W48" / "site" / "experiments" / "button.html").read_text()
    assert "its final look, number 2, was in edition 2026-W47" in page
    assert "which the data of today do not re-open" in page, "no map of other ways"


@pytest.mark.integration
def test_a_test_ended_before_its_size_is_said_to_be_stopped_early(small: SmallProject) -> None:
    from program import gazette  # noqa: PLC0415

    small.experiment |= {"end": "2026-12-06", "planned_units": 800}
    small.write()
    with duckdb.connect(str(small.root / "warehouse.duckdb")) as warehouse:  # so clear that half of the plan shows it
        warehouse.execute(
            "INSERT INTO events SELECT unit_id, assigned_at, assigned_at FROM experiment_assignments WHERE unit_id LIKE 'green%' AND hash(unit_id) % 4 = 0"
        )
    gazette("build", "2026-W46", project=small.root)
    small.experiment |= {"end": "2026-11-22"}
    small.write()
    gazette("build", "2026-W47", project=small.root)
    record = json.loads((small.root / "editions" / "2026-W47" / "records" / "button.json").read_text())
    assert record["facts"]["status"] == "stopped early for benefit"
    assert "plan-deviation" in [f["rule"] for f in record["findings"]]
    assert "overstates" in record["verdicts"][0]["advice"]["text"]
    first = json.loads((small.root / "editions" / "2026-W46" / "records" / "button.json").read_text())
    assert record["facts"]["plan"] == first["facts"]["plan"], "the digest is of the plan at the first look"


@pytest.mark.integration
def test_a_test_that_ran_too_short_waits(small: SmallProject) -> None:
    from program import gazette  # noqa: PLC0415

    small.experiment |= {"start": "2026-11-19"}
    small.experiment["minimum_days"] = 7
    small.experiment["end"] = "2026-11-29"
    small.write()
    gazette("build", "2026-W47", project=small.root)
    record = json.loads((small.root / "editions" / "2026-W47" / "records" / "button.json").read_text())
    (verdict,) = record["verdicts"]
    assert (verdict["state"], verdict["action"], verdict["rule"]) == ("not published", "wait", "gate-minimum-run")
    assert record["findings"] == []


@pytest.mark.integration
def test_a_page_says_for_how_long_each_user_counts_and_who_does_not_yet(small: SmallProject) -> None:
    from program import gazette  # noqa: PLC0415

    assert "hint: params/experiments/button.yml: without window_days" in gazette("check", project=small.root).stdout
    small.experiment |= {"window_days": 7, "planned_units": 150, "guardrails": [{"metric": "calls", "margin": 0.3}]}
    with_calls(small)
    assert "hint" not in gazette("check", project=small.root).stdout
    gazette("build", "2026-W47", project=small.root)
    edition = small.root / "editions" / "2026-W47"
    numbers = {
        n["id"]: n["value"]
        for n in json.loads((edition / "records" / "button.json").read_text())["numbers"]
        if "value" in n
    }
    assert numbers["button.young"] == 400 - numbers["button.units"] > 0
    page = (small.root / "_site" / "editions" / "2026-W47" / "experiments" / "button.html").read_text()
    assert "each user counts for 7 days since assignment" in page
    assert "not through with the days that count" in page
    assert "chance to show at this look that it loses no more than 30" in page
    assert "To decide" in page
    assert numbers["button.decision-needed"] > numbers["button.calls.guard-needed"] > 0
    checked = {c["id"] for c in json.loads((edition / "recomputed.json").read_text())["checked"]}
    assert {"button.young", "button.units", "button.ctr.difference"} <= checked


@pytest.mark.integration
def test_a_page_says_how_many_were_triggered_and_what_the_effect_is_over_everyone(small: SmallProject) -> None:
    from program import gazette  # noqa: PLC0415

    with duckdb.connect(str(small.root / "warehouse.duckdb")) as warehouse:
        warehouse.execute(
            "CREATE TABLE seen AS SELECT unit_id, assigned_at + INTERVAL 1 SECOND AS at FROM experiment_assignments WHERE split_part(unit_id, '-', 2)::INT % 2 = 0"
        )
    impact = {"value_per_unit": 2.0, "units_per_month": 1000.0, "base": "all users"}
    small.experiment |= {"triggered": {"table": "seen", "unit": "unit_id", "time": "at"}, "impact": impact}
    small.write()
    gazette("build", "2026-W47", project=small.root)
    edition = small.root / "editions" / "2026-W47"
    record = json.loads((edition / "records" / "button.json").read_text())
    numbers = {n["id"].removeprefix("button."): n["value"] for n in record["numbers"] if "value" in n}
    assert (numbers["units"], numbers["assigned"], numbers["triggered"]) == (200, 400, 0.5)
    assert numbers["diluted"] == pytest.approx(numbers["ctr.difference"] / 2)
    page = (small.root / "_site" / "editions" / "2026-W47" / "experiments" / "button.html").read_text()
    for text in ("users assigned have a row of seen after", "Over everyone assigned", "Split of those triggered"):
        assert text in page
    checked = {c["id"] for c in json.loads((edition / "recomputed.json").read_text())["checked"]}
    assert {f"button.{n}" for n in ("units", "assigned", "triggered", "diluted", "drift", "triggered-drift")} <= checked


@pytest.mark.integration
def test_somebody_in_no_arm_is_a_failed_check_of_the_page_beside_the_split(small: SmallProject) -> None:
    from program import gazette  # noqa: PLC0415

    with duckdb.connect(str(small.root / "warehouse.duckdb")) as warehouse:
        warehouse.execute(
            "INSERT INTO experiment_assignments VALUES ('button', 'p1', 'purple', TIMESTAMP '2026-11-12')"
        )
    gazette("build", "2026-W47", project=small.root)
    record = json.loads((small.root / "editions" / "2026-W47" / "records" / "button.json").read_text())
    assert record["verdicts"][0]["rule"] == "gate-accounted"
    shown = {n["id"]: n["value"] for n in record["numbers"]}
    assert shown["button.unaccounted"] == 1
    assert shown["button.drift"] > 0.01
