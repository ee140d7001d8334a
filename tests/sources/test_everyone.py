"""Identifiers, spellings, values and times as people's tables have them: by hand, by pandas, or refused; and computed twice."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import duckdb
import pandas as pd
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf
from scipy.stats import chi2_contingency, moment, norm

from gazette.errors import SourceError
from gazette.params import Covariate, Experiment, Metric
from gazette.recompute import ask
from gazette.recompute._ask import query_of
from gazette.recompute._experiment import seconds
from gazette.record import NotPublished
from gazette.sources import Period, Warehouse, _experiment, _units, experiment_answers
from gazette.stats import Estimate
from gazette.workbench._matched import Matched, matched_of, repeated_of, several_of
from gazette.workbench._missing import lacks_of
from gazette.workbench._parts import by_segment, not_compared
from gazette.workbench._reading import Reading
from postgres import copy_tables

if TYPE_CHECKING:
    from pathlib import Path

    from gazette.recompute._arithmetic import Second

PERIOD = Period(datetime(2026, 11, 16), datetime(2026, 11, 23), 3)  # noqa: DTZ001  the clock of editions is UTC without zone
ARM = "if(i % 2 = 0, 'blue', 'green')"
CLICK = "if(lower(variant) = 'blue', 10, 9)"  # one in five of blue, two in nine of green
SMALL = 1750000000000000000


@pytest.fixture(
    params=["duckdb", pytest.param("postgres", marks=[pytest.mark.server, pytest.mark.xdist_group("postgres")])]
)
def engine(request: pytest.FixtureRequest) -> str:
    """In which the tables lie."""
    return "" if request.param == "duckdb" else request.getfixturevalue("postgres_server")


class Tables:
    """A test named ``test`` of 2,000 users in two arms from 2026-11-09, of whom some clicked; each test has its own flaw."""

    def __init__(self, place: Path, server: str) -> None:
        self.place, self.server = place, server
        self.metrics: dict[str, Metric] = {}
        self.copied = False  # to the server, since the tables last changed
        self.readings: dict[str, tuple[Reading, dict[str, Second | None]]] = {}
        self.fact(
            "clicks",
            {"table": "clicks", "unit": "unit_id", "time": "clicked_at", "arrived": "loaded_at", "aggregation": "any"},
        )

    def fact(self, name: str, fact: dict[str, Any], **more: Any) -> None:
        """A metric of this name."""
        content = {
            "title": name,
            "owner": "o",
            "definition": "d",
            "unit": "fraction" if fact["aggregation"] == "any" else "number",
            "direction": "higher",
            "fact": fact,
            "changelog": [{"version": 1, "date": date(2026, 1, 5), "author": "o", "change": "First."}],
            **more,
        }
        self.metrics[name] = Metric.model_validate(content)

    def sql(self, *statements: str) -> Tables:
        self.copied = False
        self.readings.clear()
        with duckdb.connect(str(self.place / "w.duckdb")) as db:
            for statement in statements:
                db.execute(statement)
        return self

    def assign(self, unit: str = "i", variant: str = ARM, at: str = "TIMESTAMP '2026-11-09' + to_minutes(i)") -> Tables:
        return self.sql(
            f"CREATE TABLE assigned AS SELECT 'test' AS experiment, {unit} AS unit_id, {variant} AS variant, {at} AS assigned_at FROM range(2000) t(i)"
        )

    def click(self, unit: str = "unit_id", number: str = "unit_id") -> Tables:
        return self.sql(
            f"CREATE TABLE clicks AS SELECT {unit} AS unit_id, assigned_at + INTERVAL 1 MINUTE AS clicked_at, "
            f"assigned_at + INTERVAL 1 HOUR AS loaded_at FROM assigned WHERE {number} % {CLICK} < 2"
        )

    def read(self, period: Period = PERIOD, **more: Any) -> tuple[Reading, dict[str, Second | None]]:
        """The first reading and the second; asked once while neither tables nor questions change."""
        asked = repr((period, more, self.metrics))
        if asked not in self.readings:
            self.readings[asked] = self._read(period, **more)
        return self.readings[asked]

    def _read(self, period: Period, **more: Any) -> tuple[Reading, dict[str, Second | None]]:
        arms = more.pop("variants", [{"id": v} for v in ("blue", "green")])
        names = [*self.metrics]
        plan = Experiment.model_validate(
            {
                **dict.fromkeys(("title", "owner", "description", "hypothesis"), "t"),
                "id": "test",
                "start": date(2026, 11, 9),
                "end": date(2026, 11, 22),
                "assignments": "assigned",
                "control": "blue",
                "variants": [{"title": v["id"], "weight": 0.5, **v} for v in arms],
                "primary": names[0],
                "secondary": names[1:],
                "planned_units": 2000,
                "minimum_effect": 0.1,
                **more,
            }
        )
        address = "duckdb://w.duckdb"
        if self.server:
            address = f"{self.server}/everyone"
            if not self.copied:
                copy_tables(self.place / "w.duckdb", address)
            self.copied = True
        with Warehouse(address, project=self.place) as warehouse:
            first = {a.name: a.table.to_pandas() for a in experiment_answers(warehouse, plan, self.metrics, period)}
            second = ask(warehouse, [plan], self.metrics, period, {})
        assert second[-1].table.to_pylist() == []
        tables = {a.name.removeprefix(query_of("test", "")): a.table.to_pylist() for a in second}
        reading = Reading(plan, self.metrics, first.get, last=period.end.date() - timedelta(days=1))
        return reading, seconds(plan, self.metrics, tables, [], last=period.end.date() - timedelta(days=1))

    def values(self, metric: str = "clicks", **more: Any) -> tuple[float, float]:
        """What both readings say of the arms; they have to agree, and on who is left out."""
        reading, second = self.read(**more)
        found = [reading.value(metric, arm) for arm in ("blue", "green")]
        for first, name in zip(found, (f"{metric}.control", f"{metric}.treatment"), strict=True):
            other = second[name]
            assert isinstance(first, Estimate)
            assert other is not None
            assert other.value == pytest.approx(first.value, rel=1e-12)
        assert second["units"].value == reading.units  # type: ignore[union-attr]
        assert second["unaccounted"].value == reading.accounted.unknown()  # type: ignore[union-attr]
        return found[0].value, found[1].value  # type: ignore[union-attr]


@pytest.fixture
def tables(tmp_path: Path, engine: str) -> Tables:
    """An empty warehouse."""
    return Tables(tmp_path, engine)


@pytest.fixture
def plain(tmp_path: Path) -> Tables:
    """An empty warehouse of DuckDB, for what is no matter of the engine."""
    return Tables(tmp_path, "")


TRUE = (0.2, pytest.approx(2 / 9, abs=0.001))


@pytest.mark.parametrize(
    ("assigned", "clicked", "number"),
    [
        ("i", "CAST(unit_id AS VARCHAR)", "unit_id"),
        ("CAST(i AS VARCHAR)", "CAST(unit_id AS BIGINT)", "CAST(unit_id AS BIGINT)"),
        ("i", "CAST(unit_id AS DOUBLE)", "unit_id"),
        ("CAST(i AS DOUBLE)", "CAST(unit_id AS BIGINT)::VARCHAR", "unit_id::BIGINT"),
        ("CAST(i AS INTEGER)", "unit_id::HUGEINT", "unit_id"),
        ("'u-' || i", "unit_id", "CAST(substr(unit_id, 3) AS BIGINT)"),
        (
            "('00000000-0000-0000-0000-' || lpad(i::VARCHAR, 12, '0'))::UUID",
            "unit_id::VARCHAR",
            "right(unit_id::VARCHAR, 12)::BIGINT",
        ),
        (f"{SMALL} + i", "unit_id::VARCHAR", f"(unit_id - {SMALL})"),
        ("12345678901234567890::HUGEINT + i", "unit_id::VARCHAR", "(unit_id - 12345678901234567890::HUGEINT)"),
    ],
)
def test_ids_of_two_types_are_the_same_if_they_are_written_the_same(
    tables: Tables, assigned: str, clicked: str, number: str
) -> None:
    assert tables.assign(assigned).click(clicked, number).values() == TRUE


def test_ids_that_are_written_otherwise_are_others(plain: Tables) -> None:
    plain.assign("if(i < 100, '0', '') || i").sql(
        "CREATE TABLE clicks AS SELECT unit_id::BIGINT::VARCHAR AS unit_id, assigned_at AS clicked_at, assigned_at AS loaded_at FROM assigned"
    )
    assert plain.values() == (pytest.approx(950 / 1000), pytest.approx(950 / 1000)), (
        "007 is not 7; 950 of each have no nought in front"
    )


@pytest.mark.parametrize(
    ("assigned", "clicked"), [("i", "unit_id::DOUBLE"), ("i", "unit_id::DOUBLE + 0.5"), ("i::DOUBLE", "unit_id")]
)
def test_ids_that_a_real_number_cannot_hold_are_refused_by_name(tables: Tables, assigned: str, clicked: str) -> None:
    where = "assigned" if "DOUBLE" in assigned else "clicks"
    large = f"{SMALL} + " if "0.5" not in clicked else ""
    tables.assign(f"({large}{assigned})" if where == "clicks" else f"({large}i)::DOUBLE")
    tables.click(clicked, f"(unit_id::HUGEINT - {SMALL if large else 0})")
    with pytest.raises(SourceError, match=f"column 'unit_id' of table '{where}' holds ids as real numbers"):
        tables.read()


def test_spellings_that_the_file_does_not_know_are_named_until_it_maps_them(plain: Tables) -> None:
    plain.assign(variant="if(i % 2 = 0, if(i % 4 = 0, 'blue', 'Blue'), if(i % 4 = 1, 'green', 'Green'))").click()
    reading, second = plain.read()
    assert reading.accounted.others() == [
        ("Blue, which the file does not know", 500),
        ("Green, which the file does not know", 500),
    ]
    assert reading.accounted.unknown() == 1000
    assert second["unaccounted"].value == 1000  # type: ignore[union-attr]
    assert reading.units == 1000
    spelt = [{"id": "blue", "aliases": ["Blue"]}, {"id": "green", "aliases": ["Green"]}]
    assert plain.values(variants=spelt) == TRUE
    reading, _ = plain.read(variants=spelt)
    assert (reading.units, reading.accounted.unknown(), reading.accounted.others()) == (2000, 0, [])
    reading, second = plain.read(exclude=["Blue", "Green"])
    assert (reading.units, reading.accounted.unknown()) == (1000, 0)
    assert second["unaccounted"].value == 0  # type: ignore[union-attr]


def test_everyone_is_accounted_for(plain: Tables) -> None:
    plain.assign(variant=f"if(i % 100 = 7, NULL, if(i % 100 = 9, '', {ARM}))").click().sql(
        "INSERT INTO assigned SELECT 'test', NULL, 'blue', TIMESTAMP '2026-11-10' FROM range(3)",
        "INSERT INTO assigned SELECT 'test', 5000, 'blue', NULL",
        "INSERT INTO assigned SELECT 'test', 6000, 'holdout', TIMESTAMP '2026-11-10'",
        "INSERT INTO assigned SELECT 'test', 0, 'green', TIMESTAMP '2026-11-10'",
        "INSERT INTO assigned SELECT 'test', 2, 'blue', TIMESTAMP '2026-11-12'",
        "INSERT INTO assigned SELECT 'other', 7000, 'red', TIMESTAMP '2026-11-12'",
        "INSERT INTO assigned SELECT 'test', 8000, 'red', TIMESTAMP '2026-11-08'",
    )
    reading, second = plain.read()
    with duckdb.connect(str(plain.place / "w.duckdb"), read_only=True) as db:
        rows = db.execute("SELECT * FROM assigned WHERE experiment = 'test'").df()
    rows = rows[rows["assigned_at"].isna() | (rows["assigned_at"] >= "2026-11-09")]
    rows["variant"] = rows["variant"].replace("", None).fillna("no variant")
    told = rows.dropna(subset=["unit_id", "assigned_at"]).groupby("unit_id")["variant"].agg(["nunique", "first"])
    single = told[told["nunique"] == 1]["first"]
    assert {arm: reading.count(arm) for arm in ("blue", "green")} == {
        arm: int((single == arm).sum()) for arm in ("blue", "green")
    }
    assert reading.accounted.others() == [
        ("several variants, so in none", 1),
        ("holdout, which the file does not know", 1),
        ("no id, which the file does not know", 3),
        ("no time, which the file does not know", 1),
        ("no variant, which the file does not know", int((single == "no variant").sum())),
    ]
    assert second["unaccounted"].value == reading.accounted.unknown() == 45  # type: ignore[union-attr]
    frame = reading.accounted.frame
    assert frame is not None
    assert int(frame["rows"].sum()) == len(rows), "all rows of the test's time"
    assert int(frame["repeated"].sum()) == 3, "unit 0, unit 2, and the rows without an id"
    reading, second = plain.read(exclude=["no variant", "no id", "no time", "holdout"])
    assert second["unaccounted"].value == reading.accounted.unknown() == 0  # type: ignore[union-attr]


@pytest.mark.parametrize("bad", ["NaN", "Infinity", "-Infinity"])
def test_a_value_that_is_none_withholds_its_metric_alone(tables: Tables, bad: str) -> None:
    tables.assign().click().sql(
        f"CREATE TABLE orders AS SELECT unit_id, assigned_at AS at, if(unit_id = 9, '{bad}'::DOUBLE, 5 + unit_id % 7) AS amount, 1 AS one "
        "FROM assigned WHERE unit_id % 3 = 0"
    )
    order = {"table": "orders", "unit": "unit_id", "time": "at", "aggregation": "sum"}
    tables.fact("amount", {**order, "value": "amount"})
    tables.fact("per-one", {**order, "value": "one"}, denominator={**order, "value": "amount"})
    clicked = {"table": "clicks", "unit": "unit_id", "time": "clicked_at", "aggregation": "count"}
    tables.fact("less", clicked, covariate={"table": "orders", "unit": "unit_id", "column": "amount"})
    tables.fact("one", {**order, "value": "one"})
    reading, second = tables.read()
    for name in ("amount", "per-one"):
        for found in (reading.value(name, "blue"), reading.compare(name, "green").difference):
            assert found == NotPublished(reason="column amount of orders holds 1 value that is no number or infinite")
        assert second[f"{name}.difference"] is None, "a first computation that had overlooked it would disagree"
    assert tables.values("one") == (pytest.approx(1 / 3, abs=0.001), pytest.approx(1 / 3, abs=0.001))
    adjusted = reading.compare("less", "green").difference
    assert isinstance(adjusted, Estimate), "a covariate that is none is one that is missing"
    assert second["less.difference"].value == pytest.approx(adjusted.value, rel=1e-9)  # type: ignore[union-attr]
    assert tables.values() == TRUE


def test_who_lacks_a_covariate_stays_at_its_mean_with_an_indicator(tables: Tables) -> None:
    """The difference is the one that least squares give on arm, covariate and indicator, and who lacks it behaves otherwise."""
    tables.assign().click().sql(
        "CREATE TABLE spent AS SELECT unit_id, assigned_at AS at, if(unit_id % 5 < 2, 40, 3) + hash(unit_id) % 7 + unit_id % 11 "
        "+ if(variant = 'green', 1, 0) AS amount FROM assigned WHERE unit_id % 13 > 0",
        "CREATE TABLE past AS SELECT unit_id, if(unit_id % 5 = 1, NULL, if(unit_id % 25 = 3, 'NaN'::DOUBLE, 2.0::DOUBLE * (unit_id % 11))) AS before "
        "FROM assigned WHERE unit_id % 5 > 0",
    )
    amount = {"table": "spent", "unit": "unit_id", "time": "at", "value": "amount", "aggregation": "sum"}
    tables.fact("amount", amount, covariate={"table": "past", "unit": "unit_id", "column": "before"})
    reading, second = tables.read()
    with duckdb.connect(str(tables.place / "w.duckdb"), read_only=True) as db:
        data = db.execute(
            "SELECT variant, COALESCE(amount, 0)::DOUBLE AS y, if(isnan(before), NULL, before) AS x FROM assigned LEFT JOIN spent USING (unit_id) "
            "LEFT JOIN past USING (unit_id)"
        ).df()
    lacks = data["x"].isna()
    design = pd.DataFrame(
        {"one": 1.0, "arm": data["variant"] == "green", "x": data["x"].fillna(data["x"].mean()), "l": lacks}
    )
    fit = sm.OLS(data["y"], design.astype(float)).fit()
    found = reading.compare("amount", "green").difference
    assert isinstance(found, Estimate)
    assert found.value == pytest.approx(fit.params["arm"], rel=1e-9)
    assert found.standard_error == pytest.approx(fit.bse["arm"], rel=2e-3), "Welch's, of residuals"
    assert second["amount.difference"].value == pytest.approx(found.value, rel=1e-9)  # type: ignore[union-attr]
    frame = reading.table("missing")
    assert frame is not None
    told = {(r["what"], r["variant"]): (r["rows"], r["missing"]) for r in frame.to_dict("records")}
    for arm in ("blue", "green"):
        mine = data["variant"] == arm
        assert told["no before in past", arm] == (mine.sum(), (mine & lacks).sum())


def test_how_skewed_values_are_is_known_of_every_kind_of_mean_and_both_readings_bend_alike(tables: Tables) -> None:
    """Third moments, alone, divided, and less a covariate that some lack, are those of rows; nine in ten users are of the control."""
    tables.assign(variant="if(i % 10 > 0, 'blue', 'green')").click().sql(
        "CREATE TABLE spent AS SELECT unit_id, assigned_at AS at, round(exp((hash(unit_id) % 1000) / 300.0), 2) + unit_id % 7 AS amount, "
        "1.0 + hash(unit_id + 7) % 3 AS orders FROM assigned WHERE unit_id % 4 > 0",
        "CREATE TABLE past AS SELECT unit_id, (unit_id % 7)::DOUBLE ** 2 AS before FROM assigned WHERE unit_id % 5 > 0",
    )
    amount = {"table": "spent", "unit": "unit_id", "time": "at", "value": "amount", "aggregation": "sum"}
    tables.fact("amount", amount)
    tables.fact("most", amount, cap=9.5)
    tables.fact("each", amount, denominator={**amount, "value": "orders"})
    tables.fact("rest", amount, covariate={"table": "past", "unit": "unit_id", "column": "before"})
    reading, second = tables.read(variants=[{"id": "blue", "weight": 0.9}, {"id": "green", "weight": 0.1}])
    with duckdb.connect(str(tables.place / "w.duckdb"), read_only=True) as db:
        data = db.execute(
            "SELECT variant, COALESCE(amount, 0)::DOUBLE AS x, COALESCE(orders, 0)::DOUBLE AS y, before FROM assigned "
            "LEFT JOIN spent USING (unit_id) LEFT JOIN past USING (unit_id)"
        ).df()
    green = (data["variant"] == "green").astype(float)
    known = {"one": 1.0, "arm": green, "p": data["before"].fillna(data["before"].mean()), "l": data["before"].isna()}
    fit = sm.OLS(data["x"], pd.DataFrame(known).astype(float)).fit()
    rates = data.groupby("variant")[["x", "y"]].transform("mean")
    values = {
        "amount": data["x"],
        "most": data["x"].clip(upper=9.5),
        "each": (data["x"] - rates["x"] / rates["y"] * data["y"]) / rates["y"],
        "rest": data["x"] - fit.params["p"] * known["p"] - fit.params["l"] * known["l"],
    }
    for metric, expected in values.items():
        for arm, found in zip(("blue", "green"), reading.pair(metric, "green")[:2], strict=True):
            mine = expected[data["variant"] == arm]
            third = moment(mine, 3)
            if metric == "each":  # the variance of a ratio is made unbiased, and its third moment with it
                third *= (found.variance / mine.var()) ** 1.5  # type: ignore[union-attr]
            assert found.third == pytest.approx(third, rel=1e-8), (metric, arm)  # type: ignore[union-attr]
        comparison = reading.compare(metric, "green")
        assert isinstance(comparison.difference, Estimate)
        assert "skewness corrected" in comparison.difference.method
        own = reading.value(metric, "green")
        again = second[f"{metric}.treatment"]
        assert isinstance(own, Estimate)
        assert again is not None
        assert (again.low, again.high) == pytest.approx((own.low, own.high), rel=1e-8)
        tail = (own.high - own.value) - (own.value - own.low)
        assert (tail > 0) == (metric != "most"), "further to where the tail is, which the cap has turned round"


@pytest.mark.parametrize(("lost", "even"), [("unit_id % 6 = 0", False), ("unit_id % 12 < 2", True)])
def test_rows_without_a_value_are_counted_arm_by_arm_and_add_nothing(tables: Tables, lost: str, even: bool) -> None:
    tables.assign().click().sql(
        f"CREATE TABLE spent AS SELECT unit_id, assigned_at AS at, if({lost}, NULL, 5.0)::DOUBLE AS amount FROM assigned, range(2) UNION ALL "
        f"SELECT unit_id, assigned_at, 1.0 FROM assigned"
    )
    tables.fact("amount", {"table": "spent", "unit": "unit_id", "time": "at", "value": "amount", "aggregation": "sum"})
    values = tables.values("amount")
    with duckdb.connect(str(tables.place / "w.duckdb"), read_only=True) as db:
        data = db.execute("SELECT * FROM assigned JOIN spent USING (unit_id)").df()
    units = data.groupby("unit_id").agg(
        arm=("variant", "first"), total=("amount", "sum"), n=("amount", "count"), rows=("amount", "size")
    )
    units["lost"] = units["n"] < units["rows"]
    assert values == tuple(pytest.approx(units[units["arm"] == a]["total"].mean()) for a in ("blue", "green"))
    reading, _ = tables.read()
    (lack,) = lacks_of(reading.table("missing"), control="blue")
    assert (lack.metric, lack.what) == ("amount", "no amount in some row of spent")
    assert {a: r["missing"] for a, r in lack.arms.items()} == units.groupby("arm")["lost"].sum().to_dict()
    assert isinstance(lack.p, float)
    assert lack.p == pytest.approx(
        chi2_contingency(pd.crosstab(units["arm"], units["lost"]), correction=False).pvalue, abs=0.02
    )
    assert (lack.p > 0.01) == even


@pytest.mark.parametrize("aggregation", ["any", "count", "sum"])
@pytest.mark.parametrize(("column", "other"), [("loaded_at", "clicked_at"), ("clicked_at", "loaded_at")])
def test_rows_without_a_time_or_an_arrival_do_not_count_and_are_told_arm_by_arm(
    tables: Tables, column: str, other: str, aggregation: str
) -> None:
    """Half of one arm's rows were not stamped; what is left is what pandas has of the rest."""
    tables.assign().click().sql(
        "ALTER TABLE clicks ADD COLUMN amount DOUBLE",
        "UPDATE clicks SET amount = if(unit_id % 7 = 0, 'NaN'::DOUBLE, 3.0)",
        "INSERT INTO clicks SELECT unit_id, clicked_at, loaded_at, 5.0 FROM clicks WHERE unit_id % 3 = 0",
        f"UPDATE clicks SET {column} = NULL WHERE (unit_id % 2 = 1 AND unit_id % 4 = 1) OR amount = 'NaN'",
        f"INSERT INTO clicks SELECT unit_id, TIMESTAMP '2026-12-24', TIMESTAMP '2026-12-24', 1 FROM clicks WHERE {other} IS NOT NULL",
        f"UPDATE clicks SET {column} = NULL WHERE {other} = TIMESTAMP '2026-12-24'",  # happened or arrived too late in any case
    )
    fact = {"table": "clicks", "unit": "unit_id", "time": "clicked_at", "arrived": "loaded_at"}
    tables.metrics.clear()
    tables.fact("clicks", fact | {"aggregation": aggregation} | ({"value": "amount"} if aggregation == "sum" else {}))
    tables.fact(
        "per-click", {**fact, "aggregation": "sum", "value": "amount"}, denominator={**fact, "aggregation": "count"}
    )
    values = tables.values()
    with duckdb.connect(str(tables.place / "w.duckdb"), read_only=True) as db:
        data = db.execute(
            f"SELECT * FROM assigned LEFT JOIN (FROM clicks WHERE {other} < '2026-11-23' OR {other} IS NULL) USING (unit_id)"
        ).df()
    data["kept"] = data["clicked_at"].notna() & data["loaded_at"].notna()
    data["amount"] = data["amount"].where(data["kept"])
    data["lost"] = data[column].isna() & data[other].notna()
    units = data.groupby("unit_id").agg(
        arm=("variant", "first"),
        any=("kept", "max"),
        count=("kept", "sum"),
        sum=("amount", "sum"),
        lost=("lost", "max"),
    )
    assert values == tuple(pytest.approx(units[units["arm"] == a][aggregation].mean()) for a in ("blue", "green"))
    reading, second = tables.read()
    ratio = reading.compare("per-click", "green").difference
    assert isinstance(ratio, Estimate)
    assert second["per-click.difference"].value == pytest.approx(ratio.value, rel=1e-9)  # type: ignore[union-attr]
    lacks = lacks_of(reading.table("missing"), control="blue")
    assert [(lack.metric, lack.what) for lack in lacks] == [
        (metric, f"no {column} in some row of clicks") for metric in ("clicks", "per-click")
    ]
    for lack in lacks:
        assert {a: r["missing"] for a, r in lack.arms.items()} == units.groupby("arm")["lost"].sum().to_dict()
        assert {a: r["rows"] for a, r in lack.arms.items()} == {"blue": 1000, "green": 1000}
        assert float(lack.p) < 0.01  # type: ignore[arg-type]
    days = reading.table("rows_per_day")
    assert days is not None
    assert int(days["n"].sum()) == data["kept"].sum()
    by_day = reading.table("effect_by_day")
    assert by_day is not None
    assert int(by_day["n"].sum()) == int(units["any"].sum()), "one day each"


