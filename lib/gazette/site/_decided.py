"""One decision on the shelf's page: its state, its effects in words, all that it rests on."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from gazette import display, stats
from gazette.register import signed_as_it_stands
from gazette.site._text import table_html

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gazette.editions import Store, Week
    from gazette.params import Decision, Effect, Params
    from gazette.record import Unit
    from gazette.register import Entry, Outcome

__all__ = ["STATES", "details", "effect_text", "outcome_text", "span_text", "state_of", "toned"]

STATES = {"bound": ("good", "✓", "fits its edition"), "broken": ("bad", "✗", "does not fit")}
LEVEL = 0.95


def toned(tone: str, icon: str, words: str) -> str:
    """A state as a coloured word with an icon."""
    return f'<span class="gz-verdict {tone}"><span aria-hidden="true">{icon}</span> {escape(words)}</span>'


def state_of(faults: Sequence[str]) -> str:
    """Whether a decision is bound to its edition, as HTML."""
    return toned(*STATES["broken" if faults else "bound"])


def span_text(value: float, low: float, high: float, unit: Unit, *, currency: str = "USD", signed: bool = True) -> str:
    """A value with its range.

    >>> span_text(0.051, 0.02, 0.08, "relative")
    '+5.1 % (+2.0 % to +8.0 %)'
    """
    shown = display.format_ranged(value, low, high, unit, currency=currency, signed=signed)
    return f"{shown[0]} ({shown[1]} to {shown[2]})"


def effect_text(effect: Effect, currency: str) -> str:
    """What was expected of a metric, relative where that was published."""
    chosen = effect.relative or effect.difference
    if chosen is None:
        return "none could be read then"
    text = span_text(chosen.value, chosen.low, chosen.high, chosen.unit, currency=currency)
    return f"{effect.title}: {text}"


def outcome_text(came: Outcome) -> str:
    """What came of it, as it was measured, and where that comes from."""
    half = stats.z_of(LEVEL) * came.prediction.realised_error
    return f"{span_text(came.realised, came.realised - half, came.realised + half, 'relative')}, {came.source}"


def details(entry: Entry, faults: Sequence[str], store: Store, params: Params) -> str:
    """All that a decision says, folded."""
    one = entry.decision
    title = f"{one.title}, edition {one.edition}: {one.decision.replace('-', ' ')}"
    return (
        f'<details class="gz-fold gz-decision" id="{escape(one.id)}"><summary>{escape(title)}</summary>'
        f"{_facts(entry, faults)}{_expected(one, params)}{_watches(entry, store)}</details>"
    )


def _facts(entry: Entry, faults: Sequence[str]) -> str:
    one, then = entry.decision, entry.decision.recommendation
    chosen = [f"{o.replace('-', ' ')} (chosen)" if o == one.decision else o.replace("-", " ") for o in one.options]
    pairs: dict[str, str | display.Block] = {
        "File": f"reports/decisions/{one.id}.yml",
        "Fits its edition": display.Block(state_of(faults) + "".join(f"<br>{escape(f)}" for f in faults)),
        "Edition's digest": display.Block(f'<code class="gz-digest">{one.edition_digest}</code>'),
        "Options considered": ", ".join(chosen),
        "Advice then": f"{then.action} (rule {then.rule}); verdict: {then.state} (rule {then.state_rule})",
        "Against the advice": "yes; because says why" if one.override else "no",
        "Because": one.because,
        "Decided": f"{one.by}, {one.decided:%Y-%m-%d}",
    }
    signed = [f"{s.by}, {s.signed:%Y-%m-%d}{f': {s.note}' if s.note else ''}" for s in signed_as_it_stands(entry)]
    pairs["Signed off"] = "; ".join(signed) or f"not signed off (gazette sign-off {one.id} --by 'NAME')"
    if one.supersedes is not None:
        pairs["Replaces"] = one.supersedes.decision
    if entry.superseded_by:
        pairs["Replaced by"] = entry.superseded_by
    return display.facts(pairs).html


def _expected(one: Decision, params: Params) -> str:
    if not one.expected:
        return "<p>Expected effects: none, for no effect could be read then.</p>"
    rows = []
    for effect in one.expected:
        cells = [
            escape(span_text(r.value, r.low, r.high, r.unit, currency=params.site.currency)) if r else "not published"
            for r in (effect.difference, effect.relative)
        ]
        good = "higher is better" if effect.direction == "higher" else "lower is better"
        name = f"{effect.title} (decided on)" if effect.primary else effect.title
        rows.append([escape(name), good, *cells])
    text = ""
    if one.shrunken is not None and one.primary and one.primary.difference:
        unit = one.primary.difference.unit
        drawn = display.format_value(one.shrunken, unit, currency=params.site.currency, signed=True)
        text = f"<p>The test stopped early; drawn towards zero for that, the difference is {escape(drawn)}.</p>"
    heads = ("Metric", "Good direction", "Difference", "Relative")
    return table_html("Expected effects, with their ranges", heads, rows) + text


def _watches(entry: Entry, store: Store) -> str:
    one = entry.decision
    if not one.watch:
        return ""
    weeks = store.weeks()
    newest = weeks[-1] if weeks else None
    rows = []
    for watch in one.watch:
        margin = display.format_value(watch.margin, "relative")
        over = newest is not None and watch.until < newest.start
        state, said = ("over", "its last day is past") if over else _reported(one, watch.metric, store, newest)
        if entry.superseded_by:
            state, said = "over", "the decision was replaced"
        chip = toned("neutral", "•", "Over") if state == "over" else display.chip(state) if state else "–"
        rows.append(
            [
                escape(watch.title),
                escape(margin),
                f"{watch.until:%Y-%m-%d}",
                escape(watch.owner),
                f"{chip} {escape(said)}",
            ]
        )
    heads = ("Metric", "Agreed loss", "Watched until", "Owner", "Newest edition")
    return table_html("Watch list", heads, rows)


def _reported(one: Decision, metric: str, store: Store, newest: Week | None) -> tuple[str, str]:
    """State and sentence of a watch in the newest edition."""
    if newest is None or one.edition >= str(newest):
        return "", "the next edition reports on it"
    sealed = store.open(newest)
    ident = f"{one.experiment}.watch.{one.edition.lower()}.{metric}"
    for page in (one.experiment, "executive"):  # the summary speaks of tests that have no page
        if record := sealed.record(page):
            for finding in record.findings:
                if finding.id == ident:
                    numbers = {n.id: n for n in record.numbers}
                    return RULES.get(finding.rule, ""), display.plain_sentence(finding, numbers)
    return "no data", f"edition {newest} was built before the decision was known"


RULES = {
    "watch-held": "held",
    "watch-breached": "breached",
    "watch-open": "cannot tell yet",
    "watch-no-data": "no data",
}
