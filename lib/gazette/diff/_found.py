"""What changed between two editions, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from gazette.record import Finding, NumberChange, Record, VerdictChange

__all__ = [
    "CodeChange",
    "DataChange",
    "DefinitionChange",
    "Difference",
    "FindingMoved",
    "NumberMoved",
    "SubjectChange",
    "VerdictMoved",
]


@dataclass(frozen=True)
class SubjectChange:
    """A page that came, went, failed or works again; or whose title or owner changed."""

    page: str
    title: str
    kind: str
    how: Literal["new", "gone", "failed", "works again", "described"]
    what: str


@dataclass(frozen=True)
class VerdictMoved:
    """A verdict of an experiment that is not what it was, with the records that hold its numbers."""

    page: str
    title: str
    change: VerdictChange
    before: Record
    after: Record


@dataclass(frozen=True)
class NumberMoved:
    """A number that is not what it was, with what its place in the order rests on.

    Attributes:
        page, title: Of its page.
        change: The numbers.
        tier: 0 a value that came or was lost, or that left the interval published with the old one; 1 changed otherwise;
            2 the number itself is new or gone; 3 the same value, described in another way.
        headline: Whether it stands for its subject: on a card, or the subject's own number of a metric.
        size: The difference over half of the old interval's width, or, without one, over the old value; None where neither can be.
    """

    page: str
    title: str
    change: NumberChange
    tier: int
    headline: bool
    size: float | None


@dataclass(frozen=True)
class FindingMoved:
    """A sentence that came, went or is said in other words."""

    page: str
    title: str
    before: Finding | None
    after: Finding | None
    old: Record | None
    new: Record | None


@dataclass(frozen=True)
class DefinitionChange:
    """A key of a parameter file; None where it was not or is not there.

    Attributes:
        file: From ``params/``.
        group: What the file holds, for people.
        key: Its path in the file.
        old, new: As one line of text.
        note: What the changelog says of it; empty where nothing does.
    """

    file: str
    group: str
    key: str
    old: str | None
    new: str | None
    note: str = ""


@dataclass(frozen=True)
class CodeChange:
    """A cell of notebooks, a version of a package, or the library: where, what it was and is."""

    what: Literal["cell", "version"]
    place: str
    pages: tuple[str, ...]
    old: str | None
    new: str | None


@dataclass(frozen=True)
class DataChange:
    """A frozen query that is not what it was.

    Attributes:
        snapshot, query: Its place.
        how: ``columns`` another schema, ``text`` another SQL text, ``new``, ``gone``, ``rows`` other rows.
        rows: Before and now.
        old, new: Schema or SQL text, where that changed.
        dates: Whether nothing but dates and times changed in its text.
    """

    snapshot: str
    query: str
    how: Literal["columns", "text", "new", "gone", "rows"]
    rows: tuple[int | None, int | None]
    digests: tuple[str | None, str | None]
    old: str = ""
    new: str = ""
    dates: bool = False


@dataclass(frozen=True)
class Difference:
    """All that changed from one edition to another, each list with the most important first.

    Attributes:
        before, after: Weeks.
        currencies: Of the two.
        compared: How many numbers both hold.
        problems: What could not be read, in words.
    """

    before: str
    after: str
    currencies: tuple[str, str]
    verdicts: tuple[VerdictMoved, ...]
    numbers: tuple[NumberMoved, ...]
    findings: tuple[FindingMoved, ...]
    subjects: tuple[SubjectChange, ...]
    definitions: tuple[DefinitionChange, ...]
    code: tuple[CodeChange, ...]
    data: tuple[DataChange, ...]
    compared: int
    problems: tuple[str, ...]

    @property
    def flips(self) -> tuple[VerdictMoved, ...]:
        """Verdicts that tell readers something else."""
        return tuple(v for v in self.verdicts if v.change.flips)

    @property
    def outside(self) -> tuple[NumberMoved, ...]:
        """Numbers that left the interval published with their old value."""
        return tuple(n for n in self.numbers if n.change.outside)

    def of(self, page: str) -> Difference:
        """The same for one page: definitions and programs are the whole edition's, and stay."""
        return Difference(
            self.before,
            self.after,
            self.currencies,
            tuple(r for r in self.verdicts if r.page == page),
            tuple(r for r in self.numbers if r.page == page),
            tuple(r for r in self.findings if r.page == page),
            tuple(r for r in self.subjects if r.page == page),
            tuple(d for d in self.definitions if d.file.rpartition("/")[2] == f"{page}.yml" or "/" not in d.file),
            tuple(c for c in self.code if not c.pages or page in c.pages),
            tuple(d for d in self.data if d.snapshot == page),
            self.compared,
            self.problems,
        )
