"""YAML that no parser expects ends in a clear problem at once: values that cannot be, tags, aliases that multiply."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from gazette.params._load import read

if TYPE_CHECKING:
    from pathlib import Path

    from gazette.params._problem import Problem

VALUES = (
    "2026-13-45", "2026-02-30", "2026-11-09 25:00:00", "9" * 5000, "!!int x", "!!float x", "!!bool maybe", "!!timestamp x",
)  # fmt: skip


@pytest.mark.parametrize("value", VALUES)
def test_a_value_that_cannot_be_is_a_problem_of_its_file(tmp_path: Path, value: str) -> None:
    path, found = tmp_path / "a.yml", list["Problem"]()
    path.write_text(f"start: {value}\n")
    assert read(path, "a.yml", found) is None
    (problem,) = found
    assert "a value is none of its kind" in str(problem)
    assert len(str(problem)) < 400


def test_aliases_that_multiply_are_counted_and_not_written_out(tmp_path: Path) -> None:
    path, found = tmp_path / "a.yml", list["Problem"]()
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 12)]
    path.write_text("\n".join(lines))
    start = time.perf_counter()
    assert read(path, "a.yml", found) is None
    assert time.perf_counter() - start < 2
    assert "aliases" in str(found[0])


def test_a_document_that_nests_without_end_says_so(tmp_path: Path) -> None:
    path, found = tmp_path / "a.yml", list["Problem"]()
    path.write_text("a: " + "[" * 3000)
    assert read(path, "a.yml", found) is None
    assert "nested too deeply" in str(found[0])


def test_aliases_that_say_a_thing_twice_are_fine(tmp_path: Path) -> None:
    path, found = tmp_path / "a.yml", list["Problem"]()
    path.write_text("a: &one {b: 1}\nc: *one\nd: *one\n")
    source = read(path, "a.yml", found)
    assert source is not None
    assert source.raw == {"a": {"b": 1}, "c": {"b": 1}, "d": {"b": 1}}
    assert found == []
