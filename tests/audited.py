"""A project with something to audit: a test, a test and a model begun by ``gazette new``, two sealed weeks, a decision."""

from __future__ import annotations

import re
import warnings
from datetime import date
from typing import TYPE_CHECKING

import duckdb
import yaml

from gazette.params import load
from gazette.register import new_subject
from program import gazette
from small import REPOSITORY, SmallProject

if TYPE_CHECKING:
    from pathlib import Path

WEEKS = ("2026-W46", "2026-W47")
BEGUN = date(2026, 11, 5)  # a Thursday: tests begin on the Monday after
SOURCES = """\
owner: office
reconciliations:
  - id: orders
    title: Orders
    owner: growth
    metric: shop-orders
    reference: tracker
    tolerance: 0.005
    sources:
      - {id: tracker, title: the tracker, table: events, time: happened_at, arrived: loaded_at, aggregation: count}
      - {id: provider, title: the provider, table: booked, time: day, aggregation: sum, value: paid}
      - id: ledger
        title: the ledger
        table: booked
        time: day
        aggregation: sum
        value: kept
        ruling: {text: Returns are taken off., low: -0.04, high: -0.02, use: ledger, by: Cy, ruled: 2026-11-02}
"""


def make(root: Path) -> None:
    """Lay it out and build both weeks."""
    small = SmallProject(root, users=2000)
    small.experiment["segments"] = [{"title": "Device", "table": "people", "unit": "unit_id", "column": "device"}]
    small.site["operations"] = {"owner": "platform", "telemetry": "serving"}
    small.write()
    small.add_pages("translation", "portfolio")
    small.add_metrics(
        *(m for m in yaml.safe_load((REPOSITORY / "params" / "metrics.yml").read_text())["metrics"] if m != "ctr")
    )
    path = new_subject(root, load(root / "params"), "experiment", "fresh", today=BEGUN).path
    path.write_text(re.sub(r"^window_days: .*\n", "", path.read_text(), flags=re.MULTILINE))  # all of its users count
    path = new_subject(root, load(root / "params"), "model", "risk", today=BEGUN).path
    path.write_text(path.read_text().replace("# segments: [country]", "  segments: [country]"))
    rows = (REPOSITORY / "params" / "translations.yml").read_text().replace("[recommender]", "[risk]")
    (root / "params" / "translations.yml").write_text(rows)
    (root / "params" / "reconciliations.yml").write_text(SOURCES)
    _fill(root)
    _register(root)
    gazette("build", f"{WEEKS[0]}..{WEEKS[1]}", "--engine", "embedded", project=root)
    gazette("decide", "button", "ship", "--by", "Ada", "--because", "A clear <b>gain</b>.", project=root)
    gazette("sign-off", "button-2026-W47", "--by", "Ben", "--note", "Agreed.", project=root)


def _fill(root: Path) -> None:
    with duckdb.connect(str(root / "warehouse.duckdb")) as warehouse:
        warehouse.execute("""
            CREATE TABLE people AS SELECT DISTINCT unit_id,
                if(CAST(split_part(unit_id, '-', 2) AS INTEGER) % 3 = 0, 'phone', 'desktop') AS device
            FROM experiment_assignments""")
        warehouse.execute("""
            CREATE TABLE booked AS SELECT CAST(happened_at AS DATE) AS day, count(*) - day(day) % 2 AS paid, 0.97 * count(*) AS kept
            FROM events GROUP BY day""")
        warehouse.execute("""
            INSERT INTO experiment_assignments
            SELECT 'fresh', unit_id, if(variant = 'blue', 'control', 'treatment'), assigned_at FROM experiment_assignments""")
        warehouse.execute("""
            CREATE TABLE predictions AS
            SELECT i AS prediction_id, TIMESTAMP '2026-11-02' + to_minutes(i * 10) AS predicted_at,
                TIMESTAMP '2026-11-02' + to_minutes(i * 10 + 5) AS loaded_at, CAST(v AS VARCHAR) AS model_version,
                (i % 97 + (i * v * 7) % 41) / 140 AS score, if(i % 2 = 0, 'dk', 'se') AS country
            FROM range(3000) t(i), range(1, 3) u(v)""")
        warehouse.execute("""
            CREATE TABLE serving AS
            SELECT TIMESTAMP '2026-11-02' + to_hours(i) AS at, 'risk' AS service, 900 + i % 24 * 10 AS requests, i % 3 AS errors,
                40 + i % 7 AS latency_p50_ms, 90 + i % 11 AS latency_p95_ms FROM range(504) t(i)""")
        warehouse.execute("""
            CREATE TABLE labels AS
            SELECT prediction_id, CAST((prediction_id * 37 % 101) / 140.0 < score AS INTEGER) AS label,
                predicted_at + INTERVAL 1 HOUR AS known_at FROM predictions WHERE model_version = '2'""")


def _register(root: Path) -> None:
    import mlflow  # noqa: PLC0415  takes seconds

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of MLflow's own use of SQLAlchemy
        client = mlflow.MlflowClient(f"sqlite:///{root / 'mlflow.db'}")
        client.create_registered_model("risk")
        for alias in ("baseline", "champion"):
            version = client.create_model_version("risk", source=f"file:///models/{alias}").version
            client.set_registered_model_alias("risk", alias, version)
            client.set_model_version_tag("risk", version, "trained_at", "2026-10-01")
