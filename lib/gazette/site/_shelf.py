"""The pages above the editions: the latest one, the archive, the list that edition switchers load."""

from __future__ import annotations

import json
import re
import shutil
from html import escape
from typing import TYPE_CHECKING, Any

from gazette import display
from gazette.errors import SiteError
from gazette.site._addresses import FEED, addresses
from gazette.site._config import read_config, write_config
from gazette.site._engine import render
from gazette.site._lint import lint_site
from gazette.site._sayings import lint_sayings
from gazette.site._staged import lint_sources
from gazette.site._text import raw_html
from gazette.site._theme import finish, lay_theme
from gazette.site._words import finish_words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from gazette.editions import Manifest
    from gazette.params import Params, Replayed
    from gazette.site._engine import Engine

__all__ = ["editions_script", "render_shelf", "shelf_content"]

RESTATED = """(function () {
  var more = document.createElement("script");
  more.src = document.currentScript.src.replace(/editions[.]js.*$/, "restated.js");
  document.head.appendChild(more);
})();
"""
SLOT = re.compile(r"^<!-- gazette: ([a-z-]+) -->$", re.MULTILINE)


def _when(manifest: Manifest) -> str:
    return f"{escape(manifest.edition)} <small>{escape(str(manifest.facts['dates']))}</small>"


def _title_line(params: Params) -> str:
    notice = f'<p class="gz-notice">{escape(params.site.notice)}</p>' if params.site.notice else ""
    return f'<p class="gz-byline">{escape(params.site.organisation)}</p>{notice}'


def _to_do(test: Mapping[str, str]) -> str:
    """What is to be done; editions of earlier code say the advice alone."""
    return test.get("to_do") or test["action"][:1].upper() + test["action"][1:]


def _latest(manifest: Manifest) -> str:
    facts: Any = manifest.facts
    home = f"editions/{manifest.edition}"
    rows = "".join(
        f'<tr><td><a href="{home}/experiments/{escape(t["page"])}.html">{escape(t["title"])}</a></td>'
        f"<td>{display.chip(t['state'])}</td><td>{escape(_to_do(t))}</td></tr>"
        for t in facts["tests"]
    )
    head = (
        '<thead><tr><th scope="col">Test</th><th scope="col">Verdict</th><th scope="col">What to do</th></tr></thead>'
    )
    tests = (
        f'<div class="gz-table-wrap"><table class="gz-table"><caption>Tests in this edition</caption>{head}<tbody>{rows}</tbody></table></div>'
        if rows
        else ""
    )
    models = ", ".join(
        f'<a href="{home}/models/{escape(m["page"])}.html">{escape(m["title"])}</a>' for m in facts["models"]
    )
    failed = (
        f'<p class="gz-failed">✗ {len(facts["failed"])} of its analyses failed: {escape(", ".join(f["title"] for f in facts["failed"]))}.</p>'
        if facts["failed"]
        else ""
    )
    headline = (
        f'<p class="gz-headline"><span class="gz-term">{escape(facts["headline"])}</span></p>'
        if facts["headline"]
        else ""
    )
    return (
        f'<section class="gz-panel neutral"><h2 id="latest">Latest edition: {_when(manifest)}</h2>{headline}{failed}'
        f'<p><a class="gz-button" href="{home}/index.html">Read the edition</a></p></section>{tests}'
        + (f"<p>Models: {models}.</p>" if models else "")
    )


def _archive(manifests: Sequence[Manifest], replays: Mapping[str, Replayed], *, feed: bool) -> str:
    rows = []
    for manifest in manifests:
        facts: Any = manifest.facts
        titles = ", ".join(escape(t["title"]) for t in (*facts["tests"], *facts["models"]))
        failed = (
            f'<span class="gz-verdict bad">✗ {len(facts["failed"])} failed</span>' if facts["failed"] else "Complete"
        )
        rows.append(
            f'<tr><td><a href="editions/{manifest.edition}/index.html">{_when(manifest)}</a></td>'
            f"<td>{escape(facts['headline'])}<br><small>{titles}</small></td><td>{failed}{_again(replays.get(manifest.edition))}</td>"
            f'<td><code class="gz-digest">{manifest.digest}</code></td></tr>'
        )
    head = "".join(f'<th scope="col">{h}</th>' for h in ("Edition", "What it says", "State", "Digest of its manifest"))
    told = f' New editions are in the <a href="{FEED}">feed</a>.' if feed else ""
    return (
        f'<p>The newest edition is always at <a href="latest/index.html">latest</a>.{told}</p>'
        '<p><label for="gz-filter">Filter editions</label> <input id="gz-filter" class="gz-filter" type="search" data-filters="gz-archive" '
        'placeholder="week, test, model or verdict"> <span class="gz-count" role="status"></span></p>'
        f'<div class="gz-table-wrap"><table class="gz-table" id="gz-archive"><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'
    )


