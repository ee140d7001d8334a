"""Which Python, with which copy of the library, runs notebooks."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from gazette.secrets import SIGNING_KEY, is_telling

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = ["KERNEL_ENVIRONMENT", "Interpreter", "variables"]

KERNEL_ENVIRONMENT = {
    "PYTHONHASHSEED": "0",
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}

SEEN = re.compile(
    r"PATH|HOME|USER|LOGNAME|SHELL|TERM|TZ|TMPDIR|TEMP|TMP|LANG|LANGUAGE|LC_\w+|XDG_\w+|VIRTUAL_ENV|CONDA_PREFIX|COVERAGE_\w+"
    r"|LD_LIBRARY_PATH|DYLD_LIBRARY_PATH|SSL_CERT_FILE|SSL_CERT_DIR|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE|PYTHONUTF8|PYTHONIOENCODING"
)
"""Variables that every notebook sees: where programs, texts and times are found, and nothing that opens anything."""


def variables(more: Collection[str] = ()) -> dict[str, str]:
    """Environment variables of this process that notebooks may see.

    Args:
        more: Names of further ones; the signing key is none, whoever names it.
    """
    return {
        name: value
        for name, value in os.environ.items()
        if name != SIGNING_KEY and (name in more or (SEEN.fullmatch(name) and not is_telling(name)))
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
