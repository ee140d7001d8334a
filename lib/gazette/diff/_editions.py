"""Which two editions are meant, and reading them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from gazette.diff._compare import compare_sides
from gazette.diff._side import read_side
from gazette.editions import Week
from gazette.errors import EditionError, WrongUseError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gazette.diff._found import Difference
    from gazette.diff._side import Side
    from gazette.editions import Store

__all__ = ["Pair", "choose_pair", "difference"]

SHORT = re.compile(r"W(\d\d)")
MOST = 2


class Pair(NamedTuple):
    """Two editions, the earlier first, and whether they were named the other way round."""

    before: Week
    after: Week
    swapped: bool


def _week(text: str, known: Sequence[Week]) -> Week:
    """A week as people write it: 2026-W47, or W47 for the newest edition of that number."""
    short = SHORT.fullmatch(text)
    if short is None:
        return Week.parse(text)
    found = [w for w in known if w.number == int(short[1])]
    if not found:
        listing = ", ".join(map(str, known)) or "none"
        raise EditionError(f"there is no edition of a week {text}", mend=f"sealed editions: {listing}")
    return found[-1]


def choose_pair(store: Store, names: Sequence[str]) -> Pair:
    """The editions to compare: two names; one, with the edition before it; none, the newest with the one before it.

    Raises:
        WrongUseError: More than two names, or one that is no week.
        EditionError: An edition is not there, or there is none before it.
    """
    known = store.weeks()
    if len(names) > MOST:
        raise WrongUseError(
            f"{len(names)} editions are named", mend="name two, or one for it and the edition before it"
        )
    if not known:
        raise EditionError("there is no edition yet", where=str(store.root), mend="run 'gazette build' first")
    weeks = [_week(name, known) for name in names] or [known[-1]]
    for week in weeks:
        if week not in known:
            listing = ", ".join(map(str, known))
            raise EditionError(f"there is no edition {week}", where=str(store.root), mend=f"sealed editions: {listing}")
    if len(weeks) == 1:
        before = store.before(weeks[0])
        if before is None:
            raise EditionError(
                f"{weeks[0]} is the first edition, so there is none before it to compare with",
                mend=f"name two of: {', '.join(map(str, known))}",
            )
        return Pair(before, weeks[0], swapped=False)
    return Pair(min(weeks), max(weeks), swapped=weeks[0] > weeks[1])


def _sealed(store: Store, week: Week) -> Side:
    sealed = store.open(week)
    return read_side(sealed, str(week), versions=sealed.manifest.versions)


def difference(store: Store, before: Week, after: Week) -> Difference:
    """What changed between two sealed editions.

    Raises:
        EditionError: A manifest is missing or cannot be trusted.
    """
    old = _sealed(store, before)
    return compare_sides(old, old if before == after else _sealed(store, after))
