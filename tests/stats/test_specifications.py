"""Other ways to analyse a test: each is the plan's own comparison at another error, design or pair of means; none counts twice."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as oracle

from gazette.stats import Design, Estimate, Moments, Specification, compare, specifications

CONTROL, TREATMENT = Moments(5000, 10.0, 90.0), Moments(5100, 10.4, 95.0)
NARROW = Moments(5000, 10.0, 40.0), Moments(5100, 10.3, 42.0)
PLAIN = {"without": (CONTROL, TREATMENT, False)}


def design(method: Any = "group-sequential", **changes: Any) -> Design:
    content: dict[str, Any] = {"alpha": 0.05, "units": 10100, "planned": 10000, "past": (3000, 6000)}
    return Design(method=method, **{**content, **changes})


def ways(plan: Design, pairs: Any = None, **more: Any) -> dict[tuple[tuple[str, str], ...], Specification]:
    found = specifications(pairs or PLAIN, plan, alpha=more.pop("alpha", 0.05), **more)
    return {tuple((c, s.options[c]) for c in s.changed): s for s in found}


@settings(deadline=None, max_examples=25)
@given(
    method=st.sampled_from(["group-sequential", "confidence-sequence", "fixed"]),
    spending=st.sampled_from(["obrien-fleming", "pocock"]),
    alpha=st.sampled_from([0.01, 0.02, 0.05, 0.1, 0.2]),
    treatments=st.integers(1, 4),
    final=st.booleans(),
    past=st.sampled_from([(), (3000,), (3000, 6000)]),
    planned=st.sampled_from([10000, 20000]),
)
def test_the_plan_comes_first_and_is_the_published_comparison(
    method: Any, spending: Any, alpha: float, treatments: int, final: bool, past: tuple[int, ...], planned: int
) -> None:
    plan = design(method, spending=spending, alpha=alpha / treatments, final=final, past=past, planned=planned)
    found = specifications(PLAIN, plan, alpha=alpha, treatments=treatments)
    assert found[0].changed == ()
    assert found[0].design == plan
    assert found[0].comparison == compare(CONTROL, TREATMENT, plan)
    assert sum(not s.changed for s in found) == 1
    counts = [len(s.changed) for s in found]
    assert counts == sorted(counts)
    critical = [round(s.design.critical(), 9) for s in found]
    assert len(critical) == len(set(critical)), "the same evidence counts once"


def test_each_single_choice_is_the_same_comparison_with_that_choice_alone() -> None:
    pairs = {"with": (*NARROW, False), **PLAIN}
    found = ways(design(), pairs)
    assert {k[0] for k in found if len(k) == 1} == {
        ("covariate", "without"),
        ("level", "90"),
        ("level", "99"),
        ("looks", "confidence-sequence"),
        ("looks", "group-sequential-pocock"),
        ("looks", "fixed"),
    }
    for key, spec in found.items():
        control, treatment, proportion = pairs[spec.options["covariate"]]
        assert spec.comparison == compare(control, treatment, spec.design, proportion=proportion), key


def test_one_sided_is_a_one_sided_test() -> None:
    found = ways(design("fixed", alpha=0.02), alpha=0.02)
    one = found[(("sides", "one"),)].comparison.difference
    assert isinstance(one, Estimate)
    tested = oracle.ttest_ind_from_stats(
        TREATMENT.mean, TREATMENT.variance**0.5, TREATMENT.n, CONTROL.mean, CONTROL.variance**0.5, CONTROL.n,
        equal_var=False, alternative="greater",
    )  # fmt: skip
    assert (one.low > 0) == (tested.pvalue < 0.02)
    freedom_free = oracle.norm.ppf(0.98) * one.standard_error
    assert one.value - one.low == pytest.approx(freedom_free, rel=1e-3)


def test_one_sided_at_the_usual_error_is_the_level_of_90() -> None:
    found = ways(design())
    assert (("sides", "one"),) not in found
    assert found[(("level", "90"),)].same == (("sides", "one"),)
    assert len(found) == 3 * 4, "three errors, four ways to pay for looks"


def test_a_test_that_was_looked_at_once_pays_for_no_looks() -> None:
    found = ways(design(past=()))
    assert found[()].same == (("looks", "group-sequential-pocock"), ("looks", "fixed"))
    assert {k[0] for k in found if len(k) == 1} == {("level", "90"), ("level", "99"), ("looks", "confidence-sequence")}


def test_only_what_the_looks_support_is_tried() -> None:
    assert (("looks", "fixed"),) not in ways(design(final=False, planned=20000))
    running = ways(design("confidence-sequence", planned=None, final=False))
    assert "looks" not in running[()].options
    assert (("looks", "fixed"),) in ways(design("confidence-sequence", planned=None))


def test_variants_by_themselves_have_the_whole_error() -> None:
    found = ways(design("fixed", alpha=0.03 / 3, planned=None), alpha=0.03, treatments=3)
    assert found[(("variants", "each"),)].design.alpha == 0.03
    two = ways(design("fixed", alpha=0.05 / 2, planned=None), treatments=2)
    assert two[(("level", "90"),)].same == (("sides", "one"), ("variants", "each")), "all read at an error of 0.05"
    assert "variants" not in ways(design())[()].options


def test_what_cannot_be_computed_is_left_out() -> None:
    still = Moments(5000, 10.0, 0.0)
    found = ways(design(), {**PLAIN, "with": (still, still, False)})
    assert found
    assert all(s.options["covariate"] == "without" for s in found.values())
    assert specifications({"without": (still, still, False)}, design(), alpha=0.05) == []


def test_a_confidence_sequence_is_tightest_where_the_plan_says() -> None:
    planned = ways(design("confidence-sequence", tightest=4000))
    assert planned[()].design.tightest == 4000
    assert ways(design())[(("looks", "confidence-sequence"),)].design.tightest == 10000
