"""An edition's own Quarto project: its pages, its data, its rendering."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from gazette import conclusions, display
from gazette.editions import Store
from gazette.errors import SiteError
from gazette.record import Record
from gazette.register import facts_of
from gazette.site._budget import length_problems
from gazette.site._changes import changes_page
from gazette.site._config import read_config, write_config
from gazette.site._earlier import earlier_tests
from gazette.site._engine import render
from gazette.site._glossary import glossary_page, glossary_terms, inline_words
from gazette.site._lint import lint_site
from gazette.site._methods import methods_line, methods_page
from gazette.site._metrics import stage_metrics
from gazette.site._notebook import to_page
from gazette.site._passports import passport_map
from gazette.site._provenance import provenance
from gazette.site._remarks import finish_remarks, known_remarks, lost, subject_remarks
from gazette.site._rules import rules_page
from gazette.site._sayings import lint_sayings, same_numbers
from gazette.site._staged import lint_sources
from gazette.site._text import front_matter, plain, raw_html
from gazette.site._theme import finish, lay_theme
from gazette.site._twice import twice_ids, twice_line
from gazette.site._words import finish_words

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from gazette.editions import Week
    from gazette.params import Params
    from gazette.site._engine import Engine

__all__ = ["dates", "facts", "render_edition"]

ABOVE = "../../"
DATA = "_data"  # engines leave such folders alone, where they would render the notebooks among the downloads
SHARE = "share"
SHARED = (
    f'<p class="gz-share">Print or share: <a href="{SHARE}/summary.pdf">PDF</a>, '
    f'<a href="{SHARE}/email.html">e-mail</a> (<a href="{SHARE}/email.eml" download>as a draft</a>), '
    f'<a href="{SHARE}/slack.json" download>Slack</a>. '
)


@dataclass(frozen=True)
class _Part:
    """One analysis of the edition: its record, or why there is none."""

    page: str
    kind: str
    title: str
    owner: str
    description: str
    record: Record | None
    failure: Mapping[str, str] | None

    @property
    def place(self) -> str:
        """Its page without suffix, from the edition's root."""
        return {"summary": "index"}.get(self.kind) or (
            f"{self.kind}s/{self.page}" if self.kind in {"model", "experiment"} else self.kind
        )


def dates(week: Week) -> str:
    """The week's days for readers.

    >>> from gazette.editions import Week
    >>> dates(Week.parse("2026-W45")), dates(Week.parse("2026-W53"))
    ('2–8 November 2026', '28 December 2026 – 3 January 2027')
    """
    start, end = week.start, week.end
    if start.month == end.month:
        return f"{start.day}–{end.day} {end:%B %Y}"
    year = f" {start.year}" if start.year != end.year else ""
    return f"{start.day} {start:%B}{year} – {end.day} {end:%B %Y}"


def _parts(edition: Path, params: Params) -> list[_Part]:
    descriptions = {s.id: s.description for s in (*params.models.values(), *params.experiments.values())}
    parts = []
    for path in sorted((edition / "records").glob("*.json")):
        record = Record.from_json(path.read_bytes())
        parts.append(
            _Part(path.stem, record.kind, record.title, record.owner, descriptions.get(path.stem, ""), record, None)
        )
    for path in sorted((edition / "failures").glob("*.json")):
        failure = json.loads(path.read_text(encoding="utf-8"))
        parts.append(
            _Part(
                path.stem,
                failure["kind"],
                failure["title"],
                failure["owner"],
                descriptions.get(path.stem, ""),
                None,
                failure,
            )
        )
    return sorted(parts, key=lambda p: (p.kind, p.title))


def facts(edition: Path, *, params: Params, week: Week) -> dict[str, Any]:
    """What lists and the shelf show of an edition without opening it."""
    parts = _parts(edition, params)
    summary = next((p.record for p in parts if p.kind == "summary" and p.record), None)
    headline = ""
    if summary:
        numbers = {n.id: n for n in summary.numbers}
        headline = display.plain_sentence(
            summary.findings[0], numbers, currency=params.site.currency, language=params.site.language
        )
    ranked = conclusions.ranked([p.record for p in parts if p.record])
    tests = [
        {"page": r.subject, "title": r.title, "state": v.state, "action": v.action, "to_do": conclusions.to_do(r, v)}
        for r, v in ranked
    ]
    return {
        "title": params.site.title,
        "dates": display.localise(dates(week), params.site.language),
        "headline": headline,
        "tests": tests,
        "models": [{"page": p.page, "title": p.title} for p in parts if p.kind == "model"],
        "failed": [{"page": p.page, "title": p.title} for p in parts if p.failure],
        "restated": facts_of(edition),
    }


