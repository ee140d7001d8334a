"""Everything that can be known to be wrong before a build."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gazette.editions import Store
from gazette.errors import NotebookError
from gazette.params import Model, Problem, changes, problems
from gazette.runs import check_parameters

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["check"]

GIVEN = ("subject", "edition", "root")


def check(root: Path) -> list[Problem]:
    """Problems of the parameters, of the notebooks that they name, and definitions changed without saying so; sorted by file and line."""
    params, found = problems(root / "params")
    if params is None:
        return found
    for subject in (*params.models.values(), *params.experiments.values()):
        kind = "model" if isinstance(subject, Model) else "experiment"
        template = root / "notebooks" / (subject.notebook or f"{kind}.ipynb")
        try:
            check_parameters(template, dict.fromkeys([*GIVEN, *subject.parameters]))
        except NotebookError as error:
            key = "notebook" if error.what.startswith("the template") else "parameters"
            found.append(Problem(f"{kind}s/{subject.id}.yml", 1, key, f"{error.what} ({template.name})", error.mend))
    store = Store(root / params.site.editions)
    if sealed := store.weeks():
        found += changes(root / "params", store.path(sealed[-1]) / "params", str(sealed[-1]))
    return sorted(found)
