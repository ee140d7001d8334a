"""What is said where several systems report one figure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Literal

from gazette.record import Finding

if TYPE_CHECKING:
    from gazette.params import Reconciliation, Ruling, Told
    from gazette.record import Number

__all__ = ["Agreement", "Reconciled", "agreement_of", "holds", "reconciled"]

Agreement = Literal["agrees", "explained", "beyond the ruling", "no ruling", "no data"]
RULES: dict[Agreement, str] = {
    "agrees": "sources-agree",
    "explained": "sources-ruled",
    "beyond the ruling": "sources-beyond-ruling",
    "no ruling": "sources-unruled",
    "no data": "sources-no-data",
}
"""What came of a comparison, and the rule that says it."""


def agreement_of(gap: float | None, tolerance: float, ruling: Ruling | None, last: date) -> Agreement:
    """How two sources stand to each other in a week.

    Args:
        gap: Relative difference to the reference, None where it cannot be computed.
        tolerance: Below which they agree.
        ruling: On their difference.
        last: Last day of the week.
    """
    if gap is None:
        return "no data"
    if abs(gap) <= tolerance:
        return "agrees"
    if ruling is None or not holds(ruling, last):
        return "no ruling"
    return "explained" if ruling.low <= gap <= ruling.high else "beyond the ruling"


def holds(ruling: Ruling, last: date) -> bool:
    """Whether a ruling was made by then and has not lapsed."""
    return ruling.ruled <= last and (ruling.until is None or last <= ruling.until)


@dataclass(frozen=True)
class Reconciled:
    """A source beside the reference.

    Attributes:
        id: Of the finding.
        figure, source: What and who.
        state: How they stand.
        gap, tolerance, low, high: Numbers to refer to; those of a ruling only where there is one.
        apart: Number of days that only one of them has, None where there is none.
        why: Where there is no gap: the reason.
        lapsed: Day on which the ruling ended, in words, empty where it holds or there is none.
        ruled: Day of the ruling, in words.
    """

    id: str
    figure: Reconciliation
    source: Told
    state: Agreement
    gap: Number | None
    tolerance: Number
    low: Number | None = None
    high: Number | None = None
    apart: Number | None = None
    why: str = ""
    lapsed: str = ""
    ruled: str = ""


def reconciled(row: Reconciled) -> Finding:
    """The sentence on one source."""
    ruling = row.source.ruling
    terms = {
        "figure": row.figure.title,
        "source": row.source.title,
        "reference": row.figure.source(row.figure.reference).title,
    }
    start = "{=figure}: {=source}"
    if row.state == "no data" or row.gap is None:
        terms["why"] = row.why
        return Finding(
            id=row.id,
            rule=RULES["no data"],
            text=start + " cannot be compared with {=reference}: {=why}.",
            tone="bad",
            terms=terms,
        )
    gap = "{%s|signed}" % row.gap.id
    if row.state == "agrees":
        text = "%s agrees with {=reference}: %s, within {%s}." % (start, gap, row.tolerance.id)
        return Finding(id=row.id, rule=RULES["agrees"], text=text, tone="good", terms=terms)
    text = "%s differs from {=reference} by %s" % (start, gap)
    if ruling is not None:
        terms |= {"by": ruling.by, "ruled": row.ruled}
    if row.state == "explained" and ruling is not None:
        terms |= {"text": ruling.text.rstrip("."), "use": row.figure.source(ruling.use).title}
        text += ", as {=by} ruled on {=ruled}: {=text}. What counts is {=use}."
        return Finding(id=row.id, rule=RULES["explained"], text=text, tone="neutral", terms=terms)
    if row.state == "beyond the ruling" and row.low is not None and row.high is not None:
        text += ", which the ruling of {=by} on {=ruled} does not explain: it says {%s|signed} to {%s|signed}." % (
            row.low.id,
            row.high.id,
        )
    elif row.lapsed:
        terms["until"] = row.lapsed
        text += ", more than {%s}; the ruling of {=by} ended on {=until}." % row.tolerance.id
    else:
        text += ", more than {%s}, and nobody has ruled which of them counts." % row.tolerance.id
    if row.apart is not None:
        text += " Days that only one of them has: {%s}." % row.apart.id
    return Finding(id=row.id, rule=RULES[row.state], text=text, tone="bad", terms=terms)
