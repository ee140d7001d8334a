"""What every form of an edition says, taken from its records once; numbers arrive here as the page shows them."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from gazette import conclusions, display
from gazette.record import NotPublished

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gazette.params import Params
    from gazette.record import Finding, Number, Record, Tone

__all__ = ["Card", "Digest", "Item", "Test", "clean", "clip", "digest", "more"]

AGO = {"month-change": "on four weeks ago", "year-change": "on a year ago"}
OTHERS = {"change": "on last week", "vs-baseline": "against the baseline"}  # both as the summary page compares cards
WAITING = {"keep running", "wait"}
UNREADABLE = {"not trustworthy", "not published"}
ORDER: dict[Tone, int] = {"bad": 0, "good": 1, "unsure": 2, "neutral": 3}
SAME = {"icon", "page", "week", "link", "paper", "sealed"}
NEWS, DECISION, REVIEW = "summary.news.", "summary.decision.", "summary.review."
ELSEWHERE = (NEWS, DECISION, REVIEW)  # sentences of the summary that have a list of their own
OF_A_MODEL = 3  # findings that the summary page quotes


@dataclass(frozen=True)
class Card:
    """A number of the page for leadership, as text.

    Attributes:
        label: What it is.
        value: With its unit; "Not published" where there is none.
        interval: Its range, empty where it has none.
        changes: Comparisons, or the reason why there is no value.
        page: Address of the analysis in the edition, empty where there is none.
    """

    label: str
    value: str
    interval: str
    changes: tuple[str, ...]
    page: str


@dataclass(frozen=True)
class Test:
    """A test's verdict on its primary metric, as text."""

    title: str
    icon: str
    state: str
    action: str
    metric: str
    effect: str
    page: str


@dataclass(frozen=True)
class Item:
    """A sentence with its icon and the page that says more."""

    icon: str
    text: str
    page: str = ""


@dataclass(frozen=True)
class Digest:
    """An edition in short; every text is clean (one line, no control characters) and none is escaped yet.

    Attributes:
        title: Of the site.
        notice: The line of the site that stands on every page.
        week: The edition, such as 2026-W47.
        dates: The seven days of its week.
        cutoff: Until when data counted (UTC).
        note: The edition and its cut-off, for readers.
        headline: The week in a sentence.
        cards: The few numbers that leadership reads.
        tests: Verdicts, what needs a person first.
        decisions: What a person has to decide, with the advice.
        findings: What else the summary says.
        news: What changed since the edition before.
        risks: Models past their maximum age, checks that do not pass, alerts that fire.
        failed: Analyses without numbers.
        link: Address of the edition, ending in a slash; empty where site.yml names none.
        paper: A paper size that Typst knows.
        sealed: The edition before and the digest of its manifest, so that what was sealed stands also where nobody can
            change it later: in messages that were sent. Empty for the first edition.
    """

    title: str
    notice: str
    week: str
    dates: str
    cutoff: datetime
    note: str
    headline: str
    cards: tuple[Card, ...]
    tests: tuple[Test, ...]
    decisions: tuple[Item, ...]
    findings: tuple[Item, ...]
    news: tuple[Item, ...]
    risks: tuple[Item, ...]
    failed: tuple[Item, ...]
    link: str
    paper: str
    sealed: str = ""

    def address(self, page: str) -> str:
        """Where a page of the edition is on the web; empty where that is not known."""
        return f"{self.link}{page}" if self.link and page else ""

    @property
    def sections(self) -> tuple[tuple[str, tuple[Item, ...]], ...]:
        """Lists of sentences with their headings, in reading order; empty ones are left out."""
        every = (
            ("Analyses that failed", self.failed),
            ("Decisions due", self.decisions),
            ("Risks", self.risks),
            ("What else the week shows", self.findings),
            ("What changed since the edition before", self.news),
        )
        return tuple((name, items) for name, items in every if items)


Part = TypeVar("Part", Digest, Card, Test, Item)


def clean(text: str) -> str:
    r"""One line without control characters and marks that turn the direction of text.

    >>> clean("a\n b\x00\u202ec")
    'a bc'
    """
    line = " ".join(text.split())
    return "".join(c for c in line if unicodedata.category(c) not in {"Cc", "Cf", "Cs"} or c in "\u200c\u200d\u00ad")


def clip(text: str, most: int) -> str:
    """At most so many characters; what is cut ends in a sign that says so.

    >>> clip("a long title", 7), clip("short", 7)
    ('a long…', 'short')
    """
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def more(left: int) -> str:
    """What stands in place of items for which there is no room.

    >>> more(12)
    'and 12 more on the site'
    """
    return f"and {left:,} more on the site"


