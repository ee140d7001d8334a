"""Conclusions across subjects: order, common causes, words as firm as the interval, the catalogue, changes between editions."""

from __future__ import annotations

import ast
import re
from datetime import date, datetime
from typing import Any, Literal, get_args

import pytest

from gazette import conclusions
from gazette.conclusions import Due, Material, decision, digest_of, headline, hedge, matters, news
from gazette.display import format_number, plain_sentence
from gazette.record import Action, Finding, Interval, NotPublished, Number, Record, Verdict
from small import REPOSITORY

AT = datetime(2026, 11, 23)  # noqa: DTZ001  the clock of editions is UTC without zone


def number(name: str, value: float | NotPublished, half: float | None = None, **more: Any) -> Number:
    interval = None
    if half is not None and isinstance(value, float):
        interval = Interval(low=value - half, high=value + half, level=0.95, method="test")
    kept: dict[str, Any] = {"unit": "money", "metric": "m", "metric_version": 1, "cell": "quality", "query": None}
    kept |= {"snapshot": "", "as_of": AT, "label": name, **more}
    return Number(id=name, value=value, interval=interval, **kept)


def record(subject: str, *numbers: Number, kind: Literal["model", "experiment"] = "model", **more: Any) -> Record:
    kept: dict[str, Any] = {"title": subject.title(), "owner": "o", "edition": "2026-W47", "snapshot": "", **more}
    return Record(subject=subject, kind=kind, week_start=date(2026, 11, 16), as_of=AT, numbers=numbers, **kept)


def counts(**given: float) -> dict[str, Number]:
    names = ("ready", "stop", "untrusted", "open", "reported")
    return {k: number(f"executive.tests-{k}", float(given.get(k, 0)), unit="count") for k in names}


def verdict(action: Action, state: Any = "not resolved", rule: str = "interval-includes-zero") -> Verdict:
    one = Finding(id="t.verdict", rule=rule, text="Said.")
    return Verdict(metric="m", state=state, rule=rule, action=action, action_rule="r", reason=one, advice=one)


@pytest.mark.parametrize(
    ("value", "half", "word"),
    [
        (100.0, 10.0, "about"),
        (100.0, 60.0, "at least"),
        (-100.0, 60.0, "at least"),
        (100.0, 150.0, "may"),
        (5.0, None, "about"),
    ],
)
def test_words_are_as_firm_as_the_interval(value: float, half: float | None, word: str) -> None:
    one = number("a.b", value, half)
    said = hedge(one)
    assert said.word == word
    text = plain_sentence(Finding(id="x", rule="r", text=said.text), {"a.b": one})
    assert text.startswith(word) or (word == "may" and text == "−$50.00 to +$250.00") or word == "may"


def test_at_least_names_the_end_nearest_to_zero_of_a_gain_and_of_a_loss() -> None:
    for value in (100.0, -100.0):
        one = number("a.b", value, 60.0)
        assert format_number(one, "nearest") == "$40"
        assert format_number(one, "farthest") == "$160"


def test_the_headline_names_the_largest_sure_amount_first_and_no_unsure_one() -> None:
    effect, doubtful = number("rec.revenue-effect", 90_000.0, 9_000.0), number("old.revenue-effect", 900_000.0, 1e6)
    ready = number("check.impact", 19_000.0, 5_000.0)
    tests = counts(ready=1, open=2)
    made = headline(tests, None, Material(models=[("Old", doubtful), ("Rec", effect)], ready=[("Checkout", ready)]))
    text = plain_sentence(made, {n.id: n for n in (effect, doubtful, ready, *tests.values())})
    assert text.index("Rec brought about") < text.index("Checkout is ready to ship and worth at least $14,000")
    assert "Old" not in text
    assert "1 test" not in text, "a test that has been named is not counted again"
    assert text.count(".") - len(re.findall(r"\d\.\d", text)) == 1, "one sentence"
    assert made.rule == "headline-material"


