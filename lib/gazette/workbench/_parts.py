"""The effect on the primary metric in parts: by days since exposure, by segment.

Nothing is given where the allocation was moved while the test ran: parts are not compared within days of one allocation.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from gazette import stats
from gazette.record import NotPublished
from gazette.workbench._answers import number, records

if TYPE_CHECKING:
    from gazette.workbench._reading import Reading

__all__ = ["by_day", "by_segment"]


def by_day(reading: Reading, arm: str) -> list[dict[str, Any]]:
    """Effect on the primary metric by days since exposure, over units that were there for so long."""
    frame = reading.table("effect_by_day")
    if reading.plan.reallocations or frame is None or frame.empty or reading.broken(reading.plan.primary) is not None:
        return []
    rows = {(int(r["day"]), str(r["variant"])): r for r in records(frame)}
    found = []
    for day in range(max(k for k, _ in rows) + 1):
        sides = []
        for name in (reading.plan.control, arm):
            n = sum(v.get(name, 0) for d, v in reading.daily if d + timedelta(days=day) <= reading.last)
            row = rows.get((day, name))
            if row is None or n < 100 or int(row["n"]) > n:  # noqa: PLR2004  too few to draw
                break
            k, mean, var = int(row["n"]), float(row["mean"]), number(row["var"])
            spread = ((k - 1) * var + k * mean**2 * (1 - k / n)) / (n - 1)  # the others have 0
            sides.append(stats.Moments(n, k * mean / n, spread))
        if len(sides) == 2:  # noqa: PLR2004  both arms
            difference = stats.difference_of_means(sides[0], sides[1])
            if isinstance(difference, stats.Estimate):
                found.append({"day": day, "effect": difference, "n": sides[0].n + sides[1].n})
    return found


def by_segment(reading: Reading, arm: str) -> list[dict[str, Any]]:
    """Effect on the primary metric in each segment, corrected over the values of a segment (Bonferroni)."""
    frame = reading.table("segments")
    if reading.plan.reallocations or frame is None or frame.empty:
        return []
    found = []
    for (segment, value), part in frame.groupby(["segment", "value"], sort=True):
        rows = {str(r["variant"]): r for r in records(part)}
        if reading.plan.control not in rows or arm not in rows:
            continue
        control, treatment = (reading.moments(rows[a], reading.plan.primary) for a in (reading.plan.control, arm))
        if isinstance(control, NotPublished) or isinstance(treatment, NotPublished):
            continue
        several = frame.loc[frame["segment"] == segment, "value"].nunique()
        compared = reading.between(
            control,
            treatment,
            reading.plan.primary,
            proportion=reading.metrics[reading.plan.primary].proportion,
            alpha=reading.design.alpha / several,
        )
        if isinstance(compared.difference, stats.Estimate):
            found.append(
                {"segment": str(segment), "value": str(value), "comparison": compared, "n": control.n + treatment.n}
            )
    return found
