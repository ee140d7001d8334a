"""The bench of the translation matrix: numbers of rows, of this week's changes, of targets, of what was learnt."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from gazette import stats, translation
from gazette.record import NotPublished, Record
from gazette.snapshot import reopen
from gazette.workbench._bench import Bench, slug
from gazette.workbench._past import PastChanges
from gazette.workbench._worth import LEVEL, SEED, Worth, base_of, links_of, segments_of, worths

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gazette.params import Target, Translation
    from gazette.record import Number

__all__ = ["Matrix", "Needed", "Valued"]

AGAINST = "vs-baseline"


@dataclass(frozen=True)
class Valued:
    """A technical change of this week and what it is worth; ``segment`` says of whom, empty for the whole."""

    record: Record
    metric: str
    change: Number
    worth: Worth
    number: Number
    segment: str = ""


@dataclass(frozen=True)
class Needed:
    """A target read backward: the change needed, or why nothing can be said."""

    target: Target
    wanted: Number
    found: translation.Backward | NotPublished
    numbers: dict[str, Number]


class Matrix(Bench):
    """Numbers of the page; `TranslationBench` shows them."""

    kind = "translation"

    def __init__(self, subject: str, *, edition: str, root: str | Path) -> None:
        super().__init__(subject, edition=edition, root=root)
        folder = self.root / "snapshot" / "translation"
        if folder.is_dir():
            self.snapshot_digest = reopen(folder).digest
        self.past = PastChanges(self.root)

    @cached_property
    def models(self) -> list[Record]:
        """Records of models of this edition."""
        paths = [self.root / "records" / f"{model}.json" for model in self.params.models]
        return [Record.from_json(p.read_bytes()) for p in paths if p.is_file()]

    @cached_property
    def rows(self) -> dict[str, Translation]:
        """Rows of the matrix by id."""
        return {row.id: row for row in self.params.translations}

    @cached_property
    def stated(self) -> dict[str, tuple[Number, Number]]:
        """Row to its technical change and the effect stated for it."""
        found = {}
        for row in self.params.translations:
            if row.technical_change is None or row.technical_unit is None or row.business_unit is None:
                continue
            own, other = self.params.metrics[row.technical], self.params.metrics[row.business]
            change = self.add(
                f"{row.id}.change",
                f"Change of {own.title}",
                row.technical_change,
                unit=translation.as_number_unit(row.technical_unit, own.unit),
                metric=row.technical,
                cell="matrix",
                query=None,
            )
            effect = self.add(
                f"{row.id}.sensitivity",
                f"Stated effect on {other.title}",
                _stated(row),
                unit=translation.as_number_unit(row.business_unit, other.unit),
                metric=row.business,
                cell="matrix",
                query=None,
                direction=other.direction,
                note=row.source,
            )
            found[row.id] = (change, effect)
        return found

    @cached_property
    def valued(self) -> list[Valued]:
        """This week's technical changes of each model against its baseline, with their worth."""
        found = []
        starts = {link.technical for link in links_of(self.params)}
        for record in self.models:
            numbers = {n.id: n for n in record.numbers}
            for metric in sorted(starts):
                change = numbers.get(f"{record.subject}.{metric}.{AGAINST}")
                if change is None:
                    continue
                level = numbers.get(f"{record.subject}.{metric}")
                before = None
                if level and isinstance(level.value, float) and isinstance(change.value, float):
                    before = level.value - change.value
                mine = worths(self.params, record.subject, metric, change, before)
                if mine:
                    self._numbers[change.id] = change
                found += [Valued(record, metric, change, worth, self._worth(record, metric, worth)) for worth in mine]
            found += self._of_segments(record)
        return found

    def _of_segments(self, record: Record) -> Iterator[Valued]:
        """Changes that the model's page published of a segment of which a row speaks."""
        for segment in segments_of(self.params, record.subject):
            name = f"{record.subject}.segment.{slug(segment)}.{AGAINST}"
            change = next((n for n in record.numbers if n.id == name), None)
            if change is None:
                continue
            mine = worths(self.params, record.subject, change.metric, change, None, segment=segment)
            if mine:
                self._numbers[change.id] = change
            for worth in mine:
                number = self._worth(record, change.metric, worth, segment)
                yield Valued(record, change.metric, change, worth, number, segment)

    def _worth(self, record: Record, metric: str, worth: Worth, segment: str = "") -> Number:
        own, other = self.params.metrics[metric], self.params.metrics[worth.business]
        place = f"segment.{slug(segment)}.{metric}" if segment else metric
        name = f"{record.subject}.{place}.{worth.business}" + (".a-month" if worth.money else "")
        per = f", {segment}" if segment else ", a month" if worth.money else ""
        number = self.add(
            name,
            f"{record.title}: what the change of {own.title} is worth in {other.title}{per}",
            worth.found,
            unit="money" if worth.money else translation.as_number_unit(worth.chain.unit, other.unit),
            metric=worth.business,
            cell="worth",
            query=None,
            direction=other.direction,
            note=worth.note,
        )
        for factor, share in worth.doubt.items():
            self.add(
                f"{name}.doubt.{factor}",
                f"Share of doubt from {factor}",
                share,
                unit="fraction",
                metric=worth.business,
                cell="worth",
                query=None,
            )
        return number

    @cached_property
    def needed(self) -> list[Needed]:
        """Targets read backward."""
        return [self._needed(target) for target in self.params.targets]

    def _needed(self, target: Target) -> Needed:
        own, other = self.params.metrics[target.technical], self.params.metrics[target.business]
        name, shared = f"target.{target.id}", {"cell": "targets", "query": None}
        wanted = self.add(
            f"{name}.wanted",
            target.title,
            target.change,
            unit=translation.as_number_unit(target.unit, other.unit),
            metric=target.business,
            cell="targets",
            query=None,
        )
        links = [link for link in links_of(self.params) if not link.segment]
        ways = translation.chains(links, target.technical, target.business)
        fit = [w for w in ways if w.unit == target.unit]
        if target.unit == "money" and (base := base_of(self.params, target.business, "")):
            on = translation.Base(base.metric, base.a_month, base.standard_error)
            fit = [translation.Chain(w.links, on) for w in ways if w.unit == "relative"]
        if not fit:
            told = {f"{w.unit}" for w in ways}
            reason = (
                f"the matrix speaks of {' and '.join(sorted(told))}, not of {target.unit}"
                if told
                else "no row leads there"
            )
            return Needed(target, wanted, NotPublished(reason=reason), {})
        found = translation.backward(fit[0], target.change, seed=SEED)
        unit: Any = translation.as_number_unit(found.unit, own.unit)
        changes: dict[str, tuple[str, float | None]] = {
            "needed": ("Change that reaches the target with one chance in two", found.needed),
            "safe": ("Change that reaches it with four chances in five", found.safe),
            "largest": ("Largest change observed so far", found.largest),
        }
        numbers = {
            key: self.add(
                f"{name}.{key}",
                f"{own.title}: {title}",
                NotPublished(reason="no change reaches it") if value is None else value,
                unit=unit,
                metric=target.technical,
                **shared,  # type: ignore[arg-type]
            )
            for key, (title, value) in changes.items()
        }
        numbers["chance"] = self.add(
            f"{name}.chance",
            "Chance that the largest change observed so far reaches the target",
            found.chance,
            unit="fraction",
            metric=target.business,
            cell="targets",
            query=None,
        )
        return Needed(target, wanted, found, numbers)

    @cached_property
    def contradicting(self) -> list[tuple[translation.Contradiction, Number | None, Number | None]]:
        """Statements that cannot both hold, with how many times one is the other."""
        found: list[tuple[translation.Contradiction, Number | None, Number | None]] = []
        for one in translation.contradictions(links_of(self.params, used=False)):
            name = f"contradiction.{'.'.join((*one.one, *one.other))}"
            ends: tuple[Number, ...] = ()
            if one.low is not None and one.high is not None:
                ends = tuple(
                    self.add(
                        f"{name}.{end}",
                        f"Times that one statement is the other ({end} end)",
                        value,
                        unit="number",
                        metric=one.end,
                        cell="contradictions",
                        query=None,
                    )
                    for end, value in (("low", one.low), ("high", one.high))
                )
            found.append((one, ends[0], ends[1]) if ends else (one, None, None))
        return found

    @cached_property
    def learnt(self) -> dict[str, translation.Learnt | NotPublished]:
        """Row to what the past says of it; its numbers are effects of the change that the row states."""
        found: dict[str, translation.Learnt | NotPublished] = {}
        for row in self.params.translations:
            if row.technical_change is None or row.business_unit is None:
                continue
            other = self.params.metrics[row.business]
            learnt = found[row.id] = self.past.learnt(row)
            value: stats.Estimate | NotPublished
            if isinstance(learnt, NotPublished):
                value = learnt
            else:
                per, method = row.technical_change, "random effects, errors in both changes"
                ends = learnt.low * per, learnt.high * per
                value = stats.Estimate(learnt.slope * per, *ends, LEVEL, learnt.sd * per, None, learnt.n, method)
            self.add(
                f"{row.id}.learnt",
                f"Learnt effect on {other.title}",
                value,
                unit=translation.as_number_unit(row.business_unit, other.unit),
                metric=row.business,
                cell="learnt_table",
                query="past_tests" if self.past.digest else "versions",
                direction=other.direction,
                snapshot=self.past.digest,
            )
        return found


def _stated(row: Translation) -> stats.Estimate | float:
    if row.estimate is not None and row.standard_error is not None:
        if not row.standard_error:
            return row.estimate
        half = stats.z_of(LEVEL) * row.standard_error
        ends = row.estimate - half, row.estimate + half
        return stats.Estimate(row.estimate, *ends, LEVEL, row.standard_error, None, 0, "stated estimate")
    assert row.low is not None and row.high is not None and row.coverage is not None  # noqa: S101, PT018
    middle = (row.low + row.high) / 2
    return stats.Estimate(middle, row.low, row.high, row.coverage, 0.0, None, 0, "stated range")
