"""What an annotation may be about: the numbers and charts that an edition shows."""

from __future__ import annotations

import difflib
import json
import re
from dataclasses import dataclass
from html import unescape
from typing import TYPE_CHECKING

from gazette.errors import EditionError, WrongUseError
from gazette.record import Record, joined

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from gazette.params import Annotation

__all__ = ["Targets", "chart_subject", "lost_remarks", "refuse_lost", "targets_of"]

FIGURE = re.compile(r'<figure class="gz-chart" data-name="([^"]*)"')
SHOWN = 5


@dataclass(frozen=True)
class Targets:
    """Numbers and charts of an edition.

    Attributes:
        edition: Its week.
        numbers: Ids.
        charts: Subject to the names of its charts, on its own page and on those above.
    """

    edition: str
    numbers: frozenset[str]
    charts: Mapping[str, frozenset[str]]


def chart_subject(name: str, page: str, subjects: Iterable[str]) -> str | None:
    """Whose chart one is: the page's own subject's, or, on a page above, that of the subject whose id its name ends with.

    >>> chart_subject("latency-big-model", "operations", ["model", "big-model"]), chart_subject("looks", "button", ["button"])
    ('big-model', 'button')
    """
    known = set(subjects)
    if page in known:
        return page
    return max((s for s in known if name.endswith(f"-{s}")), key=len, default=None)


def targets_of(edition: Path) -> Targets:
    """Read the numbers and charts of an edition.

    Raises:
        EditionError: A record or notebook of it cannot be read.
    """
    numbers: set[str] = set()
    charts: dict[str, set[str]] = {}
    try:
        for path in sorted((edition / "records").glob("*.json")):
            record = Record.from_json(path.read_bytes())
            numbers |= {n.id for n in record.numbers}
            if record.kind in {"model", "experiment"}:
                charts[path.stem] = set()
        for path in sorted((edition / "notebooks").glob("*.ipynb")):
            for name in _figures(path):
                subject = chart_subject(name, path.stem, charts)
                if subject is not None:
                    charts[subject].add(name)
    except (OSError, ValueError, KeyError) as error:
        raise EditionError(
            f"what the edition shows cannot be read: {str(error).splitlines()[0]}",
            where=str(edition),
            mend="restore the edition from a copy; 'gazette verify' says which file it is",
        ) from error
    return Targets(edition.name, frozenset(numbers), {s: frozenset(c) for s, c in charts.items()})


def _figures(path: Path) -> Iterable[str]:
    for cell in json.loads(path.read_bytes())["cells"]:
        for output in cell.get("outputs", ()):
            yield from map(unescape, FIGURE.findall(joined(output.get("data", {}).get("text/html", ""))))


def lost_remarks(annotations: Iterable[Annotation], targets: Targets) -> list[tuple[Annotation, str]]:
    """Remarks on a number or chart that the edition does not show, each with what is wrong.

    Subjects without a page, or whose analysis failed, lose nothing: their numbers may come back.
    """
    found = []
    for note in annotations:
        if note.subject not in targets.charts:
            continue
        if note.number is not None and note.number not in targets.numbers:
            found.append((note, f"there is no such number any more: {note.number}"))
        elif note.chart is not None and note.chart not in targets.charts[note.subject]:
            found.append((note, f"there is no such chart any more: {note.chart}"))
    return found


def refuse_lost(targets: Targets, subject: str, *, number: str | None, chart: str | None) -> None:
    """Refuse a target that the edition does not have.

    Raises:
        WrongUseError: With the nearest that there are.
    """
    for word, name, known in (
        ("number", number, {n for n in targets.numbers if n.startswith(f"{subject}.")}),
        ("chart", chart, set(targets.charts.get(subject, ()))),
    ):
        if name is None or name in known:
            continue
        near = difflib.get_close_matches(name, sorted(known), n=SHOWN, cutoff=0.5)
        listing = ", ".join(near or sorted(known)[:SHOWN])
        hint = f"{'did you mean' if near else 'there are'}: {listing}" if listing else "it has none"
        raise WrongUseError(f"edition {targets.edition} has no {word} {name!r} of {subject}", mend=hint)
