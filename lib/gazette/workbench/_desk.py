"""What every step of the summary reads: the records of this edition, and the digest of the one before."""

from __future__ import annotations

import json
from functools import cached_property
from typing import TYPE_CHECKING, Any

from gazette import conclusions
from gazette.record import Number, Record
from gazette.snapshot import Snapshot, reopen
from gazette.workbench._bench import Bench

if TYPE_CHECKING:
    from gazette.record import Finding, Verdict

__all__ = ["Desk"]


class Desk(Bench):
    """Records, failures and frozen digest of an edition."""

    kind = "summary"

    @cached_property
    def records(self) -> list[Record]:
        """Records of every subject that has one."""
        paths = sorted((self.root / "records").glob("*.json"))
        return [Record.from_json(p.read_bytes()) for p in paths if p.stem != self.subject]

    @cached_property
    def failures(self) -> list[dict[str, Any]]:
        """What failed."""
        return [json.loads(p.read_text(encoding="utf-8")) for p in sorted((self.root / "failures").glob("*.json"))]

    @cached_property
    def known(self) -> dict[str, tuple[Number, Record]]:
        """Every number of this edition by id, with its record."""
        return {n.id: (n, r) for r in self.records for n in r.numbers}

    @cached_property
    def ranked(self) -> list[tuple[Record, Verdict]]:
        """Tests with their verdicts, what needs a person first."""
        return conclusions.ranked(self.records)

    @cached_property
    def common(self) -> list[tuple[conclusions.Common, Number]]:
        """Checks that most tests, or most models, fail at once, each with how many do."""
        return [
            (
                c,
                self.count(
                    f"check.{c.check}.failing", f"Subjects that fail one check: {c.what}", len(c.subjects), "matters"
                ),
            )
            for c in conclusions.common_checks(self.records)
        ]

    def in_common(self, subject: str) -> bool:
        """Whether a test fails a check that most fail, so that it is not spoken of alone."""
        return any(c.kind == "experiment" and subject in c.subjects for c, _ in self.common)

    @cached_property
    def frozen(self) -> Snapshot | None:
        """The frozen answers of this page, None in an edition from before there were any."""
        folder = self.root / "snapshot" / self.subject
        found = reopen(folder) if (folder / "snapshot.json").is_file() else None
        if found is not None:
            self.snapshot_digest = found.digest
        return found

    def taken(self, number_id: str) -> Number | None:
        """A number of another page, kept on this one under its own id; None where there is none."""
        if number_id not in self.known:
            return None
        number = self.known[number_id][0]
        self._numbers[number_id] = number
        return number

    def keep(self, finding: Finding) -> Finding:
        """A finding, the numbers that it refers to kept with it."""
        for number_id in finding.references:
            self.taken(number_id)
        return finding

    def count(self, suffix: str, label: str, value: float, cell: str) -> Number:
        """A count of things on this page."""
        return self.add(suffix, label, value, unit="count", metric="gazette.count", cell=cell, query=None)

    def metric_words(self, verdict: Verdict) -> str:
        """What a test is decided on, within a sentence."""
        return conclusions.lowered(conclusions.plainly(self.params.metrics[verdict.metric].title))

    def rests_on(self, record: Record, verdict: Verdict) -> tuple[Number | None, Number | None]:
        """Effect that a verdict rests on, None where it may not be read, and users so far."""
        effect = record.effect(verdict) if verdict.state not in {"not trustworthy", "not published"} else None
        known = self.known[effect.id][0] if effect is not None and effect.id in self.known else None
        return known, self.taken(f"{record.subject}.units")

    def place(self, record: Record) -> str:
        """Address of a record's page from this one."""
        return (
            f"{record.kind}s/{record.subject}.html" if record.kind in {"model", "experiment"} else f"{record.kind}.html"
        )

    @property
    def operations(self) -> Record | None:
        """The record of the operations page, if the edition has one."""
        return next((r for r in self.records if r.kind == "operations"), None)
