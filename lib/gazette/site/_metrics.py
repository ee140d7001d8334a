"""A page for every metric, and the list of them: what a number means, how it is computed, how that changed."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from gazette import display
from gazette.record import Record
from gazette.site._bridge import bridge_html, bridged
from gazette.site._formula import formula, measured
from gazette.site._metric_parts import Book, example, history, queries, used
from gazette.site._text import front_matter, plain, raw_html, table_html

if TYPE_CHECKING:
    from pathlib import Path

    from gazette.editions import Week
    from gazette.params import Metric, Params, Translation

__all__ = ["stage_metrics"]

WAYS = {"higher": "Higher is better", "lower": "Lower is better", "zero": "Nought is best"}


def stage_metrics(edition: Path, stage: Path, *, params: Params, week: Week) -> set[str]:
    """Write the list of metrics and a page for each.

    Args:
        edition: The edition's folder, whose notebooks have run.
        stage: Where pages are staged; pages of subjects are there already.
        params: The parameters of this edition.
        week: Its week.

    Returns:
        Addresses from the edition's root that these pages link to in earlier editions.
    """
    records = {p.stem: Record.from_json(p.read_bytes()) for p in sorted((edition / "records").glob("*.json"))}
    failed = frozenset(p.stem for p in (edition / "failures").glob("*.json"))
    pages = frozenset(
        p.relative_to(stage).with_suffix("").as_posix()
        for p in stage.rglob("*")
        if p.suffix in {".qmd", ".ipynb"} and not p.relative_to(stage).as_posix().startswith("_")
    )
    book = Book(edition, str(week), week.cutoff(params.site.cutoff_hours), params, records, failed, pages)
    folder = stage / "metrics"
    folder.mkdir(exist_ok=True)
    allowed: set[str] = set()
    for name, metric in params.metrics.items():
        text, links = _page(book, name, metric)
        (folder / f"{name}.qmd").write_text(text, encoding="utf-8")
        allowed |= links
    (stage / "metrics.qmd").write_text(_list(book), encoding="utf-8")
    return allowed


def _list(book: Book) -> str:
    rows = []
    for name, metric in sorted(book.params.metrics.items(), key=lambda m: m[1].title.lower()):
        uses = len(used(book, name))
        last = metric.changelog[-1]
        rows.append(
            (
                f'<a href="metrics/{name}.html">{escape(metric.title)}</a><br><small>{escape(metric.definition)}</small>',
                escape(metric.owner),
                f'{metric.version} <small><span class="gz-nowrap">since {last.date:%Y-%m-%d}</span></small>',
                f"{uses} place{'s' * (uses != 1)}" if uses else "Nowhere",
            )
        )
    table = table_html(
        "What every number means", ("Metric", "Owner", "Definition", "Used in"), rows, ident="gz-metrics"
    )
    find = (
        '<p><label for="gz-find-metric">Filter metrics</label> <input id="gz-find-metric" class="gz-filter" type="search" '
        'data-filters="gz-metrics" placeholder="name, words or owner"> <span class="gz-count" role="status"></span></p>'
    )
    lead = "<p>Every number on these pages belongs to one of these metrics. Each has an owner, and a definition that changes only with an entry in its changelog.</p>"
    return f"{front_matter(title='Definitions', toc=False)}\n\n{raw_html(lead + find + table)}"


def _page(book: Book, name: str, metric: Metric) -> tuple[str, set[str]]:
    past, allowed = history(book, name)
    lead = (
        f'<div class="gz-lead"><p>{escape(metric.definition)}</p><p class="gz-byline">Owner: {escape(metric.owner)}. '
        f"Definition {metric.version}, in force since {metric.changelog[-1].date:%Y-%m-%d}. Unit: {escape(metric.unit)}. "
        f'{WAYS[metric.direction]}. <a href="../metrics.html">All definitions</a></p></div>'
    )
    worked = example(book, name)
    uses = used(book, name)
    rows = [(escape(kind), where) for kind, where in uses]
    sql = queries(book, name)
    sections = [
        ("How it is computed", formula(metric, book.currency)),
        *((("A worked example", worked),) if worked else ()),
        ("The last twelve editions", past or "<p>No edition has published a value of it yet.</p>"),
        (
            "Where it is used",
            table_html("Uses in this edition", ("Use", "Where"), rows)
            if rows
            else "<p>Nothing in this edition uses it.</p>",
        ),
        ("What it is worth", _translations(book, name)),
        ("How its definition changed", _changes(book, name, metric)),
        ("Its queries", sql or "<p>No query of this edition measured it.</p>"),
    ]
    body = "\n\n".join(f"## {title}\n\n{raw_html(html)}" for title, html in sections)
    head = front_matter(**{"title": plain(metric.title), "page-layout": "full"})
    return f"{head}\n\n{raw_html(lead)}\n\n{body}", allowed


def _changes(book: Book, name: str, metric: Metric) -> str:
    rows = [
        (str(e.version), f'<span class="gz-nowrap">{e.date:%Y-%m-%d}</span>', escape(e.author), escape(e.change))
        for e in reversed(metric.changelog)
    ]
    parts = [table_html("Changelog, newest first", ("Definition", "Date", "Author", "What changed"), rows)]
    snapshot = book.snapshot("metrics")
    missing = (
        {r["what"]: r["reason"] for r in snapshot.table("unread").to_dict("records")} if snapshot is not None else {}
    )
    for i in reversed(range(len(metric.changelog))):
        entry = metric.changelog[i]
        if entry.before is None:
            continue
        after: Any = next((e.before for e in metric.changelog[i + 1 :] if e.before is not None), metric)
        query = f"bridge_m_{name.replace('-', '_')}_v{entry.version}"
        old = measured(entry.before, entry.before.unit or metric.unit, book.currency)
        head = (
            f"<h3>Bridge from definition {entry.version - 1} to {entry.version}</h3>"
            f"<details class='gz-fold'><summary>Definition {entry.version - 1}, until {entry.date:%Y-%m-%d}</summary>{old}</details>"
            "<p>Units are those with any row in the tables of either definition in the week, in a test or not, so levels differ "
            "from those of tests.</p>"
        )
        if snapshot is not None and snapshot.has(query):
            found = bridged(name, entry.version, entry.before, after, metric, snapshot, query, book.as_of)
            parts.append(head + bridge_html(found, entry.version, name, metric, book.currency))
        else:
            reason = missing.get(query, "nothing was frozen for it")
            parts.append(f'{head}<p class="gz-untrusted">The bridge cannot be computed: {escape(str(reason))}.</p>')
    return "".join(parts)


def _translations(book: Book, name: str) -> str:
    """Rows of the translation matrix with this metric on either side."""
    metrics, rows = book.params.metrics, []
    for row in book.params.translations:
        sides = (row.technical, row.business)
        if name not in sides:
            continue
        partners = [
            escape(metrics[s].title) if s == name else f'<a href="{s}.html">{escape(metrics[s].title)}</a>'
            for s in sides
        ]
        rows.append((*partners, _sensitivity(book, row), escape(row.source), escape(row.notes)))
    more = f"<p>{book.link('translation', 'The whole translation matrix')}.</p>" if "translation" in book.pages else ""
    if not rows:
        return f"<p>No row of the translation matrix names it.</p>{more}"
    heads = ("Technical", "Business", "Stated", "Source", "Notes")
    return table_html("Rows of the translation matrix", heads, rows) + more


def _sensitivity(book: Book, row: Translation) -> str:
    """What a row states: the number of the matrix page where it has one, so that both say the same."""
    if row.technical_change is None or row.technical_unit is None:
        return escape(row.stated or "No sensitivity is known.")
    change = display.format_value(row.technical_change, row.technical_unit, currency=book.currency, signed=True)
    record = book.records.get("translation")
    number = next((n for n in record.numbers if n.id == f"translation.{row.id}.sensitivity"), None) if record else None
    if number is None:
        return f"See the matrix, for {escape(change)}"
    span = display.format_number(number, "interval", currency=book.currency) if number.interval else ""
    more = f" <small>({escape(span)})</small>" if span else ""
    return f"{escape(change)} goes with {display.number_span(number, 'signed', currency=book.currency)}{more}"