def render_edition(
    edition: Path,
    *,
    project: Path,
    params: Params,
    week: Week,
    engine: Engine,
    work: Path,
    versions: Mapping[str, str],
    previous: tuple[str, str] | None,
    share: Mapping[str, bytes],
) -> None:
    """Write the edition's ``site/`` folder.

    Args:
        edition: The edition's folder, whose notebooks have run.
        project: Folder with ``_quarto.yml`` and ``reports/``.
        params: The parameters of this edition.
        week: Its week.
        engine: What renders.
        work: Folder for what is thrown away afterwards.
        versions: What ran, for the provenance page.
        previous: The sealed edition before it and its manifest's digest.
        share: Name to content of the files for other places.

    Raises:
        SiteError: A page cannot be rendered or fails the lint; every problem is listed, and the pages as they were staged are kept.
    """
    stage = work / f"{week}-pages"
    shutil.rmtree(stage, ignore_errors=True)
    stage.mkdir(parents=True)
    parts = _parts(edition, params)
    _refuse(same_numbers({p.page: p.record for p in parts if p.record}), "the records", week)
    lay_theme(project, stage, cache=work.parent / "cache", charts=True)
    _fill_theme(stage, week)
    cells = {part.page: _stage_part(edition, stage, part, params, week) for part in parts}
    for kind, title in (("model", "Models"), ("experiment", "Experiments")):
        chosen = [p for p in parts if p.kind == kind]
        (stage / f"{kind}s.qmd").write_text(_list_page(title, chosen), encoding="utf-8")
    earlier = stage_metrics(edition, stage, params=params, week=week)
    places = {part.page: (f"{part.place}.html", part.title) for part in parts}
    pages = [path.stem for path in (stage / "metrics").glob("*.qmd")]
    script = passport_map(edition, week=str(week), places=places, cells=cells, metrics=pages, twice=twice_ids(edition))
    (stage / "theme" / "passport-map.js").write_text(script, encoding="utf-8")
    text = provenance(edition, week=week, versions=versions, previous=previous)
    (stage / "provenance.qmd").write_text(text, encoding="utf-8")
    store = Store(project / params.site.editions)
    changed = changes_page(edition, week=week, store=store, versions=versions, previous=previous, places=places)
    (stage / "changes.qmd").write_text(changed, encoding="utf-8")
    terms = glossary_terms(params.glossary)
    (stage / "glossary.qmd").write_text(glossary_page(terms), encoding="utf-8")
    (stage / "rules.qmd").write_text(rules_page(), encoding="utf-8")
    (stage / "methods.qmd").write_text(methods_page(), encoding="utf-8")
    write_config(stage, read_config(project), title=params.site.title, edition=True, engine=engine)
    _refuse([*lint_sources(stage), *_too_long(edition, parts, params)], "the staged pages", week, stage)
    warnings = render(stage, edition / "site", engine)
    shutil.copytree(stage / DATA, edition / "site" / "data")
    (edition / "site" / SHARE).mkdir()
    for name, content in share.items():
        (edition / "site" / SHARE / name).write_bytes(content)
    finish_words(edition / "site", language=params.site.language, words=inline_words(terms))
    notes = known_remarks(params.annotations, week)
    finish_remarks(
        edition / "site", notes, lost(edition, notes), week=week, subjects={*params.models, *params.experiments}
    )
    (edition / "site" / "news.js").write_text(_news(edition, parts, params), encoding="utf-8")
    finish(edition / "site", above=ABOVE)
    allowed = {f"{ABOVE}{name}" for name in ("index.html", "archive.html", "editions.js")} | {"manifest.json"}
    said = lint_sayings(
        edition / "site",
        records=[p.record for p in parts if p.record],
        currency=params.site.currency,
        language=params.site.language,
    )
    allowed |= earlier | earlier_tests(edition)
    _refuse([*warnings, *lint_site(edition / "site", allowed=allowed), *said], "the rendered pages", week, stage)
    shutil.rmtree(stage, ignore_errors=True)


def _too_long(edition: Path, parts: list[_Part], params: Params) -> list[str]:
    """What makes the summary longer than two minutes of reading."""
    return [
        problem
        for part in parts
        if part.kind == "summary" and part.record is not None
        for problem in length_problems(
            json.loads((edition / "notebooks" / f"{part.page}.ipynb").read_text(encoding="utf-8")),
            most=params.site.executive.max_words,
        )
    ]


def _news(edition: Path, parts: list[_Part], params: Params) -> str:
    """The edition's digest as a script, which also loads from ``file://``: browsers compare editions by it."""
    records = [p.record for p in parts if p.record is not None and p.kind != "summary"]
    numbers = [n for r in records for n in r.numbers]
    cards = display.card_digest(params.site.executive.cards, numbers, currency=params.site.currency)
    week = json.loads((edition / "edition.json").read_text(encoding="utf-8"))["edition"]
    shows = display.verdict_digest(records, currency=params.site.currency)
    digest = conclusions.digest_of(week, records, currency=params.site.currency, cards=cards, shows=shows)
    text = json.dumps(digest, ensure_ascii=False, sort_keys=True).replace("<", "\\u003c")
    return f"(window.gzNews = window.gzNews || {{}})[{json.dumps(week)}] = {text};\n"


