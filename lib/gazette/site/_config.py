"""From the project's ``_quarto.yml`` to that of an edition or of the shelf, with the keys that its engine knows."""

from __future__ import annotations

import copy
import difflib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from gazette.errors import SiteError
from gazette.site._text import plain

if TYPE_CHECKING:
    from gazette.site._engine import Engine

__all__ = ["quarto_options", "read_config", "write_config"]

OWN = "gazette"
EMBEDDED = "smalldocs"
SHELF = "reports/"
# Quarto skips, without a word, what its walk finds below a folder whose name begins with a dot, as our stages are; what is listed it takes.
INPUTS = ["**/*.qmd", "**/*.ipynb", "!_data/"]
# Quarto would parse our tables again, and take no notice of the reader's light or dark setting.
QUARTO = {"html-table-processing": "none", "respect-user-color-scheme": True}


def read_config(project: Path) -> dict[str, Any]:
    """The project's ``_quarto.yml``.

    Raises:
        SiteError: It is missing, not a website project, or has a page option that no engine knows.
    """
    path = project / "_quarto.yml"
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        if not isinstance(content, dict) or content["project"]["type"] != "website":
            raise KeyError("project.type must be website")
        _ = content["website"]["navbar"], content[OWN]["edition-navigation"], {**content["format"]["html"]}
    except (OSError, yaml.YAMLError, KeyError, TypeError) as error:
        raise SiteError(
            f"the site's settings cannot be read: {error}", where=str(path), mend="restore _quarto.yml from git"
        ) from error
    from smalldocs.quarto_keys import QUARTO_PAGE_OPTIONS  # noqa: PLC0415  not needed where nothing is rendered

    known = _embedded_options() | QUARTO_PAGE_OPTIONS
    for option in content["format"]["html"]:
        if option not in known:
            close = difflib.get_close_matches(str(option), known, n=1)
            hint = f"did you mean {close[0]!r}?" if close else "look it up in Quarto's reference of HTML options"
            raise SiteError(f"unknown option {option!r} under format: html:", where=str(path), mend=hint)
    return content


def _embedded_options() -> set[str]:
    from smalldocs.config import HTML_OPTIONS  # noqa: PLC0415  not needed where nothing is rendered

    return set(HTML_OPTIONS)


def quarto_options(project: Path) -> dict[str, Any]:
    """Options of every page for Quarto, with places as a stage has them."""
    return QUARTO | dict(_from_top(read_config(project)["format"]["html"]))


def write_config(stage: Path, config: dict[str, Any], *, title: str, edition: bool, engine: Engine) -> None:
    """Write the ``_quarto.yml`` of one rendered project: the same look, its own title and navigation, one engine's keys.

    The project's own file speaks of its root, where the shelf's pages and the theme lie in ``reports/``; a stage has them at its top.
    """
    content = copy.deepcopy(config)
    own = content.pop(OWN)
    content["project"] = {"type": "website", "output-dir": "_site", "resources": ["theme/**"]}
    content["website"]["title"] = plain(title)
    if edition:
        content["website"]["navbar"]["left"] = [e for e in own["edition-navigation"] if _there(stage, e)]
    content = _from_top(content)
    html = content["format"]["html"]
    if engine.name == "quarto":
        content.pop(EMBEDDED, None)
        content["project"]["render"] = INPUTS
        content["format"]["html"] = QUARTO | html
    else:
        known = _embedded_options()
        content["format"]["html"] = {k: v for k, v in html.items() if k in known}
    (stage / "_quarto.yml").write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True), encoding="utf-8")


def _from_top(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _from_top(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_from_top(v) for v in value]
    return value.removeprefix(SHELF) if isinstance(value, str) else value


def _there(stage: Path, entry: dict[str, Any]) -> bool:
    """Whether an edition has the page; one that failed is a page of another kind (qmd for ipynb), and an absent one none."""
    page = stage / str(entry.get("href", ""))
    if not page.is_file() and page.with_suffix(".qmd").is_file():
        entry["href"] = str(Path(entry["href"]).with_suffix(".qmd"))
        return True
    return page.is_file() or "://" in str(entry.get("href", ""))
