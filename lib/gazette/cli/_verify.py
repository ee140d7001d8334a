"""``gazette verify``: whether editions are what was sealed."""

from __future__ import annotations

import os
from pathlib import Path
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

TRUST = {
    "own": " with a key that is trusted",
    "project": " with a key that the project itself names, which who may write there could exchange; --public-key takes yours",
    "none": " (with a key that was not compared with one you trust)",
}
"""Words on where the keys came from that signatures were compared with."""


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
    given = options.public_key or list(filter(None, [os.environ.get("GAZETTE_PUBLIC_KEY")]))
    named = project.params.site.public_keys
    keys = read_public_keys(given) if given else read_public_keys(named, root=project.root)
    within = any((Path.cwd() / key).resolve().is_relative_to(project.root.resolve()) for key in given if _is_file(key))
    trust = "none" if not keys else "project" if within or not given else "own"
    with listener() as watching:
        found = verify_editions(
            project.store,
            weeks,
            keys=keys,
            published=project.output / "editions" if options.published else None,
            named=named_editions(project.root),
            say=watching.step,
        )
    if options.published:
        from gazette.site import shelf_problems, strays  # noqa: PLC0415  takes a second

        found = found._replace(
            problems=(
                *found.problems,
                *shelf_problems(project.output),
                *strays(project.output, [*map(str, project.store.weeks())]),
            )
        )
    say(options, {**_as_json(found), "keys": trust}, _as_text(found, trust))
    return 1 if found.problems else 0


def _as_json(found: Checked) -> dict[str, object]:
    return {**found._asdict(), "problems": [p._asdict() for p in found.problems]}


def _is_file(key: str) -> bool:
    """Whether a key is named by its file, not given itself."""
    try:
        return Path(key).is_file()
    except OSError:  # a name too long for one
        return False


def _as_text(found: Checked, trust: str) -> str:
    lines = [str(p) for p in found.problems]
    counts = f"{len(found.editions)} edition{'s' * (len(found.editions) != 1)}, {found.files:,} files compared"
    signed = f"{len(found.signers)} signed"
    if found.signers:
        signed += TRUST[trust]
    ends = f"{len(lines)} problem{'s' * (len(lines) != 1)}" if lines else "all as sealed"
    text = "\n".join([*lines, f"{counts}, {signed}: {ends}."])
    return text.encode(errors="backslashreplace").decode()
