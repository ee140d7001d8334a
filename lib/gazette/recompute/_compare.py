"""Published numbers against their second computation."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gazette.params import Model
from gazette.recompute import _business, _experiment, _model
from gazette.recompute._arithmetic import Second
from gazette.recompute._ask import UNREAD, query_of
from gazette.recompute._outcome import Checked, Failed, Recomputed
from gazette.recompute._repeated import unlike_repeated
from gazette.recompute._segments import unlike

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import date

    from gazette.params import Experiment, Metric
    from gazette.record import Number, Record
    from gazette.snapshot import Snapshot

__all__ = ["Disagreement", "Inputs", "recompute", "rows_of"]

SAME = 1e-6  # of a value, or of half of its range: what adding in another order may change, and no more
ENDS = 1e-3  # of half of the range: critical values are found by two ways of integration
DIGITS = 12
PLAIN = {
    "unit": "number",
    "interval": None,
    "n": None,
    "cell": "segments",
    "note": "",
}  # of what is no number of a record
KINDS = frozenset({"model", "experiment", "summary"})


@dataclass(frozen=True)
class Inputs:
    """What the second computation starts from, besides its own answers.

    Attributes:
        subjects: Of the edition.
        metrics: Definitions.
        versions: Model to its versions, ``live`` and ``baseline``.
        past: Experiment to the looks of earlier editions, as its ledger has them.
        last: Last day of the edition's week.
        segments: Experiment to the rows of its frozen answer ``segments``, which are no numbers of a record.
        repeated: The same of ``repeated``.
    """

    subjects: Sequence[Model | Experiment]
    metrics: Mapping[str, Metric]
    versions: Mapping[str, Mapping[str, str]]
    past: Mapping[str, list[dict[str, Any]]]
    last: date
    segments: Mapping[str, Sequence[Mapping[Any, Any]]] = field(default_factory=dict)
    repeated: Mapping[str, Sequence[Mapping[Any, Any]]] = field(default_factory=dict)


@dataclass(frozen=True)
class Disagreement:
    """A number that came out otherwise the second time; ``second`` is None where nothing came out."""

    page: str
    number: Number
    second: Second | None

    def __str__(self) -> str:
        """Both sides in full."""
        published, found = [repr(self.number.value)], ["no value"]
        if self.second is not None:
            found = [f"{self.second.value:.12g}"]
            if self.number.interval is not None and self.second.low is not None and self.second.high is not None:
                published.append(f"({self.number.interval.low!r} to {self.number.interval.high!r})")
                found.append(f"({self.second.low:.12g} to {self.second.high:.12g})")
        return f"{self.number.id}: published {' '.join(published)}, the second time {' '.join(found)}"


def recompute(
    snapshot: Snapshot, inputs: Inputs, records: Sequence[Record]
) -> tuple[Recomputed, tuple[Disagreement, ...]]:
    """Compare every number of the records that can be computed twice.

    A number that is withheld agrees with everything: why it may not be shown is a rule's matter, not the second computation's.

    Args:
        snapshot: Answers of `ask`, frozen.
        inputs: What else is needed.
        records: Of the edition's pages.

    Raises:
        SnapshotError: Frozen answers changed.
    """
    tables = {q.name: [*rows_of(snapshot, q.name)] for q in snapshot.queries}
    published = _published(records)
    levels = {i: n.interval.level for i, (_, n) in published.items() if n.interval is not None}
    found = _seconds(inputs, tables, _spoken_of(records), levels)
    checked, wrong = [], []
    for page, number in published.values():
        if number.id in found:
            second = found[number.id]
            if second is None or not _agree(number, second):
                wrong.append(Disagreement(page, number, second))
            else:
                checked.append(_checked(page, number, second))
    wrong += _unlike_answers(inputs, tables, records)
    checked.sort(key=lambda c: (c.page, c.id))
    failed = tuple(Failed(**{k: str(v) for k, v in row.items()}) for row in tables[UNREAD])
    return Recomputed(numbers=len(published), checked=tuple(checked), failed=failed), tuple(wrong)


def _unlike_answers(
    inputs: Inputs, tables: Mapping[str, list[dict[str, Any]]], records: Sequence[Record]
) -> Iterator[Disagreement]:
    """Segments and rows loaded twice that came out otherwise, as if they were numbers."""
    of = {r.subject: r for r in records if r.numbers}
    for test in inputs.subjects:
        if isinstance(test, Model) or test.id not in of:
            continue
        start = query_of(test.id, "")
        own = {name.removeprefix(start): rows for name, rows in tables.items() if name.startswith(start)}
        found: dict[str, Iterable[tuple[str, str, float, float | None]]] = {}
        if test.id in inputs.segments:
            found["segments"] = unlike(test, inputs.metrics[test.primary], inputs.segments[test.id], own)
        if test.id in inputs.repeated:
            found["repeated"] = unlike_repeated(test, inputs.metrics, inputs.repeated[test.id], own)
        for query, rows in found.items():
            for name, label, first, second in rows:
                changes = {
                    "id": f"{test.id}.{name}",
                    "label": label,
                    "value": first,
                    "query": query,
                    "metric": test.primary,
                }
                number = of[test.id].numbers[0].model_copy(update={**PLAIN, **changes})
                yield Disagreement(test.id, number, None if second is None else Second(second))


def _published(records: Sequence[Record]) -> dict[str, tuple[str, Number]]:
    """Numbers with a value by id, each once, with the page that it is of: the summary repeats many."""
    found: dict[str, tuple[str, Number]] = {}
    for record in sorted((r for r in records if r.kind in KINDS), key=lambda r: r.kind == "summary"):
        for number in record.numbers:
            if number.published:
                found.setdefault(number.id, (record.subject, number))
    return found


def rows_of(snapshot: Snapshot, query: str) -> Iterator[dict[str, Any]]:
    """Rows of a frozen table with None where there is nothing."""
    frame = snapshot.table(query).astype(object)
    for row in frame.where(frame.notna(), None).to_dict("records"):
        yield {str(k): v for k, v in row.items()}


def _spoken_of(records: Sequence[Record]) -> dict[str, str]:
    """Test to how the names of its first treatment's numbers begin: which of several that is, its page says by its first verdict."""
    firsts = {r.subject: next((v for v in r.verdicts if v.primary), None) for r in records if r.kind == "experiment"}
    return {s: v.reason.id.removeprefix(f"{s}.").removesuffix("verdict") for s, v in firsts.items() if v is not None}


