"""Permutation importance of the registered model: how much worse it does on the week's rows when a feature is shuffled.

Measured per row (log loss, or absolute error of a regressor), so the mean has a range over rows, which a score of the
whole sample, as scikit-learn's ``permutation_importance`` takes it, would not give.
"""

from __future__ import annotations

import logging
import os
import warnings
from typing import TYPE_CHECKING, Any

from gazette.errors import SourceError
from gazette.sources._answer import Answer
from gazette.sources._mlflow import checked

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pyarrow as pa

    from gazette.params import Model
    from gazette.secrets import Address

__all__ = ["read_importance"]

REPEATS = 5
SEED = 20130401


def read_importance(
    uri: Address | str, model: Model, rows: pa.Table, versions: Mapping[str, str], *, project: Path
) -> Answer:
    """Load the versions from MLflow and shuffle each feature in turn.

    Args:
        uri: MLflow tracking URI.
        model: The model's parameters, with features and labels.
        rows: ``row_id``, ``label`` and the features of the week's rows.
        versions: ``live`` and ``baseline`` to MLflow's version number; a role without a version is left out.
        project: Folder of the project.

    Returns:
        One row per role and feature: importance (rise of the loss), standard_error, n; for the live version also change and
        change_error, its difference to the baseline's importance on the same rows (paired), where both take the feature.

    Raises:
        SourceError: A version cannot be loaded or does not take these features.
    """
    import pyarrow as pa  # noqa: PLC0415

    rises: dict[str, dict[str, Any]] = {}
    for role, version in versions.items() if rows.num_rows else ():
        if version:
            try:
                rises[role] = _of_version(checked(uri, project), model, rows, version)
            except Exception as error:  # MLflow and the model's own library have errors of many kinds
                text = str(error).strip().splitlines()
                raise SourceError(
                    f"version {version} of {model.registry.name!r} cannot be asked: {text[0] if text else type(error).__name__}",
                    where=f"{uri} (models/{model.id}.yml)",
                    mend="log the model with mlflow.sklearn and name the features that it takes",
                ) from error
    found = []
    for role, features in rises.items():
        for name, rise in features.items():
            before = rises.get("baseline", {}).get(name) if role == "live" else None
            found.append(
                {
                    "role": role,
                    "feature": name,
                    **_mean("importance", "standard_error", rise),
                    **(_mean("change", "change_error", rise - before) if before is not None else {}),
                    "n": len(rise),
                }
            )
    schema = pa.schema(
        [("role", pa.string()), ("feature", pa.string())]
        + [(k, pa.float64()) for k in ("importance", "standard_error", "change", "change_error")]
        + [("n", pa.int64())]
    )
    asked = f"Permutation importance of {model.registry.name!r} on the rows of importance_rows, {REPEATS} shuffles a feature, seed {SEED}.\n"
    return Answer("importance", asked, pa.Table.from_pylist(found, schema))


def _of_version(uri: str, model: Model, rows: pa.Table, version: str) -> dict[str, Any]:
    """Feature to the rise of each row's loss when it is shuffled, averaged over repeats."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    import mlflow.sklearn  # noqa: PLC0415  takes seconds
    import numpy as np  # noqa: PLC0415

    logging.getLogger("mlflow").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # MLflow's own, about the libraries below it
        before = mlflow.get_tracking_uri()
        mlflow.set_tracking_uri(uri)
        try:
            fitted = mlflow.sklearn.load_model(f"models:/{model.registry.name}/{version}")
        finally:
            mlflow.set_tracking_uri(before)
    frame = rows.to_pandas()
    assert model.features is not None  # noqa: S101  the caller has their rows
    names = [*getattr(fitted, "feature_names_in_", model.features.columns)]
    y, inputs = frame["label"].to_numpy(), frame[names]

    def loss(some: Any) -> Any:
        if model.kind == "classifier":
            p = np.clip(fitted.predict_proba(some)[:, 1], 1e-15, 1 - 1e-15)
            return -np.where(y == 1, np.log(p), np.log(1 - p))
        return np.abs(fitted.predict(some) - y)

    usual, found = loss(inputs), {}
    for i, name in enumerate(names):
        rng = np.random.default_rng([SEED, i])
        rise = np.zeros(len(y))
        for _ in range(REPEATS):
            shuffled = inputs.copy()
            shuffled[name] = inputs[name].to_numpy()[rng.permutation(len(y))]
            rise += (loss(shuffled) - usual) / REPEATS
        found[name] = rise
    return found


def _mean(value: str, error: str, rows: Any) -> dict[str, float]:
    """Mean of rows with its standard error, under these names."""
    spread = float(rows.std(ddof=1) / len(rows) ** 0.5) if len(rows) > 1 else 0.0
    return {value: float(rows.mean()), error: spread}
