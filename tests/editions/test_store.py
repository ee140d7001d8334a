from __future__ import annotations

import errno
import json
import shutil
from typing import TYPE_CHECKING

import pytest

from gazette.editions import Store, Week, write_error
from gazette.errors import EditionError
from program import writable

if TYPE_CHECKING:
    from pathlib import Path

    from gazette.editions import Manifest

W45, W46, W47 = map(Week.parse, ("2026-W45", "2026-W46", "2026-W47"))


def seal(store: Store, week: Week, text: str = "page", *, replace: bool = False) -> Manifest:
    staging = store.staging(week)
    (staging / "site").mkdir()
    (staging / "site" / "index.html").write_text(text)
    (staging / "edition.json").write_text("{}")
    manifest = store.seal(staging, week, versions={"python": "3"}, facts={"headline": "h"}, replace=replace)
    writable(store.path(week))  # tests spoil it
    return manifest


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "editions")
    for week in (W45, W46):
        seal(store, week)
    return store


def test_an_edition_names_the_manifest_before_it(store: Store) -> None:
    assert store.weeks() == [W45, W46]
    assert store.manifest(W45).previous is None
    assert store.manifest(W46).previous == ("2026-W45", store.manifest(W45).digest)
    assert store.check(W45) == store.check(W46) == []
    assert set(store.manifest(W45).files) == {"edition.json", "site/index.html"}


def test_the_same_files_give_the_same_digest(tmp_path: Path) -> None:
    assert seal(Store(tmp_path / "a"), W45).digest == seal(Store(tmp_path / "b"), W45).digest
    assert seal(Store(tmp_path / "c"), W45, "other").digest != seal(Store(tmp_path / "d"), W45).digest


def test_a_flipped_byte_a_lost_file_and_a_stray_one_are_each_named(store: Store) -> None:
    folder = store.path(W46)
    (folder / "site" / "index.html").write_text("pagf")
    (folder / "edition.json").unlink()
    (folder / "extra").write_text("")
    assert {p.file: p.what.split()[0] for p in store.check(W46)} == {
        "site/index.html": "changed",
        "edition.json": "missing",
        "extra": "not",
    }


@pytest.mark.parametrize("damage", ["", "{", "[]", "null", '{"schema": "gazette.manifest/1"}', "\x00\xff"])
def test_a_damaged_manifest_is_not_trusted(store: Store, damage: str) -> None:
    (store.path(W46) / "manifest.json").write_text(damage)
    with pytest.raises(EditionError, match=r"cannot be trusted(?s:.*)restore"):
        store.manifest(W46)


def test_a_manifest_that_was_read_before_it_was_damaged_is_not_trusted_either(store: Store) -> None:
    read = store.manifest(W45)
    assert store.manifest(W45) is read, "once is enough while the file is the same"
    path = store.path(W45) / "manifest.json"
    path.write_text(path.read_text().replace('"headline": "h"', '"headline": "x"'))
    with pytest.raises(EditionError, match="cannot be trusted"):
        store.manifest(W45)
    path.unlink()
    with pytest.raises(EditionError, match="there is no edition 2026-W45"):
        store.manifest(W45)


def test_a_manifest_that_was_edited_is_not_trusted(store: Store) -> None:
    path = store.path(W46) / "manifest.json"
    content = json.loads(path.read_text())
    content["files"]["edition.json"] = "0" * 64
    path.write_text(json.dumps(content))
    with pytest.raises(EditionError, match="digest does not fit"):
        store.manifest(W46)


def test_a_replaced_edition_breaks_the_chain(store: Store) -> None:
    shutil.rmtree(store.path(W45))
    other = Store(store.root.parent / "other")
    seal(other, W45, "rewritten")
    shutil.copytree(other.path(W45), store.path(W45))
    assert store.check(W45) == [], "it is sound in itself"
    (problem,) = store.check(W46)
    assert "not the one it names" in problem.what


def test_a_lost_edition_breaks_the_chain(store: Store) -> None:
    shutil.rmtree(store.path(W45))
    assert ["not the one it names" in p.what for p in store.check(W46)] == [True]


def test_a_sealed_week_is_never_sealed_again(store: Store) -> None:
    before = (store.path(W46) / "manifest.json").read_bytes()
    with pytest.raises(EditionError, match="never changes"):
        seal(store, W46, "new")
    assert (store.path(W46) / "manifest.json").read_bytes() == before


def test_an_older_week_is_refused(store: Store) -> None:
    with pytest.raises(EditionError, match=r"2026-W44 cannot be made any more: 2026-W46"):
        seal(store, W45.next(-1))


def test_an_edition_that_is_not_there_is_named_with_those_that_are(store: Store) -> None:
    with pytest.raises(EditionError, match=r"no edition 2026-W47(?s:.*)2026-W45, 2026-W46"):
        store.manifest(W47)


def test_what_an_earlier_build_left_is_removed(store: Store) -> None:
    (store.staging(W47) / "half").write_text("x")
    assert list(store.staging(W47).iterdir()) == []
    assert store.weeks() == [W45, W46], "staging is not an edition"


def test_folders_that_are_no_editions_are_left_alone(store: Store) -> None:
    (store.root / "notes").mkdir()
    (store.root / "2026-W47").mkdir()  # no manifest: somebody's copy, half made
    assert store.weeks() == [W45, W46]
    assert not store.is_sealed(W47)


def test_only_the_newest_unpublished_edition_can_be_replaced(store: Store) -> None:
    with pytest.raises(EditionError, match="not the newest"):
        store.refuse_replacing(W45)
    old = store.manifest(W46).digest
    assert seal(store, W46, "mended", replace=True).digest != old
    assert store.check(W46) == []
    store.mark_published(W46)
    with pytest.raises(EditionError, match="what readers saw never changes"):
        seal(store, W46, "again", replace=True)


def test_a_full_disk_is_said_in_words(tmp_path: Path) -> None:
    assert "the disk is full" in str(write_error(OSError(errno.ENOSPC, "No space"), tmp_path))
    assert "the disk is full" in str(
        write_error(shutil.Error([("a", "b", "[Errno 28] No space left on device")]), tmp_path)
    )
    assert "Permission denied" in str(write_error(PermissionError(errno.EACCES, "Permission denied"), tmp_path))