def _seconds(
    inputs: Inputs,
    tables: Mapping[str, list[dict[str, Any]]],
    spoken_of: Mapping[str, str],
    levels: Mapping[str, float],
) -> dict[str, Second | None]:
    """Numbers by id: those of every subject, and what the summary says of their money."""
    found: dict[str, Second | None] = {}
    for subject in inputs.subjects:
        start = query_of(subject.id, "")
        own = {name.removeprefix(start): rows for name, rows in tables.items() if name.startswith(start)}
        if isinstance(subject, Model):
            said = {i.removeprefix(f"{subject.id}."): level for i, level in levels.items()}
            versions = inputs.versions.get(subject.id, {})
            mine = _business.seconds(own) | _model.seconds(subject, own, versions, said)
            benefit = mine.get("revenue-effect")
        else:
            past = inputs.past.get(subject.id, [])
            mine = _experiment.seconds(subject, inputs.metrics, own, past, last=inputs.last)
            benefit = mine.get(f"{spoken_of.get(subject.id, '')}impact")
            if benefit is not None:
                mine["impact"] = benefit
        found |= {f"{subject.id}.{name}": second for name, second in mine.items()}
        money = _business.money(benefit, subject.cost, model=isinstance(subject, Model))
        found |= {f"executive.{subject.id}.{name}": second for name, second in money.items()}
    return found


def _agree(number: Number, second: Second) -> bool:
    """Whether value and, where both have one, range are the same."""
    value, span = number.value, number.interval
    assert isinstance(value, float)  # noqa: S101  the caller has looked
    half = (span.high - span.low) / 2 if span is not None else 0.0
    if not math.isfinite(second.value) or abs(value - second.value) > SAME * max(abs(value), half):
        return False
    if span is None or second.low is None or second.high is None:
        return True
    allowed = ENDS * half + SAME * abs(value)
    return abs(span.low - second.low) <= allowed and abs(span.high - second.high) <= allowed


def _checked(page: str, number: Number, second: Second) -> Checked:
    ends = (second.low, second.high) if number.interval is not None else (None, None)
    value, low, high = (None if v is None else float(f"{v:.{DIGITS}g}") for v in (second.value, *ends))
    assert value is not None  # noqa: S101  it has been compared
    return Checked(page=page, id=number.id, value=value, low=low, high=high)
