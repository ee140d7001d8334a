"""Wordings that readers take for more than the numbers say; each is found by a named rule."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["Misreading", "misreadings"]

QUOTED = re.compile(r"“[^”]{1,200}”|‘[^’]{1,200}’|«[^»]{1,200}»|(?<!\w)\"[^\"]{1,200}\"|`[^`]{1,200}`")
PER_CENT = r"(?:\s?%|\s?per\s?cent)"
NUMBER = r"[+\-\N{MINUS SIGN}]?\d[\d,]*(?:\.\d+)?"
HEDGE = re.compile(r"\b(?:not|never|cannot|may|might|could|whether|if|nothing|nor|no)\b[^.;:]{0,40}$", re.IGNORECASE)
TESTED = re.compile(r"\b(?:test|tests|tested|experiment|experiments|randomi[sz]ed|hold-?out)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Misreading:
    """A wording that misleads.

    Attributes:
        rule: Its name.
        text: The words that were found.
        mend: What to write instead.
    """

    rule: str
    text: str
    mend: str


@dataclass(frozen=True)
class _Rule:
    name: str
    pattern: re.Pattern[str]
    mend: str
    hedged: bool = False
    leadership: bool = False
    untested: bool = False


RULES = (
    _Rule(
        "sure-percent",
        re.compile(
            rf"\d{PER_CENT}\s+(?:sure|certain|certainty|confident|confidence\s+that)\b"
            rf"|\b(?:sure|certain|confident)\s+(?:to|at|by)\s+\d+(?:\.\d+)?{PER_CENT}"
            rf"|\d{PER_CENT}\s+(?:chance|probability)\s+that\s+the\s+(?:true|real)\b",
            re.IGNORECASE,
        ),
        "a level belongs to how ranges are made: 'a range made this way holds the true value in about 95 of 100 tests'",
    ),
    _Rule(
        "proves",
        re.compile(r"\b(?:proves?|proved|proven|is\s+proof|are\s+proof)\b", re.IGNORECASE),
        "write 'shows' or 'suggests', with the range; data never prove",
        hedged=True,
    ),
    _Rule(
        "no-effect",
        re.compile(
            r"\b(?:no|zero|without\s+any)\s+(?:effect|impact|difference|influence)\b"
            r"(?!\s+(?:is|was|has\s+been|can\s+be|could\s+be|may\s+be|to\s+be)?\s*(?:shown|seen|read|found|resolved|published|stated|detected))",
            re.IGNORECASE,
        ),
        "write 'no effect shown' and the range of effects that stay possible",
        hedged=False,
    ),
    _Rule(
        "statistically-significant",
        re.compile(r"\bstatistical(?:ly)?\s+(?:in)?significan(?:t|ce)\b|\bsignificant\s+at\b|\bp\s?[<=]\s?0?\.\d", re.IGNORECASE),
        "leadership reads 'shown' or 'not shown' and the range; keep tests of significance for the deep-dives",
        leadership=True,
    ),
    _Rule(
        "percent-of-points",
        re.compile(
            rf"\d{PER_CENT}\s*(?:of\s+|-)?(?:points?|pp)\b"
            rf"|\bpoints?\s*(?:\(\s*%\s*\)|%)|\d\s?(?:points|pp)\s?(?:%|per\s?cent)",
            re.IGNORECASE,
        ),
        "write 'percentage points' for a difference of shares, 'per cent' for a relative change, never both",
    ),
    _Rule(
        "cause-untested",
        re.compile(
            r"\b(?:caused|causes|led\s+to|drove|brought\s+about|thanks\s+to|is\s+responsible\s+for|was\s+responsible\s+for)\b",
            re.IGNORECASE,
        ),
        "no test compares the two here: say what coincided, or name the test that shows the cause",
        hedged=True,
        untested=True,
    ),
)  # fmt: skip
RANGED = re.compile(
    rf"(?P<value>{NUMBER})\s?(?:%|per\s?cent|points)?\s*"
    rf"(?:±\s?(?P<half>{NUMBER})|\(\s*(?P<low>{NUMBER})\s?(?:%|points)?\s+to\s+(?P<high>{NUMBER}))"
)
LONE = re.compile(rf"(?<![\d.]){NUMBER}{PER_CENT}")
MOST_DECIMALS = 2


def misreadings(
    text: str, *, leadership: bool = False, tested: bool = True, typed: bool = True
) -> Iterator[Misreading]:
    """Wordings of a text that mislead; what is quoted is spoken of, not said.

    Args:
        text: Plain text.
        leadership: Whether leaders read it: then words of statistics count too.
        tested: Whether a randomised comparison stands behind it: else claims of a cause count too.
        typed: Whether a person wrote it: then lone per cents with many decimals count too. Where numbers write
            themselves, as on pages, their digits follow their ranges already.
    """
    said = QUOTED.sub(lambda m: " " * len(m[0]), text)
    for rule in RULES:
        if (rule.leadership and not leadership) or (rule.untested and (tested or TESTED.search(said))):
            continue
        for match in rule.pattern.finditer(said):
            before = said[: match.start()]
            if rule.hedged and HEDGE.search(before):
                continue
            if rule.name == "no-effect" and re.search(
                r"\b(?:if|under|were|assuming|nor|not)\b[^.;]{0,30}$", before, re.IGNORECASE
            ):
                continue
            yield Misreading(rule.name, " ".join(match[0].split()), rule.mend)
    yield from _too_precise(said, lone=typed)


def _decimals(number: str) -> int:
    return len(number.partition(".")[2])


def _value(number: str) -> float:
    return float(number.replace(",", "").replace("\N{MINUS SIGN}", "-"))


def _too_precise(text: str, *, lone: bool) -> Iterator[Misreading]:
    """A value with more digits than its own range supports (two digits of the half-width), or than anyone reads."""
    covered: list[tuple[int, int]] = []
    for match in RANGED.finditer(text):
        half = abs(_value(match["half"])) if match["half"] else abs(_value(match["high"]) - _value(match["low"])) / 2
        covered.append(match.span())
        supported = next((d for d in range(9) if half * 10**d >= 10), 9) if half else 9  # noqa: PLR2004  two digits of it
        if _decimals(match["value"]) > supported:
            yield Misreading(
                "false-precision",
                match[0],
                f"its range supports {supported} decimal{'s' * (supported != 1)}; round to that",
            )
    for match in LONE.finditer(text) if lone else ():
        inside = any(start <= match.start() < end for start, end in covered)
        digits = re.match(NUMBER, match[0])
        if (
            not inside
            and digits
            and _decimals(digits[0]) > MOST_DECIMALS
            and not digits[0].lstrip("+-\N{MINUS SIGN}").startswith(("99.9", "0.00"))
        ):
            yield Misreading(
                "false-precision", match[0], "two decimals of a per cent are the most that a reader can use"
            )
