"""Watch lists: what editions after a decision must report on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gazette.editions import Week

if TYPE_CHECKING:
    from gazette.params import Decision, Watch
    from gazette.register._files import Register

__all__ = ["open_watches"]


def open_watches(register: Register, edition: str) -> list[tuple[Decision, Watch]]:
    """Watches that an edition must report on: of decisions in force, on an earlier edition, not yet over."""
    start = Week.parse(edition).start
    return [
        (e.decision, w)
        for e in register.entries
        if not e.superseded_by and e.decision.edition < edition
        for w in e.decision.watch
        if w.until >= start
    ]
