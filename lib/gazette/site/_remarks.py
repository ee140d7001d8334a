"""People's remarks on rendered pages: at their subjects, numbers, charts and dates, with author and date.

The parameters are frozen with the edition, so these are the remarks that were known when it was sealed.
"""

from __future__ import annotations

import json
import re
from html import escape
from typing import TYPE_CHECKING, Any

from gazette import display
from gazette.register import chart_subject, lost_remarks, targets_of
from gazette.site._echo import VOID, Echo

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date
    from pathlib import Path

    from gazette.editions import Week
    from gazette.params import Annotation

__all__ = ["finish_remarks", "known_remarks", "lost", "subject_remarks"]

LINKS = frozenset({"a", "button", "summary", "label"})  # in which no other link may stand
PASSPORT = re.compile(r"\sdata-passport=(\"[^\"]*\"|'[^']*')")
MARK = "†"


def known_remarks(annotations: Iterable[Annotation], week: Week) -> list[Annotation]:
    """Those of an edition: a remark on a date after its week is not yet one."""
    return [a for a in annotations if a.day is None or a.day <= week.end]


def lost(edition: Path, annotations: Sequence[Annotation]) -> list[tuple[Annotation, str]]:
    """Remarks on numbers and charts that the edition has not."""
    if not any(a.number or a.chart for a in annotations):
        return []
    return lost_remarks(annotations, targets_of(edition))


