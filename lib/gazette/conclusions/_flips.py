"""How firm a verdict is: what its state would have been under other defensible ways to analyse the test.

| rule | when | what it says |
|---|---|---|
| flips-none | every other way agrees | how many there are |
| flips-single | one different choice alone gives another state | how many agree, and which choices |
| flips-combined | only several different choices together do | how many agree |
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gazette.conclusions._standing import state_by
from gazette.errors import GazetteError
from gazette.record import Finding
from gazette.stats import Estimate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gazette.record import NotPublished, Number, VerdictState
    from gazette.stats import Choice, Specification

__all__ = ["Flip", "FlipMap", "FlipsError", "flip_map", "flips_said"]

WORDS: dict[tuple[Choice, str], str] = {
    ("covariate", "with"): "using what was known of users before the test (CUPED)",
    ("covariate", "without"): "leaving out what was known of users before the test (CUPED)",
    ("sides", "two"): "asking for a gain and a loss at once (two-sided)",
    ("sides", "one"): "asking for a gain and a loss apart (one-sided)",
    ("variants", "shared"): "sharing the error among the variants",
    ("variants", "each"): "not sharing the error among the variants",
    (
        "looks",
        "group-sequential-obrien-fleming",
    ): "planned looks, strict at early ones (group sequential, O'Brien-Fleming)",
    ("looks", "group-sequential-pocock"): "planned looks, much alike in strictness (group sequential, Pocock)",
    ("looks", "confidence-sequence"): "allowing a look at any time (confidence sequence)",
    ("looks", "fixed"): "reading it once, at the end, as if nobody had looked before (fixed horizon)",
}


class FlipsError(GazetteError, ValueError):
    """The plan's own specification is missing, or does not give the published state: the map would contradict its page."""


@dataclass(frozen=True)
class Flip:
    """What one specification would have concluded.

    Attributes:
        specification: The way to analyse the test.
        state: That its intervals give, by the rule of verdicts.
        agrees: Whether that is the published state.
    """

    specification: Specification
    state: VerdictState
    agrees: bool

    @property
    def words(self) -> str:
        """What is different from the plan, in words; empty for the plan."""
        spec = self.specification
        mine = " and ".join(words_of(c, spec.options[c]) for c in spec.changed)
        return ", or ".join([*([mine] if mine else []), *(words_of(c, option) for c, option in spec.same)])

    @property
    def id(self) -> str:
        """A part of the ids of its numbers.

        >>> from gazette.stats import Comparison, Design, Estimate, Specification
        >>> estimate = Estimate(0.0, -1.0, 1.0, 0.9, 0.5, None, 10, "m")
        >>> design = Design(method="fixed", alpha=0.1, units=10)
        >>> spec = Specification({"level": "90"}, ("level",), design, Comparison(estimate, estimate))
        >>> Flip(spec, "not resolved", True).id
        'level-90'
        """
        return ".".join(f"{c}-{self.specification.options[c]}" for c in self.specification.changed)


@dataclass(frozen=True)
class FlipMap:
    """Every specification with its would-be state.

    Attributes:
        published: State of the verdict.
        plan: The specification that is the plan.
        others: All others, those with fewer changes first.
    """

    published: VerdictState
    plan: Flip
    others: tuple[Flip, ...]

    @property
    def single(self) -> tuple[Flip, ...]:
        """Those that differ from the plan in one choice only."""
        return tuple(f for f in self.others if len(f.specification.changed) == 1)

    @property
    def flipping(self) -> tuple[Flip, ...]:
        """Single choices that give another state."""
        return tuple(f for f in self.single if not f.agrees)

    @property
    def agree(self) -> int:
        """How many of the others give the published state."""
        return sum(f.agrees for f in self.others)


def words_of(choice: Choice, option: str) -> str:
    """An option for readers.

    >>> words_of("level", "90"), words_of("sides", "two")
    ('a confidence level of 90 %', 'asking for a gain and a loss at once (two-sided)')
    """
    return f"a confidence level of {option} %" if choice == "level" else WORDS[choice, option]


def flip_map(
    specifications: Sequence[Specification],
    published: VerdictState,
    *,
    higher_is_better: bool,
    minimum: float | None,
    size: float = 0.0,
) -> FlipMap:
    """The would-be state of each specification, by the rule that states of verdicts follow.

    Args:
        specifications: As :func:`gazette.stats.specifications` gives them, the plan among them.
        published: State of the verdict on the primary metric; one that intervals give, so not "not trustworthy".
        higher_is_better: Good direction of the metric.
        minimum: Smallest relative effect worth having (0.02 for 2 %), None where none counts.
        size: The control without its sign, for differences that have no relative.

    Raises:
        FlipsError: The plan is not among them, or does not give the published state.
    """

    def good(estimate: Estimate | NotPublished) -> tuple[float, float] | None:
        if not isinstance(estimate, Estimate):
            return None
        return (estimate.low, estimate.high) if higher_is_better else (-estimate.high, -estimate.low)

    found = []
    for spec in specifications:
        state, _ = state_by(good(spec.comparison.difference), good(spec.comparison.relative), minimum, size=size)
        found.append(Flip(spec, state, state == published))
    plan = next((f for f in found if not f.specification.changed), None)
    if plan is None or not plan.agrees:
        gives = f"gives {plan.state!r}" if plan else "cannot be computed"
        raise FlipsError(f"the plan's own specification {gives}, but the verdict is {published!r}")
    return FlipMap(published, plan, tuple(f for f in found if f is not plan))


def flips_said(found: FlipMap, *, prefix: str, metric: str, ways: Number, agree: Number, share: Number) -> Finding:
    """The sentence on a map.

    Args:
        found: The map; its others are not empty.
        prefix: Begins the id of the finding.
        metric: Title of the primary metric.
        ways: How many other ways there are, a count.
        agree: How many of them give the published state, a count.
        share: Their share, a fraction.
    """
    text = (
        "Of {%s} other reasonable ways to analyse this test, {%s} ({%s}) give the same verdict on {=metric}: {=state}."
        % (
            ways.id,
            agree.id,
            share.id,
        )
    )
    terms = {"metric": metric, "state": found.published}
    flipping = found.flipping
    if flipping:
        rule = "flips-single"
        text += " One different choice is enough to change it: {=choices}."
        terms["choices"] = "; ".join(f"{f.words} would give “{f.state}”" for f in flipping)
    elif found.agree < len(found.others):
        rule = "flips-combined"
        text += " No single choice changes it, only several at once."
    else:
        rule = "flips-none"
        text += " None of these choices changes it."
    return Finding(id=f"{prefix}.flips", rule=rule, text=text, tone="unsure" if flipping else "neutral", terms=terms)
