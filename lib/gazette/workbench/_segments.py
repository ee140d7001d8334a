"""A model's segments: which moved by more than chance, however many are looked at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any, Literal

from gazette import monitoring, stats
from gazette.record import NotPublished
from gazette.workbench._bench import slug
from gazette.workbench._measures import ModelMeasures, records_of
from gazette.workbench._parts import shown_value

__all__ = ["Comparison", "ModelSegments", "Segment"]


@dataclass(frozen=True)
class Comparison:
    """A segment's difference to last week or to the baseline.

    Attributes:
        estimate: The difference with the range that holds together with all others of its family, or why there is none.
    """

    estimate: stats.Estimate | NotPublished

    @property
    def p_value(self) -> float | None:
        """Of this difference alone, None without an estimate."""
        return None if isinstance(self.estimate, NotPublished) else self.estimate.p_value

    @property
    def arrow(self) -> Literal["up", "down", "steady"]:
        """Up or down only where the range excludes nought."""
        e = self.estimate
        if isinstance(e, NotPublished) or e.low <= 0 <= e.high:
            return "steady"
        return "up" if e.low > 0 else "down"


@dataclass(frozen=True)
class Segment:
    """One value of one property, on the main measure."""

    by: str
    of: str
    n: int
    level: stats.Estimate | monitoring.Bare | NotPublished
    change: Comparison
    against: Comparison

    @property
    def name(self) -> str:
        """For ids of numbers."""
        return slug(f"{self.by}-{self.of}")


class ModelSegments(ModelMeasures):
    """Segments of the main measure."""

    @cached_property
    def _segment_rows(self) -> list[tuple[tuple[str, str], int, Any, Any, Any]]:
        """Property and value, rows, level and the two differences of every segment of this week or last."""
        if not self.plan.scores.segments or self.stop is not None or "live" not in self.versions:
            return []
        metric = self.plan.measures[0]
        frame = self.snapshot.table("segments")
        live = frame[frame["version"] == self.versions["live"]["version"]]
        rows = {(r["segment"], shown_value(r["of"]), r["week"].date()): r for r in records_of(live)}
        paired = self.snapshot.table("segments_paired")
        against = {(r["segment"], shown_value(r["of"])): r for r in records_of(paired)}
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
            change = (
                monitoring.independent_difference(level, self.level(before, metric, when="then")) if equal else unequal
            )
            found.append((key, int(now["n"]) if now else 0, level, change, self.difference(against.get(key), metric)))
        return found

    def _segments_apart(self) -> list[tuple[Any, Any]]:
        return [(change, against) for _, _, _, change, against in self._segment_rows]

    @cached_property
    def segments_read(self) -> list[Segment]:
        """Every segment of this week or last; its differences hold together with those of the measures."""
        wide = zip(self._segment_rows, self.held["change"][1], self.held["vs-baseline"][1], strict=True)
        return [Segment(*row[0], row[1], row[2], Comparison(a), Comparison(b)) for row, a, b in wide]

    def _place(self, key: tuple[str, str], rows: dict[Any, dict[str, Any]]) -> tuple[int, int, str]:
        """By property as the parameters list them, the segment with most rows first."""
        now = rows.get((*key, self.week_start))
        return self.plan.scores.segments.index(key[0]), -int(now["n"]) if now else 0, key[1]