def _date(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


def _text(note: Annotation) -> str:
    """The remark with who wrote it and when, as text."""
    return f"{note.text} ({note.author}, {_date(note.dated)})"


def _quote(note: Annotation) -> str:
    """The remark as people's own words: neither ours to correct nor a finding."""
    return (
        f"<blockquote><p>{escape(note.text)}</p><footer>{escape(note.author)}, "
        f'<time datetime="{note.dated.isoformat()}">{_date(note.dated)}</time></footer></blockquote>'
    )


def subject_remarks(subject: str, notes: Iterable[Annotation]) -> str:
    """Remarks on a subject as a whole, for the top of its page."""
    found = [n for n in notes if n.subject == subject and not (n.day or n.number or n.chart)]
    if not found:
        return ""
    head = f"{len(found)} remarks" if len(found) > 1 else "A remark"
    return f'<aside class="gz-remark" aria-label="Remarks on this page"><p class="gz-remark-head"><span aria-hidden="true">✎</span> {head}</p>{"".join(map(_quote, found))}</aside>'


def finish_remarks(
    site: Path,
    notes: Sequence[Annotation],
    gone: Sequence[tuple[Annotation, str]],
    *,
    week: Week,
    subjects: Iterable[str],
) -> None:
    """Write the remarks into rendered pages.

    Args:
        site: The rendered edition.
        notes: Its remarks.
        gone: Those on numbers or charts that it has not, with what is wrong.
        week: Its week.
        subjects: Models and experiments.
    """
    if not notes:
        return
    known = sorted(subjects)
    for path in sorted(site.rglob("*.html")):
        name = path.relative_to(site).as_posix()
        if name.startswith(("theme/", "site_libs/", "share/", "data/")):
            continue
        page = (
            path.stem
            if name.startswith(("models/", "experiments/")) and path.stem in known
            else name.removesuffix(".html")
        )
        one = _Pass(page, notes, gone, week, known)
        text = path.read_text(encoding="utf-8")
        one.feed(text)
        one.close()
        if one.touched:
            path.write_text("".join(one.out), encoding="utf-8")


class _Pass(Echo):
    """Writes a page again, byte for byte except for remarks."""

    def __init__(
        self,
        page: str,
        notes: Sequence[Annotation],
        gone: Sequence[tuple[Annotation, str]],
        week: Week,
        subjects: Sequence[str],
    ) -> None:
        super().__init__()
        self.page, self.week, self.subjects = page, week, subjects
        self.own = [n for n in notes if n.subject == page]
        self.notes = notes
        self.gone = {n.id: what for n, what in gone}
        self.by_number: dict[str, list[Annotation]] = {}
        for note in notes:
            if note.number:
                self.by_number.setdefault(note.number, []).append(note)
        self.open: list[str] = []
        self.number: list[Annotation] | None = None
        self.figure = ""
        self.chart = False
        self.drawn: list[Annotation] = []
        self.listed: dict[str, Annotation] = {}
        self.touched = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        text = self.get_starttag_text() or ""
        values = {k: v or "" for k, v in attrs}
        classes = values.get("class", "").split()
        if tag == "figure" and "gz-chart" in classes:
            self.figure, self.drawn = values.get("data-name", ""), []
        self.chart = tag == "script" and bool(self.figure) and values.get("type") == "application/json"
        if "gz-number" in classes and values.get("data-number") in self.by_number:
            self.number = self.by_number[values["data-number"]]
            text = _with_remark(text, values, self.number)
        if tag not in VOID:
            self.open.append(tag)
        self.out.append(text)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        self.out.append(self.get_starttag_text() or "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "main":
            self.out.append(self._list())
        self.out.append(f"</{tag}>")
        if tag in self.open:
            while self.open.pop() != tag:
                pass
        if tag == "span" and self.number is not None:
            self.out += [self._mark(note) for note in self.number]
            self.number = None
        if tag == "figcaption" and self.figure:
            self.out.append(self._beneath())
        if tag == "figure":
            self.figure = ""
        self.chart = self.chart and tag != "script"

    def _mark(self, note: Annotation) -> str:
        self.touched = True
        self.listed.setdefault(note.id, note)
        said = escape(_text(note))
        if LINKS & set(self.open):
            return f'<sup class="gz-remark-mark" title="{said}" role="note" aria-label="Remark: {said}">{MARK}</sup>'
        return f'<sup class="gz-remark-mark"><a href="#remark-{escape(note.id)}" title="{said}" aria-label="Remark: {said}">{MARK}</a></sup>'

    def handle_data(self, data: str) -> None:
        self.out.append(self._with_days(data) if self.chart else data)

    def _of_chart(self) -> list[Annotation]:
        subject = chart_subject(self.figure, self.page, self.subjects)
        return [n for n in self.notes if n.subject == subject]

    def _with_days(self, data: str) -> str:
        dated = [n for n in self._of_chart() if n.day is not None]
        if not dated:
            return data
        try:
            spec: Any = json.loads(data)
        except ValueError:
            return data  # not a chart of ours
        days = [(n.day, f"{_date(n.day)}: {n.text} ({n.author})") for n in dated if n.day is not None]
        made, on = display.draw_days(spec, days, until=self.week.end)
        self.drawn = [dated[i] for i in on]
        there = [i for i in on if _noted(spec, dated[i])]  # the notebook drew these itself
        if there:
            kept = [days[i] for i in on if i not in there]
            made, _ = display.draw_days(spec, kept, until=self.week.end)
        if on:
            self.touched = True
        return json.dumps(made, sort_keys=True, ensure_ascii=False).replace("<", "\\u003c")

    def _beneath(self) -> str:
        """Remarks on the chart, and on dates that it shows, below its caption."""
        rows = [f"<li>{_quote(n)}</li>" for n in self._of_chart() if n.chart == self.figure]
        rows += [f"<li><strong>{_date(n.day)}</strong>{_quote(n)}</li>" for n in self.drawn if n.day is not None]
        if not rows:
            return ""
        self.touched = True
        return f'<ul class="gz-chart-remarks" aria-label="Remarks on this chart">{"".join(rows)}</ul>'

    def _list(self) -> str:
        """Every remark on what the page shows, at its end."""
        own = [n for n in self.own if n.number or n.chart or n.day]
        rows = [self._row(n) for n in {n.id: n for n in (*self.listed.values(), *own)}.values()]
        if not rows:
            return ""
        self.touched = True
        return f'<section class="gz-remarks" aria-labelledby="remarks"><h2 id="remarks">Remarks</h2><ul>{"".join(rows)}</ul></section>'

    def _row(self, note: Annotation) -> str:
        about = (
            f"On the number <code>{escape(note.number)}</code> {MARK}"
            if note.number
            else f"On the chart <code>{escape(note.chart)}</code>"
            if note.chart
            else f"On {_date(note.day)}"
            if note.day
            else "On this page"
        )
        wrong = self.gone.get(note.id, "")
        what = f' <strong class="gz-untrusted">! {escape(wrong[:1].upper() + wrong[1:])}.</strong>' if wrong else ""
        return f'<li id="remark-{escape(note.id)}"><p>{about}{what}</p>{_quote(note)}</li>'


def _noted(spec: Any, note: Annotation) -> bool:
    """Whether the chart has the remark already."""
    said = f"{note.text.rstrip('.')} (noted by {note.author})"
    rows = [r for part in spec.get("layer", ()) for r in (part.get("data") or {}).get("values", ())]
    return any(isinstance(r, dict) and said in str(r.get("text", "")) for r in rows)


def _with_remark(text: str, values: Mapping[str, str], notes: Sequence[Annotation]) -> str:
    """The start of a number with its remarks in the passport."""
    try:
        facts = json.loads(values.get("data-passport", ""))
    except ValueError:
        return text
    facts["remark"] = " ".join(_text(n) for n in notes)
    made = escape(json.dumps(facts, ensure_ascii=False))
    return PASSPORT.sub(lambda _: f' data-passport="{made}"', text)
