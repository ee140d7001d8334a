"""Sites of audiences: made of the sealed records that each may see, searched for what it may not, then put in place."""

from __future__ import annotations

import json
import re
import shutil
from html import escape
from typing import TYPE_CHECKING, Any

from gazette import conclusions, display
from gazette.editions import files_below, refuse_leaks, verifier
from gazette.errors import SiteError
from gazette.params import load
from gazette.site._access import Access
from gazette.site._config import read_config, write_config
from gazette.site._engine import render
from gazette.site._lint import lint_site
from gazette.site._sayings import lint_sayings
from gazette.site._staged import lint_sources
from gazette.site._text import front_matter, plain, raw_html, table_html
from gazette.site._theme import finish, lay_theme
from gazette.site._words import finish_words

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gazette.editions import Store
    from gazette.params import Audience, Params
    from gazette.record import Record
    from gazette.site._engine import Engine

__all__ = ["audience_place", "audiences_stand", "leaks", "publish_audiences"]

MARK = ".gazette-audience.json"
PASSPORT = re.compile(r' tabindex="0"| data-passport="[^"]*"')
DIGITS = 8  # of a figure, from which it is found nowhere by chance


def audience_place(output: Path, audience: Audience) -> Path:
    """The folder of an audience's site, beside that of all."""
    return output.with_name(f"{output.name}-{audience.name}")


def audiences_stand(output: Path, params: Params, stamp: str) -> bool:
    """Whether each audience's site was made with this stamp and is byte for byte what was put there."""
    for audience in params.site.audiences:
        place = audience_place(output, audience)
        try:
            mark = json.loads((place / MARK).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return False
        found, faults = verifier.digests_below(place, skip=(MARK,))
        if not isinstance(mark, dict) or mark.get("stamp") != stamp or mark.get("files") != found or faults:
            return False
    return True


def publish_audiences(
    store: Store, *, project: Path, params: Params, output: Path, engine: Engine, work: Path, stamp: str
) -> None:
    """Make every audience's site from the sealed records, search it, and only when all are clean put them in place.

    Raises:
        EditionError: A sealed file was altered, or a page holds a secret.
        SiteError: A page cannot be rendered, a file holds what its audience may not see, or a folder in its place is not ours.
    """
    made = []
    for audience in params.site.audiences:
        place = audience_place(output, audience)
        if place.is_symlink() or (place.exists() and not (place / MARK).is_file()):
            raise SiteError(
                f"the folder of the audience {audience.name!r} holds something else",
                where=str(place),
                mend="move it away, or give the audience another name",
            )
        made.append((_make(store, project, params, audience, engine, work), place))
    for week in store.weeks() if made else ():
        store.mark_published(week)  # before any reader can see it
    for site, place in made:
        found, _ = verifier.digests_below(site)
        digests = {str(week): store.manifest(week).digest for week in store.weeks()}
        mark = {"stamp": stamp, "editions": digests, "files": dict(found)}
        (site / MARK).write_text(json.dumps(mark, indent=1, sort_keys=True), encoding="utf-8")
        part, old = place.with_name(f"{place.name}.part"), place.with_name(f"{place.name}.old")
        for stray in (part, old):
            shutil.rmtree(stray, ignore_errors=True)
        shutil.copytree(site, part)
        if place.exists():
            place.rename(old)
        part.rename(place)
        for stray in (old, site):
            shutil.rmtree(stray, ignore_errors=True)


def _make(store: Store, project: Path, params: Params, audience: Audience, engine: Engine, work: Path) -> Path:
    stage, site = work / f"audience-{audience.name}-pages", work / f"audience-{audience.name}-site"
    for folder in (stage, site):
        shutil.rmtree(folder, ignore_errors=True)
    stage.mkdir(parents=True)
    lay_theme(project, stage, cache=work.parent / "cache", charts=False)
    for partial in (stage / "theme").glob("*.html"):
        text = partial.read_text(encoding="utf-8").replace("All editions", "Start")
        partial.write_text(text.replace("GZ_EDITION", "").replace("GZ_DATES", ""), encoding="utf-8")
    config = read_config(project)
    config["website"]["navbar"]["left"] = [{"text": "Latest", "href": "reports/index.qmd"}]
    write_config(stage, config, title=params.site.title, edition=False, engine=engine)
    rows, listed, problems = [], [], list[str]()
    forbidden, shown = dict[str, str](), set[str]()
    known: dict[str, list[Record]] = {}
    for week in reversed(store.weeks()):
        sealed = store.open(week)
        # Rights are today's; what a number is of, the edition's own parameters say.
        access = Access(audience, load(sealed.within("params") / "params"))
        every = [r for r in sealed.records() if r.kind in {"model", "experiment"}]
        seen = [reduced for r in every if (reduced := access.record(r)) is not None]
        for record in seen:
            folder = stage / "editions" / str(week) / f"{record.kind}s"
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"{record.subject}.qmd").write_text(_page(record, params), encoding="utf-8")
        home = stage / "editions" / str(week)
        home.mkdir(parents=True, exist_ok=True)
        dates = str(sealed.manifest.facts["dates"])
        home.joinpath("index.qmd").write_text(_home(seen, dates, params), encoding="utf-8")
        rows.append((f'<a href="editions/{week}/index.html">{week}</a>', escape(dates), str(len(seen))))
        listed.append({"edition": str(week), "dates": dates, "failed": 0})
        for token, tier in _forbidden(every, access):
            forbidden.setdefault(token, tier)
        shown |= {t for r in seen for n in r.numbers for t in _tokens(n)}
        known[str(week)] = every
    table = table_html(f"Editions for {audience.title}", ("Edition", "Days", "Models and tests"), rows)
    index = f"{front_matter(title=plain(params.site.title))}\n\n{raw_html(_notice(params) + table)}"
    (stage / "index.qmd").write_text(index, encoding="utf-8")
    _refuse(lint_sources(stage), audience)
    warnings = render(stage, site, engine)
    finish_words(site, language=params.site.language, words={})
    finish(site, above="")
    script = json.dumps(listed, ensure_ascii=False).replace("<", "\\u003c")
    (site / "editions.js").write_text(f"window.gzEditions = {script};\n", encoding="utf-8")
    for edition, every in known.items():  # shown as the whole record says them: the same numbers for everyone
        settings = params.site
        problems += lint_sayings(
            site / "editions" / edition, records=every, currency=settings.currency, language=settings.language
        )
    _refuse([*warnings, *lint_site(site), *problems], audience)
    _refuse(leaks(site, {t: tier for t, tier in forbidden.items() if t not in shown}), audience)
    refuse_leaks(files_below(site), "published", params.site.no_secrets)
    shutil.rmtree(stage, ignore_errors=True)
    return site


