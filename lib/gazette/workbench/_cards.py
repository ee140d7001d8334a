"""The three to five cards: value, range, change on a month and a year ago, basis."""

from __future__ import annotations

from html import escape

from gazette import conclusions, display
from gazette.display import Block
from gazette.record import OWN, NotPublished, Number
from gazette.workbench._desk import Desk

__all__ = ["Cards"]

AGO = {"month-change": "on four weeks ago", "year-change": "on a year ago"}
OTHERS = {"change": "on last week", "vs-baseline": "against the baseline"}


class Cards(Desk):
    """Steps on the few numbers that site.yml names."""

    def cards(self) -> Block:
        """Each number with its range, what changed, and what it rests on."""
        items = []
        for card in self.params.site.executive.cards:
            number = self.taken(card)
            if number is None:
                items.append((self._stand_in(card), "", ""))
                continue
            record = self.known[card][1]
            basis = f'{escape(number.note or self._definition(number))} <a href="{self.place(record)}">{escape(record.title)}</a>'
            items.append((number, self._changes(card), basis))
        return display.cards(items, currency=self.currency)

    def _definition(self, number: Number) -> str:
        return OWN.get(number.metric) or self.params.metrics[number.metric].definition

    def _stand_in(self, card: str) -> Number:
        """A number that says why there is none."""
        subject, _, rest = card.partition(".")
        failed = any(f["page"] == subject for f in self.failures)
        named = next((m for m in (rest, *rest.split(".")) if m in self.params.metrics), "")
        return Number(
            id=card,
            label=conclusions.plainly(self.params.metrics[named].title) if named else card,
            value=NotPublished(reason="the analysis failed" if failed else "no such number this week"),
            unit="number",
            metric=named or "gazette.count",
            metric_version=self.params.metrics[named].version if named else 1,
            cell="cards",
            query=None,
            snapshot="",
            as_of=self.cutoff,
        )

    def _changes(self, card: str) -> str:
        """Lines on the change; those on a month and a year where the number has them."""
        words = AGO if any(f"{card}.{a}" in self.known for a in AGO) else OTHERS
        lines = []
        for suffix, text in words.items():
            change = self.taken(f"{card}.{suffix}")
            if change is None:
                continue
            if isinstance(change.value, NotPublished):
                lines.append(f"n/a {text} ({escape(change.value.reason.removeprefix(conclusions.NOTHING))})")
                continue
            shown = display.number_span(change, "signed", currency=self.currency)
            share = self._share(card, suffix)
            steady = "" if conclusions.sure(change) or change.interval is None else ", within chance"
            lines.append(f"{shown}{share} {text}{steady}")
        return "<br>".join(lines)

    def _share(self, card: str, suffix: str) -> str:
        """The change as a percentage in brackets; words where there can be none."""
        share = self.taken(f"{card}.{suffix.replace('-change', '-relative')}") if suffix in AGO else None
        if share is None:
            return ""
        if isinstance(share.value, NotPublished):
            below = "below zero" in share.value.reason
            return " (no percentage of a negative figure)" if below else ""
        return f" ({display.number_span(share, 'signed', currency=self.currency)})"
