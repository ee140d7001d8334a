from __future__ import annotations

import csv
import io
import json
from datetime import datetime
from typing import Any

import pandas as pd
import pytest

from gazette import display
from gazette.display import Column
from gazette.record import Finding, Interval, NotPublished, Number, Record, Verdict

EVIL = '<script>alert("x")</script>'
AS_OF = datetime(2026, 11, 23)  # noqa: DTZ001


def number(
    value: Any = 0.5, unit: Any = "fraction", interval: tuple[float, float] | None = None, **more: Any
) -> Number:
    kept = Interval(low=interval[0], high=interval[1], level=0.95, method="t") if interval else None
    content = {
        "id": "t.a",
        "label": "A",
        "metric": "m",
        "metric_version": 1,
        "cell": "c",
        "query": None,
        "snapshot": "s",
        "as_of": AS_OF,
    }
    return Number(value=value, unit=unit, interval=kept, **{**content, **more})


@pytest.mark.parametrize(
    ("value", "unit", "interval", "shown"),
    [
        (0.0234, "fraction", None, "2.34 %"),
        (0.5, "fraction", None, "50 %"),
        (0.1, "fraction", (0.08, 0.12), "10.0 %"),
        (7, "days", None, "7 days"),
        (62500, "count", None, "62,500"),
        (-1234567, "money", (-1334567, -1134567), "−$1.23 million"),
        (12.5, "money", None, "$12.50"),
        (1465, "money", (-8, 2939), "$1,500"),
        (0.0, "fraction", None, "0 %"),
        (-0.00001, "score", (-0.01, 0.01), "0.000"),
        (1e-9, "number", None, "less than 0.0001"),
        (float(10**12), "count", None, "1,000,000,000,000"),
    ],
)
def test_values_show_as_many_digits_as_their_interval_supports(
    value: float, unit: Any, interval: Any, shown: str
) -> None:
    assert display.format_number(number(value, unit, interval)) == shown


def test_signs_and_ranges() -> None:
    gap = number(0.0017, "points", (-0.0003, 0.0034))
    assert display.format_number(gap, "signed") == "+0.17 points"
    assert display.format_number(gap, "interval") == "−0.03 to +0.34 points"
    assert display.format_number(number(0.01, "points", (0.005, 0.015)), "interval") == "0.50 to 1.50 points"
    assert display.format_number(number(-5.0, "money", (-9, -1)), "abs") == "$5.00"


def test_what_is_not_published_shows_its_reason_and_no_digit() -> None:
    assert display.format_number(number(NotPublished(reason="no rows"))) == "not published (no rows)"


def test_unknown_forms_are_refused() -> None:
    with pytest.raises(ValueError, match="unknown form"):
        display.format_number(number(), "loud")
    with pytest.raises(ValueError, match="no interval"):
        display.format_number(number(), "interval")


def test_currencies() -> None:
    assert display.format_value(5, "money", currency="EUR") == "€5.00"
    assert display.format_value(5, "money", currency="CHF") == "CHF 5.00"


def record(**changes: Any) -> Record:
    content: dict[str, Any] = {
        "subject": "t",
        "kind": "model",
        "title": EVIL,
        "owner": EVIL,
        "edition": "2026-W47",
        "week_start": "2026-11-16",
        "as_of": AS_OF,
        "snapshot": "s",
    }
    return Record(**{**content, **changes})


