"""Sentences about a model: against its baseline, against last week, its labels, its age."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gazette.record import Finding

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gazette.record import Number, Tone

__all__ = ["describe_model"]


def _moved(number: Number) -> tuple[str, Tone]:
    """Word and tone of a change, by its interval and good direction: steady unless the interval excludes zero."""
    if number.interval is None or number.interval.low <= 0 <= number.interval.high:
        return "steady", "neutral"
    better = (number.interval.low > 0) == (number.direction != "lower")
    return ("better", "good") if better else ("worse", "bad")


def describe_model(subject: str, metrics: Sequence[str], numbers: Mapping[str, Number]) -> tuple[Finding, ...]:
    """Findings on a model's page.

    Args:
        subject: The model's id.
        metrics: Ids of its quality metrics, the main one first.
        numbers: The record's numbers by id.
    """
    found = []
    for metric in metrics:
        level = numbers.get(f"{subject}.{metric}")
        if level is None:
            continue
        if not level.published:
            text = "{=metric} is not published this week: {=reason}."
            reason = getattr(level.value, "reason", "")
            terms = {"metric": level.label, "reason": reason}
            found.append(
                Finding(id=f"{subject}.{metric}.finding", rule="not-computable", text=text, tone="unsure", terms=terms)
            )
            continue
        for suffix, against in (("vs-baseline", "than the baseline version"), ("change", "than last week")):
            change = numbers.get(f"{subject}.{metric}.{suffix}")
            if change is None or not change.published:
                continue
            word, tone = _moved(change)
            if word == "steady":
                against_words = "the baseline version" if suffix == "vs-baseline" else "last week"
                text = "{=metric} was {%s}; the difference to %s, {%s|signed}, is within what chance brings." % (
                    level.id,
                    against_words,
                    change.id,
                )
            else:
                text = "{=metric} was {%s}, %s %s: {%s|signed} ({%s|interval})." % (
                    level.id,
                    word,
                    against,
                    change.id,
                    change.id,
                )
            found.append(
                Finding(
                    id=f"{subject}.{metric}.{suffix}.finding",
                    rule=f"{suffix}-{word}",
                    text=text,
                    tone=tone,
                    terms={"metric": level.label},
                )
            )
    labels, minimum = numbers.get(f"{subject}.label-completeness"), numbers.get(f"{subject}.label-minimum")
    values = [number.value if number else None for number in (labels, minimum)]
    if labels and minimum and all(isinstance(v, float) for v in values) and values[0] < values[1]:  # type: ignore[operator]
        text = "Provisional: only {%s} of outcomes are known, less than the agreed {%s}." % (labels.id, minimum.id)
        found.append(Finding(id=f"{subject}.labels.finding", rule="labels-provisional", text=text, tone="unsure"))
    age, limit = numbers.get(f"{subject}.model-age"), numbers.get(f"{subject}.model-age-limit")
    if age and limit and isinstance(age.value, float) and isinstance(limit.value, float):
        late = age.value > limit.value
        text = "The live model is {%s} old, %s the agreed {%s}." % (age.id, "more than" if late else "within", limit.id)
        found.append(
            Finding(
                id=f"{subject}.age.finding",
                rule="model-too-old" if late else "model-age-within",
                text=text,
                tone="bad" if late else "neutral",
            )
        )
    effect = numbers.get(f"{subject}.revenue-effect")
    if effect is not None and effect.published and effect.interval is not None:
        word, tone = _moved(effect)
        text = (
            "Against the hold-out on the baseline the live model brought {%s|signed} over four weeks ({%s|interval})."
            if word != "steady"
            else "The revenue effect against the hold-out, {%s|signed} over four weeks, is not distinguishable from nothing ({%s|interval})."
        ) % (effect.id, effect.id)
        found.append(Finding(id=f"{subject}.revenue-effect.finding", rule=f"revenue-{word}", text=text, tone=tone))
    return tuple(found)
