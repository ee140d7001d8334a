"""Numbers of a model: quality, labels, age, serving, worth."""

from __future__ import annotations

import math
from datetime import date, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from gazette import monitoring, stats
from gazette.errors import WrongUseError
from gazette.record import NotPublished
from gazette.snapshot import reopen
from gazette.workbench import _business
from gazette.workbench._bench import Bench

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

__all__ = ["ModelMeasures", "records_of"]

DAYS = 7


class ModelMeasures(Bench):
    """A model of an edition: its aggregates and the numbers computed from them."""

    kind = "model"

    def __init__(self, subject: str, *, edition: str, root: str | Path) -> None:
        super().__init__(subject, edition=edition, root=root)
        if subject not in self.params.models:
            raise WrongUseError(f"no model {subject!r}", mend=f"there are: {', '.join(self.params.models)}")
        self.plan = self.params.models[subject]
        self.snapshot = reopen(self.root / "snapshot" / subject)
        self.snapshot_digest = self.snapshot.digest
        rows = self.snapshot.table("registry").to_dict("records")
        self.versions = {row["role"]: row for row in rows}

    @cached_property
    def weekly(self) -> pd.DataFrame:
        """Aggregates per week and version, as they came from the warehouse."""
        frame = self.snapshot.table("weekly")
        return frame.assign(week=[d.date() for d in frame["week"]])

    @cached_property
    def whole(self) -> NotPublished | None:
        """Why this week's figures may not be shown, or None: every day of the week needs rows."""
        days = self.snapshot.table("days")
        if len(days) == DAYS:
            return None
        if len(days) == 0:
            return NotPublished(reason="no rows this week")
        present = {d.date() for d in days["day"]}
        missing = [
            f"{self.week_start + timedelta(days=i):%a}"
            for i in range(DAYS)
            if self.week_start + timedelta(days=i) not in present
        ]
        return NotPublished(reason=f"partial week, no rows on {', '.join(missing)}")

    @property
    def quality(self) -> list[tuple[str, str]]:
        """Quality metrics and the column of the aggregates that holds each."""
        if self.plan.kind == "classifier":
            return [("auc", "auc"), ("log-loss", "loss")]
        return [(q.metric, q.column) for q in self.plan.scores.quality]

    def _row(self, frame: pd.DataFrame, week: date, role: str | None) -> dict[str, Any] | None:
        if role and role not in self.versions:
            return None
        chosen = frame[frame["week"] == week]
        if role:
            chosen = chosen[chosen["version"] == self.versions[role]["version"]]
        return records_of(chosen)[0] if len(chosen) else None

    def _level(self, row: dict[str, Any] | None, metric: str, column: str) -> stats.Estimate | NotPublished:
        if row is None or not row["n"]:
            return NotPublished(
                reason="no labelled rows this week" if self.plan.kind == "classifier" else "no rows this week"
            )
        if metric == "auc":
            return monitoring.auc(
                int(row["n_positive"]),
                int(row["n"] - row["n_positive"]),
                _number(row["auc"]),
                _number(row["var_positive"]),
                _number(row["var_negative"]),
            )
        return stats.mean(stats.Moments(int(row["n"]), _number(row[f"{column}_mean"]), _number(row[f"{column}_var"])))

    def _paired(self, row: dict[str, Any] | None, metric: str, column: str) -> stats.Estimate | NotPublished:
        if row is None:
            return NotPublished(reason="no rows that both versions scored")
        if metric == "auc":
            value = _number(row["auc_live"]) - _number(row["auc_baseline"])
            return monitoring.auc_difference(
                int(row["n_positive"]),
                int(row["n"] - row["n_positive"]),
                value,
                _number(row["var_positive"]),
                _number(row["var_negative"]),
            )
        name = "loss_difference" if metric == "log-loss" else column
        return stats.mean(stats.Moments(int(row["n"]), _number(row[f"{name}_mean"]), _number(row[f"{name}_var"])))

    @cached_property
    def measured(self) -> None:
        """Compute every number of the page once."""
        last = self.week_start - timedelta(days=7)
        paired = self.snapshot.table("paired")
        paired = paired.assign(week=[d.date() for d in paired["week"]])
        gone = (
            None
            if "live" in self.versions
            else NotPublished(reason=f"the registry alias {self.plan.registry.live!r} names no version")
        )
        stop = gone or self.whole
        for metric, column in self.quality:
            known = self.params.metrics.get(metric)
            title = known.title if known else metric
            unit: Any = known.unit if known else "score"
            shared: dict[str, Any] = {
                "metric": metric,
                "cell": "quality",
                "direction": known.direction if known else "higher",
            }
            now = stop or self._level(self._row(self.weekly, self.week_start, "live"), metric, column)
            before = stop or self._level(self._row(self.weekly, last, "live"), metric, column)
            self.add(
                metric,
                title,
                now,
                unit=unit,
                query="weekly",
                note=f"Version {self.versions['live']['version']}, all rows of the week"
                if "live" in self.versions
                else "",
                **shared,
            )
            gap: Any = "points" if unit == "fraction" else unit
            self.add(
                f"{metric}.change",
                f"{title}, change on last week",
                _change(now, before),
                unit=gap,
                query="weekly",
                **shared,
            )
            against = stop or self._paired(self._row(paired, self.week_start, None), metric, column)
            self.add(
                f"{metric}.vs-baseline",
                f"{title}, against the baseline version",
                against,
                unit=gap,
                query="paired",
                **shared,
            )
        if self.plan.kind == "classifier":
            self._labels(stop)
        self._age()
        if self.plan.telemetry:
            self._serving()
        if self.plan.business:
            self._worth()

    def _labels(self, stop: NotPublished | None) -> None:
        bins = self.snapshot.table("calibration")
        rows = [(int(r["n"]), float(r["mean_score"]), int(r["positives"])) for r in bins.to_dict("records")]
        error = stop or monitoring.calibration_error(rows)
        self.add(
            "calibration-error",
            "Calibration error",
            error,
            unit="fraction",
            metric="calibration-error",
            cell="calibration",
            query="calibration",
            direction="lower",
        )
        frame = self.snapshot.table("completeness")
        frame = frame.assign(week=[d.date() for d in frame["week"]])
        row = self._row(frame, self.week_start, "live")
        known: stats.Estimate | NotPublished = (
            stats.proportion(int(row["labelled"]), int(row["scored"]))
            if row
            else NotPublished(reason="no rows this week")
        )
        shared: dict[str, Any] = {"unit": "fraction", "metric": "label-completeness", "cell": "health"}
        self.add("label-completeness", "Outcomes known", known, query="completeness", direction="higher", **shared)
        assert self.plan.labels is not None  # noqa: S101  checked with the parameters
        self.add("label-minimum", "Outcomes needed", self.plan.labels.minimum_fraction, query=None, **shared)

    def _age(self) -> None:
        trained = self.versions.get("live", {}).get("trained_at", "")
        try:
            age: float | NotPublished = float((self.cutoff.date() - date.fromisoformat(trained)).days)
        except ValueError:
            age = NotPublished(reason="the registry has no date of training for the live version")
        shared: dict[str, Any] = {"unit": "days", "metric": "model-age", "cell": "health"}
        self.add("model-age", "Age of the live model", age, query="registry", direction="lower", **shared)
        self.add("model-age-limit", "Agreed maximum age", float(self.plan.max_age_days), query=None, **shared)

    def _serving(self) -> None:
        frame = self.snapshot.table("telemetry")
        rows = [r for r in frame.to_dict("records") if r["week"].date() == self.week_start]
        row = rows[0] if rows else None
        nothing = NotPublished(reason="no telemetry this week")
        answered: stats.Estimate | NotPublished = nothing
        slow: float | NotPublished = nothing
        if row and row["requests"]:
            requests, errors = int(row["requests"]), int(row["errors"])
            answered = stats.proportion(requests - errors, requests)
            slow = float(row["latency_p99_ms"])
        shared: dict[str, Any] = {"cell": "health", "query": "telemetry"}
        self.add(
            "availability",
            "Answered requests",
            answered,
            unit="fraction",
            metric="availability",
            direction="higher",
            note="All requests of the week.",
            **shared,
        )
        self.add(
            "latency-p-99",
            "Slowest answers (99th percentile)",
            slow,
            unit="ms",
            metric="latency-p-99",
            direction="lower",
            **shared,
        )

    def _worth(self) -> None:
        assert self.plan.business is not None  # noqa: S101
        new, base = self.plan.business.new, self.plan.business.baseline
        frame = self.snapshot.table("business")
        end = self.week_start + timedelta(days=7)
        shared: dict[str, Any] = {"cell": "business", "query": "business", "direction": "higher"}
        money: dict[str, Any] = {"unit": "money", "metric": "revenue-effect", **shared}
        now = _business.revenue_effect(_business.period(frame, end), new, base)
        title = "Revenue effect of the live model, last four weeks"
        self.add("revenue-effect", title, now, note="Against a hold-out of users on the baseline model.", **money)
        year = _business.revenue_effect(_business.period(frame, end - timedelta(weeks=52)), new, base)
        month = _business.revenue_effect(_business.period(frame, end - timedelta(weeks=4)), new, base)
        self.add("revenue-effect.month-before", "Revenue effect, the four weeks before", month, **money)
        self.add("revenue-effect.year-before", "Revenue effect, the same four weeks a year before", year, **money)
        score = _business.nps(_business.period(frame, end), new)
        points: dict[str, Any] = {"unit": "points", "metric": "nps", **shared}
        self.add(
            "nps", "Net promoter score, live model", score, note="Survey answers of the last four weeks.", **points
        )
        rest = _business.nps(_business.period(frame, end), base)
        self.add("nps.vs-baseline", "Net promoter score, against the hold-out", _change(score, rest), **points)


def records_of(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(k): v for k, v in row.items()} for row in frame.to_dict("records")]


def _number(value: Any) -> float:
    """A float; what a single row leaves undefined (its variance) counts as none."""
    number = float(value) if value is not None else 0.0
    return 0.0 if math.isnan(number) else number


def _change(now: stats.Estimate | NotPublished, before: stats.Estimate | NotPublished) -> stats.Estimate | NotPublished:
    """Difference of two independent estimates, normal interval."""
    if isinstance(now, NotPublished):
        return now
    if isinstance(before, NotPublished):
        return NotPublished(reason=f"nothing to compare with: {before.reason}")
    error = math.hypot(now.standard_error, before.standard_error)
    value, half = now.value - before.value, stats.z_of(0.95) * error
    return stats.Estimate(
        value, value - half, value + half, 0.95, error, None, now.n + before.n, "normal, independent samples"
    )
