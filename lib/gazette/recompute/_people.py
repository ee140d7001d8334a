"""Who is in a test, a second time: users of each arm, those who do not count yet, and the split."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gazette.recompute._arithmetic import Second, split_chance, split_ever

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gazette.params import Experiment

__all__ = ["people"]


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
    return sum(sizes), found
