"""The command line: arguments in, progress and exit code out."""

from gazette.cli._main import main

__all__ = ["main"]
