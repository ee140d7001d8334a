"""Data checks: a measured value against the limits from which it warns and fails."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from gazette.record import NotPublished

if TYPE_CHECKING:
    from gazette.record import Unit

__all__ = ["Check", "State", "check", "schema_changes"]

State = Literal["pass", "warn", "fail", "not run"]


@dataclass(frozen=True)
class Check:
    """One check.

    Attributes:
        id: Name of the check, with the feature where it is about one.
        title: What is checked, in words.
        value: What was measured, in the unit, or why it could not be.
        unit: Of value and limits.
        warn: A value above this warns.
        fail: A value above this fails.
        state: What follows.
    """

    id: str
    title: str
    value: float | NotPublished
    unit: Unit
    warn: float
    fail: float
    state: State


def check(id_: str, title: str, value: float | NotPublished, unit: Unit, *, warn: float, fail: float) -> Check:
    """Judge one value; what could not be measured is never a pass."""
    state: State
    if isinstance(value, NotPublished):
        state = "not run"
    else:
        state = "fail" if value > fail else "warn" if value > warn else "pass"
    return Check(id_, title, value, unit, warn, fail, state)


def schema_changes(before: dict[str, str], after: dict[str, str]) -> tuple[list[str], list[str]]:
    """Columns that break readers (gone, or of another type), and columns that are merely new.

    >>> schema_changes({"a": "int64", "b": "string"}, {"a": "float64", "c": "date"})
    (['a was int64 and is float64', 'b is gone'], ['c is new'])
    """
    broken = [
        f"{c} was {t} and is {after[c]}" if c in after else f"{c} is gone"
        for c, t in before.items()
        if after.get(c) != t
    ]
    return broken, [f"{c} is new" for c in after if c not in before]
