"""Append an annotation to ``params/annotations.yml``, keeping what people wrote around it."""

from __future__ import annotations

import fcntl
import io
import re
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from gazette.errors import EditionError, ParamsError, WrongUseError
from gazette.params import Annotation, AnnotationsFile, read_sheet
from gazette.register._files import one_line
from gazette.register._targets import refuse_lost, targets_of
from gazette.snapshot import part_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["annotate"]

HEAD = "# yaml-language-server: $schema=schemas/annotations.json\nannotations:\n"


@contextmanager
def _alone(state: Path) -> Iterator[None]:
    """One writer at a time; the system frees the lock when the process ends, however it ends."""
    state.mkdir(parents=True, exist_ok=True)
    with (state / "annotations.lock").open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def annotate(
    root: Path,
    state: Path,
    subject: str,
    *,
    text: str,
    by: str,
    on: date,
    subjects: Sequence[str],
    day: date | None = None,
    number: str | None = None,
    chart: str | None = None,
    newest: Path | None = None,
) -> tuple[Annotation, Path]:
    """Write an annotation on a subject, or on one of its dates, numbers or charts.

    Args:
        root: The project.
        state: Its folder of caches, for the lock.
        subject: Model or experiment.
        text: The remark.
        by: Its author.
        on: Today.
        subjects: Ids that there are.
        day: The date that it is about; at most one of these three is given.
        number: The id of the number that it is about.
        chart: The name of the chart that it is about.
        newest: Folder of the newest edition, whose numbers and charts are those that there are; None where there is none yet.

    Raises:
        WrongUseError: Unknown subject, a number or chart that the newest edition has not, or more than one target.
        ParamsError: The annotations file is malformed; it stays as it is.
    """
    if subject not in subjects:
        raise WrongUseError(f"there is no subject {subject!r}", mend=f"there are: {', '.join(sorted(subjects))}")
    row: dict[str, Any] = {"subject": subject, "day": day, "number": number, "chart": chart}
    row |= {"author": one_line(by, "--by"), "written": on, "text": one_line(text, "--text")}
    row = {k: v for k, v in row.items() if v is not None}
    if faults := [what for _, what in Annotation.faults(row)]:
        raise WrongUseError(faults[0], mend="name one of --day, --number and --chart")
    if newest is not None and (number is not None or chart is not None):
        refuse_lost(targets_of(newest), subject, number=number, chart=chart)
    path = root / "params" / "annotations.yml"
    try:
        with _alone(state):
            taken = {a.id for a in _read(path).annotations} if path.is_file() else set()
            row = {"id": _free(subject, row["text"], taken), **row}
            made = Annotation.model_validate(row)
            _replace(path, row)
    except OSError as error:
        if isinstance(error, EditionError):
            raise
        raise EditionError(
            f"cannot write: {error.strerror}", where=str(path), mend="mend the disk; nothing changed"
        ) from error
    return made, path


def _read(path: Path) -> AnnotationsFile:
    value, found = read_sheet(path, "params/annotations.yml", AnnotationsFile)
    if value is None:
        raise ParamsError("\n".join(map(str, found)), mend="nothing was written; mend the file first")
    kept: AnnotationsFile = value
    return kept


def _free(subject: str, text: str, taken: set[str]) -> str:
    words = re.findall(r"[a-z0-9]+", text.lower())[:4] or ["note"]
    base = f"{subject}-{'-'.join(words)}"[:70].strip("-")
    return next(n for n in (base, *(f"{base}-{i}" for i in range(2, len(taken) + 3))) if n not in taken)


def _replace(path: Path, row: dict[str, Any]) -> None:
    """Append the row to the text as it is: comments, order and quotes stay; then check that only the row is new."""
    from ruamel.yaml import YAML  # noqa: PLC0415  needed only here
    from ruamel.yaml.comments import CommentedSeq  # noqa: PLC0415

    tool = YAML()
    tool.preserve_quotes = True
    tool.width = 4096
    tool.indent(mapping=2, sequence=4, offset=2)
    old = path.read_text(encoding="utf-8") if path.is_file() else ""
    content = tool.load(old or HEAD)
    if not content.get("annotations"):
        content["annotations"] = CommentedSeq()
    content["annotations"].append(row)
    stream = io.StringIO()
    tool.dump(content, stream)
    text = stream.getvalue()
    before = (yaml.safe_load(old) or {}).get("annotations") or [] if old else []
    if yaml.safe_load(text) != {"annotations": [*before, row]}:
        raise ParamsError(
            "the annotation cannot be added without changing others", where=str(path), mend="add it by hand"
        )
    with part_of(path, text.encode()) as part:
        _read(part)
        part.chmod(0o644)
        part.replace(path)
