"""Why a query failed: text that is no number, or a number too large to be squared, by table, column and an example."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from gazette.errors import SourceError
from gazette.params import Model
from gazette.sources._values import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gazette.params import Experiment, Metric
    from gazette.sources._warehouse import Warehouse

__all__ = ["clear_values", "read_as_numbers"]

NUMERAL = r"^\s*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,2})?\s*$"
NO_VALUE = r"^\s*[+-]?([nN][aA][nN]|[iI][nN][fF]([iI][nN][iI][tT][yY])?)?\s*$"  # read as missing
LARGEST = 1e150  # the square of more is beyond any real number


def read_as_numbers(subject: Model | Experiment, metrics: dict[str, Metric]) -> list[tuple[str, str]]:
    """Table and column of every value that a subject's page adds up."""
    found: list[tuple[str, str | None]] = []
    if isinstance(subject, Model):
        scores, labels = subject.scores, subject.labels
        found.append((scores.table, scores.score))
        found += [(scores.table, q.column) for q in scores.quality]
        if scores.items is not None:
            found += [(scores.items.table, c) for c in (scores.items.rank, scores.items.relevance)]
        if labels is not None and subject.kind != "classifier":
            found.append((labels.table, labels.label))
    else:
        for metric in (metrics[m] for m in subject.metrics):
            found += [(f.table, f.value) for f in (metric.fact, metric.denominator) if f is not None]
            if metric.covariate is not None:
                found.append((metric.covariate.table, metric.covariate.column))
    return [*dict.fromkeys((table, column) for table, column in found if column)]


@contextmanager
def clear_values(warehouse: Warehouse, columns: list[tuple[str, str]], *, file: str) -> Iterator[None]:
    """Where a query fails in the warehouse, look for the value that it failed of, and name that instead.

    Args:
        warehouse: An open warehouse.
        columns: Table and column of the values that are added up.
        file: The parameter file.

    Raises:
        SourceError: Whatever was raised within, or which values are none that can be added up.
    """
    try:
        yield
    except SourceError as error:
        if "failed in the warehouse" not in error.what:
            raise
        for table, column in columns:
            if (told := _culprit(warehouse, table, column, file)) is not None:
                raise told from error
        raise


def _culprit(warehouse: Warehouse, name: str, column: str, file: str) -> SourceError | None:
    try:
        table = warehouse.table(name, {"value": column}, file=file)
        value = table[column]
        if value.type().is_string():
            wrong, what = ~value.re_search(NUMERAL) & ~value.re_search(NO_VALUE), "text that is no number"
            mend = "write numbers with a decimal point, or let a view map the column to numbers and to NULL where nothing is known"
        elif value.type().is_floating():
            wrong, what = (value.abs() > LARGEST) & ~value.isinf() & ~value.isnan(), "a number too large to be added up"
            mend = "they stand for something else, such as a missing value: let a view make them NULL"
        else:
            return None
        rows = table.filter(value.notnull() & wrong)
        asked = rows.aggregate(n=rows.count(), such=rows[column].min())
        found = warehouse.ask("values", asked, file=file).table.to_pylist()[0]
    except SourceError:
        return None  # of another kind, which the error that was there tells of
    if not found["n"]:
        return None
    such = quoted(found["such"]) if isinstance(found["such"], str) else repr(found["such"])
    many = f"{found['n']:,} rows with {what}"
    return SourceError(f"column {column!r} of table {name!r} has {many}, such as {such}", where=file, mend=mend)
