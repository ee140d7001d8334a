"""One cause behind findings of several models and tests: said once, with all whom it may explain.

Only what the records and parameters name counts as one cause: the same table, the same noted event, the same firing alert. That two
things happened at the same time is none.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from gazette.conclusions._model import moved
from gazette.record import Finding, NotPublished

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from gazette.record import Number, Record

__all__ = ["Cause", "causes", "lacks", "shared_cause"]

Kind = Literal["table", "event", "alert", "inputs"]
SEVERAL = 2
EXPLAINED = "explained by "
NOTED = "(noted by "
DRIFT = {"drift", "drift-seasonal"}
DAYS_MISS = "gate-missing-days"


@dataclass(frozen=True)
class Cause:
    """A cause and whom it touches.

    Attributes:
        kind: What it is.
        what: Its name: a table, an event, an alert's title.
        subjects: Those that it touches, by id.
        findings: How many findings or figures it may explain.
        reason: What the data say, for a table.
    """

    kind: Kind
    what: str
    subjects: tuple[str, ...]
    findings: int
    reason: str = ""


def lacks(reason: str) -> bool:
    """Whether data of the week are missing, rather than a history too short or a design that measures no such thing."""
    return reason.startswith(("partial week", "no rows", "no telemetry this week", "days are missing"))


def causes(records: Sequence[Record], tables: Mapping[str, Mapping[str, str]]) -> list[Cause]:
    """Causes that two or more subjects share, those of the most findings first.

    Args:
        records: Of the edition.
        tables: Subject to its queries and the table that each reads; under ``""``, ``"inputs"`` those of whole tests and of features.
    """
    subjects = [r for r in records if r.kind in {"model", "experiment"}]
    found = [
        *_late(subjects, tables),
        *_events(subjects),
        *_inputs(subjects, tables),
        *_alerts(records, {r.subject for r in subjects}),
    ]
    return sorted(found, key=lambda c: (-c.findings, c.kind, c.what))


def _late(records: Iterable[Record], tables: Mapping[str, Mapping[str, str]]) -> Iterator[Cause]:
    """Figures that miss for the same reason and come from the same table."""
    missing: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    tests: dict[str, Counter[str]] = defaultdict(Counter)
    for record in records:
        known = tables.get(record.subject, {})
        for number in record.numbers:
            if isinstance(number.value, NotPublished) and lacks(number.value.reason) and (number.query or "-") in known:
                missing[known[number.query or "-"], number.value.reason][record.subject] += 1
        if any(v.primary and v.rule == DAYS_MISS for v in record.verdicts):
            for table in {t for q, t in known.items() if not q or q.startswith("arms")}:
                tests[table][record.subject] += 1
    for (table, reason), counts in sorted(missing.items()):
        whole = counts + (
            tests.get(table, Counter()) if reason.startswith(("partial week", "days are missing")) else Counter()
        )
        if len(whole) >= SEVERAL:
            yield Cause("table", table, tuple(sorted(whole)), whole.total(), reason)
    for table, counts in sorted(tests.items()):
        if len(counts) >= SEVERAL and not any(t == table for t, _ in missing):
            yield Cause("table", table, tuple(sorted(counts)), counts.total(), "days of its data are missing")


def _worse(record: Record) -> list[Number]:
    """Changes on last week that are worse by more than chance."""
    numbers = {n.id: n for n in record.numbers}
    return [
        n
        for n in record.numbers
        if n.cell == "quality"
        and n.id.endswith(".change")
        and moved(n, numbers.get(n.id.removesuffix(".change")))[1] == "bad"
    ]


def _events(records: Iterable[Record]) -> Iterator[Cause]:
    """A noted event near the worsening of several. Deployments are of one model each, so the same words are two deployments."""
    touched: dict[str, Counter[str]] = defaultdict(Counter)
    for record in records:
        worse = _worse(record)
        near = {part for f in record.findings for part in f.terms.get("near", "").split("; ") if NOTED in part}
        for event in near if worse else ():
            touched[event][record.subject] = len(worse)
    for event, counts in sorted(touched.items()):
        if len(counts) >= SEVERAL:
            yield Cause("event", event, tuple(sorted(counts)), counts.total())


def _inputs(records: Iterable[Record], tables: Mapping[str, Mapping[str, str]]) -> Iterator[Cause]:
    """Features of the same table that moved since training, under models that got worse."""
    touched: dict[str, Counter[str]] = defaultdict(Counter)
    for record in records:
        table, worse = tables.get(record.subject, {}).get("inputs"), _worse(record)
        if table and worse and any(f.rule in DRIFT for f in record.findings):
            touched[table][record.subject] = len(worse)
    for table, counts in sorted(touched.items()):
        if len(counts) >= SEVERAL:
            yield Cause("inputs", table, tuple(sorted(counts)), counts.total())


def _alerts(records: Sequence[Record], known: set[str]) -> Iterator[Cause]:
    """Alerts on several subjects that one firing alert explains."""
    alerts = [a for r in records for a in r.alerts]
    titles = {a.id: a.title for a in alerts if a.state == "firing" and not a.subject}
    touched: dict[str, Counter[str]] = defaultdict(Counter)
    for alert in alerts:
        parent = alert.why.removeprefix(EXPLAINED)
        if (
            alert.state == "suppressed"
            and alert.why.startswith(EXPLAINED)
            and parent in titles
            and alert.subject in known
        ):
            touched[parent][alert.subject] += 1
    for parent, counts in sorted(touched.items()):
        if len(counts) >= SEVERAL:
            yield Cause("alert", titles[parent], tuple(sorted(counts)), counts.total())


def shared_cause(cause: Cause, name: str, titles: Mapping[str, str], count: Number) -> Finding:
    """The sentence on a cause that several share.

    Args:
        cause: What `causes` found.
        name: Part of the finding's id.
        titles: Subject to what readers call it.
        count: Of the findings that it may explain.
    """
    terms = {f"name_{'abcdefghijklmnop'[i]}": titles[s] for i, s in enumerate(cause.subjects[:16])}
    names = [f"{{={t}}}" for t in terms]
    listed = ", ".join(names[:-1]) + " and " + names[-1]
    terms["what"] = cause.what
    if cause.kind == "table":
        text = "%s: {%s} findings have one cause, the table {=what}: {=reason}." % (listed, count.id)
        terms["reason"] = cause.reason
    elif cause.kind == "alert":
        text = "%s: one alert explains {%s} others on them: {=what}." % (listed, count.id)
    else:
        why = "{=what}" if cause.kind == "event" else "inputs in the table {=what} have moved since training"
        text = "%s got worse, on {%s} measures in all; one cause may explain that: %s." % (listed, count.id, why)
    return Finding(id=f"summary.cause.{name}", rule=f"cause-shared-{cause.kind}", text=text, tone="bad", terms=terms)
