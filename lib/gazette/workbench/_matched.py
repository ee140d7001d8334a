"""Whether what a metric counts is of anybody in the test: a key that fits nobody makes every user's value 0, in both arms alike."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from gazette.sources import of_nobody, worst_day
from gazette.workbench._answers import records

if TYPE_CHECKING:
    import pandas as pd

    from gazette.params import Metric
    from gazette.workbench._missing import Lack

__all__ = ["Matched", "Repeated", "Several", "matched_of", "repeated_of", "several_of"]


@dataclass(frozen=True)
class Matched:
    """Users that have a row of a fact which counts.

    Attributes:
        metric: The metric.
        part: ``value`` or ``denominator``.
        users: How many have one, of all arms.
        why: Why nobody has one though rows are there; empty where somebody has, or where there are no rows.
    """

    metric: str
    part: str
    users: int
    why: str = ""


def matched_of(
    matched: pd.DataFrame | None, unmatched: pd.DataFrame | None, metrics: dict[str, Metric], lacks: list[Lack]
) -> list[Matched]:
    """What the tables ``matched`` and ``unmatched`` say; nothing where they were not asked, as by earlier code.

    Args:
        matched: Rows of metric, part, variant and units.
        unmatched: Rows of metric and part whose fact nobody has a row of.
        metrics: Definitions.
        lacks: What rows of users lack.
    """
    users: dict[tuple[str, str], int] = {}
    for row in records(matched):
        key = str(row["metric"]), str(row["part"])
        users[key] = users.get(key, 0) + int(row["units"] or 0)
    strange = {(str(r["metric"]), str(r["part"])): r for r in records(unmatched)}
    found = []
    for (metric, part), n in users.items():
        fact = metrics[metric].fact if part == "value" else metrics[metric].denominator
        why = of_nobody(strange[metric, part]) if (metric, part) in strange else ""
        if not n and not why and fact is not None:
            own = [x.what for x in lacks if x.metric == metric and x.what.endswith(f" in some row of {fact.table}")]
            why = f"every row that a user has lacks what it needs: {'; '.join(own)}" if own else ""
        found.append(Matched(metric, part, n, "" if n else why))
    return found


@dataclass(frozen=True)
class Several:
    """A property of which some users have several different values.

    Attributes:
        what: The property, in words.
        arms: Variant to the users who have.
    """

    what: str
    arms: dict[str, int]

    @property
    def name(self) -> str:
        """For the id of its number."""
        return re.sub(r"[^a-z0-9]+", "-", self.what.lower()).strip("-")


def several_of(frame: pd.DataFrame | None) -> list[Several]:
    """What the table ``several`` says, but for what nobody has several of.

    Args:
        frame: Rows of what, variant, n and several; None where it was not asked, as by earlier code.
    """
    found: dict[str, dict[str, int]] = {}
    for row in records(frame):
        found.setdefault(str(row["what"]), {})[str(row["variant"])] = int(row["several"] or 0)
    return [Several(what, arms) for what, arms in found.items() if any(arms.values())]


@dataclass(frozen=True)
class Repeated:
    """A day of the week on which many rows of a fact repeat another.

    Attributes:
        metric: The first metric that reads the fact.
        table: Its table.
        day: The day of the week with the greatest share.
        rows: Rows of users in the test on that day.
        again: Those that repeat another.
    """

    metric: str
    table: str
    day: date
    rows: int
    again: int

    @property
    def share(self) -> float:
        """Of the day's rows."""
        return self.again / self.rows


def repeated_of(frame: pd.DataFrame | None) -> list[Repeated]:
    """What the table ``repeated`` says, but for facts whose rows hardly repeat each other.

    Args:
        frame: Rows of metric, table, day, rows and again; None where it was not asked, as by earlier code.
    """
    return [
        Repeated(
            str(r["metric"]), str(r["table"]), date.fromisoformat(str(r["day"])[:10]), int(r["rows"]), int(r["again"])
        )
        for r in worst_day(records(frame))
    ]