def test_an_allocation_that_was_moved_is_compared_within_its_days(tables: Tables) -> None:
    """One in twenty-five, then half: those who came early click more, in both arms. The right values are pandas'."""
    tables.sql(
        "CREATE TABLE assigned AS SELECT 'test' AS experiment, i AS unit_id, if(i < 8000, if(i % 25 = 0, 'green', 'blue'), if(i % 2 = 0, 'green', 'blue')) AS variant, "
        "TIMESTAMP '2026-11-09' + to_minutes(if(i < 8000, i, 7 * 24 * 60 + i - 8000)::INT) AS assigned_at FROM range(12000) t(i)",
        "CREATE TABLE clicks AS SELECT unit_id, assigned_at AS clicked_at, assigned_at AS loaded_at FROM assigned WHERE hash(unit_id) % 100 < if(unit_id < 8000, 24, 8)",
        "CREATE TABLE spent AS SELECT unit_id, assigned_at AS at, (hash(unit_id, 1) % 50 + if(unit_id < 8000, 20, 5))::DOUBLE AS amount FROM assigned",
    )
    tables.fact("amount", {"table": "spent", "unit": "unit_id", "time": "at", "value": "amount", "aggregation": "sum"})
    spent = {"table": "spent", "unit": "unit_id", "time": "at", "aggregation": "count"}
    tables.fact("per-row", {**spent, "aggregation": "sum", "value": "amount"}, denominator=spent)
    tables.fact("middle", {**spent, "aggregation": "sum", "value": "amount"}, quantile=0.5)
    variants = [{"id": "blue", "weight": 0.96}, {"id": "green", "weight": 0.04}]
    pooled, _ = tables.read(variants=variants, planned_units=12000)
    assert float(pooled.split()) < 1e-9, "while nothing says so, the split fails"  # type: ignore[arg-type]
    moved = [{"since": date(2026, 11, 16), "weights": {"blue": 0.5, "green": 0.5}}]
    reading, second = tables.read(variants=variants, planned_units=12000, reallocations=moved)
    with duckdb.connect(str(tables.place / "w.duckdb"), read_only=True) as db:
        data = db.execute(
            "SELECT unit_id, variant, (unit_id >= 8000)::INT AS phase, (clicked_at IS NOT NULL)::INT AS clicks, amount FROM assigned "
            "LEFT JOIN clicks USING (unit_id) LEFT JOIN spent USING (unit_id)"
        ).df()
    counts = pd.crosstab(data["phase"], data["variant"])
    weights = counts.prod(axis=1) / counts.sum(axis=1)
    weights /= weights.sum()
    for metric in ("clicks", "amount"):
        parts = data.groupby(["variant", "phase"])[metric].agg(["mean", "var", "size"])
        means = {a: sum(weights[p] * parts.loc[(a, p), "mean"] for p in weights.index) for a in ("blue", "green")}
        errors = {
            a: sum(weights[p] ** 2 * parts.loc[(a, p), "var"] / parts.loc[(a, p), "size"] for p in weights.index)
            for a in means
        }
        found = reading.compare(metric, "green").difference
        assert isinstance(found, Estimate)
        assert found.value == pytest.approx(means["green"] - means["blue"], rel=1e-9)
        regressed = smf.ols(f"{metric} ~ C(variant) + C(phase)", data).fit()
        assert found.value == pytest.approx(regressed.params["C(variant)[T.green]"], rel=1e-9), "what a regression says"
        assert found.standard_error == pytest.approx((errors["blue"] + errors["green"]) ** 0.5, rel=1e-9)
        assert [reading.value(metric, a).value for a in means] == pytest.approx([*means.values()])  # type: ignore[union-attr]
        for name in ("control", "treatment", "difference"):
            assert second[f"{metric}.{name}"] is not None
        assert second[f"{metric}.difference"].value == pytest.approx(found.value, rel=1e-9)  # type: ignore[union-attr]
        if metric == "clicks":  # ranges of secondary metrics are made once
            assert second["clicks.difference"].low == pytest.approx(found.low, rel=1e-6)  # type: ignore[union-attr]
    clicks = reading.compare("clicks", "green").difference
    assert isinstance(clicks, Estimate)
    wanted = 0.1 * reading.value("clicks", "blue").value  # type: ignore[union-attr]
    twice = reading.critical_at_end(12000) + norm.ppf(0.8)  # standard errors that an effect is to be worth
    assert reading.units_for("clicks", 0.1) == pytest.approx(
        12000 * (twice * clicks.standard_error / wanted) ** 2, rel=0.01
    )
    naive = data.groupby("variant")["clicks"].mean()
    assert abs(naive["green"] - naive["blue"]) > 3 * abs(reading.compare("clicks", "green").difference.value)  # type: ignore[union-attr]
    per_row = reading.compare("per-row", "green").difference
    assert per_row.value == pytest.approx(reading.compare("amount", "green").difference.value), "one row each"  # type: ignore[union-attr]
    assert reading.compare("middle", "green").difference == NotPublished(
        reason="the allocation was moved while the test ran, and this is not taken within days of one allocation"
    )
    assert float(reading.split()) > 0.5  # type: ignore[arg-type]
    assert float(reading.split_sequence()) > 0.1  # type: ignore[arg-type]
    assert reading.planned_shares() == pytest.approx([(8000 * 0.96 + 4000 * 0.5) / 12000, (320 + 2000) / 12000])


