"""The first sentence of the page for leadership, and the order of what follows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gazette.record import Finding

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gazette.record import Number, Record, Verdict

__all__ = ["headline", "ranked"]

URGENCY = {
    "fix the test first": 0,
    "don't ship": 1,
    "ship": 2,
    "ship with monitoring": 3,
    "stop: no winner": 4,
    "keep running": 5,
    "wait": 6,
}
WORDS = {
    "ready": ("{%s} test is ready to ship", "{%s} tests are ready to ship"),
    "stop": ("{%s} should be stopped", "{%s} should be stopped"),
    "untrusted": ("{%s} cannot be trusted until it is mended", "{%s} cannot be trusted until they are mended"),
    "open": ("{%s} stays undecided", "{%s} stay undecided"),
}


def ranked(records: Sequence[Record]) -> list[tuple[Record, Verdict]]:
    """Experiments with their primary verdict, what needs a person first at the top."""
    pairs = [(r, v) for r in records for v in r.verdicts if v.primary]
    return sorted(pairs, key=lambda pair: (URGENCY[pair[1].action], pair[0].title))


def headline(numbers: Mapping[str, Number], failed: Number | None) -> Finding:
    """One sentence on the week.

    Args:
        numbers: Counts of tests under the keys ready, stop, untrusted, open.
        failed: Count of subjects whose notebook failed, or None where none did.
    """
    parts = []
    for key, (one, many) in WORDS.items():
        number = numbers[key]
        if isinstance(number.value, float) and number.value > 0:
            parts.append((one if number.value == 1 else many) % number.id)
    text = (
        "This week " + (", ".join(parts[:-1]) + " and " + parts[-1] if len(parts) > 1 else parts[0]) + "."
        if parts
        else "No test is running this week."
    )
    if failed is not None:
        text += " Warning: {%s} of the analyses failed, so this page is incomplete." % failed.id
    return Finding(
        id="summary.headline", rule="headline-count", text=text, tone="bad" if failed is not None else "neutral"
    )
