"""What changed since the edition before, and a place for what changed since the reader's last."""

from __future__ import annotations

import json
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, Any

from gazette import conclusions, display
from gazette.display import Block
from gazette.record import Interval, NotPublished, Number
from gazette.workbench._roi import Money

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gazette.record import Finding

__all__ = ["News", "quoted"]


class News(Money):
    """Steps on changes."""

    @cached_property
    def digest(self) -> dict[str, Any]:
        """This edition in short."""
        site = self.params.site
        cards = display.card_digest(site.executive.cards, [n for n, _ in self.known.values()], currency=site.currency)
        shows = display.verdict_digest(self.records, currency=site.currency)
        return conclusions.digest_of(self.edition, self.records, currency=site.currency, cards=cards, shows=shows)

    @cached_property
    def digest_before(self) -> dict[str, Any] | None:
        """The digest of the edition before, None where there is none."""
        if self.frozen is None or not self.frozen.has("digest_before"):
            return None
        rows = self.frozen.table("digest_before")["digest"].tolist()
        return dict(json.loads(rows[0])) if rows else None

    @cached_property
    def changed(self) -> list[Finding]:
        """Sentences on what changed, their numbers kept; those of the edition before are quoted with a passport of their own."""
        before = self.digest_before
        if before is None:
            return []
        made = conclusions.changes(before, self.digest, page=self.subject)
        for suffix, value in made.counts.items():
            self.count(suffix, LABELS[suffix.rstrip("-0123456789")], value, "news")
        cards = {f"{self.subject}.before.{c['id']}": c for c in before["cards"]}
        for reference in dict.fromkeys(r for f in made.findings for r in f.references):
            if reference in cards:
                card = cards[reference]
                self._numbers[reference] = quoted(
                    reference, card, before["edition"], self._stand_in(card["id"]), self.snapshot_digest
                )
            elif reference not in self._numbers:
                self.taken(reference)
        return list(made.findings)

    def news(self) -> Block:
        """Sentences on what changed, and an empty place that the browser fills for this reader."""
        before = self.digest_before
        shown = escape(str(before["edition"])) if before else ""
        since = f'<div class="gz-since" data-edition="{escape(self.edition)}" data-before="{shown}" hidden></div>'
        if before is None:
            return Block(f"<p>This is the first edition, so there is none to compare with.</p>{since}")
        made = self._record(title="", owner="", findings=self.changed)
        said = display.findings(made, currency=self.currency, rules=False).html
        text = said if self.changed else "<p>Nothing that is told from chance.</p>"
        return Block(f'<p><a href="changes.html">Since {shown}</a>:</p>{text}{since}')


LABELS = {
    "news-verdicts": "Verdicts that changed alike",
    "news-amounts": "Cards in money",
    "news-cards": "Cards on this page",
    "news-new": "Models and tests that the edition before did not have",
    "news-gone": "Models and tests of the edition before that this one does not have",
}


def quoted(number_id: str, card: Mapping[str, Any], edition: str, blank: Number, snapshot: str) -> Number:
    """A number of the edition before as this one quotes it.

    Args:
        number_id: Its id here.
        card: As the digest of that edition holds it; ``number`` is the whole of it where it was frozen.
        edition: That edition.
        blank: What the metric and the clock are taken from where only the value is known.
        snapshot: Where the quotation is frozen.
    """
    kept = card.get("number")
    if kept:
        number = Number.model_validate(kept)
    else:
        value, half = card["value"], card["half"]
        ends = None
        if value is not None and half is not None:
            ends = Interval(low=value - half, high=value + half, level=0.95, method="as that edition said")
        shown = NotPublished(reason=str(card["shown"])) if value is None else float(value)
        number = blank.model_copy(
            update={"value": shown, "interval": ends, "unit": card["unit"], "label": card["title"]}
        )
    note = f"A number of edition {edition}, quoted: {number.id} as that edition published it."
    here = {"cell": "news", "query": "digest_before", "snapshot": snapshot, "note": note}
    return number.model_copy(update={"id": number_id, "label": f"{number.label}, in edition {edition}", **here})
