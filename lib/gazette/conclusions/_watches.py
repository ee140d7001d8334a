"""What was decided, and whether what is watched since holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from gazette.record import Finding

if TYPE_CHECKING:
    from gazette.record import Number, Tone

__all__ = ["WatchState", "Watched", "taken", "watch_rule", "watch_state", "watched"]

WatchState = Literal["held", "breached", "cannot tell yet", "no data"]
TONES: dict[WatchState, Tone] = {"held": "good", "breached": "bad", "cannot tell yet": "unsure", "no data": "unsure"}
TONES_OF_DECISIONS: dict[str, Tone] = {"ship": "good", "ship with monitoring": "good"}


@dataclass(frozen=True, kw_only=True)
class Watched:
    """A watched metric in an edition.

    Attributes:
        id: Of its sentence; the numbers' ids start with it.
        title, metric: The test and the metric, for readers.
        margin: The loss that was agreed, None where the edition has no page on the test.
        number: The relative difference now, or the difference where no relative one is published; None where there is none.
        size: The control without its sign where the number is a difference: the margin is a share of it.
        until: Last day of the watch, in words.
        why: Why there is no data, empty where there is some.
    """

    id: str
    title: str
    metric: str
    margin: Number | None
    number: Number | None
    until: str
    why: str = ""
    size: float | None = None

    @property
    def state(self) -> WatchState:
        """How it stands. A loss that the last data showed stays one when no more come."""
        found = watch_state(self.number, self.margin, size=self.size)
        return "no data" if self.why and found != "breached" else found


def watch_state(number: Number | None, margin: Number | None, *, size: float | None = None) -> WatchState:
    """Against the agreed loss (of ``size``, where the number is a difference), by the whole interval read in the good direction."""
    if number is None or number.interval is None or not number.published:
        return "no data"
    if margin is None or not isinstance(margin.value, float):
        return "no data"
    low, high = number.interval.low, number.interval.high
    if number.direction == "lower":
        low, high = -high, -low
    allowed = margin.value if size is None else margin.value * size
    return "held" if low > -allowed else "breached" if high < -allowed else "cannot tell yet"


def watch_rule(state: WatchState) -> str:
    """Name of the rule that writes the sentence.

    >>> watch_rule("cannot tell yet")
    'watch-open'
    """
    return {"held": "watch-held", "breached": "watch-breached", "no data": "watch-no-data"}.get(state, "watch-open")


def watched(item: Watched) -> Finding:
    """The sentence on a watched metric, its state last."""
    state, number, margin = item.state, item.number, item.margin
    terms = {"title": item.title, "metric": item.metric, "until": item.until}
    if state == "no data" or number is None or margin is None:
        text = "{=title} was shipped with {=metric} to be watched until {=until}; there is no data on it: {=why}."
        terms["why"] = item.why or "it has no figure this week"
        return Finding(id=item.id, rule=watch_rule("no data"), text=text, tone="unsure", terms=terms)
    agreed = "{%s}%s" % (margin.id, "" if item.size is None else " of the control's size")
    ends = {
        "held": f"so a loss beyond the agreed {agreed} is ruled out",
        "breached": f"a loss beyond the agreed {agreed}; whoever shipped it should decide again",
        "cannot tell yet": f"so a loss beyond the agreed {agreed} cannot be ruled out yet",
    }
    text = "{=title}, watched until {=until}: {=metric} moved by {%s|signed} ({%s|interval}), " % (number.id, number.id)
    text += ends[state] + "."
    return Finding(id=item.id, rule=watch_rule(state), text=text, tone=TONES[state], terms=terms)


def taken(
    subject: str,
    *,
    title: str,
    decision: str,
    edition: str,
    by: str,
    rests: str = "",
    more: dict[str, str] | None = None,
) -> Finding:
    """That a test has been decided, so that nobody waits for it; ``rests`` refers to the figure as it is now, ``more`` has its terms."""
    plain = decision.replace("-", " ")
    words = {
        "ship": "ship",
        "ship with monitoring": "ship and watch",
        "stop": "stop",
        "continue": "keep it running",
    }
    text = "{=title}: decided on edition {=edition} by {=by}: %s" % words[plain]
    text += f"; {rests}." if rests else "."
    terms = {"title": title, "edition": edition, "by": by} | (more or {})
    tone = TONES_OF_DECISIONS.get(plain, "neutral")
    return Finding(id=f"summary.decision.{subject}", rule="decision-taken", text=text, tone=tone, terms=terms)
