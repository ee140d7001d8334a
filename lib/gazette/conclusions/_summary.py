"""The first sentence of the page for leadership, what matters across subjects, and the order of it all.

Significant and material comes first: money, then what must be mended, then counts. One cause that explains several findings is said once.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gazette.conclusions._causes import lacks, shared_cause
from gazette.conclusions._decisions import review_missed
from gazette.conclusions._hedge import hedge, sure
from gazette.conclusions._model import moved
from gazette.record import Finding, NotPublished

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gazette.conclusions._causes import Cause
    from gazette.conclusions._common import Common
    from gazette.record import Number, Record, Verdict

__all__ = ["NOTHING", "Extra", "Material", "headline", "lacking", "lowered", "matters", "plainly", "ranked", "signs"]

NOTHING = "nothing to compare with: "  # begins the reasons of changes that have no earlier figure
URGENCY = {
    "fix the test first": 0,
    "don't ship": 1,
    "ship": 2,
    "ship with monitoring": 3,
    "stop: no winner": 4,
    "keep running": 5,
    "wait": 6,
}
WORDS = {
    "ready": ("{%s} test is ready to ship", "{%s} tests are ready to ship"),
    "stop": ("{%s} should be stopped", "{%s} should be stopped"),
    "untrusted": ("{%s} cannot be trusted until it is mended", "{%s} cannot be trusted until they are mended"),
    "open": ("{%s} stays undecided", "{%s} stay undecided"),
    "decided": ("{%s} is decided", "{%s} are decided"),
}
FEWEST = 2  # findings that one cause must explain before it is said in their place
MOST = 4  # names in one sentence
LETTERS = "abcdefgh"
BROKEN = ("sla-broken", "model-too-old", "checks-fail")


@dataclass(frozen=True)
class Material:
    """What the headline may name first.

    Attributes:
        models: Title and revenue effect of each model that has one.
        ready: Title and worth a month of each test that is ready to ship and has a stated worth.
    """

    models: Sequence[tuple[str, Number]] = ()
    ready: Sequence[tuple[str, Number]] = field(default=())


@dataclass(frozen=True)
class Extra:
    """What the rules across subjects know beside the records.

    Attributes:
        names: Metric to what readers call it.
        late: Model to the days since its review was due.
        causes: Causes that several subjects share, each with the count of what it may explain.
        common: Checks that most subjects fail, which are said apart.
    """

    names: Mapping[str, str] = field(default_factory=dict)
    late: Mapping[str, Number] = field(default_factory=dict)
    causes: Sequence[tuple[Cause, Number]] = ()
    common: Sequence[Common] = ()

    def told(self, subject: str, *kinds: str) -> bool:
        """Whether a shared cause of these kinds speaks of the subject already."""
        return any(subject in cause.subjects and cause.kind in kinds for cause, _ in self.causes)


def plainly(text: str) -> str:
    """A title without its technical name in brackets.

    >>> plainly("Quality of the first five recommendations (NDCG@5)")
    'Quality of the first five recommendations'
    """
    return re.sub(r"\s*\([^)]*\)", "", text).strip()


def ranked(records: Sequence[Record]) -> list[tuple[Record, Verdict]]:
    """Experiments with their primary verdict, what needs a person first at the top."""
    pairs = [(r, v) for r in records for v in r.verdicts if v.primary]
    return sorted(pairs, key=lambda pair: (URGENCY[pair[1].action], pair[0].title))


def lowered(title: str) -> str:
    """A title within a sentence; what is an abbreviation stays as it is.

    >>> lowered("Revenue per user"), lowered("NPS of buyers")
    ('revenue per user', 'NPS of buyers')
    """
    return title[:1].lower() + title[1:] if title[1:2].islower() else title


def _size(number: Number) -> float:
    """How much is certain of it: the end of the interval nearest to zero."""
    if number.interval is None or not sure(number):
        return 0.0
    return min(abs(number.interval.low), abs(number.interval.high))


def headline(numbers: Mapping[str, Number], failed: Number | None, material: Material | None = None) -> Finding:
    """One sentence on the week: the largest sure amounts first, then what is to be decided.

    Args:
        numbers: Counts of tests that nobody has decided on under the keys ready, stop, untrusted, open, of the others under decided,
            and of models under reported.
        failed: Count of subjects whose notebook failed, or None where none did.
        material: Amounts of money that are known.
    """
    money, terms = _money(material or Material())
    parts = [*money]
    named = sum("ready to ship" in clause for clause in money)
    for key, (one, many) in WORDS.items():
        number = numbers.get(key)
        if number is None:
            continue
        if key == "ready" and number.value == named:
            continue  # each of them has been named
        if isinstance(number.value, float) and number.value > 0:
            clause = (one if number.value == 1 else many) % number.id
            if len(parts) == len(money) and key != "ready":  # the first that counts says what is counted
                clause = clause.replace("}", "} test" if number.value == 1 else "} tests", 1)
            parts.append(clause)
    text = (
        "This week " + (", ".join(parts[:-1]) + " and " + parts[-1] if len(parts) > 1 else parts[0]) + "."
        if parts
        else _quiet(numbers["reported"])
    )
    if failed is not None:
        text += " Warning: {%s} of the analyses failed, so this page is incomplete." % failed.id
    return Finding(
        id="summary.headline",
        rule="headline-material" if money else "headline-count",
        text=text,
        tone="bad" if failed is not None else "neutral",
        terms=terms,
    )


def _quiet(reported: Number) -> str:
    """A week without a test and without a sure amount of money."""
    return "This week {%s} %s reported and no test is running." % (
        reported.id,
        "model is" if reported.value == 1 else "models are",
    )


def _money(material: Material) -> tuple[list[str], dict[str, str]]:
    """Clauses on the sure amounts, the largest first, two at most."""
    rows = [(title, number, True) for title, number in material.models if sure(number)]
    rows += [(title, number, False) for title, number in material.ready if sure(number)]
    rows.sort(key=lambda row: -_size(row[1]))
    clauses, terms = [], {}
    for i, (title, number, model) in enumerate(rows[:2]):
        name = f"top_{LETTERS[i]}"
        terms[name] = title
        assert isinstance(number.value, float)  # noqa: S101  it is sure
        if not model:
            clauses.append(f"{{={name}}} is ready to ship and worth {hedge(number).text} a month")
        elif number.value > 0:
            clauses.append(f"{{={name}}} brought {hedge(number).text} more than the baseline over four weeks")
        else:
            clauses.append(f"{{={name}}} cost {hedge(number).text} against the baseline over four weeks")
    return clauses, terms


def _missing(subject: str, title: str, record: Record, count: Number) -> Finding | None:
    """One sentence where several figures of a subject are not published for one and the same reason."""
    reasons = [n.value.reason for n in record.numbers if isinstance(n.value, NotPublished) and lacks(n.value.reason)]
    if len(reasons) < FEWEST:
        return None
    reason = max(sorted(set(reasons)), key=reasons.count)
    text = "{=title}: {%s} figures are missing for one reason: {=reason}." % count.id
    return Finding(
        id=f"summary.{subject}.missing",
        rule="cause-missing-data",
        text=text,
        tone="bad",
        terms={"title": title, "reason": reason},
    )


def lacking(record: Record) -> int:
    """Numbers of a record that its most frequent missing-data reason leaves unpublished."""
    reasons = [n.value.reason for n in record.numbers if isinstance(n.value, NotPublished) and lacks(n.value.reason)]
    return max((reasons.count(r) for r in reasons), default=0)


def signs(record: Record) -> int:
    """Further findings that the cause of a model's loss may explain: segments, checks and levels that got worse."""
    rules = {"segments-worse", "level-shift", "checks-fail", "checks-warn"}
    return sum(f.rule in rules and f.tone in {"bad", "unsure"} for f in record.findings)


