"""Every rule of the table in gazette.conclusions, at its boundary."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gazette import stats
from gazette.conclusions import (
    Check,
    Earlier,
    Look,
    MetricResult,
    Watched,
    best,
    conclude,
    describe_model,
    guardrail_of,
    headline,
    ranked,
    state_of,
    watched,
)
from gazette.display import plain_sentence
from gazette.record import REFERENCE, Interval, NotPublished, Number

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
        "prefix": "t",
        "treatment": "Green",
        "results": results,
        "checks": (),
        "ended": True,
        "early": False,
        "readable": True,
        "enough_units": True,
        "end": "22 November 2026",
        "rollout_days": number("rollout", 7, unit="days"),
        "units": number("units", 100, unit="count"),
        "needed": number("needed", 900, unit="count"),
        "wait": number("wait", 12, unit="days"),
    }
    return Look(**{**content, **changes})


def check(name: Any, *, passed: bool | None) -> Check:
    return Check(name=name, number=number(f"check-{name}", 0.0001, unit="number"), passed=passed)


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
    assert verdict.reason.terms["why"] == "no users"


@pytest.mark.parametrize(
    ("rail", "action", "rule"),
    [
        ((-0.049, 0.1), "ship", "benefit-guardrails-passed"),
        ((-0.05, 0.1), "don't ship", "benefit-guardrail-too-small"),
        ((-0.2, -0.05), "don't ship", "benefit-guardrail-too-small"),
        ((-0.2, -0.051), "don't ship", "benefit-but-guardrail-broken"),
    ],
)
def test_a_benefit_ships_as_its_guardrails_allow(rail: tuple[float, float], action: str, rule: str) -> None:
    guard = result(*rail, role="guardrail", margin=0.05, minimum=None, name="g")
    verdict, others = conclude(look(result(0.01, 0.2), guard))
    assert (verdict.state, verdict.action, verdict.action_rule) == ("benefit shown", action, rule)
    assert any(f.rule.startswith("guardrail-") for f in others)


@pytest.mark.parametrize(
    ("interval", "ended", "enough", "action"),
    [
        ((-0.2, -0.01), True, True, "don't ship"),
        ((-0.2, 0.01), True, True, "stop: no winner"),
        ((-0.2, 0.2), False, True, "keep running"),
        ((-0.2, 0.2), True, True, "stop: no winner"),
        ((-0.2, 0.2), True, False, "stop: no winner"),
    ],
)
def test_what_to_do(interval: tuple[float, float], ended: bool, enough: bool, action: str) -> None:
    verdict, _ = conclude(look(result(*interval), ended=ended, enough_units=enough))
    assert verdict.action == action


GATES = (
    "plan-locked", "accounted", "sample-ratio", "sample-ratio-sequence", "sample-ratio-triggered", "exposure", "balance", "missing-days", "matched", "missing-values", "minimum-run",
)  # fmt: skip


@pytest.mark.parametrize("gate", GATES)
def test_a_failed_gate_says_nothing_about_effects(gate: str) -> None:
    secondary = result(0.1, 0.2, role="secondary", name="s")
    verdict, others = conclude(look(result(0.1, 0.3), secondary, checks=(check(gate, passed=False),)))
    short = gate == "minimum-run"
    assert verdict.state == ("not published" if short else "not trustworthy")
    assert verdict.action == ("wait" if short else "fix the test first")
    assert verdict.rule == f"gate-{gate}"
    assert others == ()
    assert not [r for r in verdict.reason.references if "difference" in r or "relative" in r]


def test_a_failed_check_of_one_metric_is_about_that_metric_alone() -> None:
    lost = Check(name="missing-values", number=number("lost", 0.0001, unit="number"), passed=False, metric="s")
    secondary, primary = result(0.1, 0.2, role="secondary", name="s"), result(0.1, 0.3)
    verdict, others = conclude(look(primary, secondary, checks=(lost,)))
    assert (verdict.state, verdict.action) == ("benefit shown", "ship")
    assert [f.rule for f in others if f.id == "t.s.finding"] == ["values-missing-unevenly"]
    assert look(primary, secondary, checks=(lost,)).trusted
    rail = result(0.1, 0.2, role="guardrail", name="s", margin=0.02)
    assert conclude(look(primary, rail))[0].action == "ship"
    assert conclude(look(primary, rail, checks=(lost,)))[0].action == "wait", (
        "a guardrail that is not read holds nothing"
    )


def test_a_metric_of_which_no_row_is_anybodys_is_not_read() -> None:
    nobody = Check(name="matched", number=number("nobody", 0.0), passed=False, metric="s")
    verdict, others = conclude(look(result(0.1, 0.3), result(0.1, 0.2, role="secondary", name="s"), checks=(nobody,)))
    assert verdict.state == "benefit shown"
    assert [(f.rule, f.references) for f in others if f.id == "t.s.finding"] == [
        ("rows-of-nobody", (nobody.number.id,))
    ]


def test_a_warning_gates_nothing() -> None:
    several = Check(name="several-values", number=number("several", 7.0), passed=True, warns=True)
    assert conclude(look(result(0.1, 0.3), checks=(several,)))[0].state == "benefit shown"


@pytest.mark.parametrize("passed", [True, None])
def test_a_check_that_passed_or_could_not_be_made_gates_nothing(passed: bool | None) -> None:
    checks = tuple(check(g, passed=passed) for g in GATES)
    assert conclude(look(result(0.1, 0.3), checks=checks))[0].state == "benefit shown"


def test_a_fixed_horizon_test_is_not_read_before_its_end() -> None:
    verdict, others = conclude(look(result(0.1, 0.3), ended=False, readable=False))
    assert (verdict.state, verdict.rule, verdict.action) == (
        "not resolved",
        "fixed-horizon-not-over",
        "keep running",
    )
    assert "difference" not in str(verdict.reason.references)
    assert others == ()


@pytest.mark.parametrize("interval", [(0.1, 0.3), (-0.3, -0.1)])
def test_an_early_stop_says_that_its_effect_is_overstated(interval: tuple[float, float]) -> None:
    early = {"early": True, "shrunken": number("shrunken", 0.01, unit="points")}
    assert "overstates" in conclude(look(result(*interval), **early))[0].advice.text
    assert "overstates" not in conclude(look(result(*interval), **{**early, "early": False}))[0].advice.text


def test_what_an_expert_would_not_sign() -> None:
    gain, unsure = result(0.1, 0.3), result(-0.2, 0.2)
    broken = result(-0.4, -0.1, role="guardrail", name="g", margin=0.02, minimum=None)
    for ended in (True, False):
        verdict, _ = conclude(look(unsure, broken, ended=ended))
        assert (verdict.action, verdict.action_rule) == ("don't ship", "guardrail-broken-first")
        assert verdict.advice.terms == {"broken": "G"}
    assert conclude(look(unsure, broken, ended=False, readable=False))[0].action == "keep running"
    none = number("g.difference", NotPublished(reason="no users"))
    empty = replace(broken, difference=none, relative=none)
    assert guardrail_of(empty) == "unknown"
    verdict, others = conclude(look(gain, empty))
    assert (verdict.action, verdict.action_rule) == ("wait", "benefit-guardrail-unknown")
    (said,) = (f for f in others if f.id == "t.g.finding")
    assert (said.rule, said.terms["unread"]) == ("guardrail-unknown", "no users")
    assert "not exclude" not in said.text
    blind = (check("sample-ratio", passed=None), check("sample-ratio-sequence", passed=None))
    assert conclude(look(gain, checks=blind))[0].action_rule == "benefit-split-unknown"
    assert conclude(look(gain, checks=(blind[0], check("sample-ratio-sequence", passed=True))))[0].action == "ship"
    lost = result(-0.3, -0.1, role="secondary", name="s", minimum=None)
    verdict, _ = conclude(look(gain, lost))
    assert (verdict.action, verdict.action_rule) == ("ship with monitoring", "benefit-secondary-lost")
    assert verdict.advice.terms["lost"] == "S"
    small = conclude(look(result(0.001, 0.02)))[0]
    assert small.action == "ship"
    assert "less than the smallest effect worth having" in small.advice.text
    assert "less than the smallest" not in conclude(look(gain))[0].advice.text


@pytest.mark.parametrize(("interval", "alike"), [((-0.04, 0.03), True), ((-0.2, 0.03), False), ((-0.05, 0.03), False)])
def test_two_variants_are_alike_only_where_the_range_is_within_what_matters(
    interval: tuple[float, float], alike: bool
) -> None:
    verdict, _ = conclude(look(result(*interval)))
    assert verdict.rule == "worthwhile-ruled-out"
    assert ("the two are alike" in verdict.reason.text) is alike


def test_a_guardrail_whose_difference_includes_no_change_is_not_broken() -> None:
    rail = result(-0.4, -0.1, role="guardrail", name="g", margin=0.02, minimum=None)
    assert guardrail_of(rail) == "broken"
    assert guardrail_of(replace(rail, difference=number("g.difference", -0.01, -0.03, 0.001, "points"))) == "open"


@pytest.mark.parametrize("needed", [True, False])
def test_a_test_that_ended_undecided_is_not_extended_unless_it_may_be_read_at_any_time(needed: bool) -> None:
    more = {} if needed else {"needed": number("needed", NotPublished(reason="none named"))}
    over = conclude(look(result(-0.2, 0.2), enough_units=False, **more))[0]
    assert over.action == "stop: no winner"
    assert "new test" in over.advice.text
    assert "extend it" not in over.advice.text
    anytime = conclude(look(result(-0.2, 0.2), enough_units=False, anytime=True, **more))[0]
    assert anytime.action == "keep running"
    assert "new test" not in anytime.advice.text


@pytest.mark.parametrize(
    ("interval", "earlier", "closed", "state", "rule"),
    [
        ((-0.1, 0.2), "benefit shown", False, "benefit shown", "crossed-at-earlier-look"),
        ((0.1, 0.2), "benefit shown", False, "benefit shown", "interval-above-zero"),
        ((-0.2, -0.1), "benefit shown", False, "harm shown", "interval-below-zero"),
        ((-0.2, -0.1), "benefit shown", True, "benefit shown", "crossed-at-earlier-look"),
        ((0.1, 0.2), "not resolved", True, "not resolved", "final-look-is-over"),
        ((-0.2, 0.01), "harm shown", True, "harm shown", "crossed-at-earlier-look"),
        ((0.1, 0.2), "no worthwhile benefit", True, "no worthwhile benefit", "final-look-is-over"),
    ],
)
def test_what_an_earlier_look_settled_stays_settled(
    interval: tuple[float, float], earlier: Any, closed: bool, state: str, rule: str
) -> None:
    then = Earlier(state=earlier, edition="2026-W45")
    verdict, _ = conclude(look(result(*interval), earlier=then, closed=closed))
    assert (verdict.state, verdict.rule) == (state, rule)
    assert (verdict.reason.terms.get("when") == "2026-W45") == rule.endswith(("look", "over"))
    assert ("may have faded" in verdict.reason.text) == (rule == "crossed-at-earlier-look" and interval == (-0.1, 0.2))
    failed = conclude(look(result(*interval), earlier=then, checks=(check("sample-ratio", passed=False),)))[0]
    assert failed.state == "not trustworthy"


def test_a_metric_defined_anew_is_not_read() -> None:
    anew = Check(name="plan-locked", number=number("anew", 1, unit="count"), passed=False, metric="s")
    verdict, others = conclude(look(result(0.1, 0.3), result(0.1, 0.2, role="secondary", name="s"), checks=(anew,)))
    assert verdict.state == "benefit shown"
    assert [f.rule for f in others if f.id == "t.s.finding"] == ["metric-redefined"]


@pytest.mark.parametrize(
    ("chance", "more", "action", "rule", "says"),
    [
        (0.04, {}, "don't ship", "benefit-guardrail-too-small", {"t.g.guard-power", "t.g.guard-needed"}),
        (0.8, {}, "don't ship", "benefit-guardrail-not-shown", set()),
        (0.8, {"ended": False}, "keep running", "benefit-guardrail-open", set()),
        (0.04, {"ended": False}, "keep running", "benefit-guardrail-open", set()),
        (0.04, {"anytime": True}, "keep running", "benefit-guardrail-open", set()),
    ],
)
def test_nothing_is_shipped_on_a_guardrail_that_is_not_shown_to_hold(
    chance: float, more: dict[str, Any], action: str, rule: str, says: set[str]
) -> None:
    guard = result(-0.06, 0.1, role="guardrail", margin=0.05, minimum=None, name="g")
    power, needed = number("g.guard-power", chance), number("g.guard-needed", 9000, unit="count")
    verdict, _ = conclude(look(result(0.1, 0.3), replace(guard, power=power, needed=needed), **more))
    assert (verdict.action, verdict.action_rule) == (action, rule)
    assert says <= set(verdict.advice.references)
    assert "G" in verdict.advice.terms.values()


def test_a_true_loss_beyond_the_margin_is_not_shipped() -> None:
    """A base of 2 %, 10,000 an arm, a margin of 2 % and a true loss of 10 %: "ship with monitoring" in 83 of 100 before."""
    rng = np.random.default_rng(7)
    found = []
    for x, y in rng.binomial(10_000, [0.02, 0.018], size=(150, 2)):
        counts = (int(x), 10_000), (int(y), 10_000)
        range_of = stats.relative_of_proportions(*counts)
        gap = stats.difference_of_proportions(*counts)
        assert isinstance(range_of, stats.Estimate)
        assert isinstance(gap, stats.Estimate)
        guard = result(range_of.low, range_of.high, role="guardrail", margin=0.02, minimum=None, name="g")
        chance = stats.guard_power(0.02 * x / 10_000, gap.standard_error, critical=stats.z_of(0.95))
        assert chance < 0.06
        found.append(conclude(look(result(0.1, 0.3), replace(guard, power=number("g.p", chance))))[0].action)
    assert found.count("ship") <= 0.025 * 150 + 2
    assert set(found) <= {"ship", "don't ship"}


def test_a_changed_plan_is_said_even_where_a_gate_failed() -> None:
    for checks in ((), (check("sample-ratio", passed=False),)):
        found = conclude(look(result(0.1, 0.3), checks=checks, deviations="end from 2026-11-22 to 2026-11-15"))[1]
        assert "plan-deviation" in [f.rule for f in found]


def test_of_several_treatments_the_page_speaks_of_the_best() -> None:
    looks = [look(result(*i)) for i in ((-0.3, -0.1), (0.01, 0.2), (0.05, 0.2), (-0.1, 0.2))]
    assert best([(one, conclude(one)[0]) for one in looks]) == 2


interval = st.tuples(st.floats(-0.5, 0.5), st.floats(0.0001, 0.5)).map(lambda x: (x[0], x[0] + x[1]))
GOOD, BAD = re.compile(r"got better|better than no change|gained"), re.compile(r"got worse|worse than no change")


@given(
    primary=interval,
    secondary=interval,
    rail=interval,
    higher=st.booleans(),
    ended=st.booleans(),
    enough=st.booleans(),
    failed=st.sampled_from([None, *GATES]),
)
@example((0.25, 0.5), (-1.0, -0.5), (0.0, 0.03125), True, False, False, None)  # a secondary lost
def test_whatever_the_numbers_sentences_say_only_what_they_carry(
    primary: tuple[float, float],
    secondary: tuple[float, float],
    rail: tuple[float, float],
    higher: bool,
    ended: bool,
    enough: bool,
    failed: str | None,
) -> None:
    results = (
        result(*primary, higher=higher),
        result(*secondary, higher=higher, role="secondary", minimum=None, name="s"),
        result(*rail, higher=higher, role="guardrail", margin=0.05, minimum=None, name="g"),
    )
    checks = tuple(check(g, passed=g != failed) for g in GATES)
    verdict, others = conclude(look(*results, ended=ended, enough_units=enough, checks=checks))
    for text in (verdict.reason.text, verdict.advice.text, *(f.text for f in others)):
        assert not re.search(r"no effect|significant|improved|proves?", text, re.IGNORECASE)
        assert not re.search(r"\d", REFERENCE.sub("", text))
    if failed:
        assert not verdict.action.startswith("ship")
        assert others == ()
        return
    for found, (low, high) in ((verdict.reason, primary), *((f, secondary) for f in others if ".s.finding" in f.id)):
        better, worse = (low > 0, high < 0) if higher else (high < 0, low > 0)
        assert bool(GOOD.search(found.text)) <= better
        assert bool(BAD.search(found.text)) <= worse
    if verdict.action.startswith("ship"):
        low, high = primary if higher else (-primary[1], -primary[0])
        assert low > 0
        worst = rail[0] if higher else -rail[1]
        lost = secondary[1] < 0 if higher else secondary[0] > 0
        assert (worst > -0.05 and not lost) == (verdict.action == "ship")
        assert (lost and worst > -0.05) == (verdict.action_rule == "benefit-secondary-lost")


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
    counts = {k: number(f"tests-{k}", 0.0, unit="count") for k in ("ready", "stop", "untrusted", "open", "reported")}
    said = headline(counts, None)
    assert said.text == "This week {t.tests-reported} models are reported and no test is running."


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


def negative(low: float, high: float, **more: Any) -> MetricResult:
    """A control of −5.00: differences are judged, shares are of its size."""
    why = NotPublished(reason="the control is negative, so a relative change would say nothing")
    made = result(low, high, **more)
    return replace(
        made,
        control=number(f"{made.metric}.control", -5.0, -5.07, -4.93, "number"),
        difference=number(f"{made.metric}.difference", (low + high) / 2, low, high, "number"),
        relative=number(f"{made.metric}.relative", why, unit="relative"),
    )


@pytest.mark.parametrize(
    ("low", "high", "standing"),
    [(-0.2, 0.1, "passed"), (-0.3, 0.1, "open"), (-0.9, -0.3, "broken"), (0.1, 0.3, "passed")],
)
def test_a_guardrail_with_a_negative_control_is_judged_on_the_difference(
    low: float, high: float, standing: str
) -> None:
    guard = negative(low, high, role="guardrail", margin=0.05, minimum=None, name="g")
    assert guardrail_of(guard) == standing, "5 % of 5.00 is 0.25"
    _, others = conclude(look(result(0.01, 0.2), guard))
    (said,) = (f for f in others if f.rule.startswith("guardrail-"))
    assert "{t.g.difference|interval}" in said.text
    assert "negative" in said.terms["why"]


@pytest.mark.parametrize(
    ("low", "high", "state"),
    [
        (0.1, 0.4, "benefit shown"),
        (-0.4, -0.1, "harm shown"),
        (-0.4, 0.24, "no worthwhile benefit"),
        (-0.4, 0.26, "not resolved"),
    ],
)
def test_a_primary_metric_with_a_negative_control_is_judged_on_the_difference_and_says_why(
    low: float, high: float, state: str
) -> None:
    verdict, others = conclude(look(negative(low, high, minimum=0.05)))
    assert verdict.state == state
    assert verdict.reason.text.endswith("It is judged by the difference alone: {=lacking}.")
    assert "negative" in verdict.reason.terms["lacking"]
    assert any(f.rule == "interval-rules-out" and "{t.m.difference|low}" in f.text for f in others)


def test_a_watched_metric_with_a_negative_control_is_watched_by_its_difference() -> None:
    margin = number("w.margin", 0.05, unit="relative")
    gap = number("g.difference", -0.5, -0.9, -0.3, "number")
    item = Watched(id="t.watch", title="T", metric="G", margin=margin, number=gap, until="1 May", size=5.0)
    assert item.state == "breached"
    assert "{t.w.margin} of the control's size" in watched(item).text
    assert replace(item, number=number("g.difference", 0.0, -0.2, 0.2, "number")).state == "held"


@pytest.mark.parametrize(
    ("effect", "net", "action", "rule"),
    [
        ((-0.2, 0.2), (-3900.0, -900.0), "stop: no winner", "does-not-pay"),
        ((-0.2, 0.2), (-3900.0, 0.0), "stop: no winner", "ended-too-small"),
        ((0.1, 0.2), (-3900.0, -900.0), "don't ship", "benefit-does-not-pay"),
        ((0.1, 0.2), (-3900.0, 900.0), "ship", "benefit-guardrails-passed"),
        ((-0.2, -0.1), (-3900.0, -900.0), "don't ship", "harm-shown"),
    ],
)
def test_what_does_not_pay_at_its_best_is_neither_kept_running_nor_shipped(
    effect: tuple[float, float], net: tuple[float, float], action: str, rule: str
) -> None:
    worth = number("net", sum(net) / 2, *net, "money")
    verdict, _ = conclude(look(result(*effect), enough_units=False, net=worth))
    assert (verdict.action, verdict.action_rule) == (action, rule)
    assert ("{t.net|interval}" in verdict.advice.text) == (rule.endswith("does-not-pay"))


def test_an_adjusted_difference_is_called_so_where_its_arms_are_shown() -> None:
    plain, adjusted = result(0.1, 0.2), replace(result(0.1, 0.2), adjusted=True)
    assert "adjusted" not in conclude(look(plain))[0].reason.text
    said = conclude(look(adjusted))[0].reason.text
    assert "the difference, adjusted for what users did before the test, is {t.m.difference|signed}" in said
