"""Two definitions of a metric over the same units and weeks, as aggregates: what a bridge between versions is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gazette.sources._answer import ROUNDING, flag, real
from gazette.sources._quantiles import Z, bounding, caps

if TYPE_CHECKING:
    from gazette.params import Before, Fact, Metric
    from gazette.sources._warehouse import Period, Warehouse

__all__ = ["bridge"]

BOUNDS = ("low", "high", "low_rank", "high_rank")  # of a quantile: two order statistics that bound it, and their ranks


def bridge(warehouse: Warehouse, old: Before | Metric, new: Before | Metric, period: Period, *, file: str) -> Any:
    """Expression with a row per week: week, n, old, old_var, new, new_var, cov.

    A unit counts in a week in which a table of either definition has a row of it that had arrived by the cut-off, whatever
    the row's kind; both definitions are taken of the same units, 0 where a unit has none of the rows that count. Variances
    and covariance are those of the units' influences (for a mean their distances from it, for a ratio of sums those of the
    delta method, for a quantile Bahadur's), so that a variance over n is a squared standard error. Of a quantile there are the order
    statistics that bound it and their ranks too (``new_low``, ``new_low_rank`` and so on): its influence takes them to be 1.96 standard
    errors away from it, and the ranks say how many they are (``stats.quantile_moments``), as a warehouse has no binomial.
    """
    import ibis  # noqa: PLC0415  takes a second, needed only to build

    kinds = [f for d in (old, new) for f in (d.fact, d.denominator) if f is not None]
    seen = [_rows(warehouse, fact, period, file=file, all_kinds=True).select("week", "unit_id") for fact in kinds]
    units = (ibis.union(*seen, distinct=True) if len(seen) > 1 else seen[0]).distinct()
    for side, definition in (("old", old), ("new", new)):
        for part, fact in ((f"{side}_value", definition.fact), (f"{side}_den", definition.denominator)):
            units = _with(units, part, warehouse, fact, period, file=file)
        units = _influence(units, side, definition)
    ends = [f"{s}_{mark}" for s, d in (("old", old), ("new", new)) if d.quantile is not None for mark in BOUNDS]
    found = units.group_by("week").aggregate(
        n=units.count(),
        old=units.old.max(),
        old_var=units.old_influence.var(how="sample"),
        new=units.new.max(),
        new_var=units.new_influence.var(how="sample"),
        cov=units.old_influence.cov(units.new_influence, how="sample"),
        **{end: units[end].max() for end in ends},
    )
    return found.order_by("week")


def _rows(warehouse: Warehouse, fact: Fact, period: Period, *, file: str, all_kinds: bool) -> Any:
    """Rows of whole weeks that had arrived by the cut-off: week, unit_id, value."""
    wanted = {"unit": fact.unit, "time": fact.time} | {f"where {w.column}": w.column for w in fact.where}
    wanted |= {"arrived": fact.arrived} if fact.arrived else {}
    wanted |= {"value": fact.value} if fact.value else {}
    table = warehouse.table(fact.table, wanted, file=file)
    conditions = [table[fact.time] >= period.history_start, table[fact.time] < period.end]
    if not all_kinds:
        conditions += [table[w.column] == w.equals for w in fact.where]
    if fact.arrived:
        conditions.append(table[fact.arrived] < period.cutoff)
    kept = table.filter(*conditions)
    value = kept[fact.value].cast("float64") if fact.value else real(1)
    return kept.select(
        week=kept[fact.time].truncate("W").cast("date"), unit_id=kept[fact.unit].cast("string"), value=value
    )


def _with(units: Any, part: str, warehouse: Warehouse, fact: Fact | None, period: Period, *, file: str) -> Any:
    """The units with a column of the fact's total in the week."""
    if fact is None:
        return units.mutate(**{part: real(1)})
    rows = _rows(warehouse, fact, period, file=file, all_kinds=False)
    total = {"any": rows.value.max(), "count": rows.value.sum(), "sum": rows.value.sum()}[fact.aggregation]
    right = rows.group_by("week", "unit_id").aggregate(**{part: total})
    right = right.rename({f"{part}_week": "week", f"{part}_unit": "unit_id"})
    same = [units.week == right[f"{part}_week"], units.unit_id == right[f"{part}_unit"]]
    joined = units.left_join(right, same)
    kept = {c: units[c] for c in units.columns}  # named one by one: dropped columns are written in an order of chance
    return joined.select(**kept, **{part: joined[part].fill_null(0.0)})


def _influence(units: Any, side: str, definition: Before | Metric) -> Any:
    """The units with the week's value and their influence on it."""
    import ibis  # noqa: PLC0415

    week = ibis.window(group_by="week")
    value = units[f"{side}_value"]
    if definition.quantile is not None:
        return _quantile(units, side, definition.quantile)
    limit: Any = definition.cap
    if definition.cap_quantile is not None:
        limits = caps(units, f"{side}_value", definition.cap_quantile, ["week"])
        limits = limits.select(
            **{f"{side}_limit_week": limits.week, f"{side}_limit": limits.cap}
        )  # in no window: not every dialect takes quantiles there
        units = units.inner_join(limits, units.week == limits[f"{side}_limit_week"]).drop(f"{side}_limit_week")
        limit = units[f"{side}_limit"]
    if limit is not None:
        units = units.mutate(**{f"{side}_value": ibis.least(units[f"{side}_value"], limit)})
    value, under = units[f"{side}_value"], units[f"{side}_den"]
    units = units.mutate(
        **{f"{side}_mean": value.mean().over(week), f"{side}_under": under.mean().over(week).nullif(0.0)}
    )
    ratio = units[f"{side}_mean"] / units[f"{side}_under"]
    residual = (units[f"{side}_value"] - ratio * units[f"{side}_den"]) / units[f"{side}_under"]
    return units.mutate(**{side: ratio, f"{side}_influence": residual})


def _quantile(units: Any, side: str, q: float) -> Any:
    """Bahadur's influence (q - 1[x <= v]) / f(v); 1/f from the order statistics that bound the quantile."""
    import ibis  # noqa: PLC0415

    value = units[f"{side}_value"]
    ordered = ibis.window(group_by="week", order_by=[value, units.unit_id])
    units = units.mutate(rank=ibis.row_number().over(ordered) + 1)
    week = ibis.window(group_by="week")
    units = units.mutate(size=units.count().over(week).cast("float64"))
    shift, reach = bounding(q)
    ends = {
        "middle": ibis.greatest((units["size"] * q - ROUNDING).ceil(), 1),
        f"{side}_low_rank": ibis.greatest((units["size"] * q + shift - reach * units["size"].sqrt()).floor(), 1),
        f"{side}_high_rank": ibis.least(
            (units["size"] * q + shift + reach * units["size"].sqrt()).ceil() + 1, units["size"]
        ),
    }
    units = units.mutate(**ends)

    def at(place: str) -> Any:
        here = units["rank"] == units[place]
        return here.ifelse(units[f"{side}_value"], ibis.null("float64")).max().over(week)

    named = {side: "middle", f"{side}_low": f"{side}_low_rank", f"{side}_high": f"{side}_high_rank"}
    units = units.mutate(**{name: at(place) for name, place in named.items()})
    slope = (units[f"{side}_high"] - units[f"{side}_low"]) * units["size"].sqrt() / (2 * Z * (q * (1 - q)) ** 0.5)
    below = flag(units[f"{side}_value"] <= units[side])
    return units.mutate(**{f"{side}_influence": (q - below) * slope}).drop("rank").drop("size").drop("middle")
