"""What the log says of a number that several causes moved, that moved before, or that came back."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

from gazette.record import Finding, Interval, NotPublished, Number, Record
from gazette.register._restatements import Moved
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


def model(value: float, rule: str, tone: str = "bad") -> Record:
    """A model's page that says by this rule how its number changed, or nothing."""
    page = record(value)
    change = page.numbers[0].model_copy(update={"id": "a.m.change"})
    text = "It moved by {a.m.change}."
    said = (Finding(id="a.m.change.finding", rule=rule, text=text, tone=tone),) if rule else ()  # type: ignore[arg-type]
    return page.model_copy(update={"kind": "model", "numbers": (change,), "findings": said})


def test_a_sentence_that_turns_round_is_told_at_its_number_though_no_test_has_a_verdict() -> None:
    worse, better = model(-2.0, "change-worse"), model(2.0, "change-better", "good")
    (row,) = rows(worse, ("late data", better))
    (turn,) = row.turns
    assert (turn.finding, turn.rule_before, turn.rule_after) == ("a.m.change.finding", "change-worse", "change-better")
    moved = Moved((row,))
    assert moved.crossed == (-1, 1)
    assert moved.turned
    assert moved.flip is None


def test_a_range_that_moves_across_nought_is_a_turn_and_one_that_stays_on_its_side_is_none() -> None:
    assert Moved(tuple(rows(record(2.0), ("late data", record(0.5))))).crossed == (1, 0)
    assert Moved(tuple(rows(record(2.0), ("late data", record(-1.5))))).crossed == (1, -1)
    aside = Moved(tuple(rows(record(2.0), ("late data", record(1.5)))))
    assert (aside.crossed, aside.turned) == (None, False)


def test_a_sentence_that_takes_a_side_may_come_or_go_and_counts_and_one_that_takes_none_does_not() -> None:
    silent = model(-2.0, "")
    (gone,) = rows(model(-2.0, "change-worse"), ("late data", silent))
    assert (gone.turns[0].rule_before, gone.turns[0].rule_after) == ("change-worse", "")
    assert rows(model(-2.0, "labels-provisional", "unsure"), ("late data", silent)) == []


def test_a_sentence_is_logged_once_and_its_way_back_too() -> None:
    worse, steady = model(-2.0, "change-worse"), model(-2.0, "change-steady", "neutral")
    first = rows(worse, ("late data", steady))
    assert [t.rule_after for r in first for t in r.turns] == ["change-steady"]
    assert rows(worse, ("late data", steady), known=first, found="2026-W48") == []
    back = rows(worse, ("late data", worse), known=first, found="2026-W48")
    assert [(t.rule_before, t.rule_after) for r in back for t in r.turns] == [("change-steady", "change-worse")]
    assert Moved((*first, *back)).turns == ()
    assert rows(worse, known=[*first, *back], found="2026-W49") == []
