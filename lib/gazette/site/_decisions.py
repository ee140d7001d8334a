"""The shelf's page of decisions: what is due, the register, how predictions fared."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from gazette import display
from gazette.register import FITTING, due, faults_of, load_register, outcomes, signed_as_it_stands
from gazette.site._decided import STATES, details, effect_text, outcome_text, state_of, toned
from gazette.site._scored import scores_html
from gazette.site._text import table_html

if TYPE_CHECKING:
    from pathlib import Path

    from gazette.editions import Store
    from gazette.params import Params
    from gazette.register import Due, Entry, Outcome, Register

__all__ = ["decision_slots"]


def decision_slots(store: Store, project: Path, params: Params) -> dict[str, str]:
    """Slots ``decisions-due``, ``decisions`` and ``decisions-scored``.

    Raises:
        ParamsError: A file of the register is malformed; the site stays as it was.
    """
    register = load_register(project)
    directions = {name: metric.direction for name, metric in params.metrics.items()}
    came = outcomes(register, store, directions)
    return {
        "decisions-due": _due(due(register, store), store),
        "decisions": _register(register, store, params, {o.name: o for o in came}),
        "decisions-scored": scores_html(came, {name: metric.title for name, metric in params.metrics.items()}),
    }


# ---- due


def _due(waiting: list[Due], store: Store) -> str:
    weeks = store.weeks()
    if not waiting:
        newest = f" of edition {weeks[-1]}" if weeks else ""
        return f"<p>No test{escape(newest)} waits for a decision.</p>"
    rows = [[_due_link(d), _advice(d), _wait(d), f"<code>{escape(_command(d))}</code>"] for d in waiting]
    heads = ("Test", "What the edition advises", "Waiting", "How to decide")
    caption = f"Tests of edition {weeks[-1]} that wait for a decision, the longest wait first"
    note = "<p>Name who decides and why. To decide against the advice, choose otherwise and add <code>--override</code>.</p>"
    return table_html(caption, heads, rows, ident="gz-due") + note


def _due_link(one: Due) -> str:
    return f'<a href="editions/{escape(one.edition)}/experiments/{escape(one.experiment)}.html">{escape(one.title)}</a>'


def _advice(one: Due) -> str:
    text = f"{display.chip(one.state)} {escape(one.action[:1].upper() + one.action[1:])}"
    if one.before is not None:
        then = one.before
        text += (
            f"<br><small>Decided before, on edition {escape(then.edition)}: {escape(_words(then.decision))}. "
            f"The advice then was “{escape(then.recommendation.action)}”; it has changed since.</small>"
        )
    return text


def _wait(one: Due) -> str:
    if not one.days:
        return "new in this edition"
    days = display.format_value(one.days, "days")
    return f"{escape(days)}, since edition {escape(one.since)}"


def _command(one: Due) -> str:
    return f"gazette decide {one.experiment} {one.choice} --edition {one.edition} --by 'NAME' --because 'WHY'"


# ---- the register


def _words(choice: str) -> str:
    return choice.replace("-", " ")


def _register(register: Register, store: Store, params: Params, came: dict[str, Outcome]) -> str:
    if not register.entries:
        return (
            "<p>No decision is recorded yet. To record one: "
            "<code>gazette decide EXPERIMENT ship --by 'NAME' --because 'WHY'</code>, "
            "then commit the file that it writes under <code>reports/decisions</code> and build again.</p>"
        )
    faults = {e.decision.id: faults_of(e, store) for e in register.entries}
    pages = _pages(register, store)
    rows = [_row(e, faults[e.decision.id], came.get(e.decision.id), params, pages) for e in register.entries]
    heads = (
        "Test", "Edition", "Fits, and digest", "Advice then", "Decision", "By",
        "Signed off by", "Expected effect", "What came",
    )  # fmt: skip
    broken = sum(bool(f) for f in faults.values())
    warning = ""
    if broken:
        says = "One decision does" if broken == 1 else f"{broken} decisions do"
        warning = f'<div class="gz-failed"><p><strong>✗ {says} not fit the edition or the signatures; look for “{STATES["broken"][2]}” below.</strong></p></div>'
    box = (
        '<p><label for="gz-decided-words">Filter decisions</label> <input id="gz-decided-words" class="gz-filter" type="search" '
        'data-filters="gz-decided" placeholder="test, week, person or decision"> <span class="gz-count" role="status"></span></p>'
    )
    table = table_html("Decisions, newest edition first", heads, rows, ident="gz-decided")
    body = "".join(details(e, faults[e.decision.id], store, params) for e in register.entries)
    return f'{warning}{box}{table}<h3 id="each">Each decision</h3>{body}'


def _pages(register: Register, store: Store) -> set[tuple[str, str]]:
    """Experiment and edition of decisions whose page is there to link to."""
    weeks = {str(w): w for w in store.weeks()}
    pairs = {(e.decision.experiment, e.decision.edition) for e in register.entries}
    return {
        (test, week)
        for test, week in pairs
        if week in weeks and store.open(weeks[week]).has(f"site/experiments/{test}.html")
    }


def _row(
    entry: Entry, faults: tuple[str, ...], came: Outcome | None, params: Params, pages: set[tuple[str, str]]
) -> list[str]:
    one = entry.decision
    edition = escape(one.edition)
    if (one.experiment, one.edition) in pages:
        edition = f'<a href="editions/{edition}/experiments/{escape(one.experiment)}.html">{edition}</a>'
    against = (
        f"<br>{toned('unsure', '!', 'Against the advice')} <small>{escape(one.because)}</small>" if one.override else ""
    )
    fits = one.decision in FITTING.get(one.recommendation.action, ())
    if not fits and not one.override:
        against = f"<br>{toned('unsure', '!', 'Not what was advised')}"
    after = f"<br><small>Replaced by {escape(entry.superseded_by)}</small>" if entry.superseded_by else ""
    signed = ", ".join(escape(s.by) for s in signed_as_it_stands(entry)) or "not signed off"
    mark = state_of(faults)
    return [
        f'<a href="#{escape(one.id)}">{escape(one.title)}</a>',
        edition,
        f'{mark}<br><code class="gz-digest">{one.edition_digest[:12]}</code>'
        + "".join(f"<br><small>{escape(f)}</small>" for f in faults),
        escape(one.recommendation.action),
        f"<strong>{escape(_words(one.decision))}</strong>{against}{after}",
        f"{escape(one.by)}<br><small>{one.decided:%Y-%m-%d}</small>",
        signed,
        escape(effect_text(one.primary, params.site.currency)) if one.primary else "none could be read then",
        escape(outcome_text(came)) if came else "not known yet",
    ]
