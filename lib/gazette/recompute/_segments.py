"""A test's segments a second time: frozen aggregates of every value and arm, against plain SQL of the primary metric."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gazette.recompute._sql import name, table, whole

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gazette.params import Experiment, Metric

__all__ = ["by_part", "parted", "unlike"]

Rows = list[dict[str, Any]]
SAME = 1e-6
NONE = "n"  # the part of those who have no value; others are a v and the value


def parted(segment: Any, own: str) -> str:
    """The table ``parted``: every unit with the part that it is of: ``v`` and the value, the last of several, or ``n`` where it has none.

    Args:
        segment: The property.
        own: SQL of whether a row ``was`` of the property's table is a unit's own.
    """
    value = f"CAST(was.{name(segment.column)} AS VARCHAR)"
    return (
        f"named AS (SELECT seen.unit, MAX({value}) AS v FROM seen JOIN {table(segment.table)} AS was ON {own} GROUP BY seen.unit),\n"
        "parted AS (SELECT each.*, CASE WHEN named.v IS NULL THEN 'n' ELSE CONCAT('v', named.v) END AS part "
        "FROM each LEFT JOIN named ON named.unit = each.unit)"
    )


def by_part(known: Metric) -> str:
    """Units, value and variance by part and arm."""
    if known.denominator is not None:
        return (
            ",\nrates AS (SELECT part, arm, SUM(x) / NULLIF(SUM(y), 0) AS r, AVG(y) AS m FROM parted GROUP BY part, arm)\n"
            f"SELECT parted.part, parted.arm, COUNT(*) AS n, {whole('MIN(rates.r)')} AS value, "
            "VAR_SAMP((parted.x - rates.r * parted.y) / NULLIF(rates.m, 0)) AS spread\n"
            "FROM parted JOIN rates ON rates.arm = parted.arm AND rates.part = parted.part GROUP BY parted.part, parted.arm ORDER BY parted.part, parted.arm"
        )
    value, spread = "AVG(x)", "VAR_SAMP(x)"
    if known.quantile is not None:
        value, spread = f"PERCENTILE_DISC({known.quantile!r}) WITHIN GROUP (ORDER BY x)", "CAST(NULL AS DOUBLE)"
    return (
        f"\nSELECT part, arm, COUNT(*) AS n, {whole(value)} AS value, {spread} AS spread\n"
        "FROM parted GROUP BY part, arm ORDER BY part, arm"
    )


def unlike(
    plan: Experiment, known: Metric, first: Sequence[Mapping[Any, Any]], tables: Mapping[str, Rows]
) -> Iterator[tuple[str, str, float, float | None]]:
    """What the two computations do not agree on: id without the subject, label, first and second value.

    Args:
        plan: The experiment.
        known: Definition of its primary metric.
        first: Rows of the frozen answer ``segments``.
        tables: Second answers by the names of their questions; one that failed is left out.
    """
    for i, segment in enumerate(plan.segments):
        if f"segment.{i}" not in tables:
            continue
        ours = {(str(r["part"]), str(r["arm"])): r for r in tables[f"segment.{i}"]}
        theirs = {(_part(r["value"]), str(r["variant"])): r for r in first if r["segment"] == segment.title}
        for place, (part, arm) in enumerate(sorted(ours.keys() | theirs.keys())):
            own, label = f"segments.{i}.{place}.{arm}", f"{segment.title} {part[1:] or 'none'}, {arm}"
            one, other = theirs.get((part, arm)), ours.get((part, arm))
            found = _quantities(one, known, plan.primary) if one is not None else {"n": 0.0}
            again = {k: _number(other.get(k)) for k in ("n", "value", "spread")} if other is not None else {}
            for quantity, value in found.items():
                second, size = again.get(quantity), abs(found.get("spread", 0.0))
                size = max(abs(value), size if quantity == "spread" else size**0.5)
                if second is None or abs(value - second) > SAME * max(size, 1e-9):
                    yield f"{own}.{quantity}", f"{label}, {quantity}", value, second


def _part(value: Any) -> str:
    return NONE if value is None or value != value else f"v{value}"  # noqa: PLR0124  NaN


def _number(value: Any) -> float | None:
    return None if value is None or value != value else float(value)  # noqa: PLR0124  NaN


def _quantities(row: Mapping[Any, Any], known: Metric, metric: str) -> dict[str, float]:
    """Units, the value, and its variance a unit, as far as the first computation has them."""
    column = "m_" + metric.replace("-", "_")
    found: dict[str, float | None] = {"n": float(row["n"])}
    if sum(_number(row.get(f"{column}{part}_broken")) or 0 for part in ("", "_den")):
        return {"n": float(row["n"])}  # withheld
    x, spread = _number(row.get(f"{column}_mean")), _number(row.get(f"{column}_var"))
    if known.quantile is not None:
        found["value"] = _number(row.get(f"{column}_quantile"))
    elif known.denominator is None:
        found |= {"value": x, "spread": spread}
    elif x is not None and (y := _number(row.get(f"{column}_den_mean"))):
        found["value"] = x / y
        of_y, both = (_number(row.get(f"{column}_den_{end}")) for end in ("var", "cov"))
        if spread is not None and of_y is not None and both is not None:
            scale = max(spread, (x / y) ** 2 * of_y)
            square = spread - 2 * x / y * both + (x / y) ** 2 * of_y
            if square > 1e-9 * scale:  # less is the rounding of a ratio that is the same for all
                found["spread"] = square / y**2
    return {k: v for k, v in found.items() if v is not None}
