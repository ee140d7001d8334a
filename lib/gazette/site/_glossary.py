"""The glossary of an edition: words that Gazette ships, and those of the company."""

from __future__ import annotations

from functools import cache
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING

import yaml

from gazette.params import GlossaryFile
from gazette.site._text import front_matter, raw_html

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gazette.params import Term

__all__ = ["glossary_page", "glossary_terms", "inline_words"]


@cache
def _shipped() -> GlossaryFile:
    text = (files("gazette.site") / "glossary.yml").read_text(encoding="utf-8")
    return GlossaryFile.model_validate(yaml.safe_load(text))


def glossary_terms(own: GlossaryFile) -> list[Term]:
    """All words, in alphabetical order; an own word replaces the shipped one of its id or of its spelling."""
    chosen = {t.id: t for t in own.terms}
    spelt = {w.casefold() for t in own.terms for w in (t.term, *t.also)}
    for term in _shipped().terms if own.shipped else ():
        if term.id not in chosen and term.term.casefold() not in spelt:
            chosen[term.id] = term
    return sorted(chosen.values(), key=lambda t: (t.term.casefold(), t.id))


def inline_words(terms: Sequence[Term]) -> Mapping[str, Term]:
    """What is explained inside texts: each form, as written, to its word."""
    return {form: term for term in terms if term.inline for form in (term.term, *term.also)}


def glossary_page(terms: Sequence[Term]) -> str:
    """The page, each word with an anchor."""
    rows = "".join(f'<dt id="{escape(t.id)}">{escape(t.term)}</dt><dd>{escape(t.definition)}</dd>' for t in terms)
    body = f'<dl class="gz-glossary">{rows}</dl>' if terms else "<p>No word is explained in this edition.</p>"
    lead = "<p>Words as this publication uses them. On other pages a word with a dotted line explains itself.</p>"
    return f"{front_matter(title='Glossary', toc=False)}\n\n{raw_html(lead + body)}"
