"""The flip map: planted fragile tests show what flips them, a robust one shows nothing, the plan always gives the published state."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gazette.conclusions import FlipMap, FlipsError, flip_map, flips_said, state_by
from gazette.display import plain_sentence
from gazette.record import Finding, Number
from gazette.stats import Design, Estimate, Moments, compare, specifications

Pair = tuple[Moments, Moments, bool]
N, LEVEL = 5000, 10.0


def pair(z: float, *, variance: float = 100.0) -> Pair:
    """Two arms whose difference is ``z`` standard errors."""
    error = (2 * variance / N) ** 0.5
    return Moments(N, LEVEL, variance), Moments(N, LEVEL + z * error, variance), False


def design(method: Any = "fixed", **changes: Any) -> Design:
    return Design(method=method, **{"alpha": 0.05, "units": 2 * N, **changes})


LOOKED = design("group-sequential", planned=2 * N, past=(3000, 6000))


def mapped(pairs: dict[str, Pair], plan: Design, *, higher: bool = True, minimum: float | None = None) -> FlipMap:
    """The map under the verdict that the plan gives."""
    first = compare(*next(iter(pairs.values()))[:2], plan)
    ends = []
    for one in (first.difference, first.relative):
        assert isinstance(one, Estimate)
        ends.append((one.low, one.high) if higher else (-one.high, -one.low))
    published, _ = state_by(ends[0], ends[1], minimum)
    found = specifications(pairs, plan, alpha=plan.alpha)
    return flip_map(found, published, higher_is_better=higher, minimum=minimum)


def flips(found: FlipMap) -> dict[str, str]:
    return {f.id: f.state for f in found.flipping}


def number(name: str, value: float, unit: Any = "count") -> Number:
    return Number(
        id=f"t.{name}", label=name, value=value, unit=unit, metric="m", metric_version=1, cell="c", query=None,
        snapshot="s", as_of=datetime(2026, 11, 23),  # noqa: DTZ001
    )  # fmt: skip


def said(found: FlipMap) -> tuple[Finding, str]:
    ways, agree = number("ways", len(found.others)), number("agree", found.agree)
    share = number("share", found.agree / len(found.others), "fraction")
    finding = flips_said(found, prefix="t", metric="Spend", ways=ways, agree=agree, share=share)
    return finding, plain_sentence(finding, {n.id: n for n in (ways, agree, share)})


def test_a_test_that_is_significant_only_with_the_covariate_shows_that_flip_alone() -> None:
    found = mapped({"with": pair(6.0, variance=20.0), "without": pair(1.2)}, LOOKED)
    assert found.published == "benefit shown"
    assert flips(found) == {"covariate-without": "not resolved"}
    finding, text = said(found)
    assert (finding.rule, finding.tone) == ("flips-single", "unsure")
    assert "leaving out what was known of users before the test (CUPED) would give “not resolved”" in text
    assert "give the same verdict on Spend: benefit shown. One different choice is enough to change it" in text


def test_a_test_that_is_significant_only_one_sided_shows_that_flip_alone() -> None:
    found = mapped({"without": pair(2.2)}, design(alpha=0.02))
    assert found.published == "not resolved"
    assert flips(found) == {"sides-one": "benefit shown", "level-90": "benefit shown", "level-95": "benefit shown"}
    strict = mapped({"without": pair(1.8)}, design())
    assert flips(strict) == {"level-90": "benefit shown"}
    assert "one-sided" in strict.flipping[0].words, "the same evidence, under both its names"


def test_a_test_that_is_significant_only_if_looks_cost_nothing_shows_that_flip() -> None:
    pocock = design("group-sequential", planned=2 * N, past=(3000, 6000), spending="pocock")
    found = mapped({"without": pair(2.1)}, pocock)
    assert found.published == "not resolved"
    assert flips(found)["looks-fixed"] == "benefit shown"
    assert "looks-confidence-sequence" not in flips(found)


@pytest.mark.parametrize(("z", "higher", "state"), [
    (8.0, True, "benefit shown"), (-8.0, True, "harm shown"), (8.0, False, "harm shown"), (-8.0, False, "benefit shown"),
])  # fmt: skip
def test_a_robust_test_shows_no_flip(z: float, higher: bool, state: str) -> None:
    found = mapped({"with": pair(1.5 * z), "without": pair(z)}, LOOKED, higher=higher)
    assert found.published == state
    assert found.flipping == ()
    assert found.agree == len(found.others) == 23
    finding, text = said(found)
    assert (finding.rule, finding.tone) == ("flips-none", "neutral")
    assert text.startswith("Of 23 other reasonable ways to analyse this test, 23 (100 %) give the same verdict")


def test_an_effect_worth_having_that_is_ruled_out_is_followed_too() -> None:
    robust = mapped({"without": pair(-0.1)}, design(), minimum=0.5)
    assert robust.published == "no worthwhile benefit"
    assert robust.flipping == ()
    edge = mapped({"without": pair(0.0)}, design(), minimum=0.044)
    assert edge.published == "no worthwhile benefit"
    assert flips(edge) == {"level-99": "not resolved", "looks-confidence-sequence": "not resolved"}


def test_what_only_several_choices_change_is_no_single_flip() -> None:
    found = mapped({"without": pair(3.4)}, LOOKED)
    assert found.flipping == ()
    assert 0 < found.agree < len(found.others)
    finding, text = said(found)
    assert finding.rule == "flips-combined"
    assert text.endswith("No single choice changes it, only several at once.")


@settings(deadline=None, max_examples=40)
@given(
    z=st.floats(-6, 6),
    alpha=st.sampled_from([0.01, 0.05, 0.1]),
    method=st.sampled_from(["fixed", "confidence-sequence", "group-sequential"]),
    higher=st.booleans(),
    minimum=st.sampled_from([None, 0.01, 0.05]),
)
def test_the_plan_always_gives_the_published_state(
    z: float,
    alpha: float,
    method: Any,
    higher: bool,
    minimum: float | None,
) -> None:
    plan = design(method, alpha=alpha, planned=2 * N)
    found = mapped({"with": pair(z), "without": pair(z / 2)}, plan, higher=higher, minimum=minimum)
    assert found.plan.agrees
    assert found.plan.state == found.published
    assert (found.plan.id, found.plan.specification.design) == ("", plan)
    assert all(f.specification.changed for f in found.others)


def test_a_map_that_would_contradict_its_page_is_refused() -> None:
    found = specifications({"without": pair(8.0)}, design(), alpha=0.05)
    with pytest.raises(FlipsError, match="gives 'benefit shown', but the verdict is 'harm shown'"):
        flip_map(found, "harm shown", higher_is_better=True, minimum=None)
    with pytest.raises(FlipsError, match="cannot be computed"):
        flip_map(found[1:], "benefit shown", higher_is_better=True, minimum=None)
