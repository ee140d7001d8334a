"""Who is in a test, a second time: users of each arm, those who do not count yet, the split; and what so many can guard."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from gazette.recompute._arithmetic import Second, split_chance, split_ever

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gazette.params import Experiment

__all__ = ["guards", "people"]


def people(plan: Experiment, tables: Mapping[str, list[dict[str, Any]]]) -> tuple[int, dict[str, Second | None]]:
    """Users of all arms, and numbers by id without the subject.

    Args:
        plan: The experiment.
        tables: Answers by the names of their questions, ``arms`` among them; one that failed is left out.
    """
    counts = {str(r["arm"]): int(r["n"]) for r in tables["arms"]}
    sizes = [counts.get(v.id, 0) for v in plan.variants]
    found: dict[str, Second | None] = {f"n.{v.id}": Second(float(n)) for v, n in zip(plan.variants, sizes, strict=True)}
    found["units"] = Second(float(sum(sizes)))
    for name, table in (("young", "young"), ("unaccounted", "left-out")):
        if table in tables:
            found[name] = Second(float(tables[table][0]["n"]))
    weights = [v.weight for v in plan.variants]
    if sum(sizes) and not plan.reallocations:
        found["split"] = Second(split_chance(sizes, weights))
    if "days" in tables and tables["days"] and not plan.reallocations:
        arms = {v.id: i for i, v in enumerate(plan.variants)}
        drawn = [(str(r["day"]), arms[str(r["arm"])], int(r["n"])) for r in tables["days"]]
        found["drift"] = Second(split_ever(drawn, weights))
    if "days-triggered" in tables and "days" in tables:
        everyone, met = (sum(int(r["n"]) for r in tables[name]) for name in ("days", "days-triggered"))
        found["assigned"] = Second(float(everyone))
        if everyone:
            found["triggered"] = Second(met / everyone)
        arms = {v.id: i for i, v in enumerate(plan.variants)}
        drawn = [(str(r["day"]), arms[str(r["arm"])], int(r["n"])) for r in tables["days-triggered"]]
        if drawn:
            found["triggered-drift"] = Second(split_ever(drawn, weights))
    return sum(sizes), found


def guards(plan: Experiment, found: Mapping[str, Second | None], critical: float) -> dict[str, Second | None]:
    """The chance to show at this look that each guardrail holds its margin, where nothing changed: one tail of the normal distribution.

    Args:
        plan: As agreed at the first look.
        found: Numbers by id without the subject, the guardrails' differences among them.
        critical: Standard errors to each side.
    """
    chances: dict[str, Second | None] = {}
    for rail in plan.guardrails:
        for variant in plan.treatments:
            prefix = f"{variant.id}." if len(plan.treatments) > 1 else ""
            gap, control = found.get(f"{prefix}{rail.metric}.difference"), found.get(f"{rail.metric}.control")
            if gap is not None and gap.error and control is not None:
                far = critical - rail.margin * abs(control.value) / gap.error
                chances[f"{prefix}{rail.metric}.guard-power"] = Second(math.erfc(far / math.sqrt(2)) / 2)
    return chances
