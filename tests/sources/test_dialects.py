"""Every query compiles for the warehouses that extras bring, and does nothing that one of them lacks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import duckdb
import ibis.expr.operations as ops
import pytest
from ibis.backends.sql import compilers

from everything import DATA, ITEMS, METRICS, MORE, PERIOD, PLAN, QUALITY, SUM, VERSIONS, model
from gazette.params import Before
from gazette.sources import Warehouse, bridge_answer, experiment_answers, importance_rows, missing_driver, model_answers

if TYPE_CHECKING:
    from pathlib import Path

    from gazette.sources import Answer

pytestmark = pytest.mark.xdist_group("dialects")  # which ask all queries once
DIALECTS = ("postgres", "bigquery", "snowflake", "clickhouse", "databricks", "trino")


class Listening(Warehouse):
    """Remembers what it was asked."""

    def __init__(self, place: Path) -> None:
        super().__init__("duckdb://w.duckdb", project=place)
        self.asked: dict[str, Any] = {}
        self.of = ""

    def ask(self, name: str, expression: Any, *, file: str) -> Answer:
        self.asked[f"{self.of} {name}"] = expression
        return super().ask(name, expression, file=file)

    def hold(self, name: str, expression: Any) -> Any:
        self.asked[f"{self.of} {name}"] = expression
        return super().hold(name, expression)


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Every query of an experiment, of a model of each kind, and of bridges."""
    place = tmp_path_factory.mktemp("dialects")
    with duckdb.connect(str(place / "w.duckdb")) as db:
        db.execute(DATA.format(label="BOOLEAN"))
    with Listening(place) as warehouse:
        experiment_answers(warehouse, PLAN, METRICS, PERIOD)
        ranker = model("ranker", scores={"quality": QUALITY, "items": ITEMS})
        users = model("classifier", scores={"threshold": 0.5, "unit": "who"})
        for subject in (
            model("classifier", scores={"threshold": 0.5}, **MORE),
            model("regressor"),  # queries of the rest are those of the classifier
            ranker,
            users,
        ):
            warehouse.of = subject.kind
            model_answers(warehouse, subject, PERIOD, VERSIONS)
            if subject.features:
                importance_rows(warehouse, subject, PERIOD, VERSIONS)
        for name in ("middle", "trimmed", "per-click"):
            bridge_answer(warehouse, name, Before.model_validate({"fact": SUM}), METRICS[name], PERIOD, file="m")
    assert len(warehouse.asked) > 50
    return warehouse.asked


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_query_compiles(asked: dict[str, Any], dialect: str) -> None:
    compiler = getattr(compilers, dialect).compiler
    for name, expression in asked.items():
        text = compiler.to_sqlglot(expression).sql(dialect=compiler.dialect)
        assert "SELECT" in text, name


def test_no_query_casts_a_boolean_to_a_number(asked: dict[str, Any]) -> None:
    """PostgreSQL has no cast from boolean to bigint, BigQuery none to a real number."""
    for name, expression in asked.items():
        casts = expression.op().find(ops.Cast)
        assert not [c for c in casts if c.arg.dtype.is_boolean() and not c.to.is_string()], name


def test_no_query_mixes_decimals_and_real_numbers(asked: dict[str, Any]) -> None:
    """ClickHouse has no type that holds both."""
    for name, expression in asked.items():
        for node in expression.op().find((ops.Binary, ops.Coalesce, ops.Greatest, ops.Least, ops.IfElse)):
            kinds = [a.dtype for a in node.__args__ if hasattr(a, "dtype")]
            kinds += [a.dtype for several in node.__args__ if isinstance(several, tuple) for a in several]
            assert not (any(k.is_decimal() for k in kinds) and any(k.is_floating() for k in kinds)), (name, node)


def test_no_query_counts_different_values_or_takes_quantiles_in_a_window(asked: dict[str, Any]) -> None:
    """PostgreSQL refuses both."""
    for name, expression in asked.items():
        for window in expression.op().find(ops.WindowFunction):
            assert not isinstance(window.func, (ops.CountDistinct, ops.Quantile)), name


@pytest.mark.parametrize(
    ("url", "extra"),
    [
        ("bigquery://project/set", "bigquery"),
        ("snowflake://u@a/d", "snowflake"),
        ("clickhouse://h/d", "clickhouse"),
        ("trino://h/d", "trino"),
    ],
)
def test_a_driver_that_is_missing_is_named_with_the_command(url: str, extra: str) -> None:
    found = missing_driver(url)
    assert found is not None
    assert extra in found[0]
    assert found[1] == f"pip install 'gazette[{extra}]'"


def test_a_driver_that_is_there_is_no_problem() -> None:
    assert missing_driver("postgres://h/d") is None
    assert missing_driver("duckdb://w.duckdb") is None
