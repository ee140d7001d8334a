"""The record as a whole: sealed editions, their chain, their signatures, and the copies that readers see."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from gazette.editions import verifier
from gazette.editions._keys import fits
from gazette.errors import EditionError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from pathlib import Path

    from gazette.editions._store import Store
    from gazette.editions._week import Week

__all__ = ["verify_editions"]


def verify_editions(
    store: Store,
    weeks: Sequence[Week] = (),
    *,
    keys: Collection[bytes] = (),
    published: Path | None = None,
    named: Mapping[tuple[str, str], Collection[str]] = MappingProxyType({}),
    say: Callable[[str, str], None] = lambda _edition, _what: None,
) -> verifier.Checked:
    """Check sealed editions, and their published copies.

    Args:
        store: The sealed editions.
        weeks: Those whose files are compared, by default all; the chain of manifests is always read whole.
        keys: Public keys that are trusted, 32 bytes each.
        published: The site's ``editions/`` folder, None to leave it out.
        named: Edition and digest to what names this manifest beside the chain: files in git that were bound to it.
        say: Told of each edition before it is checked.

    Raises:
        EditionError: There is no such edition, none at all, or no site.
    """
    only = tuple(map(str, weeks))
    known = verifier.edition_folders(store.root) if store.root.is_dir() else []
    if missing := [w for w in only if w not in known]:
        listing = ", ".join(known) or "none"
        raise EditionError(
            f"there is no edition {missing[0]}", where=str(store.root), mend=f"sealed editions: {listing}"
        )
    marked = store.root / verifier.MARKERS
    if not known and not named and not (marked.is_dir() and any(marked.iterdir())):
        raise EditionError("there is no edition to verify", where=str(store.root), mend="run 'gazette build'")
    found = verifier.check_many(
        store.root,
        only=only,
        keys=keys,
        fits=fits,
        copy="sealed",
        named=named,
        say=lambda week: say(week, "Comparing files"),
    )
    return found if published is None else _with_copies(store, found, published, only, say)


def _with_copies(
    store: Store, found: verifier.Checked, folder: Path, only: Collection[str], say: Callable[[str, str], None]
) -> verifier.Checked:
    """Add what is wrong with the copies that readers see; what is wrong with a sealed manifest is said once, of that one."""
    if not folder.is_dir():
        raise EditionError("there is no published site", where=str(folder), mend="run 'gazette build'")
    problems, files = list(found.problems), found.files
    there = verifier.edition_folders(folder)
    doubted = {p.edition for p in problems if p.file == verifier.MANIFEST}
    marked = store.root / verifier.MARKERS
    wanted = {w for w in verifier.edition_folders(store.root) if (marked / w).exists()} | set(there)
    for week in sorted(wanted & set(only) if only else wanted):
        say(week, "Comparing the published copy")
        if week not in there or (folder / week).is_symlink():
            what = "a symbolic link" if week in there else "missing; the edition was published"
            problems.append(verifier.Problem(week, "", what, copy="published"))
            continue
        seal = verifier.read_seal(folder / week, week, "published")
        if isinstance(seal, verifier.Problem):
            problems.append(seal)
            continue
        sealed = verifier.read_seal(store.root / week, week)
        if isinstance(sealed, verifier.Problem):
            if week not in doubted:
                problems.append(
                    verifier.Problem(week, verifier.MANIFEST, "there is no such sealed edition", copy="published")
                )
        elif sealed.digest != seal.digest and week not in doubted:
            what = "not the manifest of the sealed edition"
            problems.append(
                verifier.Problem(week, verifier.MANIFEST, what, sealed.digest, seal.digest, copy="published")
            )
        part = verifier.check_files(folder / week, week, seal, copy="published")
        files += part.files
        problems += part.problems
        if fault := verifier.check_signature(folder / week, week, seal, fits=fits, copy="published"):
            problems.append(fault)
    return found._replace(files=files, problems=tuple(sorted(problems)))
