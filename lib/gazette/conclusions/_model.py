"""Sentences about a model: what got better or worse, since when, where, what changed near that date, what it may cost."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gazette.record import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date

    from gazette.record import Number, Tone

__all__ = ["NO_RANGE", "Evidence", "Moved", "describe_model", "moved", "provisional"]

MOST = 4  # segments and features that a sentence names
NO_RANGE = "No range: "  # how the note of a value begins its reason for having none


@dataclass(frozen=True)
class Moved:
    """A segment whose main measure moved by more than chance.

    Attributes:
        name: In words, such as "carrier UA".
        number: Id of the difference.
        against: ``last week`` or ``the baseline version``.
    """

    name: str
    number: str
    against: str


@dataclass(frozen=True)
class Evidence:
    """What a model's page knows beside its numbers.

    Attributes:
        since: Measure to the week from which it runs at another level.
        near: Measure to what happened near that week, in words.
        recent: What happened near this week.
        segments: Segments that moved, all comparisons corrected together.
        shifted: Features that moved since training, largest first: name and id of the number.
        season: Month of the week in words, where the training saw no day of it.
        window: The training window in words.
        review_missed: The day by which people were to look at the model again, where it has passed.
        checks: Data checks that do not pass: id of the number, title, state.
        costs: Measure to id of the number that translates its change, and the business figure in words.
    """

    since: Mapping[str, date] = field(default_factory=dict)
    near: Mapping[str, Sequence[str]] = field(default_factory=dict)
    recent: Sequence[str] = ()
    segments: Sequence[Moved] = ()
    shifted: Sequence[tuple[str, str]] = ()
    season: str = ""
    window: str = ""
    review_missed: str = ""
    checks: Sequence[tuple[str, str, str]] = ()
    costs: Mapping[str, tuple[str, str]] = field(default_factory=dict)


def moved(number: Number, level: Number | None = None) -> tuple[str, Tone]:
    """Word and tone of a change, by its interval and good direction: steady unless the interval excludes zero.

    What is provisional has no tone: nothing may rest on it.

    Args:
        number: The change.
        level: The value now, needed where nought is the good value.
    """
    if number.provisional:
        return "provisional", "neutral"
    if number.interval is None or number.interval.low <= 0 <= number.interval.high:
        return "steady", "neutral"
    rose = number.interval.low > 0
    if number.direction == "zero":
        if level is None or not isinstance(level.value, float) or not isinstance(number.value, float):
            return "moved", "neutral"
        closer = abs(level.value) < abs(level.value - number.value)
        return ("better", "good") if closer else ("worse", "bad")
    better = rose == (number.direction != "lower")
    return ("better", "good") if better else ("worse", "bad")


def provisional(subject: str, numbers: Mapping[str, Number]) -> bool:
    """Whether too few outcomes of the week are known for its figures to be the last word."""
    known, needed = (numbers.get(f"{subject}.{name}") for name in ("label-completeness", "label-minimum"))
    values = [n.value if n else None for n in (known, needed)]
    return all(isinstance(v, float) for v in values) and values[0] < values[1]  # type: ignore[operator]


def describe_model(
    subject: str, metrics: Sequence[str], numbers: Mapping[str, Number], evidence: Evidence | None = None
) -> tuple[Finding, ...]:
    """Findings on a model's page, what got worse first.

    Args:
        subject: The model's id.
        metrics: Ids of its quality measures, the main one first.
        numbers: The record's numbers by id.
        evidence: What else is known.
    """
    known = evidence or Evidence()
    found = [
        *_quality(subject, metrics, numbers, known.recent),
        *_shifts(subject, metrics, numbers, known),
        *_segments(subject, known, numbers),
        *_inputs(subject, known),
        *_service(subject, numbers, known.review_missed),
        *_worth(subject, numbers),
    ]
    order = {"bad": 0, "unsure": 1, "good": 2, "neutral": 3}
    first = found[:1]  # how the main measure stands opens the page, whatever it says
    return (*first, *sorted(found[1:], key=lambda f: order[f.tone]))


def _quality(
    subject: str, metrics: Sequence[str], numbers: Mapping[str, Number], recent: Sequence[str]
) -> Iterator[Finding]:
    groups: dict[tuple[str, str, Tone], list[Number]] = {}
    for i, metric in enumerate(metrics):
        level = numbers.get(f"{subject}.{metric}")
        if level is None:
            continue
        if (alone := _alone(level)) is not None:
            yield alone
            continue
        for suffix, than, to in (
            ("change", "than last week", "last week"),
            ("vs-baseline", "than the baseline version", "the baseline version"),
        ):
            change = numbers.get(f"{level.id}.{suffix}")
            if change is None or not change.published:
                continue
            word, tone = moved(change, level)
            if not i:
                how = suffix, word, tone
                yield _main(level, change, how, than if word != "steady" else to, recent)
            elif not change.provisional:
                groups.setdefault((suffix, word, tone), []).append(change)
    for (suffix, word, tone), changes in groups.items():
        to = "last week" if suffix == "change" else "the baseline version"
        terms = {f"metric_{'abcdefgh'[i]}": c.label.rpartition(", ")[0] for i, c in enumerate(changes[:8])}
        if word == "steady":
            listed = ", ".join("{=metric_%s}" % "abcdefgh"[i] for i in range(len(terms)))
            text = "Steady against %s, within what chance brings: %s." % (to, listed)
        else:
            listed = ", ".join("{=metric_%s} {%s|signed}" % ("abcdefgh"[i], c.id) for i, c in enumerate(changes[:8]))
            text = "%s than %s: %s." % ("Other" if word == "moved" else word.capitalize(), to, listed)
        rule = f"{suffix}-{'other' if word == 'moved' else word}"
        yield Finding(id=f"{subject}.others.{suffix}.{word}", rule=rule, text=text, tone=tone, terms=terms)


def _alone(level: Number) -> Finding | None:
    """What is said of a measure that nothing can be compared with: not published, or of scores that are all the same."""
    terms = {"metric": level.label}
    if not level.published:
        terms["reason"] = getattr(level.value, "reason", "")
        text = "{=metric} is not published this week: {=reason}."
        return Finding(id=f"{level.id}.finding", rule="not-computable", text=text, tone="unsure", terms=terms)
    if level.interval is None and NO_RANGE in level.note:
        terms["reason"] = level.note.rpartition(NO_RANGE)[2]
        text = "{=metric} was {%s}, and nothing is concluded from it: {=reason}." % level.id
        return Finding(id=f"{level.id}.finding", rule="too-few-for-a-range", text=text, tone="unsure", terms=terms)
    if level.interval is not None and level.interval.low == level.interval.high:
        text = "{=metric} is {%s}: every row has the same score, which separates nothing." % level.id
        return Finding(id=f"{level.id}.constant", rule="scores-constant", text=text, tone="bad", terms=terms)
    return None


def _not_yet(level: Number, change: Number) -> Finding:
    """A comparison that has to wait for outcomes."""
    text = "{=metric} was {%s}; it is not compared with last week, as the outcomes of the two weeks are not equally complete."
    return Finding(
        id=f"{change.id}.finding",
        rule="change-provisional",
        text=text % level.id,
        tone="unsure",
        terms={"metric": level.label},
    )


def _main(level: Number, change: Number, how: tuple[str, str, Tone], against: str, recent: Sequence[str]) -> Finding:
    """How the main measure stands against last week or the version before."""
    (suffix, word, tone), terms = how, {"metric": level.label}
    if change.provisional:
        return _not_yet(level, change)
    if word == "steady":
        text = "{=metric} was {%s}; the difference to %s, {%s|signed}, is within what chance brings."
        text %= (level.id, against, change.id)
    else:
        word = "other" if word == "moved" else word
        text = "{=metric} was {%s}, %s %s: {%s|signed} ({%s|interval})."
        text %= (level.id, word, against, change.id, change.id)
        if suffix == "change" and recent:
            text += " Near this week: {=near}."
            terms["near"] = "; ".join(recent)
    return Finding(id=f"{change.id}.finding", rule=f"{suffix}-{word}", text=text, tone=tone, terms=terms)


def _shifts(subject: str, metrics: Sequence[str], numbers: Mapping[str, Number], known: Evidence) -> Iterator[Finding]:
    for metric in metrics:
        size = numbers.get(f"{subject}.{metric}.shift")
        if size is None or metric not in known.since or not isinstance(size.value, float):
            continue
        better = (size.value > 0) == (size.direction != "lower")
        tone: Tone = "neutral" if size.direction == "zero" else "good" if better else "bad"
        terms = {"metric": numbers[f"{subject}.{metric}"].label, "since": f"{known.since[metric]:%d %B %Y}".lstrip("0")}
        text = (
            "{=metric} has run at another level since the week of {=since}: {%s|signed} on the weeks before." % size.id
        )
        near = known.near.get(metric, ())
        if near:
            terms["near"] = "; ".join(near)
            text += " Near that date: {=near}."
        else:
            text += " No deployment and no note lies near that date."
        if metric in known.costs:
            cost, terms["business"] = known.costs[metric]
            text += " If the stated translation holds, that moves {=business} by {%s|interval}." % cost
        yield Finding(id=f"{size.id}.finding", rule="level-shift", text=text, tone=tone, terms=terms)


def _segments(subject: str, known: Evidence, numbers: Mapping[str, Number]) -> Iterator[Finding]:
    for against in ("last week", "the baseline version"):
        tones: tuple[tuple[Tone, str], ...] = (("bad", "Worse"), ("good", "Better"))
        for tone, word in tones:
            chosen = [m for m in known.segments if m.against == against and moved(numbers[m.number])[1] == tone]
            if not chosen:
                continue
            chosen.sort(key=lambda m: -_size(numbers[m.number]))
            terms = {f"segment_{'abcd'[i]}": m.name for i, m in enumerate(chosen[:MOST])}
            parts = ["{=segment_%s} ({%s|signed})" % ("abcd"[i], m.number) for i, m in enumerate(chosen[:MOST])]
            more = " and others" if len(chosen) > MOST else ""
            text = "%s than %s in %s%s." % (word, against, ", ".join(parts), more)
            name = f"{subject}.segments.{word.lower()}.{'change' if against == 'last week' else 'vs-baseline'}"
            yield Finding(id=name, rule=f"segments-{word.lower()}", text=text, tone=tone, terms=terms)


def _size(number: Number) -> float:
    return abs(number.value) if isinstance(number.value, float) else 0.0


def _inputs(subject: str, known: Evidence) -> Iterator[Finding]:
    if known.shifted:
        terms = {f"feature_{'abcd'[i]}": name for i, (name, _) in enumerate(known.shifted[:MOST])}
        parts = ["{=feature_%s} ({%s})" % ("abcd"[i], number) for i, (_, number) in enumerate(known.shifted[:MOST])]
        more = " and others" if len(known.shifted) > MOST else ""
        text = "Inputs have moved since training, most in %s%s (JS distance)." % (", ".join(parts), more)
        if known.season:
            text += " Training saw {=window} and no {=season}, so the season explains at least part of it; the model has never learnt from this time of the year."
            terms |= {"window": known.window, "season": known.season}
        rule = "drift-seasonal" if known.season else "drift"
        yield Finding(id=f"{subject}.drift.finding", rule=rule, text=text, tone="unsure", terms=terms)
    states: tuple[tuple[str, Tone], ...] = (("fail", "bad"), ("warn", "unsure"))
    for state, tone in states:
        chosen = [c for c in known.checks if c[2] == state and not c[0].startswith(f"{subject}.check.shift-")]
        if not chosen:
            continue
        terms = {f"check_{'abcd'[i]}": title for i, (_, title, _) in enumerate(chosen[:MOST])}
        parts = ["{=check_%s} ({%s})" % ("abcd"[i], number) for i, (number, _, _) in enumerate(chosen[:MOST])]
        more = " and others" if len(chosen) > MOST else ""
        text = "Data checks that %s: %s%s." % (state, ", ".join(parts), more)
        yield Finding(id=f"{subject}.checks.{state}", rule=f"checks-{state}", text=text, tone=tone, terms=terms)


def _service(subject: str, numbers: Mapping[str, Number], review_missed: str) -> Iterator[Finding]:
    labels, minimum = numbers.get(f"{subject}.label-completeness"), numbers.get(f"{subject}.label-minimum")
    if labels and minimum and provisional(subject, numbers):
        text = "Provisional: only {%s} of outcomes are known, less than the agreed {%s}; figures may still move." % (
            labels.id,
            minimum.id,
        )
        yield Finding(id=f"{subject}.labels.finding", rule="labels-provisional", text=text, tone="unsure")
    age, limit = numbers.get(f"{subject}.model-age"), numbers.get(f"{subject}.model-age-limit")
    if age and limit and isinstance(age.value, float) and isinstance(limit.value, float):
        late = age.value > limit.value
        text = "The live model is {%s} old, %s the agreed {%s}." % (age.id, "more than" if late else "within", limit.id)
        rule = "model-too-old" if late else "model-age-within"
        yield Finding(id=f"{subject}.age.finding", rule=rule, text=text, tone="bad" if late else "neutral")
    if review_missed:
        text, terms = "The review of this model was due on {=day} and is not done.", {"day": review_missed}
        yield Finding(id=f"{subject}.review.finding", rule="review-missed", text=text, tone="bad", terms=terms)
    for name, words, sign in (
        ("latency-p-99", "Slowest answers took {%s}", 1),
        ("availability", "{%s} of requests were answered", -1),
    ):
        value, agreed = numbers.get(f"{subject}.{name}"), numbers.get(f"{subject}.{name}-agreed")
        if value and agreed and isinstance(value.value, float) and isinstance(agreed.value, float):
            broken = sign * (value.value - agreed.value) > 0
            text = (
                words % value.id
                + (", which breaks the promised {%s}." if broken else "; promised are {%s}.") % agreed.id
            )
            rule = "sla-broken" if broken else "sla-kept"
            yield Finding(id=f"{value.id}.finding", rule=rule, text=text, tone="bad" if broken else "neutral")


def _worth(subject: str, numbers: Mapping[str, Number]) -> Iterator[Finding]:
    effect = numbers.get(f"{subject}.revenue-effect")
    if effect is not None and effect.published and effect.interval is not None:
        word, tone = moved(effect)
        text = (
            "Against the hold-out on the baseline the live model brought {%s|signed} over four weeks ({%s|interval})."
            if word != "steady"
            else "The revenue effect against the hold-out, {%s|signed} over four weeks, is not distinguishable from nothing ({%s|interval})."
        ) % (effect.id, effect.id)
        yield Finding(id=f"{subject}.revenue-effect.finding", rule=f"revenue-{word}", text=text, tone=tone)
