"""One row of the table of errors and coverage, and the word for it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

__all__ = ["Kind", "Row", "row"]

Kind = Literal["errs", "covers", "power", "value"]
NOMINAL: dict[str, float] = {"errs": 0.05, "covers": 0.95, "power": 0.8}
HALF = 0.5
FEW = 20  # published ranges, below which a rate of them says nothing
BEYOND = 1.1  # of a stated error that still counts as held
WITHIN = 0.02  # of a stated coverage that counts as held
DOUBT = 2.0  # standard errors of the simulation


@dataclass(frozen=True, kw_only=True)
class Row:
    """What was simulated and what came of it.

    Attributes:
        part: Heading of the table.
        what: The method and the data in words.
        measure: ``errs`` (share of wrong verdicts, arrows or alarms), ``covers`` (share of ranges that hold), ``power``, or ``value``.
        nominal: What the product says.
        now: What the simulation found, of those published; None where nothing was published.
        error: Standard error of that share.
        withheld: Share of simulations in which nothing was published.
        runs: Simulations.
        before: As filed before the methods of today, None where it was not.
    """

    part: str
    what: str
    measure: Kind
    nominal: float
    now: float | None
    error: float
    withheld: float
    runs: int
    before: float | None = None

    @property
    def word(self) -> str:
        """Held, conservative, withheld or not held, with the doubt of the simulation on the product's side."""
        if self.now is None or self.runs * (1 - self.withheld) < FEW:
            return "withheld"
        doubt = DOUBT * self.error
        low = {
            "errs": self.now - doubt > BEYOND * self.nominal,
            "covers": self.now + doubt < self.nominal - WITHIN,
            "power": self.now + doubt < self.nominal - WITHIN,
            "value": abs(self.now - self.nominal) > doubt + 0.1 * abs(self.nominal),
        }[self.measure]
        if low:
            return "not held"
        if self.withheld >= HALF:
            return "withheld"
        careful = {
            "errs": self.now < HALF * self.nominal,
            "covers": self.now - doubt > self.nominal + WITHIN,
            "power": self.now - doubt > self.nominal + 2 * WITHIN,
            "value": False,
        }[self.measure]
        return "conservative" if careful else "held"

    def as_json(self) -> dict[str, Any]:
        """With its word."""
        return asdict(self) | {"word": self.word}


def row(
    part: str,
    what: str,
    measure: Kind,
    found: Sequence[bool | None],
    *,
    nominal: float | None = None,
    before: float | None = None,
) -> Row:
    """A row from what each simulation found, None where nothing was published."""
    known = [bool(f) for f in found if f is not None]
    n, hits = len(known), sum(known)
    smooth = (hits + 1) / (n + 2)  # else nought of a thousand would be without doubt
    return Row(
        part=part,
        what=what,
        measure=measure,
        nominal=NOMINAL[measure] if nominal is None else nominal,
        now=hits / n if n else None,
        error=math.sqrt(smooth * (1 - smooth) / n) if n else 0.0,
        withheld=1 - n / len(found),
        runs=len(found),
        before=before,
    )
