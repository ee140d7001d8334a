"""Parts of a metric's page that read records and snapshots: worked example, use, queries, earlier editions."""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from gazette import display
from gazette.params import SIGNALS
from gazette.record import SUBJECTS, Interval, NotPublished, Number, headline_numbers
from gazette.site._bridge import axis_of
from gazette.site._text import table_html
from gazette.snapshot import reopen

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

    from gazette.params import Params
    from gazette.record import Record
    from gazette.snapshot import Snapshot

__all__ = ["Book", "example", "history", "place_of", "queries", "used"]

AGGREGATES = "Computed when the page was made, of the frozen aggregates that are named here."
CHANGES = (".relative", ".difference", ".change", ".vs-baseline")
FEW = 3  # with more subjects, their own pages draw the course


@dataclass(frozen=True)
class Book:
    """What pages of metrics are written from."""

    edition: Path
    week: str
    as_of: datetime
    params: Params
    records: Mapping[str, Record]
    failed: frozenset[str]
    pages: frozenset[str]

    @property
    def currency(self) -> str:
        """ISO code."""
        return self.params.site.currency

    def snapshot(self, subject: str) -> Snapshot | None:
        """The frozen data of a subject, None where there is none."""
        folder = self.edition / "snapshot" / subject
        return reopen(folder) if (folder / "snapshot.json").is_file() else None

    def link(self, place: str, title: str) -> str:
        """A link from a metric's page to a page of the edition, and the bare title where there is no such page."""
        return f'<a href="../{escape(place)}.html">{escape(title)}</a>' if place in self.pages else escape(title)


def place_of(kind: str, subject: str) -> str:
    """A subject's page without suffix, from the edition's root."""
    return {"summary": "index"}.get(kind) or (f"{kind}s/{subject}" if kind in {"model", "experiment"} else kind)


def _spans(number: Number, currency: str) -> str:
    if not number.published:
        return f'<span class="gz-untrusted">{escape(display.format_number(number))}</span>'
    span = (
        f" <small>({escape(display.format_number(number, 'interval', currency=currency))})</small>"
        if number.interval
        else ""
    )
    form = "signed" if number.id.endswith(CHANGES) else ""
    return display.number_span(number, form, currency=currency) + span


def example(book: Book, name: str) -> str:
    """The control arm of an experiment of this edition, from its frozen aggregates to the published value."""
    metric = book.params.metrics[name]
    for record in book.records.values():
        plan = book.params.experiments.get(record.subject)
        number = next((n for n in record.numbers if n.id == f"{record.subject}.{name}.control"), None)
        snapshot = book.snapshot(record.subject)
        if plan is None or snapshot is None or number is None or isinstance(number.value, NotPublished):
            continue
        rows: list[Any] = [r for r in snapshot.table("arms").to_dict("records") if r["variant"] == plan.control]
        if rows:
            return _worked(book, name, metric.quantile, record, number, rows[0], snapshot.digest)
    return ""


def _worked(
    book: Book, name: str, quantile: float | None, record: Record, number: Number, row: Mapping[str, Any], digest: str
) -> str:
    metric, column = book.params.metrics[name], "m_" + name.replace("-", "_")
    n = int(row["n"])

    def step(part: str, label: str, value: float, unit: Any) -> str:
        made = Number(
            id=f"metrics.{name}.example.{part}", label=label, value=value, unit=unit, n=n, metric=name,
            metric_version=metric.version, cell="", query="arms", snapshot=digest, as_of=book.as_of, note=AGGREGATES,
        )  # fmt: skip
        return display.number_span(made, currency=book.currency)

    units = step("units", "Units in the arm", float(n), "count")
    total = n * float(row[f"{column}_mean"])
    fact = metric.fact
    kind: Any = (
        "count" if fact is not None and fact.aggregation != "sum" else "money" if metric.unit == "money" else "number"
    )
    value = display.number_span(number, currency=book.currency)
    arm = next(v.title for v in book.params.experiments[record.subject].variants if v.id == row["variant"])
    head = f"<p>{book.link(place_of('experiment', record.subject), record.title)}, arm {escape(arm)}, {escape(book.week)}: "
    if quantile is not None:
        share = escape(display.format_value(quantile, "fraction"))
        return f"{head}of {units} units, {share} have at most {value}.</p>"
    top = step("sum", "Sum over the units", total, kind)
    whole, expected = units, total / n if n else math.nan
    if metric.denominator is not None:
        under = n * float(row[f"{column}_den_mean"])
        unit: Any = "count" if metric.denominator.aggregation != "sum" else "number"
        whole, expected = (
            step("denominator", "Sum of the denominator over the units", under, unit),
            total / under if under else math.nan,
        )
    words = "units had it" if metric.proportion else "over all units"
    line = f"{head}{units} units; {top} {words}. <strong>{top} ÷ {whole} = {value}</strong>.</p>"
    if not math.isclose(expected, float(number.value), rel_tol=1e-6):  # type: ignore[arg-type]  # published, as the caller saw
        line += "<p>The published value is adjusted further, as the test's page says.</p>"
    return line


