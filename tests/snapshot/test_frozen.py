from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from gazette.errors import SnapshotError
from gazette.snapshot import freeze, reopen, verify
from gazette.sources import Answer

if TYPE_CHECKING:
    from pathlib import Path

ANSWERS = [
    Answer("arms", "SELECT 1\n", pa.table({"n": [1, 2], "m": [0.5, None]})),
    Answer("empty", "SELECT 2\n", pa.table({"n": pa.array([], pa.int64())})),
]


def test_the_same_answers_freeze_to_the_same_bytes(tmp_path: Path) -> None:
    first, second = freeze("a", ANSWERS, tmp_path / "1"), freeze("a", ANSWERS, tmp_path / "2")
    assert first.digest == second.digest
    for path in (tmp_path / "1").iterdir():
        assert path.read_bytes() == (tmp_path / "2" / path.name).read_bytes()


def test_a_frozen_table_comes_back_with_its_query(tmp_path: Path) -> None:
    snapshot = reopen(freeze("a", ANSWERS, tmp_path / "s").directory)
    assert snapshot.table("arms")["n"].tolist() == [1, 2]
    assert len(snapshot.table("empty")) == 0
    assert (tmp_path / "s" / "arms.sql").read_text() == "SELECT 1\n"
    assert snapshot.has("arms")
    assert not snapshot.has("legs")


def test_other_rows_or_another_query_change_the_digest(tmp_path: Path) -> None:
    base = freeze("a", ANSWERS, tmp_path / "1").digest
    assert (
        freeze(
            "a", [Answer("arms", "SELECT 1\n", pa.table({"n": [1, 3], "m": [0.5, None]})), ANSWERS[1]], tmp_path / "2"
        ).digest
        != base
    )
    assert freeze("a", [Answer("arms", "SELECT 9\n", ANSWERS[0].table), ANSWERS[1]], tmp_path / "3").digest != base


def test_a_flipped_byte_is_found_before_anything_is_read(tmp_path: Path) -> None:
    snapshot = freeze("a", ANSWERS, tmp_path / "s")
    path = tmp_path / "s" / "arms.parquet"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(SnapshotError, match="frozen data changed"):
        snapshot.table("arms")
    with pytest.raises(SnapshotError, match="frozen data changed"):
        verify(snapshot)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    snapshot = freeze("a", ANSWERS, tmp_path / "s")
    (tmp_path / "s" / "arms.parquet").unlink()
    with pytest.raises(SnapshotError, match=r"arms\.parquet"):
        verify(snapshot)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"queries": [{}], "subject": "a"}', '{"subject": "a"}'])
def test_a_half_written_snapshot_is_refused(tmp_path: Path, text: str) -> None:
    freeze("a", ANSWERS, tmp_path / "s")
    (tmp_path / "s" / "snapshot.json").write_text(text)
    with pytest.raises(SnapshotError, match="cannot be read"):
        reopen(tmp_path / "s")


def test_an_unknown_query_names_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(SnapshotError, match="arms, empty"):
        freeze("a", ANSWERS, tmp_path / "s").table("legs")


def test_a_folder_that_cannot_be_written_is_an_error_of_ours(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SnapshotError, match="cannot be written"):
        freeze("a", ANSWERS, tmp_path / "file" / "s")
