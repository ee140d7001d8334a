"""All tests together: which are decided, what may be added up, and the sentences on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gazette.record import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gazette.record import Number, Record, Tone

__all__ = ["Tested", "describe_portfolio", "shipped", "tested"]

MOST = 6
SILENT = {"not trustworthy", "not published"}


@dataclass(frozen=True, kw_only=True)
class Tested:
    """What an edition's record says of an experiment.

    Attributes:
        test, title: Its id and name.
        edition: Which edition says so.
        state, action: Of the verdict on its primary metric.
        metric: Its primary metric.
        number: Id of the relative effect; empty where none may be read.
        effect, low, high, level: The effect with the range that the look allows, relative; None where none may be read.
    """

    test: str
    title: str
    edition: str
    state: str
    action: str
    metric: str
    number: str = ""
    effect: float | None = None
    low: float | None = None
    high: float | None = None
    level: float | None = None


def tested(record: Record) -> Tested | None:
    """The row of an experiment's record, None for a record of another kind or without a verdict."""
    verdict = next((v for v in record.verdicts if v.primary), None)
    if record.kind != "experiment" or verdict is None:
        return None
    ending = f"{verdict.metric}.relative"
    named = [r for r in (*verdict.reason.references, *(n.id for n in record.numbers)) if r.endswith(f".{ending}")]
    number = record.number(named[0]) if named and verdict.state not in SILENT else None
    more: dict[str, Any] = {}
    if number is not None and number.interval is not None and isinstance(number.value, float):
        span = number.interval
        more = {"number": number.id, "effect": number.value, "low": span.low, "high": span.high, "level": span.level}
    return Tested(
        test=record.subject,
        title=record.title,
        edition=record.edition,
        state=verdict.state,
        action=verdict.action,
        metric=verdict.metric,
        **more,
    )


def shipped(decision: str) -> bool:
    """Whether a decision, in the words of the history, put the variant before all users.

    >>> shipped("Ship with monitoring"), shipped("stop"), shipped("don't ship")
    (True, False, False)
    """
    return decision.strip().lower().startswith("ship")


def describe_portfolio(
    subject: str,
    numbers: Mapping[str, Number],
    *,
    metrics: Mapping[str, str],
    short: Sequence[str],
    left_out: Sequence[str],
    unread: Sequence[str],
    only_shipped: bool,
) -> tuple[Finding, ...]:
    """Findings of the portfolio page.

    Args:
        subject: Id of the page.
        numbers: The record's numbers by id.
        metrics: Metrics with a published sum, id to title.
        short: Titles of metrics with too few decided tests to add up.
        left_out: Tests that count nowhere, each with the reason.
        unread: Sources that could not be read, each with the reason.
        only_shipped: Whether the history holds no test that was stopped.
    """
    return (
        *_unread(subject, unread),
        *_rates(subject, numbers),
        *_sums(subject, numbers, metrics, short, only_shipped=only_shipped),
        *_claims(subject, numbers),
        *_left_out(subject, left_out),
    )


def _list(parts: Sequence[str]) -> dict[str, str]:
    return {"list": "; ".join(parts[:MOST]) + ("; and others" if len(parts) > MOST else "")}


def _unread(subject: str, unread: Sequence[str]) -> Iterator[Finding]:
    if unread:
        text = "The history of past tests could not be read, so nothing is said of it: {=list}."
        yield Finding(id=f"{subject}.unread", rule="portfolio-unread", text=text, tone="bad", terms=_list(unread))


def _rates(subject: str, numbers: Mapping[str, Number]) -> Iterator[Finding]:
    decided, rate, ships = (numbers[f"{subject}.{n}"] for n in ("decided", "win-rate", "ship-rate"))
    if not decided.value:
        yield Finding(
            id=f"{subject}.short",
            rule="portfolio-empty",
            text="No decided test is recorded, so there is no win rate, no sum of effects, and no claim to check.",
            tone="unsure",
        )
    elif not rate.published:
        tests = "test is" if decided.value == 1 else "tests are"
        yield Finding(
            id=f"{subject}.short",
            rule="portfolio-short",
            text="History too short: {%s} decided %s recorded with an effect, too few for a win rate."
            % (decided.id, tests),
            tone="unsure",
        )
    else:
        yield Finding(
            id=f"{subject}.rates",
            rule="portfolio-win-rate",
            text="Of {%s} decided tests {%s} showed a benefit ({%s|interval}), and {%s} were shipped."
            % (decided.id, rate.id, rate.id, ships.id),
        )


