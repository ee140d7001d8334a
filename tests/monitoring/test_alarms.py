"""States of alerts at the cut-off."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazette.monitoring import AlarmState, Condition, evaluate, explained

END = datetime(2026, 11, 23)  # noqa: DTZ001  the clock of editions is UTC without zone
HOUR = timedelta(hours=1)
ABOVE = Condition(10.0, None, timedelta(hours=2), timedelta(hours=2))


def hours(*values: float | None, until: datetime = END) -> list[tuple[datetime, float | None]]:
    """One value an hour, the last one an hour before the end."""
    return [(until - HOUR * (len(values) - i), v) for i, v in enumerate(values)]


def state(*values: float | None, condition: Condition = ABOVE) -> AlarmState:
    return evaluate("a", "s", condition, hours(*values), end=END, step=HOUR)


@pytest.mark.parametrize(
    ("values", "expected", "since"),
    [
        ((1, 1, 1), "ok", None),
        ((1, 1, 9), "near its limit", None),
        ((1, 1, 11), "waiting", 1),
        ((1, 11, 11), "firing", 2),
        ((11, 11, 11), "firing", 3),
        ((11, 11, 1), "ok", None),
        ((1, 11, 11, None), "firing", 3),
        ((1, 11, 11, None, None, None), "no data", None),
        ((None, None), "no data", None),
        ((float("nan"),), "no data", None),
        ((), "no data", None),
    ],
)
def test_the_state_at_the_cut_off(values: tuple[float | None, ...], expected: str, since: int | None) -> None:
    found = state(*values)
    assert found.state == expected
    assert found.since == (END - HOUR * since if since else None)


def test_what_fired_within_the_week_is_remembered_with_its_times() -> None:
    found = state(1, 11, 11, 11, 1, 11, 1, 1)
    assert found.episodes == ((END - HOUR * 7, END - HOUR * 4),), "one hour beyond the limit is too short"


def test_below_a_limit_and_near_it_from_above() -> None:
    low = Condition(None, 0.8, timedelta(0), timedelta(hours=1))
    assert [state(v, condition=low).state for v in (0.7, 0.81, 0.9)] == ["firing", "near its limit", "ok"]
    counted = Condition(1.0, None, timedelta(0), timedelta(hours=1), whole=True)
    assert [state(v, condition=counted).state for v in (1.0, 2.0)] == ["ok", "firing"]


def test_maintenance_suppresses_and_says_so() -> None:
    found = evaluate("a", "s", ABOVE, hours(11, 11, 11), end=END, step=HOUR, muted=lambda _: "maintenance move")
    assert (found.state, found.why, found.episodes) == ("suppressed", "maintenance move", ())
    ended = END - HOUR * 2
    found = evaluate(
        "a", "s", ABOVE, hours(11, 11, 11, 11), end=END, step=HOUR, muted=lambda at: "m" if at < ended else ""
    )
    assert (found.state, found.since) == ("firing", ended)


def test_a_parent_that_fires_explains_its_child_on_the_same_subject_alone() -> None:
    def firing(alert: str, subject: str) -> AlarmState:
        return AlarmState(alert, subject, "firing", END, 1.0)

    found = explained([firing("down", "a"), firing("slow", "a"), firing("slow", "b")], {"slow": ["down"]})
    assert [s.state for s in found] == ["firing", "suppressed", "firing"]
    assert found[1].why == "explained by down"


@given(values=st.lists(st.one_of(st.none(), st.floats(-100, 100)), max_size=40))
def test_firing_always_has_a_value_beyond_the_limit_and_lasted_long_enough(values: list[float | None]) -> None:
    found = state(*values)
    if found.state == "firing":
        assert found.value is not None
        assert found.value > 10
        assert found.since is not None
        assert END - found.since >= ABOVE.duration
    for start, end in found.episodes:
        assert end - start >= ABOVE.duration
        assert end <= END
