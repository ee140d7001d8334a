"""What a source gave: a table and the question it answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["ROUNDING", "Answer", "column_of", "flag", "real"]

ROUNDING = 1e-9  # a rank of 0.07 * 100 comes out as a little more than 7, and is no 8


@dataclass(frozen=True)
class Answer:
    """A named result.

    Attributes:
        name: Name of the query within its subject.
        sql: Text that was run, or a sentence where the source takes no SQL.
        table: Rows, in a stable order.
    """

    name: str
    sql: str
    table: pa.Table


def column_of(metric: str) -> str:
    """Column of a metric in answers with aggregates per arm; its parts follow after an underscore.

    >>> column_of("revenue-per-unit")
    'm_revenue_per_unit'
    """
    return "m_" + metric.replace("-", "_")


def real(value: int) -> Any:
    """A whole number as a real one, in every dialect; a literal with a point is a decimal in most.

    >>> str(real(1).type())
    'float64'
    """
    import ibis  # noqa: PLC0415  takes a second, needed only to build

    return ibis.literal(value).cast("float64")


def flag(condition: Any) -> Any:
    """1 where a condition holds, else 0; not every dialect makes a number of a boolean."""
    return condition.ifelse(1, 0).cast("int64")
