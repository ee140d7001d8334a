"""Pages of earlier editions that an edition's pages link to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gazette.snapshot import reopen

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["earlier_tests"]


def earlier_tests(edition: Path) -> set[str]:
    """Addresses, from the edition's root, of the last page of each test that only earlier editions have."""
    folder = edition / "snapshot" / "portfolio"
    if not folder.is_dir() or not (snapshot := reopen(folder)).has("earlier"):
        return set()
    rows = snapshot.table("earlier")
    return {f"../{e}/experiments/{t}.html" for e, t in zip(rows["edition"], rows["test"], strict=True)}
