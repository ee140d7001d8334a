"""What the shelf shows besides its manifests: slots of its pages, and scripts that sealed pages load."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gazette.site._decisions import decision_slots
from gazette.site._restated import restated_script, restated_scripts, restated_slots
from gazette.site._shelf import editions_script

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from gazette.editions import Manifest, Store
    from gazette.params import Params

    Maker = Callable[[Store, Path, Params], dict[str, str]]  # the editions, the project's folder, today's parameters

__all__ = ["scripts", "shelf_scripts", "slots"]

SLOTS: tuple[Maker, ...] = (decision_slots, restated_slots)  # each gives slot to HTML
SCRIPTS: tuple[Maker, ...] = (restated_scripts,)  # each gives file name to JavaScript


def slots(store: Store, project: Path, params: Params) -> dict[str, str]:
    """Slot to HTML for the shelf's pages."""
    return {name: html for maker in SLOTS for name, html in maker(store, project, params).items()}


def scripts(store: Store, project: Path, params: Params) -> dict[str, str]:
    """File name to JavaScript, laid beside ``editions.js``."""
    return {name: text for maker in SCRIPTS for name, text in maker(store, project, params).items()}


def shelf_scripts(manifests: Sequence[Manifest], *, store: Store, project: Path, params: Params) -> dict[str, str]:
    """All that sealed pages load from the place above them, where only these editions are there."""
    alone = {"restated.js": restated_script(store, project, page="")}  # there is no page of restatements to link to
    return {"editions.js": editions_script(manifests), **scripts(store, project, params), **alone}
