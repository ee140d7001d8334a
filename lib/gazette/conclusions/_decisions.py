"""Decisions that are due, with what waiting costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gazette.record import Finding

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gazette.record import Action, Number, Record, Tone, Verdict

__all__ = ["Due", "basis", "decision", "is_decided", "review", "review_missed", "to_do"]

PRICED = {"ship", "ship with monitoring", "keep running"}


@dataclass(frozen=True, kw_only=True)
class Due:
    """What a decision on a test rests on.

    Attributes:
        subject: Id of the test.
        title: For readers.
        verdict: Of this week.
        days: Days until it has the users that the verdict asks for.
        users: Users that it still needs.
        price: What a week of waiting costs: what the best choice on what is known would bring in a week.
        why_free: Why no price is named, in words, where there is none.
        metric: What the test is decided on, in words.
        effect: Relative effect on it, None where it may not be read.
        reached: Users so far.
        net: Worth less cost a month, where it decides.
    """

    subject: str
    title: str
    verdict: Verdict
    days: Number | None
    users: Number | None
    price: Number | None
    why_free: str = ""
    metric: str = ""
    effect: Number | None = None
    reached: Number | None = None
    net: Number | None = None


def is_decided(row: Mapping[str, str] | None, action: Action) -> bool:
    """Whether a decision stands: somebody has decided, and the advice is still what it was then."""
    return row is not None and row["advice"] == action


def to_do(record: Record, verdict: Verdict) -> str:
    """What is to be done about a test, for a cell of a list: the advice, or that it has been decided."""
    if verdict.primary and (decided := record.facts.get("decision")):
        return f"Decided: {decided}"
    return verdict.action[:1].upper() + verdict.action[1:]


def basis(metric: str, effect: Number | None, reached: Number | None, terms: dict[str, str]) -> str:
    """The figure that a decision rests on, for the end of its sentence: the range of the effect, else the users so far."""
    if effect is not None and effect.published and effect.interval is not None:
        terms["metric"] = metric
        return "its effect on {=metric} is {%s|interval}" % effect.id
    return "it has {%s} users" % reached.id if reached is not None and reached.published else ""


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
        "fix the test first": "mend it first, nothing can be said before",
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
    unpaid = due.verdict.action_rule.endswith("does-not-pay")
    if unpaid:
        text += ", as at best it does not pay"
        if due.net is not None and due.net.published:
            text += ": {%s|interval} a month" % due.net.id
    if action == "keep running" and more:
        text = "{=title}: %s" % more
    known = basis(due.metric, due.effect, due.reached, terms)
    if known and not unpaid and not (action in PRICED and price) and text != "{=title}: %s" % more:
        text += f"; {known}"
    if price and action in PRICED:
        text += f"; {price}"
    elif due.why_free and action in PRICED:
        text += "; what waiting costs is not known: {=why}"
        terms["why"] = due.why_free
    rule = f"decision-{'priced' if price and price in text else 'unpriced'}"
    return Finding(
        id=f"summary.decision.{due.subject}", rule=rule, text=f"{text}.", tone=tones.get(action, "unsure"), terms=terms
    )


def review(subject: str, title: str, *, day: str, left: Number) -> Finding:
    """That people have to look at a model again by a day.

    Args:
        subject: The model.
        title: For readers.
        day: In words.
        left: Days from the end of the week until then.
    """
    text = "{=title}: people review it by {=day}, in {%s}." % left.id
    terms = {"title": title, "day": day}
    return Finding(id=f"summary.review.{subject}", rule="review-due", text=text, tone="unsure", terms=terms)


def review_missed(subject: str, title: str, *, day: str, late: Number) -> Finding:
    """That the day of a review has passed."""
    text = "{=title}: its review was due on {=day}, {%s} ago, and is not done." % late.id
    terms = {"title": title, "day": day}
    return Finding(id=f"summary.{subject}.review.finding", rule="review-missed", text=text, tone="bad", terms=terms)
