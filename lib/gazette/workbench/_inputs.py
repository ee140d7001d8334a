"""What goes into a model: shifts of its features since training, data checks, what each feature is worth to it."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from gazette import monitoring, stats
from gazette.record import NotPublished
from gazette.workbench._bench import slug
from gazette.workbench._measures import records_of
from gazette.workbench._segments import ModelSegments

if TYPE_CHECKING:
    from gazette.monitoring import Check, Drift

__all__ = ["ModelInputs", "place_of"]

PARTS = ("training", "week")


class ModelInputs(ModelSegments):
    """Drift, checks and importance of a model."""

    @cached_property
    def histograms(self) -> dict[str, dict[str, dict[str, int]]]:
        """Feature to part (training, week) to bin to rows."""
        found: dict[str, dict[str, dict[str, int]]] = {}
        for r in records_of(self.snapshot.table("drift")) if self.snapshot.has("drift") else []:
            found.setdefault(r["feature"], {p: {} for p in PARTS})[r["part"]][r["bin"]] = int(r["n"])
        return found

    @cached_property
    def drifts(self) -> dict[str, Drift | NotPublished]:
        """Each feature's shift since training, the largest first."""
        gaps = {}
        if self.snapshot.has("drift_ks"):
            gaps = {
                r["feature"]: float(r["ks"]) for r in records_of(self.snapshot.table("drift_ks")) if r["ks"] == r["ks"]
            }
        found: dict[str, Drift | NotPublished] = {}
        for name, limits in self.plan.features.columns.items() if self.plan.features else ():
            if not limits.drift:
                found[name] = NotPublished(reason="a field of the calendar, which a week cannot cover")
                continue
            parts = self.histograms.get(name, {p: {} for p in PARTS})
            bins = sorted({b for p in PARTS for b in parts[p]}, key=place_of)
            counts = [[parts[p].get(b, 0) for b in bins] for p in PARTS]
            found[name] = monitoring.drift(counts[0], counts[1], ks=gaps.get(name), repeats=self._repeats)
        found = monitoring.judged(found, self.rate)
        return dict(sorted(found.items(), key=lambda item: -_distance(item[1])))

    @cached_property
    def _repeats(self) -> float:
        """Rows of a user of the live version this week, squares over sum; 1 where rows do not repeat users."""
        row = self._row(self.weekly, self.week_start, "live") if self.plan.scores.unit else None
        return float(row.get("repeats", 1.0)) if row else 1.0

    @cached_property
    def shifted(self) -> dict[str, Drift]:
        """Features that moved beyond the limit at which the drift check warns, and not by chance."""
        limit = self.plan.checks.drift_distance.warn
        return {k: d for k, d in self.drifts.items() if not isinstance(d, NotPublished) and d.excess > limit}

    @cached_property
    def checks(self) -> list[Check]:
        """Every data check of the model with its measured value."""
        return [*self._volume_checks(), *self._label_checks(), *self._feature_checks(), *self._schema_check()]

    def _volume_checks(self) -> list[Check]:
        limits = self.plan.checks
        weeks = {r["week"].date(): r for r in records_of(self.snapshot.table("volume"))}
        now = weeks.pop(self.week_start, None)
        nothing = NotPublished(reason="no rows this week")
        stale: float | NotPublished = nothing
        twice: float | NotPublished = nothing
        change: float | NotPublished = nothing
        if now:
            end = datetime.combine(self.week_start, datetime.min.time()) + timedelta(days=7)
            stale = max(0.0, (end - now["newest"].to_pydatetime()).total_seconds() / 3600)
            twice = 1 - int(now["different"]) / int(now["rows"])
            usual = sorted(int(r.get("in_time", r["rows"])) for r in weeks.values())  # late rows of this week come yet
            middle = usual[len(usual) // 2] if usual else 0
            change = (
                abs(int(now["rows"]) / middle - 1)
                if middle
                else NotPublished(reason="no earlier weeks to compare with")
            )
        add = monitoring.check
        return [
            add("staleness", "Age of the newest row at the week's end", stale, "hours", **_of(limits.staleness_hours)),
            add(
                "volume",
                "Rows against the median of the four weeks before",
                change,
                "fraction",
                **_of(limits.volume_change),
            ),
            add("duplicates", "Rows loaded twice (counted once)", twice, "fraction", **_of(limits.duplicate_fraction)),
            *self._lacking_checks(),
        ]

    def _lacking_checks(self) -> list[Check]:
        """Rows that are left out of what is measured; editions before these were counted have none of them."""
        limit, found = _of(self.plan.checks.null_fraction), []
        nothing = NotPublished(reason="no rows this week")
        if self.snapshot.has("strays"):
            row = records_of(self.snapshot.table("strays"))[0]
            share: float | NotPublished = int(row["strays"] or 0) / int(row["n"]) if row["n"] else nothing
            title = "Rows without an id or a version (left out)"
            found.append(monitoring.check("strays", title, share, "fraction", **limit))
        if self.snapshot.has("unscored"):
            row = records_of(self.snapshot.table("unscored"))[0]
            for column in (c for c in row if c != "n"):
                share = int(row[column] or 0) / int(row["n"]) if row["n"] else nothing
                metric = self.params.metrics.get(column.replace("_", "-"))
                id_, what = ("unscored", "a score") if metric is None else (f"unscored-{column}", metric.title)
                title = f"Rows without {what} (not measured)"
                found.append(monitoring.check(id_, title, share, "fraction", **limit))
        return found

    def _label_checks(self) -> list[Check]:
        if not self.snapshot.has("label_checks"):
            return []
        limits, row = self.plan.checks, records_of(self.snapshot.table("label_checks"))[0]
        nothing = NotPublished(reason="no outcomes of last week are known")
        delay: float | NotPublished = float(row["delay_hours"]) if row["n"] else nothing
        audited = int(row["audited"] or 0)
        nobody = NotPublished(
            reason="no outcome was checked by hand"
            if self.plan.labels and self.plan.labels.audited
            else "no column of outcomes checked by hand is named"
        )
        wrong: float | NotPublished = int(row["wrong"] or 0) / audited if audited else nobody
        title = (
            f"Outcomes that a check by hand found wrong ({audited} checked)"
            if audited
            else "Outcomes that a check by hand found wrong"
        )
        return [
            monitoring.check(
                "label-delay",
                "Delay of outcomes, last week (95 of 100 came sooner)",
                delay,
                "hours",
                **_of(limits.label_delay_hours),
            ),
            monitoring.check("label-error", title, wrong, "fraction", **_of(limits.label_error)),
        ]

    def _feature_checks(self) -> list[Check]:
        if self.plan.features is None:
            return []
        limits, row = self.plan.checks, records_of(self.snapshot.table("feature_checks"))[0]
        n, found = int(row["n"]), []
        nothing = NotPublished(reason="no rows this week")
        for name, drift in self.drifts.items():
            missing = int(row[f"{name}__missing"] or 0) / n if n else nothing
            found.append(
                monitoring.check(
                    f"missing-{name}", f"{name}: missing", missing, "fraction", **_of(limits.null_fraction)
                )
            )
            if f"{name}__outside" in row:
                outside = int(row[f"{name}__outside"] or 0) / n if n else nothing
                found.append(
                    monitoring.check(
                        f"range-{name}", f"{name}: outside its range", outside, "fraction", **_of(limits.range_fraction)
                    )
                )
            if self.plan.features.columns[name].drift:
                found.append(self._shift_check(name, drift))
        return found

    def _shift_check(self, name: str, drift: Drift | NotPublished) -> Check:
        distance = drift if isinstance(drift, NotPublished) else drift.js
        title, limit = f"{name}: shift since training (JS distance)", self.plan.checks.drift_distance
        one = monitoring.check(f"shift-{name}", title, distance, "score", warn=limit.warn, fail=limit.fail)
        if isinstance(drift, NotPublished):
            return one
        state = monitoring.check("", title, drift.excess, "score", warn=limit.warn, fail=limit.fail).state
        words = ", no more than chance" if not drift.real else ", less what chance brings" if state != one.state else ""
        return replace(one, state=state, title=f"{title}{words}")

    def _schema_check(self) -> list[Check]:
        now = {f"{r['table']}.{r['column']}": r["type"] for r in records_of(self.snapshot.table("schema"))}
        title = "Columns that changed since the last edition"
        if not self.snapshot.has("schema_before"):
            value = NotPublished(reason="no earlier edition froze the columns")
            return [monitoring.check("schema", title, value, "count", warn=0, fail=0)]
        before = {f"{r['table']}.{r['column']}": r["type"] for r in records_of(self.snapshot.table("schema_before"))}
        broken, new = monitoring.schema_changes(before, now)
        said = "; ".join([*broken, *new])
        return [
            monitoring.check(
                "schema",
                f"{title}: {said}" if said else title,
                float(len(broken) + len(new)),
                "count",
                warn=0,
                fail=float(len(new)),
            )
        ]

    @cached_property
    def importances(self) -> dict[str, dict[str, stats.Estimate]]:
        """Role to feature to rise of the loss when it is shuffled, with its range over rows."""
        found: dict[str, dict[str, stats.Estimate]] = {}
        for r in records_of(self.snapshot.table("importance")) if self.snapshot.has("importance") else []:
            variance = float(r["standard_error"]) ** 2 * int(r["n"])
            value = stats.mean(stats.Moments(int(r["n"]), float(r["importance"]), variance))
            if isinstance(value, stats.Estimate):
                found.setdefault(r["role"], {})[r["feature"]] = value
        return found

    def unread(self, what: str) -> str:
        """Why a source gave nothing, or an empty text."""
        rows = records_of(self.snapshot.table("unread")) if self.snapshot.has("unread") else []
        return next((str(r["reason"]) for r in rows if r["what"] == what), "")

    @cached_property
    def examined(self) -> None:
        """Numbers on the inputs: the largest shift, and every check that does not pass."""
        largest = next(iter(self.shifted.items()), None)
        shared: dict[str, Any] = {"cell": "drift", "query": "drift", "direction": "lower"}
        if self.drifts:
            every = [d for d in self.drifts.values() if not isinstance(d, NotPublished)]
            top: float | NotPublished = max((d.js for d in every if d.real), default=0.0)
            if not every:
                top = next(d for d in self.drifts.values() if isinstance(d, NotPublished))
            note = f"Feature {largest[0]}. " if largest else ""
            n = every[0].n if every else None
            self.add(
                "drift-distance",
                "Largest shift of a feature since training",
                top,
                unit="score",
                metric="drift-distance",
                n=n,
                note=f"{note}{monitoring.DEFINITIONS['js']}",
                **shared,
            )
        for name, drift in self.shifted.items():
            self.add(
                f"drift.{slug(name)}",
                f"Shift of {name} since training",
                drift.js,
                unit="score",
                metric="drift-distance",
                n=drift.n,
                **shared,
            )
        for check in self.checks:
            if check.state in {"warn", "fail"}:
                self.add(
                    f"check.{slug(check.id)}",
                    check.title,
                    check.value,
                    unit=check.unit,
                    metric="data-check",
                    cell="checks",
                    query=None,
                    direction="lower",
                )

    @property
    def seasonal(self) -> bool:
        """Whether the training saw no day of the week's month, so that the calendar alone explains part of a shift."""
        features = self.plan.features
        if features is None:
            return False
        days = (features.trained_until - features.trained_from).days
        seen = {(features.trained_from + timedelta(days=i)).month for i in range(days)}
        return not {self.week_start.month, (self.week_start + timedelta(days=6)).month} & seen


def place_of(bin_: str) -> tuple[int, int, str]:
    """Bins in the order of their values: ``i`` lies between edges and ``=i`` on one; words after their letters.

    >>> sorted(["=1", "10", "(other)", "2", "1", "0", "a"], key=place_of)
    ['0', '1', '=1', '2', '10', '(other)', 'a']
    """
    bare = bin_.removeprefix("=")
    return (int(bare), len(bin_) - len(bare), "") if bare.isdecimal() else (10**6, 0, bin_)


def _of(limit: Any) -> dict[str, float]:
    return {"warn": limit.warn, "fail": limit.fail}


def _distance(drift: Drift | NotPublished) -> float:
    return -1.0 if isinstance(drift, NotPublished) or math.isnan(drift.js) else drift.js if drift.real else 0.0
