"""A small project of its own: one experiment, real DuckDB tables, the real templates."""

from __future__ import annotations

import json
import re
import shutil
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import yaml

from gazette.params import Model
from gazette.site._theme import chart_library

REPOSITORY = Path(__file__).parents[1]
CACHE = Path(".gazette", "cache")
WEEK = "2026-W47"
WEEKS = ("2026-W45", "2026-W46", "2026-W47")  # of the demo
NOW = datetime(2026, 11, 23, 12)  # noqa: DTZ001  the clock of editions is UTC without zone
ABOVE = ("translation", "portfolio")
START = datetime(2026, 11, 9)  # noqa: DTZ001


def _plain_dates(text: str) -> str:
    """Dates are written without quotes, as people write them."""
    return re.sub(r"'(\d{4}-\d\d-\d\d)'", r"\1", text)


def scored_model(kind: str, *, arrived: str, known: str, segments: tuple[str, ...] = (), **more: Any) -> Model:
    """A model ``m`` whose scores are in table p and labels in table y, loaded and known at the times in these columns."""
    scores = {
        "table": "p",
        "id": "id",
        "time": "at",
        "arrived": arrived,
        "version": "version",
        "segments": list(segments),
    }
    content: dict[str, Any] = {
        "id": "m",
        "title": "M",
        "owner": "o",
        "description": "d",
        "kind": kind,
        "registry": {"name": "m"},
        "max_age_days": 30,
        "scores": {**scores, **({} if kind == "ranker" else {"score": "score"}), **more.pop("scores", {})},
        **more,
    }
    if kind != "ranker":
        content["labels"] = {"table": "y", "id": "id", "label": "label", "arrived": known, **content.get("labels", {})}
    return Model.model_validate(content)