@pytest.mark.parametrize(
    ("every", "then", "rate", "why"),
    [
        (1000, 50, 12, "within days of one allocation an arm counts as 87 users, too few: 100 are needed"),
        (
            100,
            5,
            1,
            "within days of one allocation fewer than 20 users of an arm could be expected to do it, or not to",
        ),
        (
            100,
            5,
            99,
            "within days of one allocation fewer than 20 users of an arm could be expected to do it, or not to",
        ),
        (100, 2, 12, ""),
        (2000, 2, 50, ""),
        (10000, 2, 50, ""),  # one user of the first days, who do not count
    ],
)
def test_few_users_in_days_of_one_allocation_are_not_compared(
    tables: Tables, every: int, then: int, rate: int, why: str
) -> None:
    tables.sql(
        f"CREATE TABLE assigned AS SELECT 'test' AS experiment, i AS unit_id, if(i < 8000, if(i % {every} = 0, 'green', 'blue'), if(i % {then} = 0, 'green', 'blue')) AS variant, "
        "TIMESTAMP '2026-11-09' + to_minutes(if(i < 8000, i, 7 * 24 * 60 + i - 8000)::INT) AS assigned_at FROM range(12000) t(i)",
        f"CREATE TABLE clicks AS SELECT unit_id, assigned_at AS clicked_at, assigned_at AS loaded_at FROM assigned "
        f"WHERE hash(unit_id) % 100 < {rate}",
        "CREATE TABLE spent AS SELECT unit_id, assigned_at AS at, (hash(unit_id, 1) % 50)::DOUBLE AS amount FROM assigned",
    )
    tables.fact("amount", {"table": "spent", "unit": "unit_id", "time": "at", "value": "amount", "aggregation": "sum"})
    weights = {"blue": 1 - 1 / every, "green": 1 / every}
    reading, second = tables.read(
        variants=[{"id": v, "weight": w} for v, w in weights.items()],
        reallocations=[{"since": date(2026, 11, 16), "weights": {"blue": 1 - 1 / then, "green": 1 / then}}],
        planned_units=12000,
    )
    found, amount = (reading.compare(m, "green").difference for m in ("clicks", "amount"))
    other = second["clicks.difference"]
    if why:
        assert found == reading.value("clicks", "green") == NotPublished(reason=why)
        assert other is None
    else:
        assert isinstance(found, Estimate)
        assert other is not None
        assert other.low == pytest.approx(found.low, rel=1e-6)
    assert isinstance(amount, NotPublished) == (second["amount.difference"] is None) == (then == 50)


