"""Sentences of the page of the translation matrix."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from gazette import stats
from gazette.record import Finding, NotPublished
from gazette.translation import FEWEST, Learnt
from gazette.workbench._matrix import Matrix
from gazette.workbench._worth import LEVEL, slope_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gazette.record import Record, Tone

__all__ = ["Told"]


class Told(Matrix):
    """What the reader must know: contradictions, what changes are worth, what targets need, what the past says."""

    @cached_property
    def made(self) -> Record:
        """The record of the page."""
        _ = self.stated
        findings = [*self._disagreeing(), *self._worthy(), *self._aimed(), *self._unexplained(), *self._learning()]
        office = self.params.site.executive.owner
        return self._record(title="What technical gains are worth", owner=office, findings=findings)

    def _disagreeing(self) -> Iterator[Finding]:
        for one, low, high in self.contradicting:
            names = {"one": " → ".join(one.one), "other": " → ".join(one.other)}
            terms = {k: self.params.metrics[m].title for k, m in (("start", one.start), ("end", one.end))} | names
            text = "Two statements on how {=start} moves {=end} cannot both hold: "
            if low is not None and high is not None:
                text += "{=other} says {%s} to {%s} times as much as {=one}." % (low.id, high.id)
            else:
                text += "{=one} and {=other} differ in direction or in unit."
            name = f"{self.subject}.contradiction.{'.'.join((*one.one, *one.other))}.finding"
            yield Finding(id=name, rule="contradiction", text=text, tone="bad", terms=terms)

    def _worthy(self) -> Iterator[Finding]:
        for valued in self.valued:
            number, change = valued.number, valued.change
            terms = {
                "model": valued.record.title,
                "metric": self.params.metrics[valued.metric].title,
                "business": self.params.metrics[valued.worth.business].title,
            }
            who = "{=model}, {=metric}"
            if valued.segment:
                who, terms["segment"] = who + ", {=segment} alone", valued.segment
            start, tone = "%s: {%s|signed} against the baseline" % (who, change.id), "neutral"
            if isinstance(number.value, NotPublished):
                if not change.published:
                    text = who + ": nothing is translated into {=business}; {=why}."
                else:
                    text = f"{start} is not translated into {{=business}}: {{=why}}."
                terms["why"], tone = number.value.reason, "unsure"
            else:
                unit = "money a month" if valued.worth.money else "{=business}"
                text = f"{start} is worth {{{number.id}|signed}} in {unit} ({{{number.id}|interval}}), if the stated sensitivities hold."
                if number.interval and number.interval.low <= 0 <= number.interval.high:
                    text += " The range includes no change at all: it may bring nothing."
                    tone = "unsure"
                if valued.worth.extrapolated:
                    text += " This is extrapolated: so large a change was not seen before."
                    tone = "unsure"
            yield Finding(id=f"{number.id}.finding", rule="forward", text=text, tone=_tone(tone), terms=terms)

    def _aimed(self) -> Iterator[Finding]:
        for one in self.needed:
            terms = {"target": one.target.title, "metric": self.params.metrics[one.target.technical].title}
            if isinstance(one.found, NotPublished) or one.found.needed is None:
                terms["why"] = one.found.reason if isinstance(one.found, NotPublished) else "no change reaches it"
                text = "{=target} cannot be read backward to {=metric}: {=why}."
            else:
                text = (
                    "{=target}: {%s|signed} needs {%s|signed} of {=metric} for one chance in two; the largest change observed, {%s|signed}, "
                    % (
                        one.wanted.id,
                        one.numbers["needed"].id,
                        one.numbers["largest"].id,
                    )
                )
                chance = "would reach it with a chance of {%s}." % one.numbers["chance"].id
                text += chance if one.found.chance else "reached it in none of the draws."
                if one.found.standing != "observed":
                    text += " So large a change was never seen: "
                    far = one.found.standing == "refused"
                    text += (
                        "the figure lies too far beyond it to be relied on." if far else "the figure is extrapolated."
                    )
            yield Finding(id=f"{one.wanted.id}.finding", rule="backward", text=text, tone="unsure", terms=terms)

    def _unexplained(self) -> Iterator[Finding]:
        for row in self.params.translations:
            known = self.past.rows.get(row.id)
            if known is not None and not known["explained"]:
                text = "The row {=row} was changed in edition {=edition} without an entry in its changelog."
                terms = {"row": row.id, "edition": str(known["edition"])}
                name = f"{self.subject}.{row.id}.unexplained"
                yield Finding(id=name, rule="unexplained-change", text=text, tone="bad", terms=terms)

    def _learning(self) -> Iterator[Finding]:
        learnt = {k: v for k, v in self.learnt.items() if isinstance(v, Learnt)}
        for row_id, found in learnt.items():
            row = self.rows[row_id]
            number, stated = self._numbers[f"{self.subject}.{row_id}.learnt"], self.stated[row_id][1]
            mean, sd = slope_of(row)
            apart = abs(found.slope - mean) > stats.z_of(LEVEL) * (found.next_sd**2 + sd**2) ** 0.5
            text = (
                "For {=row}, past tests and versions say {%s|signed} ({%s|interval}), where {%s|signed} is stated; "
                % (
                    number.id,
                    number.id,
                    stated.id,
                )
            )
            text += "they disagree, and somebody should decide." if apart else "they agree within their ranges."
            yield Finding(
                id=f"{number.id}.finding",
                rule="learnt-sensitivity",
                text=text,
                tone="bad" if apart else "neutral",
                terms={"row": row_id},
            )
        if self.learnt and not learnt:
            text = "No sensitivity could be learnt: no row has {=fewest} past changes that measured both sides."
            terms = {"fewest": str(FEWEST)}
            yield Finding(id=f"{self.subject}.history.finding", rule="history-too-short", text=text, terms=terms)


def _tone(tone: str) -> Tone:
    return "unsure" if tone == "unsure" else "neutral"
