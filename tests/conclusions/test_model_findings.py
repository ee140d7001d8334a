"""What a model's page says, by rule."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest

from gazette.conclusions import Evidence, Moved, describe_model
from gazette.display import plain_sentence
from gazette.record import Finding, Interval, Number


def number(
    suffix: str, value: float, spread: float | None = None, *, unit: Any = "score", direction: Any = "higher"
) -> Number:
    interval = Interval(low=value - spread, high=value + spread, level=0.95, method="test") if spread else None
    return Number(
        id=f"m.{suffix}",
        label=f"{suffix.split('.', maxsplit=1)[0]}, {suffix}" if "." in suffix else suffix,
        value=value,
        unit=unit,
        interval=interval,
        direction=direction,
        metric=suffix.split(".", maxsplit=1)[0],
        metric_version=1,
        cell="c",
        query=None,
        snapshot="",
        as_of=datetime(2026, 11, 23),  # noqa: DTZ001
    )


def say(*numbers: Number, metrics: tuple[str, ...] = ("auc",), evidence: Evidence | None = None) -> dict[str, str]:
    """Rule to sentence."""
    known = {n.id: n for n in numbers}
    found: tuple[Finding, ...] = describe_model("m", metrics, known, evidence)
    return {f.rule: plain_sentence(f, known) for f in found}


@pytest.mark.parametrize(
    ("value", "spread", "direction", "rule"),
    [
        (-0.02, 0.01, "higher", "change-worse"),
        (-0.02, 0.03, "higher", "change-steady"),
        (0.02, 0.01, "higher", "change-better"),
        (0.02, 0.01, "lower", "change-worse"),
    ],
)
def test_a_change_is_a_change_only_beyond_its_noise(value: float, spread: float, direction: str, rule: str) -> None:
    said = say(number("auc", 0.7, 0.01, direction=direction), number("auc.change", value, spread, direction=direction))
    assert [*said] == [rule]
    assert ("within what chance brings" in said[rule]) == rule.endswith("steady")


@pytest.mark.parametrize(
    ("level", "change", "rule"), [(0.01, -0.03, "better"), (0.05, 0.03, "worse"), (-0.04, -0.03, "worse")]
)
def test_where_nought_is_good_closer_to_it_is_better(level: float, change: float, rule: str) -> None:
    shared = {"direction": "zero"}
    said = say(number("gap", level, 0.005, **shared), number("gap.change", change, 0.01, **shared), metrics=("gap",))
    assert f"change-{rule}" in said


def test_a_shift_says_since_when_what_lies_near_and_what_it_may_cost() -> None:
    evidence = Evidence(
        since={"auc": date(2026, 9, 14)},
        near={"auc": ["14 September: version 3 was deployed"]},
        costs={"auc": ("m.auc.cost", "click-through rate")},
    )
    cost = number("auc.cost", -0.01, 0.002, unit="relative")
    said = say(number("auc", 0.7, 0.01), number("auc.shift", -0.03), cost, evidence=evidence)["level-shift"]
    assert "since the week of 14 September 2026: −0.03" in said
    assert "version 3 was deployed" in said
    assert "moves click-through rate by" in said
    alone = say(
        number("auc", 0.7, 0.01), number("auc.shift", -0.03), evidence=Evidence(since={"auc": date(2026, 9, 14)})
    )
    assert "No deployment and no note lies near that date" in alone["level-shift"]


def test_segments_shifts_of_inputs_and_checks_are_named() -> None:
    numbers = [
        number("segment.a.change", -0.1, 0.02),
        number("segment.b.vs-baseline", 0.1, 0.02),
        number("drift.temp", 0.4),
        number("check.nulls", 0.2, unit="fraction"),
    ]
    evidence = Evidence(
        segments=[
            Moved("origin JFK", "m.segment.a.change", "last week"),
            Moved("origin LGA", "m.segment.b.vs-baseline", "the baseline version"),
        ],
        shifted=[("temp", "m.drift.temp")],
        season="November",
        window="January to March",
        checks=[("m.check.nulls", "temp: missing", "fail")],
    )
    said = say(*numbers, metrics=(), evidence=evidence)
    assert "Worse than last week in origin JFK" in said["segments-worse"]
    assert "Better than the baseline version in origin LGA" in said["segments-better"]
    assert "Training saw January to March and no November" in said["drift-seasonal"]
    assert "temp: missing (20 %)" in said["checks-fail"]


def test_what_got_worse_stands_before_what_got_better() -> None:
    numbers = [
        number("auc", 0.7, 0.01),
        number("auc.change", 0.02, 0.01),
        number("loss", 0.5, 0.01),
        number("loss.change", -0.1, 0.01),
    ]
    known = {n.id: n for n in numbers}
    tones = [f.tone for f in describe_model("m", ("auc", "loss"), known)]
    assert tones == ["good", "bad"], "the main measure opens, then the worst"


@pytest.mark.parametrize(("value", "agreed", "rule"), [(260.0, 250.0, "sla-broken"), (240.0, 250.0, "sla-kept")])
def test_a_broken_promise_is_said(value: float, agreed: float, rule: str) -> None:
    said = say(number("latency-p-99", value, unit="ms"), number("latency-p-99-agreed", agreed, unit="ms"), metrics=())
    assert [*said] == [rule]
