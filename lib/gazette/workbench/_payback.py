"""Time to business value: from the beginning of a model or test to an effect that is shown, and to its costs being earned back."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from math import pi
from typing import TYPE_CHECKING, Any

from gazette import stats
from gazette.record import NotPublished
from gazette.workbench._business import daily_gap, mean_gap

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import pandas as pd

    from gazette.params import Cost

__all__ = ["begun_of", "earned_back", "first_gain", "first_look", "shown_after"]

MONTH = 365.25 / 12
RUN = 7
FEWEST = 7  # days of an effect that is looked at
LATER = 0.05  # error that is spent over all weekly looks


def shown_after(
    begun: date, seen: date | None, before: date | None, level: float, method: str
) -> stats.Estimate | NotPublished:
    """Days from the beginning to the look that showed the gain; it came after the look before and not later than this one."""
    if seen is None:
        return NotPublished(reason="not yet: no gain is shown")
    days = float((seen - begun).days)
    if days < 0:
        return NotPublished(reason="its beginning is not known")
    since = float(max(0, ((before or begun) - begun).days))
    return stats.Estimate(days, since, days, level, 0.0, None, 0, method)


def first_look(
    looks: Iterable[tuple[str, float | None, float | None, float | None]], good: float
) -> tuple[date | None, date | None]:
    """End of the week of the first look whose whole range is a gain, and of the look before it.

    Args:
        looks: Edition, effect, standard error and standard errors to each side (a sequential limit), oldest first.
        good: 1 where higher is better, else -1.
    """
    before = None
    for edition, effect, error, critical in looks:
        year, _, week = edition.partition("-W")
        end = date.fromisocalendar(int(year), int(week), 1) + timedelta(days=RUN)
        if effect is not None and error is not None and critical is not None and good * effect > critical * error:
            return end, before
        before = end
    return None, before


def first_gain(frame: pd.DataFrame, new: str, baseline: str, begun: date, end: date) -> tuple[date | None, date | None]:
    """The same of a model's revenue effect since it went live, looked at week by week.

    Each look spends a part of the error, 6/(pi k)^2 of it at the k-th (Bonferroni over however many follow), so that looking often makes
    no gain out of chance.

    Args:
        frame: Columns day, cohort, users, revenue.
        new: Cohort of the live version.
        baseline: Cohort held out on the one before.
        begun: First day of the live version.
        end: First day that does not count.
    """
    import pandas as pd  # noqa: PLC0415

    before, k = None, 0
    day = begun + timedelta(days=RUN)
    frame = frame[frame["day"] >= pd.Timestamp(begun)]
    days = {cohort: set(rows["day"]) for cohort, rows in frame.groupby("cohort")}
    gaps = daily_gap(frame, new, baseline) if {new, baseline} <= set(days) else None
    while day <= end and gaps is not None:
        until = pd.Timestamp(day)
        if min(sum(d < until for d in days[cohort]) for cohort in (new, baseline)) >= FEWEST:
            k += 1
            found = mean_gap(gaps[gaps.index < until])
            looked = len({d for every in days.values() for d in every if d < until})
            if isinstance(found, stats.Estimate) and _low(found, looked, k) > 0:
                return day, before
            before = day
        day += timedelta(days=RUN)
    return None, before


def _low(found: stats.Estimate, days: int, k: int) -> float:
    """Lower end at the k-th look's share of the error."""
    from scipy.special import stdtrit  # noqa: PLC0415

    return found.value - float(stdtrit(days - 1, 1 - LATER * 6 / (pi * k) ** 2 / 2)) * found.standard_error


def earned_back(cost: Cost, benefit: stats.Estimate) -> stats.Estimate | NotPublished | float:
    """Days in which what the building cost is earned back by the benefit less the running, at this benefit a month.

    Returns:
        The range from the best to the worst benefit; only the days at the best one where the worst does not cover the running, for
        then it may never be; no value where the best does not.
    """
    if not cost.build:
        return NotPublished(reason="nothing was spent on building it")
    high, low = (b - cost.run_per_month for b in (benefit.high, benefit.low))
    if high <= 0:
        return NotPublished(reason="never at such a benefit, which does not cover what running it costs")
    soonest = cost.build / high * MONTH
    if low <= 0:
        return soonest
    middle = cost.build / (benefit.value - cost.run_per_month) * MONTH
    method = f"{benefit.method}; cost of building over benefit less running"
    return stats.Estimate(middle, soonest, cost.build / low * MONTH, benefit.level, 0.0, None, benefit.n, method)


def begun_of(rows: Sequence[Mapping[Any, Any]], cutoff: datetime) -> date | None:
    """When the live version was made: its training, else its registration; None where neither lies before the cut-off."""
    for row in rows:
        for name in ("trained_at", "created_at"):
            text = str(row.get(name) or "")[:10]
            try:
                day = date.fromisoformat(text)
            except ValueError:
                continue
            if day < cutoff.date():
                return day
    return None
