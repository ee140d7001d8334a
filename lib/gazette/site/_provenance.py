"""The page for reviewers: from which data, computed by what, chained to what."""

from __future__ import annotations

import hashlib
from html import escape
from typing import TYPE_CHECKING

from gazette.site._aa import aa_part
from gazette.site._canaries import canaries_part
from gazette.site._passports import query_anchor, snapshot_anchor
from gazette.site._text import front_matter, raw_html, table_html
from gazette.site._twice import twice_part
from gazette.snapshot import reopen

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from gazette.editions import Week

__all__ = ["provenance"]


def _code(text: str) -> str:
    return f'<code class="gz-digest">{escape(text)}</code>'


def provenance(edition: Path, *, week: Week, versions: Mapping[str, str], previous: tuple[str, str] | None) -> str:
    """The provenance page as Quarto Markdown.

    Args:
        edition: Folder of the edition.
        week: Its week.
        versions: What ran.
        previous: The edition before it and its manifest's digest.
    """
    before = (
        f"It names the manifest of {previous[0]}, {_code(previous[1])}."
        if previous
        else "It is the first edition of its chain."
    )
    lead = (
        f"<p>Everything that made edition {week} is named here by its SHA-256 digest. The edition's "
        f'<a href="manifest.json">manifest</a> repeats these digests and adds those of the rendered pages. {before} '
        "A sealed edition never changes: a later correction is published in a later edition. <a href='changes.html'>What changed since the edition before</a>.</p>"
    )
    parts = [front_matter(title="Provenance", toc=True), raw_html(lead), "## What ran"]
    parts.append(
        raw_html(
            table_html("Programs", ("Part", "Version or digest"), ((escape(k), _code(v)) for k, v in versions.items()))
        )
    )
    parts.append("## Frozen data")
    for folder in sorted(p for p in (edition / "snapshot").iterdir() if p.is_dir()):
        snapshot = reopen(folder)
        rows = ((escape(q.name), f"{q.rows:,}", _code(q.sha256)) for q in snapshot.queries)
        table = table_html(
            f"Snapshot of {snapshot.subject}, digest {snapshot.digest}", ("Query", "Rows", "Digest of the rows"), rows
        )
        sql = "".join(
            f'<details id="{escape(query_anchor(snapshot.subject, q.name))}"><summary>Query <code>{escape(q.name)}</code></summary><pre><code>{escape(q.sql)}</code></pre></details>'
            for q in snapshot.queries
        )
        anchor = f'<div id="{escape(snapshot_anchor(snapshot.subject))}"></div>'
        parts += [f"### {snapshot.subject}", raw_html(anchor + table + sql)]
    parts += twice_part(edition)
    parts += canaries_part(edition)
    parts += aa_part(edition)
    parts.append("## Files")
    files = []
    for path in sorted(edition.rglob("*")):
        name = path.relative_to(edition).as_posix()
        if path.is_file() and not name.startswith(("site/", "snapshot/")):
            files.append((escape(name), _code(hashlib.sha256(path.read_bytes()).hexdigest())))
    parts.append(raw_html(table_html("Parameters, executed notebooks and records", ("File", "Digest"), files)))
    return "\n\n".join(parts) + "\n"