def _notice(params: Params) -> str:
    return f'<p class="gz-notice">{escape(params.site.notice)}</p>' if params.site.notice else ""


def _home(records: list[Record], dates: str, params: Params) -> str:
    rows = []
    for record in records:
        verdict = next((v for v in record.verdicts if v.primary), None)
        state = f"{display.chip(verdict.state)} {escape(conclusions.to_do(record, verdict))}" if verdict else "Reported"
        link = f'<a href="{record.kind}s/{record.subject}.html">{escape(record.title)}</a>'
        rows.append((link, state, escape(record.owner)))
    table = table_html("Models and tests", ("Name", "State", "Owner"), rows) if rows else "<p>Nothing to report.</p>"
    return f"{front_matter(title=plain(dates))}\n\n{raw_html(_notice(params) + table)}"


def _page(record: Record, params: Params) -> str:
    """Verdicts, findings and numbers of a reduced record; no notebook is read, so nothing untagged can come along."""
    currency = params.site.currency
    said = [s for v in record.verdicts for s in (v.reason, v.advice)]
    blocks = [display.findings(record, chosen, currency=currency).html for chosen in (said, record.findings) if chosen]
    rows = [
        (
            escape(n.label),
            display.number_span(n, currency=currency),
            escape(display.format_number(n, "interval", currency=currency)) if n.published and n.interval else "",
        )
        for n in record.numbers
    ]
    blocks.append(table_html("Numbers", ("What", "Value", "Range"), rows) if rows else "<p>No numbers.</p>")
    html = PASSPORT.sub("", _notice(params) + "".join(blocks))
    return f"{front_matter(title=plain(record.title))}\n\n{raw_html(html)}"


def _tokens(number: Any) -> Iterator[str]:
    """Figures of a number by which it can be recognised."""
    if not number.published:
        return
    ends = (number.interval.low, number.interval.high) if number.interval else ()
    for value in (number.value, *ends):
        text = repr(abs(value))
        if len(text.replace(".", "").lstrip("0")) >= DIGITS:
            yield text


def _forbidden(records: list[Record], access: Access) -> Iterator[tuple[str, str]]:
    """Ids and figures that the audience may not see, and the tier of each."""
    for record in records:
        if not access.subject(record.subject):
            yield f"/{record.subject}.html", "subject"
            if " " in record.title:
                yield record.title, "subject"
        for number in record.numbers:
            if not access.number(number):
                tier = min(access.withheld_tiers(number), default="subject")
                yield number.id, tier
                yield from ((token, tier) for token in _tokens(number))


def leaks(site: Path, forbidden: dict[str, str]) -> list[str]:
    """Files of a site that hold, in name or content, what they may not; file and tier are named, the value is not shown.

    Args:
        site: Of an audience.
        forbidden: Text to the tier that it is of.
    """
    if not forbidden:
        return []
    parts = sorted(map(re.escape, forbidden), key=len, reverse=True)
    wanted = re.compile(rf"(?<![\w.-])(?:{'|'.join(parts)})(?![\w-]|[.]\w)")
    found = set()
    for path in sorted(p for p in site.rglob("*") if p.is_file()):
        name = path.relative_to(site).as_posix()
        text = path.read_text(encoding="utf-8", errors="replace")
        if path.suffix in {".html", ".json", ".js"}:
            text = f"{text}\n{text.replace('&#x27;', chr(39)).replace('&quot;', chr(34)).replace('&amp;', '&')}"
        found |= {(name, forbidden[m[0]]) for m in wanted.finditer(f"/{name}\n{text}")}
    return [f"{name} holds what is withheld: {tier}" for name, tier in sorted(found)]


def _refuse(problems: list[str], audience: Audience) -> None:
    if problems:
        listing = "\n".join(f"  - {p}" for p in problems[:50])
        raise SiteError(
            f"the site for the audience {audience.name!r} has problems; nothing was published:\n{listing}",
            where="params/site.yml: audiences",
            mend="mend them and build again; what readers see is as it was",
        )