def used(book: Book, name: str) -> list[tuple[str, str]]:
    """Where a metric is used: kind of use and HTML."""
    found: list[tuple[str, str]] = []
    for model in book.params.models.values():
        record = book.records.get(model.id)
        named = model.scores is not None and any(q.metric == name for q in (model.scores.quality or ()))
        if named or (record and any(n.metric == name for n in record.numbers)):
            found.append(("Model", book.link(place_of("model", model.id), model.title)))
    for plan in book.params.experiments.values():
        role = (
            "primary"
            if plan.primary == name
            else "secondary"
            if name in plan.secondary
            else "guardrail"
            if name in plan.metrics
            else ""
        )
        if role:
            place = place_of("experiment", plan.id)
            absent = "" if place in book.pages else " (not in this edition)"
            found.append((f"Experiment, {role}", book.link(place, plan.title) + absent))
    above = [r for r in book.records.values() if r.kind in {"operations", "reconciliation", "translation", "portfolio"}]
    found += [
        ("Page", book.link(place_of(r.kind, r.subject), r.title))
        for r in above
        if any(n.metric == name for n in r.numbers)
    ]
    known = {n.id: n for r in book.records.values() for n in r.numbers}
    for card in book.params.site.executive.cards:
        if card in known and known[card].metric == name:
            found.append(
                ("Card", f"{book.link('index', known[card].label)} on {escape(book.params.site.executive.title)}")
            )
    for alarm in book.params.alerts.alerts:
        if SIGNALS[alarm.signal].metric == name:
            found.append((f"Alert, {alarm.tier}", book.link("operations", alarm.title)))
    return found


def queries(book: Book, name: str) -> str:
    """The SQL that this edition ran for the metric, subject by subject, as its snapshot keeps it."""
    parts = []
    for subject, record in book.records.items():
        snapshot = book.snapshot(subject)
        asked = {n.query for n in headline_numbers(record, name) if n.query}
        parts += [
            _sql(f"{escape(record.title)}, query <code>{escape(q.name)}</code>", q.sql)
            for q in (snapshot.queries if snapshot else ())
            if q.name in asked
        ]
    own = book.snapshot("metrics")
    prefix = "bridge_m_" + name.replace("-", "_") + "_v"
    parts += [
        _sql(f"Both definitions, query <code>{escape(q.name)}</code>", q.sql)
        for q in (own.queries if own else ())
        if q.name.startswith(prefix) and q.name.removeprefix(prefix).isdigit()
    ]
    return "".join(parts)


def _sql(title: str, sql: str) -> str:
    return f'<details class="gz-fold"><summary>{title}</summary><pre class="gz-output"><code>{escape(sql)}</code></pre></details>'


def _dated(number: str, subject: str, edition: str) -> str:
    """The id of a value of an earlier edition; its end, which says whether it is a change, stays.

    >>> _dated("button.ctr.relative", "button", "2026-W46")
    'button.2026-w46.ctr.relative'
    """
    return f"{subject}.{edition.lower()}{number.removeprefix(subject)}"


