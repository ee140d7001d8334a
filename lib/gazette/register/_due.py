"""Decisions that are due: what the newest edition asks to be decided and nobody has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gazette.register._decide import FITTING

if TYPE_CHECKING:
    from gazette.editions import Store
    from gazette.params import Choice, Decision
    from gazette.register._files import Register

__all__ = ["ASKS", "Due", "due", "standing"]

ASKS = ("ship", "ship with monitoring", "don't ship", "stop: no winner")


@dataclass(frozen=True)
class Due:
    """A test that waits for a decision.

    Attributes:
        experiment, title: Its id and name.
        edition: The newest one.
        state, action: Its verdict and advice.
        choice: The decision that follows the advice.
        since: First of the editions in a row that asked for it.
        days: From the end of that edition's week to the end of the newest one's; 0 where it is new.
        before: The decision that was taken when the advice was another, None where there is none.
    """

    experiment: str
    title: str
    edition: str
    state: str
    action: str
    choice: Choice
    since: str
    days: int
    before: Decision | None


def standing(register: Register, experiment: str, edition: str) -> Decision | None:
    """The newest decision in force on an experiment, taken on this edition or an earlier one."""
    return next((e.decision for e in register.of(experiment) if e.decision.edition <= edition), None)


def due(register: Register, store: Store) -> list[Due]:
    """What is due on the newest edition, the longest wait first.

    A decision settles a test for as long as the advice is what it was when it was taken.
    """
    weeks = store.weeks()
    if not weeks:
        return []
    newest = weeks[-1]
    tests: list[dict[str, Any]] = list(store.manifest(newest).facts["tests"])
    waiting: dict[str, tuple[dict[str, Any], Decision | None]] = {}
    for test in tests:
        before = standing(register, test["page"], str(newest))
        settled = before is not None and before.recommendation.action == test["action"]
        if test["action"] in ASKS and not settled:
            waiting[test["page"]] = (test, before)
    since = dict.fromkeys(waiting, newest)
    going = set(waiting)
    for week in reversed(weeks[:-1]):
        if not going:
            break
        then = {t["page"]: t["action"] for t in store.manifest(week).facts["tests"]}
        for page in sorted(going):
            test, before = waiting[page]
            if then.get(page) != test["action"] or (before is not None and before.edition >= str(week)):
                going.discard(page)
            else:
                since[page] = week
    found = [
        Due(
            page,
            str(test["title"]),
            str(newest),
            str(test["state"]),
            str(test["action"]),
            FITTING[test["action"]][0],
            str(since[page]),
            (newest.end - since[page].end).days,
            before,
        )
        for page, (test, before) in waiting.items()
    ]
    return sorted(found, key=lambda d: (-d.days, d.title))
