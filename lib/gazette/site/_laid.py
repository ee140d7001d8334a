"""What lies on the published site, against what was put there: somebody may have changed it since."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from gazette.editions import verifier
from gazette.editions.verifier import Problem

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from gazette.editions import Store, Week

__all__ = ["copy_problems", "forgotten", "has_stamp", "shelf_problems", "strays", "write_stamp"]

STAMP = ".gazette-site.json"
SHELF = "shelf"


def write_stamp(output: Path, stamp: str, files: list[str]) -> None:
    """Note what the site was made of, and the digest of each file of the shelf, by its path from the site's root.

    Raises:
        OSError: The disk refuses.
    """
    content = {"stamp": stamp, "files": {name: verifier.digest_of(output / name) for name in sorted(files)}}
    part = output / f"{STAMP}.part"
    part.write_text(json.dumps(content, indent=1), encoding="utf-8")
    part.replace(output / STAMP)


def _noted(output: Path) -> tuple[str, dict[str, str]] | None:
    """Stamp, and digests by path; none of these where an earlier version published, which noted the stamp alone."""
    try:
        content = json.loads((output / STAMP).read_text(encoding="utf-8"))
        return str(content["stamp"]), {str(k): str(v) for k, v in content.get("files", {}).items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def has_stamp(output: Path, stamp: str) -> bool:
    """Whether this is what the site was made of, and each file of its shelf is known."""
    noted = _noted(output)
    return noted is not None and noted[0] == stamp and bool(noted[1])


def shelf_problems(output: Path) -> list[Problem]:
    """Pages, scripts and styles above the editions that are not what was published."""
    noted = _noted(output)
    if noted is None:
        return [Problem(SHELF, STAMP, "missing or malformed: what the shelf was is not known", copy="published")]
    problems = []
    for name, recorded in noted[1].items():
        path = output / name
        try:
            found = "" if path.is_symlink() or not path.is_file() else verifier.digest_of(path)
        except OSError:
            found = ""
        if found != recorded:
            what = "changed" if found else "missing, or not a file that can be read"
            problems.append(Problem(SHELF, name, what, recorded, found, copy="published"))
    return problems


def strays(output: Path, weeks: Collection[str]) -> list[Problem]:
    """Files on the site that nobody published: not of the shelf, nor in the folder of an edition, which is compared by itself."""
    noted = _noted(output)
    if noted is None or not noted[1]:
        return []
    known = {STAMP, *noted[1]}
    found = []
    for path in sorted(output.rglob("*")):
        name = path.relative_to(output).as_posix()
        above, _, rest = name.removeprefix("editions/").partition("/")
        of_edition = name.startswith("editions/") and rest and above in weeks
        if (path.is_file() or path.is_symlink()) and name not in known and not of_edition:
            found.append(Problem(SHELF, name, "nobody published this file", copy="published"))
    return found


def forgotten(output: Path, files: Collection[str]) -> list[Path]:
    """Files of an earlier shelf that this one has no more."""
    noted = _noted(output)
    return [output / name for name in sorted((noted[1] if noted else {}).keys() - set(files))]


def copy_problems(store: Store, week: Week, output: Path) -> list[Problem]:
    """What of an edition's published copy is not what was sealed; empty also where nothing lies there yet."""
    place, name = output / "editions" / str(week), str(week)
    if not place.exists() and not place.is_symlink():
        return []
    if place.is_symlink():
        return [Problem(name, "", "a symbolic link", copy="published")]
    seal = verifier.read_seal(place, name, "published")
    if isinstance(seal, Problem):
        return [seal]
    sealed = store.open(week).seal()
    problems = list(verifier.check_files(place, name, seal, copy="published").problems)
    for file in (verifier.MANIFEST, verifier.SIGNATURE):
        path = place / file
        if (path.read_bytes() if path.is_file() else None) != sealed.get(file):
            problems.append(Problem(name, file, "not that of the sealed edition", copy="published"))
    return problems
