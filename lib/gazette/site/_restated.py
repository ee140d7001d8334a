"""The shelf's page of restatements, and the script by which sealed pages show that numbers of theirs were restated."""

from __future__ import annotations

import json
from html import escape
from typing import TYPE_CHECKING, Any

from gazette import display
from gazette.conclusions import RULES
from gazette.editions import Week
from gazette.errors import EditionError
from gazette.register import accepted_restatements, listed, load_register, tally
from gazette.site._decided import toned
from gazette.site._text import table_html

if TYPE_CHECKING:
    from pathlib import Path

    from gazette.editions import Store
    from gazette.params import Params
    from gazette.record import Number
    from gazette.register import Listed, Moved

__all__ = ["restated_script", "restated_scripts", "restated_slots"]

PAGE = "restatements.html"
EDITIONS = 12  # whose numbers are listed; the command lists all
FIRST, MOST = 10, 200  # numbers of one page of an edition that are shown at once, and at all
WHY = {
    "changed code": "The code changed",
    "corrected source": "The source was corrected",
    "late data": "Data arrived late",
    "changed definition": "The definition changed",
    "challenge": "A challenge was accepted",
}
SCRIPT = """(function () {
  // Sealed pages never change; this script comes from the place above them.
  var found = DATA, page = PAGE;
  window.gzRestated = { editions: found, page: page };  // what this reader read last may be among them: theme/reader.js
  document.dispatchEvent(new Event("gz-restated"));
  var strip = document.querySelector(".gz-strip"), main = document.querySelector("main");
  var mine = strip && found[strip.dataset.edition];
  if (!mine || !main) return;
  var name = /\\/(?:models|experiments)\\/([^\\/]+)\\.html$/.exec(location.pathname);
  var here = name ? mine.pages[name[1]] : mine.whole;
  if (!here) return;
  var note = document.createElement("div"), text = document.createElement("p"), sign = document.createElement("strong");
  note.className = "gz-panel gz-restated " + (here.flips || here.turns ? "bad" : "unsure");
  note.setAttribute("role", "note");
  sign.textContent = here.flips ? "✗ Restated, and a verdict would be another one today. " :
    here.turns ? "✗ Restated, and a range or a sentence would point another way today. " : "! Restated. ";
  text.appendChild(sign);
  var many = here.numbers === 1 ? "One number" : here.numbers + " numbers";
  text.appendChild(document.createTextNode(many + (name ? " on this page" : " in this edition") +
    (here.numbers === 1 ? " is" : " are") + " not what was published then. The page stays as it was. "));
  if (page) {
    var link = document.createElement("a");
    link.href = strip.dataset.shelf + page + "#" + strip.dataset.edition + (name ? "-" + name[1] : "");
    link.textContent = "What changed, and why";
    text.appendChild(link);
  }
  note.appendChild(text);
  main.insertBefore(note, main.firstChild);
})();
"""


def restated_scripts(store: Store, project: Path, params: Params) -> dict[str, str]:
    """``restated.js``.

    Raises:
        ParamsError: A file of the register is malformed.
    """
    del params
    return {"restated.js": restated_script(store, project, page=PAGE)}


def restated_script(store: Store, project: Path, *, page: str) -> str:
    """The script that puts notices on sealed pages.

    Args:
        store: The sealed editions.
        project: The project's folder.
        page: What notices link to, empty for no link.
    """
    found = tally(store, accepted_restatements(project))
    data = json.dumps(found, ensure_ascii=False, sort_keys=True).replace("<", "\\u003c")
    return SCRIPT.replace("DATA", data, 1).replace("PAGE", json.dumps(page), 1)