def _again(kept: Replayed | None) -> str:
    """What the newest replay of an edition came to."""
    if kept is None:
        return ""
    words = {"identical": "the same", "equal within tolerance": "the same within tolerance"}.get(
        kept.outcome, kept.outcome
    )
    tone, mark = ("good", "✓") if kept.same else ("bad", "✗")
    return f'<br><span class="gz-verdict {tone}">{mark} Run again: {words}</span> <small>{kept.replayed}</small>'


def shelf_content(
    manifests: Sequence[Manifest], replays: Mapping[str, Replayed], *, params: Params, more: Mapping[str, str]
) -> dict[str, str]:
    """Slot to HTML for the shelf's pages, with ``more`` slots than those that are made of the manifests, newest first."""
    latest = _latest(manifests[0]) if manifests else ""
    return {
        "title-line": _title_line(params),
        "latest": latest,
        "archive": _archive(manifests, replays, feed=params.site.address is not None),
        **more,
    }


def render_shelf(
    manifests: Sequence[Manifest],
    replays: Mapping[str, Replayed],
    *,
    project: Path,
    params: Params,
    engine: Engine,
    work: Path,
    more: Mapping[str, str],
    scripts: Mapping[str, str],
) -> Path:
    """Render the shelf into a folder below ``work``.

    Args:
        manifests: Sealed editions, newest first, at least one.
        replays: Edition to its newest replay that was kept.
        project: Folder with ``_quarto.yml`` and ``reports/``.
        params: Today's parameters.
        engine: What renders.
        work: Folder for what is thrown away afterwards.
        more: Slot to HTML, besides those that are made of the manifests.
        scripts: File name to JavaScript, which sealed pages load from the shelf.

    Raises:
        SiteError: A page has an unknown slot, cannot be rendered or fails the lint.
    """
    stage, site = work / "shelf-pages", work / "shelf-site"
    shutil.rmtree(stage, ignore_errors=True)
    shutil.rmtree(site, ignore_errors=True)
    stage.mkdir(parents=True)
    content = shelf_content(manifests, replays, params=params, more=more)
    lay_theme(project, stage, cache=work.parent / "cache", charts=False)
    write_config(stage, read_config(project), title=params.site.title, edition=False, engine=engine)
    for path in sorted((project / "reports").glob("*.qmd")):
        text = path.read_text(encoding="utf-8")
        if unknown := sorted({m[1] for m in SLOT.finditer(text)} - content.keys()):
            raise SiteError(f"unknown slot {unknown[0]!r}", where=str(path), mend=f"slots are: {', '.join(content)}")
        (stage / path.name).write_text(SLOT.sub(lambda m: raw_html(content[m[1]]), text), encoding="utf-8")
    for partial in (stage / "theme").glob("*.html"):
        partial.write_text(
            partial.read_text(encoding="utf-8").replace("GZ_EDITION", "").replace("GZ_DATES", ""), encoding="utf-8"
        )
    _refuse(lint_sources(stage), project, stage)
    warnings = render(stage, site, engine)
    finish_words(site, language=params.site.language, words={})
    finish(site, above="")
    (site / "editions.js").write_text(editions_script(manifests), encoding="utf-8")
    for name, script in scripts.items():
        (site / name).write_text(script, encoding="utf-8")
    for name, text in addresses(manifests, params.site).items():
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_text(text, encoding="utf-8")
    _refuse([*warnings, *lint_site(site, allowed=_edition_pages(manifests)), *lint_sayings(site)], project, stage)
    shutil.rmtree(stage, ignore_errors=True)
    return site


def _refuse(problems: Sequence[str], project: Path, stage: Path) -> None:
    if problems:
        raise SiteError(
            "the shelf's pages have problems:\n" + "\n".join(f"  - {p}" for p in problems),
            where=str(project / "reports"),
            mend=f"mend them; the pages as the engine was given them are in {stage}",
        )


def editions_script(manifests: Sequence[Manifest]) -> str:
    """The list that switchers of editions load; pages sealed before there were restatements load those through it too."""
    listing = [{"edition": m.edition, "dates": m.facts["dates"], "failed": len(m.facts["failed"])} for m in manifests]
    listed = f"window.gzEditions = {json.dumps(listing, ensure_ascii=False)};\n".replace("<", "\\u003c")
    return listed + RESTATED


def _edition_pages(manifests: Sequence[Manifest]) -> set[str]:
    return {
        f"editions/{m.edition}/{name.removeprefix('site/')}"
        for m in manifests
        for name in m.files
        if name.startswith("site/") and name.endswith(".html")
    }
