"""What a reader takes from the digits is what the number says: signs, ranges, precision."""

from __future__ import annotations

import itertools
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, get_args

import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gazette import display
from gazette.record import REFERENCE, Finding, Interval, Number, Record, Unit
from gazette.sources import FileMetric
from gazette.workbench import AdHoc, AdHocBench, counts_table

if TYPE_CHECKING:
    from pathlib import Path

UNITS = st.sampled_from(get_args(Unit))
CURRENCIES = st.sampled_from(["USD", "EUR", "CHF"])
SIZES = st.builds(lambda m, e: m * 10.0**e, st.floats(1, 9.999), st.integers(-12, 14))
VALUES = st.builds(lambda size, sign: size * sign, SIZES, st.sampled_from([-1, 1]))
LIMIT = "less than "


def number(value: float, unit: Any, low: float, high: float, name: str = "difference") -> Number:
    return Number(
        id=f"t.a.{name}",
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
    return float(exact(text, unit))


def exact(text: str, unit: str) -> Decimal:
    """The same with all its digits, of which a float has no more than sixteen."""
    words = {"million": 10**6, "billion": 10**9}
    factor = Decimal(next((f for w, f in words.items() if w in text), 1)) / (
        100 if unit in {"fraction", "points", "relative"} else 1
    )
    below = text.endswith(" below 0")
    text = text.removeprefix(LIMIT).removeprefix("more than ").removesuffix(" below 0")
    digits = "".join(c for c in text if c in "0123456789.")
    return Decimal(digits) * factor * (-1 if below or "−" in text else 1)


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


def subtracts(texts: tuple[str, str, str], unit: str) -> bool:
    """Whether a reader who takes the first printed figure from the second gets the third, in its digits."""
    start, end, gap = (exact(t, unit) for t in texts)
    digits = texts[2].replace(",", "").partition(".")[2]
    place = Decimal(10) ** -len("".join(c for c in digits if c.isdigit())) * next(
        (f for w, f in {"million": 10**6, "billion": 10**9}.items() if w in texts[2]), 1
    )
    place /= 100 if unit in {"fraction", "points", "relative"} else 1
    return abs(end - start - gap) <= place / 2


@given(
    start=SIZES, gap=VALUES, wide=SIZES, parts=st.tuples(st.floats(0.3, 1), st.floats(0.3, 1)), unit=UNITS, currency=CURRENCIES,
)  # fmt: skip
@example(start=0.01, gap=100000.0, wide=1e-10, parts=(1.0, 1.0), unit="points", currency="USD")
@example(start=0.0974, gap=0.016856, wide=0.0044, parts=(0.4, 0.5), unit="fraction", currency="USD")
@example(start=47.894, gap=-0.075, wide=3.3, parts=(0.5, 0.5), unit="money", currency="USD")
@example(start=1234.0, gap=1198.0, wide=1100.0, parts=(0.5, 0.5), unit="number", currency="USD")
def test_figures_that_do_not_subtract_as_printed_are_said_to_be_rounded(
    start: float, gap: float, wide: float, parts: tuple[float, float], unit: Any, currency: str
) -> None:
    end = start + gap
    if abs(end - start - gap) > 1e-10 * max(start, abs(end)) or not abs(gap) > 1e-6 * start or wide < 1e-9 * start:
        return  # no difference that a float can hold
    halves = (parts[0] * wide, parts[1] * wide)
    figures = [
        number(v, unit, v - h, v + h, name)
        for name, v, h in zip(("control", "treatment"), (start, end), halves, strict=True)
    ]
    change = number(gap, unit, gap - wide, gap + wide)
    forms = ("", "", "signed")
    texts: Any = tuple(
        display.format_number(n, f, currency=currency) for n, f in zip((*figures, change), forms, strict=True)
    )
    said = display.plain_sentence(
        Finding(id="t.f", rule="r", text="It was {t.a.treatment} and {t.a.control}: {t.a.difference|signed}."),
        {n.id: n for n in (*figures, change)},
        currency=currency,
    )
    assert said.startswith(f"It was {texts[1]} and {texts[0]}: {texts[2]}")
    if not any("than" in t for t in texts):
        assert subtracts(texts, unit) != said.endswith(f"({display.ROUNDED})."), said
    else:
        assert not said.endswith(f"({display.ROUNDED})."), "a limit claims no digits"


def test_an_adjusted_difference_is_not_said_to_be_rounded() -> None:
    figures = [number(0.10, "fraction", 0.08, 0.12, "control"), number(0.13, "fraction", 0.11, 0.15, "treatment")]
    assert not display.apart_in_print(number(0.0204, "points", 0.0104, 0.0304), figures)


@given(low=VALUES, width=SIZES, part=SIZES, currency=CURRENCIES)
@example(low=14100.0, width=9800.0, part=2350.0, currency="USD")
@example(low=14149.0, width=9800.0, part=2350.0, currency="USD")
def test_a_range_less_a_figure_that_does_not_subtract_as_printed_is_said_to_be_rounded(
    low: float, width: float, part: float, currency: str
) -> None:
    high = low + width
    if width < 1e-9 * max(abs(low), part):
        return  # no range that a float can hold
    middle = (low + high) / 2
    whole, net = number(middle, "money", low, high), number(middle - part, "money", low - part, high - part)
    cost = number(part, "money", part, part).model_copy(update={"interval": None})
    ends = {n: [display.format_number(m, f, currency=currency) for f in ("low", "high")] for n, m in (("whole", whole), ("net", net))}  # fmt: skip
    price = display.format_number(cost, currency=currency)
    told = display.range_apart_in_print(net, whole, cost, currency=currency)
    pairs = [(a, b) for a, b in zip(*ends.values(), strict=True) if not any("than" in t for t in (a, b, price))]
    assert told == (not all(subtracts((price, a, b), "money") for a, b in pairs))


def test_every_row_of_costs_of_the_demo_subtracts_or_says_that_its_figures_are_rounded(built: Path) -> None:
    seen = 0
    for path in sorted(built.glob("editions/2026-W*/records/executive.json")):
        numbers = {n.id: n for n in Record.from_json(path.read_bytes()).numbers}
        page = (path.parents[1] / "site" / "index.html").read_text()
        for name, net in numbers.items():
            if not name.endswith(".net") or not name.startswith("executive.") or not net.published:
                continue
            whole, cost = (numbers[name.replace(".net", f".{x}")] for x in ("benefit", "cost"))
            cell = page.partition(f'data-number="{name}"')[2].partition("</td>")[0]
            right = all(
                subtracts(
                    tuple(display.format_number(n, f) for n, f in ((cost, ""), (whole, form), (net, form))), "money"
                )  # type: ignore[arg-type]
                for form in ("low", "high")
            )
            assert display.format_number(net, "interval") in cell
            assert right != (display.ROUNDED in cell), name
            seen += 1
    assert seen


def test_every_sentence_and_panel_of_the_demo_subtracts_or_says_that_its_figures_are_rounded(built: Path) -> None:
    """Of three editions, written anew from their records."""
    seen = {True: 0, False: 0}
    for path in sorted(built.glob("editions/2026-W*/records/*.json")):
        record = Record.from_json(path.read_bytes())
        numbers = {n.id: n for n in record.numbers}
        panels = [(v.reason, v) for v in record.verdicts if v.primary]
        for finding, verdict in [*((f, None) for f in record.findings), *panels]:
            said, cut = display.plain_sentence(finding, numbers), 0
            refs = [m for m in REFERENCE.finditer(finding.text) if m["id"]]
            for ref in refs:
                text = display.format_number(numbers[ref["id"]], ref["form"] or "")
                cut = said.index(text, cut) + len(text)
                plain = [numbers[m["id"]] for m in refs if not m["form"] and numbers[m["id"]].published]
                gap = numbers[ref["id"]]
                for a, b in itertools.permutations(plain, 2):
                    if ref["form"] != "signed" or abs(b.value - a.value - gap.value) > 1e-9 * abs(a.value):  # type: ignore[operator]
                        continue
                    right = subtracts((display.format_number(a), display.format_number(b), text), a.unit)
                    assert right != said[cut:].startswith(f" ({display.ROUNDED})"), said
                    seen[right] += 1
                    if verdict is not None:
                        html = display.panel(
                            verdict, numbers, arms=[("A", a), ("B", b)], difference=gap, relative=None, sure=""
                        ).html
                        assert right != (f"Difference, {display.ROUNDED}" in html)
    assert min(seen.values()) > 1, seen


def test_a_row_of_every_metric_subtracts_or_says_that_its_figures_are_rounded() -> None:
    ask = AdHoc(
        title="Counts", control="blue", metrics=(FileMetric("rate", "proportion", ""),), now=datetime(2026, 11, 23),  # noqa: DTZ001
        shares={}, guardrails={}, lower=frozenset(), minimum=0.01, method="fixed", planned=20000,
    )  # fmt: skip
    seen = set()
    for green in range(11000, 11011):
        bench = AdHocBench(ask, {"arms": counts_table("rate", {"blue": (9740, 100070), "green": (green, 100090)})})
        (row,) = bench.scorecard().frame.to_dict("records")
        text, _, more = row["difference_shown"].partition(", ")
        right = subtracts((row["control_shown"], row["treatment_shown"], text), "fraction")
        assert more == ("" if right else display.ROUNDED)
        seen.add(right)
    assert len(seen) == 2
