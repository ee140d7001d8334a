"""What is asked, and so what is sealed, is the same text in every process: the order of sets of texts differs from one to the next."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from small import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

ASK = """
import sys
from datetime import datetime
from pathlib import Path
import duckdb
from gazette.sources import Period, Warehouse, importance_rows, model_answers
from small import scored_model

place = Path(sys.argv[1])
with duckdb.connect(str(place / "w.duckdb")) as w:
    w.execute('''
        CREATE TABLE p AS SELECT i AS id, TIMESTAMP '2026-11-17' AS at, TIMESTAMP '2026-11-17' AS loaded,
            CAST(i % 2 + 1 AS VARCHAR) AS version, 0.5 AS score FROM range(40) t(i);
        CREATE TABLE y AS SELECT i AS id, i % 2 AS label, TIMESTAMP '2026-11-18' AS known FROM range(40) t(i);
        CREATE TABLE f AS SELECT i AS id, TIMESTAMP '2026-11-17' AS at, i % 5 AS a, i % 7 AS b FROM range(40) t(i);
        CREATE TABLE items AS SELECT i AS request, CAST(i % 2 + 1 AS VARCHAR) AS version, 1 AS rank, 1.0 AS relevance FROM range(40) t(i)''')
features = {"table": "f", "id": "id", "time": "at", "arrived": "at", "columns": {"a": {}, "b": {}},
            "trained_from": "2026-11-16", "trained_until": "2026-11-18"}
items = {"table": "items", "request": "request", "version": "version", "rank": "rank", "relevance": "relevance"}
ranked = {"quality": [{"metric": "ndcg-5", "measure": "ndcg", "k": 5}], "items": items}
period, versions = Period(datetime(2026, 11, 16), datetime(2026, 11, 23), 3), {"live": "2", "baseline": "1"}
with Warehouse("duckdb://w.duckdb", project=place) as warehouse:
    for kind, more in (("classifier", {"features": features}), ("regressor", {}), ("ranker", {"scores": ranked})):
        subject = scored_model(kind, arrived="loaded", known="known", **more)
        print(*(a.sql for a in model_answers(warehouse, subject, period, versions)))
        if "features" in more:
            print(importance_rows(warehouse, subject, period, versions).sql)
"""


def test_a_model_is_asked_for_in_the_same_words_by_every_process(tmp_path: Path) -> None:
    said = []
    for seed in ("1", "2"):
        (place := tmp_path / seed).mkdir()
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(REPOSITORY / "tests")}
        done = subprocess.run(
            [sys.executable, "-c", ASK, place], env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        said.append(done.stdout)
    assert said[0].count("SELECT") > 100
    assert said[0] == said[1]
