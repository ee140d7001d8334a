"""British and American; and numbers whose digits their ranges support, for any number."""

from __future__ import annotations

import ast
import json
import math
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazette.display import AMERICAN, format_value, localise

REPOSITORY = Path(__file__).parents[2]
# What British spelling looks like, apart from the list under test; and words that only look so.
LOOKS_BRITISH = re.compile(
    r"\b\w*(?:[^aeiou]our(?:s|ed|ing|able|ite|ful)?|[^aeiouy]ys(?:e|ed|ing)|[a-z]{3}is(?:e|ed|ing|ation|ations)|[a-z]tre|logue|"
    r"elled|elling|aelled|ence_)\b|\b(?:grey|greyed|nought|learnt|whilst|ageing|judgement|sceptical|towards|artefacts?|licences?)\b"
)
ALIKE = frozenset(
    [
        "hour",
        "hours",
        "four",
        "your",
        "our",
        "pour",
        "tour",
        "flour",
        "sour",
        "your",
        "yours",
        "ours",
        "otherwise",
        "likewise",
        "rise",
        "arise",
        "precise",
        "raise",
        "raised",
        "raising",
        "noise",
        "promise",
        "promised",
        "exercise",
        "wise",
        "advise",
        "revise",
        "supervise",
        "surprise",
        "comprise",
        "comprised",
        "compromise",
        "enterprise",
        "expertise",
        "premise",
        "concise",
        "disguise",
        "praise",
        "merchandise",
        "excellence",
        "raises",
        "advised",
        "arising",
        "rising",
        "promising",
        "compromised",
        "franchise",
    ]
)


def sentences() -> set[str]:
    """Words of every text in the code, the templates and the pages that Gazette itself writes."""
    texts: list[str] = []
    for path in (REPOSITORY / "lib" / "gazette").rglob("*.py"):
        room = path.relative_to(REPOSITORY / "lib" / "gazette").parts[0]
        if room in {"conclusions", "display", "workbench", "site"} and path.name != "_language.py":
            tree = ast.parse(path.read_text())
            docs = {
                id(node.body[0].value)
                for node in ast.walk(tree)
                if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef))
                and node.body
                and isinstance(node.body[0], ast.Expr)
            }
            texts += [
                n.value
                for n in ast.walk(tree)
                if isinstance(n, ast.Constant) and isinstance(n.value, str) and id(n) not in docs and " " in n.value
            ]
    for path in (REPOSITORY / "notebooks").glob("*.ipynb"):
        texts += [c["source"] for c in json.loads(path.read_text())["cells"] if c["cell_type"] == "markdown"]
    for path in [*(REPOSITORY / "reports").glob("*.qmd"), REPOSITORY / "lib/gazette/site/glossary.yml"]:
        texts.append(path.read_text())
    texts += [p.read_text() for p in (REPOSITORY / "params").rglob("*.yml")]
    return {word for text in texts for word in re.findall(r"[a-z]+", text.lower())}


def test_the_list_has_every_british_word_that_we_use() -> None:
    words = sentences()
    assert len(words) > 1000
    british = {w for w in words if LOOKS_BRITISH.fullmatch(w)} - ALIKE
    assert sorted(british - set(AMERICAN)) == []


def test_the_list_maps_british_to_american_and_never_on_again() -> None:
    for british, american in AMERICAN.items():
        assert british != american
        assert american not in AMERICAN, "a second pass must change nothing"
        assert localise(british.capitalize(), "american") == american.capitalize()


@pytest.mark.parametrize(
    ("british", "american"),
    [
        ("22 November 2026", "November 22, 2026"),
        (
            "Data that had arrived by 03 November 2026, 00:00 UTC",
            "Data that had arrived by November 3, 2026, 00:00 UTC",
        ),
        ("16–22 November 2026", "November 16–22, 2026"),
        ("28 December 2026 – 3 January 2027", "December 28, 2026 – January 3, 2027"),
        ("30 November – 6 December 2026", "November 30 – December 6, 2026"),
        ("since 22 Nov 14:00", "since Nov 22 14:00"),
        ("+2.3 % (1 to 4 %)", "+2.3% (1 to 4%)"),
        ("two per cent; Per cent", "two percent; Percent"),
        ("COLOUR Behaviour grey", "COLOR Behavior gray"),
        ("2026-11-22 and $1,234.50", "2026-11-22 and $1,234.50"),
        ("four hours of precise noise", "four hours of precise noise"),
        ("it may be 5 or 6; 3 maybe", "it may be 5 or 6; 3 maybe"),
    ],
)
def test_spelling_dates_and_per_cent_signs(british: str, american: str) -> None:
    assert localise(british, "american") == american
    assert localise(american, "american") == american
    assert localise(british, "british") == british


