"""A Slack message in Block Kit.

Limits as Slack documents them: 50 blocks a message, 150 characters in a header, 3,000 in a section, 2,000 in a field,
10 fields a section.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gazette.deliver._digest import clip, more

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gazette.deliver._digest import Digest

__all__ = ["slack"]

HEADER, SECTION, FIELD = 150, 3000, 2000
TESTS, ITEMS, LINE = 10, 6, 400
ESCAPES = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", "*": "∗", "~": "∼", "`": "ˋ"}
)  # the last three would be markup


def slack(content: Digest) -> dict[str, Any]:
    """The message: ``text`` for notifications and old programs, ``blocks`` for all others."""
    title = clip(f"{content.title}: {content.dates}", HEADER)
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": title, "emoji": False}},
        _section(_foreign(content.headline, SECTION)),
    ]
    fields = [
        _text("\n".join([f"*{_foreign(c.label, 200)}*", *(_foreign(line, 300) for line in _lines(c) if line)]), FIELD)
        for c in content.cards
    ]
    if fields:
        blocks.append({"type": "section", "fields": fields})
    tests = [
        f"{t.icon} *{_foreign(t.title, 120)}*: {_foreign(t.state, 60)}. {_foreign(t.action, 60)}. "
        f"{_foreign(t.metric, 120)}: {_foreign(t.effect, 120)}"
        for t in content.tests
    ]
    if tests:
        blocks.append(_listing("Tests", tests, TESTS))
    for name, items in content.sections:
        blocks.append(_listing(name, [f"{i.icon} {_foreign(i.text, LINE)}" for i in items], ITEMS))
    if content.link:
        button = {
            "type": "button",
            "text": {"type": "plain_text", "text": "Read the edition", "emoji": False},
            "url": f"{content.link}index.html",
            "action_id": "read-edition",
        }
        blocks.append({"type": "actions", "elements": [button]})
    foot = [f"{content.note} {content.notice}".strip(), content.sealed]
    blocks.append({"type": "context", "elements": [_text(_foreign(line, FIELD), FIELD) for line in foot if line]})
    fallback = clip(f"{content.title}, {content.dates}: {content.headline}", SECTION - 500).translate(ESCAPES)
    return {"text": fallback, "blocks": blocks}


def _lines(card: Any) -> tuple[str, ...]:
    return (card.value, f"range {card.interval}" if card.interval else "", *card.changes)


def _foreign(text: str, most: int) -> str:
    """Text that is no markup, within a length that also holds after escaping."""
    clipped = clip(text, most)
    while len(clipped.translate(ESCAPES)) > most:
        clipped = clip(clipped, len(clipped) * 9 // 10)
    return clipped.translate(ESCAPES)


def _text(text: str, most: int) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": text if len(text) <= most else _whole_lines(text, most), "verbatim": True}


def _whole_lines(text: str, most: int) -> str:
    """As many whole lines as there is room for: cutting within one could tear an escape."""
    kept: list[str] = []
    for line in text.split("\n"):
        if len("\n".join([*kept, line])) > most:
            break
        kept.append(line)
    return "\n".join(kept)


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": _text(text, SECTION)}


def _listing(name: str, lines: Sequence[str], most: int) -> dict[str, Any]:
    shown = list(lines[:most])
    while True:
        left = len(lines) - len(shown)
        text = "\n".join([f"*{name}*", *shown, *([f"_{more(left)}_"] if left else [])])
        if len(text) <= SECTION:
            return _section(text)
        shown.pop()
