"""A check that fails for most subjects at once: one finding on what they share, not one for each of them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from gazette.record import Finding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gazette.record import Number, Record

__all__ = ["Common", "check_fails_for_most", "common_checks", "mend_once"]

FEWEST = 3  # subjects that fail before one may speak of most
GATES: dict[str, tuple[str, str]] = {
    "gate-plan-locked": ("their plans were changed after the first look", "who changes plans and definitions"),
    "gate-accounted": ("not everyone who was assigned is accounted for", "how assignments are logged"),
    "gate-sample-ratio": ("their arms do not have the sizes that were planned", "how users are assigned"),
    "gate-sample-ratio-sequence": ("their arms drifted from the sizes that were planned", "how users are assigned"),
    "gate-sample-ratio-triggered": ("those who met the change are not split as planned", "what triggers users"),
    "gate-exposure": ("users saw more than one arm", "how users are told apart"),
    "gate-balance": ("their arms differed before they began", "how users are assigned"),
    "gate-missing-days": ("days of their data are missing", "the tables that they read"),
    "gate-matched": ("no row of what they count is of a user", "how users are named in the tables that they read"),
    "gate-missing-values": ("something is missing more often in one arm", "how values are recorded"),
}


@dataclass(frozen=True)
class Common:
    """A check and those that fail it.

    Attributes:
        kind: Of the subjects.
        check: The gate's rule, or the check's name.
        what: What is wrong with them, in words.
        where: What to look at, in words.
        subjects: Those that fail it, by id.
        of: How many of the kind the edition reports on.
    """

    kind: Literal["model", "experiment"]
    check: str
    what: str
    where: str
    subjects: tuple[str, ...]
    of: int


def common_checks(records: Sequence[Record]) -> list[Common]:
    """Checks that more than half of the tests, or of the models, fail at once; those of most subjects first.

    A test fails the check that its verdict names, which is the gravest; a model each check that does not pass.

    Args:
        records: Of the edition.
    """
    tests = [r for r in records if any(v.primary for v in r.verdicts)]
    models = [r for r in records if r.kind == "model"]
    failed: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for record in tests:
        rule = next(v.rule for v in record.verdicts if v.primary)
        if rule in GATES:
            failed["experiment", rule, GATES[rule][0]].append(record.subject)
    for record in models:
        for number in record.numbers:
            name = number.id.removeprefix(f"{record.subject}.check.")
            if name != number.id:
                failed["model", name, number.label].append(record.subject)
    found = []
    for (kind, check, what), subjects in failed.items():
        of = len(tests if kind == "experiment" else models)
        if len(subjects) >= FEWEST and 2 * len(subjects) > of:
            where = GATES[check][1] if check in GATES else "what feeds all of them"
            of_kind: Literal["model", "experiment"] = "experiment" if kind == "experiment" else "model"
            found.append(Common(of_kind, check, what, where, tuple(sorted(subjects)), of))
    return sorted(found, key=lambda c: (-len(c.subjects), c.kind, c.check))


def check_fails_for_most(common: Common, failing: Number, of: Number) -> Finding:
    """That so many fail the same check.

    Args:
        common: What `common_checks` found.
        failing: Count of those that fail it.
        of: Count of all of the kind.
    """
    kind = "tests" if common.kind == "experiment" else "models"
    text = "{%s} of {%s} %s fail one and the same check: {=what}. Look at {=where}." % (failing.id, of.id, kind)
    terms = {"what": common.what, "where": common.where}
    return Finding(id=f"summary.check.{common.check}", rule="check-fails-for-most", text=text, tone="bad", terms=terms)


def mend_once(common: Common, failing: Number) -> Finding:
    """What to decide on the tests that fail the same check."""
    text = "{%s} tests: mend {=where} first; nothing can be said of any of them before." % failing.id
    name = f"summary.decision.check-{common.check}"
    return Finding(id=name, rule="check-fails-for-most", text=text, tone="bad", terms={"where": common.where})
