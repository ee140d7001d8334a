"""A test's users as rows, and what arms that are drawn at random among them would have frozen; for replays alone, nothing of it is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gazette.sources._answer import column_of
from gazette.sources._experiment import grouped, people
from gazette.sources._quantiles import caps

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

    from gazette.params import Experiment, Metric
    from gazette.sources._warehouse import Period, Warehouse

__all__ = ["at_random", "drawn_arms", "others", "users"]

AT_ONCE = 2_000_000  # rows of users and draws in memory
KNOWN = {"experiment", "unit_id", "variant", "assigned_at"}
STEPS = 1_000_003  # of a hash, so that shares are met to a millionth


def users(
    warehouse: Warehouse, experiment: Experiment, metrics: dict[str, Metric], period: Period, *, file: str
) -> Any:
    """A row per unit with its arm and every metric, as the arms' aggregates are taken of; caps are applied already."""
    import ibis  # noqa: PLC0415  takes a second

    joined = people(warehouse, experiment, metrics, period, file=file)
    for name in experiment.metrics:
        if (q := metrics[name].cap_quantile) is not None:
            column = column_of(name)
            cap = caps(joined, column, q).cap.as_scalar()
            joined = joined.mutate(**{column: ibis.least(joined[column], cap)})
    return joined.drop("assigned_at").order_by("unit_id")


def others(warehouse: Warehouse, experiment: Experiment, *, file: str) -> Any | None:
    """Of each unit, the least and greatest value of the assignment table's other columns (``name``, ``name__most``); None without any."""
    table = warehouse.table(experiment.assignments, {c: c for c in KNOWN}, file=file)
    kinds = {c: table[c].type() for c in table.columns if c not in KNOWN}
    names = [c for c, kind in kinds.items() if kind.is_string() or kind.is_integer()]
    if not names:
        return None
    mine = table.filter(table.experiment == experiment.id, table.unit_id.notnull())
    ends = {c: mine[c].min() for c in names} | {f"{c}__most": mine[c].max() for c in names}
    return mine.group_by("unit_id").aggregate(**ends).order_by("unit_id")


def at_random(warehouse: Warehouse, experiment: Experiment, turn: int, *, file: str) -> Any:
    """The assignment table with arms drawn by a hash of the unit, in the warehouse."""
    import ibis  # noqa: PLC0415

    table = warehouse.table(experiment.assignments, {c: c for c in KNOWN}, file=file)
    place = (table.unit_id.cast("string") + f"/{turn}").hash().abs() % STEPS
    ends = np.cumsum([v.weight for v in experiment.variants])
    cases = [(place < int(end * STEPS), v.id) for end, v in zip(ends, experiment.variants, strict=True)]
    drawn = ibis.cases(*cases[:-1], else_=experiment.variants[-1].id)
    return table.mutate(variant=ibis.ifelse(table.experiment == experiment.id, drawn, table.variant.cast("string")))


def drawn_arms(
    rows: pa.Table, arms: NDArray[np.int8], variants: Sequence[str], metrics: dict[str, Metric]
) -> Iterator[dict[str, dict[str, Any]]]:
    """Of each draw the aggregates by variant that a build would freeze, with quantiles' order statistics beside them.

    Args:
        rows: Of :func:`users`.
        arms: Place of each unit's variant, of shape (draws, units).
        variants: Their ids.
        metrics: Definitions by id, caps by quantile taken out.
    """
    import ibis  # noqa: PLC0415
    import pyarrow as pa  # noqa: PLC0415

    engine = ibis.duckdb.connect(threads=1)  # several would add floats in an order that differs from run to run
    n = rows.num_rows
    engine.con.register("units", rows.append_column("place", pa.array(np.arange(n))))
    units = engine.table("units").drop("variant")
    names = pa.array(list(variants))
    for first in range(0, len(arms), most := max(1, AT_ONCE // max(1, n))):
        part = arms[first : first + most]
        table = {
            "draw": np.repeat(np.arange(len(part)), n),
            "place": np.tile(np.arange(n), len(part)),
            "variant": pa.DictionaryArray.from_arrays(pa.array(part.ravel()), names).dictionary_decode(),
        }
        engine.con.register("draws", pa.table(table))
        draws = engine.table("draws")
        joined = draws.inner_join(units, "place").drop("place")  # a join that is done, which windows need
        found: list[dict[str, dict[str, Any]]] = [{} for _ in part]
        for row in grouped(joined, metrics, ["draw", "variant"]).to_pyarrow().to_pylist():
            found[row["draw"]][row["variant"]] = row
        yield from found
    engine.disconnect()
