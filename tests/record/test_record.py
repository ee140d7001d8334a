from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from gazette.record import Finding, Interval, NotPublished, Number, Record, canonical_json

AS_OF = datetime(2026, 11, 23)  # noqa: DTZ001  UTC without zone


def number(number_id: str = "shop.ctr", **changes: Any) -> Number:
    content: dict[str, Any] = {
        "id": number_id,
        "label": "CTR",
        "value": 0.1,
        "unit": "fraction",
        "metric": "ctr",
        "metric_version": 1,
        "cell": "effects",
        "query": "arms",
        "snapshot": "ab",
        "as_of": AS_OF,
    }
    return Number(**{**content, **changes})


def record(**changes: Any) -> Record:
    content: dict[str, Any] = {
        "subject": "shop",
        "kind": "experiment",
        "title": "Shop",
        "owner": "office",
        "edition": "2026-W47",
        "week_start": date(2026, 11, 16),
        "as_of": AS_OF,
        "snapshot": "ab",
    }
    return Record(**{**content, **changes})


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_a_number_is_never_infinite_or_nan(value: float) -> None:
    with pytest.raises(ValidationError):
        number(value=value)


def test_what_cannot_be_computed_carries_its_reason() -> None:
    assert not number(value=NotPublished(reason="no rows")).published
    with pytest.raises(ValidationError):
        NotPublished(reason="")


def test_an_interval_does_not_run_backwards() -> None:
    with pytest.raises(ValidationError, match="backwards"):
        Interval(low=1, high=0, level=0.95, method="t")


@pytest.mark.parametrize("wrong", ["Shop.ctr", "shop ctr", "../x", "", "shop..ctr", "<b>"])
def test_ids_are_plain(wrong: str) -> None:
    with pytest.raises(ValidationError):
        number(wrong)


def test_n_is_a_count_and_not_a_bool() -> None:
    for wrong in (True, 1.5, -1):
        with pytest.raises(ValidationError):
            number(n=wrong)


def test_records_are_frozen_and_know_no_other_keys() -> None:
    with pytest.raises(ValidationError):
        number().value = 2  # type: ignore[misc]
    with pytest.raises(ValidationError):
        number(colour="red")


def test_a_typed_digit_in_a_sentence_is_refused() -> None:
    with pytest.raises(ValidationError, match="digit '7'"):
        Finding(id="a", rule="r", text="It rose by 7 points.")


def test_digits_inside_references_and_terms_are_fine() -> None:
    finding = Finding(id="a", rule="r", text="{ndcg-5.change|signed} with {=name}.", terms={"name": "v3.2"})
    assert finding.references == ("ndcg-5.change",)


def test_a_term_without_text_is_refused() -> None:
    with pytest.raises(ValidationError, match="has no text"):
        Finding(id="a", rule="r", text="{=name} won.")


def test_a_sentence_about_a_number_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"shop\.gone"):
        record(findings=[Finding(id="a", rule="r", text="It was {shop.gone}.")])


def test_number_ids_are_unique() -> None:
    with pytest.raises(ValidationError, match="twice"):
        record(numbers=[number(), number()])


def test_json_comes_back_as_the_same_record_and_the_same_bytes() -> None:
    first = record(
        numbers=[
            number(interval=Interval(low=0, high=0.2, level=0.95, method="t")),
            number("shop.b", value=NotPublished(reason="ü")),
        ]
    )
    again = Record.from_json(first.to_json())
    assert again == first
    assert again.to_json() == first.to_json()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"subject": 1}', "null"])
def test_half_written_json_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        Record.from_json(text)


def test_canonical_json_refuses_nan() -> None:
    with pytest.raises(ValueError, match="JSON"):
        canonical_json({"a": float("nan")})


def test_looking_up_a_number() -> None:
    assert record(numbers=[number()]).number("shop.ctr").value == 0.1
    with pytest.raises(KeyError):
        record().number("shop.ctr")
