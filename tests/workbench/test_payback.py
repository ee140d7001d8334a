"""Time to business value: when a gain was shown, and when its costs are earned back."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from gazette.params import Cost
from gazette.record import NotPublished
from gazette.stats import Estimate
from gazette.workbench._business import revenue_effect
from gazette.workbench._payback import MONTH, begun_of, earned_back, first_gain, first_look, shown_after

BEGUN = date(2026, 9, 14)


def benefit(low: float, high: float) -> Estimate:
    return Estimate((low + high) / 2, low, high, 0.95, 1.0, None, 10, "m")


def cost(build: float, run: float = 100.0) -> Cost:
    return Cost(build=build, build_months=12, run_per_month=run, source="s")


def test_building_is_earned_back_in_a_range_from_the_best_to_the_worst_benefit() -> None:
    found = earned_back(cost(1000.0), benefit(200.0, 600.0))
    assert isinstance(found, Estimate)
    assert (found.low, found.value, found.high) == pytest.approx((2 * MONTH, 1000 / 300 * MONTH, 10 * MONTH))


def test_what_may_never_be_earned_back_has_only_its_best_case_or_none() -> None:
    assert earned_back(cost(1000.0), benefit(-50.0, 600.0)) == pytest.approx(2 * MONTH)
    never = earned_back(cost(1000.0), benefit(-50.0, 90.0))
    assert isinstance(never, NotPublished)
    assert "never" in never.reason
    assert isinstance(earned_back(cost(0.0), benefit(200.0, 600.0)), NotPublished)


def test_a_gain_came_between_the_look_before_and_the_one_that_showed_it() -> None:
    looks = [("2026-W45", 0.01, 0.01, 2.9), ("2026-W46", None, None, None), ("2026-W47", 0.03, 0.01, 2.0)]
    seen, before = first_look(looks, 1.0)
    assert (seen, before) == (date(2026, 11, 23), date(2026, 11, 16))
    days = shown_after(date(2026, 11, 2), seen, before, 0.95, "m")
    assert isinstance(days, Estimate)
    assert (days.low, days.value, days.high) == (14.0, 21.0, 21.0)
    assert first_look([("2026-W47", 0.03, 0.01, 2.0)], -1.0) == (None, date(2026, 11, 23)), "worse where lower is good"


def test_no_gain_yet_is_said() -> None:
    waiting = shown_after(date(2026, 11, 2), None, None, 0.95, "m")
    assert isinstance(waiting, NotPublished)
    assert waiting.reason.startswith("not yet")


def shop(gain: float, weeks: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    rows = []
    for i in range(7 * weeks):
        for cohort, mean in (("n", 5.0 + gain), ("b", 5.0)):
            rows.append(
                {
                    "day": pd.Timestamp(BEGUN + timedelta(days=i)),
                    "cohort": cohort,
                    "users": 1000,
                    "revenue": 1000 * (mean + 0.3 * float(rng.standard_normal())),
                }
            )
    return pd.DataFrame(rows)


def test_a_planted_gain_is_found_and_looking_every_week_seldom_finds_one_where_there_is_none() -> None:
    end = BEGUN + timedelta(days=84)
    assert all(first_gain(shop(0.5, 12, s), "n", "b", BEGUN, end)[0] is not None for s in range(5))
    false = sum(first_gain(shop(0.0, 12, s), "n", "b", BEGUN, end)[0] is not None for s in range(200))
    assert false <= 12, "a one-sided error of 2.5 % over all looks: more than 12 of 200 have a chance below 1 %"


def test_days_that_are_missing_or_a_hold_out_that_is_gone_give_no_gain() -> None:
    frame = shop(2.0, 4, 1)
    end = BEGUN + timedelta(days=28)
    assert first_gain(frame[frame["cohort"] == "n"], "n", "b", BEGUN, end) == (None, None)
    assert first_gain(frame.head(0), "n", "b", BEGUN, end) == (None, None)


def test_a_model_begins_with_its_training_and_not_with_a_registration_after_the_cut_off() -> None:
    cutoff = datetime(2026, 11, 23)  # noqa: DTZ001
    assert begun_of([{"trained_at": "2026-09-07", "created_at": "2026-10-01"}], cutoff) == date(2026, 9, 7)
    assert begun_of([{"trained_at": "", "created_at": "2026-10-01 10:00:00"}], cutoff) == date(2026, 10, 1)
    assert begun_of([{"trained_at": None, "created_at": "2026-11-25"}], cutoff) is None


def test_days_without_users_of_a_cohort_are_left_out_and_none_is_said() -> None:
    days = pd.date_range("2026-10-26", periods=28)
    rows = pd.DataFrame(
        [
            {"day": d, "cohort": c, "users": 0 if c == "old" else 10, "revenue": 20.0 + i % 3 * (c == "new")}
            for i, d in enumerate(days)
            for c in ("new", "old")
        ]
    )
    none = revenue_effect(rows, "new", "old")
    assert isinstance(none, NotPublished)
    assert "users" in none.reason
    early = rows.assign(
        users=[0 if c == "old" and d < days[7] else 10 for c, d in zip(rows.cohort, rows.day, strict=True)]
    )
    some = revenue_effect(early, "new", "old")
    assert isinstance(some, Estimate)
    gaps = [(i % 3) / 10 for i in range(7, 28)]  # the days on which both had users
    assert some.value == pytest.approx(np.mean(gaps) * 280)
