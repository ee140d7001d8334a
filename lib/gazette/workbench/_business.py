"""What a model is worth: daily figures of users on the live model against a hold-out on the baseline."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

from gazette import stats
from gazette.record import NotPublished

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "cohort_retention",
    "daily_gap",
    "mean_gap",
    "nps",
    "period",
    "relative_change",
    "relative_effect",
    "retention_gap",
    "revenue_effect",
]

WEEKS = 4


def period(frame: pd.DataFrame, end: date, weeks: int = WEEKS) -> pd.DataFrame | NotPublished:
    """Rows of the whole weeks before ``end`` (exclusive), or why they are not whole."""
    import pandas as pd  # noqa: PLC0415

    start = end - timedelta(weeks=weeks)
    rows = frame[(frame["day"] >= pd.Timestamp(start)) & (frame["day"] < pd.Timestamp(end))]
    days = rows.groupby("cohort")["day"].nunique()
    if len(days) < 2 or int(days.min()) < weeks * 7:  # noqa: PLR2004  two cohorts
        first = frame["day"].min()
        if len(frame) and first > pd.Timestamp(start):
            return NotPublished(reason=f"history starts {first:%Y-%m-%d}")
        return NotPublished(reason="days are missing in these weeks")
    return rows


def daily_gap(rows: pd.DataFrame, new: str, baseline: str) -> pd.Series[float]:
    """Revenue per user of the new cohort less that of the hold-out, by day on which both had users."""
    there = rows[rows["users"] > 0]
    per_user = (
        there.assign(per_user=there["revenue"] / there["users"])
        .pivot_table(index="day", columns="cohort", values="per_user")
        .reindex(columns=[new, baseline])
    )
    return (per_user[new] - per_user[baseline]).dropna()


def mean_gap(gaps: pd.Series[float]) -> stats.Estimate | NotPublished:
    """The mean of daily gaps; days are the units."""
    if len(gaps) < 2:  # noqa: PLR2004  a spread needs two
        return NotPublished(reason="fewer than two days on which both cohorts had users")
    return stats.mean(stats.Moments(len(gaps), float(gaps.mean()), float(gaps.var())))


def revenue_effect(rows: pd.DataFrame | NotPublished, new: str, baseline: str) -> stats.Estimate | NotPublished:
    """Revenue of the new cohort less what its users would have brought at the hold-out's revenue per user.

    Days are the units: the daily difference in revenue per user is compared on the same days (paired t), then
    scaled by the new cohort's user-days. In money over the period.
    """
    if isinstance(rows, NotPublished):
        return rows
    estimate = mean_gap(daily_gap(rows, new, baseline))
    if isinstance(estimate, NotPublished):
        return estimate
    users = float(rows.loc[rows["cohort"] == new, "users"].sum())
    return stats.Estimate(
        estimate.value * users,
        estimate.low * users,
        estimate.high * users,
        estimate.level,
        estimate.standard_error * users,
        None,
        int(users),
        "paired t over days",
    )


def relative_effect(rows: pd.DataFrame | NotPublished, new: str, baseline: str) -> stats.Estimate | NotPublished:
    """`revenue_effect` over what the new cohort would have brought at the hold-out's revenue, which is taken as given."""
    effect = revenue_effect(rows, new, baseline)
    if isinstance(rows, NotPublished) or isinstance(effect, NotPublished):
        return effect
    without = float(rows.loc[rows["cohort"] == new, "revenue"].sum()) - effect.value
    if without <= 0:
        return NotPublished(reason="the hold-out brought no revenue")
    low, high, error = effect.low / without, effect.high / without, effect.standard_error / without
    return stats.Estimate(effect.value / without, low, high, effect.level, error, None, effect.n, effect.method)


def nps(rows: pd.DataFrame | NotPublished, cohort: str) -> stats.Estimate | NotPublished:
    """Promoters less detractors over answers, with the interval of a difference of two shares of the same sample."""
    if isinstance(rows, NotPublished):
        return rows
    mine = rows[rows["cohort"] == cohort]
    n, up, down = (int(mine[c].sum()) for c in ("nps_responses", "nps_promoters", "nps_detractors"))
    if n < 2:  # noqa: PLR2004
        return NotPublished(reason="no survey answers")
    p, q = up / n, down / n
    error = math.sqrt((p + q - (p - q) ** 2) / n)
    half = stats.z_of(0.95) * error
    return stats.Estimate(p - q, p - q - half, p - q + half, 0.95, error, None, n, "normal, multinomial variance")


def _returning(rows: pd.DataFrame, cohort: str) -> pd.Series:
    """Share of the day's users who had been there before, by day."""
    mine = rows[(rows["cohort"] == cohort) & (rows["users"] > 0)].set_index("day")
    share: pd.Series = mine["returning_users"] / mine["users"]
    return share.dropna()


def cohort_retention(rows: pd.DataFrame | NotPublished, cohort: str) -> stats.Estimate | NotPublished:
    """Mean over days of the share of users who returned; days are the units, for the same users come on many days (t)."""
    if isinstance(rows, NotPublished):
        return rows
    days = _returning(rows, cohort)
    if len(days) < 2:  # noqa: PLR2004
        return NotPublished(reason="nobody returned, or it is not recorded")
    found = stats.mean(stats.Moments(len(days), float(days.mean()), float(days.var())))
    return found if isinstance(found, NotPublished) else replace(found, method="Student t over days")


def retention_gap(rows: pd.DataFrame | NotPublished, new: str, baseline: str) -> stats.Estimate | NotPublished:
    """The share of the new cohort less that of the hold-out on the same days (paired t)."""
    if isinstance(rows, NotPublished):
        return rows
    gap = (_returning(rows, new) - _returning(rows, baseline)).dropna()
    if len(gap) < 2:  # noqa: PLR2004
        return NotPublished(reason="nobody returned, or it is not recorded")
    found = stats.mean(stats.Moments(len(gap), float(gap.mean()), float(gap.var())))
    return found if isinstance(found, NotPublished) else replace(found, method="paired t over days")


def relative_change(
    now: stats.Estimate | NotPublished, before: stats.Estimate | NotPublished
) -> stats.Estimate | NotPublished:
    """Change as a share of what was before (delta method), refused where that is below nought or may be nought."""
    if isinstance(now, NotPublished):
        return now
    if isinstance(before, NotPublished):
        return before
    if before.value <= 0:
        return NotPublished(reason="the figure before was below zero, so no percentage of it")
    if before.low <= 0:
        return NotPublished(reason="the figure before may have been zero, so no percentage of it")
    value = now.value / before.value - 1
    error = math.hypot(now.standard_error / before.value, now.value * before.standard_error / before.value**2)
    half = stats.z_of(0.95) * error
    return stats.Estimate(value, value - half, value + half, 0.95, error, None, now.n, "delta method")
