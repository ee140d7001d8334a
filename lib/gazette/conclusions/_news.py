"""What an edition says in short, and what changed between two of them.

`digest_of` keeps only what comparing needs, already in the words and digits of readers, so that a browser can compare any two editions
without rounding a number. `news` and reports/theme/reader.js write the same sentences; a test holds them to it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gazette.record import Record

__all__ = ["BECAUSE", "digest_of", "news"]

BECAUSE = {
    "interval-above-zero": "the whole range of its effect is better than no change",
    "interval-below-zero": "the whole range of its effect is worse than no change",
    "worthwhile-ruled-out": "an effect worth having is ruled out",
    "interval-includes-zero": "the range of its effect includes no change",
    "fixed-horizon-not-over": "it may only be read when it ends",
    "not-computable": "its effect cannot be computed",
    "gate-sample-ratio": "its arms do not have the sizes that were planned",
    "gate-sample-ratio-sequence": "its arms drifted from the sizes that were planned",
    "gate-exposure": "users saw more than one arm",
    "gate-balance": "its arms differed before it began",
    "gate-missing-days": "days of its data are missing",
    "gate-minimum-run": "it has run too short",
}


def digest_of(
    edition: str, records: Sequence[Record], *, currency: str, cards: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """The digest of an edition.

    Args:
        edition: Its week.
        records: Of its subjects.
        currency: ISO code in force.
        cards: id, title, value and half (half-width of the interval) or None, unit, shown, of each card.
    """
    subjects = []
    for record in records:
        if record.kind not in {"model", "experiment"}:
            continue
        verdict = next((v for v in record.verdicts if v.primary), None)
        said = {"state": verdict.state, "because": BECAUSE.get(verdict.rule, "")} if verdict else {}
        subjects.append({"id": record.subject, "kind": record.kind, "title": record.title, **said})
    return {
        "edition": edition,
        "currency": currency,
        "subjects": sorted(subjects, key=lambda s: str(s["id"])),
        "cards": [dict(card) for card in cards],
    }


def news(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """What changed, in sentences: currency, verdicts, subjects, cards that moved by more than chance, cards that went missing."""
    said = []
    other = before["currency"] != after["currency"]
    if other:
        said.append(
            f"Amounts are now in {after['currency']}; in {before['edition']} they were in {before['currency']}, so they are not compared."
        )
    old = {s["id"]: s for s in before["subjects"]}
    new = {s["id"]: s for s in after["subjects"]}
    for key, subject in new.items():
        if key in old and subject.get("state", "") != old[key].get("state", ""):
            why = f", because {subject['because']}" if subject.get("because") else ""
            said.append(
                f"{subject['title']}: the verdict was “{old[key].get('state') or 'none'}” and is now “{subject.get('state') or 'none'}”{why}."
            )
    said += [f"New: {s['title']}." for k, s in new.items() if k not in old]
    said += [f"No longer reported: {s['title']}." for k, s in old.items() if k not in new]
    seen = {c["id"]: c for c in before["cards"]}
    for card in after["cards"]:
        then = seen.get(card["id"])
        if then is None:
            said.append(f"New card: {card['title']}, {card['shown']}.")
        elif card["value"] is None:
            if then["value"] is not None:
                said.append(f"{card['title']} is missing now ({card['shown']}); it was {then['shown']}.")
        elif then["value"] is None:
            said.append(f"{card['title']} is back: {card['shown']}.")
        elif not (other and card["unit"] == "money") and _moved(then, card):
            said.append(f"{card['title']}: was {then['shown']}, is {card['shown']}.")
    return said


def _moved(then: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether two values differ by more than their intervals explain; one without an interval moves when its shown text does."""
    if then["half"] is None or after["half"] is None:
        return bool(then["shown"] != after["shown"])
    gap: float = abs(after["value"] - then["value"])
    return gap > math.hypot(then["half"], after["half"])