def _sums(
    subject: str, numbers: Mapping[str, Number], metrics: Mapping[str, str], short: Sequence[str], *, only_shipped: bool
) -> Iterator[Finding]:
    for metric, title in metrics.items():
        naive, corrected = (numbers[f"{subject}.cumulative.{metric}.{n}"] for n in ("naive", "corrected"))
        if corrected.interval is None:
            continue
        span, tone = corrected.interval, "unsure"
        good = numbers[f"{subject}.cumulative.{metric}.corrected"].direction != "lower"
        if span.low > 0 or span.high < 0:
            tone = "good" if (span.low > 0) == good else "bad"
        hedge = "" if tone != "unsure" else ", which may be nothing"
        kind: Tone = "good" if tone == "good" else "bad" if tone == "bad" else "unsure"
        yield Finding(
            id=f"{subject}.cumulative.{metric}.finding",
            rule="portfolio-cumulative",
            text="{=metric}: what was shipped added up to {%s|signed} as measured; corrected for the winner's curse it is {%s|signed} ({%s|interval})%s."
            % (naive.id, corrected.id, corrected.id, hedge),
            tone=kind,
            terms={"metric": title},
        )
    if only_shipped:
        yield Finding(
            id=f"{subject}.only-shipped",
            rule="portfolio-only-shipped",
            text="The history holds no test that was stopped, so the winner's curse cannot be taken out of sums; none is published.",
            tone="unsure",
        )
    elif short:
        yield Finding(
            id=f"{subject}.cumulative.short",
            rule="portfolio-sum-short",
            text="History too short to add up: {=list}.",
            terms=_list(short),
        )


def _claims(subject: str, numbers: Mapping[str, Number]) -> Iterator[Finding]:
    share, again, covered, level = (
        numbers[f"{subject}.{n}"] for n in ("realised-share", "measured-again", "claims-covered", "claims-level")
    )
    if again.value and share.published and share.interval is not None:
        span = share.interval
        tone: Tone = "neutral"
        rule, says = "claims-open", "which agrees with the claims and with no gain at all"
        if span.high < 1:
            rule, tone, says = "claims-overstated", "bad", "so claims promised too much"
        elif span.low > 1:
            rule, tone, says = "claims-exceeded", "good", "so more came than was promised"
        elif span.low > 0:
            rule, says = "claims-agree", "which agrees with what was claimed"
        yield Finding(
            id=f"{subject}.realised",
            rule=rule,
            text="{%s} shipped tests were measured again later: {%s} of the effect that was claimed came true ({%s|interval}), %s."
            % (again.id, share.id, share.id, says),
            tone=tone,
        )
    elif numbers[f"{subject}.decided"].value:
        yield Finding(
            id=f"{subject}.realised",
            rule="claims-unmeasured",
            text="Too few shipped tests were measured again later ({%s}), so claims cannot be held against what came of them."
            % again.id,
            tone="unsure",
        )
    if covered.published and covered.interval is not None and isinstance(level.value, float):
        too_few = covered.interval.high < level.value
        text = (
            "Later effects lay within the range around their claim in {%s} of these tests; ranges of this width should hold {%s}."
            % (
                covered.id,
                level.id,
            )
        )
        yield Finding(
            id=f"{subject}.covered",
            rule="claims-too-sure" if too_few else "claims-coverage",
            text=text,
            tone="bad" if too_few else "neutral",
        )


def _left_out(subject: str, left_out: Sequence[str]) -> Iterator[Finding]:
    if left_out:
        text = "Recorded, but counted nowhere: {=list}."
        yield Finding(
            id=f"{subject}.left-out", rule="portfolio-left-out", text=text, tone="unsure", terms=_list(left_out)
        )
