"""What a fork's notebook imports: find the folder, and the data that its first cell asks for."""

from __future__ import annotations

import json
import os
import shutil
import sys
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from gazette.build import Project, answers_of, period_of, register_of
from gazette.editions import Week, write_error
from gazette.errors import EditionError, ParamsError, WrongUseError
from gazette.forks._fork import CARD, SCHEMA
from gazette.forks._notebook import DEFAULTS
from gazette.params import Experiment, Model, SiteParams, load, read_sheet
from gazette.record import canonical_json
from gazette.snapshot import freeze
from gazette.sources import Warehouse, narrow_to_segment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gazette.params import Params
    from gazette.sources import Answer

__all__ = ["Fork", "open_fork", "read_card"]

EVERYBODY = "Telemetry, deployments and business figures are of everybody: they have no such property."
CHOSEN = "A part chosen after the fact: read what it says as a question for a test of its own. Earlier looks at everybody are left out."


def read_card(folder: Path) -> dict[str, str]:
    """What a fork says of itself.

    Raises:
        WrongUseError: The folder is no fork, or its card is malformed.
    """
    path = folder / CARD
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
        wanted = ("subject", "kind", "title", "edition", "edition_digest", "project", "folder")
        if card["schema"] != SCHEMA or not all(isinstance(card[k], str) for k in wanted):
            raise KeyError("schema")
    except (OSError, ValueError, KeyError, TypeError) as error:
        what = "there is no fork here" if isinstance(error, FileNotFoundError) else f"{CARD} cannot be read: {error}"
        raise WrongUseError(what, where=str(folder), mend="name a folder that 'gazette fork' made") from error
    return {str(k): str(v) for k, v in card.items()}


def open_fork(*folders: str) -> Fork:
    """Open the fork that a notebook belongs to.

    Args:
        folders: Where it may lie; Jupyter's own hints of where the notebook is are tried too.

    Raises:
        WrongUseError: None of them is a fork.
    """
    hints = [os.environ.get("JPY_SESSION_NAME", ""), _vscode()]  # the notebook's path, from Jupyter's server or VS Code
    places = [*folders, *(str(Path(h).parent) for h in hints if h)]
    for place in places:
        if (Path(place) / CARD).is_file():
            folder = Path(place).resolve()
            return Fork(folder, read_card(folder))
    raise WrongUseError(
        "the folder of this fork was not found",
        where=", ".join(places),
        mend="start Jupyter in the notebook's folder, or write the folder into open_fork(...)",
    )


