"""Which questions restating puts to a warehouse: none whose answer it would not look at."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
import pytest

from everything import DATA, METRICS, MORE, PERIOD, PLAN, VERSIONS, model
from gazette.restate._ask import AS_SEALED, ask
from gazette.sources import Answer, Warehouse, experiment_answers, model_answers

if TYPE_CHECKING:
    from pathlib import Path

CLASSIFIER = model("classifier", scores={"threshold": 0.5}, **MORE)
PARAMS: Any = SimpleNamespace(
    models={CLASSIFIER.id: CLASSIFIER},
    experiments={PLAN.id: PLAN},
    metrics=METRICS,
    site=SimpleNamespace(smallest_cell=0),
)


class Listening(Warehouse):
    """Remembers what was run."""

    run: list[str]

    def ask(self, name: str, expression: Any, *, file: str) -> Answer:
        self.run.append(name)
        return super().ask(name, expression, file=file)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("asked")
    with duckdb.connect(str(place / "w.duckdb")) as db:
        db.execute(DATA.format(label="BOOLEAN"))
    return place


@pytest.mark.parametrize("subject", [CLASSIFIER, PLAN], ids=["model", "experiment"])
def test_only_what_is_looked_at_is_run_and_the_answers_are_the_same(place: Path, subject: Any) -> None:
    with Listening("duckdb://w.duckdb", project=place) as warehouse:
        warehouse.run = []
        every = (
            experiment_answers(warehouse, PLAN, METRICS, PERIOD)
            if subject is PLAN
            else model_answers(warehouse, CLASSIFIER, PERIOD, VERSIONS)
        )
        registry = [{"role": role, "version": version} for role, version in VERSIONS.items()]

        sealed = {a.name: a for a in [*every, Answer("registry", "", pa.Table.from_pylist(registry))]}
        warehouse.run = []
        again = ask(warehouse, PARAMS, subject.id, sealed, PERIOD)
        assert {n: a.table for n, a in again.items()} == {a.name: a.table for a in every if a.name not in AS_SEALED}
        assert not AS_SEALED & {*warehouse.run}
        assert len(again) > 4
        for name in ("weekly", "drift") if subject is CLASSIFIER else ("assigned_per_day",):
            warehouse.run = []
            one = ask(warehouse, PARAMS, subject.id, sealed, PERIOD, [name])
            assert {n: a.table for n, a in one.items()} == {name: sealed[name].table}
            needed = {"drift": {"drift_edges", "drift_values", "drift", "drift_ks"}}.get(name, {name})
            assert {*warehouse.run} - {"label_values", "matched"} == needed, "what it needs comes with it"
