"""The page of what changed since the edition before: short on top, details folded.

Values of the earlier edition are text, marked as that edition's; only this edition's numbers carry passports.
"""

from __future__ import annotations

from difflib import unified_diff
from html import escape
from typing import TYPE_CHECKING

from gazette import display
from gazette.diff import compare_sides, read_side
from gazette.editions import Store, Week
from gazette.site._text import front_matter, raw_html, table_html

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from gazette.diff import CodeChange, DataChange, Difference, FindingMoved, NumberMoved
    from gazette.record import Finding, Number, Record, Verdict

__all__ = ["changes_page"]

FEW = 12
MANY = 120  # rows of a folded table; the command shows all
LINES = 60
LONG = 400


def changes_page(
    edition: Path,
    *,
    week: Week,
    store: Store,
    versions: Mapping[str, str],
    previous: tuple[str, str] | None,
    places: Mapping[str, tuple[str, str]],
) -> str:
    """The page as Quarto Markdown.

    Args:
        edition: Folder of the edition, whose notebooks have run.
        week: Its week.
        store: Sealed editions.
        versions: What ran.
        previous: The sealed edition before it and its manifest's digest.
        places: Page to its address and title.
    """
    head = front_matter(title="What changed", toc=True)
    if previous is None:
        return f"{head}\n\n{raw_html('<p>This is the first edition, so there is none before it to compare with.</p>')}"
    earlier = Week.parse(previous[0])
    sealed = store.open(earlier)
    before = read_side(sealed, str(earlier), versions=sealed.manifest.versions)
    found = compare_sides(before, read_side(edition, str(week), versions=versions))
    return "\n\n".join([head, *_Page(found, places).parts()])


