"""The model registry: which version was behind which alias when the edition was made."""

from __future__ import annotations

import json
import logging
import os
import warnings
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from gazette.errors import SourceError
from gazette.sources._answer import Answer
from gazette.sources._opened import opened

if TYPE_CHECKING:
    from mlflow.entities import Run
    from mlflow.entities.model_registry import ModelVersion

    from gazette.params import Model
    from gazette.secrets import Address

__all__ = ["checked", "read_registry"]


def checked(address: Address | str, project: Path) -> str:
    """The URI with its secrets and with a relative SQLite path made absolute; a store that is not there is an error, not a new store."""
    uri = opened(address, "mlflow", project)
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


def read_registry(uri: Address | str, model: Model, *, project: Path) -> list[Answer]:
    """Ask MLflow for the two versions that the parameters name, and for all that are registered.

    Args:
        uri: MLflow tracking URI; a relative SQLite path is taken from ``project``.
        model: The model's parameters.
        project: Folder of the project.

    Returns:
        ``registry``: a row per role whose alias or number names a version: version (as the warehouse writes it), registered
        (MLflow's number), run_id, trained_at. ``versions``: a row per registered version with all its aliases.

    Raises:
        SourceError: The store cannot be reached or does not know the model.
    """
    import pyarrow as pa  # noqa: PLC0415  slow to import, needed only here

    registry = model.registry
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # MLflow's own, about the libraries below it
            rows, every = _ask(checked(uri, project), model)
    except SourceError:
        raise
    except Exception as error:  # MLflow lets errors of many drivers through
        raise SourceError(
            f"MLflow cannot be asked for registered model {registry.name!r}: {str(error).splitlines()[0] if str(error) else type(error).__name__}",
            where=f"{uri} (models/{model.id}.yml)",
            mend="check 'mlflow:' in params/site.yml and registry.name; is the server up?",
        ) from error
    schema = pa.schema([(k, pa.string()) for k in ("role", "alias", "version", "registered", "run_id", "trained_at")])
    asked = f"MLflow registry: model {registry.name!r}, {registry.live!r} and {registry.baseline!r}\n"
    columns = ("registered", "version", "aliases", "run_id", "created_at", "trained_at", "description", "facts")
    listed = pa.Table.from_pylist(every, schema=pa.schema([(k, pa.string()) for k in columns]))
    return [
        Answer("registry", asked, pa.Table.from_pylist(rows, schema=schema)),
        Answer("versions", f"MLflow registry: every version of {registry.name!r} with its aliases\n", listed),
    ]


def _ask(uri: str, model: Model) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "15")
    from mlflow import MlflowClient  # noqa: PLC0415  takes seconds
    from mlflow.exceptions import MlflowException  # noqa: PLC0415

    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.ERROR)
    registry, rows = model.registry, []
    client = MlflowClient(tracking_uri=uri)
    aliases = client.get_registered_model(registry.name).aliases
    every = []
    quoted = registry.name.replace("'", "\\'")
    for found in sorted(client.search_model_versions(f"name='{quoted}'"), key=lambda v: int(v.version)):
        run = client.get_run(found.run_id) if found.run_id else None
        facts = {
            **(run.data.params if run else {}),
            **{k: f"{v:.6g}" for k, v in sorted((run.data.metrics if run else {}).items())},
        }
        every.append(
            {
                **_row(found, run, registry.version_tag),
                "aliases": ", ".join(sorted(a for a, v in aliases.items() if str(v) == str(found.version))),
                "created_at": f"{datetime.fromtimestamp(found.creation_timestamp / 1000, UTC):%Y-%m-%d %H:%M:%S}",
                "description": found.description or "",
                "facts": json.dumps(facts, sort_keys=True),
            }
        )
    known = {v["registered"]: v for v in every}
    for role, wanted in (("live", registry.live), ("baseline", registry.baseline)):
        try:
            number = wanted if wanted.isdigit() else client.get_model_version_by_alias(registry.name, wanted).version
        except MlflowException:
            continue
        if one := known.get(str(number)):
            keys = ("version", "registered", "run_id", "trained_at")
            rows.append({"role": role, "alias": wanted, **{k: one[k] for k in keys}})
    return rows, every


def _row(found: ModelVersion, run: Run | None, tag: str | None) -> dict[str, str]:
    return {
        "version": (found.tags.get(tag, "") if tag else "") or str(found.version),
        "registered": str(found.version),
        "run_id": found.run_id or "",
        "trained_at": found.tags.get("trained_at", run.data.tags.get("trained_at", "") if run else ""),
    }