UNITS = st.sampled_from(["fraction", "points", "relative", "score", "money", "hours", "ms", "number", "count"])
SIZES = st.floats(min_value=-1e11, max_value=1e11, allow_nan=False).filter(lambda v: v == 0 or abs(v) > 1e-6)
WORDS = {" million": 1e6, " billion": 1e9}


def read(text: str) -> tuple[float, float]:
    """The number that a text says, and the size of its last digit, in the unit as written."""
    scale = next((s for word, s in WORDS.items() if word in text), 1.0)
    digits = re.search(r"\d[\d,]*(?:\.\d+)?", text)
    assert digits, text
    value = float(digits[0].replace(",", "")) * scale
    decimals = len(digits[0].partition(".")[2])
    return (-value if text.startswith("−") else value), scale * 10.0**-decimals


@given(value=SIZES, spread=st.floats(min_value=1e-4, max_value=1e9), unit=UNITS)
def test_what_is_shown_is_the_value_to_within_what_its_range_supports(value: float, spread: float, unit: Any) -> None:
    factor = 100.0 if unit in {"fraction", "points", "relative"} else 1.0
    if unit == "fraction":
        value = min(1.0, abs(value))
    shown = format_value(value, unit, spread=spread)
    said, _ = read(shown)
    large = abs(value) >= 1e6 and unit == "money"
    finest = 0.5e-4 if not large else 0.5e-2 * (1e9 if abs(value) >= 1e9 else 1e6)
    whole = 0.5 if unit == "count" or (unit == "money" and (abs(value) >= 1e3 or spread >= 10)) else 0.0
    cent = 0.005 if unit == "money" else 0.0
    # Two digits of the half-width: rounding moves a value by at most a twentieth of it. Where that would give a percentage more
    # than two decimals, one digit: by at most a half.
    part = 0.501 if unit == "fraction" and spread * factor < 0.1 else 0.0501
    assert abs(said - value * factor) <= max(
        part * spread * factor, finest * 1.001, whole * 1.001, cent * 1.001
    ) + 1e-9 * abs(value * factor)


@given(
    value=SIZES,
    spread=st.floats(min_value=100, max_value=1e9),
    unit=st.sampled_from(["money", "ms", "number", "count"]),
)
def test_no_digit_is_shown_that_a_wide_range_does_not_support(value: float, spread: float, unit: Any) -> None:
    said, _ = read(format_value(value, unit, spread=spread))
    step = 10.0 ** (math.floor(math.log10(spread)) - 1)
    if unit == "money" and abs(value) >= 1e6:
        return  # in words of millions, with at most two decimals
    assert abs(said / step - round(said / step)) < 1e-6


@given(value=SIZES, unit=UNITS, spread=st.none() | st.floats(min_value=1e-4, max_value=1e6))
def test_signs_are_right_and_nought_has_none(value: float, unit: Any, spread: float | None) -> None:
    shown = format_value(value, unit, signed=True, spread=spread)
    assert "nan" not in shown
    if shown.startswith("less than"):
        assert shown.endswith("below 0") == (value < 0), "words say the side"
    elif any(c in "123456789" for c in shown):
        assert shown.startswith("−" if value < 0 else "+")
    else:
        assert not shown.startswith(("−", "+"))


@given(value=st.floats(min_value=0.99, max_value=0.99999), spread=st.none() | st.floats(min_value=1e-6, max_value=0.5))
def test_what_is_not_certain_is_never_shown_as_certain(value: float, spread: float | None) -> None:
    assert format_value(value, "fraction", spread=spread) not in {"100 %", "100.0 %", "100.00 %"}
