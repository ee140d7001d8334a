"""The bench of a model."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from gazette import conclusions, display, stats
from gazette.display import Block, Chart, Column, Table
from gazette.record import NotPublished
from gazette.workbench._bench import Emitted
from gazette.workbench._measures import ModelMeasures, records_of

if TYPE_CHECKING:
    from pathlib import Path

    from gazette.record import Record

__all__ = ["ModelBench", "open_model"]


def open_model(subject: str, *, edition: str, root: str | Path = ".") -> ModelBench:
    """Open a model of an edition.

    Args:
        subject: Its id.
        edition: The edition's week, such as 2026-W47.
        root: Folder of the edition.

    Raises:
        WrongUseError: No such model.
    """
    return ModelBench(subject, edition=edition, root=root)


class ModelBench(ModelMeasures):
    """Steps of a model's page; each returns a table, a chart or a block."""

    def facts(self) -> Block:
        """Which version is live, since when, whose it is."""
        _ = self.measured
        live, base = self.versions.get("live"), self.versions.get("baseline")
        age = self._numbers[f"{self.subject}.model-age"]
        return display.facts(
            {
                "Live version": f"{live['version']} (alias {live['alias']}, run {live['run_id'][:8]})"
                if live
                else "none: the alias is gone",
                "Baseline version": f"{base['version']} (alias {base['alias']})" if base else "none",
                "Trained": f"{live['trained_at']}, {display.format_number(age)} ago (agreed maximum {self.plan.max_age_days} days)"
                if live
                else "–",
                "Owner": self.plan.owner,
                "What it does": self.plan.description,
            }
        )

    def findings(self) -> Block:
        """What the week's numbers say, each sentence by a printed rule."""
        return display.findings(self._made(), currency=self.currency)

    def quality_table(self) -> Table:
        """Quality of the live version: level, against the baseline, against last week."""
        import pandas as pd  # noqa: PLC0415

        _ = self.measured
        rows = []
        for metric, _column in self.quality:
            level, base, change = (
                self._numbers[f"{self.subject}.{metric}{s}"] for s in ("", ".vs-baseline", ".change")
            )
            row: dict[str, Any] = {"metric": level.label, "value": display.format_number(level)}
            row["range"] = display.format_number(level, "interval") if level.interval else "–"
            for name, number in (("baseline", base), ("last_week", change)):
                row[name] = display.format_number(number, "signed")
                row[f"{name}_range"] = display.format_number(number, "interval") if number.interval else "–"
            rows.append(row)
        columns = {
            "metric": Column("Metric"),
            "value": Column("This week"),
            "range": Column("Range"),
            "baseline": Column("Against baseline"),
            "baseline_range": Column("Range"),
            "last_week": Column("Against last week"),
            "last_week_range": Column("Range"),
        }
        return display.table(
            pd.DataFrame(rows), "quality", "Quality of the live version; both versions scored the same rows", columns
        )

    def trend(self) -> Chart:
        """The main quality metric over weeks, both versions, with its range."""
        metric, column = self.quality[0]
        names = {row["version"]: f"{role} ({row['version']})" for role, row in self.versions.items()}
        rows = []
        for row in records_of(self.weekly):
            estimate = self._level(row, metric, column)
            if isinstance(estimate, NotPublished) or row["week"] > self.week_start:
                continue
            rows.append(
                {
                    "when": f"{row['week']:%d %b}",
                    "value": estimate.value,
                    "low": estimate.low,
                    "high": estimate.high,
                    "series": names.get(row["version"], row["version"]),
                }
            )
        title = self.params.metrics[metric].title
        return display.chart(
            display.trend(rows, title=title), "trend", f"{title} by week, with the range that fits the data."
        )

    def segments(self) -> Table:
        """The main quality metric by segment, this week and last."""
        import pandas as pd  # noqa: PLC0415

        metric, column = self.quality[0]
        frame = self.snapshot.table("segments")
        frame = frame.assign(week=[d.date() for d in frame["week"]])
        rows = []
        for (segment, of), group in frame.groupby(["segment", "of"]):
            weeks = {r["week"]: self._level(r, metric, column) for r in records_of(group)}
            now = weeks.get(self.week_start, NotPublished(reason="no rows this week"))
            before = weeks.get(self.week_start - timedelta(days=7), NotPublished(reason="no rows last week"))
            n = group.loc[group["week"] == self.week_start, "n"]
            rows.append(
                {
                    "segment": segment,
                    "of": of,
                    "n": int(n.iloc[0]) if len(n) else 0,
                    **_shown(now),
                    "last_week": _shown(before)["value"],
                }
            )
        columns = {
            "segment": Column("By"),
            "of": Column("Segment"),
            "n": Column("Rows", "count"),
            "value": Column("This week", "score"),
            "low": Column("From", "score"),
            "high": Column("To", "score"),
            "last_week": Column("Last week", "score"),
        }
        title = self.params.metrics[metric].title
        names = ["segment", "of", "n", "value", "low", "high", "last_week"]
        return display.table(
            pd.DataFrame(rows, columns=names),
            "segments",
            f"{title} by segment, live version; ranges are not corrected for their number",
            columns,
        )

    def calibration(self) -> Table | Block:
        """Predicted against observed share per score band."""
        if self.plan.kind != "classifier":
            return Block("<p>Calibration does not apply to a ranker.</p>")
        import pandas as pd  # noqa: PLC0415

        rows = []
        for r in self.snapshot.table("calibration").to_dict("records"):
            observed = stats.proportion(int(r["positives"]), int(r["n"]))
            rows.append(
                {
                    "band": f"{int(r['bin']) * 10}–{int(r['bin']) * 10 + 10} %",
                    "n": int(r["n"]),
                    "predicted": float(r["mean_score"]),
                    **_shown(observed),
                }
            )
        columns = {
            "band": Column("Score band"),
            "n": Column("Rows", "count"),
            "predicted": Column("Predicted", "fraction"),
            "value": Column("Observed", "fraction"),
            "low": Column("From", "fraction"),
            "high": Column("To", "fraction"),
        }
        names = ["band", "n", "predicted", "value", "low", "high"]
        return display.table(
            pd.DataFrame(rows, columns=names),
            "calibration",
            "Predicted and observed share of the positive class this week",
            columns,
        )

    def business(self) -> Block:
        """Worth against the hold-out, and satisfaction."""
        _ = self.measured
        if self.plan.business is None:
            return Block("<p>No business figures are named in the parameters of this model.</p>")
        names = [
            "revenue-effect",
            "revenue-effect.month-before",
            "revenue-effect.year-before",
            "nps",
            "nps.vs-baseline",
        ]
        items = [(self._numbers[f"{self.subject}.{n}"], "", self._numbers[f"{self.subject}.{n}"].note) for n in names]
        return display.cards(items, currency=self.currency)

    def _made(self) -> Record:
        _ = self.measured
        findings = conclusions.describe_model(self.subject, [m for m, _ in self.quality], self._numbers)
        facts = {
            "live": self.versions.get("live", {}).get("version", ""),
            "baseline": self.versions.get("baseline", {}).get("version", ""),
        }
        facts |= {"run_id": self.versions.get("live", {}).get("run_id", "")}
        return self._record(title=self.plan.title, owner=self.plan.owner, findings=findings, facts=facts)

    def emit(self) -> Emitted:
        """The record of this page."""
        return Emitted(self._made())


def _shown(value: stats.Estimate | NotPublished) -> dict[str, float | None]:
    if isinstance(value, NotPublished):
        return {"value": None, "low": None, "high": None}
    return {"value": value.value, "low": value.low, "high": value.high}
