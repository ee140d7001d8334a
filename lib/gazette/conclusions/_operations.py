"""Sentences for those on call: what fires since when, what fired, what is near its limit, what is not heard of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gazette.record import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gazette.monitoring import AlarmState
    from gazette.params import Alarm
    from gazette.record import Number, Tone

__all__ = ["describe_operations"]

MOST = 6


def describe_operations(
    subject: str,
    states: Sequence[AlarmState],
    alarms: Mapping[str, Alarm],
    numbers: Mapping[str, Number],
    unread: Sequence[str],
) -> tuple[Finding, ...]:
    """Findings of the operations page, the most urgent first.

    Args:
        subject: Id of the page.
        states: Of every alert.
        alarms: The registry by id.
        numbers: The record's numbers by id.
        unread: Sources that could not be read.
    """
    return tuple(_found(subject, states, alarms, numbers, unread))


def _listed(states: Sequence[AlarmState], alarms: Mapping[str, Alarm], *, since: bool = False) -> dict[str, str]:
    """One term for all: titles, subjects and dates are names, not measurements."""
    parts = []
    for s in states[:MOST]:
        on = f" ({s.subject})" if s.subject else ""
        when = f", since {s.since:%d %B %H:%M} UTC" if since and s.since else ""
        parts.append(f"{alarms[s.alert].title}{on}{when}")
    return {"list": "; ".join(parts) + (" and others" if len(states) > MOST else "")}


def _found(
    subject: str,
    states: Sequence[AlarmState],
    alarms: Mapping[str, Alarm],
    numbers: Mapping[str, Number],
    unread: Sequence[str],
) -> Iterator[Finding]:
    tones: dict[str, Tone] = {"critical": "bad", "warning": "unsure", "info": "neutral"}
    words = {
        "critical": "Fires and pages",
        "warning": "Fires, to be looked at within two hours",
        "info": "For information",
    }
    loud = [s for s in states if s.state == "firing" and alarms[s.alert].tier != "info"]
    if not loud:
        heard = any(s.state != "no data" for s in states)
        text = (
            "No critical alert and no warning fires at the data cut-off."
            if heard
            else "Nothing was measured, so nothing can be said of alerts."
        )
        yield Finding(
            id=f"{subject}.quiet",
            rule="alerts-quiet" if heard else "alerts-unknown",
            text=text,
            tone="good" if heard else "unsure",
        )
    for tier, tone in tones.items():
        chosen = [s for s in states if s.state == "firing" and alarms[s.alert].tier == tier]
        if chosen:
            text = "%s: {=list}." % words[tier]
            yield Finding(
                id=f"{subject}.firing.{tier}.finding",
                rule=f"alerts-firing-{tier}",
                text=text,
                tone=tone,
                terms=_listed(chosen, alarms, since=tier != "info"),
            )
    over = [s for s in states if s.state != "firing" and s.episodes and alarms[s.alert].tier != "info"]
    if over:
        terms = {
            "list": "; ".join(
                f"{alarms[s.alert].title} ({s.subject}), {s.episodes[-1][0]:%A %H:%M} to {s.episodes[-1][1]:%A %H:%M} UTC"
                for s in over[:MOST]
            )
        }
        yield Finding(
            id=f"{subject}.fired",
            rule="alerts-fired",
            text="Fired in the week and is over: {=list}.",
            tone="unsure",
            terms=terms,
        )
    for state, rule, text, tone in (
        ("waiting", "alerts-waiting", "Beyond the limit, not yet for long enough: {=list}.", "unsure"),
        ("near its limit", "alerts-near", "Near the limit: {=list}.", "unsure"),
        ("suppressed", "alerts-suppressed", "Beyond the limit, but explained or in maintenance: {=list}.", "neutral"),
    ):
        chosen = [s for s in states if s.state == state and alarms[s.alert].tier != "info"]
        if chosen:
            kind: Tone = "unsure" if tone == "unsure" else "neutral"
            yield Finding(id=f"{subject}.{rule}", rule=rule, text=text, tone=kind, terms=_listed(chosen, alarms))
    silent = sorted({s.subject for s in states if s.state == "no data" and s.subject})
    silent = [name for name in silent if all(s.state == "no data" for s in states if s.subject == name)]
    if silent:
        terms = {"list": ", ".join(silent)}
        yield Finding(
            id=f"{subject}.silent",
            rule="alerts-no-data",
            text="Nothing is heard of: {=list}. That is no good news.",
            tone="bad",
            terms=terms,
        )
    if unread:
        text = "Could not be read, so nothing is said of it: {=list}."
        yield Finding(
            id=f"{subject}.unread", rule="source-unread", text=text, tone="bad", terms={"list": ", ".join(unread)}
        )
    yield from _counted(subject, numbers)


def _counted(subject: str, numbers: Mapping[str, Number]) -> Iterator[Finding]:
    """How many alerts needed action, and how many alarms chance alone raises."""
    precision = numbers.get(f"{subject}.alert-precision")
    if precision is not None and precision.interval is not None:
        text = "Of the alerts sent in twelve weeks {%s} needed action ({%s|interval})." % (precision.id, precision.id)
        noisy = precision.interval.high < 0.5  # noqa: PLR2004  more than half were noise
        yield Finding(
            id=f"{subject}.precision",
            rule="alerts-noisy" if noisy else "alerts-precision",
            text=text,
            tone="bad" if noisy else "neutral",
        )
    chance = numbers.get(f"{subject}.by-chance")
    if chance is not None:
        text = "Of what models' pages say has moved (measures, segments, inputs, levels), chance alone would raise at most {%s} in an edition where nothing did."
        yield Finding(id=f"{subject}.by-chance.finding", rule="alarms-by-chance", text=text % chance.id)
