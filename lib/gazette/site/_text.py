"""Escapes: no text that people or data wrote reaches an engine as markup."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from html import escape
from typing import Any

__all__ = ["GUARD", "front_matter", "guarded", "guarded_markdown", "plain", "raw_html", "table_html"]

GUARD = "\ue0ff"  # a sign that nobody uses; rendered pages have none

SHORTCODE = re.compile(r"\{\{(?=[<%])|[>%](?=\}\})")
CODE_OR_DOLLAR = re.compile(
    r"^(?P<fence> {0,3}(?:`{3,}|~{3,})).*?(?:^\1[`~]*[ \t]*$|\Z)|^(?: {4}|\t).*?$|(?P<ticks>`+)(?!`).+?(?<!`)(?P=ticks)(?!`)|\\.|\$",
    re.MULTILINE | re.DOTALL,
)
MARKUP = re.compile(r"[^A-Za-z0-9\s,.;:()+%/=-]")


def plain(text: str) -> str:
    """Text for places that engines read as Markdown: every sign that could be markup becomes a character reference.

    >>> plain("<b>*3*</b>")
    '&#60;b&#62;&#42;3&#42;&#60;/b&#62;'
    """
    text = guarded(" ".join(text.split()))
    return MARKUP.sub(lambda m: f"&#{ord(m[0])};" if m[0].isascii() else m[0], text)


def guarded(text: str) -> str:
    """Text in which engines find no shortcode, which would read a file or a variable of the machine that renders.

    Quarto looks for them in raw blocks too, and in titles even where they are character references. `render` takes the guard out again.
    """
    return SHORTCODE.sub(rf"\g<0>{GUARD}", text)


def guarded_markdown(text: str) -> str:
    """Markdown of a notebook in which engines find neither a shortcode nor mathematics, whose library lies on another host.

    Dollars outside code become character references, so `$x$` and amounts of money show as they were typed.

    >>> guarded_markdown("from $4.64 to $5.53, `$HOME`")
    'from &#36;4.64 to &#36;5.53, `$HOME`'
    """
    return guarded(CODE_OR_DOLLAR.sub(lambda m: "&#36;" if m[0] in {"$", "\\$"} else m[0], text))


def front_matter(**keys: Any) -> str:
    """A YAML header; values are written as JSON, which is YAML."""
    lines = [f"{name.replace('_', '-')}: {json.dumps(value, ensure_ascii=False)}" for name, value in keys.items()]
    return "\n".join(["---", *lines, "---"])


def raw_html(html: str) -> str:
    """Markdown that both engines pass through as HTML."""
    longest = max((len(run) for run in re.findall(r"`+", html)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{{=html}}\n{guarded(html)}\n{fence}\n"


def table_html(caption: str, heads: Iterable[str], rows: Iterable[Iterable[str]], *, ident: str = "") -> str:
    """A table of HTML cells; on a phone it becomes a list of rows."""
    heads = list(heads)
    head = "".join(f'<th scope="col">{escape(h)}</th>' for h in heads)
    body = "".join(
        "<tr>"
        + "".join(f'<td data-label="{escape(h)}"><div>{c}</div></td>' for h, c in zip(heads, row, strict=True))
        + "</tr>"
        for row in rows
    )
    name = f' id="{escape(ident)}"' if ident else ""
    return (
        f'<div class="gz-table-wrap"><table class="gz-table gz-stack"{name}><caption>{escape(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )
