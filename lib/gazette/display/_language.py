"""British or American: our sentences are British, and this is where they become the other."""

from __future__ import annotations

import re
from typing import Literal

__all__ = ["AMERICAN", "Language", "localise"]

Language = Literal["british", "american"]

AMERICAN = {
    "aeroplane": "airplane", "ageing": "aging", "analyse": "analyze", "analysed": "analyzed", "analyses_verb": "analyzes",
    "analysing": "analyzing", "artefact": "artifact", "artefacts": "artifacts", "authorise": "authorize",
    "authorised": "authorized", "behaviour": "behavior", "behaviours": "behaviors", "cancelled": "canceled",
    "catalogue": "catalog", "centre": "center", "centred": "centered", "centres": "centers", "cheque": "check",
    "colour": "color", "coloured": "colored", "colouring": "coloring", "colours": "colors", "customise": "customize",
    "defence": "defense", "dialogue": "dialog", "emphasise": "emphasize", "favour": "favor", "favourable": "favorable",
    "favoured": "favored", "favours": "favors", "favourite": "favorite", "fulfil": "fulfill", "grey": "gray",
    "greyed": "grayed", "honour": "honor", "honours": "honors", "initialise": "initialize", "judgement": "judgment",
    "labelled": "labeled", "labelling": "labeling", "learnt": "learned", "licence": "license", "licences": "licenses",
    "litre": "liter", "maximise": "maximize", "metre": "meter", "metres": "meters", "minimise": "minimize",
    "modelled": "modeled", "modelling": "modeling", "neighbour": "neighbor", "neighbours": "neighbors",
    "normalise": "normalize", "normalised": "normalized", "nought": "zero", "optimise": "optimize",
    "optimised": "optimized", "organisation": "organization", "organisations": "organizations", "organise": "organize",
    "organised": "organized", "per cent": "percent", "practise": "practice", "prioritise": "prioritize",
    "programme": "program", "randomisation": "randomization", "randomise": "randomize", "randomised": "randomized",
    "realise": "realize", "realised": "realized", "recognise": "recognize", "recognised": "recognized",
    "regularise": "regularize", "sceptical": "skeptical", "specialise": "specialize", "standardise": "standardize",
    "standardised": "standardized", "summarise": "summarize", "summarised": "summarized", "synchronise": "synchronize",
    "theatre": "theater", "totalled": "totaled", "towards": "toward", "travelled": "traveled", "unrecognised": "unrecognized",
    "utilisation": "utilization", "utilise": "utilize", "visualise": "visualize", "whilst": "while",
    "winsorise": "winsorize", "winsorised": "winsorized",
}  # fmt: skip
AMERICAN.pop("analyses_verb")  # "analyses" is the plural of a noun on our pages, which both write alike

MONTHS = (
    "January|February|March|April|May|June|July|August|September|October|November|December|"
    "Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec"
)
DASH = "\N{EN DASH}"
WORD = re.compile(rf"\b({'|'.join(sorted(AMERICAN, key=len, reverse=True))})\b", re.IGNORECASE)
SPAN = re.compile(rf"\b0?(\d{{1,2}}){DASH}0?(\d{{1,2}}) ({MONTHS})( \d{{4}})?\b")
DAY = re.compile(rf"\b0?(\d{{1,2}}) ({MONTHS})(?: (\d{{4}}))?\b")
PER_CENT = re.compile("(?<=[0-9])[ \N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}]%(?!\\w)")


def _word(match: re.Match[str]) -> str:
    found = match[0]
    made = AMERICAN[found.lower()]
    return made.upper() if found.isupper() else made[:1].upper() + made[1:] if found[0].isupper() else made


def _span(match: re.Match[str]) -> str:
    year = f",{match[4]}" if match[4] else ""
    return f"{match[3]} {match[1]}{DASH}{match[2]}{year}"


def _day(match: re.Match[str]) -> str:
    return f"{match[2]} {match[1]}" + (f", {match[3]}" if match[3] else "")


def localise(text: str, language: Language) -> str:
    """Plain text of ours in the language of the site: spelling, dates, the space before a per cent sign.

    Thousands, decimals and currency signs are written alike in both. Dates in digits (2026-11-22) stay as they are.

    >>> localise("On 22 November 2026 the colour changed for 2.3 % of users.", "american")
    'On November 22, 2026 the color changed for 2.3% of users.'
    >>> localise("2–8 November 2026", "american")
    'November 2–8, 2026'
    """
    if language == "british":
        return text
    return PER_CENT.sub("%", DAY.sub(_day, SPAN.sub(_span, WORD.sub(_word, text))))