class _Page:
    """Writes a difference as HTML."""

    def __init__(self, found: Difference, places: Mapping[str, tuple[str, str]]) -> None:
        self.found, self.places = found, places
        self.old, self.new = found.currencies
        self.was, self.now = f"In {found.before}", f"In {found.after}"

    def parts(self) -> list[str]:
        """The page's Markdown, part by part."""
        found = self.found
        made: list[tuple[str, int, Callable[[], str]]] = [
            ("Verdicts", len(found.verdicts), self._verdicts),
            ("Numbers", len(found.numbers), self._numbers),
            ("Findings", len(found.findings), self._findings),
            ("Subjects", len(found.subjects), self._subjects),
            ("Definitions", len(found.definitions), self._definitions),
            ("Code", len(found.code), self._code),
            ("Data", len(found.data), self._data),
        ]
        parts = [raw_html(self._lead())]
        for title, count, write in made:
            parts += [f"## {title}", raw_html(write() if count else "<p>Nothing changed.</p>")]
        if found.problems:
            items = "".join(f"<li>{escape(p)}</li>" for p in found.problems[:FEW])
            parts += ["## Not compared", raw_html(f"<ul>{items}</ul>")]
        return parts

    def _lead(self) -> str:
        found = self.found
        flips, outside = len(found.flips), len(found.outside)
        ways = sum(d.note != "" or d.file.startswith(("metrics", "experiments/")) for d in found.definitions)
        items = [
            f"{_many(flips, 'verdict') if flips else 'No verdict'} tell{'s' * (flips <= 1)} readers something else.",
            f"{_many(outside, 'number')} of {found.compared} that both editions have left the range that was published before.",
            f"{_many(len(found.findings), 'sentence')} came, went or changed; {_many(len(found.subjects), 'change')} of subjects.",
            f"{_many(len(found.definitions), 'key')} of the definitions changed, {ways} of them in metrics and plans.",
            f"{_many(len(found.code), 'change')} of code and versions; {_many(len(found.data), 'query', 'queries')} gave other data or asked otherwise.",
        ]
        currency = ""
        if self.old != self.new:
            currency = f"<p><strong>Amounts were in {escape(self.old)} and are in {escape(self.new)}: do not compare them.</strong></p>"
        lead = (
            f"<p>This edition, {escape(found.after)}, beside the one before it, {escape(found.before)}. Numbers of this edition "
            f'carry their passports; those of {escape(found.before)} are marked <span class="gz-before">like this</span>. '
            "The most important stands first.</p>"
        )
        return f'<div class="gz-lead">{lead}{currency}<ul class="gz-changes">{"".join(f"<li>{i}</li>" for i in items)}</ul></div>'

    def _link(self, page: str, title: str) -> str:
        at = self.places.get(page)
        return f'<a href="{escape(at[0])}">{escape(title)}</a>' if at else escape(title)

    def _before(self, text: str) -> str:
        return f'<span class="gz-before">{escape(text)}</span>'

    def _said(self, verdict: Verdict | None, record: Record, *, old: bool) -> str:
        if verdict is None:
            return "none"
        numbers = {n.id: n for n in record.numbers}
        state = f"{display.chip(verdict.state)}<br>{escape(verdict.action[:1].upper() + verdict.action[1:])}"
        why = (
            self._before(display.plain_sentence(verdict.reason, numbers, currency=self.old))
            if old
            else display.sentence(verdict.reason, numbers, currency=self.new)
        )
        return f'{state}<br><small>{why}</small><br><small class="gz-rule">rules: {escape(verdict.rule)}; {escape(verdict.action_rule)}</small>'

    def _verdicts(self) -> str:
        rows = [
            (
                f"{self._link(v.page, v.title)}<br><small>{escape(v.change.metric)}</small>",
                '<strong><span aria-hidden="true">⇄</span> Flips</strong>'
                if v.change.flips
                else "Same verdict, by another rule",
                self._said(v.change.before, v.before, old=True),
                self._said(v.change.after, v.after, old=False),
            )
            for v in self.found.verdicts
        ]
        return _short(rows, "Verdicts that changed", ("Test", "Change", self.was, self.now), "verdicts")

    def _number(self, moved: NumberMoved) -> tuple[str, ...]:
        change = moved.change
        label = next(n.label for n in (change.after, change.before) if n is not None)
        words = {
            "changed": "outside its range"
            if change.outside
            else "within its range"
            if _ranged(change.before)
            else "moved",
            "appeared": "new",
            "vanished": "gone",
            "published": "can be computed now",
            "withheld": "cannot be computed now",
            "described": "same value, described otherwise",
        }
        icon = {0: "!", 1: "→", 2: "±", 3: "i"}[moved.tier]
        size = _size(moved)
        return (
            f"{escape(label)}<br><small>{self._link(moved.page, moved.title)}</small>",
            self._before(_plain(change.before, self.old)),
            _shown(change.after, self.new),
            f'<span aria-hidden="true">{icon}</span> {words[change.how]}{size}{self._redefined(moved)}',
        )

    def _redefined(self, moved: NumberMoved) -> str:
        old, new = moved.change.before, moved.change.after
        if old is None or new is None or (old.metric, old.metric_version) == (new.metric, new.metric_version):
            return ""
        return f"; definition {old.metric_version} became {new.metric_version}"

    def _numbers(self) -> str:
        heads = ("Number", self.was, self.now, "Change")
        rows = [self._number(n) for n in self.found.numbers]
        first = sum(n.tier == 0 for n in self.found.numbers)
        caption = f"Numbers that changed: {first} of {len(rows)} left their range, came or were lost. A half-width is half of the range published before"
        return _short(rows, caption, heads, "numbers")

    def _findings(self) -> str:
        rows = []
        for f in self.found.findings:
            word = "New" if f.before is None else "Gone" if f.after is None else "Changed"
            rows.append((self._link(f.page, f.title), word, self._old(f), _sentence(f.after, f.new, self.new)))
        return _short(rows, "Sentences that came, went or changed", ("Page", "Change", self.was, self.now), "findings")

    def _old(self, moved: FindingMoved) -> str:
        if moved.before is None or moved.old is None:
            return "none"
        numbers = {n.id: n for n in moved.old.numbers}
        return self._before(display.plain_sentence(moved.before, numbers, currency=self.old))

    def _subjects(self) -> str:
        signs = {
            "failed": "✗ Failed",
            "gone": "− Gone",
            "new": "+ New",
            "works again": "✓ Works again",
            "described": "i Described",
        }
        rows = [(self._link(s.page, s.title), signs[s.how], escape(_cut(s.what))) for s in self.found.subjects]
        return _short(rows, "Subjects that came, went or failed", ("Subject", "Change", "What"), "subjects")

    def _definitions(self) -> str:
        groups: dict[str, list[tuple[str, ...]]] = {}
        for d in self.found.definitions:
            key = f"<code>{escape(d.file)}</code> <code>{escape(d.key)}</code>"
            note = f"<br><small>{escape(d.note)}</small>" if d.note else ""
            was, now = ("none" if t is None else _cut(t) for t in (d.old, d.new))
            groups.setdefault(d.group, []).append((key + note, self._before(was), escape(now)))
        heads = ("Key", self.was, self.now)
        return "".join(
            _fold(f"{group}: {_many(len(rows), 'key')}", table_html(group, heads, rows[:MANY]) + _more(len(rows)))
            for group, rows in groups.items()
        )

    def _code(self) -> str:
        versions = [
            (
                escape(c.place),
                self._before(_cut(c.old or "none")),
                f'<span class="gz-digest">{escape(_cut(c.new or "none"))}</span>',
            )
            for c in self.found.code
            if c.what == "version"
        ]
        cells = [c for c in self.found.code if c.what == "cell"]
        shown = table_html("Library, engine and packages", ("Part", self.was, self.now), versions) if versions else ""
        if {c.place for c in self.found.code if c.what == "version"} == {"environment"}:
            shown += "<p>Only packages that the manifest does not name by version differ.</p>"
        return (
            shown + "".join(_fold(_cell(c), _lines(c.old or "", c.new or "")) for c in cells[:MANY]) + _more(len(cells))
        )

    def _data(self) -> str:
        order = ("columns", "gone", "new", "text", "dates", "rows")
        titles = {
            "columns": "Sources with other columns",
            "gone": "Queries that are gone",
            "new": "New queries",
            "text": "Queries whose SQL changed",
            "dates": "Queries that ask the same of other dates",
            "rows": "Queries with the same SQL and other rows",
        }
        groups: dict[str, list[DataChange]] = {}
        for d in self.found.data:
            groups.setdefault("dates" if d.dates else d.how, []).append(d)
        parts = []
        for how in order:
            if how not in groups:
                continue
            rows = [self._query(d) for d in groups[how]]
            table = table_html(
                titles[how], ("Query", "Rows before", "Rows now", "Digest before", "Digest now"), rows[:MANY]
            )
            texts = "".join(
                _fold(f"SQL of {d.snapshot}, {d.query}", _lines(d.old, d.new))
                for d in groups[how][:FEW]
                if how == "text"
            )
            parts.append(
                _fold(f"{titles[how]}: {len(rows)}", table + texts + _more(len(rows)), is_open=how == "columns")
            )
        return "".join(parts)

    def _query(self, d: DataChange) -> tuple[str, ...]:
        name = f"{escape(d.snapshot)}, <code>{escape(d.query)}</code>"
        if d.how == "columns":
            name += f"<br><small>was: {escape(_cut(d.old))}<br>is: {escape(_cut(d.new))}</small>"
        rows = ["none" if r is None else f"{r:,}" for r in d.rows]
        digests = [f'<span class="gz-digest">{escape((x or "none")[:16])}</span>' for x in d.digests]
        return name, self._before(rows[0]), rows[1], digests[0], digests[1]