def restated_slots(store: Store, project: Path, params: Params) -> dict[str, str]:
    """Slots ``restated-short``, ``restated`` and ``restated-not``.

    Raises:
        ParamsError: A file of the register is malformed; the site stays as it was.
    """
    found = listed(store, load_register(project), accepted_restatements(project), newest=EDITIONS)
    titles = _titles(store, {m.edition for m in found.moved} | {u.edition for u in found.unread})
    groups: dict[tuple[str, str], list[Moved]] = {}
    for one in found.moved:
        groups.setdefault((one.edition, one.page), []).append(one)
    body, seen = [], set()
    for (edition, page), rows in groups.items():
        anchor = "" if edition in seen else f'<span id="{escape(edition)}"></span>'
        seen.add(edition)
        body.append(anchor + _section(edition, page, rows, titles, params.site.currency))
    return {
        "restated-short": _short(found, groups),
        "restated": "".join(body) or "<p>There is nothing to list.</p>",
        "restated-not": _not_read(found, titles),
    }


def _titles(store: Store, editions: set[str]) -> dict[tuple[str, str], tuple[str, str]]:
    """Edition and page to the page's title and place."""
    found = {}
    for edition in sorted(editions & {str(w) for w in store.weeks()}):
        try:
            facts: Any = store.manifest(Week.parse(edition)).facts
        except EditionError:
            continue
        for kind, folder in (("tests", "experiments"), ("models", "models")):
            for row in facts[kind]:
                place = f"editions/{edition}/{folder}/{row['page']}.html"
                found[edition, row["page"]] = (str(row["title"]), place)
    return found


def _short(found: Listed, groups: dict[tuple[str, str], list[Moved]]) -> str:
    faults = "".join(f"<p>✗ {escape(f)}</p>" for f in found.faults)
    faults = f'<div class="gz-failed">{faults}</div>' if faults else ""
    if not found.moved:
        return f"{faults}<p>{toned('good', '✓', 'Nothing restated')} Every number that was computed again is what was published.</p>"
    flips = sum(m.flip is not None for m in found.moved)
    outside = sum((m.size or 0) > 1 for m in found.moved)
    verdicts = (
        toned("bad", "✗", f"{flips} verdict{'s' * (flips != 1)} would be another one today")
        if flips
        else toned("good", "✓", "No verdict changed")
    )
    if ways := sum(m.turned and m.flip is None for m in found.moved):
        way = f"{ways} number{'s' * (ways != 1)} would point another way today"
        verdicts = f"{verdicts} {toned('bad', '✗', way)}" if flips else toned("bad", "✗", way)
    pages = f"{len(groups)} published page{'s' * (len(groups) != 1)}"
    numbers = f"{len(found.moved)} number{'s were' if len(found.moved) != 1 else ' was'} restated on {pages}"
    return f"{faults}<p>{verdicts} {numbers}; {outside} moved by more than the margin that was published with {'it' if outside == 1 else 'them'}.</p>"


def _section(edition: str, page: str, rows: list[Moved], titles: dict[Any, tuple[str, str]], currency: str) -> str:
    title, place = titles.get((edition, page), (page, ""))
    name = f'<a href="{escape(place)}">{escape(title)}</a>' if place else escape(title)
    head = f'<h3 id="{escape(edition)}-{escape(page)}">{name}, edition {escape(edition)}</h3>'
    flips = "".join(_flip(m) for m in rows if m.flip is not None)
    flips += _ways([m for m in rows if m.turned and m.flip is None], currency)
    readers = list(dict.fromkeys(n for m in rows for n in m.readers))
    relied = escape(", ".join(readers)) if readers else "nobody that the register knows of"
    reasons = list(dict.fromkeys(_why(m) for m in rows))
    why = f"<p>{reasons[0]}</p>" if len(reasons) == 1 else ""  # said once where it is the same for all
    table = _table(f"What was published and what it is now: {title}, edition {edition}", rows[:FIRST], currency, why)
    if more := rows[FIRST:MOST]:
        table += (
            f'<details class="gz-fold"><summary>{len(more)} more that moved less</summary>'
            f"{_table(f'More of {title}, edition {edition}', more, currency, why)}</details>"
        )
    if len(rows) > MOST:
        table += f"<p>{len(rows) - MOST} more that moved still less: <code>gazette restatements --edition {escape(edition)} --all</code></p>"
    return f"{head}{flips}{why}<p>Relied on the published page: {relied}.</p>{table}"