class SmallProject:
    """One experiment, ``button``, on ``users`` users an arm; of the pages above it only the summary, to be quick."""

    def __init__(self, root: Path, *, users: int = 200, runs: Path | None = None) -> None:
        self.root = root
        root.mkdir(parents=True)
        for name in ("notebooks", "reports"):
            shutil.copytree(REPOSITORY / name, root / name)
        for name in ABOVE:
            (root / "notebooks" / f"{name}.ipynb").unlink()
        shutil.copyfile(REPOSITORY / "_quarto.yml", root / "_quarto.yml")
        chart_library(REPOSITORY / CACHE)  # made once, as in a project that is built each week
        (root / CACHE).mkdir(parents=True)
        for path in (REPOSITORY / CACHE).glob("vega-*.js"):
            shutil.copyfile(path, root / CACHE / path.name)
        if runs is not None:
            (root / CACHE / "runs").symlink_to(runs)  # what another test has run on the same inputs is not run again
        for name in ("models", "experiments"):
            (root / "params" / name).mkdir(parents=True)
        self.site: dict[str, Any] = {
            "title": "Small",
            "organisation": "Small company",
            "warehouse": "duckdb://warehouse.duckdb",
            "mlflow": "sqlite:///mlflow.db",
            "engine": "embedded",
            "timeout_seconds": 60,
            "restatements": {"editions": 0},  # tests that are about them turn them on
            "canaries": False,  # likewise
            "executive": {"owner": "office", "cards": ["button.ctr.treatment"]},
        }
        self.metric: dict[str, Any] = {
            "title": "Click-through rate",
            "owner": "growth",
            "definition": "Share of users who clicked.",
            "unit": "fraction",
            "direction": "higher",
            "fact": {
                "table": "events",
                "unit": "unit_id",
                "time": "happened_at",
                "arrived": "loaded_at",
                "aggregation": "any",
            },
            "changelog": [{"version": 1, "date": "2026-01-05", "author": "office", "change": "First definition."}],
        }
        self.experiment: dict[str, Any] = {
            "id": "button",
            "title": "Green button",
            "owner": "growth",
            "description": "A green button instead of a blue one.",
            "hypothesis": "Green is clicked more.",
            "start": "2026-11-09",
            "end": "2026-11-22",
            "control": "blue",
            "variants": [
                {"id": "blue", "title": "Blue", "weight": 0.5},
                {"id": "green", "title": "Green", "weight": 0.5},
            ],
            "primary": "ctr",
            "planned_units": 2 * users,
            "minimum_effect": 0.2,
        }
        self.write()
        self.fill(users)

    def forget(self) -> None:
        """Run every notebook, also those that another test has run on the same inputs."""
        (self.root / CACHE / "runs").unlink()

    def write(self) -> None:
        """Write the parameter files as they now are."""
        params = self.root / "params"
        for name, content in (
            ("site", self.site),
            ("metrics", {"metrics": {"ctr": self.metric}}),
            ("translations", {"translations": []}),
            ("alerts", {"alerts": []}),
            (f"experiments/{self.experiment['id']}", self.experiment),
        ):
            text = _plain_dates(yaml.safe_dump(json.loads(json.dumps(content)), sort_keys=False))
            (params / f"{name}.yml").write_text(text)

    def add_pages(self, *names: str) -> None:
        """Have these pages above the subjects too: ``translation``, ``portfolio``."""
        for name in names:
            shutil.copyfile(REPOSITORY / "notebooks" / f"{name}.ipynb", self.root / "notebooks" / f"{name}.ipynb")

    def fill(self, users: int) -> None:
        """Users assigned over two weeks; every tenth of blue and every fifth of green clicks."""
        with duckdb.connect(str(self.root / "warehouse.duckdb")) as warehouse:
            warehouse.execute(
                "CREATE OR REPLACE TABLE experiment_assignments (experiment VARCHAR, unit_id VARCHAR, variant VARCHAR, assigned_at TIMESTAMP)"
            )
            warehouse.execute(
                "CREATE OR REPLACE TABLE events (unit_id VARCHAR, happened_at TIMESTAMP, loaded_at TIMESTAMP)"
            )
            each = f"FROM range({users}) t(i), (VALUES ('blue', 10), ('green', 5)) v(variant, every)"
            unit = f"variant || '-' || i AS unit_id, TIMESTAMP '{START}' + to_minutes(i * 20160 // {max(1, users)}) AS assigned_at"
            warehouse.execute(
                f"INSERT INTO experiment_assignments SELECT 'button', unit_id, variant, assigned_at FROM (SELECT *, {unit} {each}) ORDER BY i, variant"
            )
            warehouse.execute(
                f"INSERT INTO events SELECT unit_id, assigned_at + INTERVAL 1 MINUTE, assigned_at + INTERVAL 5 MINUTE "
                f"FROM (SELECT *, {unit} {each}) WHERE i % every = 0 ORDER BY i, variant"
            )

    def add_experiment(self, name: str, **changes: Any) -> None:
        """Another experiment on the same users."""
        content = {**self.experiment, "id": name, "title": name, **changes}
        text = _plain_dates(yaml.safe_dump(content, sort_keys=False))
        (self.root / "params" / "experiments" / f"{name}.yml").write_text(text)
        with duckdb.connect(str(self.root / "warehouse.duckdb")) as warehouse:
            warehouse.execute(
                "INSERT INTO experiment_assignments SELECT ?, unit_id, variant, assigned_at FROM experiment_assignments WHERE experiment = 'button'",
                [name],
            )

    def add_metrics(self, *names: str) -> None:
        """Metrics as the demo defines them; call it after `write`, which forgets them."""
        known = yaml.safe_load((REPOSITORY / "params" / "metrics.yml").read_text())["metrics"]
        for name in names:
            self._keep_metric(name, known[name])

    def add_metric(self, name: str, **changes: Any) -> None:
        """A metric like the project's own; call it after `write`, which forgets it."""
        self._keep_metric(name, {**self.metric, **changes})

    def _keep_metric(self, name: str, content: dict[str, Any]) -> None:
        path = self.root / "params" / "metrics.yml"
        known = yaml.safe_load(path.read_text())
        known["metrics"][name] = content
        path.write_text(_plain_dates(yaml.safe_dump(json.loads(json.dumps(known, default=str)), sort_keys=False)))

    def template(self, name: str, *sources: str) -> None:
        """Write a notebook template: a parameters cell and these code cells."""
        head = 'subject = "button"\nedition = "2026-W47"\nroot = "."'
        cells = [
            {
                "cell_type": "code",
                "id": "parameters",
                "metadata": {"tags": ["parameters"]},
                "source": head,
                "execution_count": None,
                "outputs": [],
            }
        ]
        cells += [
            {
                "cell_type": "code",
                "id": f"cell-{i}",
                "metadata": {},
                "source": source,
                "execution_count": None,
                "outputs": [],
            }
            for i, source in enumerate(sources, 1)
        ]
        kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
        content = {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
        (self.root / "notebooks" / f"{name}.ipynb").write_text(json.dumps(content))