def digest(
    records: Sequence[Record],
    failures: Sequence[Mapping[str, str]],
    *,
    params: Params,
    week: str,
    dates: str,
    cutoff: datetime,
    before: tuple[str, str] | None = None,
) -> Digest:
    """The edition in short.

    Args:
        records: Of the edition; the summary's may be missing.
        failures: Page, kind, title, owner and what of each notebook that failed.
        params: The edition's parameters.
        week: The edition, such as 2026-W47.
        dates: Its days for readers.
        cutoff: Until when data counted (UTC without zone).
        before: Week and digest of the manifest before, None for the first edition.
    """
    currency = params.site.currency
    summary = next((r for r in records if r.kind == "summary"), None)
    subjects = [r for r in records if r.kind != "summary"]
    numbers = {n.id: n for r in [*records, *([summary] if summary else [])] for n in r.numbers}
    said = summary.findings if summary else ()
    headline = (
        display.plain_sentence(said[0], {n.id: n for n in summary.numbers}, currency=currency)
        if summary and said
        else "The summary of this week could not be made; what is known stands on the pages of each analysis."
    )
    told = {"decision-taken", "watch-breached", "watch-no-data"}  # these stand among decisions and risks
    rest = (
        [_item(f, summary, currency) for f in said[1:] if f.rule not in told and not f.id.startswith(ELSEWHERE)]
        if summary
        else []
    )
    address = (params.site.address or "").rstrip("/")
    language = params.site.language
    content = Digest(
        title=clean(params.site.title),
        notice=clean(params.site.notice),
        week=week,
        dates=dates,
        cutoff=cutoff,
        note=f"Edition {week}. Data until {cutoff.day} {cutoff:%B %Y, %H:%M} UTC.",
        headline=clean(headline),
        cards=tuple(_cards(params, subjects, numbers, failures)),
        tests=tuple(_tests(params, subjects, currency)),
        decisions=tuple(_decisions(subjects, summary, currency)),
        findings=tuple(rest or _of_models(subjects, currency)),
        news=tuple(_item(f, summary, currency) for f in said if f.id.startswith(NEWS)) if summary else (),
        risks=(*_watches(summary, currency), *_risks(subjects, currency)),
        failed=tuple(_failed(failures)),
        link=f"{address}/editions/{week}/" if address else "",
        paper="us-letter" if language == "american" else "a4",
        sealed=f"The edition before, {before[0]}, is sealed as {before[1]}." if before else "",
    )
    return _localised(content, language)


def _localised(part: Part, language: display.Language) -> Part:
    """The same in the language of the site; addresses are no language."""
    changed: dict[str, Any] = {}
    for field in fields(part):
        value = getattr(part, field.name)
        if isinstance(value, str) and field.name not in SAME:
            changed[field.name] = display.localise(value, language)
        elif isinstance(value, tuple):
            changed[field.name] = tuple(
                display.localise(v, language) if isinstance(v, str) else _localised(v, language) for v in value
            )
    return replace(part, **changed)


def _page(record: Record) -> str:
    return f"{record.kind}s/{record.subject}.html" if record.kind in {"model", "experiment"} else f"{record.kind}.html"


def _item(finding: Finding, record: Record, currency: str, before: str = "") -> Item:
    text = display.plain_sentence(finding, {n.id: n for n in record.numbers}, currency=currency)
    page = "index.html" if record.kind == "summary" else _page(record)
    return Item(display.icon(finding.tone), clean(before + text), page)


def _cards(
    params: Params, records: Sequence[Record], numbers: Mapping[str, Number], failures: Sequence[Mapping[str, str]]
) -> Iterator[Card]:
    currency = params.site.currency
    for card in params.site.executive.cards:
        subject, _, rest = card.partition(".")
        number = numbers.get(card)
        if number is None:
            failed = any(f["page"] == subject for f in failures)
            metric = params.metrics.get(rest)
            why = "the analysis failed" if failed else "no such number this week"
            yield Card(clean(metric.title if metric else card), "Not published", "", (why,), "")
            continue
        page = next((_page(r) for r in records if any(n.id == card for n in r.numbers)), "")
        if not number.published:
            yield Card(
                clean(number.label),
                "Not published",
                "",
                (clean(display.format_number(number, currency=currency)),),
                page,
            )
            continue
        changes = tuple(_changes(card, numbers, currency))
        interval = display.format_number(number, "interval", currency=currency) if number.interval else ""
        yield Card(clean(number.label), display.format_number(number, currency=currency), interval, changes, page)


