"""Ask the warehouse, before anything is built, who was assigned to what and how much an edition will read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gazette.build._freeze import period_of
from gazette.errors import SourceError
from gazette.params import Model
from gazette.sources import Warehouse, assigned_answer, row_counts, tables_of

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
    """

    subject: str
    arms: dict[str, int]
    lost: dict[str, int]
    rows: dict[str, int]
    problem: str = ""

    @property
    def passed(self) -> bool:
        """Whether all can be read and everyone is accounted for; users of several variants are for the page's own check."""
        return not self.problem and not set(self.lost) - {"several variants"}


def check_data(project: Project, week: Week) -> list[DataCheck]:
    """Every subject of a week, asked one by one; one that cannot be read stops no other.

    Raises:
        SourceError: The warehouse cannot be opened.
    """
    period = period_of(project, week)
    with Warehouse(project.params.site.warehouse, project=project.root) as warehouse:
        return [_checked(project, warehouse, subject, period) for subject in project.subjects(week)]


def _checked(project: Project, warehouse: Warehouse, subject: Model | Experiment, period: Period) -> DataCheck:
    arms: dict[str, int] = {}
    lost: dict[str, int] = {}
    rows: dict[str, int] = {}
    try:
        rows = row_counts(warehouse, tables_of(subject, project.params.metrics))
        if not isinstance(subject, Model):
            answer = assigned_answer(warehouse, subject, project.params.metrics, period)
            for row in answer.table.to_pylist():
                into = {"assigned": arms, "excluded": {}}.get(row["kind"], lost)
                into[row["label"]] = row["units"] or row["rows"]
    except SourceError as error:
        return DataCheck(subject.id, arms, lost, rows, str(error))
    return DataCheck(subject.id, arms, lost, rows)
