"""Escapes: no text that people or data wrote reaches an engine as markup."""

from __future__ import annotations

import json
import re
from typing import Any

__all__ = ["front_matter", "plain", "raw_html"]

MARKUP = re.compile(r"[^A-Za-z0-9\s,.;:()+%/=-]")


def plain(text: str) -> str:
    """Text for places that engines read as Markdown: every sign that could be markup becomes a character reference.

    >>> plain("<b>*3*</b>")
    '&#60;b&#62;&#42;3&#42;&#60;/b&#62;'
    """
    return MARKUP.sub(lambda m: f"&#{ord(m[0])};" if m[0].isascii() else m[0], " ".join(text.split()))


def front_matter(**keys: Any) -> str:
    """A YAML header; values are written as JSON, which is YAML."""
    lines = [f"{name.replace('_', '-')}: {json.dumps(value, ensure_ascii=False)}" for name, value in keys.items()]
    return "\n".join(["---", *lines, "---"])


def raw_html(html: str) -> str:
    """Markdown that both engines pass through as HTML."""
    longest = max((len(run) for run in re.findall(r"`+", html)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{{=html}}\n{html}\n{fence}\n"