def test_one_missing_source_that_takes_many_figures_is_said_once_and_nothing_else_of_the_model() -> None:
    gone = NotPublished(reason="partial week, no rows on Thu")
    found = record("m", *(number(f"m.a{i}", gone) for i in range(5)), number("m.revenue-effect", 10.0, 1.0))
    assert conclusions.lacking(found) == 5
    count = number("executive.m.signs", 5.0, unit="count")
    (only,) = matters([found], {"m": count})
    assert only.rule == "cause-missing-data"
    assert (
        plain_sentence(only, {count.id: count})
        == "M: 5 figures are missing for one reason: partial week, no rows on Thu."
    )


def test_what_lies_near_one_deployment_is_one_sentence() -> None:
    level = [number(f"m.q{i}", 0.7, 0.01, unit="score", direction="higher", label=f"Q{i} (AUC)") for i in range(3)]
    change = [
        number(f"m.q{i}.change", -0.1, 0.01, unit="score", direction="higher", label=f"Q{i} (AUC), change on last week")
        for i in range(3)
    ]
    near = {"near": "16 November: version two was deployed"}
    found = record(
        "m", *level, *change, findings=(Finding(id="m.x", rule="change-worse", text="Near: {=near}.", terms=near),)
    )
    (only,) = matters([found], {})
    assert only.rule == "cause-deployment"
    text = plain_sentence(only, {n.id: n for n in change})
    assert "version two was deployed" in text
    assert "AUC" not in text
    assert "fell by 0.100 (0.090 to 0.110)" in text


def test_bad_and_sure_comes_before_good_and_good_before_unsure() -> None:
    worse = number("a.q.change", -0.1, 0.01, unit="score", direction="higher", label="Q, change on last week")
    bad = record("a", number("a.q", 0.7, unit="score", direction="higher"), worse)
    good = record("b", number("b.revenue-effect", 500.0, 20.0, cell="business", direction="higher"))
    unsure = record("c", number("c.revenue-effect", 500.0, 9000.0, cell="business", direction="higher"))
    assert [f.tone for f in matters([unsure, good, bad], {})] == ["bad", "good", "unsure"]


def test_every_sentence_refers_to_a_number() -> None:
    good = record("b", number("b.revenue-effect", 500.0, 20.0, cell="business", direction="higher"))
    day = {"day": "2 November 2026"}
    missed = Finding(id="b.review.finding", rule="review-missed", text="Due on {=day}.", tone="bad", terms=day)
    late = record("c", findings=(missed,))
    extra = conclusions.Extra(late={"c": number("executive.c.review-late", 20.0, unit="days")})
    said = matters([good, late], {}, extra)
    assert {f.rule for f in said} == {"summary-revenue-about", "review-missed"}
    assert all(f.references for f in said)
    quiet = headline(counts(reported=1), None)
    assert quiet.text == "This week {executive.tests-reported} model is reported and no test is running."


@pytest.mark.parametrize("action", get_args(Action))
def test_every_decision_says_a_figure_that_it_rests_on(action: Action) -> None:
    effect, users = number("t.m.relative", 0.1, 0.02, unit="relative"), number("t.units", 4000.0, unit="count")
    for known, words in ((effect, "its effect on conversion is +8.0 to +12.0 %"), (None, "it has 4,000 users")):
        due = Due(subject="t", title="T", verdict=verdict(action), days=None, users=None, price=None, metric="conversion", effect=known, reached=users)  # fmt: skip
        made = decision(due)
        assert made.references
        assert words in plain_sentence(made, {n.id: n for n in (effect, users)})