@pytest.mark.parametrize("even", [True, False])
def test_what_is_missing_is_compared_within_days_of_one_allocation(tables: Tables, even: bool) -> None:
    """Users of later days lack their past more often, in both arms; and in one arm of the first days."""
    lost = "if(unit_id < 8000, 5, 50)" if even else "if(unit_id < 8000, if(variant = 'green', 15, 5), 50)"
    tables.sql(
        "CREATE TABLE assigned AS SELECT 'test' AS experiment, i AS unit_id, if(i < 8000, if(i % 10 = 0, 'green', 'blue'), if(i % 2 = 0, 'green', 'blue')) AS variant, "
        "TIMESTAMP '2026-11-09' + to_minutes(if(i < 8000, i, 7 * 24 * 60 + i - 8000)::INT) AS assigned_at FROM range(12000) t(i)",
        "CREATE TABLE clicks AS SELECT unit_id, assigned_at AS clicked_at, assigned_at AS loaded_at FROM assigned WHERE hash(unit_id) % 100 < 30",
        "CREATE TABLE spent AS SELECT unit_id, assigned_at AS at, (hash(unit_id, 1) % 50)::DOUBLE AS amount FROM assigned",
        f"CREATE TABLE past AS SELECT unit_id, 2.0::DOUBLE AS before FROM assigned WHERE hash(unit_id, 5) % 100 >= {lost}",
    )
    before = {"table": "past", "unit": "unit_id", "column": "before"}
    amount = {"table": "spent", "unit": "unit_id", "time": "at", "value": "amount", "aggregation": "sum"}
    tables.fact("amount", amount, covariate=before)
    moved = [{"since": date(2026, 11, 16), "weights": {"blue": 0.5, "green": 0.5}}]
    variants = [{"id": "blue", "weight": 0.9}, {"id": "green", "weight": 0.1}]
    reading, _ = tables.read(variants=variants, reallocations=moved, planned_units=12000)
    (lack,) = lacks_of(reading.table("missing"), control="blue")
    with duckdb.connect(str(tables.place / "w.duckdb"), read_only=True) as db:
        data = db.execute(
            "SELECT unit_id, variant, before IS NULL AS lost FROM assigned LEFT JOIN past USING (unit_id)"
        ).df()
    assert {a: (r["rows"], r["missing"]) for a, r in lack.arms.items()} == {
        a: (len(d), d["lost"].sum()) for a, d in data.groupby("variant")
    }

    def chance(part: pd.DataFrame) -> float:
        return float(chi2_contingency(pd.crosstab(part["variant"], part["lost"]), correction=False).pvalue)

    assert chance(data) < 1e-9, "over all days the arms are unlike"
    assert lack.p == pytest.approx(min(1, 2 * min(chance(d) for _, d in data.groupby(data["unit_id"] < 8000))))
    assert (float(lack.p) > 0.01) == even  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["DATE", "TIMESTAMP"])
