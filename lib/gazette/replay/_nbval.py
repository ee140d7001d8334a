"""nbval's comparison of outputs, without its kernel and without pytest."""

from __future__ import annotations

from typing import Any

import nbformat
from nbval.plugin import IPyNbCell, coalesce_streams, nocolors

__all__ = ["Comparer"]


class _Place:
    """What nbval's cell asks of the notebook that it stands in."""

    def __init__(self, patterns: dict[str, str], skipped: tuple[str, ...]) -> None:
        self.skip_compare = skipped
        self.sanitize_patterns = patterns


class _Cell(IPyNbCell):  # type: ignore[misc]  # nbval has no types
    def format_output_compare(self, key: str, left: Any, right: Any) -> None:
        """What differs, in a line; nbval's own asks hooks of a pytest session."""
        self.comparison_traceback.append(f"mismatch {key!r}: {left!r:.200} is now {right!r:.200}")


class Comparer:
    """Compares cells of two notebooks that were executed by the same worker that builds use.

    Args:
        patterns: What to replace before comparing, by regular expression.
        skipped: Keys of outputs that are not compared.
    """

    def __init__(self, patterns: dict[str, str], skipped: tuple[str, ...]) -> None:
        self._cell = _Cell.__new__(_Cell)  # pytest would make it of a collected file
        self._cell.parent, self._cell.colors = _Place(patterns, skipped), nocolors
        self._cell.comparison_traceback = []

    def equal(self, before: list[dict[str, Any]], after: list[dict[str, Any]]) -> bool:
        """Whether the outputs of a cell agree."""
        old, new = (coalesce_streams([nbformat.from_dict(o) for o in outputs]) for outputs in (before, after))  # type: ignore[no-untyped-call]
        return bool(self._cell.compare_outputs(new, old))

    @property
    def said(self) -> str:
        """The first thing that nbval found, in a line; empty where it found nothing."""
        found = self._cell.comparison_traceback
        return str(found[0]).splitlines()[0] if found else ""
