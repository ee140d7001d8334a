"""What past tests and model versions did to technical and business metrics, as an edition froze it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from gazette import translation
from gazette.record import NotPublished
from gazette.snapshot import reopen
from gazette.workbench._measures import records_of

if TYPE_CHECKING:
    from pathlib import Path

    from gazette.params import Translation

__all__ = ["Lever", "PastChanges"]


@dataclass(frozen=True)
class Lever:
    """Something that moved a technical metric: its name, the change with its standard error, when."""

    name: str
    change: float
    error: float
    when: str


class PastChanges:
    """Past tests (snapshot ``history``) and versions of models in earlier editions (snapshot ``translation``)."""

    def __init__(self, root: Path) -> None:
        rows = {
            str(r["test"]): r for r in self._rows(root, "history", "past_tests")
        }  # recorded twice: the newer counts
        self.tests = list(rows.values())
        folder = root / "snapshot" / "history"
        self.digest = reopen(folder).digest if folder.is_dir() else ""
        self.versions = self._rows(root, "translation", "versions")
        self.rows = {str(r["row"]): r for r in self._rows(root, "translation", "rows")}

    @staticmethod
    def _rows(root: Path, subject: str, query: str) -> list[dict[str, Any]]:
        folder = root / "snapshot" / subject
        if not folder.is_dir():
            return []
        snapshot = reopen(folder)
        return records_of(snapshot.table(query)) if snapshot.has(query) else []

    def past(self, row: Translation) -> tuple[list[translation.Past], int]:
        """Changes that speak of a row, in its units, and how many were left out for want of a change or a standard error."""
        found, left = [], 0
        if (row.technical_unit, row.business_unit) == ("points", "relative"):
            for test in self.tests:
                if test["technical"] != row.technical or test["metric"] != row.business:
                    continue
                values = [_real(test[k]) for k in ("technical_change", "technical_error", "effect", "effect_error")]
                if any(v is None for v in values) or min(values[1] or 0.0, values[3] or 0.0) <= 0:
                    left += 1
                    continue
                found.append(translation.Past(str(test["title"]), *(v or 0.0 for v in values)))
        for one in self.versions:
            if one["metric"] != row.technical or one["unit"] != row.technical_unit:
                continue
            if row.models and one["model"] not in row.models:
                continue
            for other in self.versions:
                same = (other["model"], other["version"]) == (one["model"], one["version"])
                if same and other["metric"] == row.business and other["unit"] == row.business_unit:
                    name = f"{one['model']} {one['version']}"
                    found.append(translation.Past(name, one["change"], one["error"], other["change"], other["error"]))
        return found, left

    def learnt(self, row: Translation) -> translation.Learnt | NotPublished:
        """The slope that they show for a row."""
        return translation.learn(self.past(row)[0])

    def levers(self, metric: str, unit: str) -> list[Lever]:
        """What moved a technical metric by more than its error explains, the largest gain first."""
        found = []
        for test in self.tests if unit == "points" else []:
            change, error = _real(test["technical_change"]), _real(test["technical_error"])
            if test["technical"] == metric and change is not None and error is not None and error > 0:
                found.append(Lever(str(test["title"]), change, error, f"test ended {test['ended']:%Y-%m-%d}"))
        for one in self.versions:
            if one["metric"] == metric and one["unit"] == unit:
                name = f"{one['model']} {one['version']}"
                found.append(Lever(name, one["change"], one["error"], f"version in edition {one['edition']}"))
        clear = [x for x in found if abs(x.change) > 2 * x.error]
        return sorted(clear, key=lambda x: (-abs(x.change), x.name))

    @cached_property
    def empty(self) -> bool:
        """Whether nothing is known of the past."""
        return not self.tests and not self.versions


def _real(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) and math.isfinite(value) else None
