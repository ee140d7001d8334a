"""A model's segments: which moved by more than chance, corrected for how many were looked at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from scipy.special import ndtr

from gazette import monitoring, stats
from gazette.record import NotPublished
from gazette.workbench._bench import slug
from gazette.workbench._measures import ModelMeasures, records_of

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Comparison", "ModelSegments", "Segment"]

ALPHA = 0.05
FEWEST = 20  # rows of each class without which a range of a ranking measure cannot be trusted


@dataclass(frozen=True)
class Comparison:
    """A segment's difference to last week or to the baseline.

    Attributes:
        estimate: The difference with its own 95 % range, or why there is none.
        p_value: Corrected over all comparisons on the page (Holm), None without an estimate.
        arrow: Up or down only where the corrected p-value is at most 5 %.
    """

    estimate: stats.Estimate | NotPublished
    p_value: float | None
    arrow: Literal["up", "down", "steady"]


@dataclass(frozen=True)
class Segment:
    """One value of one property, on the main measure."""

    by: str
    of: str
    n: int
    level: stats.Estimate | NotPublished
    change: Comparison
    against: Comparison

    @property
    def name(self) -> str:
        """For ids of numbers."""
        return slug(f"{self.by}-{self.of}")


class ModelSegments(ModelMeasures):
    """Segments of the main measure."""

    @cached_property
    def segments_read(self) -> list[Segment]:
        """Every segment of this week or last, its two differences corrected together."""
        if not self.plan.scores.segments or self.stop is not None or "live" not in self.versions:
            return []
        metric = self.plan.measures[0]
        frame = self.snapshot.table("segments")
        live = frame[frame["version"] == self.versions["live"]["version"]]
        rows = {(r["segment"], r["of"], r["week"].date()): r for r in records_of(live)}
        paired = {(r["segment"], r["of"]): r for r in records_of(self.snapshot.table("segments_paired"))}
        last = self.week_start - timedelta(days=7)
        keys = sorted(
            {(s, o) for s, o, week in rows if week in {self.week_start, last}}, key=lambda k: self._place(k, rows)
        )
        found: list[tuple[tuple[str, str], int, Any, Any, Any]] = []
        equal = self.alike(last)
        unequal = NotPublished(reason="outcomes of the two weeks are not equally complete")
        for key in keys:
            now, before = (rows.get((*key, week)) for week in (self.week_start, last))
            level = self.level(now, metric)
            change = monitoring.independent_difference(level, self.level(before, metric)) if equal else unequal
            against = self.difference(paired.get(key), metric)
            if few := self._too_few(now) or (self._too_few(before) if before else None):
                change = change if isinstance(change, NotPublished) else few
            if few := self._too_few(now):
                against = against if isinstance(against, NotPublished) else few
            found.append((key, int(now["n"]) if now else 0, level, change, against))
        return _corrected(found)

    def _place(self, key: tuple[str, str], rows: dict[Any, dict[str, Any]]) -> tuple[int, int, str]:
        """By property as the parameters list them, the segment with most rows first."""
        now = rows.get((*key, self.week_start))
        return self.plan.scores.segments.index(key[0]), -int(now["n"]) if now else 0, key[1]

    def _too_few(self, row: dict[str, Any] | None) -> NotPublished | None:
        if row is None or "positive" not in row:
            return None
        if min(int(row["positive"]), int(row["n"]) - int(row["positive"])) >= FEWEST:
            return None
        return NotPublished(reason=f"fewer than {FEWEST} rows of one class")


def _corrected(found: Sequence[tuple[tuple[str, str], int, Any, Any, Any]]) -> list[Segment]:
    flat = [e for row in found for e in row[3:] if isinstance(e, stats.Estimate)]
    p_values = [2 * float(ndtr(-abs(e.value / e.standard_error))) for e in flat]
    adjusted = iter(stats.adjust(p_values, "holm"))

    def compared(estimate: stats.Estimate | NotPublished) -> Comparison:
        if isinstance(estimate, NotPublished):
            return Comparison(estimate, None, "steady")
        p = next(adjusted)
        return Comparison(estimate, p, "steady" if p > ALPHA else "up" if estimate.value > 0 else "down")

    return [Segment(*key, n, level, compared(change), compared(against)) for key, n, level, change, against in found]
