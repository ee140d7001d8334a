"""What a source gave: a table and the question it answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["ROUNDING", "Answer", "column_of"]

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