def test_every_change_between_editions_refers_to_numbers_and_quotes_those_of_then() -> None:
    rests = {"t": {"id": "t.m.relative", "form": "interval", "words": "effect", "text": "+8.0 to +12.0 %"}}
    before = record("t", kind="experiment", verdicts=(verdict("keep running"),))
    after = record("t", kind="experiment", verdicts=(verdict("ship", "benefit shown", "interval-above-zero"),))
    then = digest("2026-W46", before, record("old"), cards=[card(100.0, 1.0), {**card(5.0, 1.0), "id": "m.gone"}])
    now = digest_of(
        "2026-W47",
        [after, record("fresh")],
        currency="USD",
        cards=[
            card(200.0, 1.0),
            {**card(None, shown="no data"), "id": "m.gone"},
            {**card(None, shown="–"), "id": "m.new"},
        ],
        shows=rests,
    )
    made = conclusions.changes(then, now)
    assert all(f.references for f in made.findings)
    assert {f.rule for f in made.findings} == {
        "news-verdict",
        "news-new",
        "news-gone",
        "news-card",
        "news-card-missing",
    }
    references = {r for f in made.findings for r in f.references}
    assert {"executive.before.m.x", "executive.before.m.gone", "m.x", "t.m.relative"} <= references
    assert made.counts == {"news-new": 1, "news-gone": 1, "news-cards": 3}
    assert "; effect +8.0 to +12.0 %." in news(then, now)[0]
    other = conclusions.changes(then, {**now, "currency": "EUR"})
    assert all(f.references for f in other.findings), "after a change of currency too"
    assert not any("before" in r for f in other.findings for r in f.references), (
        "amounts of then are not put in today's"
    )


def test_waiting_is_priced_in_days_users_and_money() -> None:
    days, users = number("t.wait", 9.0, unit="days"), number("e.t.users-more", 41_230.0, unit="count")
    price = number("e.t.waiting", 1234.5)
    due = Due(subject="t", title="T", verdict=verdict("keep running"), days=days, users=users, price=price)
    text = plain_sentence(decision(due), {n.id: n for n in (days, users, price)})
    assert text == "T: about 9 days and 41,000 users more; waiting costs about $1,200 a week."


def test_without_a_stated_worth_the_price_of_waiting_is_said_to_be_unknown() -> None:
    due = Due(
        subject="t",
        title="T",
        verdict=verdict("ship"),
        days=None,
        users=None,
        price=None,
        why_free="no value of a user is stated",
    )
    assert (
        plain_sentence(decision(due), {})
        == "T: roll it out; what waiting costs is not known: no value of a user is stated."
    )


# ---- changes between editions


def card(value: float | None, half: float | None = None, **more: Any) -> dict[str, Any]:
    return {"id": "m.x", "title": "X", "unit": "money", "value": value, "half": half, "shown": f"${value}", **more}


def digest(edition: str, *records: Record, currency: str = "USD", cards: Any = ()) -> dict[str, Any]:
    return digest_of(edition, records, currency=currency, cards=cards)


def test_changed_verdicts_come_with_their_reason_and_subjects_come_and_go() -> None:
    before = record("t", kind="experiment", verdicts=(verdict("keep running"),))
    after = record("t", kind="experiment", verdicts=(verdict("ship", "benefit shown", "interval-above-zero"),))
    said = news(digest("2026-W46", before, record("old")), digest("2026-W47", after, record("fresh")))
    assert said == [
        "T: the verdict was “not resolved” and is now “benefit shown”, because the whole range of its effect is better than no change.",
        "1 new here: Fresh.",
        "1 no longer reported: Old.",
    ]


def test_of_many_verdicts_that_changed_alike_one_sentence_is_said() -> None:
    old = [record(f"t{i}", kind="experiment", verdicts=(verdict("keep running"),)) for i in range(7)]
    ready = verdict("ship", "benefit shown", "interval-above-zero")
    harm = verdict("don't ship", "harm shown", "interval-below-zero")
    new = [record(f"t{i}", kind="experiment", verdicts=(harm if i == 3 else ready,)) for i in range(7)]
    assert news(digest("2026-W46", *old), digest("2026-W47", *new)) == [
        (
            "6 verdicts were “not resolved” and are now “benefit shown”, because the whole range of its effect is better than no change: "
            "T0, T1, T2, T4, T5, T6."
        ),
        "T3: the verdict was “not resolved” and is now “harm shown”, because the whole range of its effect is worse than no change.",
    ]
    made = conclusions.changes(digest("2026-W46", *old), digest("2026-W47", *new))
    assert made.counts == {"news-verdicts-1": 6}
    few = news(digest("2026-W46", *old[:5]), digest("2026-W47", *new[:5]))
    assert len(few) == 5, "few are said one by one, each with its figure"


