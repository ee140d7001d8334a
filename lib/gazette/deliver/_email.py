"""An e-mail: tables and inline styles, which mail programs read; no pictures and nothing from other hosts."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC
from email.message import EmailMessage
from email.policy import SMTP
from html import escape
from typing import TYPE_CHECKING

from gazette.deliver._digest import clip, more

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gazette.deliver._digest import Card, Digest, Item, Test

__all__ = ["email_file", "email_html", "email_text"]

LONGEST_HEADLINE = 1500
MOST_BYTES = 100_000  # Gmail hides what comes after 102 kB
ROOMS = ((25, 10, 600), (15, 6, 400), (10, 4, 200), (5, 2, 120))  # tests, sentences a section, characters a text
FONT = "font-family:-apple-system,'Segoe UI',Helvetica,Arial,sans-serif"
INK, SOFT, LINE = "#1c2126", "#5a6570", "#d9dee3"
HEADING = f"{FONT};font-size:16px;line-height:22px;font-weight:600;color:{INK};padding:20px 0 6px;text-align:left"
CELL = f"{FONT};font-size:14px;line-height:20px;color:{INK};padding:6px 8px 6px 0;border-bottom:1px solid {LINE};vertical-align:top;text-align:left"
DARK = (
    "@media (prefers-color-scheme: dark){body,.gz-ground{background:#212529 !important}"
    ".gz-ink{color:#e6e9ec !important;border-color:#3b434b !important}.gz-soft{color:#a3adb7 !important}"
    ".gz-box{background:#2a3036 !important;border-color:#3b434b !important}a{color:#8ab8e6 !important}}"
)


def email_html(content: Digest) -> str:
    """The mail as HTML, below 100 kB whatever the edition holds."""
    page = ""
    for room in ROOMS:
        page = _Html(content, *room).page()
        if len(page.encode()) < MOST_BYTES:
            break
    return page


@dataclass(frozen=True)
class _Html:
    """A mail with room for so many tests, sentences a section and characters a text."""

    content: Digest
    tests: int
    items: int
    characters: int

    def cut(self, text: str) -> str:
        return escape(clip(text, self.characters))

    def linked(self, text: str, page: str) -> str:
        address = self.content.address(page)
        return f'<a href="{escape(address)}" style="color:#1b5e9e">{text}</a>' if address else text

    def card(self, card: Card) -> str:
        said = [*([f"Range {card.interval}"] if card.interval else []), *card.changes]
        lines = "".join(
            f'<br><span class="gz-soft" style="color:{SOFT};font-size:13px">{self.cut(x)}</span>' for x in said
        )
        label = self.linked(self.cut(card.label), card.page)
        return (
            f'<tr><td class="gz-ink gz-box" style="{CELL};padding:10px 12px;background:#f6f8fa">'
            f'<span class="gz-soft" style="color:{SOFT}">{label}</span><br>'
            f'<strong style="font-size:22px;line-height:30px">{escape(card.value)}</strong>{lines}</td></tr>'
        )

    def test(self, test: Test) -> str:
        cells = (
            self.linked(self.cut(test.title), test.page),
            f"<strong>{escape(test.icon)} {escape(test.state)}</strong><br>{escape(test.action)}",
            f"{self.cut(test.metric)}<br>{escape(test.effect)}",
        )
        return "<tr>" + "".join(f'<td class="gz-ink" style="{CELL}">{c}</td>' for c in cells) + "</tr>"

    def item(self, item: Item) -> str:
        more_ = f" {self.linked('More', item.page)}" if self.content.address(item.page) else ""
        return (
            f'<tr><td class="gz-ink" style="{CELL};width:18px" aria-hidden="true">{escape(item.icon)}</td>'
            f'<td class="gz-ink" style="{CELL}">{self.cut(item.text)}{more_}</td></tr>'
        )

    def verdicts(self) -> str:
        tests = self.content.tests
        if not tests:
            return ""
        head = "".join(
            f'<th scope="col" class="gz-ink" style="{CELL};font-weight:600">{w}</th>'
            for w in ("Test", "Verdict and what to do", "Decided on; effect and range")
        )
        rows = "".join(map(self.test, tests[: self.tests])) + _left(len(tests), self.tests, 3)
        return _heading("Tests") + _table(f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody>", role="")

    def sentences(self, name: str, items: Sequence[Item]) -> str:
        rows = "".join(map(self.item, items[: self.items])) + _left(len(items), self.items, 2)
        return _heading(name) + _table(rows)

    def page(self) -> str:
        content = self.content
        link = self.linked("Read the edition", "index.html") if content.link else ""
        title = (
            f'<h1 class="gz-ink" style="{FONT};font-size:22px;line-height:28px;margin:0;color:{INK}">'
            f"{self.cut(content.title)}: {escape(content.dates)}</h1>"
        )
        headline = (
            f'<p class="gz-ink" style="{FONT};font-size:17px;line-height:25px;color:{INK}">'
            f"{escape(clip(content.headline, LONGEST_HEADLINE))}</p>"
        )
        note = (
            f'<p class="gz-soft" style="{FONT};font-size:12px;line-height:18px;color:{SOFT}">'
            f'{escape(content.note)} {self.cut(content.notice)} <span style="word-break:break-all">{escape(content.sealed)}</span></p>'
        )
        parts = [
            title,
            headline,
            _table("".join(map(self.card, content.cards))) if content.cards else "",
            self.verdicts(),
            *(self.sentences(name, items) for name, items in content.sections),
            f'<p style="{FONT};font-size:15px;padding-top:12px">{link}</p>' if link else "",
            note,
        ]
        body = "\n".join(part for part in parts if part)
        return (
            '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
            '<meta name="color-scheme" content="light dark"><meta name="supported-color-schemes" content="light dark">'
            f"<title>{escape(_subject(content))}</title><style>:root{{color-scheme:light dark}}{DARK}</style></head>\n"
            '<body class="gz-ground" style="margin:0;padding:0;background:#ffffff"><table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0">'
            '<tr><td align="center" style="padding:24px 12px"><table role="presentation" width="640" cellpadding="0" cellspacing="0" border="0" style="width:100%;max-width:640px">'
            f'<tr><td style="overflow-wrap:anywhere;word-break:break-word">\n{body}\n</td></tr></table></td></tr></table></body></html>\n'
        )


def _heading(name: str) -> str:
    return f'<h2 class="gz-ink" style="{HEADING};margin:0">{name}</h2>'


def _left(every: int, shown: int, width: int) -> str:
    """A row that counts what has no room."""
    if every <= shown:
        return ""
    return f'<tr><td colspan="{width}" class="gz-soft" style="{CELL};color:{SOFT}">{more(every - shown)}</td></tr>'


def _table(rows: str, *, role: str = ' role="presentation"') -> str:
    return f'<table{role} width="100%" cellpadding="0" cellspacing="0" border="0" style="width:100%;border-collapse:collapse">{rows}</table>'


def _subject(content: Digest) -> str:
    """One line for the list of mails."""
    return clip(f"{content.title}: {content.dates}", 150)


def email_text(content: Digest) -> str:
    """The mail as plain text, for programs and people that read no HTML."""
    tests, items, most = ROOMS[0]
    lines = [f"{content.title}: {content.dates}", "", content.headline]
    for card in content.cards:
        span = f" (range {card.interval})" if card.interval else ""
        lines += ["", f"{card.label}: {card.value}{span}", *(f"  {c}" for c in card.changes)]
    if content.tests:
        lines += ["", "TESTS"]
        lines += [f"{t.icon} {t.title}: {t.state}. {t.action}. {t.metric}: {t.effect}" for t in content.tests[:tests]]
        lines += [more(len(content.tests) - tests)] if len(content.tests) > tests else []
    for name, every in content.sections:
        lines += ["", name.upper(), *(f"{i.icon} {clip(i.text, most)}" for i in every[:items])]
        lines += [more(len(every) - items)] if len(every) > items else []
    if content.link:
        lines += ["", f"Read the edition: {content.address('index.html')}"]
    lines += ["", content.note, content.notice, *([content.sealed] if content.sealed else [])]
    return "\n".join(lines).rstrip() + "\n"


def email_file(content: Digest) -> bytes:
    """The mail as a file that mail programs open as a draft; no sender, no receivers, the same bytes each time."""
    text, html = email_text(content), email_html(content)
    message = EmailMessage(policy=SMTP)
    message["Subject"] = _subject(content)
    message["Date"] = content.cutoff.replace(tzinfo=UTC)
    message["X-Unsent"] = "1"
    message.set_content(text, cte="quoted-printable")
    message.add_alternative(html, subtype="html", cte="quoted-printable")
    message.set_boundary(f"gazette-{hashlib.sha256((text + html).encode()).hexdigest()[:32]}")
    return message.as_bytes()
