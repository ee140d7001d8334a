"""A technical measure beside a business figure: the same weeks one above the other, and a scatter with the fitted line."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any

from gazette import display
from gazette.display import Block, Chart
from gazette.workbench._behaviour import ModelBehaviour

__all__ = ["ModelRelation"]

FEWEST = 6  # weeks for a line with a band that says anything
DAYS = 7


class ModelRelation(ModelBehaviour):
    """Charts of the main measure and revenue per user of the users on the live model."""

    def _pairs(self) -> list[dict[str, Any]]:
        """Weeks for which both are known: week, technical (an estimate), revenue per user with its standard error over days."""
        if self.plan.business is None:
            return []
        frame = self.snapshot.table("business")
        mine = frame[frame["cohort"] == self.plan.business.new]
        found = []
        for week, estimate in self.series(self.plan.measures[0]):
            days = mine[(mine["day"].dt.date >= week) & (mine["day"].dt.date < week + timedelta(days=DAYS))]
            if len(days) < DAYS or float(days["users"].sum()) == 0:
                continue
            per_user = float(days["revenue"].sum() / days["users"].sum())
            error = float((days["revenue"] / days["users"]).std(ddof=1) / math.sqrt(DAYS))
            found.append({"week": week, "technical": estimate, "business": per_user, "error": error})
        return found

    def technical_weeks(self) -> Chart | Block:
        """The main measure by week, to be read above revenue per user."""
        pairs = self._pairs()
        if not pairs:
            return Block("")
        rows = [
            {"week": p["week"].isoformat(), "value": e.value, "low": e.low, "high": e.high}
            for p in pairs
            for e in [p["technical"]]
        ]
        title = self.params.metrics[self.plan.measures[0]].title
        spec = display.stacked(rows, title="quality", form=".3f", axis=False)
        return display.chart(spec, "technical-weeks", f"{title}, by week.")

    def business_weeks(self) -> Chart | Block:
        """Revenue per user by week, on the same weeks."""
        pairs = self._pairs()
        if not pairs:
            return Block("")
        rows = [
            {
                "week": p["week"].isoformat(),
                "value": p["business"],
                "low": p["business"] - 1.96 * p["error"],
                "high": p["business"] + 1.96 * p["error"],
            }
            for p in pairs
        ]
        spec = display.stacked(rows, title=f"revenue per user, {self.currency}", form=",.2f", axis=True)
        return display.chart(
            spec,
            "business-weeks",
            "Revenue per user and day on the live model, same weeks; the range is the spread of days.",
        )

    def relation(self) -> Chart | Block:
        """One against the other, with a least-squares line and its band."""
        pairs = self._pairs()
        if not pairs:
            return Block("")
        if len(pairs) < FEWEST:
            return Block(f"<p>No line is fitted: only {len(pairs)} weeks have both figures, {FEWEST} are needed.</p>")
        x, y = [p["technical"].value for p in pairs], [p["business"] for p in pairs]
        line, slope, p_value = _least_squares(x, y)
        rows = [{"week": f"{p['week']:%d %b}", "x": a, "y": b} for p, a, b in zip(pairs, x, y, strict=True)]
        title = self.params.metrics[self.plan.measures[0]].title
        said = "rises" if slope > 0 else "falls"
        verdict = (
            f"Revenue {said} with it over these {len(pairs)} weeks; weeks that are good for both for a third reason would look the same."
            if p_value <= 0.05  # noqa: PLR2004
            else f"Over these {len(pairs)} weeks no relation can be told from chance."
        )
        spec = display.fitted(rows, line, x=title, y=f"revenue per user, {self.currency}", forms=(".4f", ",.2f"))
        return display.chart(
            spec, "relation", f"One dot a week, with the least-squares line and its 95 % band. {verdict}"
        )


def _least_squares(x: list[float], y: list[float]) -> tuple[list[dict[str, float]], float, float]:
    """Points of the line with its band (mean response), the slope, and the p-value of a slope of nought."""
    import numpy as np  # noqa: PLC0415
    from scipy import stats as scipy_stats  # noqa: PLC0415

    fit = scipy_stats.linregress(x, y)
    at = np.linspace(min(x), max(x), 30)
    a = np.asarray(x)
    rest = np.asarray(y) - fit.intercept - fit.slope * a
    n, spread = len(x), float(((a - a.mean()) ** 2).sum())
    sigma = math.sqrt(float((rest**2).sum()) / (n - 2))
    half = float(scipy_stats.t.ppf(0.975, n - 2)) * sigma * np.sqrt(1 / n + (at - a.mean()) ** 2 / spread)
    middle = fit.intercept + fit.slope * at
    line = [
        {"x": float(v), "value": float(m), "low": float(m - h), "high": float(m + h)}
        for v, m, h in zip(at, middle, half, strict=True)
    ]
    return line, float(fit.slope), float(fit.pvalue)