def test_a_card_moves_only_beyond_what_both_ranges_explain() -> None:
    steady = news(digest("a", cards=[card(100.0, 10.0)]), digest("b", cards=[card(112.0, 10.0)]))
    moved = news(digest("a", cards=[card(100.0, 10.0)]), digest("b", cards=[card(116.0, 10.0)]))
    assert steady == []
    assert moved == ["X: was $100.0, is $116.0."]


def test_a_missing_card_a_returning_one_and_a_new_one_are_said() -> None:
    here, gone = card(100.0, 10.0), card(None, shown="not published this week")
    assert news(digest("a", cards=[here]), digest("b", cards=[gone])) == [
        "X is missing now: not published this week; it was $100.0."
    ]
    assert news(digest("a", cards=[gone]), digest("b", cards=[here])) == ["X is back: $100.0."]
    assert news(digest("a"), digest("b", cards=[here])) == ["New card: X, $100.0."]


def test_after_a_change_of_currency_amounts_are_not_compared_and_all_else_is() -> None:
    share = {"id": "m.y", "title": "Y", "unit": "fraction", "half": 0.01}
    before = digest("2026-W46", cards=[card(100.0, 1.0), {**share, "value": 0.1, "shown": "10 %"}])
    after = digest("2026-W47", currency="EUR", cards=[card(900.0, 1.0), {**share, "value": 0.5, "shown": "50 %"}])
    assert news(before, after) == [
        "Amounts are now in EUR; in 2026-W46 they were in USD, so they are not compared. Cards in money: 1.",
        "Y: was 10 %, is 50 %.",
    ]


# ---- the catalogue


NO_RULES = {
    "confidence-sequence",
    "group-sequential-obrien-fleming",
    "group-sequential-pocock",
    "measured-again",
    "ship-rate",
    "claims-covered",
    "claims-level",
    "realised-share",
    "win-rate",
    "label-completeness",
    "label-minimum",
    "minimum-run",
    "news-amounts",
    "news-cards",
    "missing-days",
    "missing-values",
    "plan-locked",
    "repeated-rows",
    "several-values",
    "sample-ratio",
    "sample-ratio-sequence",
    "sample-ratio-triggered",
    "vs-baseline",
}
SLUG = re.compile(r"[a-z]+(-[a-z]+)+")


def emitted() -> set[str]:
    """Rule ids in the code: given as a rule anywhere, or written like one in conclusions; rules for wordings are no conclusions."""
    found: set[str] = set()
    for path in (REPOSITORY / "lib" / "gazette").rglob("*.py"):
        tree = ast.parse(path.read_text())
        own = path.parent.name == "conclusions" and path.name not in {"_catalogue.py", "_readings.py"}
        given = [n.value for n in ast.walk(tree) if isinstance(n, ast.keyword) and n.arg in {"rule", "action_rule"}]
        for node in [*given, *([tree] if own else [])]:
            texts = {n.value for n in ast.walk(node) if isinstance(n, ast.Constant) and isinstance(n.value, str)}
            found |= {text for text in texts if SLUG.fullmatch(text)}
    return found - NO_RULES


def test_every_rule_is_named_once_in_the_catalogue() -> None:
    ids = [r.id for r in conclusions.RULES]
    assert len(ids) == len(set(ids))
    assert all(r.when and r.then and r.where for r in conclusions.RULES)
    found = emitted()
    assert found - set(ids) == set()
    assert len(found) > 40


def test_every_gate_and_reason_of_a_verdict_has_words_for_what_changed() -> None:
    states = {r.id for r in conclusions.RULES if r.where == "Test: verdict"}
    assert states == set(conclusions.BECAUSE)


