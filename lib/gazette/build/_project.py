"""A project's folder and its settings."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from gazette.build._places import misplaced
from gazette.editions import Store, Week
from gazette.errors import ParamsError, WrongUseError
from gazette.params import Experiment, Model, Params, load, strange_files
from gazette.register import load_register, open_watches

__all__ = ["Project", "open_project"]


@dataclass(frozen=True)
class Project:
    """A folder with ``params/``, ``notebooks/``, ``reports/`` and ``_quarto.yml``."""

    root: Path
    params: Params

    @property
    def store(self) -> Store:
        """Its sealed editions."""
        return Store(self.root / self.params.site.editions, site=self.output)

    @property
    def output(self) -> Path:
        """Where the site is published."""
        return self.root / self.params.site.output

    @property
    def state(self) -> Path:
        """Cache and logs; nothing in it is needed to read or audit an edition."""
        return self.root / self.params.site.state

    def subjects(self, week: Week) -> list[Model | Experiment]:
        """Models, and experiments that run in the week, ended not long before it, or are still watched after a decision.

        Raises:
            ParamsError: A file of the register of decisions is malformed.
        """
        site = self.params.site
        watched = {decision.experiment for decision, _ in open_watches(load_register(self.root), str(week))}
        running = [
            test
            for test in self.params.experiments.values()
            if test.start <= week.end and (test.end >= week.next(-site.ended_weeks).start or test.id in watched)
        ]
        return [*self.params.models.values(), *running]

    def parameter_files(self) -> list[Path]:
        """Every YAML file below ``params/``, sorted."""
        return sorted(p for p in (self.root / "params").rglob("*.y*ml") if p.is_file())

    def parameter_digest(self) -> str:
        """SHA-256 over names and contents of all parameter files."""
        total = hashlib.sha256()
        for path in self.parameter_files():
            total.update(f"{path.relative_to(self.root).as_posix()}\0".encode())
            total.update(hashlib.sha256(path.read_bytes()).digest())
        return total.hexdigest()


def open_project(root: Path, *, bare: bool = False) -> Project:
    """Open a project.

    Args:
        root: Its folder.
        bare: Whether there may be no model and no experiment yet.

    Raises:
        WrongUseError: The folder is not a project.
        ParamsError: Its parameters are wrong, or name a place outside of it; every problem is listed.
    """
    root = root.resolve()
    if not (root / "params").is_dir():
        raise WrongUseError(
            "there is no params/ folder",
            where=str(root),
            mend="run this in a project's folder, or name it with --project",
        )
    if found := strange_files(root):
        raise ParamsError("\n".join(["what lies among the project's files cannot be read", *map(str, found)]))
    params = load(root / "params", bare=bare)
    if outside := misplaced(root, params):
        raise ParamsError("places in the parameters cannot be used\n" + "\n".join(map(str, outside)))
    return Project(root, params)