def _vscode() -> str:
    """The notebook's path as VS Code tells its kernels, or empty."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return str(shell.user_ns.get("__vsc_ipynb_file__", "")) if shell is not None else ""


@dataclass
class Fork:
    """An open fork; in a notebook it says on which data the cells below it run."""

    folder: Path
    card: Mapping[str, str]
    told: str = ""

    def __repr__(self) -> str:
        return self.told or f"Fork of {self.card['subject']}, edition {self.card['edition']}"

    def data(self, **asked: str) -> tuple[str, str]:
        """The data that the cells run on.

        Args:
            **asked: As the notebook's first cell has them: source, week, start, until, segment, arrived_by.

        Returns:
            Week and folder, for the workbench.

        Raises:
            WrongUseError: A value cannot be read, or the published snapshot cannot answer it.
            SourceError: The warehouse cannot be read.
        """
        if unknown := sorted(set(asked) - set(DEFAULTS)):
            raise WrongUseError(f"unknown: {', '.join(unknown)}", mend=f"it takes: {', '.join(DEFAULTS)}")
        wanted = {**DEFAULTS, **{k: str(v).strip() for k, v in asked.items()}}
        edition = self.card["edition"]
        wanted["week"] = wanted["week"] or edition
        if wanted["source"] == "snapshot":
            more = [k for k, v in wanted.items() if k != "source" and v and not (k == "week" and v == edition)]
            if more:
                raise WrongUseError(
                    f"the published snapshot holds week {edition} as it was published; it cannot answer {', '.join(more)}",
                    where="the first cell",
                    mend='set source = "warehouse", or leave these as they were',
                )
            self.told = (
                f"Week {edition}, from the snapshot that was published (manifest {self.card['edition_digest'][:12]}…)."
            )
            return edition, str(self.folder / "edition")
        if wanted["source"] != "warehouse":
            mend = 'write "snapshot" or "warehouse"'
            raise WrongUseError(f"source {wanted['source']!r} is neither", where="the first cell", mend=mend)
        return self._live(wanted)

    def _live(self, wanted: Mapping[str, str]) -> tuple[str, str]:
        week = Week.parse(wanted["week"])
        staging, live = self.folder / "live.part", self.folder / "live"
        shutil.rmtree(staging, ignore_errors=True)
        try:
            shutil.copytree(self.folder / "edition" / "params", staging / "params")
            _set_dates(staging / "params" / "experiments" / f"{self.card['subject']}.yml", wanted)
            project = self._project(load(staging / "params"))
            subject = self._subject(project.params)
            period = period_of(project, week)
            if wanted["arrived_by"]:
                period = replace(period, cutoff=_moment(wanted["arrived_by"]))
            with Warehouse(project.params.site.warehouse, project=project.root) as warehouse:
                if wanted["segment"]:
                    narrow_to_segment(warehouse, subject, wanted["segment"])
                found = answers_of(project, week, warehouse, subject, period, register_of(project))
            if wanted["segment"]:
                found = [_without_rows(a) if a.name == "looks" else a for a in found]
            snapshot = freeze(subject.id, found, staging / "snapshot" / subject.id)
            clock = {"edition": str(week), "week_start": week.start.isoformat(), "cutoff": period.cutoff.isoformat()}
            (staging / "edition.json").write_text(canonical_json(clock), encoding="utf-8")
            shutil.rmtree(live, ignore_errors=True)
            staging.rename(live)
        except OSError as error:
            if isinstance(error, EditionError) or not error.errno:
                raise
            raise write_error(error, live, "run the cell again") from error
        finally:
            shutil.rmtree(staging, ignore_errors=True)
        parts = [
            f"Week {week}, asked of the live warehouse, rows that had arrived by {period.cutoff:%Y-%m-%d %H:%M} UTC"
        ]
        parts += [f"{k} {wanted[k]}" for k in ("start", "until", "segment") if wanted[k]]
        notes = f" {CHOSEN}" if wanted["segment"] else ""
        notes += f" {EVERYBODY}" if wanted["segment"] and isinstance(subject, Model) else ""
        self.told = f"{', '.join(parts)} (snapshot {snapshot.digest[:12]}…, in live/).{notes}"
        return str(week), str(live)

    def _project(self, params: Params) -> Project:
        """The project with the fork's own definitions; where the warehouse is, is for the project to say."""
        root = (self.folder / self.card["project"]).resolve()
        path = root / "params" / "site.yml"
        if not path.is_file():
            mend = f"put the right path into 'project' in {CARD}, or fork again in the project"
            raise WrongUseError("the project is not where the fork was made from", where=str(root), mend=mend)
        site, wrong = read_sheet(path, "params/site.yml", SiteParams)
        if wrong:
            raise ParamsError("\n".join(map(str, wrong)), mend="mend it in the project")
        return Project(root, replace(params, site=site))

    def _subject(self, params: Params) -> Model | Experiment:
        name = self.card["subject"]
        subject = params.models.get(name) or params.experiments.get(name)
        if subject is None:
            mend = "fork a model or an experiment for that"
            raise WrongUseError(f"{name!r} reads records, not the warehouse", where="the first cell", mend=mend)
        return subject


def _set_dates(path: Path, wanted: Mapping[str, str]) -> None:
    given = {key: wanted[name] for name, key in (("start", "start"), ("until", "end")) if wanted[name]}
    if not given:
        return
    content: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    for key, text in given.items():
        try:
            content[key] = date.fromisoformat(text)
        except ValueError as error:
            mend = "write it like 2026-11-02"
            raise WrongUseError(f"{text!r} is not a date", where="the first cell", mend=mend) from error
    path.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True), encoding="utf-8")


def _moment(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        mend = 'write it like "2026-12-01 09:00", in UTC'
        raise WrongUseError(f"{text!r} is not a moment", where="the first cell", mend=mend) from error
    return found.astimezone(UTC).replace(tzinfo=None) if found.tzinfo else found


def _without_rows(answer: Answer) -> Answer:
    return replace(answer, table=answer.table.slice(0, 0), sql="Looks taken before: none at this part alone.\n")
