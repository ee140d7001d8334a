"""What the log says of a number that several causes moved, that moved before, or that came back."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

from gazette.record import Interval, NotPublished, Number, Record
from gazette.restate._rows import Step, rows_of

if TYPE_CHECKING:
    from gazette.record import Cause, Restatement

AT = datetime(2026, 11, 23)  # noqa: DTZ001  the clock of editions is UTC without zone


def record(value: float | None, half: float = 1.0) -> Record:
    one = Number(
        id="a.m.control",
        label="A number",
        value=NotPublished(reason="too few") if value is None else value,
        unit="number",
        interval=None if value is None else Interval(low=value - half, high=value + half, level=0.95, method="normal"),
        metric="m",
        metric_version=1,
        cell="c",
        query="q",
        snapshot="s",
        as_of=AT,
    )
    return Record(
        subject="a",
        kind="experiment",
        title="A",
        owner="o",
        edition="2026-W46",
        week_start=date(2026, 11, 9),
        as_of=AT,
        snapshot="s",
        numbers=(one,),
    )


def rows(
    old: Record, *steps: tuple[Cause, Record], known: list[Restatement] | None = None, found: str = "2026-W47"
) -> list[Restatement]:
    told = [Step(cause, f"because of {cause}", r) for cause, r in steps]
    return rows_of(old, told, known or [], found_in=found, found_at=AT)


def values(found: list[Restatement]) -> list[tuple[str, object, object]]:
    return [(r.cause, r.before.value, r.after.value) for r in found]


def test_each_cause_starts_where_the_one_before_it_ended_and_has_its_own_size() -> None:
    found = rows(
        record(10), ("changed code", record(11)), ("late data", record(11)), ("changed definition", record(14))
    )
    assert values(found) == [("changed code", 10, 11), ("changed definition", 11, 14)]
    assert [r.size for r in found] == [1, 3]


def test_what_a_replay_would_call_equal_is_no_restatement() -> None:
    assert rows(record(10), ("changed code", record(10 * (1 + 1e-12)))) == []
    assert rows(record(10)) == []


def test_a_range_alone_a_withheld_and_a_now_published_number_are_restated() -> None:
    assert values(rows(record(10), ("changed code", record(10, half=2)))) == [("changed code", 10, 10)]
    gone = rows(record(10), ("late data", record(None)))
    assert gone[0].size is None
    assert not gone[0].after.published
    assert rows(record(None), ("late data", record(3)))[0].after.value == 3
    dropped = rows(record(10), ("changed definition", record(10).model_copy(update={"numbers": ()})))
    assert dropped[0].after.value == NotPublished(reason="It is not computed any more.")


def test_a_later_build_logs_only_what_is_new() -> None:
    first = rows(record(10), ("changed code", record(11)))
    second = rows(record(10), ("changed code", record(11)), ("late data", record(12)), known=first, found="2026-W48")
    assert values(second) == [("late data", 11, 12)]
    assert rows(record(10), ("changed code", record(11)), ("late data", record(12)), known=[*first, *second]) == []


def test_a_number_that_comes_back_is_logged_once_with_the_cause_that_had_moved_it() -> None:
    first = rows(record(10), ("late data", record(12)))
    back = rows(record(10), known=first, found="2026-W48")
    assert values(back) == [("late data", 12, 10)]
    assert rows(record(10), known=[*first, *back], found="2026-W49") == []
