"""Which table each query of a model or test reads: what two of them may have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gazette.params import Experiment, Metric, Model, Params

__all__ = ["tables_of"]

SCORED = ("weekly", "days", "paired", "segments", "segments_paired", "volume", "strays", "unscored", "curve")
KNOWN_LATER = ("completeness", "label_checks")
OF_INPUTS = ("feature_checks", "drift", "drift_ks", "importance")


def tables_of(params: Params) -> dict[str, dict[str, str]]:
    """Subject to query to table; ``inputs`` names a model's features, queries that read several tables name none."""
    models = {m.id: _of_model(m) for m in params.models.values()}
    tests = {e.id: _of_test(e, params.metrics) for e in params.experiments.values()}
    return models | tests


def _of_model(model: Model) -> dict[str, str]:
    found = dict.fromkeys(SCORED, model.scores.table) if model.scores else {}
    labels = getattr(model, "labels", None)
    if labels is not None:
        found |= dict.fromkeys(KNOWN_LATER, labels.table)
    if model.features is not None:
        found |= dict.fromkeys((*OF_INPUTS, "inputs"), model.features.table)
    if model.business is not None:
        found["business"] = model.business.table
    if model.telemetry is not None:
        found["telemetry"] = model.telemetry.table
    return found


def _of_test(test: Experiment, metrics: dict[str, Metric]) -> dict[str, str]:
    known = metrics.get(test.primary)
    facts = {"arms": known.fact.table} if known is not None and known.fact is not None else {}
    if test.triggered is not None:
        facts |= dict.fromkeys(("assigned", "triggered", "triggered-drift"), test.triggered.table)
    return {"": test.assignments, **facts}
