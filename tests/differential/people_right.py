"""The right answer for tables of an A/B test, by pandas from the frames; it knows the documentation and none of the product's code."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import textbook as book
from people import EXCLUDED, SPELLINGS, arms_of

if TYPE_CHECKING:
    from people import World

ALPHA = 0.05
END = {True: pd.Timestamp("2026-11-20"), False: pd.Timestamp("2026-11-23")}  # the day after the last; the week's end
START = pd.Timestamp("2026-11-05")
CUTOFF = pd.Timestamp("2026-11-23 06:00")
BROKEN = ["NaN", "Infinity", "-Infinity"]


@dataclass
class Assigned:
    """Units in an arm, and how many are not accounted for or were in several."""

    units: pd.DataFrame
    unknown: int
    several: int


def assigned(world: World) -> Assigned:
    """Every row of the test's time is in an arm, in several, excluded, or unknown."""
    case, rows = world.case, world.frames["assigned"]
    end = END[case.ended]
    rows = rows[(rows.experiment == "test") & (rows["at"].isna() | ((rows["at"] >= START) & (rows["at"] < end)))]
    known = {spelling: arm for arm, all_ in SPELLINGS.items() for spelling in all_} if case.aliases else {}
    arm = rows.variant.replace(known).replace("", None)
    rows = rows.assign(arm=arm.where(arm.notna(), None))
    excluded = EXCLUDED if case.exclude else []
    nameless = rows.unit.isna()
    unknown = 0 if "no id" in excluded else int(nameless.sum())
    told = rows[~nameless]
    some = told.groupby("unit").arm.transform("count") > 0  # beside a variant, a row without says nothing
    beside = told[some & told.arm.isna()].unit.nunique()
    unknown += 0 if "no variant" in excluded else beside
    told = told[~(some & told.arm.isna())].fillna({"arm": "no variant"})
    each = told.groupby("unit").agg(arms=("arm", "nunique"), arm=("arm", "first"), since=("at", "min"))
    timeless = each.since.isna()
    unknown += 0 if "no time" in excluded else int(timeless.sum())
    single = each[~timeless & (each.arms == 1)]
    fine = single.arm.isin(arms_of(case))
    unknown += int((~fine & ~single.arm.isin(excluded)).sum())
    units = single[fine].reset_index()[["unit", "arm", "since"]]
    return Assigned(units, unknown, int((each.arms > 1).sum()))


def _counted(world: World, units: pd.DataFrame) -> pd.DataFrame:
    """Events of units after their assignment and before the end, that were there by the cut-off."""
    case, events = world.case, world.frames["events"]
    rows = units.merge(events, on="unit")
    told = events["at"][events["at"] < END[case.ended]]
    days = len(told) > 0 and (told == told.dt.normalize()).all()  # midnights alone are days
    keep = (rows["at"] >= (rows.since.dt.normalize() if days else rows.since)) & (rows["at"] < END[case.ended])
    if case.arrived:
        keep &= rows.loaded < CUTOFF
    return rows[keep]


def values(world: World, units: pd.DataFrame) -> tuple[pd.DataFrame, set[str]]:
    """A row per unit with each metric's parts, nothing being 0; and metrics that a value which is none withholds."""
    rows = _counted(world, units)
    found = units.set_index("unit")

    def per_unit(values: pd.Series) -> pd.Series:
        return values.groupby(rows.unit).sum().reindex(found.index).fillna(0.0)

    broken = rows.written.isin(BROKEN)
    spend = per_unit(rows.value.where(~broken).fillna(0.0))
    bought = (per_unit((rows.kind == "buy").astype(float)) > 0).astype(float)
    clicks = per_unit(pd.Series(1.0, index=rows.index))
    daily = units.merge(world.frames["daily"], on="unit")
    daily = daily[(daily["at"] >= daily.since.dt.normalize()) & (daily["at"] < END[world.case.ended])]
    past = world.frames["past"].groupby("unit").before.max().reindex(found.index)
    highest = np.quantile(spend, 0.8) if len(spend) else 0.0
    if highest <= 0 and (spend > 0).any():  # a cap that is not above 0 is taken among the values that are
        highest = np.quantile(spend[spend > 0], 0.8)
    found = found.assign(
        spend=spend, bought=bought, clicks=clicks, capped=spend.clip(upper=40.0), trimmed=spend.clip(upper=highest), before=past,
        minutes=daily.groupby("unit").minutes.sum().reindex(found.index).fillna(0.0).astype(float),
    )  # fmt: skip
    withheld = {"spend", "capped", "trimmed", "adjusted", *RATIOS, "middle"} if broken.any() else set()
    return found.reset_index(), withheld


RATIOS = ("per-click", "adjusted-rate")
OF = {"adjusted": "spend", "adjusted-share": "bought", **dict.fromkeys(RATIOS, "spend"), "middle": "spend"}
SHARES = ("bought", "adjusted-share")


