"""Sensitivities learnt from the past, proposed beside the stated ones; a person accepts them."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from datetime import date
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gazette import params as parameters
from gazette.editions import lock
from gazette.errors import EditionError, ParamsError, WrongUseError
from gazette.record import NotPublished
from gazette.snapshot import scratch
from gazette.stats import z_of
from gazette.translation import FEWEST
from gazette.workbench import PastChanges, slope_of

if TYPE_CHECKING:
    from gazette.build._project import Project
    from gazette.params import Translation
    from gazette.translation import Learnt

__all__ = ["Proposal", "accept", "propose"]

LEVEL = 0.8
PLACE = Path("reports", "proposals", "translations.yml")
DIGITS = 4  # of what is written for people; far below any standard error


@dataclass(frozen=True)
class Proposal:
    """What the past says of one row.

    Attributes:
        row: Id of the row.
        content: As written to the proposal file.
        learnt: The slope, or why there is none.
    """

    row: str
    content: dict[str, Any]
    learnt: Learnt | NotPublished


def propose(project: Project) -> tuple[Path, list[Proposal]]:
    """Write what the newest sealed edition's past says of each row, with the points of its chart.

    Returns:
        The file, and its rows.

    Raises:
        EditionError: There is no edition to read, or the file cannot be written.
    """
    edition, proposals = _proposals(project)
    path = project.root / PLACE
    content = {"edition": edition, "translations": [p.content for p in proposals]}
    head = "# Written by gazette learn; what is accepted goes to params/translations.yml with gazette learn --accept ROW.\n"
    _write(path, head + _dump(content))
    return path, proposals


def _proposals(project: Project) -> tuple[str, list[Proposal]]:
    weeks = project.store.weeks()
    if not weeks:
        raise EditionError("there is no edition to learn from", mend="build one: gazette build")
    past = PastChanges(project.store.open(weeks[-1]).within("snapshot"))
    return str(weeks[-1]), [_proposal(row, past) for row in project.params.translations if row.quantified]


def _proposal(row: Translation, past: PastChanges) -> Proposal:
    mean, sd = slope_of(row)
    per = row.technical_change or 1.0
    half = z_of(LEVEL) * sd
    points, left = past.past(row)
    learnt = past.learnt(row)
    content: dict[str, Any] = {
        "id": row.id,
        "technical_change": row.technical_change,
        "technical_unit": row.technical_unit,
        "business_unit": row.business_unit,
        "stated": {
            "effect": _short(mean * per),
            "low": _short((mean - half) * per),
            "high": _short((mean + half) * per),
        },
    }
    if isinstance(learnt, NotPublished):
        content["not_learnt"] = learnt.reason
    else:
        content["learnt"] = {
            "effect": _short(learnt.slope * per),
            "low": _short(learnt.low * per),
            "high": _short(learnt.high * per),
            "coverage": LEVEL,
            "standard_error_of_next": _short(learnt.next_sd * per),
            "spread_between_tests": _short(learnt.spread * per),
            "past_changes": learnt.n,
            "observed": [_short(v) for v in learnt.observed],
        }
    content["left_out"] = left
    content["chart"] = [
        {
            "name": p.id,
            "technical": _short(p.technical),
            "technical_error": _short(p.technical_error),
            "business": _short(p.business),
            "business_error": _short(p.business_error),
        }
        for p in points
    ]
    return Proposal(row.id, content, learnt)


def accept(project: Project, row: str, *, by: str, because: str, today: date) -> Path:
    """Write a learnt sensitivity in place of the stated one, with a dated changelog entry; comments stay.

    The written standard error is that of the next change's slope (uncertainty of the average and spread between tests).

    Args:
        project: An open project.
        row: Id of the row.
        by: Who accepts it.
        because: Why.
        today: Date of the changelog entry.

    Raises:
        WrongUseError: No such row, nobody's name or no reason.
        EditionError: Nothing was learnt of it.
        ParamsError: The file would be wrong afterwards; it is left as it was.
    """
    if not by.strip() or not because.strip():
        raise WrongUseError("say who accepts it and why", mend='--by NAME --because "…"')
    with lock(project.store.root):
        edition, proposals = _proposals(project)
        found = {p.row: p for p in proposals}
        if row not in found:
            raise WrongUseError(f"no row {row!r} with a sensitivity", mend=f"there are: {', '.join(found) or 'none'}")
        learnt = found[row].learnt
        if isinstance(learnt, NotPublished):
            raise EditionError(
                f"nothing was learnt of {row!r}: {learnt.reason}",
                mend=f"a row needs {FEWEST} past changes that measured both sides",
            )
        path = project.root / "params" / "translations.yml"
        text = _accepted(
            path,
            row,
            learnt,
            f"Learnt from {learnt.n} past tests and versions, edition {edition}.",
            (by, because, today),
        )
        _refuse_wrong(project, text)
        _write(path, text)
    return path


def _accepted(path: Path, row: str, learnt: Learnt, source: str, entry: tuple[str, str, date]) -> str:
    from ruamel.yaml import YAML  # noqa: PLC0415  slow to import, needed only here

    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 10_000
    yaml.indent(mapping=2, sequence=4, offset=2)
    content = yaml.load(path.read_text(encoding="utf-8"))
    mine = next(r for r in content["translations"] if r["id"] == row)
    by, because, today = entry
    per = float(mine["technical_change"])
    place = list(mine).index("technical_unit") + 1
    old = next((k for k in ("low", "estimate") if k in mine), "")
    said = (
        f"{mine['low']} to {mine['high']} (holding {mine['coverage']})"
        if old == "low"
        else f"{mine['estimate']} (standard error {mine['standard_error']})"
    )
    for key in ("low", "high", "coverage", "estimate", "standard_error"):
        mine.pop(key, None)
    mine.insert(place, "estimate", _short(learnt.slope * per))
    mine.insert(place + 1, "standard_error", _short(learnt.next_sd * per))
    mine["observed"] = [_short(v) for v in learnt.observed]
    mine["source"] = source
    log = mine["changelog"]
    change = f"Accepted what past changes show, in place of {said}. {because.strip()}"
    log.append({"version": int(log[-1]["version"]) + 1, "date": today, "author": by.strip(), "change": change})
    out = StringIO()
    yaml.dump(content, out)
    return out.getvalue()


def _refuse_wrong(project: Project, text: str) -> None:
    """Read the parameters as they would be."""
    with scratch() as folder:
        copy = folder / "params"
        shutil.copytree(project.root / "params", copy)
        (copy / "translations.yml").write_text(text, encoding="utf-8")
        _, problems = parameters.problems(copy)
    if problems:
        listing = "\n".join(map(str, problems))
        raise ParamsError(f"the accepted row would be wrong, so nothing was written\n{listing}")


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        half = path.with_name(f".{path.name}.{os.getpid()}")
        half.write_text(text, encoding="utf-8")
        half.replace(path)
    except OSError as error:
        raise EditionError(
            f"the file cannot be written: {error.strerror}", where=str(path), mend="mend its rights or free disk space"
        ) from error


def _dump(content: dict[str, Any]) -> str:
    import yaml  # noqa: PLC0415

    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=100)


def _short(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")
