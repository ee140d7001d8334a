"""Whether a decision still is what was taken: bound to its edition, and signed as it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gazette.editions import Week
from gazette.errors import EditionError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gazette.editions import Store
    from gazette.params import Decision, SignOff
    from gazette.record import Number, Record
    from gazette.register._files import Entry

__all__ = ["faults_of", "prefix_at", "signed_as_it_stands"]


def signed_as_it_stands(entry: Entry) -> tuple[SignOff, ...]:
    """Sign-offs that are bound to the decision's file as it is now and to its edition, by another than who decided."""
    mine = entry.decision
    return tuple(
        s
        for s in entry.sign_offs
        if s.decision_digest == entry.digest
        and s.edition_digest == mine.edition_digest
        and " ".join(s.by.split()).casefold() != " ".join(mine.by.split()).casefold()
    )


def faults_of(entry: Entry, store: Store) -> tuple[str, ...]:
    """What does not fit, in words: the edition's digest, what the edition said, signatures of another text; empty where all fits."""
    return (*_edition(entry.decision, store), *_signatures(entry))


def _edition(decision: Decision, store: Store) -> Iterator[str]:
    week = Week.parse(decision.edition)
    if not store.is_sealed(week):
        yield f"edition {week} is not there any more"
        return
    try:
        manifest = store.manifest(week)
    except EditionError as error:
        yield f"edition {week} cannot be trusted: {error.what}"
        return
    if manifest.digest != decision.edition_digest:
        yield f"edition {week} is not the one that was decided on: its digest is another"
        return
    try:
        record = record_at(store, week, decision.experiment)
    except EditionError as error:
        yield f"edition {week} cannot be trusted: {error.what}"
        return
    if record is None:
        yield f"edition {week} has no verdict on this test"
        return
    yield from _said(decision, record)


def _said(decision: Decision, record: Record) -> Iterator[str]:
    """What the file says of the edition, against the edition."""
    verdict = next((v for v in record.verdicts if v.primary), None)
    then = decision.recommendation
    if verdict is None or (then.action, then.rule) != (verdict.action, verdict.action_rule):
        yield "the recommendation in the file is not the edition's"
    prefix = prefix_of(record)
    numbers = {n.id: n for n in record.numbers}
    for effect in decision.expected:
        for key, given in (("difference", effect.difference), ("relative", effect.relative)):
            number = numbers.get(f"{prefix}.{effect.metric}.{key}")
            if given is not None and not _same(number, given.value, given.low, given.high):
                yield f"the expected effect on {effect.title} in the file is not the edition's"
                break


def _same(number: Number | None, *ends: float) -> bool:
    return (
        number is not None
        and number.interval is not None
        and (number.value, number.interval.low, number.interval.high) == ends
    )


def _signatures(entry: Entry) -> Iterator[str]:
    kept = signed_as_it_stands(entry)
    for one in entry.sign_offs:
        if one in kept:
            continue
        if one.decision_digest != entry.digest:
            yield f"{one.by} signed another text: the file was changed after that"
        elif one.edition_digest != entry.decision.edition_digest:
            yield f"{one.by} signed on another edition"
        else:
            yield f"{one.by} took the decision, so cannot sign it off"


def record_at(store: Store, week: Week, experiment: str) -> Record | None:
    """An experiment's sealed record, None where the edition has none.

    Raises:
        EditionError: It was altered, or cannot be read.
    """
    record = store.open(week).record(experiment) if store.is_sealed(week) else None
    return record if record is not None and record.kind == "experiment" else None


def prefix_of(record: Record) -> str:
    """What begins the ids of the treatment's numbers that the verdict is on: the subject, with the arm where there are several."""
    verdict = next((v for v in record.verdicts if v.primary), None)
    return verdict.reason.id.removesuffix(".verdict") if verdict else record.subject


def prefix_at(decision: Decision, store: Store) -> str:
    """The same for the treatment that was decided on, whichever leads later; the subject where the edition is gone."""
    record = record_at(store, Week.parse(decision.edition), decision.experiment)
    return prefix_of(record) if record is not None else decision.experiment
