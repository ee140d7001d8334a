"""What an edition says in short, and what changed between two of them.

`digest_of` keeps only what comparing needs, already in the words and digits of readers, so that a browser can compare any two editions
without rounding a number. `changes` writes the sentences, each on a number; `news` and reports/theme/reader.js say them in plain text,
and a test holds the two to it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gazette.record import REFERENCE, Finding

if TYPE_CHECKING:
    import re
    from collections.abc import Iterator, Mapping, Sequence

    from gazette.record import Record, Tone

__all__ = ["BECAUSE", "Changes", "changes", "digest_of", "news"]

BECAUSE = {
    "interval-above-zero": "the whole range of its effect is better than no change",
    "interval-below-zero": "the whole range of its effect is worse than no change",
    "worthwhile-ruled-out": "an effect worth having is ruled out",
    "interval-includes-zero": "the range of its effect includes no change",
    "fixed-horizon-not-over": "it may only be read when it ends",
    "not-computable": "its effect cannot be computed",
    "crossed-at-earlier-look": "an earlier look crossed its limit",
    "final-look-is-over": "its final look was an earlier one",
    "gate-plan-locked": "its plan was changed after the first look",
    "gate-accounted": "not everyone who was assigned is accounted for",
    "gate-sample-ratio": "its arms do not have the sizes that were planned",
    "gate-sample-ratio-sequence": "its arms drifted from the sizes that were planned",
    "gate-sample-ratio-triggered": "those who met the change are not split as planned",
    "gate-exposure": "users saw more than one arm",
    "gate-balance": "its arms differed before it began",
    "gate-missing-days": "days of its data are missing",
    "gate-matched": "no row of what it counts is of a user",
    "gate-missing-values": "something is missing more often in one arm",
    "gate-minimum-run": "it has run too short",
}
MANY = 5  # verdicts that may change with a sentence each; of more, those of one kind are one
TONES: dict[str, Tone] = {"benefit shown": "good", "harm shown": "bad", "not trustworthy": "bad"}


@dataclass(frozen=True)
class Changes:
    """What changed between two editions.

    Attributes:
        findings: The sentences.
        counts: Counts that they refer to: the part of the id after the page, and the value.
        shown: Every reference with its form to the text that readers saw of it.
    """

    findings: tuple[Finding, ...]
    counts: Mapping[str, int]
    shown: Mapping[str, str]


def digest_of(
    edition: str,
    records: Sequence[Record],
    *,
    currency: str,
    cards: Sequence[Mapping[str, Any]],
    shows: Mapping[str, Mapping[str, str]] | None = None,
) -> dict[str, Any]:
    """The digest of an edition.

    Args:
        edition: Its week.
        records: Of its subjects.
        currency: ISO code in force.
        cards: id, title, value and half (half-width of the interval) or None, unit, shown, of each card.
        shows: Test to the number that its verdict rests on: id, form, words, text.
    """
    subjects = []
    for record in records:
        if record.kind not in {"model", "experiment"}:
            continue
        verdict = next((v for v in record.verdicts if v.primary), None)
        said: dict[str, Any] = {"state": verdict.state, "because": BECAUSE.get(verdict.rule, "")} if verdict else {}
        if shows and record.subject in shows:
            said["rests"] = dict(shows[record.subject])
        subjects.append({"id": record.subject, "kind": record.kind, "title": record.title, **said})
    return {
        "edition": edition,
        "currency": currency,
        "subjects": sorted(subjects, key=lambda s: str(s["id"])),
        "cards": [dict(card) for card in cards],
    }


def news(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """`changes` in plain text."""
    found = changes(before, after)

    def fill(finding: Finding) -> str:
        def one(match: re.Match[str]) -> str:
            if match["term"]:
                return finding.terms[match["term"]]
            return found.shown[f"{match['id']}|{match['form'] or ''}"]

        return REFERENCE.sub(one, finding.text)

    return [fill(f) for f in found.findings]


def changes(before: Mapping[str, Any], after: Mapping[str, Any], *, page: str = "executive") -> Changes:
    """What changed: currency, verdicts, subjects, cards that moved by more than chance, cards that went missing.

    Numbers of the edition before are referred to as ``<page>.before.<id>``: they are numbers of this page, which quotes them.
    """
    made = _Writer(page, before, after)
    findings = (*made.currency(), *made.subjects(), *made.cards())
    return Changes(findings, made.counts, made.shown)


class _Writer:
    """Writes the sentences and keeps what they refer to."""

    def __init__(self, page: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        self.page, self.before, self.after = page, before, after
        self.other = before["currency"] != after["currency"]
        self.counts: dict[str, int] = {}
        self.shown: dict[str, str] = {}

    def _count(self, name: str, value: int) -> str:
        self.counts[name], number_id = value, f"{self.page}.{name}"
        self.shown[f"{number_id}|"] = f"{value:,}"
        return "{%s}" % number_id

    def _number(self, number_id: str, text: str, form: str = "") -> str:
        self.shown[f"{number_id}|{form}"] = text
        return "{%s%s}" % (number_id, f"|{form}" if form else "")

    def _say(self, rule: str, name: str, text: str, terms: Mapping[str, str], tone: Tone = "neutral") -> Finding:
        return Finding(id=f"summary.news.{name}", rule=rule, text=text, tone=tone, terms=dict(terms))

    def currency(self) -> Iterator[Finding]:
        if not self.other:
            return
        left = self._count("news-amounts", sum(c["unit"] == "money" for c in self.after["cards"]))
        terms = {"now": self.after["currency"], "week": self.before["edition"], "was": self.before["currency"]}
        text = f"Amounts are now in {{=now}}; in {{=week}} they were in {{=was}}, so they are not compared. Cards in money: {left}."
        yield self._say("news-currency", "currency", text, terms, "unsure")

    def subjects(self) -> Iterator[Finding]:
        old = {s["id"]: s for s in self.before["subjects"]}
        new = {s["id"]: s for s in self.after["subjects"]}
        turned = [s for k, s in new.items() if k in old and s.get("state", "") != old[k].get("state", "")]
        alike: dict[tuple[str, str, str], list[Mapping[str, Any]]] = {}
        for subject in turned:
            kind = old[subject["id"]].get("state") or "none", subject.get("state") or "none", subject.get("because", "")
            alike.setdefault(kind if len(turned) > MANY else (*kind[:2], subject["id"]), []).append(subject)
        together = 0
        for (was, state, _), subjects in alike.items():
            terms = {"was": was, "state": state}
            if why := subjects[0].get("because", ""):
                terms["why"] = why
            because = ", because {=why}" if why else ""
            tone = TONES.get(state, "unsure")
            if len(subjects) > 1:
                together += 1
                many = self._count(f"news-verdicts-{together}", len(subjects))
                text = f"{many} verdicts were “{{=was}}” and are now “{{=state}}”{because}: {{=names}}."
                terms["names"] = ", ".join(s["title"] for s in subjects)
                yield self._say("news-verdict", f"verdicts-{together}", text, terms, tone)
                continue
            (subject,) = subjects
            terms["title"] = subject["title"]
            text = f"{{=title}}: the verdict was “{{=was}}” and is now “{{=state}}”{because}"
            if rests := subject.get("rests"):
                terms["rests"] = rests["words"]
                text += "; {=rests} " + self._number(rests["id"], rests["text"], rests["form"])
            yield self._say("news-verdict", f"verdict.{subject['id']}", f"{text}.", terms, tone)
        for rule, words, names in (
            ("news-new", "new here", [s["title"] for k, s in new.items() if k not in old]),
            ("news-gone", "no longer reported", [s["title"] for k, s in old.items() if k not in new]),
        ):
            if names:
                many = self._count(rule, len(names))
                yield self._say(
                    rule, rule.removeprefix("news-"), f"{many} {words}: {{=names}}.", {"names": ", ".join(names)}
                )

    def cards(self) -> Iterator[Finding]:
        seen = {c["id"]: c for c in self.before["cards"]}
        for card in self.after["cards"]:
            said = self._card(seen.get(card["id"]), card)
            if said is not None:
                rule, text, tone = said
                terms = {"title": card["title"]} | ({"shown": card["shown"]} if "{=shown}" in text else {})
                yield self._say(rule, f"card.{card['id']}", text, terms, tone)

    def _card(self, then: Mapping[str, Any] | None, card: Mapping[str, Any]) -> tuple[str, str, Tone] | None:
        foreign = self.other and card["unit"] == "money"
        if card["value"] is None:
            if then is not None and then["value"] is None:
                return None
            if then is None or foreign:  # there is no figure that could stand here
                many = self._count("news-cards", len(self.after["cards"]))
                word = "is new" if then is None else "is missing now"
                return "news-card-missing", f"{{=title}}, one of {many} cards, {word}: {{=shown}}.", "unsure"
            was = self._number(f"{self.page}.before.{card['id']}", then["shown"])
            return "news-card-missing", f"{{=title}} is missing now: {{=shown}}; it was {was}.", "unsure"
        here = self._number(card["id"], card["shown"])
        if then is None:
            return "news-card-new", f"New card: {{=title}}, {here}.", "neutral"
        if then["value"] is None:
            return "news-card-back", f"{{=title}} is back: {here}.", "neutral"
        if foreign or not _moved(then, card):
            return None
        was = self._number(f"{self.page}.before.{card['id']}", then["shown"])
        return "news-card", f"{{=title}}: was {was}, is {here}.", "neutral"


def _moved(then: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether two values differ by more than their intervals explain; one without an interval moves when its shown text does."""
    if then["half"] is None or after["half"] is None:
        return bool(then["shown"] != after["shown"])
    gap: float = abs(after["value"] - then["value"])
    return gap > math.hypot(then["half"], after["half"])