def of_arm(world: World, metric: str, rows: pd.DataFrame, arms: Iterable[pd.DataFrame] | None = None) -> book.Answer:
    """A metric of one arm with its own range, to whose shape the other ``arms`` add what it missed."""
    x = rows[OF.get(metric, metric)].to_numpy(float)
    if len(x) == 0:
        return book.Withheld(book.TOO_FEW)
    if metric in SHARES:
        return book.share_of(x, ALPHA)
    others = [r for r in arms if r is not rows] if arms is not None else None
    if metric in RATIOS:
        made = [book.of_ratio(r.spend.to_numpy(float), r.clicks.to_numpy(float)) for r in (rows, *(others or []))]
        if made[0] is None:
            return book.Withheld("denominator's mean is zero")
        rest = [v for v in made[1:] if v is not None] if others is not None else None
        return book.mean_of(made[0], ALPHA, rest, book.freedom_of_ratio(rows.clicks.to_numpy(float)))
    if metric == "middle":
        return book.Withheld(book.TOO_FEW) if len(x) < 2 else book.quantile_of(x, world.case.quantile, ALPHA)
    rest = [r[OF.get(metric, metric)].to_numpy(float) for r in others] if others is not None else None
    return book.mean_of(x, ALPHA, rest)


def between(
    world: World, metric: str, a: pd.DataFrame, b: pd.DataFrame, alpha: float, *, adjust: bool = True
) -> tuple[book.Answer, book.Answer]:
    """Difference and relative difference of a treatment, ``b``, and the control."""
    for rows in (a, b):
        if isinstance(one := of_arm(world, metric, rows), book.Withheld):
            either = book.Withheld(
                f"{one.reason}|{book.TOO_FEW}|{book.NO_SPREAD}|{book.TOO_SKEWED}|denominator"
            )  # each arm may have a reason of its own
            return either, either
    x, y = (rows[OF.get(metric, metric)].to_numpy(float) for rows in (a, b))
    if metric == "middle":
        gap = book.gap_of_quantiles(x, y, world.case.quantile, alpha)
        sides = [book.quantile_of(v, world.case.quantile) for v in (x, y)]
        return gap, book.relative(*sides, gap, book.freedom_of(*sides, len(x), len(y)), alpha)
    freedoms = None
    before = a.before.to_numpy(float), b.before.to_numpy(float)
    if metric in RATIOS:
        below = a.clicks.to_numpy(float), b.clicks.to_numpy(float)
        freedoms = tuple(book.freedom_of_ratio(rows.clicks.to_numpy(float)) for rows in (a, b))
        if metric == "adjusted-rate" and adjust:
            x, y = book.adjusted_ratios((x, y), below, before)
        else:
            x, y = (book.of_ratio(v, rows) for v, rows in zip((x, y), below, strict=True))  # type: ignore[assignment]
    share = metric in SHARES
    if metric in {"adjusted", "adjusted-share"} and adjust:
        x, y = book.adjusted((x, y), before)
        share = False
    if share:
        return book.gap_of_shares(x, y, alpha), book.change_of_shares(x, y, alpha)
    gap = book.gap_of_means(x, y, alpha, freedoms)
    means = book.mean_of(x, alpha), book.mean_of(y, alpha)
    return gap, book.relative(
        *means, gap, book.freedom_of(*means, *book.sized(x, y, freedoms)), alpha, book.lean_of(x, y)
    )


def segments(world: World, units: pd.DataFrame) -> pd.Series:
    """The value of each unit's property."""
    traits = (
        world.frames["traits"].groupby("unit").trait.max() if len(world.frames["traits"]) else pd.Series(dtype=object)
    )
    shown = traits.map({"": "''", "no value": "'no value'"} | {t: t for t in "xyZ"})
    return units.unit.map(shown).astype(object).fillna("no value")


def several(world: World, units: pd.DataFrame) -> dict[str, int]:
    """Units with several different values, per arm."""
    each = world.frames["traits"].dropna().groupby("unit").trait.nunique()
    return units[units.unit.map(each) > 1].groupby("arm").size().to_dict()  # type: ignore[no-any-return]


def matched(world: World, units: pd.DataFrame, metric: str) -> int:
    """Users with a row that the metric can count."""
    rows = _counted(world, units)
    if metric in {"bought", "adjusted-share"}:
        rows = rows[rows.kind == "buy"]
    elif metric == "minutes":
        rows = units.merge(world.frames["daily"], on="unit")
        rows = rows[(rows["at"] >= rows.since.dt.normalize()) & (rows["at"] < END[world.case.ended])]
    elif metric != "clicks":
        rows = rows[rows.value.notna() & ~rows.written.isin(BROKEN)]
    return int(rows.unit.nunique())
