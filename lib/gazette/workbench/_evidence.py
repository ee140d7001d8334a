"""What a model's page knows beside its numbers: what lies near a change, which segments moved, what it may cost."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from gazette import conclusions, display, stats, translation
from gazette.display import Block, Column, Table
from gazette.workbench._bench import slug
from gazette.workbench._inputs import ModelInputs
from gazette.workbench._measures import records_of
from gazette.workbench._worth import Worth, worths

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gazette.record import Number

__all__ = ["Mark", "ModelEvidence"]

NEAR_DAYS = 10
Mark = tuple[date, str]


class ModelEvidence(ModelInputs):
    """The evidence for the sentences of a model's page."""

    @cached_property
    def deployments(self) -> list[dict[str, Any]]:
        """Deployments until the cut-off, oldest first."""
        return records_of(self.snapshot.table("deployments")) if self.snapshot.has("deployments") else []

    @property
    def live_since(self) -> datetime | None:
        """When the live version last went into production, None where no deployment of it is recorded."""
        version = self.versions.get("live", {}).get("version", "")
        times = [d["at"].to_pydatetime() for d in self.deployments if str(d["model_version"]) == version]
        return times[-1] if times else None

    @cached_property
    def marks(self) -> list[Mark]:
        """Deployments and annotations with their dates, oldest first."""
        found = [(d["at"].date(), f"version {d['model_version']} was deployed ({d['note']})") for d in self.deployments]
        end = self.week_start + timedelta(days=7)
        notes = [a for a in self.params.annotations if a.subject == self.subject]
        found += [
            (a.day, f"{a.text.rstrip('.')} (noted by {a.author})") for a in notes if a.day is not None and a.day < end
        ]
        return sorted(found)

    @cached_property
    def evidence(self) -> conclusions.Evidence:
        """Everything, with the numbers that it refers to added to the page."""
        _ = self.measured, self.examined
        near = {metric: self._near(since) for metric, since in self.shifts.items()}
        features = self.plan.features
        checks = [
            (f"{self.subject}.check.{slug(c.id)}", c.title, c.state) for c in self.checks if c.state in {"warn", "fail"}
        ]
        return conclusions.Evidence(
            since=self.shifts,
            near=near,
            review_missed=f"{self.plan.review_by:%d %B %Y}".lstrip("0")
            if self.plan.review_by and self.plan.review_by < self.cutoff.date()
            else "",
            recent=self._near(self.week_start),
            segments=[*self._moved_segments()],
            shifted=[(k, f"{self.subject}.drift.{slug(k)}") for k in self.shifted],
            season=f"{self.week_start:%B}" if self.seasonal else "",
            window=f"{features.trained_from:%B} to {features.trained_until - timedelta(days=1):%B}" if features else "",
            checks=checks,
            costs={m: c for m in self.shifts if (c := self._cost(m)) is not None},
        )

    def _near(self, day: date) -> list[str]:
        """Deployments and annotations within ten days of a date."""
        return [f"{at:%d %B}: {text}".lstrip("0") for at, text in self.marks if abs((at - day).days) <= NEAR_DAYS]

    def _moved_segments(self) -> Iterator[conclusions.Moved]:
        metric = self.plan.measures[0]
        known = self.params.metrics[metric]
        unit: Any = "points" if known.unit == "fraction" else known.unit
        for segment in self.segments_read:
            for compared, suffix, against in (
                (segment.change, "change", "last week"),
                (segment.against, "vs-baseline", "the baseline version"),
            ):
                if compared.arrow == "steady":
                    continue
                words = f"{segment.by.replace('_', ' ')} {segment.of}"
                number = self.add(
                    f"segment.{segment.name}.{suffix}",
                    f"{known.title}, {words}, against {against}",
                    compared.estimate,
                    unit=unit,
                    metric=metric,
                    cell="segments",
                    query="segments" if suffix == "change" else "segments_paired",
                    direction=known.direction,
                    note=self.together(suffix),
                )
                yield conclusions.Moved(words, number.id, against)

    def _cost(self, metric: str) -> tuple[str, str] | None:
        """What a change of level moves, by the matrix: median and 80 % range, nothing where the matrix refuses."""
        shift = self._numbers.get(f"{self.subject}.{metric}.shift")
        level = self._numbers.get(f"{self.subject}.{metric}")
        if not (shift and level and isinstance(shift.value, float) and isinstance(level.value, float)):
            return None
        found = worths(self.params, self.subject, metric, shift, level.value - shift.value)
        worth = next((w for w in found if not w.money and isinstance(w.found, stats.Estimate)), None)
        if worth is None:
            return None
        business = self.params.metrics[worth.business]
        number = self.add(
            f"{metric}.cost",
            f"What the change of {level.label} moves of {business.title}",
            worth.found,
            unit=translation.as_number_unit(worth.chain.unit, business.unit),
            metric=worth.business,
            cell="findings",
            query=None,
            note=worth.note,
        )
        words = business.title.lower()
        return number.id, f"{words} (extrapolated beyond what was observed)" if worth.extrapolated else words

    def worth(self) -> Table | Block:
        """What the difference to the baseline is worth in business figures, by the matrix."""
        import pandas as pd  # noqa: PLC0415  slow to import

        _ = self.measured
        rows = []
        for metric in self.plan.measures:
            change, level = (
                self._numbers.get(f"{self.subject}.{metric}.vs-baseline"),
                self._numbers[f"{self.subject}.{metric}"],
            )
            if change is None:
                continue
            known = isinstance(level.value, float) and isinstance(change.value, float)
            before = float(level.value) - float(change.value) if known else None  # type: ignore[arg-type]
            found = worths(self.params, self.subject, metric, change, before)
            rows += [self._worth_row(metric, change, worth) for worth in found]
        columns = {
            "metric": Column("Measure"),
            "change": Column("Against the baseline", html=True),
            "business": Column("Business figure"),
            "effect": Column("Worth: median and 80 % range", html=True),
            "note": Column("Note"),
        }
        if not rows:
            return Block("<p>The translation matrix leads from none of these measures to a business figure.</p>")
        caption = "What these differences are worth, if the stated sensitivities hold"
        return display.table(pd.DataFrame(rows), "worth", caption, columns, currency=self.currency)

    def _worth_row(self, metric: str, change: Number, worth: Worth) -> dict[str, str]:
        business = self.params.metrics[worth.business]
        money = ", money a month" if worth.money else ""
        number = self.add(
            f"{metric}.worth.{worth.business}{'.a-month' if worth.money else ''}",
            f"What the change of {change.label} is worth in {business.title}{money}",
            worth.found,
            unit="money" if worth.money else translation.as_number_unit(worth.chain.unit, business.unit),
            metric=worth.business,
            cell="worth",
            query=None,
            direction=business.direction,
            note=worth.note,
        )
        return {
            "metric": self.params.metrics[metric].title,
            "change": display.ranged(change, currency=self.currency),
            "business": f"{business.title}{money}",
            "effect": display.ranged(number, currency=self.currency),
            "note": worth.note,
        }

    def number(self, suffix: str) -> Number:
        """A number of the page."""
        _ = self.evidence
        return self._numbers[f"{self.subject}.{suffix}"]
