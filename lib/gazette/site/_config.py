"""From the project's ``_quarto.yml`` to that of an edition or of the shelf."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import yaml

from gazette.errors import SiteError
from gazette.site._text import plain

__all__ = ["read_config", "write_config"]

OWN = "gazette"


def read_config(project: Path) -> dict[str, Any]:
    """The project's ``_quarto.yml``.

    Raises:
        SiteError: It is missing or not a website project.
    """
    path = project / "_quarto.yml"
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        if not isinstance(content, dict) or content["project"]["type"] != "website":
            raise KeyError("project.type must be website")
        _ = content["website"]["navbar"], content[OWN]["edition-navigation"]
    except (OSError, yaml.YAMLError, KeyError, TypeError) as error:
        raise SiteError(
            f"the site's settings cannot be read: {error}", where=str(path), mend="restore _quarto.yml from git"
        ) from error
    return content


def write_config(stage: Path, config: dict[str, Any], *, title: str, edition: bool) -> None:
    """Write the ``_quarto.yml`` of one rendered project: the same look, its own title and navigation."""
    content = copy.deepcopy(config)
    own = content.pop(OWN)
    content["project"] |= {"output-dir": "_site", "resources": ["theme/**"]}
    content["project"].pop("render", None)
    content["website"]["title"] = plain(title)
    if edition:
        content["website"]["navbar"]["left"] = [e for e in own["edition-navigation"] if _there(stage, e)]
    (stage / "_quarto.yml").write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True), encoding="utf-8")


def _there(stage: Path, entry: dict[str, Any]) -> bool:
    """Whether an edition has the page; one that failed is a page of another kind (qmd for ipynb), and an absent one none."""
    page = stage / str(entry.get("href", ""))
    if not page.is_file() and page.with_suffix(".qmd").is_file():
        entry["href"] = str(Path(entry["href"]).with_suffix(".qmd"))
        return True
    return page.is_file() or "://" in str(entry.get("href", ""))
