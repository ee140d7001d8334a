"""Chains of sensitivities, read forward and backward from the same draws."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from gazette.translation._links import Change, ChangeUnit, Link, UnitError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Backward", "Base", "BeyondError", "Chain", "Forward", "Misfit", "backward", "chains", "forward", "misfits"]

DRAWS = 20_001  # odd, so that the median is a draw and both directions meet in it
REFUSED_BEYOND = 2.0  # times the observed range
SLACK = 1e-9  # of the range: rounding of written decimals
Standing = Literal["observed", "extrapolated", "refused"]


class BeyondError(UnitError):
    """A change so far beyond what a link has seen that nothing is said of its worth."""


@dataclass(frozen=True)
class Base:
    """What a relative change is taken of, such as revenue a month.

    Attributes:
        metric: The business metric whose relative change moves it.
        value: In money a month.
        standard_error: Of it.
    """

    metric: str
    value: float
    standard_error: float


@dataclass(frozen=True)
class Chain:
    """Links that follow each other, perhaps ending in money on a base.

    Raises:
        UnitError: A link does not begin where the one before it ends, or in another unit; or the base is of something else.
    """

    links: tuple[Link, ...]
    base: Base | None = None

    def __post_init__(self) -> None:
        if not self.links:
            raise UnitError("a chain needs a link")
        for one, two in zip(self.links, self.links[1:], strict=False):
            if one.business != two.technical:
                raise UnitError(f"link {one.id!r} ends at {one.business!r}, but {two.id!r} begins at {two.technical!r}")
            if one.effect_unit != two.unit:
                raise UnitError(
                    f"link {one.id!r} gives {one.effect_unit}, but {two.id!r} speaks of {two.unit}",
                    mend="state one of them in the other's unit: points are not per cent",
                )
        last = self.links[-1]
        if self.base is not None and (last.effect_unit != "relative" or last.business != self.base.metric):
            raise UnitError(
                f"the base is of {self.base.metric!r} and needs its relative change; link {last.id!r} gives {last.effect_unit} of {last.business!r}",
                mend="state the last link in per cent of the base's metric",
            )

    @property
    def unit(self) -> ChangeUnit:
        """Of what comes out."""
        return "money" if self.base else self.links[-1].effect_unit

    @property
    def factors(self) -> list[tuple[str, float, float]]:
        """Name, mean and standard deviation of each independent factor."""
        found = [(link.id, link.mean, link.sd) for link in self.links]
        return [*found, ("base", self.base.value, self.base.standard_error)] if self.base else found

    def draws(self, seed: int) -> NDArray[np.float64]:
        """Of the product of all factors: the one posterior that both directions read; shape (DRAWS,)."""
        import numpy as np  # noqa: PLC0415  slow to import

        rng = np.random.default_rng(seed)
        product = np.ones(DRAWS)
        for _, mean, sd in self.factors:
            product *= mean + sd * rng.standard_normal(DRAWS)
        return product

    def standing(self, change: Change) -> tuple[Standing, str]:
        """Whether every link has seen a change as large as it would carry, and the first that has not.

        What lies between nought and an observed change counts as observed. Later links carry the mean of what comes before.
        """
        value = change.value
        worst: Standing = "observed"
        which = ""
        for link in self.links:
            low, high = min(link.observed[0], 0.0), max(link.observed[1], 0.0)
            slack = SLACK * (high - low)
            if not low - slack <= value <= high + slack:
                beyond = value > high * REFUSED_BEYOND + slack or value < low * REFUSED_BEYOND - slack
                if beyond:
                    return "refused", link.id
                if worst == "observed":
                    worst, which = "extrapolated", link.id
            value *= link.mean
        return worst, which


@dataclass(frozen=True)
class Forward:
    """What a technical change is worth.

    Attributes:
        median, low, high: In ``unit``, with the 80 % range.
        unit: Of the effect.
        doubt: Share of the variance that each factor brings; ``change`` is the measurement itself. Empty where nothing is in doubt.
        standing: ``observed`` or ``extrapolated``.
        beyond: The first link that has not seen such a change.
    """

    median: float
    low: float
    high: float
    unit: ChangeUnit
    doubt: dict[str, float]
    standing: Standing
    beyond: str


@dataclass(frozen=True)
class Backward:
    """Which technical change a business target needs.

    Attributes:
        needed: Reaches the target with one chance in two; None where no change does.
        safe: Reaches it with four chances in five; None where no change does.
        chance: That the largest change within the observed range would reach it.
        largest: That change.
        reached: Whether ``needed`` lies within the observed range.
        unit: Of the technical change.
        standing: As of `Forward`, for ``needed``.
        beyond: The first link that has not seen such a change.
    """

    needed: float | None
    safe: float | None
    chance: float
    largest: float
    reached: bool
    unit: ChangeUnit
    standing: Standing
    beyond: str


def forward(chain: Chain, change: Change, *, seed: int) -> Forward:
    """The worth of a technical change: median, 80 % range, shares of doubt.

    The measured change and the slopes are drawn as independent normals. A share of doubt is the total-effect index of
    Homma and Saltelli (1996), closed for a product of independent factors: ``v_i prod_j!=i (m_j^2 + v_j)``, scaled to add
    up to 1.

    Args:
        chain: From the technical to the business metric.
        change: Of the first link's technical metric, in its unit.
        seed: Of the draws.

    Raises:
        UnitError: The change is in another unit.
        BeyondError: It lies more than twice beyond what a link has seen, or on the side of nought that none has seen.
    """
    import numpy as np  # noqa: PLC0415  slow to import

    first = chain.links[0]
    if change.unit != first.unit:
        raise UnitError(
            f"{first.technical!r} changed in {change.unit}, but {first.id!r} speaks of {first.unit}",
            mend="convert it at the metric's level: points are not per cent",
        )
    standing, beyond = chain.standing(change)
    if standing == "refused":
        raise BeyondError(
            f"the change lies too far beyond what {beyond!r} has seen, so nothing is said of its worth",
            mend="run a test at such a size first",
        )
    effect = chain.draws(seed)
    if change.standard_error:
        rng = np.random.default_rng([seed, 1])
        effect = effect * (change.value + change.standard_error * rng.standard_normal(DRAWS))
    else:
        effect = effect * change.value
    low, median, high = (float(v) for v in np.quantile(effect, [0.1, 0.5, 0.9]))
    factors = [("change", change.value, change.standard_error), *chain.factors]
    squares = [m * m + s * s for _, m, s in factors]
    totals = {
        name: s * s * math.prod(q for j, q in enumerate(squares) if j != i) for i, (name, _, s) in enumerate(factors)
    }
    whole = sum(totals.values())
    doubt = {name: part / whole for name, part in totals.items() if part} if whole else {}
    return Forward(median, low, high, chain.unit, doubt, standing, beyond)


def backward(chain: Chain, target: float, *, seed: int) -> Backward:
    """The technical change that a target needs, from the same draws as `forward`.

    Args:
        chain: From the technical to the business metric.
        target: In the chain's unit, not nought.
        seed: The same as forward's, so that one inverts the other.

    Raises:
        UnitError: The target is nought or not finite.
    """
    import numpy as np  # noqa: PLC0415  slow to import

    if not target or not math.isfinite(target):
        raise UnitError(f"a target must be finite and not nought, found {target!r}")
    slopes = chain.draws(seed)
    way = 1.0 if float(np.median(slopes)) * target >= 0 else -1.0
    helps = slopes * target * way > 0
    needed = np.full(DRAWS, np.inf)
    needed[helps] = np.abs(target / slopes[helps])
    half, safe = (float(v) for v in np.quantile(needed, [0.5, 0.8], method="inverted_cdf"))
    link = chain.links[0]
    largest = max(way * link.observed[0], way * link.observed[1], 0.0)
    if not math.isfinite(half):
        return Backward(None, None, 0.0, way * largest, False, link.unit, "refused", link.id)
    standing, beyond = chain.standing(Change(way * half, link.unit))
    return Backward(
        needed=way * half,
        safe=way * safe if math.isfinite(safe) else None,
        chance=float(np.mean(needed <= largest)) if largest else 0.0,
        largest=way * largest,
        reached=half <= largest * (1 + SLACK),
        unit=link.unit,
        standing=standing,
        beyond=beyond,
    )


def chains(links: Iterable[Link], start: str, end: str, *, segment: str = "") -> list[Chain]:
    """Every way from one metric to another over links of the segment (or of all), the shortest first.

    A link of the segment takes the place of those of all between the same metrics. Ways whose units do not fit are left
    out; `misfits` names them.
    """
    every = list(links)
    own = {(link.technical, link.business) for link in every if segment and link.segment == segment}
    usable = [
        link
        for link in every
        if link.segment == segment or (not link.segment and (link.technical, link.business) not in own)
    ]
    found: list[Chain] = []

    def walk(path: Sequence[Link]) -> None:
        here = path[-1].business if path else start
        if path and here == end:
            found.append(Chain(tuple(path)))
            return
        seen = {start, *(link.business for link in path)}
        for link in usable:
            fits = not path or path[-1].effect_unit == link.unit
            if link.technical == here and link.business not in seen and fits:
                walk([*path, link])

    walk(())
    return sorted(found, key=lambda c: (len(c.links), [link.id for link in c.links]))


@dataclass(frozen=True)
class Misfit:
    """Two links that would follow each other, if they spoke of the same unit."""

    one: Link
    two: Link


def misfits(links: Sequence[Link]) -> list[Misfit]:
    """Links that end and begin at the same metric in different units, so that no chain may join them."""
    return [
        Misfit(one, two)
        for one in links
        for two in links
        if one.business == two.technical and one.effect_unit != two.unit and one.segment in {"", two.segment}
    ]
