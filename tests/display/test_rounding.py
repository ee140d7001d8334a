"""What a reader takes from the digits is what the number says: signs, ranges, precision."""

from __future__ import annotations

from datetime import datetime
from typing import Any, get_args

import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gazette import display
from gazette.record import Interval, Number, Unit

UNITS = st.sampled_from(get_args(Unit))
CURRENCIES = st.sampled_from(["USD", "EUR", "CHF"])
SIZES = st.builds(lambda m, e: m * 10.0**e, st.floats(1, 9.999), st.integers(-12, 14))
VALUES = st.builds(lambda size, sign: size * sign, SIZES, st.sampled_from([-1, 1]))
LIMIT = "less than "


def number(value: float, unit: Any, low: float, high: float) -> Number:
    return Number(
        id="t.a.difference",
        label="A",
        value=value,
        unit=unit,
        interval=Interval(low=low, high=high, level=0.95, method="t"),
        metric="m",
        metric_version=1,
        cell="c",
        query=None,
        snapshot="s",
        as_of=datetime(2026, 11, 23),  # noqa: DTZ001
    )


def read(text: str, unit: str) -> float:
    """What a reader takes from a text, in the unit."""
    words = {"million": 1e6, "billion": 1e9}
    factor = next((f for w, f in words.items() if w in text), 1.0) / (
        100 if unit in {"fraction", "points", "relative"} else 1
    )
    below = text.endswith(" below 0")
    text = text.removeprefix(LIMIT).removeprefix("more than ").removesuffix(" below 0")
    digits = "".join(c for c in text if c in "0123456789.")
    return float(digits) * factor * (-1 if below or "−" in text else 1)


def sign(value: float) -> int:
    return (value > 0) - (value < 0)


@given(value=VALUES, unit=UNITS, currency=CURRENCIES, signed=st.booleans())
@example(value=-1e-9, unit="number", currency="USD", signed=False)
@example(value=0.0004, unit="money", currency="USD", signed=False)
@example(value=0.2, unit="count", currency="USD", signed=False)
def test_what_is_not_nought_is_not_shown_as_nought(value: float, unit: Any, currency: str, signed: bool) -> None:
    text = display.format_value(value, unit, currency=currency, signed=signed)
    assert sign(read(text, unit)) == sign(value), text
    assert "-" not in text
    if not text.startswith((LIMIT, "more than ")):
        assert read(text, unit) == pytest.approx(value, rel=0.051, abs=0.51e-4), text  # four decimals


@given(low=VALUES | st.just(0.0), width=SIZES, at=st.floats(0, 1), unit=UNITS, currency=CURRENCIES)
@example(low=0.0004, width=2.0, at=0.5, unit="points", currency="USD")
@example(low=-0.02, width=1000.0, at=0.5, unit="money", currency="USD")
@example(low=1e-9, width=0.5, at=0.0, unit="number", currency="USD")
@example(low=-4000.0, width=5e6, at=0.2, unit="money", currency="EUR")
@example(low=0.1912, width=0.0176, at=0.5, unit="count", currency="USD")
@example(low=0.0121, width=0.0004, at=0.5, unit="money", currency="USD")
@example(low=1234467.0, width=200.0, at=0.5, unit="money", currency="USD")
@example(low=-7.3, width=7.3, at=0.5, unit="minutes", currency="USD")
def test_a_range_reads_as_it_is(low: float, width: float, at: float, unit: Any, currency: str) -> None:
    high = low + width
    if not low < high or width < 1e-9 * abs(low):
        return  # no range that a float can hold
    value = low + at * width
    one = number(value, unit, low, high)
    texts = {form: display.format_number(one, form, currency=currency) for form in ("low", "high", "", "interval")}
    for form, end in (("low", low), ("high", high)):
        assert sign(read(texts[form], unit)) == sign(end), texts
    if low > 0 or high < 0:
        assert sign(read(texts[""], unit)) == sign(value), texts
    excludes = not read(texts["low"], unit) <= 0 <= read(texts["high"], unit)
    assert excludes == (not low <= 0 <= high), texts
    shown, half = 100 if unit in {"fraction", "points", "relative"} else 1, width / 2
    if half * shown > 1e-8:
        for form, end in (("low", low), ("high", high), ("", value)):
            if not texts[form].startswith((LIMIT, "more than ")):
                assert abs(read(texts[form], unit) - end) <= 0.5001 * half + 1e-12 * abs(end), (texts, form)
        assert texts["low"] != texts["high"], texts


@given(low=VALUES, width=SIZES, unit=UNITS)
def test_sizes_of_ends_are_those_of_the_range(low: float, width: float, unit: Any) -> None:
    one = number(low + width / 2, unit, low, low + width)
    assert sign(read(display.format_number(one, "nearest"), unit)) == sign(min(abs(low), abs(low + width)))


def test_a_share_that_is_not_certain_is_not_shown_as_certain() -> None:
    assert display.format_value(1 - 1e-9, "fraction") == "more than 99.9999 %"
    assert display.format_value(1.0, "fraction") == "100 %"


def test_things_that_are_counted_have_no_tenths() -> None:
    assert display.format_number(number(12, "count", 10, 15)) == "12"
    assert display.format_value(3.5, "count") == "3.5"
    assert display.format_value(523944.0, "count") == "523,944"


def test_tables_show_digits_by_the_range_of_their_row() -> None:
    frame = pd.DataFrame({"value": [0.2, None, 0.5], "low": [-0.0000004, None, 0.4], "high": [0.4, None, None]})
    columns = {c: display.Column(c, "points", signed=True, ends=("low", "high")) for c in frame.columns}
    _, rows = display.table(frame, "t", "T", columns).plain()
    one = number(0.2, "points", -0.0000004, 0.4)
    low, high = (display.format_number(one, form) for form in ("low", "high"))
    assert rows[0] == [display.format_number(one, "signed"), low, high]
    assert low == "less than 0.0001 points below 0"
    assert rows[1] == ["–", "–", "–"]
    assert rows[2] == ["+50 points", "+40 points", "–"]
