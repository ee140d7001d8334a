"""Put sealed editions and the shelf where readers are; at every instant the folder holds a whole site."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from gazette.editions import copy_writable, files_below, refuse_leaks, write_error
from gazette.errors import EditionError, GazetteError
from gazette.register import newest_replays
from gazette.site._shelf import render_shelf
from gazette.site._shelf_more import scripts, slots

if TYPE_CHECKING:
    from gazette.editions import Store, Week
    from gazette.params import Params
    from gazette.site._engine import Engine

__all__ = ["is_published", "publish", "shelf_stamp"]

STAMP = ".gazette-site.json"


def shelf_stamp(store: Store, *, project: Path, engine: Engine, library: str) -> str:
    """Digest of all that the published site is made of: while it is the same, there is nothing to publish."""
    total = hashlib.sha256(f"{engine.label}\0{library}\0".encode())
    for week in store.weeks():
        total.update(store.manifest(week).digest.encode())
    settings = [project / "params" / name for name in ("site.yml", "metrics.yml")]  # metrics say which way is good
    files = [project / "_quarto.yml", *settings, *sorted((project / "reports").rglob("*"))]
    for path in files:
        if path.is_file():
            total.update(f"{path.relative_to(project).as_posix()}\0".encode() + path.read_bytes())
    return total.hexdigest()


def is_published(output: Path, stamp: str) -> bool:
    """Whether the folder holds the site of this stamp."""
    try:
        found = json.loads((output / STAMP).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return bool(found == {"stamp": stamp}) and (output / "index.html").is_file()


def publish(
    store: Store, *, project: Path, params: Params, output: Path, engine: Engine, work: Path, stamp: str
) -> None:
    """Copy editions that are not there yet, then swap in the shelf, its index page last.

    Raises:
        EditionError: A sealed edition is not what its manifest says, a page holds a secret, or the disk refuses.
        SiteError: The shelf cannot be rendered.
    """
    weeks = store.weeks()
    manifests = [store.manifest(week) for week in reversed(weeks)]
    shelf = render_shelf(
        manifests,
        newest_replays(project, store),
        project=project,
        params=params,
        engine=engine,
        work=work,
        more=slots(store, project, params),
        scripts=scripts(store, project, params),
    )
    try:
        refuse_leaks(files_below(shelf), "published", params.site.no_secrets)
        for week in weeks:
            _copy_edition(store, week, output / "editions" / str(week))
        files = sorted((p for p in shelf.rglob("*") if p.is_file()), key=lambda p: (p.name == "index.html", p))
        for path in files:
            place = output / path.relative_to(shelf)
            place.parent.mkdir(parents=True, exist_ok=True)
            part = place.with_name(place.name + ".part")
            shutil.copyfile(path, part)
            os.replace(part, place)  # noqa: PTH105  whole or not at all
        part = output / f"{STAMP}.part"
        part.write_text(json.dumps({"stamp": stamp}), encoding="utf-8")
        os.replace(part, output / STAMP)  # noqa: PTH105
    except GazetteError:
        raise
    except OSError as error:
        raise write_error(error, output) from error
    finally:
        shutil.rmtree(shelf, ignore_errors=True)


def _copy_edition(store: Store, week: Week, place: Path) -> None:
    """The edition's pages and manifest; what is there already with the same manifest stays untouched."""
    sealed = store.open(week)
    try:
        if (place / "manifest.json").read_bytes() == sealed.seal()["manifest.json"]:
            return
    except OSError:
        pass  # not there yet
    if problems := store.check(week):
        listing = "\n".join(f"  - {p}" for p in problems)
        raise EditionError(
            f"edition {week} is not what was sealed:\n{listing}",
            where=str(store.root),
            mend="restore it from a copy; it is not published as it is",
        )
    if (place / "manifest.json").exists():
        raise EditionError(
            f"readers saw another edition {week} than the one that is sealed",
            where=str(place),
            mend="restore the sealed edition that was published; what readers saw never changes",
        )
    part, old = place.with_name(f"{week}.part"), place.with_name(f"{week}.old")
    for stray in (part, old):
        shutil.rmtree(stray, ignore_errors=True)
    copy_writable(sealed.within("site") / "site", part)
    for name, content in sealed.seal().items():
        (part / name).write_bytes(content)
    store.mark_published(week)  # before any reader can see it: killed after this, it is put there by the next build
    if place.exists():
        place.rename(old)
    part.rename(place)
    shutil.rmtree(old, ignore_errors=True)