def _refuse(problems: list[str], what: str, week: Week, stage: Path | None = None) -> None:
    if problems:
        listing = "\n".join(f"  - {p}" for p in problems[:50])
        more = f"\n  … and {len(problems) - 50} more" if len(problems) > 50 else ""  # noqa: PLR2004
        raise SiteError(
            f"{what} of {week} have {len(problems)} problem{'s' * (len(problems) != 1)}:\n{listing}{more}",
            mend="mend them and build again; nothing was published"
            + (f"; the pages as the engine was given them are in {stage}" if stage else ""),
        )


def _fill_theme(stage: Path, week: Week) -> None:
    """Tell the partials which edition they are part of."""
    for path in (stage / "theme").glob("*.html"):
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace("GZ_EDITION", str(week)).replace("GZ_DATES", dates(week)), encoding="utf-8")


def _byline(part: _Part, week: Week, params: Params) -> str:
    cutoff = week.cutoff(params.site.cutoff_hours)
    notice = f'<p class="gz-notice">{escape(params.site.notice)}</p>' if params.site.notice else ""
    description = f"<p>{escape(part.description)}</p>" if part.description else ""
    return (
        f'<div class="gz-lead">{description}<p class="gz-byline">Week {week.number} of {week.year} ({dates(week)}). '
        f"Data that had arrived by {cutoff:%d %B %Y, %H:%M} UTC. Owner: {escape(part.owner)}.</p>{notice}</div>"
    )


def _stage_part(edition: Path, stage: Path, part: _Part, params: Params, week: Week) -> frozenset[str]:
    """Write a subject's page; returns the names of its cells that have an anchor."""
    data = stage / DATA / part.page
    data.mkdir(parents=True)
    up = "../" if "/" in part.place else ""
    lead = _byline(part, week, params) + methods_line(part.kind, params.experiments.get(part.page), params.metrics, up)
    lead += subject_remarks(part.page, known_remarks(params.annotations, week))
    header: dict[str, Any] = {"title": plain(part.title), "page-layout": "full"}
    if part.kind == "summary":
        header["toc"] = False
        lead += f"{SHARED}{twice_line(edition)}</p>"
    executed = edition / "notebooks" / f"{part.page}.ipynb"
    place = stage / part.place
    place.parent.mkdir(parents=True, exist_ok=True)
    if part.record is not None:
        notebook = json.loads(executed.read_text(encoding="utf-8"))
        page = to_page(notebook, header=header, lead=lead, data=f"{up}data/{part.page}", record=part.record.to_json())
        place.with_name(place.name + ".ipynb").write_text(
            json.dumps(page.notebook, ensure_ascii=False), encoding="utf-8"
        )
        for name, content in page.files.items():
            (data / name).write_text(content, encoding="utf-8")
        return page.cells
    link = ""
    if executed.is_file():
        (data / "notebook.ipynb").write_bytes(executed.read_bytes())
        link = f'<p class="gz-download"><a href="{up}data/{part.page}/notebook.ipynb" download>The notebook as far as it got</a></p>'
    failure = part.failure or {}
    trace = (
        f'<details open><summary>Traceback</summary><pre class="gz-output gz-error"><code>{escape(failure["traceback"])}</code></pre></details>'
        if failure.get("traceback")
        else ""
    )
    html = (
        f'{lead}<div class="gz-failed"><p><strong>✗ This analysis failed; it has no numbers this week.</strong></p>'
        f'<p><q class="gz-term">{escape(failure.get("what", ""))}</q></p>{trace}{link}</div>'
    )
    place.with_name(place.name + ".qmd").write_text(f"{front_matter(**header)}\n\n{raw_html(html)}", encoding="utf-8")
    return frozenset()


def _list_page(title: str, parts: list[_Part]) -> str:
    rows = []
    for part in parts:
        if part.failure:
            state = '<span class="gz-verdict bad"><span aria-hidden="true">✗</span> Failed</span>'
        elif part.record and part.record.verdicts:
            verdict = part.record.verdicts[0]
            state = f"{display.chip(verdict.state)} {escape(conclusions.to_do(part.record, verdict))}"
        else:
            state = "Reported"
        rows.append(
            f'<tr><td><a href="{part.kind}s/{part.page}.html">{escape(part.title)}</a><br><small>{escape(part.description)}</small></td>'
            f"<td>{state}</td><td>{escape(part.owner)}</td></tr>"
        )
    body = "".join(rows) or f'<tr><td colspan="3">No {title.lower()} in this edition.</td></tr>'
    head = '<thead><tr><th scope="col">Name</th><th scope="col">This week</th><th scope="col">Owner</th></tr></thead>'
    table = f'<div class="gz-table-wrap"><table class="gz-table">{head}<tbody>{body}</tbody></table></div>'
    return f"{front_matter(title=title, toc=False)}\n\n{raw_html(table)}"