@pytest.mark.integration
def test_every_rule_that_a_built_edition_used_is_in_the_catalogue(built: Any) -> None:
    ids, used = {r.id for r in conclusions.RULES}, set()
    for path in (built / "editions").glob("*/records/*.json"):
        found = Record.from_json(path.read_bytes())
        used |= {f.rule for f in found.findings}
        used |= {r for v in found.verdicts for r in (v.rule, v.action_rule, v.reason.rule, v.advice.rule)}
        if found.kind == "summary":
            assert [f.text for f in found.findings if not f.references] == [], "no statement without a number"
    assert used - ids == set()
    assert len(used) > 20


def failing(n: int, rule: str = "gate-sample-ratio") -> list[Record]:
    said = verdict("fix the test first", "not trustworthy", rule)
    return [record(f"f{i}", kind="experiment", verdicts=(said,)) for i in range(n)]


def passing(n: int) -> list[Record]:
    return [record(f"p{i}", kind="experiment", verdicts=(verdict("keep running"),)) for i in range(n)]


@pytest.mark.parametrize(("bad", "good", "found"), [(85, 6, True), (3, 2, True), (2, 0, False), (3, 3, False)])
def test_a_check_that_most_tests_fail_at_once_is_one_finding(bad: int, good: int, found: bool) -> None:
    said = conclusions.common_checks([*failing(bad), *passing(good)])
    assert len(said) == found
    if found:
        (one,) = said
        assert (one.kind, one.check, len(one.subjects), one.of) == ("experiment", "gate-sample-ratio", bad, bad + good)
        many, of = (number(f"e.{k}", float(v), unit="count") for k, v in (("many", bad), ("of", bad + good)))
        text = plain_sentence(conclusions.check_fails_for_most(one, many, of), {n.id: n for n in (many, of)})
        assert text == (
            f"{bad} of {bad + good} tests fail one and the same check: "
            "their arms do not have the sizes that were planned. Look at how users are assigned."
        )
        assert f"{bad} tests: mend how users are assigned first" in plain_sentence(
            conclusions.mend_once(one, many), {many.id: many}
        )


def test_tests_that_fail_different_checks_or_are_too_young_have_nothing_in_common() -> None:
    assert conclusions.common_checks([*failing(3), *failing(3, "gate-exposure"), *passing(0)]) == []
    assert conclusions.common_checks(failing(9, "gate-minimum-run")) == []


def test_a_check_that_most_models_fail_is_said_once_and_not_for_each() -> None:
    broken = Finding(id="m.checks", rule="checks-fail", text="Checks fail.", tone="bad")

    def model(name: str, *checks: str) -> Record:
        numbers = [number(f"{name}.check.{c}", 0.5, label="Age of the newest row", unit="hours") for c in checks]
        return record(name, *numbers, findings=(broken.model_copy(update={"id": f"{name}.checks"}),))

    records = [model(f"m{i}", "staleness") for i in range(4)] + [model("fresh")]
    (one,) = conclusions.common_checks(records)
    assert (one.kind, one.check, len(one.subjects), one.of) == ("model", "staleness", 4, 5)
    alone = {f.id for f in matters(records, {}, conclusions.Extra(common=[one]))}
    assert alone == {"summary.fresh.checks"}
    assert len(matters(records, {})) == 5


def test_what_is_decided_is_counted_apart_in_the_headline() -> None:
    given = counts(ready=1, reported=1)
    given["decided"] = number("executive.tests-decided", 2.0, unit="count")
    text = plain_sentence(headline(given, None), {n.id: n for n in given.values()})
    assert text == "This week 1 test is ready to ship and 2 are decided."


def test_a_decision_stands_while_the_advice_is_the_same() -> None:
    row = {"advice": "ship"}
    assert conclusions.is_decided(row, "ship")
    assert not conclusions.is_decided(row, "don't ship")
    assert not conclusions.is_decided(None, "ship")
    one = record("t", kind="experiment", facts={"decision": "ship, on edition 2026-W46, by Ada"})
    assert conclusions.to_do(one, verdict("ship")) == "Decided: ship, on edition 2026-W46, by Ada"
    assert conclusions.to_do(record("t", kind="experiment"), verdict("ship")) == "Ship"
