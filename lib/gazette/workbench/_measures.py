"""Numbers of a model: quality, labels, age, serving, worth."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from gazette import conclusions, monitoring, stats
from gazette.errors import WrongUseError
from gazette.record import NotPublished
from gazette.snapshot import reopen
from gazette.workbench._bench import Bench
from gazette.workbench._figures import add_changes, add_worth

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from gazette.monitoring import Bare

    Level = stats.Estimate | Bare | NotPublished
    Gap = stats.Estimate | NotPublished

__all__ = ["ModelMeasures", "records_of"]

DAYS = 7
DROP_WEEKS = 4
COMPLETE = 0.99  # of outcomes, from which a week counts as complete
UNEQUAL = "Provisional: the outcomes of the two weeks are neither of the same age nor complete, so part of this may be those that are still to come."
SAME_AGE = "Both weeks with their outcomes as they were known at the same age."
LACKING = "no row has this score"
AGAINST = {"change": "last week", "vs-baseline": "the version before"}


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
        rows: list[dict[str, str]] = records_of(self.snapshot.table("registry"))
        self.versions = {row["role"]: row for row in rows}
        self._since: dict[str, date] = {}

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

    def _row(self, frame: pd.DataFrame, week: date, role: str | None) -> dict[str, Any] | None:
        if role and role not in self.versions:
            return None
        chosen = frame[frame["week"] == week]
        if role:
            chosen = chosen[chosen["version"] == self.versions[role]["version"]]
        return records_of(chosen)[0] if len(chosen) else None

    def level(
        self, row: dict[str, Any] | None, metric: str, *, when: str = "this week"
    ) -> stats.Estimate | Bare | NotPublished:
        """A measure from a row of aggregates, of a week that ``when`` names."""
        if row is None or not row["n"]:
            known = "no rows with a known outcome" if self.plan.labels else "no rows"
            return NotPublished(reason=f"{known} {when}")
        if metric in {"precision", "recall"}:
            flagged = metric == "precision"
            of = int(row["flagged"] if flagged else row["positive"])
            users = spread_of(row, metric) if "units" in row else None
            return monitoring.share(int(row["caught"]), of, "flagged" if flagged else "positive", clustered=users)
        spread = spread_of(row, metric)
        value = row[metric.replace("-", "_")]
        return monitoring.level(metric, value, spread) if spread.n else NotPublished(reason=LACKING)

    def difference(self, row: dict[str, Any] | None, metric: str) -> stats.Estimate | NotPublished:
        """Live less baseline, from a row of paired aggregates."""
        if row is None:
            return NotPublished(reason="no rows that both versions scored")
        return monitoring.difference(row[metric.replace("-", "_")], spread_of(row, metric))

    @cached_property
    def _read(self) -> dict[str, tuple[Level, Gap, Gap]]:
        """Measure to its level, its change on last week and against the baseline, each with the range of one comparison."""
        last, found = self.week_start - timedelta(days=7), {}
        paired = self.snapshot.table("paired")
        paired = paired.assign(week=[d.date() for d in paired["week"]])
        for metric in self.plan.measures:
            now = self.stop or self.level(self._row(self.weekly, self.week_start, "live"), metric)
            before = self.stop or self.level(self._row(self.weekly, last, "live"), metric, when="then")
            against = self.stop or self.difference(self._row(paired, self.week_start, None), metric)
            found[metric] = (now, monitoring.independent_difference(now, before), against)
        return found

    def _segments_apart(self) -> list[tuple[Gap, Gap]]:
        """The two differences of each segment, where there are segments."""
        return []

    @property
    def rate(self) -> float:
        """False arrows among those that this model shows: its part of the edition's rate."""
        return monitoring.RATE / max(1, len(self.params.models))

    @cached_property
    def held(self) -> dict[str, tuple[dict[str, Gap], list[Gap]]]:
        """Changes on last week, and differences to the version before, of measures and segments: ranges of all hold together."""
        found = {}
        for i, kind in enumerate(AGAINST):
            measures: dict[str, Gap] = {m: (read[1], read[2])[i] for m, read in self._read.items()}
            segments = [pair[i] for pair in self._segments_apart()]
            if kind == "change" and not self.alike(self.week_start - timedelta(days=7)):
                found[kind] = measures, segments  # provisional: nothing rests on any of them
                continue
            family = [e for e in (*measures.values(), *segments) if isinstance(e, monitoring.Ranged)]
            wide = iter(monitoring.together(family, self.rate))
            measures = {m: next(wide) if isinstance(e, monitoring.Ranged) else e for m, e in measures.items()}
            found[kind] = measures, [next(wide) if isinstance(e, monitoring.Ranged) else e for e in segments]
        return found

    def together(self, kind: str) -> str:
        """What holds the ranges of a family together, in words."""
        return f"Of all arrows of this edition against {AGAINST[kind]} at most {monitoring.RATE:.0%} are expected to be false (Benjamini-Hochberg): ranges are as much wider, at the level that each states."

    @cached_property
    def _complete(self) -> dict[date, tuple[bool, bool]]:
        """Week to whether its outcomes are as old as this week's, and whether all but a few of them are known."""
        if self.plan.labels is None or "live" not in self.versions:
            return {}
        frame = self.snapshot.table("completeness")
        live = frame[frame["version"] == self.versions["live"]["version"]]
        return {
            r["week"].date(): (bool(r.get("aged", 0)), int(r["labelled"]) >= COMPLETE * int(r["scored"]))
            for r in records_of(live)
        }

    def alike(self, week: date) -> bool:
        """Whether a week can be compared with this one: outcomes of the same age, or both complete; without outcomes always."""
        if self.plan.labels is None or week == self.week_start:
            return True
        now, then = (self._complete.get(w, (False, False)) for w in (self.week_start, week))
        return (now[0] and then[0]) or (now[1] and then[1])

    def series(self, metric: str, role: str = "live") -> list[tuple[date, stats.Estimate]]:
        """Weeks up to this one for which the measure could be computed and that can be compared with it, oldest first."""
        if role not in self.versions:
            return []
        version = self.versions[role]["version"]
        rows = [r for r in records_of(self.weekly) if r["version"] == version and r["week"] <= self.week_start]
        rows = [r for r in rows if self.alike(r["week"])]
        found = [(r["week"], self.level(r, metric)) for r in sorted(rows, key=lambda r: r["week"])]
        return [(week, e) for week, e in found if isinstance(e, stats.Estimate)]

    @cached_property
    def stop(self) -> NotPublished | None:
        """Why nothing of this week may be shown, or None."""
        if "live" not in self.versions:
            return NotPublished(reason=f"the registry has no version {self.plan.registry.live!r} of this model")
        return self.whole

    @cached_property
    def measured(self) -> None:
        """Compute the numbers on quality, labels, age, serving and worth once."""
        last = self.week_start - timedelta(days=7)
        for metric in self.plan.measures:
            known = self.params.metrics[metric]
            shared: dict[str, Any] = {"metric": metric, "cell": "quality", "direction": known.direction}
            now = self._read[metric][0]
            note = f"Version {self.versions['live']['version']}, all rows of the week" if not self.stop else ""
            if isinstance(now, stats.Estimate) and now.standard_error == 0 and metric == "auc":
                note += ". Every row has the same score, which separates nothing"
            if isinstance(now, monitoring.Bare):
                note += f". {conclusions.NO_RANGE}{now.reason}"
                self.add(metric, known.title, now.value, unit=known.unit, query="weekly", note=note, n=now.n, **shared)
            else:
                self.add(metric, known.title, now, unit=known.unit, query="weekly", note=note, **shared)
            gap: Any = "points" if known.unit == "fraction" else known.unit
            change = self.held["change"][0][metric]
            title = f"{known.title}, change on last week"
            unequal = not self.alike(last) and isinstance(change, stats.Estimate)
            note = UNEQUAL if unequal else SAME_AGE if self.plan.labels else ""
            note = (
                f"{note} {self.together('change')}".strip()
                if isinstance(change, monitoring.Ranged) and not unequal
                else note
            )
            self.add(
                f"{metric}.change", title, change, unit=gap, query="weekly", note=note, provisional=unequal, **shared
            )
            against = self.held["vs-baseline"][0][metric]
            note = self.together("vs-baseline") if isinstance(against, monitoring.Ranged) else ""
            title = f"{known.title}, against the baseline version"
            self.add(f"{metric}.vs-baseline", title, against, unit=gap, query="paired", note=note, **shared)
            self._shift(metric, gap, shared)
        self._drop()
        if self.plan.labels is not None:
            self._labels()
        self._age()
        if self.plan.telemetry:
            self._serving()
        if self.plan.business:
            add_worth(self, self.snapshot.table("business"), self.plan.business)

    def _drop(self) -> None:
        """Loss of the main measure against the four weeks before, as a share of it."""
        metric = self.plan.measures[0]
        series = dict(self.series(metric))
        before = [
            series[w].value
            for i in range(1, DROP_WEEKS + 1)
            if (w := self.week_start - timedelta(days=7 * i)) in series
        ]
        now = self._numbers[f"{self.subject}.{metric}"].value
        loss: float | NotPublished = NotPublished(reason="fewer than four whole weeks before it")
        level = self._read[metric][0]
        if isinstance(now, NotPublished):
            loss = now
        elif isinstance(level, monitoring.Bare):
            loss = NotPublished(reason=level.reason)
        elif len(before) == DROP_WEEKS and (usual := sum(before) / DROP_WEEKS) != 0:
            better = -1 if self.params.metrics[metric].direction == "lower" else 1
            loss = better * (usual - now) / abs(usual)
        title = f"Loss of {self.params.metrics[metric].title} against the four weeks before"
        self.add(
            "quality-drop",
            title,
            loss,
            unit="relative",
            metric="quality-drop",
            cell="quality",
            query="weekly",
            direction="lower",
        )

    @cached_property
    def shifts(self) -> dict[str, date]:
        """Measures whose level changed for good within the history, and since which week."""
        _ = self.measured
        return self._since

    def _shift(self, metric: str, unit: Any, shared: dict[str, Any]) -> None:
        series = self.series(metric)
        found = monitoring.shift([e for _, e in series]) if not self.stop else None
        if found is None or series[-1][0] != self.week_start:
            return
        self._since[metric] = series[found.index][0]
        title = f"{self.params.metrics[metric].title}, new level less old"
        self.add(f"{metric}.shift", title, found.size, unit=unit, query="weekly", **shared)

    def bands(self, role: str, width: int = 5) -> list[tuple[int, float, int]]:
        """Rows, mean score and positives of the week per score band; ``width`` bins of the curve make one band."""
        frame = self.snapshot.table("curve")
        frame = frame[frame["version"] == self.versions.get(role, {}).get("version", "")]
        found = []
        for _, group in frame.groupby(frame["bin"] // width):
            n = int(group["n"].sum())
            found.append((n, float((group["n"] * group["mean_score"]).sum() / n), int(group["positives"].sum())))
        return found

    def _labels(self) -> None:
        if self.plan.kind == "classifier":
            rows = self.bands("live")
            error = self.stop or monitoring.calibration_error(rows)
            self.add(
                "calibration-error",
                "Calibration error",
                error,
                unit="fraction",
                metric="calibration-error",
                cell="calibration",
                query="curve",
                direction="lower",
                note=f"A model that is right in every band would show {monitoring.calibration_noise(rows):.4f} by chance.",
            )
        frame = self.snapshot.table("completeness")
        frame = frame.assign(week=[d.date() for d in frame["week"]])
        row = self._row(frame, self.week_start, "live")
        known: stats.Estimate | NotPublished = (
            stats.proportion(int(row["labelled"]), int(row["scored"]))
            if row
            else NotPublished(reason="no rows this week")
        )
        shared: dict[str, Any] = {"unit": "fraction", "metric": "label-completeness", "cell": "facts"}
        self.add("label-completeness", "Outcomes known", known, query="completeness", direction="higher", **shared)
        assert self.plan.labels is not None  # noqa: S101  checked with the parameters
        self.add("label-minimum", "Outcomes needed", self.plan.labels.minimum_fraction, query=None, **shared)

    def _age(self) -> None:
        trained = self.versions.get("live", {}).get("trained_at", "")
        try:
            age: float | NotPublished = float((self.cutoff.date() - date.fromisoformat(trained)).days)
        except ValueError:
            age = NotPublished(reason="the registry has no date of training for the live version")
        shared: dict[str, Any] = {"unit": "days", "metric": "model-age", "cell": "facts"}
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
        shared: dict[str, Any] = {"cell": "facts", "query": "telemetry"}
        self._promised()
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
        self._answered_before(frame, answered)
        self.add(
            "latency-p-99",
            "Slowest answers (99th percentile)",
            slow,
            unit="ms",
            metric="latency-p-99",
            direction="lower",
            **shared,
        )

    def _answered_before(self, frame: pd.DataFrame, now: stats.Estimate | NotPublished) -> None:
        """Answered requests four weeks and a year before."""
        weeks = {r["week"].date(): r for r in records_of(frame)}
        first = min(weeks, default=self.week_start)

        def then(distance: int) -> stats.Estimate | NotPublished:
            week = self.week_start - timedelta(weeks=distance)
            row = weeks.get(week)
            if row and row["requests"]:
                return stats.proportion(int(row["requests"]) - int(row["errors"]), int(row["requests"]))
            return NotPublished(
                reason=f"history starts {first}" if week < first else f"no telemetry {distance} weeks ago"
            )

        shared: dict[str, Any] = {"metric": "availability", "cell": "facts", "query": "telemetry"}
        add_changes(
            self, "availability", "Answered requests", now, {"month": then(4), "year": then(52)}, "points", **shared
        )

    def _promised(self) -> None:
        sla = self.plan.sla
        if sla.latency_p99_ms is not None:
            self.add(
                "latency-p-99-agreed",
                "Slowest answers within",
                sla.latency_p99_ms,
                unit="ms",
                metric="latency-p-99",
                cell="facts",
                query=None,
            )
        if sla.availability is not None:
            self.add(
                "availability-agreed",
                "Answered at least",
                sla.availability,
                unit="fraction",
                metric="availability",
                cell="facts",
                query=None,
            )


def records_of(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(k): v for k, v in row.items()} for row in frame.to_dict("records")]


def rows_of(row: dict[str, Any], metric: str) -> int:
    """Rows that a measure in a row of aggregates rests on: all, unless some lack it."""
    return int(row.get(f"{metric.replace('-', '_')}_n", row["n"]))


def spread_of(row: dict[str, Any], metric: str) -> monitoring.Spread:
    """How influences on a measure are spread, from a row of aggregates; editions before kept less of it."""
    column = metric.replace("-", "_")
    variance, fourth = (_number(row.get(f"{column}_{name}")) for name in ("var", "fourth"))
    n, users, ones = rows_of(row, metric), row.get("units"), row.get("positive")
    if users is None:
        classes = None if ones is None else (int(ones), n - int(ones))
        return monitoring.Spread(n, variance, fourth, classes=classes)
    classes = None if ones is None else (int(row["positive_units"]), int(row["negative_units"]))
    return monitoring.Spread(n, variance, fourth, int(row.get(f"{column}_units", users)), classes, "users")


def _number(value: Any) -> float | None:
    return None if value is None or value != value else float(value)  # noqa: PLR0124  NaN
