"""Quarto and smalldocs run this after rendering in the project's folder: it fills in what "gazette build" would fill in."""

import os
import subprocess
import sys
from pathlib import Path

NOTED = Path(".gazette", "python")  # "gazette build" notes which Python it ran in


def other() -> "Path | None":
    """A Python that has gazette, if the engine brought another."""
    noted = [Path(NOTED.read_text(encoding="utf-8").strip())] if NOTED.is_file() else []
    return next((path for path in [*noted, Path(".venv", "bin", "python")] if path.is_file()), None)


try:
    from gazette.site import finish_preview
except ImportError:
    python = other()
    if python is not None and "GAZETTE_PREVIEW" not in os.environ:
        sys.exit(subprocess.call([python, __file__], env={**os.environ, "GAZETTE_PREVIEW": "other"}))  # noqa: S603  this very file
    print(
        "preview: places for data stay empty, as gazette is not installed in this Python (QUARTO_PYTHON names another)"
    )
else:
    print(finish_preview(Path.cwd(), Path(os.environ["QUARTO_PROJECT_OUTPUT_DIR"])))
