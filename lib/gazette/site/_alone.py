"""A notebook on its own in the site's look: the Quarto project of a fork, so that ``quarto render`` there gives a page like those published."""

from __future__ import annotations

from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import yaml

from gazette.site._config import quarto_options
from gazette.site._theme import OFFSET, SHELF, lay_theme

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["write_alone"]

FILTER = "page.py"
SCRIPTS = ("gazette.js", "code.js", "vega.js")  # charts, filters, code on demand; the rest is of an edition's pages
STRIP = (
    '<div class="gz-strip" data-edition="" data-shelf="" data-offset=""><div class="gz-strip-inner">'
    '<span class="gz-edition">{said}</span></div><p class="gz-old" role="status" hidden></p></div>\n'
)


def write_alone(project: Path, folder: Path, *, said: str, cache: Path) -> None:
    """Write ``_quarto.yml``, the theme and the filter of outputs into a folder with notebooks, whose title is in its ``fork.json``.

    Args:
        project: Whose look is taken.
        folder: Of the notebooks.
        said: What the strip above the page says of it.
        cache: Where the chart library is kept.

    Raises:
        SiteError: The project's look cannot be read.
    """
    lay_theme(project, folder, cache=cache, charts=True)
    theme = folder / "theme"
    (theme / "before.html").write_text(STRIP.format(said=escape(said)), encoding="utf-8")
    scripts = "".join(f'<script src="theme/{name}"></script>\n' for name in SCRIPTS if name != "vega.js")
    (theme / "after.html").write_text(scripts, encoding="utf-8")
    head = theme / "head.html"
    head.write_text(head.read_text(encoding="utf-8").replace(SHELF, "").replace(OFFSET, ""), encoding="utf-8")
    for path in theme.glob("*.js"):
        if path.name not in SCRIPTS:
            path.unlink()
    (folder / FILTER).write_bytes((files("gazette.site") / FILTER).read_bytes())
    content: dict[str, Any] = {
        "project": {"type": "default"},
        "ipynb-filters": [FILTER],
        "format": {"html": {**quarto_options(project), "code-fold": True, "page-layout": "full"}},
    }
    (folder / "_quarto.yml").write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True), encoding="utf-8")
