"""Every rule of the table in gazette.conclusions, at its boundary."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from gazette.conclusions import Look, MetricResult, conclude, describe_model, headline, ranked, state_of
from gazette.display import plain_sentence
from gazette.record import Interval, NotPublished, Number

AS_OF = datetime(2026, 11, 23)  # noqa: DTZ001


def number(
    name: str, value: Any, low: float | None = None, high: float | None = None, unit: Any = "fraction", **more: Any
) -> Number:
    interval = Interval(low=low, high=high, level=0.95, method="t") if low is not None and high is not None else None
    return Number(
        id=f"t.{name}",
        label=name,
        value=value,
        unit=unit,
        interval=interval,
        metric="m",
        metric_version=1,
        cell="c",
        query=None,
        snapshot="s",
        as_of=AS_OF,
        **more,
    )


def result(
    low: float,
    high: float,
    *,
    role: Any = "primary",
    higher: bool = True,
    minimum: float | None = 0.05,
    margin: float | None = None,
    name: str = "m",
) -> MetricResult:
    middle = (low + high) / 2
    return MetricResult(
        metric=name,
        title=name.upper(),
        role=role,
        higher_is_better=higher,
        control=number(f"{name}.control", 0.1),
        treatment=number(f"{name}.treatment", 0.11),
        difference=number(f"{name}.difference", middle / 10, low / 10, high / 10, "points"),
        relative=number(f"{name}.relative", middle, low, high, "relative"),
        margin=margin,
        minimum=minimum,
    )


def look(*results: MetricResult, **changes: Any) -> Look:
    content: dict[str, Any] = {
        "subject": "t",
        "treatment": "Green",
        "results": results,
        "ended": True,
        "enough_units": True,
        "end": "22 November 2026",
        "rollout_days": number("rollout", 7, unit="days"),
        "units": number("units", 100, unit="count"),
        "planned": number("planned", 100, unit="count"),
        "needed": number("needed", 900, unit="count"),
        "split": number("split", 0.4, unit="number"),
        "crossed": number("crossed", 0, unit="count"),
        "split_fails": False,
        "exposure_fails": False,
    }
    return Look(**{**content, **changes})


@pytest.mark.parametrize(
    ("low", "high", "higher", "minimum", "state"),
    [
        (0.001, 0.2, True, 0.05, "benefit shown"),
        (0.0, 0.2, True, 0.05, "not resolved"),
        (-0.2, -0.001, True, 0.05, "harm shown"),
        (-0.2, 0.0, True, 0.05, "no worthwhile benefit"),
        (-0.2, 0.049, True, 0.05, "no worthwhile benefit"),
        (-0.2, 0.05, True, 0.05, "not resolved"),
        (-0.2, 0.049, True, None, "not resolved"),
        (0.001, 0.2, False, 0.05, "harm shown"),
        (-0.2, -0.001, False, 0.05, "benefit shown"),
        (-0.049, 0.2, False, 0.05, "no worthwhile benefit"),
    ],
)
def test_states_by_the_interval_in_the_good_direction(
    low: float, high: float, higher: bool, minimum: float | None, state: str
) -> None:
    assert state_of(result(low, high, higher=higher, minimum=minimum))[0] == state


def test_without_an_interval_nothing_is_published() -> None:
    bare = number("m.difference", NotPublished(reason="no users"))
    empty = MetricResult(
        metric="m",
        title="M",
        role="primary",
        higher_is_better=True,
        control=bare,
        treatment=bare,
        difference=bare,
        relative=bare,
    )
    verdict, _ = conclude(look(empty))
    assert (verdict.state, verdict.action) == ("not published", "wait")


@pytest.mark.parametrize(
    ("rail", "action", "rule"),
    [
        ((-0.049, 0.1), "ship", "benefit-guardrails-passed"),
        ((-0.05, 0.1), "ship with monitoring", "benefit-guardrail-open"),
        ((-0.2, -0.05), "ship with monitoring", "benefit-guardrail-open"),
        ((-0.2, -0.051), "don't ship", "benefit-but-guardrail-broken"),
    ],
)
def test_a_benefit_ships_as_its_guardrails_allow(rail: tuple[float, float], action: str, rule: str) -> None:
    guard = result(*rail, role="guardrail", margin=0.05, minimum=None, name="g")
    verdict, others = conclude(look(result(0.01, 0.2), guard))
    assert (verdict.state, verdict.action, verdict.action_rule) == ("benefit shown", action, rule)
    assert next(f.rule for f in others).startswith("guardrail-")


@pytest.mark.parametrize(
    ("interval", "ended", "enough", "action"),
    [
        ((-0.2, -0.01), True, True, "don't ship"),
        ((-0.2, 0.01), True, True, "stop: no winner"),
        ((-0.2, 0.2), False, True, "keep running"),
        ((-0.2, 0.2), True, True, "stop: no winner"),
        ((-0.2, 0.2), True, False, "keep running"),
    ],
)
def test_what_to_do(interval: tuple[float, float], ended: bool, enough: bool, action: str) -> None:
    verdict, _ = conclude(look(result(*interval), ended=ended, enough_units=enough))
    assert verdict.action == action


@pytest.mark.parametrize("gate", ["split_fails", "exposure_fails"])
def test_a_failed_gate_says_nothing_about_effects(gate: str) -> None:
    secondary = result(0.1, 0.2, role="secondary", name="s")
    verdict, others = conclude(look(result(0.1, 0.3), secondary, **{gate: True}))
    assert (verdict.state, verdict.action) == ("not trustworthy", "fix the test first")
    assert others == ()
    assert not [r for r in verdict.reason.references if "difference" in r or "relative" in r]


def test_a_passing_test_is_not_gated() -> None:
    assert conclude(look(result(0.1, 0.3)))[0].state == "benefit shown"


def test_the_sentence_names_no_change_only_where_the_range_holds_it() -> None:
    for interval in ((0.01, 0.2), (-0.2, -0.01)):
        text = conclude(look(result(*interval)))[0].reason.text
        assert "no change" in text
        assert "includes no change" not in text
    assert "includes no change" in conclude(look(result(-0.1, 0.2)))[0].reason.text


def test_the_headline_counts_and_warns() -> None:
    counts = {
        k: number(f"tests-{k}", v, unit="count")
        for k, v in {"ready": 1.0, "stop": 2.0, "untrusted": 0.0, "open": 0.0}.items()
    }
    text = plain_sentence(headline(counts, None), {n.id: n for n in counts.values()})
    assert text == "This week 1 test is ready to ship and 2 should be stopped."
    failed = number("failed", 3, unit="count")
    warned = headline(counts, failed)
    assert "3 of the analyses failed" in plain_sentence(warned, {n.id: n for n in (*counts.values(), failed)})
    assert warned.tone == "bad"


def test_no_test_at_all_is_said() -> None:
    counts = {k: number(f"tests-{k}", 0.0, unit="count") for k in ("ready", "stop", "untrusted", "open")}
    assert headline(counts, None).text == "No test is running this week."


@pytest.mark.parametrize(
    ("low", "high", "direction", "rule"),
    [
        (0.01, 0.1, "higher", "change-better"),
        (0.01, 0.1, "lower", "change-worse"),
        (-0.1, -0.01, "higher", "change-worse"),
        (-0.1, 0.1, "higher", "change-steady"),
    ],
)
def test_a_model_s_change_is_worded_by_its_interval_and_direction(
    low: float, high: float, direction: Any, rule: str
) -> None:
    numbers = [
        number("auc", 0.7, 0.6, 0.8, "score"),
        number("auc.change", (low + high) / 2, low, high, "score", direction=direction),
    ]
    found = describe_model("t", ["auc"], {n.id: n for n in numbers})
    assert [f.rule for f in found] == [rule]


@pytest.mark.parametrize(("known", "expected"), [(0.89, True), (0.9, False)])
def test_too_few_labels_make_a_model_provisional(known: float, expected: bool) -> None:
    numbers = [number("label-completeness", known), number("label-minimum", 0.9)]
    found = describe_model("t", [], {n.id: n for n in numbers})
    assert [f.rule for f in found] == (["labels-provisional"] if expected else [])


@pytest.mark.parametrize(("age", "rule"), [(181.0, "model-too-old"), (180.0, "model-age-within")])
def test_an_old_model_is_named(age: float, rule: str) -> None:
    numbers = [number("model-age", age, unit="days"), number("model-age-limit", 180.0, unit="days")]
    assert [f.rule for f in describe_model("t", [], {n.id: n for n in numbers})] == [rule]


def test_ranking_of_nothing_is_empty() -> None:
    assert ranked([]) == []
