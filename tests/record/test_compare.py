"""Comparing two records of a subject."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest

from gazette.record import (
    Finding,
    Interval,
    NotPublished,
    Number,
    Record,
    Tolerance,
    Verdict,
    compare_records,
)

NOON = datetime(2026, 11, 23, 12)  # noqa: DTZ001


def number(name: str, value: float | NotPublished, **more: Any) -> Number:
    passport = {"label": name, "unit": "number", "metric": "m", "metric_version": 1, "cell": "c", "query": None}
    return Number(**{**passport, "id": name, "value": value, "snapshot": "s1", "as_of": NOON, **more})


def record(*numbers: Number, subject: str = "a", **more: Any) -> Record:
    return Record(
        subject=subject,
        kind="experiment",
        title="A",
        owner="o",
        edition="2026-W47",
        week_start=date(2026, 11, 16),
        as_of=NOON,
        snapshot="s1",
        numbers=numbers,
        **more,
    )


def verdict(state: str, action: str, rule: str = "r") -> Verdict:
    sentence = Finding(id="f", rule="r", text="Words.")
    return Verdict(
        metric="m", state=state, rule=rule, action=action, action_rule="ar", reason=sentence, advice=sentence
    )


def test_records_of_another_snapshot_with_the_same_values_are_identical() -> None:
    found = compare_records(record(number("x", 1.0)), record(number("x", 1.0, snapshot="s2")))
    assert (found.state, found.compared) == ("identical", 1)


def test_a_difference_within_the_tolerance_is_named_but_does_not_count() -> None:
    found = compare_records(record(number("x", 1.0)), record(number("x", 1.0 + 1e-10)), Tolerance(relative=1e-9))
    assert found.state == "equal within tolerance"
    assert [c.id for c in found.close] == ["x"]
    assert compare_records(record(number("x", 1.0)), record(number("x", 1.0 + 1e-10))).state == "differs"


def test_an_end_of_the_interval_counts_as_the_value_does() -> None:
    old, new = (Interval(low=0.0, high=h, level=0.95, method="t") for h in (2.0, 2.5))
    found = compare_records(record(number("x", 1.0, interval=old)), record(number("x", 1.0, interval=new)))
    assert [(c.id, c.how, c.difference) for c in found.numbers] == [("x", "changed", 0.0)]


@pytest.mark.parametrize(
    ("before", "after", "how"),
    [
        (None, number("x", 1.0), "appeared"),
        (number("x", 1.0), None, "vanished"),
        (number("x", 1.0), number("x", NotPublished(reason="no rows")), "withheld"),
        (number("x", NotPublished(reason="no rows")), number("x", 1.0), "published"),
        (number("x", NotPublished(reason="no rows")), number("x", NotPublished(reason="late")), "described"),
        (number("x", 1.0), number("x", 1.0, metric_version=2), "described"),
        (number("x", 1.0), number("x", 1.0, n=7), "described"),
        (number("x", 1.0), number("x", 1.5, metric_version=2), "changed"),
    ],
)
def test_each_way_in_which_a_number_differs_is_named(before: Number | None, after: Number | None, how: str) -> None:
    found = compare_records(record(*filter(None, [before])), record(*filter(None, [after])))
    assert [(c.id, c.how) for c in found.numbers] == [("x", how)]


def test_size_of_a_change_and_whether_the_published_range_held_it() -> None:
    range_ = Interval(low=1.5, high=2.5, level=0.95, method="t")
    [change] = compare_records(
        record(number("x", 2.0, interval=range_)), record(number("x", 3.0, interval=range_))
    ).numbers
    assert (change.difference, change.relative, change.outside) == (1.0, 0.5, True)
    [zero] = compare_records(record(number("x", 0.0)), record(number("x", 3.0))).numbers
    assert (zero.relative, zero.outside) == (None, False)


def test_a_verdict_flips_when_readers_would_be_told_something_else() -> None:
    ship, stop = verdict("benefit shown", "ship"), verdict("not resolved", "keep running")
    found = compare_records(record(verdicts=[ship]), record(verdicts=[stop]))
    assert [v.metric for v in found.flips] == ["m"]
    worded = compare_records(record(verdicts=[ship]), record(verdicts=[verdict("benefit shown", "ship", "other-rule")]))
    assert (len(worded.verdicts), worded.flips) == (1, ())
    assert compare_records(record(), record(verdicts=[ship])).flips


def test_sentences_that_came_and_went_are_paired_by_id() -> None:
    old, new = Finding(id="f", rule="r", text="Old."), Finding(id="f", rule="r", text="New.")
    other = Finding(id="g", rule="r", text="More.")
    found = compare_records(record(findings=[old]), record(findings=[new, other]))
    assert found.findings == ((old, new), (None, other))


def test_two_subjects_and_tolerances_that_let_all_pass_are_refused() -> None:
    with pytest.raises(ValueError, match="two subjects"):
        compare_records(record(), record(subject="b"))
    for wrong in (-1.0, float("inf"), float("nan")):
        with pytest.raises(ValueError, match="tolerance"):
            Tolerance(relative=wrong)