def matters(
    records: Sequence[Record], counts: Mapping[str, Number], extra: Extra | None = None, *, most: int = 6
) -> tuple[Finding, ...]:
    """What leadership should know of the models, causes grouped, the gravest first.

    Args:
        records: Of this edition.
        counts: Subject to the count of its figures that miss for one reason, or of findings that one cause explains.
        extra: What is known beside.
        most: How many sentences at most.
    """
    known, titles = extra or Extra(), {r.subject: r.title for r in records}
    found: list[tuple[int, float, Finding]] = [
        (-1, float(cause.findings), shared_cause(cause, LETTERS[i], titles, count))
        for i, (cause, count) in enumerate(known.causes[: len(LETTERS)])
    ]
    for record in records:
        if record.kind == "model":
            found += _of_model(record, counts, known)
        if record.kind == "translation":
            found += _forward(record, titles, known.names)
    found.sort(key=lambda row: (row[0], -row[1], row[2].id))
    return tuple(f for _, _, f in found[:most])


def _of_model(record: Record, counts: Mapping[str, Number], extra: Extra) -> Iterator[tuple[int, float, Finding]]:
    numbers = {n.id: n for n in record.numbers}
    count = counts.get(record.subject)
    if count is not None and lacking(record) >= FEWEST:
        gap = _missing(record.subject, record.title, record, count)
        if gap is not None:
            if not extra.told(record.subject, "table"):
                yield 0, 0.0, gap
            return  # nothing else can be said of this week
    effect = numbers.get(f"{record.subject}.revenue-effect")
    if effect is not None and effect.interval is not None:
        yield _revenue(record, effect)
    if not extra.told(record.subject, "event", "inputs"):
        yield from _quality(record, numbers, count)
    for finding in record.findings:
        if finding.rule == "review-missed":
            if late := extra.late.get(record.subject):
                day = finding.terms.get("day", "")
                yield 1, 0.0, review_missed(record.subject, record.title, day=day, late=late)
        elif finding.rule in BROKEN and not (
            finding.rule == "checks-fail" and any(record.subject in c.subjects for c in extra.common)
        ):
            text = finding.text[:1].lower() + finding.text[1:] if finding.rule != "sla-broken" else finding.text
            terms = {k: plainly(v) for k, v in finding.terms.items()} | {"title": record.title}
            yield (
                1,
                0.0,
                Finding(
                    id=f"summary.{finding.id}", rule=finding.rule, text="{=title}: " + text, tone="bad", terms=terms
                ),
            )