def test_a_fact_that_has_days_counts_from_the_day_of_assignment(tables: Tables, kind: str) -> None:
    tables.assign().click().sql(
        f"CREATE TABLE daily AS SELECT unit_id, (assigned_at::DATE + k::INT)::{kind} AS day, 1.0::DOUBLE AS minutes FROM assigned, range(-1, 2) r(k)"
    )
    tables.fact(
        "minutes", {"table": "daily", "unit": "unit_id", "time": "day", "value": "minutes", "aggregation": "sum"}
    )
    assert tables.values("minutes") == (2.0, 2.0), "the day of assignment and the next"
    reading, _ = tables.read()
    assert reading.accounted.dated_by_day() == [("minutes", "daily")]
    tables.metrics = {"minutes": tables.metrics["minutes"]}
    reading, _ = tables.read()
    assert [row["n"] for row in reading.table("effect_by_day").to_dict("records")] == [1000] * 4  # type: ignore[union-attr]


def test_one_time_that_is_no_midnight_makes_times_of_all(plain: Tables) -> None:
    plain.assign().click().sql(
        "CREATE TABLE daily AS SELECT unit_id, assigned_at::DATE::TIMESTAMP AS day, 1.0::DOUBLE AS minutes FROM assigned",
        "INSERT INTO daily SELECT -1, TIMESTAMP '2026-11-10 00:00:01', 1",
        "INSERT INTO daily SELECT -1, TIMESTAMP '2026-12-10 00:00:01', 1",  # after the end it says nothing
    )
    plain.fact(
        "minutes", {"table": "daily", "unit": "unit_id", "time": "day", "value": "minutes", "aggregation": "sum"}
    )
    assert plain.values("minutes") == (pytest.approx(0.002), 0.0), "a midnight is before all but those who came at one"
    assert plain.read()[0].accounted.dated_by_day() == []
    plain.sql("DELETE FROM daily WHERE day = TIMESTAMP '2026-11-10 00:00:01'")
    assert plain.values("minutes") == (1.0, 1.0)
    assert plain.read()[0].accounted.dated_by_day() == [("minutes", "daily")]


