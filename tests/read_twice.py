"""A model's tables read by the page's computation and by the second one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import duckdb

from gazette.recompute import ask as ask_again
from gazette.recompute._ask import query_of
from gazette.recompute._model import seconds
from gazette.sources import Period, Warehouse, model_answers

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pandas as pd

    from gazette.params import Model


def read_twice(
    place: Path, subject: Model, tables: Mapping[str, pd.DataFrame], *sql: str, period: Period, versions: dict[str, str]
) -> tuple[dict[str, pd.DataFrame], dict[str, Any]]:
    """The page's aggregates and the second computation's numbers; ``sql`` changes the tables first."""
    path = place / "w.duckdb"
    path.unlink(missing_ok=True)
    with duckdb.connect(str(path)) as connection:
        for name, frame in tables.items():
            connection.register("frame", frame)
            connection.execute(f"CREATE TABLE {name} AS SELECT * FROM frame")
        for one in sql:
            connection.execute(one)
    with Warehouse("duckdb://w.duckdb", project=place) as warehouse:
        first = {
            a.name: a.table.to_pandas(date_as_object=False) for a in model_answers(warehouse, subject, period, versions)
        }
        second = ask_again(warehouse, [subject], {}, period, {subject.id: versions})
    assert second[-1].table.num_rows == 0, second[-1].table.to_pylist()
    answers = {a.name.removeprefix(query_of(subject.id, "")): a.table.to_pylist() for a in second}
    return first, seconds(subject, answers, versions)
