"""How a model behaves: calibration, thresholds, what features are worth, how far they moved, data checks."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from scipy.special import ndtr

from gazette import display, monitoring, stats
from gazette.display import Block, Chart, Column, Table
from gazette.record import NotPublished
from gazette.workbench._explore import ModelExplore
from gazette.workbench._inputs import place_of
from gazette.workbench._measures import records_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gazette.monitoring import Check

__all__ = ["ModelBehaviour"]

FEATURES_DRAWN = 6
ALPHA = 0.05


class ModelBehaviour(ModelExplore):
    """Steps of the part of a model's page that its owner needs to mend it."""

    def calibration(self) -> Chart | Block:
        """Predicted against observed share per score band, both versions."""
        if self.plan.kind != "classifier":
            return Block(
                "<p>Calibration and thresholds belong to models that give probabilities; this one does not.</p>"
            )
        rows = []
        for role, version in self.versions.items():
            for n, score, positives in self.bands(role):
                observed = stats.proportion(positives, n)
                if isinstance(observed, stats.Estimate):
                    rows.append(
                        {
                            "predicted": score,
                            "value": observed.value,
                            "low": observed.low,
                            "high": observed.high,
                            "n": n,
                            "series": f"{role} ({version['version']})",
                        }
                    )
        caption = (
            "Predicted and observed share per score band this week; on the dashed line a score means what it says."
        )
        return (
            display.chart(display.calibration_curve(rows), "calibration", caption)
            if rows
            else Block("<p>No outcomes of this week are known, so calibration cannot be shown.</p>")
        )

    def thresholds(self) -> Chart | Block:
        """Precision, recall and the share flagged, for every threshold."""
        if self.plan.kind != "classifier":
            return Block("")
        frame = self.snapshot.table("curve")
        live = frame[frame["version"] == self.versions.get("live", {}).get("version", "")].sort_values(
            "bin", ascending=False
        )
        total, positives = int(live["n"].sum()), int(live["positives"].sum())
        if not positives:
            return Block("<p>No positive outcome of this week is known, so no threshold can be judged.</p>")
        rows, flagged, caught = [], 0, 0
        for r in live.to_dict("records"):
            flagged, caught, at = flagged + int(r["n"]), caught + int(r["positives"]), int(r["bin"]) / 50
            rows += [
                {"threshold": at, "share": caught / flagged, "series": "precision"},
                {"threshold": at, "share": caught / positives, "series": "recall"},
                {"threshold": at, "share": flagged / total, "series": "share flagged"},
            ]
        spec = display.threshold_curve(rows, self.plan.scores.threshold)
        return display.chart(
            spec,
            "thresholds",
            "Precision, recall and share flagged of the live version at every threshold this week; dashed: the operating threshold.",
        )

    def importance(self) -> Chart | Block:
        """What each feature is worth to the live version, last version beside it."""
        found = self.importances
        if not found:
            why = self.unread("importance") or (
                "no table of features is named in the model's file"
                if self.plan.features is None
                else "no rows of this week have a known outcome"
            )
            return Block(f"<p>Importance of features is not published: {escape(why)}.</p>")
        order = sorted(found.get("live", next(iter(found.values()))).items(), key=lambda item: -item[1].value)
        rows = [
            {
                "feature": name,
                "value": e.value,
                "low": e.low,
                "high": e.high,
                "series": f"{role} ({self.versions[role]['version']})",
            }
            for name in [name for name, _ in order]
            for role in self.versions
            if role in found
            if (e := found[role].get(name)) is not None
        ]
        caption = "How much the loss per row rises when a feature is shuffled over this week's rows (permutation importance of the model that MLflow holds). Where a range crosses nought, what the feature was worth this week cannot be told from nothing."
        return display.chart(display.importance(rows), "importance", caption)

    def importance_table(self) -> Table | Block:
        """Importance of each feature with its range, and its change against the version before on the same rows."""
        import pandas as pd  # noqa: PLC0415

        if not self.snapshot.has("importance"):
            return Block("")
        mine = [r for r in records_of(self.snapshot.table("importance")) if r["role"] == "live"]
        compared = [r for r in mine if r["change"] == r["change"] and r["change_error"]]  # NaN where it is new
        p_values = [2 * float(ndtr(-abs(r["change"]) / r["change_error"])) for r in compared]
        p_of = dict(zip((r["feature"] for r in compared), stats.adjust(p_values, "holm"), strict=True))
        rows = []
        for r in sorted(mine, key=lambda r: -float(r["importance"])):
            p, half = p_of.get(r["feature"]), stats.z_of(0.95) * r["standard_error"]
            row: dict[str, Any] = {"feature": r["feature"], "importance": r["importance"], "change": r["change"]}
            row |= {"low": r["importance"] - half, "high": r["importance"] + half}
            arrow = "steady" if p is None or p > ALPHA else "up" if r["change"] > 0 else "down"
            row["moved"] = "new in this version" if p is None else display.mark(arrow, "neutral")
            rows.append(row)
        columns = {
            "feature": Column("Feature"),
            "importance": Column("Importance", "score", ends=("low", "high")),
            "low": Column("From", "score", ends=("low", "high")),
            "high": Column("To", "score", ends=("low", "high")),
            "change": Column("Change", "score", signed=True),
            "moved": Column("Against the version before", html=True),
        }
        names = ["feature", "importance", "low", "high", "change", "moved"]
        frame = pd.DataFrame(rows, columns=names)
        caption = "Importance of features to the live version, and its change against the version before, on the same rows; an arrow only where it stays significant after Holm's correction"
        return display.table(frame, "importance-table", caption, columns, folded=True)

    def drift(self) -> Table | Block:
        """Each feature's shift since training, by three measures."""
        import pandas as pd  # noqa: PLC0415

        if self.plan.features is None:
            return Block("<p>Drift is not published: no table of features is named in the model's file.</p>")
        rows = []
        for name, d in self.drifts.items():
            one: dict[str, Any] = {"feature": name, "js": None, "psi": None, "ks": None}
            if isinstance(d, NotPublished):
                one |= {"psi": None, "js": None, "ks": None, "says": display.chip("not run"), "why": d.reason}
            else:
                limits = self.plan.checks.drift_distance
                state = "pass" if d.excess <= limits.warn else "fail" if d.excess > limits.fail else "warn"
                one |= {
                    "psi": d.psi,
                    "js": d.js,
                    "ks": d.ks,
                    "says": display.chip(state),
                    "why": "" if d.real else "no more than chance",
                }
            rows.append(one)
        columns = {
            "feature": Column("Feature"),
            "js": Column("JS distance", "score"),
            "psi": Column("PSI", "score"),
            "ks": Column("KS", "score"),
            "says": Column("Against its limit", html=True),
            "why": Column("Remark"),
        }
        limits = self.plan.checks.drift_distance
        defined = " ".join(monitoring.DEFINITIONS[k] for k in ("js", "psi", "ks"))
        caption = f"This week's rows against the training window ({self.plan.features.trained_from} until {self.plan.features.trained_until}). Warns above a JS distance of {limits.warn:g}, fails above {limits.fail:g}, less what samples of this size show where nothing moved; of the shifts called so in this edition at most {monitoring.RATE:.0%} are expected to be chance. {defined} Bins are the training's tenths; a value that holds a tenth or more has one of its own."
        return display.table(pd.DataFrame(rows), "drift", caption, columns)

    def drift_chart(self) -> Chart | Block:
        """The features that moved most, training beside this week."""
        drawn = [k for k, d in self.drifts.items() if not isinstance(d, NotPublished)][:FEATURES_DRAWN]
        rows = []
        edges = self._edges()
        for name in drawn:
            parts = self.histograms[name]
            bins = sorted({b for p in parts.values() for b in p}, key=place_of)
            for part, words in (("training", "training"), ("week", "this week")):
                total = sum(parts[part].values())
                for i, b in enumerate(bins):
                    label = _band(edges[name], b, bins) if name in edges else b
                    rows.append(
                        {
                            "feature": name,
                            "bin": label,
                            "order": i,
                            "part": words,
                            "share": parts[part].get(b, 0) / total,
                        }
                    )
        if not rows:
            return Block("")
        caption = "The features that moved most: share of rows per tenth of the training (or per value that holds a tenth or more); bars: training, blue lines: this week."
        return display.chart(display.shifts(rows, drawn), "drift-shift", caption)

    def _edges(self) -> dict[str, list[float]]:
        if not self.snapshot.has("drift_edges"):
            return {}
        found: dict[str, list[float]] = {}
        for key, value in self.snapshot.table("drift_edges").to_dict("records")[0].items():
            name = str(key).rpartition("__")[0]
            found.setdefault(name, [])
            if value is not None and value == value:  # noqa: PLR0124  NaN
                found[name].append(float(value))
        for row in records_of(self.snapshot.table("drift_values")) if self.snapshot.has("drift_values") else []:
            found.setdefault(row["feature"], []).append(float(row["value"]))
        return {k: sorted(set(v)) for k, v in found.items()}

    def checks_table(self) -> Table:
        """Data checks with measured value, limits and what follows: those on the whole, and every one that does not pass."""
        chosen = [c for c in self.checks if c.state != "pass" or "-" not in c.id or c.id.startswith("label-")]
        return self._checks(chosen, "checks", folded=False)

    def checks_passed(self) -> Table:
        """Every check, those of single features too."""
        return self._checks(self.checks, "checks-all", folded=True)

    def _checks(self, chosen: Sequence[Check], name: str, *, folded: bool) -> Table:
        import pandas as pd  # noqa: PLC0415

        order = {"fail": 0, "warn": 1, "not run": 2, "pass": 3}
        rows = []
        for c in sorted(chosen, key=lambda c: order[c.state]):
            value = (
                f"not run ({c.value.reason})"
                if isinstance(c.value, NotPublished)
                else display.format_value(c.value, c.unit)
            )
            rows.append(
                {
                    "check": c.title,
                    "state": c.state,
                    "says": display.chip(c.state),
                    "measured": value,
                    "warn": display.format_value(c.warn, c.unit),
                    "fail": display.format_value(c.fail, c.unit),
                    "raw": None if isinstance(c.value, NotPublished) else c.value,
                }
            )
        columns = {
            "check": Column("Check"),
            "says": Column("State", html=True),
            "measured": Column("Measured"),
            "warn": Column("Warns above"),
            "fail": Column("Fails above"),
        }
        names = ["check", "says", "measured", "warn", "fail", "state", "raw"]
        counted = ", ".join(
            f"{sum(c.state == s for c in self.checks)} {s}" for s in order if any(c.state == s for c in self.checks)
        )
        title = f"{'Every check' if folded else 'Data checks'} of this week: {counted}"
        return display.table(pd.DataFrame(rows, columns=names), name, title, columns, folded=folded)


def _band(edges: list[float], bin_: str, bins: Sequence[str]) -> str:
    """A bin in words, one of several; ``=i`` is a value with a bin of its own.

    >>> bins = ["0", "1", "=1", "2"]
    >>> [_band([1.0, 2.5], b, bins) for b in bins]
    ['≤ 1', '< 2.5', '2.5', '> 2.5']
    """
    i = int(bin_.removeprefix("="))
    if not edges:
        return "all"
    if bin_.startswith("="):
        return f"{edges[i]:.4g}"
    below = "<" if f"={i}" in bins else "≤"
    return f"{below} {edges[i]:.4g}" if i < len(edges) else f"> {edges[-1]:.4g}"
