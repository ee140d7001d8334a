"""``gazette verify``: whether editions are what was sealed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from gazette.cli._shared import open_project, say

if TYPE_CHECKING:
    import argparse

    from gazette.editions import Checked

__all__ = ["EXAMPLE", "HELP", "add_options", "run"]

HELP = "check that editions are byte for byte what was sealed, and their chain and signatures"
EXAMPLE = """gazette verify
  gazette verify 2026-W47 --published --json

Public keys that are trusted come from --public-key, else from GAZETTE_PUBLIC_KEY, else from public_keys in site.yml."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument("editions", nargs="*", metavar="EDITION", help="editions such as 2026-W47 (default: all)")
    parser.add_argument("--published", action="store_true", help="check the copies on the site, too")
    parser.add_argument(
        "--public-key",
        action="append",
        metavar="KEY",
        help="a key that you trust: a file, or its 64 hexadecimal digits; may be given again",
    )


def run(options: argparse.Namespace) -> int:
    """The command; returns the exit code."""
    from gazette.cli._progress import listener  # noqa: PLC0415
    from gazette.editions import Week, read_public_keys, verify_editions  # noqa: PLC0415
    from gazette.register import named_editions  # noqa: PLC0415

    weeks = [Week.parse(text) for text in options.editions]
    project = open_project(options)
    if options.public_key:
        keys = read_public_keys(options.public_key)
    elif given := os.environ.get("GAZETTE_PUBLIC_KEY"):
        keys = read_public_keys([given])
    else:
        keys = read_public_keys(project.params.site.public_keys, root=project.root)
    with listener() as watching:
        found = verify_editions(
            project.store,
            weeks,
            keys=keys,
            published=project.output / "editions" if options.published else None,
            named=named_editions(project.root),
            say=watching.step,
        )
    say(options, _as_json(found), _as_text(found, trusted=bool(keys)))
    return 1 if found.problems else 0


def _as_json(found: Checked) -> dict[str, object]:
    return {**found._asdict(), "problems": [p._asdict() for p in found.problems]}


def _as_text(found: Checked, *, trusted: bool) -> str:
    lines = [str(p) for p in found.problems]
    counts = f"{len(found.editions)} edition{'s' * (len(found.editions) != 1)}, {found.files:,} files compared"
    signed = f"{len(found.signers)} signed"
    if found.signers:
        signed += " with a key that is trusted" if trusted else " (with a key that was not compared with one you trust)"
    ends = f"{len(lines)} problem{'s' * (len(lines) != 1)}" if lines else "all as sealed"
    text = "\n".join([*lines, f"{counts}, {signed}: {ends}."])
    return text.encode(errors="backslashreplace").decode()
