"""Assets of a rendered project: the theme that people write, and the chart library."""

from __future__ import annotations

import importlib.metadata
import json
import shutil
from pathlib import Path

from gazette.errors import SiteError
from gazette.snapshot import keep, kept

__all__ = ["CLOSE", "OPEN", "chart_library", "finish", "lay_theme"]

OFFSET, SHELF = "GZ_OFFSET", "GZ_SHELF"
STRIP = "before.html"  # what stands above every page
OPEN, CLOSE = "<!-- gz-before -->", "<!-- /gz-before -->"


def lay_theme(project: Path, stage: Path, *, cache: Path, charts: bool) -> None:
    """Copy ``reports/theme`` into the stage, with the chart library where pages need it.

    Raises:
        SiteError: The theme is missing.
    """
    theme = project / "reports" / "theme"
    if not theme.is_dir():
        raise SiteError("the site's theme is missing", where=str(theme), mend="restore reports/theme from git")
    shutil.copytree(theme, stage / "theme")
    strip = stage / "theme" / STRIP
    if strip.is_file():  # engines put it at different places of the page
        strip.write_text(f"{OPEN}{strip.read_text(encoding='utf-8').rstrip()}{CLOSE}\n", encoding="utf-8")
    if charts:
        (stage / "theme" / "vega.js").write_bytes(chart_library(cache))


def chart_library(cache: Path) -> bytes:
    """Vega, Vega-Lite and Vega-Embed as one script; making it takes seconds, so it is kept."""
    path = cache / f"vega-{importlib.metadata.version('vl-convert-python')}.js"
    library = kept(path)
    if library is None:
        import vl_convert  # noqa: PLC0415  needed once

        # It declares top-level names; in a function they cannot meet those of an engine.
        bundle = vl_convert.javascript_bundle()  # type: ignore[call-arg]  # its stub forgets the default
        library = f"(function () {{\n{bundle}\n}})();\n".encode()
        keep(path, library)
    return library


def finish(site: Path, *, above: str) -> None:
    """Fill in relative addresses, and give search its index as a script, which also loads from ``file://``.

    Args:
        site: A rendered site.
        above: Address of the shelf from the site's root, such as ``../../``; empty for the shelf itself.
    """
    for path in sorted(site.rglob("*.html")):
        up = "../" * (len(path.relative_to(site).parts) - 1)
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace(SHELF, up + above).replace(OFFSET, up), encoding="utf-8")
    index = site / "search.json"
    entries = json.loads(index.read_text(encoding="utf-8")) if index.is_file() else []
    text = json.dumps(entries, ensure_ascii=False).replace("<", "\\u003c")
    (site / "search.js").write_text(f"window.gzSearchIndex = {text};\n", encoding="utf-8")
    for stray in ("sitemap.xml", "robots.txt"):
        (site / stray).unlink(missing_ok=True)