@pytest.mark.parametrize("column", ["TIMESTAMPTZ", "TIMESTAMP"])
def test_times_with_a_zone_are_moments_and_times_without_are_utc(tables: Tables, column: str) -> None:
    """Berlin sets its clock back on 2026-10-25 at 01:00 UTC; half past two comes twice there."""
    tables.sql(
        "SET TimeZone = 'UTC'",
        f"CREATE TABLE assigned AS SELECT 'test' AS experiment, i AS unit_id, {ARM} AS variant, t.m::{column} AS assigned_at "
        "FROM (VALUES (0, '2026-10-25 00:30:00'), (1, '2026-10-25 01:30:00'), (2, '2026-10-24 23:59:59'), (3, '2026-10-26 00:00:00')) t(i, m)",
        f"CREATE TABLE clicks AS SELECT i AS unit_id, t.m::{column} AS clicked_at, t.m::{column} AS loaded_at "
        "FROM (VALUES (0, '2026-10-25 01:30:00'), (1, '2026-10-25 00:30:00')) t(i, m)",
    )
    period = Period(datetime(2026, 10, 19), datetime(2026, 10, 26), 3)  # noqa: DTZ001
    days = {"start": date(2026, 10, 25), "end": date(2026, 10, 25)}
    reading, second = tables.read(period, **days)
    assert {a: reading.count(a) for a in ("blue", "green")} == {"blue": 1, "green": 1}, "the day is UTC's"
    assert [reading.arms[a]["m_clicks_mean"] for a in ("blue", "green")] == [1.0, 0.0], "after, and before assignment"
    assert (second["clicks.control"].value, second["clicks.treatment"].value) == (1.0, 0.0)  # type: ignore[union-attr]


def test_week_53_is_a_week(plain: Tables) -> None:
    plain.assign(at="TIMESTAMP '2026-12-28' + to_minutes(i * 5)").click()
    period = Period(datetime(2026, 12, 28), datetime(2027, 1, 4), 3)  # noqa: DTZ001
    days = {"start": date(2026, 12, 28), "end": date(2027, 1, 3)}
    reading, _ = plain.read(period, **days)
    minutes = pd.Series(range(2000)) * 5
    assert reading.units == int((minutes < 7 * 24 * 60).sum())
    assert [day for day, _ in reading.daily] == [date(2026, 12, 28) + timedelta(days=i) for i in range(7)]


def _as_real(left: Any, right: Any) -> Any:
    return left.cast("float64") == right.cast("float64")


BROKEN = _units.broken_value


def _overlooked(column: Any, value: Any) -> Any:
    return BROKEN(column, value) * 0


def _folded(variant: Any, experiment: Experiment) -> Any:  # noqa: ARG001  in the place of another
    return variant.lower().fill_null("blue")


