"""Put sealed editions and the shelf where readers are; at every instant the folder holds a whole site."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from gazette.editions import copy_writable, files_below, refuse_leaks, verifier, write_error
from gazette.errors import EditionError, GazetteError
from gazette.register import newest_replays
from gazette.site._laid import copy_problems, forgotten, has_stamp, shelf_problems, write_stamp
from gazette.site._shelf import render_shelf
from gazette.site._shelf_more import scripts, slots

if TYPE_CHECKING:
    from collections.abc import Collection

    from gazette.editions import Store, Week
    from gazette.editions.verifier import Problem
    from gazette.params import Params
    from gazette.site._engine import Engine

__all__ = ["is_published", "publish", "shelf_stamp"]


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


def is_published(store: Store, output: Path, stamp: str) -> tuple[bool, list[Problem]]:
    """Whether the folder was published with this stamp, and what of it is not as it was put there."""
    problems = shelf_problems(output) if output.is_dir() else []
    for week in store.weeks():
        problems += copy_problems(store, week, output)
    return has_stamp(output, stamp), problems


def publish(
    store: Store,
    *,
    project: Path,
    params: Params,
    output: Path,
    engine: Engine,
    work: Path,
    stamp: str,
    wrong: Collection[Problem] = (),
) -> None:
    """Copy editions that are not there yet or were changed there, then swap in the shelf, its index page last.

    Args:
        store: The sealed editions.
        project: The project's folder.
        params: Its parameters.
        output: The site's folder.
        engine: What renders the shelf.
        work: A folder to work in.
        stamp: From `shelf_stamp`.
        wrong: What `is_published` found not to be as it was put there.

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
    changed = {p.edition for p in wrong}
    try:
        refuse_leaks(files_below(shelf), "published", params.site.no_secrets)
        for week in weeks:
            if str(week) in changed or not (output / "editions" / str(week)).is_dir():
                _copy_edition(store, week, output)
        files = sorted((p for p in shelf.rglob("*") if p.is_file()), key=lambda p: (p.name == "index.html", p))
        for path in files:
            place = output / path.relative_to(shelf)
            place.parent.mkdir(parents=True, exist_ok=True)
            part = place.with_name(place.name + ".part")
            shutil.copyfile(path, part)
            os.replace(part, place)  # noqa: PTH105  whole or not at all
        names = [path.relative_to(shelf).as_posix() for path in files]
        for path in forgotten(output, names):
            path.unlink(missing_ok=True)
        write_stamp(output, stamp, names)
    except GazetteError:
        raise
    except OSError as error:
        raise write_error(error, output) from error
    finally:
        shutil.rmtree(shelf, ignore_errors=True)


def _copy_edition(store: Store, week: Week, output: Path) -> None:
    """The edition's pages and manifest, in the place of whatever is there."""
    place = output / "editions" / str(week)
    sealed = store.open(week)
    there = place.exists() or place.is_symlink()
    if problems := store.check(week):
        listing = "\n".join(f"  - {p}" for p in problems)
        raise EditionError(
            f"edition {week} is not what was sealed:\n{listing}",
            where=str(store.root),
            mend="restore it from a copy; it is not published as it is",
        )
    seen = place / verifier.MANIFEST
    if there and not place.is_symlink() and seen.is_file() and seen.read_bytes() != sealed.seal()[verifier.MANIFEST]:
        raise EditionError(
            f"readers saw another edition {week} than the one that is sealed",
            where=str(place),
            mend="restore the sealed edition that was published; what readers saw never changes",
        )
    part, old = place.with_name(f"{week}.part"), place.with_name(f"{week}.old")
    for stray in (part, old):
        _remove(stray)
    copy_writable(sealed.within("site") / "site", part)
    for name, content in sealed.seal().items():
        (part / name).write_bytes(content)
    store.mark_published(week)  # before any reader can see it: killed after this, it is put there by the next build
    if there:
        place.rename(old)
    part.rename(place)
    _remove(old)


def _remove(path: Path) -> None:
    if path.is_symlink():
        path.unlink()
    else:
        shutil.rmtree(path, ignore_errors=True)
