"""Ask the warehouse, before anything is built, who was assigned to what and how much an edition will read."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from gazette.build._freeze import period_of
from gazette.errors import SourceError
from gazette.params import Model
from gazette.sources import Warehouse, of_nobody, people_answers, row_counts, tables_of, worst_day

if TYPE_CHECKING:
    from gazette.build._project import Project
    from gazette.editions import Week
    from gazette.params import Experiment
    from gazette.sources import Period

__all__ = ["DataCheck", "check_data"]


@dataclass(frozen=True)
class DataCheck:
    """What the warehouse says of one subject.

    Attributes:
        subject: Its id.
        arms: Variant to the units assigned to it.
        lost: Who is in no arm, as the assignment table names them, to how many; those that the file excludes are not among them.
        rows: Table to its rows: an edition reads each table of a test once, each of a model once or more.
        problem: What cannot be read, and how to mend it; empty where all can.
        matched: Metric to the users who have a row of what it counts.
        strange: Of facts that have rows of nobody, why; a check of the page fails.
        several: Property to the users who have several values of it, of which one is taken.
        twice: Tables with a day of the week that seems to have been loaded twice.
    """

    subject: str
    arms: dict[str, int]
    lost: dict[str, int]
    rows: dict[str, int]
    problem: str = ""
    matched: dict[str, int] = field(default_factory=dict)
    strange: list[str] = field(default_factory=list)
    several: dict[str, int] = field(default_factory=dict)
    twice: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Whether all can be read, is of somebody, and everyone is accounted for; users of several variants are for the page's own check."""
        return not self.problem and not self.strange and not set(self.lost) - {"several variants"}


def check_data(project: Project, week: Week) -> list[DataCheck]:
    """Every subject of a week, asked one by one; one that cannot be read stops no other.

    Raises:
        SourceError: The warehouse cannot be opened.
    """
    period = period_of(project, week)
    with Warehouse(project.params.site.warehouse, project=project.root) as warehouse:
        return [_checked(project, warehouse, subject, period) for subject in project.subjects(week)]


def _checked(project: Project, warehouse: Warehouse, subject: Model | Experiment, period: Period) -> DataCheck:
    found = DataCheck(subject.id, {}, {}, {})
    try:
        found.rows.update(row_counts(warehouse, tables_of(subject, project.params.metrics)))
        if not isinstance(subject, Model):
            answers = people_answers(warehouse, subject, project.params.metrics, period)
            _fill(found, {a.name: a.table.to_pylist() for a in answers})
    except SourceError as error:
        return replace(found, problem=str(error))
    return found


def _fill(found: DataCheck, tables: dict[str, list[dict[str, Any]]]) -> None:
    for row in tables["accounted"]:
        into = {"assigned": found.arms, "excluded": {}}.get(row["kind"], found.lost)
        into[row["label"]] = row["units"] or row["rows"]
    for row in tables.get("matched", []):
        if row["part"] == "value":
            found.matched[row["metric"]] = found.matched.get(row["metric"], 0) + (row["units"] or 0)
    found.strange.extend(f"{row['metric']}: {why}" for row in tables.get("unmatched", []) if (why := of_nobody(row)))
    for row in tables.get("several", []):
        if row["several"]:
            found.several[row["what"]] = found.several.get(row["what"], 0) + row["several"]
    found.twice.extend(
        f"{row['again']:,} of {row['rows']:,} rows of {row['table']} repeat another of the same user, time and value ({row['metric']}) on {row['day']:%Y-%m-%d}"
        for row in worst_day(tables.get("repeated", []))
    )
