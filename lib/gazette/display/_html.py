"""Small pieces of HTML; every text that comes from outside is escaped here."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from gazette.display._language import localise
from gazette.display._numbers import format_number
from gazette.display._rounded import ROUNDED, apart_in_print
from gazette.record import REFERENCE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from gazette.display._language import Language
    from gazette.record import Finding, Number, Record, Verdict

__all__ = [
    "Block",
    "card_digest",
    "cards",
    "chip",
    "facts",
    "findings",
    "icon",
    "mark",
    "number_span",
    "panel",
    "plain_sentence",
    "progress",
    "ranged",
    "sentence",
    "verdict_digest",
]

LOOK = {
    "benefit shown": ("good", "✓"),
    "harm shown": ("bad", "✗"),
    "no worthwhile benefit": ("bad", "✗"),
    "not resolved": ("unsure", "?"),
    "not trustworthy": ("untrusted", "!"),
    "not published": ("untrusted", "–"),
    "guardrail holds": ("good", "✓"),
    "guardrail broken": ("bad", "✗"),
    "guardrail open": ("unsure", "?"),
    "held": ("good", "✓"),
    "breached": ("bad", "✗"),
    "cannot tell yet": ("unsure", "?"),
    "pass": ("good", "✓"),
    "warn": ("unsure", "!"),
    "fail": ("bad", "✗"),
    "not run": ("untrusted", "–"),
    "firing": ("bad", "✗"),
    "near its limit": ("unsure", "!"),
    "ok": ("good", "✓"),
    "no data": ("untrusted", "–"),
    "suppressed": ("untrusted", "–"),
    "waiting": ("unsure", "…"),
    "informs": ("neutral", "i"),
    "agrees": ("good", "✓"),
    "explained": ("neutral", "•"),
    "beyond the ruling": ("bad", "✗"),
    "no ruling": ("bad", "✗"),
    "differs": ("bad", "✗"),
    "pays": ("good", "✓"),
    "may pay": ("unsure", "?"),
    "does not pay": ("bad", "✗"),
}
ARROWS = {"up": "↑", "down": "↓", "steady": "→"}
TONES = {"good": "✓", "bad": "✗", "unsure": "?", "neutral": "•"}
QUOTED = re.compile(r"^[a-z0-9-]+\.before\.")  # a number of an earlier edition, which its label names
EDITION = re.compile(r"\d{4}-W\d\d")
UNREADABLE = {"not trustworthy", "not published"}


@dataclass(frozen=True)
class Block:
    """HTML that a notebook cell shows."""

    html: str

    def _repr_html_(self) -> str:
        return self.html


FORMS = {
    "abs": "its size",
    "interval": "its range",
    "low": "the lower end of its range",
    "high": "the upper end of its range",
    "nearest": "the end of its range that is nearest to zero",
    "farthest": "the end of its range that is farthest from zero",
    "rough": "about so much",
}
"""What a text shows of a number where it is not the value itself: the passport opens with it."""


def number_span(number: Number, form: str = "", *, currency: str = "USD") -> str:
    """The number with its passport at hand: hovering or tapping shows where it comes from."""
    text = format_number(number, form, currency=currency)
    passport = {
        "shown": f"{text}, {FORMS[form]}" if form in FORMS else "",
        "id": number.id,
        "label": number.label,
        "value": format_number(number, currency=currency),
        "interval": format_number(number, "interval", currency=currency) if number.interval else "",
        "level": f"{number.interval.level:.4g}" if number.interval else "",
        "method": number.interval.method if number.interval else "",
        "n": f"{number.n:,}" if number.n is not None else "",
        "metric": f"{number.metric}, version {number.metric_version}",
        "cell": number.cell,
        "query": number.query or "",
        "snapshot": number.snapshot[:16],
        "as_of": f"{number.as_of:%Y-%m-%d %H:%M} UTC",
        "note": number.note,
    }
    if quoted := QUOTED.match(number.id):
        passport["edition"] = (EDITION.search(number.label) or quoted)[0]
    kept = json.dumps({k: v for k, v in passport.items() if v}, ensure_ascii=False)
    return f'<span class="gz-number" tabindex="0" data-number="{escape(number.id)}" data-passport="{escape(kept)}">{escape(text)}</span>'


def ranged(number: Number, *, currency: str = "USD") -> str:
    """A change with its range, as HTML; the reason where it was not published."""
    if not number.published:
        return escape(format_number(number))
    value = number_span(number, "signed", currency=currency)
    return f"{value} ({number_span(number, 'interval', currency=currency)})" if number.interval else value


def plain_sentence(
    finding: Finding, numbers: Mapping[str, Number], *, currency: str = "USD", language: Language = "british"
) -> str:
    """A finding as plain text, for places without markup that the last pass over pages does not reach."""

    def fill(match: re.Match[str]) -> str:
        if match["term"]:
            return finding.terms[match["term"]]
        text = format_number(numbers[match["id"]], match["form"] or "", currency=currency)
        return text + _rounded(match, finding, numbers, currency)

    return localise(REFERENCE.sub(fill, finding.text), language)


def sentence(finding: Finding, numbers: Mapping[str, Number], *, currency: str = "USD") -> str:
    """A finding as HTML, its references filled in."""

    def fill(match: re.Match[str]) -> str:
        if match["term"]:
            return f'<span class="gz-term">{escape(finding.terms[match["term"]])}</span>'
        span = number_span(numbers[match["id"]], match["form"] or "", currency=currency)
        return span + _rounded(match, finding, numbers, currency)

    parts, end = [], 0
    for match in REFERENCE.finditer(finding.text):
        parts += [escape(finding.text[end : match.start()]), fill(match)]
        end = match.end()
    return "".join([*parts, escape(finding.text[end:])])


def _rounded(match: re.Match[str], finding: Finding, numbers: Mapping[str, Number], currency: str) -> str:
    """What is said behind a change that the figures of its sentence, as printed, do not subtract to."""
    if (match["form"] or "") not in {"signed", "abs"}:
        return ""
    plain = {m["id"] for m in REFERENCE.finditer(finding.text) if m["id"] and not m["form"]}
    apart = apart_in_print(numbers[match["id"]], [numbers[i] for i in sorted(plain)], currency=currency)
    return f" ({ROUNDED})" if apart else ""


def findings(
    record: Record, chosen: Iterable[Finding] | None = None, *, currency: str = "USD", rules: bool = True
) -> Block:
    """Findings as a list, each with the rule that wrote it (only on hovering, where ``rules`` is false)."""
    numbers = {n.id: n for n in record.numbers}
    items = [
        f'<li class="{f.tone}" title="Written by rule: {escape(f.rule)}"><span class="gz-icon" aria-hidden="true">{TONES[f.tone]}</span> '
        f"{sentence(f, numbers, currency=currency)}{_rule(f) if rules else ''}</li>"
        for f in (record.findings if chosen is None else chosen)
    ]
    return Block(f'<ul class="gz-findings">{"".join(items)}</ul>' if items else "<p>Nothing to report.</p>")


def _rule(finding: Finding) -> str:
    return f' <small class="gz-rule">rule: {escape(finding.rule)}</small>'


def panel(
    item: Verdict,
    numbers: Mapping[str, Number],
    *,
    arms: Sequence[tuple[str, Number]],
    difference: Number | None,
    relative: Number | None,
    sure: str,
    currency: str = "USD",
    decided: str = "",
    adjusted: bool = False,
) -> Block:
    """The verdict with what it rests on: colour, word and icon; reason; arms side by side; how sure; what to do; the rules' names.

    Args:
        item: The verdict.
        numbers: That its sentences refer to.
        arms: Title and value of the control and the variant.
        difference: Between them, None where no effect may be read: the arms are then greyed.
        relative: The same relative to the control.
        sure: How sure the range is, in words.
        currency: ISO code.
        decided: What has been decided, in words; the advice is then no more to be acted on.
        adjusted: Whether the difference is adjusted, so that the arms do not subtract to it.
    """
    tone, _ = LOOK[item.state]
    boxes = [_box(title, number, "", currency) for title, number in arms]
    if difference is not None:
        extra = ""
        if relative is not None and relative.published:
            span = format_number(relative, "interval") if relative.interval else ""
            extra = f'<div class="gz-box-more">{number_span(relative, "signed")} relative ({escape(span)})</div>'
        apart = apart_in_print(difference, [number for _, number in arms], currency=currency)
        more = ", adjusted" if adjusted else f", {ROUNDED}" if apart else ""
        boxes.append(_box(f"Difference{more}", difference, extra, currency, form="signed"))
    lead = escape(item.action[:1].upper() + item.action[1:])
    if decided:  # names and a week, no figure
        lead = f'Decided: <span class="gz-term">{escape(decided)}</span>. The advice was: {escape(item.action)}'
    grey = "" if difference is not None else " gz-greyed"
    how = f'<p class="gz-sure">{escape(sure)}</p>' if sure else ""
    return Block(
        f'<div class="gz-panel {tone}"><p>{chip(item.state)}</p>'
        f'<p class="gz-reason">{sentence(item.reason, numbers, currency=currency)}</p>'
        f'<div class="gz-boxes{grey}">{"".join(boxes)}</div>{how}'
        f'<p class="gz-advice"><strong>{lead}.</strong> '
        f"{sentence(item.advice, numbers, currency=currency)}</p>"
        f'<p><small class="gz-rule">rules: {escape(item.rule)}; {escape(item.action_rule)}</small></p></div>'
    )


def _box(title: str, number: Number, extra: str, currency: str, form: str = "") -> str:
    """A value with its range and users."""
    if not number.published:
        return f'<div class="gz-box"><div class="gz-box-title">{escape(title)}</div><div>{escape(format_number(number))}</div></div>'
    span = (
        f'<div class="gz-box-range">{escape(format_number(number, "interval", currency=currency))}</div>'
        if number.interval
        else ""
    )
    users = f'<div class="gz-box-more">{number.n:,} users</div>' if number.n is not None and not form else ""
    return (
        f'<div class="gz-box"><div class="gz-box-title">{escape(title)}</div>'
        f'<div class="gz-box-value">{number_span(number, form, currency=currency)}</div>{span}{extra}{users}</div>'
    )


def progress(bars: Sequence[tuple[str, float, str]]) -> Block:
    """Bars: title, share from 0 to 1, what it says in words."""
    rows = "".join(
        f'<div class="gz-progress"><span class="gz-progress-title">{escape(title)}</span>'
        f'<progress max="100" value="{100 * min(1.0, max(0.0, share)):.1f}" aria-label="{escape(title)}"></progress>'
        f"<span>{escape(text)}</span></div>"
        for title, share, text in bars
    )
    return Block(f'<div class="gz-progress-list">{rows}</div>')


def chip(state: str) -> str:
    """A state as a coloured word with an icon."""
    tone, icon = LOOK[state]
    return f'<span class="gz-verdict {tone}"><span aria-hidden="true">{icon}</span> {escape(state[:1].upper() + state[1:])}</span>'


def icon(state: str) -> str:
    """The sign that stands with a state or a tone wherever colours cannot be relied on."""
    return TONES.get(state) or LOOK[state][1]


def mark(direction: str, tone: str, text: str = "") -> str:
    """An arrow for a change that is more than noise, its colour saying whether it is good; ``steady`` for all else."""
    words = {"up": "rose", "down": "fell", "steady": "steady"}[direction]
    return f'<span class="gz-arrow {tone}"><span aria-hidden="true">{ARROWS[direction]}</span> {escape(text or words)}</span>'


def cards(items: Sequence[tuple[Number, str, str]], *, currency: str = "USD") -> Block:
    """Cards of a number, a line on its change (HTML) and its basis (HTML)."""
    cells = []
    for number, change, basis in items:
        delta = change if number.published else escape(_first_up(number))
        value = (
            number_span(number, currency=currency)
            if number.published
            else '<span class="gz-untrusted">Not published</span>'
        )
        interval = ""
        if number.published and number.interval:
            interval = (
                f'<div class="gz-card-interval">{escape(format_number(number, "interval", currency=currency))}</div>'
            )
        cells.append(
            f'<div class="gz-card"><div class="gz-card-label">{escape(number.label)}</div>'
            f'<div class="gz-card-value">{value}</div>{interval}'
            f'<div class="gz-card-delta">{delta}</div><div class="gz-card-basis">{basis}</div></div>'
        )
    return Block(f'<div class="gz-cards">{"".join(cells)}</div>')


def _first_up(number: Number) -> str:
    """Why there is no value, as a sentence begins."""
    reason = str(getattr(number.value, "reason", ""))
    return reason[:1].upper() + reason[1:]


def card_digest(ids: Sequence[str], numbers: Iterable[Number], *, currency: str = "USD") -> list[dict[str, Any]]:
    """What comparing editions needs of their cards: value, half-width of the interval, and the text that readers saw."""
    known = {n.id: n for n in numbers}
    found: list[dict[str, Any]] = []
    for one in ids:
        number = known.get(one)
        value = number.value if number is not None and isinstance(number.value, float) else None
        ends = number.interval if number is not None and value is not None else None
        found.append(
            {
                "id": one,
                "title": number.label if number is not None else one,
                "unit": number.unit if number is not None else "number",
                "value": value,
                "half": None if ends is None else (ends.high - ends.low) / 2,
                "shown": "not published this week" if number is None else format_number(number, currency=currency),
            }
        )
    return found


def verdict_digest(records: Iterable[Record], *, currency: str = "USD") -> dict[str, dict[str, str]]:
    """The figure that each test's verdict rests on, with the text that readers see: its effect, or its users where that may not be read."""
    found = {}
    for record in records:
        verdict = next((v for v in record.verdicts if v.primary), None)
        if verdict is None:
            continue
        numbers = {n.id: n for n in record.numbers}
        effect = record.effect(verdict)
        units = numbers.get(f"{record.subject}.units")
        if effect is not None and effect.interval is not None and effect.published and verdict.state not in UNREADABLE:
            shown = format_number(effect, "interval", currency=currency)
            found[record.subject] = {"id": effect.id, "form": "interval", "words": "effect", "text": shown}
        elif units is not None and units.published:
            shown = format_number(units, currency=currency)
            found[record.subject] = {"id": units.id, "form": "", "words": "users so far:", "text": shown}
    return found


def facts(pairs: Mapping[str, str | Block]) -> Block:
    """Names and values (text, or a block of HTML) as a small definition list."""
    shown = {k: v.html if isinstance(v, Block) else escape(v) for k, v in pairs.items()}
    rows = "".join(f"<div><dt>{escape(k)}</dt><dd>{v}</dd></div>" for k, v in shown.items())
    return Block(f'<dl class="gz-facts">{rows}</dl>')
