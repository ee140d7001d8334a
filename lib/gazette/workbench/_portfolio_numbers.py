"""What the portfolio page rests on: tests from every source, each once, and the numbers on them together."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from gazette import conclusions, stats
from gazette.record import NotPublished, Record
from gazette.snapshot import reopen
from gazette.workbench._bench import Bench, slug
from gazette.workbench._history import History, read_history

if TYPE_CHECKING:
    from gazette.record import Number
    from gazette.workbench._history import PastTest

__all__ = ["CLAIM_LEVEL", "KnownTest", "PortfolioNumbers"]

CLAIM_LEVEL = 0.8
COUNTED = "win-rate"


@dataclass(frozen=True)
class KnownTest:
    """One test, from whichever source knows of it: this edition, an earlier one, the history."""

    key: str
    title: str
    state: str
    decision: str
    metric: str
    link: str = ""
    advice: str = ""
    effect: Number | None = None
    past: PastTest | None = None
    edition: str = ""
    again: Number | None = (
        None  # measured again later, where the register of decisions says so and the history does not
    )


class PortfolioNumbers(Bench):
    """Tests and numbers of the portfolio page."""

    kind = "portfolio"

    # ---- what is known

    @cached_property
    def history(self) -> History:
        """Past tests as frozen."""
        return read_history(self.root, self.params.metrics)

    @cached_property
    def records(self) -> list[Record]:
        """Records of this edition's experiments."""
        found = [Record.from_json(p.read_bytes()) for p in sorted((self.root / "records").glob("*.json"))]
        return [r for r in found if r.kind == "experiment"]

    def _frozen(self, name: str) -> list[dict[str, Any]]:
        folder = self.root / "snapshot" / self.subject
        if not folder.is_dir() or not (snapshot := reopen(folder)).has(name):
            return []
        return [{str(k): v for k, v in row.items()} for row in snapshot.table(name).to_dict("records")]

    @cached_property
    def decisions(self) -> dict[str, str]:
        """Decisions by test: the history's, and above them those that the edition froze as ``decisions`` (test, decision)."""
        told = {t.test: t.decision for t in self.history.tests if t.decision and "twice" not in t.problem}
        return told | {test: str(row["decision"]) for test, row in self.registered.items()}

    @cached_property
    def registered(self) -> dict[str, dict[str, Any]]:
        """Rows of the register of decisions as frozen, by test."""
        return {str(r["test"]): r for r in self._frozen("decisions")}

    @cached_property
    def counted(self) -> tuple[PastTest, ...]:
        """Decided tests with an effect that can be used."""
        return tuple(
            replace(t, decision=self.decisions[t.test])
            for t in self.history.tests
            if not t.problem and t.test in self.decisions
        )

    def _sign(self, metric: str) -> int:
        return -1 if self.params.metrics[metric].direction == "lower" else 1

    # ---- numbers

    def _count(self, name: str, label: str, value: int) -> Number:
        return self.add(name, label, value, unit="count", metric="gazette.count", cell="findings", query=self._query)

    @property
    def _query(self) -> str | None:
        return "past_tests" if self.history.there else None

    @cached_property
    def measured(self) -> None:
        """Counts, rates, sums and claims; they rest on the history alone."""
        self.snapshot_digest = self.history.digest
        decided = self.counted
        ships = [t for t in decided if conclusions.shipped(t.decision)]
        self._count("decided", "Decided tests", len(decided))
        self._count("shipped", "Shipped tests", len(ships))
        wins = sum(_state(t, self._sign(t.metric)) == "benefit shown" for t in decided)
        enough = len(decided) >= stats.FEWEST_TESTS
        few = NotPublished(reason="history too short")
        shared: dict[str, Any] = {"cell": "cards", "query": self._query, "direction": "higher"}
        metric = COUNTED if COUNTED in self.params.metrics else "gazette.share"
        rates = {"win-rate": ("Tests that won", wins), "ship-rate": ("Tests that were shipped", len(ships))}
        for name, (label, n) in rates.items():
            value = stats.proportion(n, len(decided)) if enough else few
            self.add(name, label, value, unit="fraction", metric=metric, **shared)
        self._measure_sums(decided)
        self._measure_claims([t for t in ships if t.realised is not None])

    @property
    def only_shipped(self) -> bool:
        """Whether tests were decided, but none was stopped."""
        return bool(self.counted) and all(conclusions.shipped(t.decision) for t in self.counted)

    @cached_property
    def priors(self) -> dict[str, stats.Prior | NotPublished]:
        """How true effects on each metric are spread, fitted to all decided tests, in the order in which metrics.yml has them."""
        found = {}
        for metric in self.params.metrics:
            mine = [t for t in self.counted if t.metric == metric]
            if mine:
                found[metric] = stats.fit_prior([t.effect or 0.0 for t in mine], [t.error or 0.0 for t in mine])
        if self.only_shipped:
            return dict.fromkeys(found, NotPublished(reason="no stopped test is recorded"))
        return found

    def _measure_sums(self, decided: tuple[PastTest, ...]) -> None:
        for metric, prior in self.priors.items():
            mine = [t for t in decided if t.metric == metric and conclusions.shipped(t.decision)]
            effects, errors = [t.effect or 0.0 for t in mine], [t.error or 0.0 for t in mine]
            naive = prior if isinstance(prior, NotPublished) else stats.total(effects, errors)
            corrected = stats.total(effects, errors, prior)
            title, known = self.params.metrics[metric].title, self.params.metrics[metric].direction
            shared: dict[str, Any] = {"unit": "relative", "metric": "cumulative-effect", "cell": "sums"}
            shared |= {"query": self._query, "direction": known, "n": len(mine)}
            for name, words, value in (
                ("naive", "as measured", naive),
                ("corrected", "corrected for the winner's curse", corrected),
            ):
                note = "" if name == "corrected" else "Tests are shipped because they look good, so this overstates."
                label = f"{title}, shipped tests together, {words}"
                self.add(f"cumulative.{metric}.{name}", label, value, note=note, **shared)

    def _measure_claims(self, again: list[PastTest]) -> None:
        signs = [self._sign(t.metric) for t in again]
        claimed = [s * (t.effect or 0.0) for s, t in zip(signs, again, strict=True)]
        realised = [s * (t.realised or 0.0) for s, t in zip(signs, again, strict=True)]
        before, after = [t.error or 0.0 for t in again], [t.realised_error or 0.0 for t in again]
        self._count("measured-again", "Shipped tests measured again later", len(again))
        known = "realised-share" in self.params.metrics
        metric = "realised-share" if known else "gazette.share"
        shared: dict[str, Any] = {"unit": "fraction", "metric": metric, "cell": "claims", "query": self._query}
        self.add(
            "realised-share",
            "What came true of claims",
            stats.realised_share(claimed, realised, after),
            direction="higher",
            **shared,
        )
        covered = stats.coverage_of_claims(claimed, before, realised, after, level=CLAIM_LEVEL)
        self.add("claims-covered", "Claims whose range held the later effect", covered, **shared)
        self.add("claims-level", "What such ranges should hold", CLAIM_LEVEL, **{**shared, "query": None})

    # ---- single tests

    @property
    def again(self) -> list[PastTest]:
        """Shipped tests that were measured again later, newest first."""
        return [t for t in self.counted if conclusions.shipped(t.decision) and t.realised is not None]

    def _past_number(self, test: PastTest, which: str) -> Number:
        """An effect of the history, as recorded there."""
        number_id = f"test.{slug(test.test)}.{which}"
        if known := self._numbers.get(f"{self.subject}.{number_id}"):
            return known
        value, error = (test.effect, test.error) if which == "effect" else (test.realised, test.realised_error)
        metric, self.snapshot_digest = self.params.metrics[test.metric], self.history.digest
        half = stats.z_of(0.95) * (error or 0.0)
        middle = value or 0.0
        method = "normal, from the recorded standard error"
        return self.add(
            number_id,
            f"{test.title}: {metric.title}, {'when decided' if which == 'effect' else 'measured again later'}",
            stats.Estimate(middle, middle - half, middle + half, 0.95, error or 0.0, None, 0, method),
            unit="relative",
            metric=test.metric,
            cell="tests",
            query="past_tests",
            direction=metric.direction,
            note="As recorded in the history of tests.",
        )

    @cached_property
    def rows(self) -> list[KnownTest]:
        """Every test once: those of this edition, then the history, newest first, then those of earlier editions."""
        past = {slug(t.test): t for t in reversed(self.history.tests) if slug(t.test)}
        found: dict[str, KnownTest] = {}
        for record in self.records:
            one = conclusions.tested(record)
            if one is None:
                continue
            number = next((n for n in record.numbers if n.id == one.number), None)
            if number is not None:
                self._numbers[number.id] = number
            told = self.decisions.get(record.subject, "")
            found[record.subject] = KnownTest(
                record.subject,
                record.title,
                one.state,
                told,
                one.metric,
                f"experiments/{record.subject}.html",
                one.action,
                number,
                past.get(record.subject),
            )
        for path in sorted((self.root / "failures").glob("*.json")):
            failure = json.loads(path.read_text(encoding="utf-8"))
            if failure["kind"] == "experiment":
                page, told = failure["page"], self.decisions.get(failure["page"], "")
                link = f"experiments/{page}.html"
                found[page] = KnownTest(page, failure["title"], "fail", told, "", link, past=past.get(page))
        for t in self.history.tests:
            key = slug(t.test)
            if "twice" in t.problem or key in found:
                continue
            number = None if t.problem else self._past_number(t, "effect")
            state = "not published" if t.problem else _state(t, self._sign(t.metric))
            found[key or f"row {len(found)}"] = KnownTest(
                key, t.title, state, self.decisions.get(t.test, ""), t.metric, effect=number, past=t
            )
        for row in self._frozen("earlier"):
            if row["test"] not in found:
                found[row["test"]] = self._earlier(row)
        return [replace(t, again=self._scored(t)) for t in found.values()]

    def _scored(self, test: KnownTest) -> Number | None:
        """What came of a decision, as the register says; the history goes before it."""
        row = self.registered.get(test.key)
        known = test.past is not None and not test.past.problem and test.past.realised is not None
        if row is None or known or not isinstance(row["metric"], str) or row["metric"] not in self.params.metrics:
            return None
        metric, half = self.params.metrics[row["metric"]], stats.z_of(0.95) * row["realised_error"]
        value = row["realised"]
        method = "normal, from the recorded standard error"
        return self.add(
            f"test.{slug(test.key)}.realised",
            f"{test.title}: {metric.title}, measured again later",
            stats.Estimate(value, value - half, value + half, 0.95, row["realised_error"], None, 0, method),
            unit="relative",
            metric=row["metric"],
            cell="tests",
            query="decisions",
            direction=metric.direction,
            note=f"From the register of decisions: {row['source']}.",
            snapshot=reopen(self.root / "snapshot" / self.subject).digest,
        )

    def _earlier(self, row: dict[str, Any]) -> KnownTest:
        """A test that only the record of an earlier edition knows."""
        number = None
        if row["number"] and row["metric"] in self.params.metrics:
            self.snapshot_digest = reopen(self.root / "snapshot" / self.subject).digest
            metric = self.params.metrics[row["metric"]]
            number = self.add(
                f"test.{slug(row['test'])}.effect",
                f"{row['title']}: {metric.title}, in its last edition",
                stats.Estimate(
                    row["effect"],
                    row["low"],
                    row["high"],
                    row["level"],
                    0.0,
                    None,
                    0,
                    f"as edition {row['edition']} says",
                ),
                unit="relative",
                metric=row["metric"],
                cell="tests",
                query="earlier",
                direction=metric.direction,
                note=f"From edition {row['edition']}.",
            )
        told = self.decisions.get(row["test"], "")
        place = f"../{row['edition']}/experiments/{row['test']}.html"  # its last edition stands beside this one
        return KnownTest(
            row["test"], row["title"], row["state"], told, row["metric"], place, effect=number, edition=row["edition"]
        )


def _state(test: PastTest, sign: int) -> str:
    """What the recorded effect shows by itself, its 95 % range read in the good direction."""
    effect, half = sign * (test.effect or 0.0), stats.z_of(0.95) * (test.error or 0.0)
    return "benefit shown" if effect - half > 0 else "harm shown" if effect + half < 0 else "not resolved"
