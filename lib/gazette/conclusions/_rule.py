"""What a rule is, for the catalogue of all rules."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Rule", "rules"]


@dataclass(frozen=True)
class Rule:
    """One rule.

    Attributes:
        id: As records name it.
        where: The pages that it writes on.
        when: The condition.
        then: What is said or advised.
    """

    id: str
    where: str
    when: str
    then: str


def rules(where: str, *rows: tuple[str, str, str]) -> tuple[Rule, ...]:
    """Rules of one place, from rows of id, condition and what follows."""
    return tuple(Rule(name, where, when, then) for name, when, then in rows)