def _revenue(record: Record, effect: Number) -> tuple[int, float, Finding]:
    said, terms = hedge(effect), {"title": record.title}
    if said.word == "may":
        text = "{=title} may have brought or cost money against the baseline over four weeks: %s." % said.text
    elif moved(effect)[1] == "good":
        text = "{=title} brought %s more than the baseline over four weeks." % said.text
    else:
        text = "{=title} cost %s against the baseline over four weeks." % said.text
    tone, rank = moved(effect)[1], {"good": 2, "bad": 0}.get(moved(effect)[1], 4)
    tone = "unsure" if said.word == "may" else tone
    name = f"summary.{record.subject}.revenue"
    return (
        rank,
        _size(effect),
        Finding(id=name, rule=f"summary-revenue-{said.word.replace(' ', '-')}", text=text, tone=tone, terms=terms),
    )


def _quality(
    record: Record, numbers: Mapping[str, Number], count: Number | None
) -> Iterator[tuple[int, float, Finding]]:
    """How the measures moved: under one cause where there is one, else each significant move of the main measure."""
    worse = [n for n in numbers.values() if _kind(record, n) == "change" and moved(n, _level(n, numbers))[1] == "bad"]
    drift = next((f for f in record.findings if f.rule in {"drift", "drift-seasonal"}), None)
    near = next((f.terms["near"] for f in record.findings if "near" in f.terms), "")
    terms = {"title": record.title}
    if worse and (drift or near):
        main = worse[0]
        measure = plainly(main.label.rpartition(", ")[0])
        cause, rule = ("inputs have moved since training", "cause-drift") if drift else ("{=near}", "cause-deployment")
        terms |= {"measure": measure} | ({} if drift else {"near": near})
        more = ""
        if count is not None and count.value:
            more = (" and {%s} further finding" if count.value == 1 else " and {%s} further findings") % count.id
        went = "rose" if isinstance(main.value, float) and main.value > 0 else "fell"
        text = "{=title} got worse; one cause may explain that%s: %s. {=measure} %s by {%s|abs} ({%s|nearest} to {%s|farthest}) on last week."
        yield (
            1,
            _size(main),
            Finding(
                id=f"summary.{record.subject}.cause",
                rule=rule,
                text=text % (more, cause, went, main.id, main.id, main.id),
                tone="bad",
                terms=terms,
            ),
        )
        return
    for number in numbers.values():
        kind = _kind(record, number)
        if not kind or not sure(number):
            continue
        word, tone = moved(number, _level(number, numbers))
        against = "last week" if kind == "change" else "the version before"
        text = "{=title}: {=measure} is %s than %s by {%s|abs} ({%s|nearest} to {%s|farthest})."
        text %= (word, against, number.id, number.id, number.id)
        terms = {"title": record.title, "measure": plainly(number.label.rpartition(", ")[0])}
        name = f"summary.{number.id}"
        yield (
            1 if tone == "bad" else 3,
            _size(number),
            Finding(id=name, rule=f"summary-{word}", text=text, tone=tone, terms=terms),
        )
        return


def _kind(record: Record, number: Number) -> str:
    """Whether a number is a change of quality on last week or on the version before."""
    parts = number.id.removeprefix(f"{record.subject}.").split(".")
    quality = number.cell == "quality" and len(parts) == 2 and not number.provisional  # noqa: PLR2004  measure and suffix
    return parts[1] if quality and parts[1] in {"change", "vs-baseline"} else ""


def _level(number: Number, numbers: Mapping[str, Number]) -> Number | None:
    return numbers.get(number.id.rpartition(".")[0])


def _forward(
    record: Record, titles: Mapping[str, str], names: Mapping[str, str]
) -> Iterator[tuple[int, float, Finding]]:
    """Stated translations of this week's changes, one a model, the surest first."""
    seen: set[str] = set()
    for number in record.numbers:
        parts = number.id.split(".")
        if len(parts) < 4 or parts[0] != "translation" or number.interval is None or parts[1] in seen:  # noqa: PLR2004
            continue
        if parts[1] not in titles:
            continue
        seen.add(parts[1])
        business = lowered(plainly(names.get(number.metric, number.metric)))
        terms = {"title": titles[parts[1]], "business": business}
        if number.interval.low > 0:
            what = "adds {%s|interval} to {=business}"
        elif number.interval.high < 0:
            what = "takes {%s|nearest} to {%s|farthest} off {=business}"
        else:
            what = "moves {=business} by {%s|interval}, which includes no change"
        what %= (number.id,) * what.count("%s")
        text = f"{{=title}}: if the stated translation holds, its step from the version before {what}."
        yield (
            3,
            _size(number),
            Finding(id=f"summary.{number.id}", rule="summary-translation", text=text, tone="unsure", terms=terms),
        )