def _earlier(book: Book, name: str) -> Iterator[tuple[str, str, str, str, Number]]:
    """Edition, kind, subject, title and number of earlier editions; ids get the edition, for a value of one week is not that of another."""
    snapshot = book.snapshot("metrics")
    if snapshot is None:
        return
    for row in snapshot.table("history").to_dict("records"):
        if row["metric"] != name:
            continue
        clean: dict[str, Any] = {str(k): None if v is None or v != v else v for k, v in row.items()}  # noqa: PLR0124
        interval = (
            Interval(low=clean["low"], high=clean["high"], level=clean["level"], method=clean["method"])
            if clean["low"] is not None
            else None
        )
        value = NotPublished(reason=clean["reason"]) if clean["value"] is None else clean["value"]
        keys = ("label", "unit", "direction", "metric", "metric_version", "cell", "query", "snapshot", "as_of")
        number = Number(
            id=_dated(clean["id"], clean["subject"], clean["edition"]),
            value=value,
            interval=interval,
            n=None if clean["n"] is None else int(clean["n"]),
            note=clean["note"] or f"As edition {clean['edition']} published it.",
            **{k: clean[k] for k in keys},
        )
        yield clean["edition"], clean["kind"], clean["subject"], clean["title"], number


def history(book: Book, name: str) -> tuple[str, set[str]]:
    """Values of the last twelve editions, a table a subject; and the addresses of earlier editions that it links to."""
    rows: dict[str, list[tuple[str, str, str, Number]]] = {}
    allowed: set[str] = set()
    for edition, kind, subject, title, number in _earlier(book, name):
        place = f"../{edition}/{place_of(kind, subject)}.html"
        allowed.add(place)
        rows.setdefault(subject, []).append(
            (edition, f'<a href="../{escape(place)}">{escape(edition)}</a>', title, number)
        )
    for subject, record in book.records.items():
        if record.kind in SUBJECTS:
            link = book.link(place_of(record.kind, subject), book.week)
            rows.setdefault(subject, []).extend(
                (book.week, link, record.title, n) for n in headline_numbers(record, name)
            )
    some = {subject: found for subject, found in rows.items() if found}
    parts = [_subject(s, f, name, book.currency, charts=len(some) <= FEW) for s, f in some.items()]
    return "".join(parts), allowed


def _subject(subject: str, found: list[tuple[str, str, str, Number]], name: str, currency: str, *, charts: bool) -> str:
    title = found[-1][2]
    labels = list(dict.fromkeys(n.label for *_, n in reversed(found)))
    by_edition: dict[str, tuple[str, dict[str, Number]]] = {}
    for edition, link, _, number in found:
        by_edition.setdefault(edition, (link, {}))[1][number.label] = number
    lines = []
    for edition in sorted(by_edition, reverse=True):
        link, numbers = by_edition[edition]
        version = max(n.metric_version for n in numbers.values())
        cells = [_spans(numbers[label], currency) if label in numbers else "–" for label in labels]
        lines.append((f'<span class="gz-nowrap">{link}</span>', str(version), *cells))
    heads = ("Edition", "Definition", *labels)
    table = table_html(f"{title}, by edition", heads, lines)
    lead = [
        n for *_, n in found if n.label == next((x for x in labels if x.endswith("relative difference")), labels[0])
    ]
    form, scale, title_of_axis = axis_of(lead[0].unit, "")
    points: list[dict[str, Any]] = []
    for number, edition in zip(lead, (e for e, _, _, n in found if n in lead), strict=True):
        if not isinstance(number.value, NotPublished):
            low, high = (number.interval.low, number.interval.high) if number.interval else (number.value, number.value)
            ends = {"value": number.value, "low": low, "high": high}
            points.append({"when": edition, "series": lead[0].label, **{k: v * scale for k, v in ends.items()}})
    if not charts or len(points) < 2:  # noqa: PLR2004  one point is no course
        return table
    relative = lead[0].unit == "relative"
    picture = {**display.trend(points, title=title_of_axis, form=form, zero=relative), "height": 120}
    picture["encoding"]["color"]["legend"] = None  # one line, which the caption names
    caption = f"{title}: {lead[0].label} as each edition published it, with its interval."
    return display.chart(picture, f"history-{name}-{subject}", caption)._repr_html_() + table
