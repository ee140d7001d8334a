"""Which Python, with which copy of the library, runs notebooks."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["KERNEL_ENVIRONMENT", "Interpreter"]

KERNEL_ENVIRONMENT = {
    "PYTHONHASHSEED": "0",
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}


@dataclass(frozen=True)
class Interpreter:
    """A Python and a library; by default those that are running.

    Attributes:
        executable: Of Python.
        prefix: Its environment, which stands as ``<env>`` in an executed notebook.
        library: The folder that holds the package ``gazette``.
        alone: Whether ``PYTHONPATH`` of this process is left out: a rebuilt environment sees nothing of the present one.
    """

    executable: str = sys.executable
    prefix: str = sys.prefix
    library: Path = field(default=Path(__file__).parents[2])
    alone: bool = False

    def python_path(self) -> str:
        """``PYTHONPATH`` for its processes."""
        more = "" if self.alone else os.environ.get("PYTHONPATH", "")
        return os.pathsep.join([str(self.library), more]) if more else str(self.library)
