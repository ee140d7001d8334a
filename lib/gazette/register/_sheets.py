"""Files of a folder in git that hold one thing each: read them all, and say what is wrong with file and line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from gazette.errors import ParamsError
from gazette.params import Problem, read_sheet

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["read_sheets", "refuse"]


def read_sheets(root: Path, folder: Path, model: Any, found: list[Problem]) -> Iterator[tuple[str, Path, Any]]:
    """Name from the project, path and content of each file that can be read; what is wrong is added to ``found``."""
    for path in sorted(folder.glob("*.y*ml")) if folder.is_dir() else ():
        if path.name.startswith("."):
            continue
        name = path.relative_to(root).as_posix()
        value, wrong = read_sheet(path, name, model)
        found.extend(wrong)
        if value is not None:
            yield name, path, value


def refuse(found: Sequence[Problem], where: str) -> None:
    """Stop where there are problems.

    Raises:
        ParamsError: There are; it lists them all.
    """
    if found:
        listing = "\n".join(str(p) for p in found)
        raise ParamsError(f"{len(found)} problem{'s' * (len(found) != 1)} in {where}\n{listing}")
