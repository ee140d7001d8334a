"""Other defensible ways to analyse a test, from the aggregates that it was analysed by: every combination of choices, each compared once."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING, Literal

from gazette.stats._design import Comparison, Design, compare
from gazette.stats._estimates import Estimate

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gazette.stats._moments import Moments

__all__ = ["Choice", "Specification", "specifications"]

Choice = Literal["covariate", "level", "sides", "variants", "looks"]
ERRORS = (0.1, 0.05, 0.01)  # of levels 90, 95 and 99 %
SAME = 9  # decimals of a critical value from which on two designs ask for the same evidence


@dataclass(frozen=True)
class Specification:
    """One way to analyse a test.

    Attributes:
        options: Option by choice; choices that the test does not leave open are not there.
        changed: Choices in which it differs from the plan, none for the plan itself.
        same: What else comes to the same range with as few changes: option by changed choice.
        design: With the two-sided error at which the difference is read.
        comparison: Difference (in the metric's unit) and relative difference with their intervals.
    """

    options: Mapping[Choice, str]
    changed: tuple[Choice, ...]
    design: Design
    comparison: Comparison
    same: tuple[tuple[Choice, str], ...] = ()


def specifications(
    pairs: Mapping[str, tuple[Moments, Moments, bool]], plan: Design, *, alpha: float, treatments: int = 1
) -> list[Specification]:
    """Every combination of the choices that the aggregates support, the plan first, those with fewer changes before others.

    - ``level``: 90, 95 and 99 % beside the planned one.
    - ``sides``: two-sided; or, at the planned level, each side asked by itself with the whole error, which is the two-sided interval at
      twice the error (as in the two one-sided tests of Schuirmann 1987).
    - ``variants``: the error shared among treatments (Bonferroni), or not.
    - ``looks``: group sequential with either spending where units were planned; a confidence sequence, unless planned otherwise tightest
      at the planned units; a single look (fixed horizon) where the test is over.
    - ``covariate``: whatever ``pairs`` holds.

    Combinations that ask for the same evidence of the same means are one specification, so that none counts twice.

    Args:
        pairs: Control and treatment (moments in the metric's unit) and whether both are shares of units, by option of the covariate
            (such as ``with`` and ``without``); the first is the planned one. One pair leaves nothing to choose.
        plan: The design in force at this look; its ``alpha`` is the error of one comparison, ``alpha / treatments``.
        alpha: Two-sided error of the whole test, between 0 and 1.
        treatments: How many share it.

    Returns:
        Specifications whose difference can be computed.

    Raises:
        SequentialError: Looks of the plan do not grow.
    """
    errors = [alpha, *(e for e in ERRORS if not math.isclose(e, alpha))]
    designs = _designs(plan)
    options: dict[Choice, list[str]] = {
        "covariate": list(pairs),
        "level": [f"{100 * (1 - e):.6g}" for e in errors],
        "sides": ["two", "one"],
        "variants": ["shared", "each"][: 1 + (treatments > 1)],
        "looks": list(designs),
    }
    known_errors = dict(zip(options["level"], errors, strict=True))
    planned = {choice: found[0] for choice, found in options.items()}
    found: dict[tuple[str, float], Specification] = {}
    for chosen in _combinations(options, planned):
        shared = treatments if chosen["variants"] == "shared" else 1
        error = known_errors[chosen["level"]] / shared * (2 if chosen["sides"] == "one" else 1)
        loosened = chosen["sides"] != planned["sides"] and chosen["level"] != planned["level"]
        if error >= 1 or loosened:
            continue
        design = replace(designs[chosen["looks"]], alpha=error)
        control, treatment, proportion = pairs[chosen["covariate"]]
        comparison = compare(control, treatment, design, proportion=proportion)
        if not isinstance(comparison.difference, Estimate):
            continue
        changed = tuple(c for c in chosen if chosen[c] != planned[c])
        key = chosen["covariate"], round(design.critical(), SAME)
        if key not in found:
            open_to = {c: chosen[c] for c in chosen if len(options[c]) > 1}
            found[key] = Specification(open_to, changed, design, comparison)
        elif len(changed) == 1:
            first = found[key]
            found[key] = replace(first, same=(*first.same, (changed[0], chosen[changed[0]])))
    return list(found.values())


def _combinations(options: Mapping[Choice, list[str]], planned: Mapping[Choice, str]) -> Iterator[dict[Choice, str]]:
    """All of them, those with fewer changes first, and of these those that change the earlier choices."""
    every = [dict(zip(options, values, strict=True)) for values in product(*options.values())]

    def order(chosen: dict[Choice, str]) -> tuple[int, list[int]]:
        places = [i for i, c in enumerate(options) if chosen[c] != planned[c]]
        return len(places), places

    yield from sorted(every, key=order)


def _designs(plan: Design) -> dict[str, Design]:
    """Ways to pay for looks that this test's looks support, by name, the planned one first."""
    others = [replace(plan, method="confidence-sequence", tightest=plan.planned or plan.tightest)]
    if plan.planned:
        spent: tuple[Literal["obrien-fleming", "pocock"], ...] = ("obrien-fleming", "pocock")
        others += [replace(plan, method="group-sequential", spending=spending) for spending in spent]
    if plan.final:
        others.append(replace(plan, method="fixed"))
    return {_name(plan): plan} | {_name(d): d for d in others if _name(d) != _name(plan)}


def _name(design: Design) -> str:
    return f"{design.method}-{design.spending}" if design.method == "group-sequential" else design.method
