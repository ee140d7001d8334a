"""What a run is a function of: notebook, parameters, inputs, library, environment."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import platform
from typing import TYPE_CHECKING

from gazette.runs._environment import environment_digest, library_digest
from gazette.runs._interpreter import variables

if TYPE_CHECKING:
    from gazette.runs._job import Job

__all__ = ["key", "versions"]


def key(job: Job) -> str:
    """Cache key of a job."""
    parts = {
        "template": hashlib.sha256(job.template.read_bytes()).hexdigest(),
        "parameters": dict(job.parameters),
        "inputs": list(job.inputs),
        "library": library_digest(),
        "environment": environment_digest(),
    }
    if job.variables:
        parts["variables"] = variables(job.variables)
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def versions() -> dict[str, str]:
    """What runs notebooks here: for the manifest and the provenance page."""
    named = ("gazette", "papermill", "pandas", "ibis-framework", "duckdb", "pyarrow", "scipy")
    return {
        "python": platform.python_version(),
        **{name: importlib.metadata.version(name) for name in named},
        "library": library_digest(),
        "environment": environment_digest(),
    }
