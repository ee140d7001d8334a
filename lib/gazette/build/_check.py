"""Everything that can be known to be wrong before a build."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from gazette.build._places import line_of, misplaced
from gazette.build._secrets import written_secrets
from gazette.conclusions import misreadings
from gazette.editions import Store
from gazette.errors import EditionError, NotebookError
from gazette.params import Model, Problem, changes, problems, published_prose, strange_files
from gazette.register import lost_remarks, register_problems, replay_problems, targets_of
from gazette.runs import check_parameters
from gazette.sources import missing_driver

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["check", "misread_params", "remark_warnings", "window_hints"]

GIVEN = ("subject", "edition", "root")


def check(root: Path) -> list[Problem]:
    """Problems of the parameters, of the notebooks that they name, and definitions changed without saying so; sorted by file and line."""
    if found := strange_files(root):
        return found
    params, found = problems(root / "params")
    found = sorted([*found, *misread_params(root)])
    found += written_secrets(root, params)
    found += register_problems(root)[1]
    found += replay_problems(root)[1]
    if params is None:
        return sorted(found)
    if (lack := missing_driver(params.site.warehouse)) is not None:
        found.append(Problem("site.yml", line_of(root / "params" / "site.yml", "warehouse"), "warehouse", *lack))
    if outside := misplaced(root, params):
        return sorted([*found, *outside])
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
        found += changes(root / "params", store.open(sealed[-1]).within("params") / "params", str(sealed[-1]))
    return sorted(found)


def misread_params(root: Path) -> list[Problem]:
    """Wordings of the parameter files that readers of pages would take for more than the numbers say."""
    found = []
    for text in published_prose(root / "params") if (root / "params").is_dir() else ():
        untested = text.file.startswith("models/") or text.file == "annotations.yml"
        found += [
            text.problem(f"{one.text!r} can be misread ({one.rule})", one.mend)
            for one in misreadings(text.text, leadership=True, tested=not untested)
        ]
    return sorted(found)


def window_hints(root: Path) -> list[str]:
    """Tests that no edition has looked at and whose users have no window of days; one that was looked at keeps its plan."""
    params, _ = problems(root / "params")
    if params is None:
        return []
    store = Store(root / params.site.editions)
    seen = set()
    for week in store.weeks():
        with suppress(EditionError):  # one that cannot be read is what verify tells of
            seen |= {name.split("/")[1] for name in store.open(week).names("snapshot")}
    return [
        f"experiments/{name}.yml: without window_days users count for unlike times, and looks are held up by days; 7, or whole weeks, is recommended"
        for name, test in params.experiments.items()
        if test.window_days is None and name not in seen
    ]


def remark_warnings(root: Path) -> list[str]:
    """Remarks on numbers or charts that the newest edition does not have; none where parameters or edition cannot be read."""
    params, _ = problems(root / "params")
    store = Store(root / params.site.editions) if params is not None else None
    sealed = store.weeks() if store is not None else []
    if params is None or store is None or not sealed or not any(a.number or a.chart for a in params.annotations):
        return []
    try:
        targets = targets_of(store.open(sealed[-1]).within("records", "notebooks"))
    except EditionError as error:
        return [f"remarks were not held against {sealed[-1]}: {error.what}"]
    return [
        f"annotations.yml: {n.id}: {what} (edition {targets.edition})"
        for n, what in lost_remarks(params.annotations, targets)
    ]
