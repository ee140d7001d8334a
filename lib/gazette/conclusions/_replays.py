"""Whether what was published could be done again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gazette.record import Finding

if TYPE_CHECKING:
    from gazette.record import Number

__all__ = ["replays"]


def replays(every: Number, same: Number, rate: Number) -> Finding:
    """How many of the past editions that were run again gave the same numbers.

    Args:
        every: Editions that were run again.
        same: Those that came out the same, or equal within tolerance.
        rate: Their share, with its range.
    """
    text = "Run again, {%s} of {%s} past editions gave the same numbers: {%s} ({%s|interval})." % (
        same.id,
        every.id,
        rate.id,
        rate.id,
    )
    whole = same.value == every.value
    text += "" if whole else " The rest differ or did not run."
    return Finding(id="summary.replays", rule="replays", text=text, tone="neutral" if whole else "bad")
