from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazette.editions import Week
from gazette.errors import WrongUseError


@given(st.dates(min_value=date(1990, 1, 1), max_value=date(2100, 1, 1)))
def test_a_week_holds_its_days_and_reads_back(day: date) -> None:
    week = Week.of(day)
    assert week.start <= day <= week.end
    assert week.start.weekday() == 0
    assert Week.parse(str(week)) == week
    assert week.next().start - week.start == timedelta(days=7)
    assert week.next(-5).next(5) == week


def test_years_of_53_weeks_roll_over() -> None:
    assert str(Week.parse("2026-W53").next()) == "2027-W01"
    assert str(Week.parse("2027-W01").next(-1)) == "2026-W53"
    assert str(Week.parse("2027-W52").next()) == "2028-W01"


@pytest.mark.parametrize(
    "text", ["", "2026-W54", "2025-W53", "2026-W00", "2026-47", "2026-W7", "w47", "2026-W47 ", "٢٠٢٦-W47"]
)
def test_what_is_not_a_week_is_refused(text: str) -> None:
    with pytest.raises(WrongUseError, match="not an ISO week"):
        Week.parse(text)


def test_the_cut_off_is_the_monday_after() -> None:
    assert Week.parse("2026-W47").cutoff(6) == datetime(2026, 11, 23, 6)  # noqa: DTZ001  UTC without zone


def test_weeks_sort_by_time() -> None:
    assert sorted(map(Week.parse, ["2027-W01", "2026-W09", "2026-W53"])) == [
        Week.parse(text) for text in ("2026-W09", "2026-W53", "2027-W01")
    ]
