"""What of a record an audience may see: only what carries a tag that says so is given out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gazette.params import Experiment, Model
from gazette.record import Record

if TYPE_CHECKING:
    from gazette.params import Audience, Params
    from gazette.record import Finding, Number

__all__ = ["Access"]

LIVE = {"availability", "latency-p-99"}


@dataclass(frozen=True)
class Access:
    """An audience against the parameters of an edition.

    Attributes:
        audience: Who looks.
        params: What models, tests and metrics there are.
    """

    audience: Audience
    params: Params

    def subject(self, name: str) -> bool:
        """Whether it sees a model or a test; one that the parameters do not have is seen by nobody."""
        found: Model | Experiment | None = self.params.models.get(name) or self.params.experiments.get(name)
        if found is None:
            return False
        named = self.audience.models if isinstance(found, Model) else self.audience.experiments
        return named == "all" or name in named or found.owner in self.audience.owners

    def number(self, number: Number) -> bool:
        """Whether it sees a number: its subject, and what kind of figure it is."""
        return self.subject(number.id.split(".")[0]) and not self.withheld_tiers(number)

    def withheld_tiers(self, number: Number) -> set[str]:
        """Kinds of figures that a number is of and that the audience does not see."""
        tiers = {"money"} if number.unit == "money" or self._is_money(number.metric) else set[str]()
        parts = number.id.split(".")
        if number.metric in LIVE or number.query == "telemetry":
            tiers.add("operations")
        if "segment" in parts or "segments" in (number.cell, number.query or ""):
            tiers.add("segments")
        if any(self._is_money(part) for part in parts[1:]):
            tiers.add("money")
        return tiers - set(self.audience.sees)

    def _is_money(self, metric: str) -> bool:
        defined = self.params.metrics.get(metric)
        return defined is not None and defined.unit == "money"

    def record(self, record: Record) -> Record | None:
        """The record without what the audience may not see; None where it may not see its subject."""
        if not self.subject(record.subject):
            return None
        numbers = [n for n in record.numbers if self.number(n)]
        seen = {n.id for n in numbers}
        findings = [f for f in record.findings if f.references and self._sentence(f, seen)]
        verdicts = [
            v
            for v in record.verdicts
            if ("money" in self.audience.sees or not self._is_money(v.metric))
            and self._sentence(v.reason, seen)
            and self._sentence(v.advice, seen)
        ]
        kept = {"numbers": tuple(numbers), "findings": tuple(findings), "verdicts": tuple(verdicts)}
        return record.model_copy(update={**kept, "facts": {}, "alerts": (), "looks": ()})

    def _sentence(self, finding: Finding, seen: set[str]) -> bool:
        words = {finding.rule, *finding.terms}
        segments = "segments" in self.audience.sees or not any(w.startswith("segment") for w in words)
        money = "money" in self.audience.sees or not any(
            m.unit == "money" and m.title in finding.terms.values() for m in self.params.metrics.values()
        )
        return segments and money and set(finding.references) <= seen
