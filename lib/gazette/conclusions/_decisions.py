"""Decisions that are due, with what waiting costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gazette.record import Finding

if TYPE_CHECKING:
    from gazette.record import Number, Tone, Verdict

__all__ = ["Due", "decision"]


@dataclass(frozen=True, kw_only=True)
class Due:
    """What a decision on a test rests on.

    Attributes:
        subject: Id of the test.
        title: For readers.
        verdict: Of this week.
        days: Days until it has the users that the verdict asks for.
        users: Users that it still needs.
        price: What a week of waiting costs: the benefit that choosing right would bring in a week, on average.
        why_free: Why no price is named, in words, where there is none.
    """

    subject: str
    title: str
    verdict: Verdict
    days: Number | None
    users: Number | None
    price: Number | None
    why_free: str = ""


def decision(due: Due) -> Finding:
    """A sentence: what to decide, what more data would take, and what a week of waiting costs."""
    action = due.verdict.action
    terms = {"title": due.title}
    more = ""
    if due.days is not None and due.days.published and due.users is not None and due.users.published:
        more = "about {%s} and {%s|rough} users more" % (due.days.id, due.users.id)
    price = (
        "waiting costs about {%s|rough} a week" % due.price.id if due.price is not None and due.price.published else ""
    )
    starts = {
        "ship": "roll it out",
        "ship with monitoring": "roll it out and watch it",
        "don't ship": "switch it off",
        "stop: no winner": "end it",
        "fix the test first": "mend it first; nothing can be said before",
        "wait": "nothing yet",
        "keep running": "decide later",
    }
    tones: dict[str, Tone] = {
        "ship": "good",
        "ship with monitoring": "good",
        "don't ship": "bad",
        "fix the test first": "bad",
    }
    text = "{=title}: %s" % starts[action]
    if action == "keep running" and more:
        text = "{=title}: %s" % more
    if price and action in {"ship", "ship with monitoring", "keep running"}:
        text += f"; {price}"
    elif due.why_free and action in {"ship", "ship with monitoring", "keep running"}:
        text += "; what waiting costs is not known: {=why}"
        terms["why"] = due.why_free
    rule = f"decision-{'priced' if price and price in text else 'unpriced'}"
    return Finding(
        id=f"summary.decision.{due.subject}", rule=rule, text=f"{text}.", tone=tones.get(action, "unsure"), terms=terms
    )