def evil_pieces() -> list[str]:
    bad = number(label=EVIL, note=EVIL, cell=EVIL, query=EVIL)
    finding = Finding(id="f", rule=EVIL.replace('"x"', "x"), text="<b> {=name} <b> {t.a} <b>", terms={"name": EVIL})
    verdict = Verdict(
        metric="m", state="benefit shown", rule=EVIL, action="ship", action_rule=EVIL, reason=finding, advice=finding
    )
    frame = pd.DataFrame({"a": [EVIL], "b": [1.0]})
    return [
        display.number_span(bad),
        display.sentence(finding, {"t.a": bad}),
        display.findings(record(numbers=[bad], findings=[finding])).html,
        display.panel(
            verdict, {"t.a": bad}, arms=[(EVIL, bad)], difference=bad, relative=bad, sure=EVIL, currency=EVIL
        ).html,
        display.progress([(EVIL, 0.5, EVIL)]).html,
        display.page(EVIL, [display.facts({EVIL: EVIL})], lead=[EVIL], data=EVIL)
        .replace('<script type="application/json" id="record">', "", 1)
        .replace("</script></main>", "", 1),
        display.cards([(bad, "", "")]).html,
        display.cards([(number(NotPublished(reason=EVIL)), "", "")]).html,
        display.facts({EVIL: EVIL}).html,
        display.table(frame, EVIL, EVIL, {"a": Column(EVIL), "b": Column("B", "count")}).to_html(),
        display.table(frame, EVIL, EVIL, {"a": Column(EVIL)}, folded=True).to_html(),
        display.chart({"data": {"values": [{"a": EVIL}]}}, EVIL, EVIL)
        ._repr_html_()
        .replace('<script type="application/json">', "", 1)
        .replace("</script><figcaption>", "", 1),
    ]


@pytest.mark.parametrize("piece", range(len(evil_pieces())))
def test_no_text_becomes_markup(piece: int) -> None:
    html = evil_pieces()[piece]
    assert "<script" not in html
    assert "</script" not in html
    assert "alert(" in html, "the text itself must still be there"
    assert "<b>" not in html


def test_a_chart_s_specification_is_json_without_angle_brackets() -> None:
    html = display.chart({"data": {"values": [{"a": "</script><!--{{< include x >}}"}]}}, "c", "A chart")._repr_html_()
    text = html.split('type="application/json">')[1].split("</script>")[0]
    assert "<" not in text
    assert json.loads(text)["data"]["values"][0]["a"] == "</script><!--{{< include x >}}"


def test_a_table_rounds_for_readers_and_gives_full_values_for_download() -> None:
    frame = pd.DataFrame({"a": ["x"], "b": [1 / 3], "c": ["<i>1</i>"], "d": [float("nan")]})
    columns = {"a": Column("A"), "b": Column("B", "fraction"), "c": Column("C", html=True), "d": Column("D", "count")}
    made = display.table(frame, "t", "T", columns)
    data, metadata = made._repr_mimebundle_()
    assert "33.3 %" in data["text/html"]
    assert "nan" not in data["text/html"].lower()
    assert "–" in data["text/html"]
    assert data["text/csv"].splitlines()[0] == "a,b,d", "a column of HTML is not data"
    assert "0.3333333333333333" in data["text/csv"]
    assert metadata == {"gazette.name": "t"}


def test_text_of_a_download_that_begins_as_a_formula_is_text_and_numbers_stay() -> None:
    frame = pd.DataFrame({"a": ["=1+1", "@b", "-b", "+1", "-0.5 %", None], "=b": [-1.5, 2, 3, 4, 5, 6]})
    frame["c"] = pd.Categorical(["=c"] * 6)
    made, _ = display.table(frame, "t", "T", {c: Column(c) for c in frame})._repr_mimebundle_()
    rows = [*csv.reader(io.StringIO(made["text/csv"]))]
    assert rows[0] == ["a", "'=b", "c"]
    assert [row[0] for row in rows[1:]] == ["'=1+1", "'@b", "'-b", "+1", "-0.5 %", ""]
    assert {row[2] for row in rows[1:]} == {"'=c"}
    assert rows[1][1] == "-1.5"


def test_a_verdict_is_a_word_and_an_icon_and_not_only_a_colour() -> None:
    for state in (
        "benefit shown",
        "harm shown",
        "not resolved",
        "not trustworthy",
        "no worthwhile benefit",
        "not published",
    ):
        chip = display.chip(state)
        assert state[1:] in chip
        assert "aria-hidden" in chip


def test_plain_sentences_hold_no_markup() -> None:
    finding = Finding(id="f", rule="r", text="{=name}: {t.a|signed}.", terms={"name": "A & B"})
    assert display.plain_sentence(finding, {"t.a": number(0.1)}) == "A & B: +10 %."
