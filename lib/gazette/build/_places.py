"""Folders and notebooks that a project names: they stay inside it, and nothing is written over what people wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gazette.params import Model, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gazette.params import Params

__all__ = ["line_of", "misplaced"]

SOURCES = ("params", "notebooks", "reports", ".git")


def line_of(path: Path, key: str) -> int:
    """The line of a parameter file that begins with a key, the file's own before one further in; the first where there is none."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    found = [(len(t) - len(t.lstrip()), i) for i, t in enumerate(lines, 1) if t.strip().startswith(f"{key}:")]
    return min(found, default=(0, 1))[1]


def misplaced(root: Path, params: Params) -> list[Problem]:
    """Places outside of the project or on top of its sources, where links lead is where they are; sorted by file and line.

    Args:
        root: The project.
        params: Its parameters.
    """
    return sorted([*_folders(root.resolve(), params), *_templates(root.resolve(), params)])


def _folders(root: Path, params: Params) -> Iterator[Problem]:
    site = params.site
    written = {"editions": site.editions, "output": site.output, "state": site.state}
    places = {key: (root / name).resolve() for key, name in written.items()}
    for key, place in places.items():
        others = [(f"{n}/", (root / n).resolve()) for n in SOURCES]
        others += [(f"'{k}:'", other) for k, other in places.items() if k != key]
        over = next((n for n, o in others if place.is_relative_to(o) or o.is_relative_to(place)), "")
        outside = not place.is_relative_to(root) and key != "editions"  # these may lie on another disk
        if outside or over:
            what = f"the folder lies {'outside of the project' if outside else f'in the way of {over}'}"
            mend = "name a folder of its own in the project; copy or link to the site from where it is served"
            yield Problem("site.yml", line_of(root / "params" / "site.yml", key), key, what, mend)


def _templates(root: Path, params: Params) -> Iterator[Problem]:
    folder = (root / "notebooks").resolve()
    for subject in (*params.models.values(), *params.experiments.values()):
        if subject.notebook and not (folder / subject.notebook).resolve().is_relative_to(folder):
            name = f"{'models' if isinstance(subject, Model) else 'experiments'}/{subject.id}.yml"
            line = line_of(root / "params" / name, "notebook")
            yield Problem(name, line, "notebook", "it lies outside of notebooks/", "name a notebook in that folder")