def _flip(one: Moved) -> str:
    flip = one.flip
    assert flip is not None  # noqa: S101  the caller chose those with one
    then, now = (
        f"{display.chip(s)} {escape(a)}"
        for s, a in ((flip.state_before, flip.action_before), (flip.state_after, flip.action_after))
    )
    return (
        f'<div class="gz-panel bad"><p><strong>✗ The verdict would be another one today.</strong></p>'
        f"<p>Published: {then}<br>Today: {now}</p></div>"
    )


SIDES = {1: "above nought", 0: "about nought", -1: "below nought"}
SAID = {rule.id: rule.then for rule in RULES}


def _ways(rows: list[Moved], currency: str) -> str:
    """Ranges that moved across nought and sentences that turned round, in one panel."""
    lines = []
    for one in rows:
        label = escape(one.before.label)
        if one.crossed is not None:
            was, now = (SIDES[side] for side in one.crossed)
            ends = (display.format_number(n, "interval", currency=currency) for n in (one.before, one.after))
            then, today = (f"{side} ({escape(text)})" for side, text in zip((was, now), ends, strict=True))
            lines.append(f"{label}: its range lay {then} and lies {today}.")
        lines += [
            f"{label}: the sentence by rule <code>{escape(t.rule_before or t.rule_after)}</code> would be another one. "
            f"Published: {_said(t.rule_before)}. Today: {_said(t.rule_after)}."
            for t in one.turns
        ]
    if not lines:
        return ""
    head = "<strong>✗ What was said would point another way today.</strong>"
    return f'<div class="gz-panel bad"><p>{head}</p><ul>{"".join(f"<li>{x}</li>" for x in lines)}</ul></div>'


def _said(rule: str) -> str:
    return escape(SAID.get(rule, rule)) if rule else "nothing"


def _table(caption: str, rows: list[Moved], currency: str, said: str) -> str:
    cells = [
        [escape(m.before.label), _value(m.before, currency), _value(m.after, currency), _size(m), _why(m)] for m in rows
    ]
    heads: tuple[str, ...] = ("Number", "Published", "Now", "How much", "Why")
    if said:
        heads, cells = heads[:-1], [row[:-1] for row in cells]
    return table_html(caption, heads, cells)


def _value(number: Number, currency: str) -> str:
    if not number.published:
        return "not published"
    text = escape(display.format_number(number, currency=currency))
    if number.interval is not None:
        text += f"<br><small>{escape(display.format_number(number, 'interval', currency=currency))}</small>"
    return text


def _size(one: Moved) -> str:
    if one.size is None:
        return "no margin was published"
    times = f"{escape(display.format_value(one.size, 'number'))} times its margin"
    if one.size > 1:
        return f"{toned('unsure', '!', 'outside the published range')}<br><small>{times}</small>"
    return f"within the published range<br><small>{times}</small>"


def _why(one: Moved) -> str:
    told = []
    for step in one.steps:
        credit = f" Found by {escape(step.credit)}." if step.credit else ""
        told.append(
            f"<strong>{WHY[step.cause]}</strong>, found in {escape(step.found_in)}."
            f"{credit}<br><small>{escape(step.detail)}</small>"
        )
    return "<br>".join(told)


def _not_read(found: Listed, titles: dict[Any, tuple[str, str]]) -> str:
    if not found.unread:
        return "<p>The newest edition could compute again all that it looked at.</p>"
    rows = [
        f"<li>{escape(titles.get((u.edition, u.page), (u.page or 'The whole edition', ''))[0])}, edition {escape(u.edition)}: "
        f"{toned('unsure', '?', 'could not be recomputed')}, because {escape(u.why)}</li>"
        for u in found.unread
    ]
    return f"<ul>{''.join(rows)}</ul>"
