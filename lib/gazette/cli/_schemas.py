"""``gazette schemas``: what editors complete and check by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gazette.cli._shared import say
from gazette.errors import WrongUseError

if TYPE_CHECKING:
    import argparse

__all__ = ["EXAMPLE", "HELP", "add_options", "run"]

HELP = "write the JSON Schemas that editors use to params/schemas/"
EXAMPLE = "gazette schemas"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    _ = parser  # it takes those that every command has


def run(options: argparse.Namespace) -> int:
    """The command; returns the exit code."""
    from gazette.params import schemas  # noqa: PLC0415

    folder = options.project / "params" / "schemas"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, schema in schemas().items():
            (folder / name).write_text(schema, encoding="utf-8")
    except OSError as error:
        raise WrongUseError(
            f"the schemas cannot be written: {error.strerror}", where=str(folder), mend="run this in a project's folder"
        ) from error
    say(options, {"schemas": sorted(schemas())}, f"Wrote {len(schemas())} schemas to {folder}")
    return 0
