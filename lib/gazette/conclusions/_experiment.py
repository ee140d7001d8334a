"""The verdict on an experiment and what follows from it.

| rule | when | state | recommendation |
|---|---|---|---|
| gate-sample-ratio, gate-exposure | the split or the exposure is wrong | not trustworthy | fix the test first |
| not-computable | the primary metric has no value | not published | wait |
| interval-above-zero | the interval, read in the good direction, lies above zero | benefit shown | by guardrails |
| interval-below-zero | it lies below zero | harm shown | don't ship |
| worthwhile-ruled-out | its upper end lies below the smallest effect worth having | no worthwhile benefit | stop: no winner |
| interval-includes-zero | anything else | not resolved | keep running |
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from gazette.record import Finding, Verdict

if TYPE_CHECKING:
    from gazette.record import Action, Number, Tone, VerdictState

__all__ = ["Look", "MetricResult", "conclude", "state_of"]

Role = Literal["primary", "secondary", "guardrail"]


@dataclass(frozen=True, kw_only=True)
class MetricResult:
    """What a look found for one metric.

    Attributes:
        metric: Its id.
        title: Its name for readers.
        role: Why it is in the test.
        higher_is_better: Its good direction.
        control, treatment: Value per arm.
        difference: Treatment less control, in the metric's unit.
        relative: The same relative to the control.
        margin: For a guardrail, the relative loss that it may not exceed.
        minimum: For the primary metric, the smallest relative effect worth having.
    """

    metric: str
    title: str
    role: Role
    higher_is_better: bool
    control: Number
    treatment: Number
    difference: Number
    relative: Number
    margin: float | None = None
    minimum: float | None = None

    def good(self, number: Number) -> tuple[float, float] | None:
        """The interval read in the good direction (above zero is better), or None without one."""
        if not number.published or number.interval is None:
            return None
        low, high = number.interval.low, number.interval.high
        return (low, high) if self.higher_is_better else (-high, -low)


@dataclass(frozen=True, kw_only=True)
class Look:
    """One reading of an experiment."""

    subject: str
    treatment: str
    results: tuple[MetricResult, ...]
    ended: bool
    enough_units: bool
    end: str
    rollout_days: Number
    units: Number
    planned: Number
    needed: Number
    split: Number
    crossed: Number
    split_fails: bool
    exposure_fails: bool


def state_of(result: MetricResult) -> tuple[VerdictState, str]:
    """State and rule of one metric, by its intervals alone."""
    absolute, relative = result.good(result.difference), result.good(result.relative)
    if absolute is None:
        return "not published", "not-computable"
    if absolute[0] > 0:
        return "benefit shown", "interval-above-zero"
    if absolute[1] < 0:
        return "harm shown", "interval-below-zero"
    if result.minimum is not None and relative is not None and relative[1] < result.minimum:
        return "no worthwhile benefit", "worthwhile-ruled-out"
    return "not resolved", "interval-includes-zero"


def guardrail_of(result: MetricResult) -> Literal["passed", "broken", "open"]:
    """Whether non-inferiority is shown: the interval excludes a loss beyond the margin."""
    interval = result.good(result.relative)
    if interval is None or result.margin is None:
        return "open"
    if interval[0] > -result.margin:
        return "passed"
    return "broken" if interval[1] < -result.margin else "open"


def _reason(look: Look, primary: MetricResult, state: VerdictState, rule: str) -> Finding:
    terms = {"metric": primary.title, "treatment": look.treatment, "end": look.end}
    difference, relative = primary.difference.id, primary.relative.id
    move = "{=metric} was {%s} with {=treatment} and {%s} without" % (primary.treatment.id, primary.control.id)
    span = "the difference is {%s|signed}, and the data fit anything from {%s|interval}" % (difference, difference)
    tail: dict[VerdictState, str] = {
        "benefit shown": f"{move}: {span}. All of that range is better than no change.",
        "harm shown": f"{move}: {span}. All of that range is worse than no change.",
        "no worthwhile benefit": f"{move}: {span}. Even the best of that range is less than the smallest effect worth having.",
        "not resolved": f"{move}: {span}. That range includes no change, so the test cannot tell yet.",
        "not published": "{=metric} cannot be compared yet.",
        "not trustworthy": "",
    }
    text = tail[state]
    if primary.relative.published and state not in {"not published", "not trustworthy"}:
        text += " Relative to today it is {%s|signed} ({%s|interval})." % (relative, relative)
    tones: dict[VerdictState, Tone] = {"benefit shown": "good", "harm shown": "bad", "no worthwhile benefit": "bad"}
    return Finding(
        id=f"{look.subject}.verdict", rule=rule, text=text, tone=tones.get(state, "unsure"), terms=_used(text, terms)
    )


def _used(text: str, terms: dict[str, str]) -> dict[str, str]:
    return {k: v for k, v in terms.items() if "{=" + k + "}" in text}


def _advice(look: Look, state: VerdictState) -> tuple[Action, str, str]:
    """Action, rule and sentence."""
    rails = [(r, guardrail_of(r)) for r in look.results if r.role == "guardrail"]
    action: Action
    if state == "benefit shown":
        if any(s == "broken" for _, s in rails):
            return (
                "don't ship",
                "benefit-but-guardrail-broken",
                "The primary metric gained, but a guardrail lost more than agreed.",
            )
        roll = "Roll out over {%s}" % look.rollout_days.id
        if any(s == "open" for _, s in rails):
            return (
                "ship with monitoring",
                "benefit-guardrail-open",
                f"{roll}; the data do not yet exclude a loss beyond the margin in a guardrail, so keep watching it.",
            )
        return "ship", "benefit-guardrails-passed", f"{roll}; every guardrail excludes a loss beyond its margin."
    if state == "harm shown":
        return "don't ship", "harm-shown", "Switch the variant off; the primary metric got worse."
    if state == "no worthwhile benefit":
        action = "stop: no winner"
        return (
            action,
            "worthwhile-ruled-out",
            "End the test and keep what is live; an effect worth having is ruled out.",
        )
    if state == "not published":
        return "wait", "not-computable", "There is nothing to decide on yet."
    if not look.ended:
        return "keep running", "test-not-over", "Decide when the test ends on {=end}; it is too early to stop."
    if look.enough_units:
        return (
            "stop: no winner",
            "ended-with-enough-units",
            "The test had enough users to show the smallest effect worth having and did not show it; end it, or extend it on purpose.",
        )
    return (
        "keep running",
        "ended-too-small",
        "The test ended with {%s} users; to have a fair chance of showing the smallest effect worth having it needs about {%s}."
        % (look.units.id, look.needed.id),
    )


def conclude(look: Look) -> tuple[Verdict, tuple[Finding, ...]]:
    """The verdict on the primary metric and the findings around it.

    Args:
        look: One reading; exactly one of its results is primary.
    """
    primary = next(r for r in look.results if r.role == "primary")
    if look.split_fails or look.exposure_fails:
        rule = "gate-sample-ratio" if look.split_fails else "gate-exposure"
        text = (
            "The arms do not have the sizes that were planned; a split this uneven has a chance of {%s} if assignment works."
            % look.split.id
            if look.split_fails
            else "{%s} users saw more than one arm, too many to compare the arms." % look.crossed.id
        )
        reason = Finding(id=f"{look.subject}.verdict", rule=rule, text=text, tone="bad")
        advice = Finding(
            id=f"{look.subject}.advice",
            rule="gate-failed",
            text="Find out which users were lost or counted twice, mend it, and start again; nothing about the effect can be said.",
            tone="bad",
        )
        return (
            Verdict(
                metric=primary.metric,
                state="not trustworthy",
                rule=rule,
                action="fix the test first",
                action_rule="gate-failed",
                reason=reason,
                advice=advice,
            ),
            (),
        )
    state, rule = state_of(primary)
    action, action_rule, text = _advice(look, state)
    reason = _reason(look, primary, state, rule)
    advice = Finding(id=f"{look.subject}.advice", rule=action_rule, text=text, terms=_used(text, {"end": look.end}))
    verdict = Verdict(
        metric=primary.metric,
        state=state,
        rule=rule,
        action=action,
        action_rule=action_rule,
        reason=reason,
        advice=advice,
    )
    return verdict, tuple(_others(look))


def _others(look: Look) -> list[Finding]:
    found = []
    for result in look.results:
        if result.role == "primary":
            continue
        terms = {"metric": result.title}
        name = f"{look.subject}.{result.metric}.finding"
        if result.role == "guardrail":
            standing = guardrail_of(result)
            interval = " ({%s|interval})" % result.relative.id if result.relative.published else ""
            texts: dict[str, tuple[str, Tone]] = {
                "passed": (f"Guardrail {{=metric}}: a loss beyond the agreed margin is excluded{interval}.", "good"),
                "broken": (f"Guardrail {{=metric}}: it lost more than the agreed margin{interval}.", "bad"),
                "open": (
                    f"Guardrail {{=metric}}: a loss beyond the agreed margin is not excluded yet{interval}.",
                    "unsure",
                ),
            }
            text, tone = texts[standing]
            found.append(Finding(id=name, rule=f"guardrail-{standing}", text=text, tone=tone, terms=terms))
            continue
        state, rule = state_of(result)
        span = "{%s|signed} ({%s|interval})" % (result.difference.id, result.difference.id)
        if state == "benefit shown":
            found.append(Finding(id=name, rule=rule, text=f"{{=metric}} got better: {span}.", tone="good", terms=terms))
        elif state == "harm shown":
            found.append(Finding(id=name, rule=rule, text=f"{{=metric}} got worse: {span}.", tone="bad", terms=terms))
        elif state == "not resolved":
            found.append(
                Finding(id=name, rule=rule, text=f"{{=metric}} is not resolved: {span}.", tone="unsure", terms=terms)
            )
    return found