FAULTS: dict[str, tuple[str, Any, str]] = {
    "ids compared as real numbers": ("same", _as_real, "clicks.treatment"),
    "values that are none overlooked": ("broken_value", _overlooked, "amount.control"),
    "days read as midnights": ("by_day", lambda *_, **__: False, "minutes.control"),
    "spellings folded, those without a variant given one": ("label", _folded, "unaccounted"),
    "spellings folded: users": ("label", _folded, "units"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_reading_makes_the_second_computation_disagree(
    plain: Tables, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    early = "TIMESTAMP '2026-11-09' + to_minutes(if(i % 8 < 2, 0, i))"  # a quarter of all at midnight
    plain.assign(f"{SMALL} + 128 * i", f"if(i % 50 = 0, 'Blue', if(i % 50 = 1, NULL, {ARM}))", early).click(
        "unit_id::VARCHAR", f"((unit_id - {SMALL}) // 128)"
    )
    plain.sql(
        "CREATE TABLE daily AS SELECT unit_id, assigned_at::DATE AS day, 1.0::DOUBLE AS minutes FROM assigned",
        f"CREATE TABLE orders AS SELECT unit_id, assigned_at AS at, if(unit_id = {SMALL + 256}, 'NaN'::DOUBLE, 5.0 + unit_id % 7) AS amount FROM assigned",
    )
    plain.fact(
        "minutes", {"table": "daily", "unit": "unit_id", "time": "day", "value": "minutes", "aggregation": "sum"}
    )
    plain.fact("amount", {"table": "orders", "unit": "unit_id", "time": "at", "value": "amount", "aggregation": "sum"})

    def published(reading: Reading) -> dict[str, Any]:
        arms = {
            f"{m}.{side}": reading.value(m, arm)
            for m in plain.metrics
            for side, arm in (("control", "blue"), ("treatment", "green"))
        }
        known = {k: v.value for k, v in arms.items() if isinstance(v, Estimate)}
        return {"units": reading.units, "unaccounted": reading.accounted.unknown(), **known}

    reading, second = plain.read()
    right = published(reading)
    assert right == pytest.approx({k: second[k].value for k in right}, rel=1e-12)  # type: ignore[union-attr]
    what, instead, number = FAULTS[fault]
    for module in (_units, _experiment):
        if hasattr(module, what):
            monkeypatch.setattr(module, what, instead)
    plain.readings.clear()
    reading, second = plain.read()
    wrong = published(reading)[number]
    assert wrong != right.get(number)
    other = second[number]
    assert other is None or other.value != pytest.approx(wrong, rel=1e-6)


def test_one_spelling_for_two_things_is_refused() -> None:
    with pytest.raises(ValueError, match="a spelling stands for two things: blue"):
        Experiment.model_validate(
            {
                **dict.fromkeys(("id", "title", "owner", "description", "hypothesis"), "t"),
                "start": date(2026, 11, 9),
                "end": date(2026, 11, 22),
                "control": "blue",
                "variants": [
                    {"id": v, "title": v, "weight": 0.5, "aliases": a} for v, a in (("blue", []), ("green", ["blue"]))
                ],
                "primary": "clicks",
                "minimum_effect": 0.1,
            }
        )


# ---- rows that are of nobody, several values, segments


def matches(reading: Reading, tables: Tables) -> dict[str, Matched]:
    lacks = lacks_of(reading.table("missing"), control="blue")
    return {
        m.metric: m for m in matched_of(reading.table("matched"), reading.table("unmatched"), tables.metrics, lacks)
    }


@pytest.mark.parametrize(
    ("unit", "cause"),
    [
        ("'user-' || unit_id", "a prefix of one of them"),
        ("lpad((unit_id + 1000)::VARCHAR, 9, '0')", "noughts in front of one of them"),
        ("' ' || unit_id", "blanks around one of them"),
        ("unit_id || '.0'", "one is written with a decimal point"),
        ("md5(unit_id::VARCHAR)", "types: string and int64"),
        ("unit_id::BIGINT + 1000000", "other identifiers"),
    ],
)
def test_rows_that_match_nobody_fail_the_check_and_name_the_likely_cause(tables: Tables, unit: str, cause: str) -> None:
    tables.assign("i::BIGINT").click(unit)
    tables.fact("seen", {"table": "assigned", "unit": "unit_id", "time": "assigned_at", "aggregation": "any"})
    reading, second = tables.read()
    found = matches(reading, tables)
    assert (found["clicks"].users, found["seen"].users) == (0, 2000)
    assert f"({cause})" in found["clicks"].why
    rows = int((pd.Series(range(2000)) % pd.Series([10, 9] * 1000) < 2).sum())
    assert f"none of {rows} rows of clicks is of a user of the test" in found["clicks"].why
    assert not found["seen"].why
    assert (second["clicks.matched"].value, second["seen.matched"].value) == (0, 2000)  # type: ignore[union-attr]


def test_rows_of_users_before_their_assignment_are_of_somebody_and_no_rows_are_no_fault(plain: Tables) -> None:
    plain.assign().sql(
        "CREATE TABLE clicks AS SELECT unit_id, assigned_at - INTERVAL 5 MINUTE AS clicked_at, assigned_at AS loaded_at FROM assigned",
        "CREATE TABLE none AS SELECT * FROM clicks WHERE false",
    )
    plain.fact("bought", {"table": "none", "unit": "unit_id", "time": "clicked_at", "aggregation": "any"})
    found = matches(plain.read()[0], plain)
    assert [(m.users, m.why) for m in found.values()] == [(0, ""), (0, "")]


@pytest.mark.parametrize(
    "lost", ["NULL::TIMESTAMP AS loaded_at, 1.0 AS amount", "clicked_at AS loaded_at, NULL::DOUBLE AS amount"]
)
def test_rows_that_all_lack_what_they_need_are_no_nought_for_everybody(plain: Tables, lost: str) -> None:
    plain.assign().sql(f"CREATE TABLE clicks AS SELECT unit_id, assigned_at AS clicked_at, {lost} FROM assigned")
    fact = {"table": "clicks", "unit": "unit_id", "time": "clicked_at", "arrived": "loaded_at"}
    plain.fact("clicks", {**fact, "value": "amount", "aggregation": "sum"})
    reading, second = plain.read()
    (found,) = matches(reading, plain).values()
    column = "loaded_at" if "TIMESTAMP" in lost else "amount"
    assert found.why == f"every row that a user has lacks what it needs: no {column} in some row of clicks"
    assert second["clicks.matched"].value == found.users == 0  # type: ignore[union-attr]


def test_a_day_that_was_loaded_twice_is_named_and_days_or_a_few_rows_alike_are_not(tables: Tables) -> None:
    """The right values by pandas; rows of a fact that asks only whether there is one are never looked at."""
    tables.assign().click().sql(
        "CREATE TABLE spent AS SELECT unit_id, TIMESTAMP '2026-11-12' + to_seconds(i * 97) AS done, TIMESTAMP '2026-11-20' AS loaded, "
        "(i % 7)::DECIMAL(9,2) AS amount FROM (SELECT unit_id, unit_id + 2000 * k AS i FROM assigned, range(4) t(k))",
        "INSERT INTO spent SELECT unit_id, done, loaded + INTERVAL 1 HOUR, amount FROM spent WHERE done::DATE IN ('2026-11-15', '2026-11-18')",
        "INSERT INTO spent SELECT unit_id, done, loaded, amount FROM spent WHERE done::DATE = '2026-11-19' LIMIT 9",
        "CREATE TABLE daily AS SELECT unit_id, DATE '2026-11-17' AS day FROM assigned, range(2)",
    )
    spent = {
        "table": "spent",
        "unit": "unit_id",
        "time": "done",
        "arrived": "loaded",
        "value": "amount",
        "aggregation": "sum",
    }
    tables.fact("spend", spent)
    tables.fact("spend-a-row", spent, denominator={**spent, "value": None, "aggregation": "count"})
    tables.fact("days", {"table": "daily", "unit": "unit_id", "time": "day", "aggregation": "count"})
    reading, second = tables.read()
    frame = reading.table("repeated")
    with duckdb.connect(str(tables.place / "w.duckdb"), read_only=True) as db:
        data = db.execute("SELECT * FROM spent JOIN assigned USING (unit_id) WHERE done >= assigned_at").df()
    data = data[data.done >= pd.Timestamp("2026-11-16")]
    again = data.duplicated(["unit_id", "done", "amount"]).groupby(data.done.dt.date)
    found = {
        pd.Timestamp(r["day"]).date(): (r["rows"], r["again"])
        for r in frame[frame.metric == "spend"].to_dict("records")
    }  # type: ignore[index]
    assert found == {day: (n, k) for day, n, k in zip(again.size().index, again.size(), again.sum(), strict=True)}
    assert {*frame.metric} == {"spend", "spend-a-row"}  # type: ignore[union-attr]
    (one, _) = repeated_of(frame)
    assert (one.metric, one.table, str(one.day), one.share) == ("spend", "spent", "2026-11-18", 0.5)
    assert second["spend.repeated"].value == second["spend-a-row.repeated"].value == 0.5  # type: ignore[union-attr]
    assert second["spend.repeated-2"] is second["days.repeated"] is None


def test_several_values_of_a_covariate_or_a_segment_are_counted_and_the_greatest_is_taken(tables: Tables) -> None:
    tables.assign().click().sql(
        "CREATE TABLE spent AS SELECT unit_id, assigned_at AS at, (unit_id % 50)::DOUBLE AS amount FROM assigned",
        "CREATE TABLE past AS SELECT unit_id, 2.0::DOUBLE * (unit_id % 11) AS before, 'a' AS country FROM assigned UNION ALL "
        "SELECT unit_id, if(unit_id % 6 = 0, 30.0, 2.0 * (unit_id % 11)), if(unit_id % 10 = 1, 'b', 'a') FROM assigned UNION ALL "
        "SELECT unit_id, NULL, NULL FROM assigned",
    )
    amount = {"table": "spent", "unit": "unit_id", "time": "at", "value": "amount", "aggregation": "sum"}
    tables.fact("amount", amount, covariate={"table": "past", "unit": "unit_id", "column": "before"})
    by = [{"title": "Country", "table": "past", "unit": "unit_id", "column": "country"}]
    reading, second = tables.read(segments=by)
    found = {s.what: s.arms for s in several_of(reading.table("several"))}
    with duckdb.connect(str(tables.place / "w.duckdb"), read_only=True) as db:
        data = db.execute("SELECT * FROM assigned JOIN past USING (unit_id)").df()
        y = db.execute("SELECT unit_id, amount FROM spent").df().set_index("unit_id").amount
    each = data.groupby(["unit_id", "variant"])[["before", "country"]].nunique().gt(1).groupby("variant").sum()
    assert found["before in past"] == each.before.to_dict()
    assert {a: n for a, n in found["country in past"].items() if n} == {a: n for a, n in each.country.items() if n}
    users = data.groupby("unit_id").agg(
        variant=("variant", "first"), x=("before", "max"), country=("country", lambda c: c.dropna().max())
    )
    fit = sm.OLS(y, pd.DataFrame({"one": 1.0, "arm": users.variant == "green", "x": users.x}).astype(float)).fit()
    adjusted = reading.compare("amount", "green").difference
    assert adjusted.value == pytest.approx(fit.params["arm"], rel=1e-9)  # type: ignore[union-attr]
    assert second["amount.difference"].value == pytest.approx(fit.params["arm"], rel=1e-9)  # type: ignore[union-attr]
    frame = reading.table("segments")
    assert frame is not None
    assert {(r["value"], r["variant"]): r["n"] for r in frame.to_dict("records")} == users.groupby(
        ["country", "variant"]
    ).size().to_dict()


def test_a_segment_of_no_value_an_empty_one_and_one_called_so_are_three_and_those_left_out_are_named(
    tables: Tables,
) -> None:
    tables.assign().click().sql(
        "CREATE TABLE users AS SELECT unit_id, CASE unit_id % 5 WHEN 0 THEN '' WHEN 1 THEN 'no value' WHEN 2 THEN 'unknown' "
        "WHEN 3 THEN if(unit_id % 2 = 0, 'FR', ' x') END AS country FROM assigned WHERE unit_id % 7 > 0"
    )
    by = [{"title": "Country", "table": "users", "unit": "unit_id", "column": "country"}]
    reading, _ = tables.read(segments=by)
    i = pd.Series(range(2000))
    sizes = {v: int(((i % 5 == k) & (i % 7 > 0)).sum()) for k, v in enumerate(("''", "'no value'", "unknown"))}
    sizes["no value"] = int(((i % 5 == 4) | (i % 7 == 0)).sum())
    assert {s["value"]: s["n"] for s in by_segment(reading, "green")} == sizes
    assert not_compared(reading, "green") == [
        ("Country", "' x'", "nobody in blue"),
        ("Country", "FR", "nobody in green"),
    ]


def test_a_row_without_a_variant_beside_one_in_an_arm_is_no_second_variant(tables: Tables) -> None:
    tables.assign().click().sql(
        "INSERT INTO assigned SELECT 'test', unit_id, if(unit_id % 3 = 0, NULL, ''), assigned_at - INTERVAL 30 SECOND FROM assigned WHERE unit_id BETWEEN 1 AND 300",
    )
    assert tables.values() == TRUE, "the clicks of a minute after assignment to the arm"
    reading, second = tables.read()
    assert (reading.units, reading.crossed(), reading.accounted.unknown()) == (2000, 0, 300)
    assert reading.accounted.others() == [("no variant, which the file does not know", 300)]
    assert second["unaccounted"].value == 300  # type: ignore[union-attr]
    assert int(reading.accounted.frame["rows"].sum()) == 2300  # type: ignore[index, union-attr]
    reading, second = tables.read(exclude=["no variant"])
    assert (reading.accounted.unknown(), second["unaccounted"].value) == (0, 0)  # type: ignore[union-attr]


def test_refunds_are_values_and_not_nothing(plain: Tables) -> None:
    plain.assign().sql(
        "CREATE TABLE spent AS SELECT unit_id, assigned_at AS at, if(unit_id % 8 < 2, -4.0, 10.0)::DOUBLE AS amount FROM assigned WHERE unit_id % 4 < 2"
    )
    plain.metrics.clear()
    plain.fact("amount", {"table": "spent", "unit": "unit_id", "time": "at", "value": "amount", "aggregation": "sum"})
    frame = plain.read()[0].table("shapes")
    assert frame is not None
    assert frame[["zero", "p25", "p75"]].to_numpy().tolist() == [[0.5, -4.0, 10.0]] * 2


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ("if(unit_id % 500 = 7, '12,50', '3.5')", "has 4 rows with text that is no number, such as '12,50'"),
        ("if(unit_id = 9, 1e300, 3.5)::DOUBLE", "has 1 rows with a number too large to be added up, such as 1e+300"),
    ],
)
def test_values_that_cannot_be_added_up_are_named_by_table_column_and_example(
    tables: Tables, values: str, said: str
) -> None:
    tables.assign().click().sql(
        f"CREATE TABLE spent AS SELECT unit_id, assigned_at AS at, {values} AS amount FROM assigned"
    )
    tables.fact("amount", {"table": "spent", "unit": "unit_id", "time": "at", "value": "amount", "aggregation": "sum"})
    with pytest.raises(SourceError, match="column 'amount' of table 'spent'") as error:
        tables.read()
    assert said in str(error.value)
    tables.metrics = {
        "clicks": tables.metrics["clicks"],
        "less": tables.metrics["amount"].model_copy(
            update={
                "fact": tables.metrics["clicks"].fact,
                "covariate": Covariate(table="spent", unit="unit_id", column="amount"),
            }
        ),
    }
    with pytest.raises(SourceError, match="column 'amount' of table 'spent'"):
        tables.read()
