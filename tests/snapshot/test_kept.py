from __future__ import annotations

from pathlib import Path

import pytest

from gazette.site._theme import chart_library
from gazette.snapshot import keep, kept
from small import CACHE, REPOSITORY


def test_what_was_kept_comes_back_byte_for_byte(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "file"
    for content in (b"", b"\n\n", bytes(range(256)) * 3):
        keep(path, content)
        assert kept(path) == content
    assert [p.name for p in path.parent.iterdir()] == ["file"]


@pytest.mark.parametrize(
    "change", [lambda b: b[:-1], lambda b: b + b" ", lambda b: b[:0], lambda b: b[65:], lambda b: b"x" + b]
)
def test_what_was_changed_or_cut_short_is_not_taken(tmp_path: Path, change: object) -> None:
    path = tmp_path / "file"
    keep(path, b"content")
    path.write_bytes(change(path.read_bytes()))  # type: ignore[operator]
    assert kept(path) is None


def test_where_nothing_can_be_kept_nothing_is_lost(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    keep(tmp_path / "file" / "below", b"content")
    assert kept(tmp_path / "file" / "below") is None
    assert (tmp_path / "file").read_text() == "in the way"


def test_a_script_that_somebody_changed_in_the_cache_goes_on_no_page(tmp_path: Path) -> None:
    whole = chart_library(REPOSITORY / CACHE)
    (place,) = (REPOSITORY / CACHE).glob("vega-*.js")
    bad = tmp_path / place.name
    bad.write_bytes(place.read_bytes().replace(b"function", b"Function", 1))
    assert chart_library(tmp_path) == whole
    assert chart_library(REPOSITORY / CACHE) == kept(bad), "and the good one was kept in its place"