def _changes(card: str, numbers: Mapping[str, Number], currency: str) -> Iterator[str]:
    """How a card's number changed, as the page says it: on four weeks and a year ago where it has that."""
    for suffix, text in (AGO if any(f"{card}.{a}" in numbers for a in AGO) else OTHERS).items():
        change = numbers.get(f"{card}.{suffix}")
        if change is None:
            continue
        if isinstance(change.value, NotPublished):
            yield clean(f"n/a {text} ({change.value.reason.removeprefix(conclusions.NOTHING)})")
            continue
        steady = "" if conclusions.sure(change) or change.interval is None else ", within chance"
        yield clean(f"{display.format_number(change, 'signed', currency=currency)} {text}{steady}")


def _tests(params: Params, records: Sequence[Record], currency: str) -> Iterator[Test]:
    for record, verdict in conclusions.ranked(records):
        shown = record.effect(verdict)
        effect = "not shown"
        if shown is not None and shown.published and shown.interval is not None and verdict.state not in UNREADABLE:
            value, span = (display.format_number(shown, f, currency=currency) for f in ("signed", "interval"))
            effect = f"{value} ({span})"
        metric = params.metrics.get(verdict.metric)
        yield Test(
            clean(record.title),
            display.icon(verdict.state),
            verdict.state[:1].upper() + verdict.state[1:],
            clean(conclusions.to_do(record, verdict)),
            clean(metric.title if metric else verdict.metric),
            effect,
            _page(record),
        )


def _decisions(records: Sequence[Record], summary: Record | None, currency: str) -> Iterator[Item]:
    """What is due as the page says it; without the summary, what each test advises."""
    said = [f for f in summary.findings if f.id.startswith((DECISION, REVIEW))] if summary else []
    if summary is not None and said:
        yield from (_item(finding, summary, currency) for finding in said)
        return
    for record, verdict in conclusions.ranked(records):
        if verdict.action not in WAITING and "decision" not in record.facts:
            action = verdict.action[:1].upper() + verdict.action[1:]
            item = _item(verdict.advice, record, currency, f"{record.title}: {action}. ")
            yield Item(display.icon(verdict.state), item.text, item.page)


def _watches(summary: Record | None, currency: str) -> Iterator[Item]:
    """Watches that are broken or without data."""
    for finding in summary.findings if summary else ():
        if summary is not None and finding.rule in {"watch-breached", "watch-no-data"}:
            yield _item(finding, summary, currency)


def _of_models(records: Sequence[Record], currency: str) -> Iterator[Item]:
    for record in records:
        if record.kind == "model":
            chosen = sorted(record.findings, key=lambda f: ORDER[f.tone])[:OF_A_MODEL]
            yield from (_item(f, record, currency, f"{record.title}: ") for f in chosen)


def _risks(records: Sequence[Record], currency: str) -> Iterator[Item]:
    for record in records:
        for alert in record.alerts:
            if alert.state == "firing" and alert.tier != "info":
                yield Item(
                    display.icon("firing"), clean(f"Alert fires: {alert.title} ({alert.subject})"), _page(record)
                )
        if record.kind != "model":
            continue
        numbers = {n.id.removeprefix(f"{record.subject}."): n for n in record.numbers}
        age, limit = numbers.get("model-age"), numbers.get("model-age-limit")
        if (
            age
            and limit
            and isinstance(age.value, float)
            and isinstance(limit.value, float)
            and age.value > limit.value
        ):
            old, most = (display.format_number(n, currency=currency) for n in (age, limit))
            text = f"{record.title}: the model's age is {old}, its maximum {most}"
            yield Item(display.icon("fail"), clean(text), _page(record))
        if broken := sum(name.startswith("check.") for name in numbers):
            yield Item(
                display.icon("warn"), clean(f"{record.title}: {broken} of the data checks do not pass"), _page(record)
            )


def _failed(failures: Sequence[Mapping[str, str]]) -> Iterator[Item]:
    for failure in failures:
        what = next(iter(failure.get("what", "").splitlines()), "")
        kind, page = failure.get("kind", ""), failure["page"]
        place = f"{kind}s/{page}.html" if kind in {"model", "experiment"} else ""
        text = f"{failure.get('title', page)} failed: {what} Owner: {failure.get('owner', '')}."
        yield Item(display.icon("fail"), clean(text), place)
