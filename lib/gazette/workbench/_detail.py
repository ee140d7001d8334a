"""How an experiment's effect came about and for whom: looks, segments, days since exposure, distributions."""

from __future__ import annotations

from html import escape
from typing import Any

from gazette import display, stats
from gazette.display import Block, Chart, Column, Table
from gazette.record import NotPublished
from gazette.snapshot import SMALL_CELLS
from gazette.workbench._numbers import ExperimentNumbers
from gazette.workbench._parts import by_day, by_segment, few_left_out, not_compared
from gazette.workbench._phases import MOVED

__all__ = ["ExperimentDetail", "row"]


class ExperimentDetail(ExperimentNumbers):
    """Steps that look behind the effect; each returns a table, a chart, or a line that says why there is none."""

    def looks(self) -> Table:
        """The ledger: every look that an edition took, and how far its range reached."""
        import pandas as pd  # noqa: PLC0415

        rows = [
            {
                "edition": look.edition,
                "users": look.units,
                "fraction": look.units / self.plan.planned_units if self.plan.planned_units else None,
                "critical": look.critical,
                "effect": look.effect,
                "standard_error": look.standard_error,
            }
            for look in self.reading.taken()
        ]
        columns = {
            "edition": Column("Edition"),
            "users": Column("Users", "count"),
            "fraction": Column("Of the plan", "fraction"),
            "critical": Column("Standard errors to each side", "number"),
        }
        if not self.plan.planned_units:
            del columns["fraction"]
        return display.table(pd.DataFrame(rows), "looks", "Looks that editions took", columns)

    def cumulative(self) -> Block | Chart:
        """The effect on the primary metric at each look with the range that the look allowed."""
        primary = self.params.metrics[self.plan.primary]
        scale = 100.0 if primary.unit == "fraction" else 1.0
        unit = "points" if primary.unit == "fraction" else primary.unit
        rows = [
            {
                "when": look.edition,
                "value": look.effect * scale,
                "low": (look.effect - look.critical * look.standard_error) * scale,
                "high": (look.effect + look.critical * look.standard_error) * scale,
                "series": self._title(self.plan.treatments[0].id),
            }
            for look in self.reading.taken()
            if look.effect is not None
            and look.critical is not None
            and look.standard_error is not None
            and self.trusted
        ]
        if not rows:
            return Block("<p>Look by look: nothing is drawn, because no effect may be read.</p>")
        caption = "Difference at each look with the range that the look allowed; it narrows as users come."
        spec = display.trend(rows, title=f"Difference ({unit})", form=".4~r", zero=True)
        return display.chart(spec, "looks", caption)

    def segments(self) -> Block | Table:
        """The effect on the primary metric by segment, with the test of whether segments differ."""
        import pandas as pd  # noqa: PLC0415

        found = by_segment(self.reading, self.arm)
        if self.plan.reallocations and self.plan.segments:
            return Block(f"<p>Nothing by segment: {MOVED}.</p>")
        out = self.segments_left_out()
        few = few_left_out(self.reading.table(SMALL_CELLS), "segments", "users")
        if not found or not self.trusted:
            why = (
                few or "No segments are planned"
                if not (found or out)
                else _left_out(out)
                if self.trusted
                else "A check failed"
            )
            return Block(f"<p>{escape(why)}: nothing by segment.</p>")
        rows = []
        for one in found:
            relative, difference = one["comparison"].relative, one["comparison"].difference
            rows.append(
                {
                    "segment": one["segment"],
                    "value": one["value"],
                    "users": one["n"],
                    "relative": relative.value if isinstance(relative, stats.Estimate) else None,
                    "low": relative.low if isinstance(relative, stats.Estimate) else None,
                    "high": relative.high if isinstance(relative, stats.Estimate) else None,
                    "difference": difference.value,
                    "standard_error": difference.standard_error,
                    "difference_low": difference.low,
                    "difference_high": difference.high,
                }
            )
        tests = []
        for name in dict.fromkeys(r["segment"] for r in rows):
            p = stats.heterogeneity([o["comparison"].difference for o in found if o["segment"] == name])
            text = "not tested" if isinstance(p, NotPublished) else f"p = {display.format_value(p, 'number')}"
            differ = not isinstance(p, NotPublished) and p * len({r["segment"] for r in rows}) < self.plan.alpha
            tests.append(f"{name}: {'segments differ' if differ else 'no sign that segments differ'} ({text})")
        columns = {
            "segment": Column("By"),
            "value": Column("Segment"),
            "users": Column("Users", "count"),
            "relative": Column("Relative difference", "relative", signed=True, ends=("low", "high")),
            "low": Column("Range from", "relative", signed=True, ends=("low", "high")),
            "high": Column("to", "relative", signed=True, ends=("low", "high")),
        }
        if any(r["relative"] is None for r in rows):
            unit = self.params.metrics[self.plan.primary].unit
            gap: Any = "points" if unit == "fraction" else unit
            ends = ("difference_low", "difference_high")
            columns["difference"] = Column("Difference", gap, signed=True, ends=ends)
            columns |= {
                e: Column(t, gap, signed=True, ends=ends) for e, t in zip(ends, ("Range from", "to"), strict=True)
            }
        caption = "Primary metric by segment; ranges are widened for the number of segments. " + ". ".join(tests)
        if out:
            caption += f". {_left_out(out)}"
        if few:
            caption += f". {few}"
        if self.look.primary.adjusted:
            caption += ". Segments are not adjusted by a value from before the test, as the whole is"
        return display.table(pd.DataFrame(rows), "segments", caption, columns)

    def segments_left_out(self) -> list[tuple[str, str, str]]:
        """Segments that are not compared: property, value and why."""
        return not_compared(self.reading, self.arm)

    def segment_forest(self) -> Block | Chart:
        """The same as a chart."""
        rows = []
        for one in by_segment(self.reading, self.arm) if self.trusted else []:
            relative = one["comparison"].relative
            if isinstance(relative, stats.Estimate):
                up = self.params.metrics[self.plan.primary].direction == "higher"
                tone = "unsure" if relative.low <= 0 <= relative.high else "good" if (relative.low > 0) == up else "bad"
                rows.append(row(f"{one['segment']}: {one['value']}", relative.value, relative.low, relative.high, tone))
        if not rows:
            return Block("")
        return display.chart(
            display.forest(rows, title="Relative difference"), "segments", "Relative effect by segment, ranges widened."
        )

    def novelty(self) -> Block | Chart:
        """The effect by days since a user first saw the test: one that fades is novelty."""
        found = by_day(self.reading, self.arm) if self.trusted else []
        if len(found) < 3:  # noqa: PLR2004  too few to see a course
            return Block("<p>By days since exposure: too few days to show.</p>")
        scale = 100.0 if self.params.metrics[self.plan.primary].unit == "fraction" else 1.0
        rows = [
            {
                "when": str(one["day"]),
                "value": one["effect"].value * scale,
                "low": one["effect"].low * scale,
                "high": one["effect"].high * scale,
                "series": self._title(self.arm),
            }
            for one in found
        ]
        caption = (
            "Difference by days since a user first saw the test; one that fades is novelty, one that grows is learning."
        )
        return display.chart(display.trend(rows, title="Difference", form=".4~r", zero=True), "novelty", caption)

    def distribution(self) -> Block | Table:
        """How skewed metrics are spread: share of zeros and quantiles of the rest."""
        frame = self.reading.table("shapes")
        if frame is None or frame.empty:
            return Block("<p>No metric here adds up values, so there is no distribution to show.</p>")
        titles = {m: self.params.metrics[m].title for m in frame["metric"].unique()}
        arms = {v.id: v.title for v in self.plan.variants}
        shown = frame.assign(metric=frame["metric"].map(titles), variant=frame["variant"].map(arms))
        columns = {"metric": Column("Metric"), "variant": Column("Arm"), "zero": Column("Users with none", "fraction")}
        columns |= {c: Column(f"{c[1:]} %", "number") for c in _marks(frame)}
        caption = "How values are spread among users who have any: so much or less in that share of them"
        return display.table(shown, "distribution", caption, columns, folded=True)

    def distribution_chart(self) -> Block | Chart:
        """Quantiles of the first skewed metric, arm by arm: whether a few large values make the difference."""
        frame = self.reading.table("shapes")
        if frame is None or frame.empty or not self.trusted:
            return Block("")
        metric = str(frame["metric"].iloc[0])
        arms = {v.id: v.title for v in self.plan.variants}
        rows = [
            {
                "when": f"{mark[1:]} %",
                "value": one[mark],
                "low": one[mark],
                "high": one[mark],
                "series": arms[one["variant"]],
            }
            for one in frame[frame["metric"] == metric].to_dict("records")
            if one["variant"] in arms
            for mark in _marks(frame)
            if one[mark] is not None and one[mark] == one[mark]
        ]
        title = self.params.metrics[metric].title
        caption = f"{title} among users who have any: the value that so large a share of them stays below, by arm."
        return display.chart(display.trend(rows, title=title, form=",.3~r"), "distribution", caption)


def _left_out(segments: list[tuple[str, str, str]]) -> str:
    """Segments that were not compared, those of one reason together."""
    reasons: dict[str, list[str]] = {}
    for by, value, why in segments:
        reasons.setdefault(why, []).append(f"{by} {value}")
    return "Not compared: " + "; ".join(f"{', '.join(who)} ({why})" for why, who in reasons.items())


def _marks(frame: Any) -> list[str]:
    """Columns with quantiles."""
    return [c for c in frame.columns if c[0] == "p" and c[1:].isdigit()]


def row(name: str, value: Any, low: float, high: float, state: str) -> dict[str, Any]:
    return {"name": name, "value": value, "low": low, "high": high, "state": state}
