"""A published number that a later computation changed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

from pydantic import Field, FiniteFloat

from gazette.record._model import Action, Id, Number, VerdictState, _Frozen

__all__ = ["CAUSES", "Cause", "Flip", "Restatement", "Turn", "standing"]

Cause = Literal["changed code", "corrected source", "late data", "changed definition", "challenge"]
CAUSES: tuple[Cause, ...] = ("changed code", "corrected source", "late data", "changed definition", "challenge")


class Flip(_Frozen):
    """What readers were told of an experiment's metric, and what they would be told now."""

    metric: str
    state_before: VerdictState
    state_after: VerdictState
    action_before: Action
    action_after: Action


class Turn(_Frozen):
    """A sentence that would be said otherwise: with another rule or tone, or on one side only, where rule and tone are empty.

    Attributes:
        finding: Its id.
        rule_before, rule_after: The rule that wrote it.
        tone_before, tone_after: Its tone.
    """

    finding: Id
    rule_before: str = ""
    rule_after: str = ""
    tone_before: str = ""
    tone_after: str = ""


def standing(turns: Iterable[Turn]) -> tuple[Turn, ...]:
    """What is left of turns of sentences, oldest first: each from what was published to what is said now, if that differs."""
    found: dict[str, Turn] = {}
    for turn in turns:
        first = found.get(turn.finding, turn)
        found[turn.finding] = first.model_copy(update={"rule_after": turn.rule_after, "tone_after": turn.tone_after})
    return tuple(t for t in found.values() if (t.rule_before, t.tone_before) != (t.rule_after, t.tone_after))


class Restatement(_Frozen):
    """One number of a sealed edition, as published and as computed again.

    Attributes:
        edition: The edition that published it; it stays as it is.
        page: Its subject.
        before, after: The number as published and as it is now; where several causes moved it one after the other, as it was
            before and after this one.
        cause: Why it differs.
        detail: The cause in words: rows that came late, the change of definition, versions of the code.
        found_in: The edition whose build found it, or the challenge that showed it.
        found_at: That edition's data cut-off, or when the challenge was accepted; UTC without zone.
        flip: The verdict that would be another one, None where none changes.
        turns: Sentences on this number that would be said otherwise.
        readers: Who is known to have relied on the old value: decisions and sign-offs bound to the edition, by name.
        published: Whether readers may have seen the edition.
        credit: Who found it, where a person did.
        size: The difference of the values in half-widths of the published interval, None where there is none.
    """

    edition: str
    page: Id
    before: Number
    after: Number
    cause: Cause
    detail: str = ""
    found_in: str
    found_at: datetime
    flip: Flip | None = None
    turns: tuple[Turn, ...] = ()
    readers: tuple[str, ...] = ()
    published: bool = True
    credit: str = ""
    size: FiniteFloat | None = Field(default=None, ge=0)
