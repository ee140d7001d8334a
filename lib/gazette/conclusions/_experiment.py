"""The verdict on an experiment and what follows from it.

| rule | when | state | recommendation |
|---|---|---|---|
| gate-accounted, gate-sample-ratio, gate-sample-ratio-sequence, gate-sample-ratio-triggered, gate-exposure, gate-balance, gate-missing-days, gate-matched, gate-missing-values | a check failed | not trustworthy | fix the test first |
| gate-minimum-run | it has run too short | not published | wait |
| not-computable | the primary metric has no value | not published | wait |
| fixed-horizon-not-over | it is planned to be read once, at its end | not resolved | keep running |
| interval-above-zero | the interval, read in the good direction, lies above zero | benefit shown | by guardrails |
| interval-below-zero | it lies below zero | harm shown | don't ship |
| worthwhile-ruled-out | its upper end lies below the smallest effect worth having | no worthwhile benefit | stop: no winner |
| interval-includes-zero | anything else | not resolved | keep running, or stop: no winner |
| crossed-at-earlier-look | this look shows neither, but an earlier one did | as it was then | as it was then |
| final-look-is-over | the final look was an earlier one | as it was then | as it was then |
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from gazette.conclusions._advice import advice
from gazette.conclusions._skewed import on_skewed
from gazette.conclusions._standing import guardrail_of, state_of, within
from gazette.record import Finding, NotPublished, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gazette.conclusions._standing import MetricResult, Standing
    from gazette.record import Number, Tone, VerdictState

__all__ = ["Check", "Earlier", "Look", "best", "conclude"]

CheckName = Literal[
    "plan-locked",
    "accounted",
    "sample-ratio",
    "sample-ratio-sequence",
    "sample-ratio-triggered",
    "exposure",
    "balance",
    "missing-days",
    "matched",
    "several-values",
    "repeated-rows",
    "missing-values",
    "minimum-run",
]


@dataclass(frozen=True, kw_only=True)
class Check:
    """A gate before any verdict: its number, and whether it passed (None: not run), of the whole test or of one metric; ``of`` what, in words.

    One that ``warns`` passes, and is shown as something to look at.
    """

    name: CheckName
    number: Number
    passed: bool | None
    metric: str = ""
    of: str = ""
    warns: bool = False


@dataclass(frozen=True)
class Earlier:
    """What an earlier look said that still stands: its limit crossed, or the end of the test; and in which edition."""

    state: VerdictState
    edition: str


@dataclass(frozen=True, kw_only=True)
class Look:
    """One reading of one treatment.

    Attributes:
        subject: Id of the experiment.
        prefix: Begins the ids of findings; the subject, with the arm where there are several.
        treatment: Its name for readers.
        results: One per metric, exactly one of them primary.
        checks: The gates.
        ended: Whether the last planned day is over.
        early: Whether a decision now stops it before its planned size, or it was stopped so.
        readable: False for a fixed-horizon test before its end.
        enough_units: Whether it has the units that the smallest effect worth having needs.
        end: Last day, as readers read dates.
        rollout_days, units, needed, wait: Numbers that the advice refers to; ``wait`` is days until ``needed``.
        shrunken: The effect after an early stop, drawn towards zero.
        better, loss: The Bayesian reading.
        net: Worth a month less cost a month, where both are stated and the effect may be read.
        deviations: What changed in the plan after the first look, in words; empty where nothing did.
        closed: Whether the final look was an earlier one, so that this one decides nothing.
        earlier: What an earlier look said that stands, if one did.
        anytime: Whether more users may be waited for after the end (a confidence sequence).
    """

    subject: str
    prefix: str
    treatment: str
    results: tuple[MetricResult, ...]
    checks: tuple[Check, ...]
    ended: bool
    early: bool
    readable: bool
    enough_units: bool
    end: str
    rollout_days: Number
    units: Number
    needed: Number
    wait: Number
    shrunken: Number | None = None
    better: Number | None = None
    loss: Number | None = None
    net: Number | None = None
    deviations: str = ""
    closed: bool = False
    earlier: Earlier | None = None
    anytime: bool = False

    @property
    def primary(self) -> MetricResult:
        """The result that decides."""
        return next(r for r in self.results if r.role == "primary")

    def failed(self, metric: str) -> list[Check]:
        """Checks of the whole test, and of this metric, that failed."""
        return [c for c in self.checks if c.passed is False and c.metric in {"", metric}]

    @property
    def pays(self) -> bool:
        """Whether some of the range that fits the data pays, as far as worth and cost are stated."""
        return self.net is None or self.net.interval is None or self.net.interval.high >= 0

    @property
    def trusted(self) -> bool:
        """Whether no check failed that the verdict rests on."""
        return not self.failed(self.primary.metric)

    def guardrail(self, result: MetricResult) -> Standing:
        """How a guardrail stands; unknown where a check of it failed."""
        return "unknown" if self.failed(result.metric) else guardrail_of(result)

    def rails(self, standing: Standing) -> list[MetricResult]:
        """Guardrails that stand so."""
        return [r for r in self.results if r.role == "guardrail" and self.guardrail(r) == standing]

    @property
    def harmed(self) -> list[MetricResult]:
        """Secondary metrics that lost."""
        second = [r for r in self.results if r.role == "secondary" and not self.failed(r.metric)]
        return [r for r in second if state_of(r)[0] == "harm shown"]

    @property
    def split_known(self) -> bool:
        """Whether the sizes of the arms could be checked."""
        splits = [c.passed for c in self.checks if c.name in {"sample-ratio", "sample-ratio-sequence"}]
        return not splits or any(passed is not None for passed in splits)


FAILED: dict[CheckName, str] = {
    "plan-locked": "The plan was changed after the first look into that of another test ({%s} of the changes count), so the error that was agreed no longer holds.",
    "accounted": "{%s} of those who were assigned are in no arm that is known, or cannot be told apart: what became of them is not known.",
    "sample-ratio": "The arms do not have the sizes that were planned; a split this uneven has a chance of {%s} if assignment works.",
    "sample-ratio-sequence": "Watched day by day, the arms drifted from the sizes that were planned (chance {%s} if assignment works).",
    "sample-ratio-triggered": "Those who met the change are not split as planned (chance {%s} if it does not decide who meets it), so they are not alike.",
    "exposure": "{%s} users saw more than one arm, too many to compare the arms.",
    "balance": "The arms differed before the test began; a difference this large has a chance of {%s} if assignment works.",
    "missing-days": "On {%s} of the test's days there are no users or nothing recorded of them: data are missing or late.",
    "matched": "{%s} users have a row that the primary metric can count, though there are rows: they are of nobody in the test, or lack what they need.",
    "missing-values": "Something is missing more often in one arm than in another; a difference this large has a chance of {%s} if nothing was lost.",
    "minimum-run": "The test has run {%s}, too short to conclude anything: weekdays differ.",
}


NOT_READ = {
    "missing-values": (
        "values-missing-unevenly",
        "{=metric} is not read: it is missing more often in one arm than in another (chance {%s} if nothing was lost).",
    ),
    "matched": (
        "rows-of-nobody",
        "{=metric} is not read: {%s} users have a row that it can count, though there are rows.",
    ),
    "plan-locked": ("metric-redefined", "{=metric} is not read: it was defined anew after the first look."),
}
"""By the check that failed: the rule and the sentence."""


def _gate(look: Look) -> Verdict | None:
    """The verdict where a check failed, the gravest first."""
    for check in look.failed(look.primary.metric):
        short = check.name == "minimum-run"
        reason = Finding(
            id=f"{look.prefix}.verdict",
            rule=f"gate-{check.name}",
            text=FAILED[check.name] % check.number.id,
            tone="unsure" if short else "bad",
        )
        text = "Find out which users were lost or counted twice, mend it, and start again; nothing about the effect can be said."
        if short:
            text = "Wait for the next edition; nothing about the effect is said before."
        elif check.name == "plan-locked":
            text = "Put the plan back to what it was, or give the new plan to a new test with users of its own."
        advice = Finding(id=f"{look.prefix}.advice", rule="gate-failed", text=text, tone=reason.tone)
        return Verdict(
            metric=look.primary.metric,
            state="not published" if short else "not trustworthy",
            rule=reason.rule,
            action="wait" if short else "fix the test first",
            action_rule="gate-failed",
            reason=reason,
            advice=advice,
        )
    return None


def _reason(look: Look, state: VerdictState, rule: str) -> Finding:
    primary = look.primary
    why = primary.difference.value.reason if isinstance(primary.difference.value, NotPublished) else ""
    terms = {"metric": primary.title, "treatment": look.treatment, "end": look.end, "why": why}
    difference, relative = primary.difference.id, primary.relative.id
    move = "{=metric} was {%s} with {=treatment} and {%s} without" % (primary.treatment.id, primary.control.id)
    apart = ", adjusted for what users did before the test," if primary.adjusted else ""
    span = f"the difference{apart} " + "is {%s|signed}, and the data fit anything from {%s|interval}" % (
        difference,
        difference,
    )
    tail: dict[str, str] = {
        "interval-above-zero": f"{move}: {span}. All of that range is better than no change.",
        "interval-below-zero": f"{move}: {span}. All of that range is worse than no change.",
        "worthwhile-ruled-out": f"{move}: {span}. Even the best of that range is less than the smallest effect worth having"
        + (", and the worst no larger a loss: as far as it matters, the two are alike." if within(primary)[0] else "."),
        "interval-includes-zero": f"{move}: {span}. That range includes no change, so the test cannot tell yet.",
        "fixed-horizon-not-over": "This test is planned to be read once, when it ends on {=end}; reading it before would find winners that are none.",
        "not-computable": "{=metric} cannot be compared yet: {=why}.",
        "crossed-at-earlier-look": f"{move}: {span}. The limit was crossed in edition {{=when}}, and what was shown then stands.",
        "final-look-is-over": f"{move}: {span}. The final look was in edition {{=when}}; what came in since is shown, and re-opens nothing.",
    }
    if look.earlier is not None:
        terms["when"] = look.earlier.edition
    text = tail[rule]
    if rule == "crossed-at-earlier-look" and state_of(primary)[1] == "interval-includes-zero":
        text += " The range of today includes no change: it may have faded."
    if primary.relative.published and rule not in {"not-computable", "fixed-horizon-not-over"}:
        text += " Relative to today it is {%s|signed} ({%s|interval})." % (relative, relative)
    elif primary.difference.published and isinstance(primary.relative.value, NotPublished) and move in text:
        text += " It is judged by the difference alone: {=lacking}."
        terms["lacking"] = primary.relative.value.reason
    tones: dict[VerdictState, Tone] = {"benefit shown": "good", "harm shown": "bad", "no worthwhile benefit": "bad"}
    return Finding(
        id=f"{look.prefix}.verdict", rule=rule, text=text, tone=tones.get(state, "unsure"), terms=_used(text, terms)
    )


def _used(text: str, terms: dict[str, str]) -> dict[str, str]:
    return {k: v for k, v in terms.items() if "{=" + k + "}" in text}


def conclude(look: Look) -> tuple[Verdict, tuple[Finding, ...]]:
    """The verdict on the primary metric and the findings around it.

    Args:
        look: One reading; exactly one of its results is primary.
    """
    if failed := _gate(look):
        return failed, tuple(_deviations(look))
    state, rule = _standing(look)
    action, action_rule, text = advice(look, state, rule)
    terms = {"end": look.end}
    terms |= {f"rail_{letter}": r.title for letter, r in zip("abcdefgh", look.rails("open"), strict=False)}
    named = {standing: look.rails(standing) for standing in ("broken", "unknown", "open")} | {"lost": look.harmed}
    terms |= {name: " and ".join(r.title for r in results) for name, results in named.items()}
    verdict = Verdict(
        metric=look.primary.metric,
        state=state,
        rule=rule,
        action=action,
        action_rule=action_rule,
        reason=_reason(look, state, rule),
        advice=Finding(id=f"{look.prefix}.advice", rule=action_rule, text=text, terms=_used(text, terms)),
    )
    if rule == "fixed-horizon-not-over":
        return verdict, tuple(_deviations(look))
    return verdict, (*_around(look, state), *on_skewed(look), *_others(look), *_deviations(look))


def _standing(look: Look) -> tuple[VerdictState, str]:
    """State and rule of the primary metric: by this look, unless an earlier one has settled it."""
    state, rule = state_of(look.primary)
    if state == "not published":
        return state, rule
    if not look.readable:
        return "not resolved", "fixed-horizon-not-over"
    if look.earlier is None or (not look.closed and state in SHOWN):
        return state, rule
    return look.earlier.state, "crossed-at-earlier-look" if look.earlier.state in SHOWN else "final-look-is-over"


SHOWN: frozenset[VerdictState] = frozenset({"benefit shown", "harm shown"})


def _around(look: Look, state: VerdictState) -> list[Finding]:
    """What the primary interval rules out, and the Bayesian second opinion."""
    found, primary = [], look.primary
    if primary.relative.published and primary.relative.interval is not None:
        text = "{=metric}: the data rule out a change below {%s|low} and one above {%s|high}, relative to today." % (
            primary.relative.id,
            primary.relative.id,
        )
        found.append(
            Finding(
                id=f"{look.prefix}.rules-out", rule="interval-rules-out", text=text, terms={"metric": primary.title}
            )
        )
    elif primary.difference.published and primary.difference.interval is not None:
        text = "{=metric}: the data rule out a difference below {%s|low} and one above {%s|high}." % (
            primary.difference.id,
            primary.difference.id,
        )
        terms = {"metric": primary.title}
        found.append(Finding(id=f"{look.prefix}.rules-out", rule="interval-rules-out", text=text, terms=terms))
    if look.better is not None and look.better.published and look.loss is not None and state != "not published":
        text = (
            "A second opinion, by Bayes with a flat prior and blind to earlier looks: the chance that {=treatment} is better is {%s}; if it is worse, taking it costs {%s} on average."
            % (look.better.id, look.loss.id)
        )
        found.append(
            Finding(
                id=f"{look.prefix}.bayes", rule="bayes-second-opinion", text=text, terms={"treatment": look.treatment}
            )
        )
    return found


def _deviations(look: Look) -> list[Finding]:
    if not look.deviations:
        return []
    text = "The plan was changed after the first look: {=changes}. What was agreed then counts: its end, size, error and margins."
    return [
        Finding(
            id=f"{look.prefix}.deviations",
            rule="plan-deviation",
            text=text,
            tone="bad",
            terms={"changes": look.deviations},
        )
    ]


def _others(look: Look) -> list[Finding]:
    found = []
    for result in look.results:
        if result.role == "primary":
            continue
        terms = {"metric": result.title}
        name = f"{look.prefix}.{result.metric}.finding"
        if lost := look.failed(result.metric):
            rule, text = NOT_READ[lost[0].name]
            found.append(
                Finding(id=name, rule=rule, text=text.replace("%s", lost[0].number.id), tone="bad", terms=terms)
            )
            continue
        if result.role == "guardrail":
            found.append(_rail(name, result))
            continue
        state, rule = state_of(result)
        span = "{%s|signed} ({%s|interval})" % (result.difference.id, result.difference.id)
        if state == "benefit shown":
            found.append(Finding(id=name, rule=rule, text=f"{{=metric}} got better: {span}.", tone="good", terms=terms))
        elif state == "harm shown":
            found.append(Finding(id=name, rule=rule, text=f"{{=metric}} got worse: {span}.", tone="bad", terms=terms))
        elif state == "not resolved":
            found.append(
                Finding(id=name, rule=rule, text=f"{{=metric}} is not resolved: {span}.", tone="unsure", terms=terms)
            )
    return found


def _rail(name: str, result: MetricResult) -> Finding:
    """How a guardrail stands."""
    terms = {"metric": result.title}
    standing = guardrail_of(result)
    interval = " ({%s|interval})" % result.relative.id if result.relative.published else ""
    if isinstance(result.relative.value, NotPublished) and result.difference.published:
        terms["why"] = result.relative.value.reason
        interval = " (difference {%s|interval}; of the control's size, as {=why})" % result.difference.id
    texts: dict[str, tuple[str, Tone]] = {
        "passed": (f"Guardrail {{=metric}}: a loss beyond the agreed margin is excluded{interval}.", "good"),
        "broken": (f"Guardrail {{=metric}}: it lost more than the agreed margin{interval}.", "bad"),
        "open": (
            f"Guardrail {{=metric}}: a loss beyond the agreed margin is not excluded yet{interval}.",
            "unsure",
        ),
        "unknown": ("Guardrail {=metric}: whether it lost could not be computed: {=unread}.", "unsure"),
    }
    why = result.difference.value
    terms["unread"] = why.reason if isinstance(why, NotPublished) else "it has no range"
    text, tone = texts[standing]
    return Finding(id=name, rule=f"guardrail-{standing}", text=text, tone=tone, terms=_used(text, terms))


PREFERENCE: dict[VerdictState, int] = {
    "not trustworthy": 0,
    "not published": 1,
    "benefit shown": 2,
    "not resolved": 3,
    "no worthwhile benefit": 4,
    "harm shown": 5,
}


def best(pairs: Sequence[tuple[Look, Verdict]]) -> int:
    """Index of the treatment that the page speaks of first: a failed check, else the best state, else the larger effect."""

    def order(pair: tuple[Look, Verdict]) -> tuple[int, float]:
        look, verdict = pair
        interval = look.primary.good(look.primary.difference)
        return PREFERENCE[verdict.state], -(interval[0] if interval else 0.0)

    return min(range(len(pairs)), key=lambda i: order(pairs[i]))
