"""What changed since the edition before, and a place for what changed since the reader's last."""

from __future__ import annotations

import json
from functools import cached_property
from html import escape
from typing import Any

from gazette import conclusions, display
from gazette.display import Block
from gazette.workbench._roi import Money

__all__ = ["News"]


class News(Money):
    """Steps on changes."""

    @cached_property
    def digest(self) -> dict[str, Any]:
        """This edition in short."""
        site = self.params.site
        cards = display.card_digest(site.executive.cards, [n for n, _ in self.known.values()], currency=site.currency)
        return conclusions.digest_of(self.edition, self.records, currency=site.currency, cards=cards)

    @cached_property
    def digest_before(self) -> dict[str, Any] | None:
        """The digest of the edition before, None where there is none."""
        if self.frozen is None or not self.frozen.has("digest_before"):
            return None
        rows = self.frozen.table("digest_before")["digest"].tolist()
        return dict(json.loads(rows[0])) if rows else None

    def news(self) -> Block:
        """Sentences on what changed, and an empty place that the browser fills for this reader."""
        before = self.digest_before
        shown = escape(str(before["edition"])) if before else ""
        since = f'<div class="gz-since" data-edition="{escape(self.edition)}" data-before="{shown}" hidden></div>'
        if before is None:
            return Block(f"<p>This is the first edition, so there is none to compare with.</p>{since}")
        said = conclusions.news(before, self.digest)
        items = "".join(f"<li>{escape(s)}</li>" for s in said)
        text = f"<ul>{items}</ul>" if said else "<p>Nothing that is told from chance.</p>"
        return Block(f'<p>Since {shown} (<a href="changes.html">all changes</a>):</p>{text}{since}')
