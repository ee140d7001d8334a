"""Quarto and smalldocs run this after rendering in the project's folder: it fills in what "gazette build" would fill in."""

import os
import subprocess
import sys
from pathlib import Path

OWN = Path(".venv", "bin", "python")  # the project's environment, where the engine brought another Python

try:
    from gazette.site import finish_preview
except ImportError:
    if OWN.is_file() and "GAZETTE_PREVIEW" not in os.environ:
        sys.exit(subprocess.call([OWN, __file__], env={**os.environ, "GAZETTE_PREVIEW": "own"}))  # noqa: S603  this very file
    print(
        "preview: places for data stay empty, as gazette is not installed in this Python (QUARTO_PYTHON names another)"
    )
else:
    print(finish_preview(Path.cwd(), Path(os.environ["QUARTO_PROJECT_OUTPUT_DIR"])))
