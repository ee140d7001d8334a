"""One cause across models and tests: planted ones are said once, with all whom they touch; what is unrelated stays apart."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from gazette.conclusions import Extra, causes, matters
from gazette.display import plain_sentence
from gazette.record import Alert, Finding, Interval, NotPublished, Number, Record, Verdict

AT = datetime(2026, 11, 23)  # noqa: DTZ001  the clock of editions is UTC without zone
GONE = NotPublished(reason="partial week, no rows on Thu")


def number(name: str, value: float | NotPublished, half: float | None = None, **more: Any) -> Number:
    interval = None
    if half is not None and isinstance(value, float):
        interval = Interval(low=value - half, high=value + half, level=0.95, method="test")
    kept: dict[str, Any] = {"unit": "score", "metric": "m", "metric_version": 1, "cell": "quality", "query": "weekly"}
    kept |= {"snapshot": "", "as_of": AT, "label": f"Q of {name}", "direction": "higher", **more}
    return Number(id=name, value=value, interval=interval, **kept)


def record(subject: str, *numbers: Number, kind: Any = "model", **more: Any) -> Record:
    kept: dict[str, Any] = {"title": subject.title(), "owner": "o", "edition": "2026-W47", "snapshot": "", **more}
    return Record(subject=subject, kind=kind, week_start=date(2026, 11, 16), as_of=AT, numbers=numbers, **kept)


def missing(subject: str, reason: NotPublished = GONE, many: int = 3) -> Record:
    return record(subject, *(number(f"{subject}.a{i}", reason) for i in range(many)))


def worse(subject: str, *, near: str = "", drift: bool = False) -> Record:
    said = []
    if near:
        said.append(Finding(id=f"{subject}.f", rule="change-worse", text="Near: {=near}.", terms={"near": near}))
    if drift:
        said.append(Finding(id=f"{subject}.d", rule="drift", text="Moved.", tone="unsure"))
    level, change = number(f"{subject}.q", 0.7, 0.01), number(f"{subject}.q.change", -0.1, 0.01)
    return record(subject, level, change, findings=tuple(said))


def broken_test(subject: str) -> Record:
    one = Finding(id=f"{subject}.verdict", rule="gate-missing-days", text="Said.")
    made = Verdict(
        metric="m", state="not trustworthy", rule="gate-missing-days", action="fix the test first", action_rule="gate-failed", reason=one, advice=one
    )  # fmt: skip
    return record(subject, kind="experiment", verdicts=(made,))


def said(records: list[Record], tables: dict[str, dict[str, str]]) -> list[str]:
    """Sentences as the page makes them."""
    found = causes(records, tables)
    known = [(c, number(f"executive.cause-{i}", float(c.findings), unit="count")) for i, c in enumerate(found)]
    counts = {r.subject: number(f"executive.{r.subject}.signs", 3.0, unit="count") for r in records}
    numbers = {n.id: n for r in records for n in r.numbers} | {n.id: n for _, n in known}
    numbers |= {n.id: n for n in counts.values()}
    made = matters(records, counts, Extra(causes=known))
    assert all(f.references for f in made)
    return [plain_sentence(f, numbers) for f in made]


def test_one_late_table_behind_two_models_and_a_test_is_said_once() -> None:
    tables = {"a": {"weekly": "requests"}, "b": {"weekly": "requests"}, "t": {"": "seen", "arms": "requests"}}
    assert said([missing("a"), missing("b", many=2), broken_test("t")], tables) == [
        "A, B and T: 6 findings have one cause, the table requests: partial week, no rows on Thu."
    ]


def test_two_late_tables_are_two_causes_and_so_are_two_reasons() -> None:
    apart = said([missing("a"), missing("b")], {"a": {"weekly": "one"}, "b": {"weekly": "two"}})
    assert len(apart) == 2
    assert all("have one cause" not in text for text in apart)
    never = NotPublished(reason="no rows this week")
    both = {"a": {"weekly": "one"}, "b": {"weekly": "one"}}
    assert causes([missing("a"), missing("b", never)], both) == []


def test_a_history_too_short_is_no_late_table() -> None:
    short = NotPublished(reason="nothing to compare with: history starts 2026-08-31")
    both = {"a": {"weekly": "one"}, "b": {"weekly": "one"}}
    assert causes([missing("a", short), missing("b", short)], both) == []


def test_tests_that_miss_days_of_one_table_are_grouped() -> None:
    tables = {"s": {"": "seen"}, "t": {"": "seen"}, "u": {"": "other"}}
    assert said([broken_test("s"), broken_test("t"), broken_test("u")], tables) == [
        "S and T: 2 findings have one cause, the table seen: days of its data are missing."
    ]


def test_an_event_noted_for_two_models_is_said_once_and_a_third_model_apart() -> None:
    event = "17 November: the price list was wrong (noted by data-office)"
    texts = said([worse("a", near=event), worse("b", near=f"18 November: x (noted by y); {event}"), worse("c")], {})
    assert texts[0] == f"A and B got worse, on 2 measures in all; one cause may explain that: {event}."
    assert len(texts) == 2
    assert texts[1].startswith("C: ")


def test_deployments_of_two_models_are_no_common_cause_though_their_words_are_alike() -> None:
    near = "16 November: version 2 was deployed (nightly)"
    assert causes([worse("a", near=near), worse("b", near=near)], {}) == []


def test_an_event_near_a_model_that_did_not_get_worse_explains_nothing() -> None:
    event = "17 November: sale (noted by office)"
    calm = record(
        "b", findings=(Finding(id="b.f", rule="change-steady", text="Near: {=near}.", terms={"near": event}),)
    )
    assert causes([worse("a", near=event), calm], {}) == []


def test_inputs_of_one_table_under_two_worse_models_are_one_cause_and_of_two_tables_are_not() -> None:
    pair = [worse("a", drift=True), worse("b", drift=True)]
    (text,) = said(pair, {"a": {"inputs": "features"}, "b": {"inputs": "features"}})
    assert text.endswith("one cause may explain that: inputs in the table features have moved since training.")
    assert text.startswith("A and B got worse, on 2 measures in all")
    apart = said(pair, {"a": {"inputs": "features"}, "b": {"inputs": "others"}})
    assert len(apart) == 2


def test_alerts_on_two_models_that_one_firing_alert_explains_are_said_once() -> None:
    def alert(name: str, subject: str, state: Any, why: str = "") -> Alert:
        return Alert(id=name, tier="warning", subject=subject, state=state, title=f"Title of {name}", why=why)

    below = [alert("slow", s, "suppressed", "explained by pipeline") for s in ("a", "b")]
    watch = record("operations", kind="operations", alerts=(alert("pipeline", "", "firing"), *below))
    calm = [record("a"), record("b")]
    (found,) = causes([*calm, watch], {})
    assert (found.kind, found.subjects, found.findings) == ("alert", ("a", "b"), 2)
    assert said([*calm, watch], {}) == ["A and B: one alert explains 2 others on them: Title of pipeline."]
    own = record("operations", kind="operations", alerts=(alert("pipeline", "a", "firing"), *below))
    assert causes([*calm, own], {}) == [], "an alert on one model explains nothing on the other"
    muted = record(
        "operations", kind="operations", alerts=(below[0].model_copy(update={"why": "maintenance"}), below[1])
    )
    assert causes([*calm, muted], {}) == []
