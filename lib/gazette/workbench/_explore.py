"""The part of a model's page that a reader filters: aggregates per measure, version, segment and week."""

from __future__ import annotations

from datetime import timedelta
from functools import cached_property
from typing import Any

from gazette import display, stats
from gazette.display import Block, Chart
from gazette.workbench._evidence import ModelEvidence
from gazette.workbench._measures import records_of

__all__ = ["ModelExplore"]

EVERYONE = "all rows"


class ModelExplore(ModelEvidence):
    """Controls and the charts that they filter together."""

    def _version_names(self) -> dict[str, str]:
        return {row["version"]: f"{role} ({row['version']})" for role, row in self.versions.items()}

    def _cube(self) -> list[dict[str, Any]]:
        """A row per measure, version, segment and week that could be computed."""
        names, found = self._version_names(), []
        rows = [({**r}, EVERYONE) for r in records_of(self.weekly)]
        if self.plan.scores.segments:
            rows += [
                ({**r, "week": r["week"].date()}, f"{r['segment'].replace('_', ' ')}: {r['of']}")
                for r in records_of(self.snapshot.table("segments"))
            ]
        first = self.week_start - timedelta(days=7 * (self.params.site.history_weeks - 1))
        for row, group in rows:
            if row["version"] not in names or not first <= row["week"] <= self.week_start:
                continue
            for metric in self.plan.measures:
                value = self.level(row, metric)
                if isinstance(value, stats.Estimate):
                    found.append(
                        {
                            "measure": metric,
                            "version": names[row["version"]],
                            "group": group,
                            "week": row["week"].isoformat(),
                            "when": row["week"].isoformat(),
                            "i": (row["week"] - first).days // 7,
                            "value": float(f"{value.value:.5g}"),
                            "low": float(f"{value.low:.5g}"),
                            "high": float(f"{value.high:.5g}"),
                            "n": value.n,
                        }
                    )
        return sorted(found, key=lambda r: (r["group"] != EVERYONE, r["group"], r["week"]))

    @cached_property
    def _explored(self) -> tuple[list[dict[str, Any]], dict[str, str], list[str], list[str]]:
        """Rows, the values that the controls start with, versions, weeks."""
        rows = self._cube()
        weeks = sorted({r["week"] for r in rows})
        versions = [*self._version_names().values()]
        start = {
            "measure": self.plan.measures[0],
            "version": "all",
            "group": EVERYONE,
            "start": weeks[0] if weeks else "",
            "end": weeks[-1] if weeks else "",
        }
        return rows, start, versions, weeks

    def controls(self) -> Block:
        """Selectors of measure, version, segment and weeks; they filter the charts below, in the browser alone."""
        rows, start, versions, weeks = self._explored
        if not rows:
            return Block("<p>There is nothing to explore: no week has rows that could be measured.</p>")
        groups = list(dict.fromkeys(r["group"] for r in rows))
        titles = [(m, self.params.metrics[m].title) for m in self.plan.measures]
        same = [(w, w) for w in weeks]
        return display.controls(
            {
                "measure": ("Measure", titles, start["measure"]),
                "version": ("Version", [("all", "all"), *((v, v) for v in versions)], start["version"]),
                "group": ("Segment", [(g, g) for g in groups], start["group"]),
                "start": ("From the week of", same, start["start"]),
                "end": ("to the week of", same, start["end"]),
            }
        )

    def explore_trend(self) -> Chart:
        """The chosen measure by week, with deployments and annotations as dashed rules."""
        rows, start, versions, weeks = self._explored
        marks = [
            {"week": day.isoformat(), "text": f"{day:%d %B %Y}: {text}"}
            for day, text in self.marks
            if weeks and weeks[0] <= day.isoformat()
        ]
        spec = display.explore_trend(rows, start, versions, marks)
        return display.chart(
            spec,
            "explore-trend",
            "The chosen measure by week with the range that fits the data. Dashed rules: deployments and notes.",
        )

    def explore_rows(self) -> Chart:
        """How many rows are behind it."""
        rows, start, versions, _ = self._explored
        spec = display.explore_rows(rows, start, versions)
        return display.chart(spec, "explore-rows", "Rows behind the chosen line, by week.")

    def explore_segments(self) -> Chart | Block:
        """Segments in the last of the chosen weeks."""
        rows, start, versions, _ = self._explored
        groups = len({r["group"] for r in rows})
        if groups < 2:  # noqa: PLR2004  all rows and one segment
            return Block("<p>No segments are named in the parameters of this model.</p>")
        spec = display.explore_segments(rows, start, versions, groups)
        caption = "The chosen measure by segment in the last of the chosen weeks. Ranges are of one segment each; for what moved, see the table above."
        return display.chart(spec, "explore-segments", caption)
