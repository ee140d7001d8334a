"""Make the demo once, whole or not at all."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["DemoPaths", "generate", "is_current"]

SEED = 20261123
STAMP = "demo.json"


@dataclass(frozen=True)
class DemoPaths:
    """Where the demo lies."""

    warehouse: Path
    mlflow: Path
    truth: Path


def _expected(seed: int) -> dict[str, object]:
    sources = sorted(Path(__file__).parent.glob("*.py"))
    digest = hashlib.sha256(b"".join(p.read_bytes() for p in sources)).hexdigest()
    return {"seed": seed, "generator": digest}


def is_current(directory: Path, *, seed: int = SEED) -> bool:
    """Whether a whole demo made by this generator lies in the folder."""
    try:
        found = json.loads((directory / STAMP).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return bool(found == _expected(seed))


def generate(directory: Path, *, seed: int = SEED, progress: Callable[[str], None] | None = None) -> DemoPaths:
    """Write ``warehouse.duckdb``, ``mlflow.db`` with its artifacts, and ``truth.json`` (read by tests only).

    The folder is made beside itself and renamed, so a killed run leaves nothing half-made.

    Args:
        directory: Folder to make or replace.
        seed: Of everything that is simulated.
        progress: Told what is being made.
    """
    import duckdb  # noqa: PLC0415  slow to import, and the stamp check must be quick

    from gazette.demo import _experiments, _finance, _flights, _operations, _past, _shop  # noqa: PLC0415

    say = progress or (lambda _: None)
    directory = directory.resolve()
    making = directory.with_name(directory.name + ".making")
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(parents=True)
    truth: dict[str, object] = {}
    with duckdb.connect(str(making / "warehouse.duckdb")) as warehouse:
        warehouse.execute("SET threads TO 2")
        say("flights: training two models on the real flights of the first quarter")
        truth["flights"] = _flights.write(warehouse, making, final=directory)
        say("shop: daily figures and recommendations")
        truth["shop"] = _shop.write(warehouse, seed)
        say("finance: the ledger and the payment provider")
        truth["finance"] = _finance.write(warehouse, seed)
        say("operations: telemetry, deployments, alerts")
        _operations.write(warehouse, seed)
        say("experiments: six tests")
        truth["experiments"] = _experiments.write(warehouse, seed)
        say("past tests: eighteen months of decisions")
        truth["past"] = _past.write(warehouse, seed)
    (making / "truth.json").write_text(json.dumps(truth, indent=1, sort_keys=True), encoding="utf-8")
    (making / STAMP).write_text(json.dumps(_expected(seed)), encoding="utf-8")
    shutil.rmtree(directory, ignore_errors=True)
    making.rename(directory)
    return DemoPaths(directory / "warehouse.duckdb", directory / "mlflow.db", directory / "truth.json")
