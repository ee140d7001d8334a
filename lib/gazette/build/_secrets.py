"""Secrets written in a project's files: found before anything is built of them, named and never shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gazette.build._places import line_of
from gazette.params import Problem
from gazette.secrets import leaks_in, own_values

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gazette.params import Params

__all__ = ["written_secrets"]

PLACES = (("params", "*.y*ml"), ("notebooks", "*.ipynb"), ("reports", "*"))
MEND = (
    "take it out, change it where it is used, and name a variable, such as ${WAREHOUSE_PASSWORD} (docs/warehouses.md)"
)


def written_secrets(root: Path, params: Params | None) -> list[Problem]:
    """Secrets in the parameters, notebooks and pages (decisions among them) of a project, sorted by file and line.

    Args:
        root: The project.
        params: Its parameters, None where they cannot be read.
    """
    return sorted({*_in_files(root, params), *(_in_addresses(root, params) if params is not None else ())})


def _in_files(root: Path, params: Params | None) -> Iterator[Problem]:
    own = own_values()
    allowed = params.site.no_secrets if params is not None else ()
    files = [p for place, pattern in PLACES for p in (root / place).rglob(pattern)]
    for path in sorted({*files, root / "_quarto.yml"}):
        if not path.is_file():
            continue
        name = path.relative_to(root).as_posix().removeprefix("params/")
        for leak in leaks_in(path.read_bytes(), own, allowed):
            yield Problem(name, leak.line, "", f"holds {leak.what}", MEND + leak.hint)


def _in_addresses(root: Path, params: Params) -> Iterator[Problem]:
    """Secrets in any form that an address may have, and files of secrets that lie in the project."""
    root = root.resolve()
    sheet = root / "params" / "site.yml"
    operations = params.site.operations
    prometheus = operations.prometheus if operations is not None else None
    addresses = {"warehouse": params.site.warehouse, "mlflow": params.site.mlflow, "prometheus": prometheus}
    for key, address in addresses.items():
        if address is not None and address.holds_secret:
            yield Problem("site.yml", line_of(sheet, key), "", "holds a password in an address", MEND)
    token = operations.token_file if operations is not None else None
    if token and (root / token).resolve().is_relative_to(root):
        what, mend = "the file of the token lies in the project", "keep it outside of it, and name it from there"
        yield Problem("site.yml", line_of(sheet, "token_file"), "", what, mend)
