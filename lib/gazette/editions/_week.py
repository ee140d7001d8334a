"""ISO weeks in UTC: the clock of editions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from gazette.errors import WrongUseError

__all__ = ["Week"]


@dataclass(frozen=True, order=True)
class Week:
    """An ISO week.

    >>> str(Week.parse("2026-W47").next()), Week.parse("2026-W47").start.isoformat()
    ('2026-W48', '2026-11-16')
    >>> str(Week.of(date(2027, 1, 3)))
    '2026-W53'
    """

    year: int
    number: int

    @classmethod
    def parse(cls, text: str) -> Week:
        """Read ``2026-W47``.

        Raises:
            WrongUseError: Not of that form, or a week that the year does not have.
        """
        match = re.fullmatch(r"([0-9]{4})-W([0-9]{2})", text)
        try:
            if match is None:
                raise ValueError(text)
            date.fromisocalendar(int(match[1]), int(match[2]), 1)
        except ValueError as error:
            raise WrongUseError(f"{text!r} is not an ISO week", mend="write it like 2026-W47") from error
        return cls(int(match[1]), int(match[2]))

    @classmethod
    def of(cls, day: date) -> Week:
        """The week that holds a day."""
        year, number, _ = day.isocalendar()
        return cls(year, number)

    @property
    def start(self) -> date:
        """Its Monday."""
        return date.fromisocalendar(self.year, self.number, 1)

    @property
    def end(self) -> date:
        """Its Sunday."""
        return self.start + timedelta(days=6)

    def cutoff(self, hours: int = 0) -> datetime:
        """Monday 00:00 UTC after it, plus ``hours``."""
        return datetime.combine(self.start + timedelta(days=7), time()) + timedelta(hours=hours)

    def next(self, weeks: int = 1) -> Week:
        """The week that many weeks later; negative goes back."""
        return Week.of(self.start + timedelta(weeks=weeks))

    def __str__(self) -> str:
        return f"{self.year:04d}-W{self.number:02d}"
