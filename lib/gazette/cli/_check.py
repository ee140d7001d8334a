"""``gazette check``: every problem of the parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gazette.cli._shared import say

if TYPE_CHECKING:
    import argparse

__all__ = ["EXAMPLE", "HELP", "add_options", "run"]

HELP = "report every problem in the parameters, with file, line and how to mend it"
EXAMPLE = "gazette check --json"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    _ = parser  # it takes those that every command has


def run(options: argparse.Namespace) -> int:
    """The command; returns the exit code."""
    from gazette.build import check, remark_warnings  # noqa: PLC0415

    found = check(options.project)
    warnings = remark_warnings(options.project)
    rows = [{"file": p.file, "line": p.line, "key": p.key, "what": p.what, "mend": p.mend} for p in found]
    text = "\n".join(
        [
            *(str(p) if p.file.startswith("reports/") else f"params/{p}" for p in found),
            *(f"warning: params/{w}" for w in warnings),
            f"{len(found)} problem{'s' * (len(found) != 1)}" if found else "No problem in the parameters.",
        ]
    )
    say(options, {"problems": rows, "warnings": warnings}, text)
    return 1 if found else 0
