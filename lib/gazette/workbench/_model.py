"""The bench of a model."""

from __future__ import annotations

import json
from html import escape
from typing import TYPE_CHECKING, Any

from gazette import conclusions, display, monitoring, stats
from gazette.display import Block, Column, Table
from gazette.record import NotPublished
from gazette.snapshot import SMALL_CELLS
from gazette.workbench._bench import Emitted
from gazette.workbench._parts import few_left_out
from gazette.workbench._relation import ModelRelation

if TYPE_CHECKING:
    from pathlib import Path

    from gazette.record import Number, Record
    from gazette.workbench._segments import Comparison

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


class ModelBench(ModelRelation):
    """Steps of a model's page; each returns a table, a chart or a block."""

    def facts(self) -> Block:
        """Which version is live, since when, whose it is, what was promised."""
        _ = self.evidence
        live, base = self.versions.get("live"), self.versions.get("baseline")
        age, limit = self.number("model-age"), self.number("model-age-limit")
        shown: dict[str, str | Block] = {
            "Live version": self._version(live) if live else f"none: {self.plan.registry.live!r} names no version",
            "Compared with": self._version(base)
            if base
            else f"nothing: {self.plan.registry.baseline!r} names no version",
            "In production since": f"{self.live_since:%Y-%m-%d}" if self.live_since else "not recorded",
            "Last retrained": f"{live['trained_at']}, {display.format_number(age)} ago"
            if live and age.published
            else display.format_number(age),
            "Age against its maximum": self._against(age, limit, "of"),
            "Promised": self._promise(),
            "Next review": self._review(),
            "Owner": self.plan.owner,
            "What it does": self.plan.description,
        }
        return display.facts(shown)

    def _version(self, row: dict[str, str]) -> Block:
        run = row["run_id"]
        link = self.plan.registry.link
        where = (
            f'run <a href="{escape(link.replace("{run_id}", run))}">{escape(run[:8])}</a>'
            if link and run
            else f"run <code>{escape(run[:12])}</code>"
        )
        by = "version number" if row["alias"].isdigit() else f"alias {row['alias']}"
        return Block(f"{escape(row['version'])} ({escape(by)}, {where})")

    def _review(self) -> Block | str:
        due = self.plan.review_by
        if due is None:
            return "no day is agreed; add 'review_by:' to the model's file"
        return Block(f"{display.chip('fail' if due < self.cutoff.date() else 'pass')} {due:%Y-%m-%d}")

    def _against(self, value: Number, limit: Number, word: str) -> Block:
        if not (isinstance(value.value, float) and isinstance(limit.value, float)):
            return Block(escape(display.format_number(value)))
        state = "fail" if value.value > limit.value else "pass"
        words = f"{display.format_number(value)} {word} {display.format_number(limit)}"
        return Block(f"{display.chip(state)} {escape(words)}")

    def _promise(self) -> Block | str:
        parts = []
        for name, agreed in (
            ("latency-p-99", self.plan.sla.latency_p99_ms),
            ("availability", self.plan.sla.availability),
        ):
            if agreed is None:
                continue
            value = self._numbers.get(f"{self.subject}.{name}")
            limit = self.number(f"{name}-agreed")
            if value is None or not isinstance(value.value, float):
                parts.append(f"{limit.label}: {display.format_number(limit)}, not measured this week")
                continue
            broken = value.value > agreed if name == "latency-p-99" else value.value < agreed
            words = f"{limit.label} {display.format_number(limit)}, was {display.format_number(value)}"
            parts.append(f"{display.chip('fail' if broken else 'pass')} {escape(words)}")
        return Block("<br>".join(parts)) if parts else "nothing is agreed in the model's file"

    def findings(self) -> Block:
        """What the week's numbers say, each sentence by a printed rule."""
        return display.findings(self._made(), currency=self.currency)

    def quality_table(self) -> Table:
        """Quality of the live version: level, against the baseline, against last week."""
        import pandas as pd  # noqa: PLC0415

        _ = self.measured
        rows = []
        for metric in self.plan.measures:
            level, base, change = (self.number(f"{metric}{s}") for s in ("", ".vs-baseline", ".change"))
            row: dict[str, Any] = {"metric": level.label, "value": display.format_number(level)}
            row["range"] = display.format_number(level, "interval") if level.interval else "–"
            for name, number in (("baseline", base), ("last_week", change)):
                row[name] = self._marked(number, level)
                row[f"{name}_range"] = display.format_number(number, "interval") if number.interval else "–"
            rows.append(row)
        columns = {
            "metric": Column("Metric"),
            "value": Column("This week"),
            "range": Column("Range"),
            "baseline": Column("Against the version before", html=True),
            "baseline_range": Column("Range"),
            "last_week": Column("Against last week", html=True),
            "last_week_range": Column("Range"),
        }
        late = (
            " Provisional: too few outcomes are known, so these figures may still move."
            if conclusions.provisional(self.subject, self._numbers)
            else ""
        )
        ages = ", with their outcomes as they were known at the same age" if self.plan.labels else ""
        caption = f"Quality of the live version. Versions are compared on the same rows (paired), weeks on different ones{ages}; an arrow only where the range excludes nought. {self.together('change')}{late}"
        return display.table(pd.DataFrame(rows), "quality", caption, columns)

    def _marked(self, number: Number, level: Number) -> str:
        if not number.published:
            return escape(display.format_number(number))
        word, tone = conclusions.moved(number, level)
        if number.provisional:
            return f'<span class="gz-untrusted">{escape(display.format_number(number, "signed"))} (provisional)</span>'
        assert isinstance(number.value, float)  # noqa: S101  it is published
        arrow = "steady" if word == "steady" else "up" if number.value > 0 else "down"
        return display.mark(arrow, tone, display.format_number(number, "signed"))

    def segments(self) -> Table | Block:
        """The main quality metric by segment; an arrow only where the corrected difference is more than noise."""
        import pandas as pd  # noqa: PLC0415

        if not self.plan.scores.segments:
            return Block("<p>No segments are named in the parameters of this model.</p>")
        if self.stop is not None:
            return Block(f"<p>Segments are not published: {escape(self.stop.reason)}.</p>")
        metric = self.params.metrics[self.plan.measures[0]]
        rows = []
        for s in self.segments_read:
            row: dict[str, Any] = {"segment": s.by.replace("_", " "), "of": s.of, "n": s.n}
            row |= {"value": self._text(s.level), "range": self._range(s.level)}
            row |= {
                "last_week": self._arrow(s.change, metric.direction),
                "baseline": self._arrow(s.against, metric.direction),
            }
            row |= {"p_last_week": s.change.p_value, "p_baseline": s.against.p_value}
            for name, value in (("level", s.level), ("change", s.change.estimate), ("against", s.against.estimate)):
                bounds = (
                    (value.value, value.low, value.high) if isinstance(value, stats.Estimate) else (None, None, None)
                )
                row |= dict(zip((f"{name}_value", f"{name}_low", f"{name}_high"), bounds, strict=True))
            rows.append(row)
        columns = {
            "segment": Column("By"),
            "of": Column("Segment"),
            "n": Column("Rows", "count"),
            "value": Column("This week"),
            "range": Column("Range"),
            "last_week": Column("Against last week", html=True),
            "baseline": Column("Against the version before", html=True),
        }
        caption = f"{metric.title} by segment, live version. An arrow only where the range of the difference excludes nought. {self.together('change')}"
        small = self.snapshot.table(SMALL_CELLS) if self.snapshot.has(SMALL_CELLS) else None
        if few := few_left_out(small, "segments", "rows"):
            caption += f" {few}."
        frame = pd.DataFrame(rows) if rows else pd.DataFrame(columns=[*columns])
        return display.table(frame, "segments", caption, columns)

    def _text(self, value: stats.Estimate | monitoring.Bare | NotPublished, *, signed: bool = False) -> str:
        if isinstance(value, NotPublished):
            return f"not published ({value.reason})"
        unit = self.params.metrics[self.plan.measures[0]].unit
        if isinstance(value, monitoring.Bare):
            return f"{display.format_value(value.value, unit)} (no range: {value.reason})"
        gap: Any = "points" if unit == "fraction" and signed else unit
        return display.format_ranged(value.value, value.low, value.high, gap, signed=signed)[0]

    def _range(self, value: stats.Estimate | monitoring.Bare | NotPublished) -> str:
        if not isinstance(value, stats.Estimate):
            return "–"
        unit: Any = self.params.metrics[self.plan.measures[0]].unit
        low, high = display.format_ends(value.low, value.high, unit)
        return f"{low} to {high}"

    def _arrow(self, compared: Comparison, direction: str) -> str:
        if isinstance(compared.estimate, NotPublished):
            return f'<span class="gz-untrusted">– {escape(compared.estimate.reason)}</span>'
        tone = "neutral"
        if compared.arrow != "steady":
            tone = "good" if (compared.arrow == "up") == (direction != "lower") else "bad"
        return display.mark(compared.arrow, tone, self._text(compared.estimate, signed=True))

    def lived(self) -> Table:
        """Which version was live when, as editions recorded it."""
        import pandas as pd  # noqa: PLC0415

        rows = [*self.snapshot.table("live_before").to_dict("records")]
        live = self.versions.get("live", {})
        rows.append(
            {
                "edition": self.edition,
                "live": live.get("version", ""),
                "baseline": self.versions.get("baseline", {}).get("version", ""),
                "run_id": live.get("run_id", ""),
            }
        )
        rows = [{**r, "live": r["live"] or "none", "run": str(r["run_id"])[:12]} for r in reversed(rows)]
        columns = {
            "edition": Column("Edition"),
            "live": Column("Live version"),
            "baseline": Column("Compared with"),
            "run": Column("MLflow run"),
        }
        return display.table(
            pd.DataFrame(rows),
            "live",
            "Which version was live when: the registry as each edition found it",
            columns,
            folded=True,
        )

    def card(self) -> Block:
        """The model card of each registered version: data, intended use, limits, slices, how it did."""
        plan = self.plan.card
        stated = (
            {"Intended use": plan.intended_use, "Limits": plan.limits, "Data": plan.data}
            if plan
            else {"Intended use, limits, data": "not stated; add 'card:' to the model's file"}
        )
        worst = self._worst()
        parts = []
        for row in reversed(self.snapshot.table("versions").to_dict("records")):
            about: dict[str, str | Block] = {
                "Change": row["description"] or "not described in the registry",
                "Aliases": row["aliases"] or "none",
            }
            about |= {
                "Trained": row["trained_at"] or "no date in the registry",
                "Registered": f"{row['created_at']} UTC",
            }
            about |= {
                k.replace("_", " ").capitalize(): str(v)
                for k, v in json.loads(row["facts"]).items()
                if k not in {"version", "trained_at"}
            }
            role = next((r for r, v in self.versions.items() if v["registered"] == row["registered"]), "")
            if role == "live":
                about |= dict(stated) | {"Weakest slices this week": worst}
            opened = " open" if role == "live" else ""
            parts.append(
                f'<details class="gz-fold"{opened}><summary>Version {escape(row["version"])}{f", {role}" if role else ""}</summary>{display.facts(about).html}</details>'
            )
        return Block("".join(parts) or "<p>The registry holds no version of this model.</p>")

    def _worst(self) -> str:
        known = self.params.metrics[self.plan.measures[0]]
        levels = [
            (s, s.level)
            for s in self.segments_read
            if isinstance(s.level, stats.Estimate)  # else too few rows to judge
        ]
        levels.sort(key=lambda pair: -pair[1].value if known.direction == "lower" else pair[1].value)
        return (
            "; ".join(
                f"{s.by.replace('_', ' ')} {s.of} {self._text(e)} ({self._range(e)}, {s.n:,} rows)"
                for s, e in levels[:3]
            )
            or "no segment could be measured"
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
        items = [(self.number(n), "", self.number(n).note) for n in names]
        return display.cards(items, currency=self.currency)

    def _made(self) -> Record:
        found = self.evidence
        findings = conclusions.describe_model(self.subject, self.plan.measures, self._numbers, found)
        live = self.versions.get("live", {})
        facts = {"live": live.get("version", ""), "baseline": self.versions.get("baseline", {}).get("version", "")}
        facts |= {"run_id": live.get("run_id", ""), "trained_at": live.get("trained_at", "")}
        facts["deployed_at"] = self.live_since.isoformat() if self.live_since else ""
        return self._record(title=self.plan.title, owner=self.plan.owner, findings=findings, facts=facts)

    def emit(self) -> Emitted:
        """The record of this page."""
        return Emitted(self._made())
