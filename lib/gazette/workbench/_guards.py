"""Whether a test is large enough to guard what it has to: the power of each guardrail at its margin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gazette import display, stats
from gazette.record import NotPublished

if TYPE_CHECKING:
    from gazette.params import Guardrail
    from gazette.record import Number
    from gazette.workbench._numbers import ExperimentNumbers
    from gazette.workbench._reading import Reading

__all__ = ["decision_units", "guard_facts", "guard_power"]


def guard_power(reading: Reading, guardrail: Guardrail, arm: str) -> float | NotPublished:
    """Chance to show at this look that a guardrail holds its margin, where nothing changed."""
    difference = reading.compare(guardrail.metric, arm).difference
    control = reading.value(guardrail.metric, reading.plan.control)
    for found in (difference, control):
        if isinstance(found, NotPublished):
            return found
    assert isinstance(difference, stats.Estimate)  # noqa: S101  the loop has said so
    assert isinstance(control, stats.Estimate)  # noqa: S101
    margin = guardrail.margin * abs(control.value)
    return stats.guard_power(margin, difference.standard_error, critical=reading.design.critical())


def decision_units(reading: Reading) -> int | NotPublished:
    """Units of all arms to show the smallest effect worth having and every guardrail's margin, all with 80 % chance."""
    plan = reading.plan
    if not plan.minimum_effect:
        return NotPublished(reason="no smallest effect worth having was named")
    power = stats.each_power(len(plan.guardrails))
    asked = [(plan.primary, plan.minimum_effect), *((g.metric, g.margin) for g in plan.guardrails)]
    found = [reading.units_for(metric, effect, power=power) for metric, effect in asked]
    unknown = [n for n in found if isinstance(n, NotPublished)]
    return unknown[0] if unknown else max(n for n in found if not isinstance(n, NotPublished))


def guard_facts(bench: ExperimentNumbers, arm: str, decide: Number) -> dict[str, str]:
    """What the plan's guardrails can show at this look and what they take, for the page."""
    told = []
    for result in bench.looks_by_arm[arm].results:
        if result.power is None or result.needed is None or result.margin_number is None:
            continue
        chance, margin, needed = (display.format_number(x) for x in (result.power, result.margin_number, result.needed))
        takes = f"; for {100 * stats.POWER:.4g} % it takes {needed} users" if result.needed.published else ""
        said = f"{chance} chance to show at this look that it loses no more than {margin}, if nothing changed{takes}"
        told.append(f"{result.title}: {said if result.power.published else 'its power could not be computed'}")
    if not told:
        return {}
    facts: dict[str, Any] = {"Guardrails": ". ".join(told)}
    if decide.published:
        facts["To decide"] = (
            f"{display.format_number(decide)} users for {100 * stats.POWER:.4g} % chance to show the smallest effect and every guardrail together"
        )
    return facts
