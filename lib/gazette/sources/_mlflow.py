"""The model registry: which version was behind which alias when the edition was made."""

from __future__ import annotations

import logging
import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from gazette.errors import SourceError
from gazette.sources._answer import Answer

if TYPE_CHECKING:
    from gazette.params import Model

__all__ = ["read_registry"]


def _checked(uri: str, project: Path) -> str:
    """The URI with a relative SQLite path made absolute; a store that is not there is an error, not a new store."""
    if not uri.startswith("sqlite:///"):
        return uri
    path = project / uri.removeprefix("sqlite:///")
    if not path.is_file():
        raise SourceError(
            "there is no MLflow store here",
            where=str(path),
            mend="set 'mlflow:' in params/site.yml, or run 'gazette demo'",
        )
    return f"sqlite:///{path}"


def read_registry(uri: str, model: Model, *, project: Path) -> Answer:
    """Ask MLflow for the versions behind the model's two aliases.

    Args:
        uri: MLflow tracking URI; a relative SQLite path is taken from ``project``.
        model: The model's parameters.
        project: Folder of the project.

    Returns:
        One row per alias that resolves: alias, version (as the warehouse writes it), registered, run_id, trained_at, metrics.

    Raises:
        SourceError: The store cannot be reached or does not know the model.
    """
    import pyarrow as pa  # noqa: PLC0415  slow to import, needed only here

    registry = model.registry
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # MLflow's own, about the libraries below it
            rows = _ask(_checked(uri, project), model)
    except SourceError:
        raise
    except Exception as error:  # MLflow lets errors of many drivers through
        raise SourceError(
            f"MLflow cannot be asked for registered model {registry.name!r}: {str(error).splitlines()[0] if str(error) else type(error).__name__}",
            where=f"{uri} (models/{model.id}.yml)",
            mend="check 'mlflow:' in params/site.yml and registry.name; is the server up?",
        ) from error
    schema = pa.schema([(k, pa.string()) for k in ("role", "alias", "version", "registered", "run_id", "trained_at")])
    asked = f"MLflow registry: model {registry.name!r}, aliases {registry.live!r} and {registry.baseline!r}"
    return Answer("registry", asked, pa.Table.from_pylist(rows, schema=schema))


def _ask(uri: str, model: Model) -> list[dict[str, str]]:
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "15")
    from mlflow import MlflowClient  # noqa: PLC0415  takes seconds
    from mlflow.exceptions import MlflowException  # noqa: PLC0415

    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.ERROR)
    registry, rows = model.registry, []
    client = MlflowClient(tracking_uri=uri)
    client.get_registered_model(registry.name)
    for role, alias in (("live", registry.live), ("baseline", registry.baseline)):
        try:
            found = client.get_model_version_by_alias(registry.name, alias)
        except MlflowException:
            continue
        run = client.get_run(found.run_id) if found.run_id else None
        version = found.tags.get(registry.version_tag, "") if registry.version_tag else str(found.version)
        rows.append(
            {
                "role": role,
                "alias": alias,
                "version": version or str(found.version),
                "registered": str(found.version),
                "run_id": found.run_id or "",
                "trained_at": found.tags.get("trained_at", run.data.tags.get("trained_at", "") if run else ""),
            }
        )
    return rows
