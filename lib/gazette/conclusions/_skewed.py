"""Sentences on metrics of which a few users hold much."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gazette.record import Finding

if TYPE_CHECKING:
    from gazette.conclusions._experiment import Look

__all__ = ["on_skewed"]


def on_skewed(look: Look) -> list[Finding]:
    """One for each metric whose range is bent or withheld: who holds how much, what that does, and what would be needed."""
    found = []
    for result in look.results:
        few = result.skewed
        if few is None or look.failed(result.metric):
            continue
        text = "{=metric} rests on few: "
        if few.largest is not None:
            text += "the largest in a hundred %s hold {%s} of the total%s, and " % (
                few.units,
                few.largest.id,
                " that is divided" if few.ratio else "",
            )
        text += "its {%s} %s vary as much as if {%s} had the same each and the others nothing" % (
            few.users.id,
            few.units,
            few.effective.id,
        )
        if few.withheld:
            text += (
                ". From so few in an arm no range would hold, so none is given; it takes {%s} in the smaller arm"
                % (few.needed.id)
            )
            text += "." if few.ratio else ", or a cap on the metric."
        else:
            text += ", so the range reaches further on one side"
            text += "." if few.ratio else "; a cap on the metric would make it narrower."
        found.append(
            Finding(
                id=f"{look.prefix}.{result.metric}.skewed",
                rule="skew-withheld" if few.withheld else "skew-bent",
                text=text,
                tone="unsure",
                terms={"metric": result.title},
            )
        )
    return found
