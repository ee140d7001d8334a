"""The shelf's pages as an engine renders them in the project's folder: places for data are filled, links lead to the published site."""

from __future__ import annotations

import os
import re
from pathlib import Path

from gazette.editions import Store
from gazette.errors import GazetteError
from gazette.params import load
from gazette.register import newest_replays
from gazette.site._shelf import shelf_content
from gazette.site._shelf_more import slots
from gazette.site._theme import finish

__all__ = ["finish_preview"]

SLOT = re.compile(r"<!-- gazette: ([a-z-]+) -->")  # as engines leave them, anywhere in a line


def finish_preview(project: Path, output: Path) -> str:
    """Finish the pages of a preview.

    Args:
        project: The project's folder.
        output: Where the engine wrote, from there.

    Returns:
        What was done, in a line.
    """
    made = project / output / "reports"
    if not made.is_dir():
        return f"preview: {output} holds no page of reports/"
    try:
        params = load(project / "params")
        store = Store(project / params.site.editions)
        manifests = [store.manifest(week) for week in reversed(store.weeks())]
        content = shelf_content(
            manifests, newest_replays(project, store), params=params, more=slots(store, project, params)
        )
        published = project / params.site.output
        said = f"preview: the shelf of {len(manifests)} editions"
    except GazetteError as error:
        content, published = {}, project / "_site"
        said = f"preview: places for data stay empty: {error}"
    above = Path(os.path.relpath(published, made)).as_posix() + "/"
    for page in sorted(made.glob("*.html")):
        text = page.read_text(encoding="utf-8")
        text = SLOT.sub(
            lambda m: _led_to(content.get(m[1], ""), above) or f"<p>({m[1]}: gazette build fills this in)</p>", text
        )
        page.write_text(text.replace("GZ_EDITION", "").replace("GZ_DATES", ""), encoding="utf-8")
    finish(made, above=above)
    return f"{said}, in {output / 'reports'}; what is published is not touched"


def _led_to(html: str, above: str) -> str:
    """Links to editions lead to those that are published."""
    return html.replace('href="editions/', f'href="{above}editions/')
