"""Queries of a regressor: mean absolute error, root mean squared error and mean error (bias)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gazette.sources._measures import answers, arrivals, at_one_age, mean_influences, outcomes, unscored

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gazette.params import Model
    from gazette.sources._warehouse import Period, Warehouse

__all__ = ["queries"]


def queries(
    warehouse: Warehouse, model: Model, period: Period, versions: dict[str, str], *, held: str, file: str
) -> Iterator[tuple[str, Any]]:
    """Name and ibis expression of each query."""
    rows = outcomes(warehouse, model, period, versions, file=file)
    rows = warehouse.hold(held, at_one_age(rows, period, label=True))
    yield unscored(rows, ["score"], period, versions["live"])
    labelled = rows.filter(rows.label.notnull(), rows.score.notnull())
    error = labelled.score - labelled.label
    labelled = labelled.mutate(mae=error.abs(), squared=error * error, bias=error)
    columns = [m.replace("-", "_") for m in model.measures]
    yield from answers(_placed, labelled, columns, model, period, versions)
    yield from arrivals(rows, period)


def _placed(rows: Any, groups: Sequence[str]) -> Any:
    rows = mean_influences(rows, groups, ["mae", "squared", "bias"])
    rows = rows.mutate(v_rmse=rows.v_squared.sqrt())
    return rows.mutate(i_rmse=rows.i_squared / (2 * rows.v_rmse.nullif(0)))
