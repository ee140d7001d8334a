"""What a run is a function of: notebook, parameters, inputs, library, environment."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import platform
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gazette.runs._job import Job

__all__ = ["environment_digest", "key", "library_digest", "versions"]


@cache
def library_digest() -> str:
    """SHA-256 over every source file of the library."""
    root = Path(__file__).parent.parent
    total = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        total.update(f"{path.relative_to(root).as_posix()}\0".encode())
        total.update(path.read_bytes())
    return total.hexdigest()


@cache
def environment_digest() -> str:
    """SHA-256 over Python's version and the names and versions of all installed distributions."""
    names = sorted({f"{d.metadata['Name']}=={d.version}" for d in importlib.metadata.distributions()})
    text = "\n".join([platform.python_implementation(), ".".join(map(str, sys.version_info[:3])), *names])
    return hashlib.sha256(text.encode()).hexdigest()


def key(job: Job) -> str:
    """Cache key of a job."""
    parts = {
        "template": hashlib.sha256(job.template.read_bytes()).hexdigest(),
        "parameters": dict(job.parameters),
        "inputs": list(job.inputs),
        "library": library_digest(),
        "environment": environment_digest(),
    }
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