def _many(count: int, one: str, many: str = "") -> str:
    return f"{count} {one if count == 1 else many or one + 's'}"


def _cut(text: str) -> str:
    return text if len(text) <= LONG else f"{text[:LONG]}…"


def _ranged(number: Number | None) -> bool:
    return number is not None and number.interval is not None


def _plain(number: Number | None, currency: str) -> str:
    return "none" if number is None else display.with_range(number, currency=currency)


def _shown(number: Number | None, currency: str) -> str:
    if number is None:
        return "none"
    if not number.published:
        return escape(display.format_number(number))
    value = display.number_span(number, currency=currency)
    return f"{value} ({display.number_span(number, 'interval', currency=currency)})" if number.interval else value


def _size(moved: NumberMoved) -> str:
    """How far a number moved, in half-widths of the range it had."""
    if moved.size is None or not _ranged(moved.change.before):
        return ""
    return (
        f", by {display.format_value(moved.size, 'number', spread=max(moved.size, 0.1))} times half its range's width"
    )


def _sentence(finding: Finding | None, record: Record | None, currency: str) -> str:
    if finding is None or record is None:
        return "none"
    return display.sentence(finding, {n.id: n for n in record.numbers}, currency=currency)


def _short(rows: Sequence[tuple[str, ...]], caption: str, heads: Iterable[str], what: str) -> str:
    """The first rows at once, the others folded."""
    heads = tuple(heads)
    first = table_html(caption, heads, rows[:FEW])
    rest = rows[FEW:]
    if not rest:
        return first
    return first + _fold(f"{len(rest)} more {what}", table_html(f"More {what}", heads, rest[:MANY]) + _more(len(rest)))


def _more(count: int) -> str:
    return f"<p>And {count - MANY} more: gazette diff --all lists them.</p>" if count > MANY else ""


def _fold(summary: str, html: str, *, is_open: bool = False) -> str:
    return f'<details class="gz-fold"{" open" if is_open else ""}><summary>{escape(summary)}</summary>{html}</details>'


def _cell(change: CodeChange) -> str:
    word = "new" if change.old is None else "gone" if change.new is None else "changed"
    return f"Cell {change.place}, {word}, in {', '.join(change.pages)}"


def _lines(old: str, new: str) -> str:
    """The lines that differ, with what stands around them."""
    found = [*unified_diff(old.splitlines(), new.splitlines(), "before", "now", lineterm="", n=1)][2:]
    cut = [f"… and {len(found) - LINES} more lines"] if len(found) > LINES else []
    return f'<pre class="gz-output"><code>{escape(chr(10).join([*found[:LINES], *cut]))}</code></pre>'
