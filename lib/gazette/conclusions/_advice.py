"""What to do about a test: the decision rule.

In one line: ship only if the primary metric improved and every guardrail is shown not to be worse than its margin.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gazette.conclusions._standing import within

if TYPE_CHECKING:
    from gazette.conclusions._experiment import Look
    from gazette.record import Action, VerdictState

__all__ = ["advice"]


def advice(look: Look, state: VerdictState, rule: str) -> tuple[Action, str, str]:
    """Action, rule and sentence."""
    if state == "not resolved" and look.readable and look.rails("broken"):
        text = "{=broken} lost more than agreed, all of the range: switch the variant off, whatever the primary metric would still show."
        return "don't ship", "guardrail-broken-first", text
    if not look.pays and look.net is not None and state in {"benefit shown", "not resolved"}:
        text = "Even the best that fits the data does not pay: worth less cost is {%s|interval} a month." % look.net.id
        if state == "benefit shown":
            return "don't ship", "benefit-does-not-pay", f"{text} Do not roll it out unless it can be run for less."
        return "stop: no winner", "does-not-pay", f"{text} End the test and keep what is live."
    if state == "benefit shown":
        return _ship(look)
    if state == "harm shown":
        return "don't ship", "harm-shown", f"Switch the variant off; the primary metric got worse.{_overstated(look)}"
    if state == "no worthwhile benefit":
        text = "End the test and keep what is live; an effect worth having is ruled out."
        return "stop: no winner", "worthwhile-ruled-out", text
    if state == "not published":
        text = "There is nothing to decide on yet."
        if (few := look.primary.skewed) is not None and few.withheld:
            text += " A range takes {%s} %s in the smaller arm" % (few.needed.id, few.units)
            text += "." if few.ratio else ", or a cap on the metric."
        return "wait", "not-computable", text
    if not look.ended:
        action_rule = rule if rule == "fixed-horizon-not-over" else "test-not-over"
        return "keep running", action_rule, "Decide when the test ends on {=end}; it is too early to stop."
    return _ended(look)


def _ended(look: Look) -> tuple[Action, str, str]:
    """The test is over and not resolved."""
    if look.enough_units:
        text = "The test had enough users to show the smallest effect worth having and did not show it; end it and keep what is live."
        return "stop: no winner", "ended-with-enough-units", text
    action: Action = "keep running" if look.anytime else "stop: no winner"
    again = (
        ""
        if look.anytime
        else " Its final look is over, so more users need a new test: an extension has no error left to spend."
    )
    if not look.needed.published:
        text = "The data fit both a gain and a loss: decide with more users. Name the smallest effect worth having to learn how many."
        return action, "ended-inconclusive", text + again
    text = (
        "The test ended with {%s} users; to have a fair chance of showing the smallest effect worth having it needs about {%s}"
        % (look.units.id, look.needed.id)
    )
    text += ", which takes about {%s} more." % look.wait.id if look.anytime and look.wait.published else "."
    return action, "ended-too-small", text + again


def _ship(look: Look) -> tuple[Action, str, str]:
    """A benefit is shown: what the guardrails, the split and the other metrics allow."""
    if look.rails("broken"):
        text = "The primary metric gained, but a guardrail lost more than agreed."
        return "don't ship", "benefit-but-guardrail-broken", text
    if not look.split_known:
        text = "The primary metric gained, but whether the arms have the planned sizes could not be checked: roll nothing out before that is known."
        return "wait", "benefit-split-unknown", text
    if look.rails("unknown"):
        text = "The primary metric gained, but {=unknown} could not be read: roll nothing out before the guardrail is known."
        return "wait", "benefit-guardrail-unknown", text
    text = "Roll out over {%s}" % look.rollout_days.id
    after = (
        " Even the best of the range is less than the smallest effect worth having." if within(look.primary)[1] else ""
    )
    if look.harmed:
        after += " {=lost} got worse: decide whether the gain is worth that."
    after += _overstated(look)
    if look.rails("open"):
        return _unguarded(look)
    rails = any(r.role == "guardrail" for r in look.results)
    text += "; every guardrail excludes a loss beyond its margin." if rails else "; the test has no guardrail."
    if look.harmed:
        return "ship with monitoring", "benefit-secondary-lost", text + after
    return "ship", "benefit-guardrails-passed", text + after


def _unguarded(look: Look) -> tuple[Action, str, str]:
    """A benefit is shown, and of a guardrail it is not shown that it holds: nothing is shipped on that."""
    rails = look.rails("open")[:8]
    text = (
        "The primary metric gained, but a loss beyond what was agreed is not excluded: {=open}. Ship only once it is."
    )
    if look.anytime or not look.ended:
        text += "" if look.anytime else " Decide when the test ends on {=end}."
        return "keep running", "benefit-guardrail-open", text + _overstated(look)
    if all(rail.guarded for rail in rails):
        text = "The primary metric gained, but {=open} had enough users to be shown to hold the agreed margin, and was not shown to."
        return "don't ship", "benefit-guardrail-not-shown", text
    told = ""
    for letter, rail in zip("abcdefgh", rails, strict=False):
        if rail.power is not None and rail.power.published and not rail.guarded:
            told += " Had nothing changed, {=rail_%s} had a chance of {%s} to be shown to hold" % (
                letter,
                rail.power.id,
            )
            known = rail.needed is not None and rail.needed.published
            told += "; a fair chance takes about {%s} users." % rail.needed.id if known and rail.needed else "."
    return (
        "don't ship",
        "benefit-guardrail-too-small",
        f"{text}{told} Take a new test of that size, or agree on a wider margin before it.",
    )


def _overstated(look: Look) -> str:
    if not look.early or look.shrunken is None or not look.shrunken.published:
        return ""
    return " A test that stops early overstates its effect: expect about {%s|signed} rather than {%s|signed}." % (
        look.shrunken.id,
        look.primary.difference.id,
    )
