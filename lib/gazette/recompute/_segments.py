"""A test's segments a second time: frozen aggregates of every value and arm, against plain SQL of the primary metric."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from gazette.recompute._sql import name, table, whole

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gazette.params import Experiment, Metric

__all__ = ["PARTED", "by_part", "large_parts", "parted", "unlike"]

Rows = list[dict[str, Any]]
SAME = 1e-6
POWERS = {"spread": 1.0, "third": 1.5}  # of the variance, that a quantity is of the size of
PARTED = "segment."  # what questions about parts begin with
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
    """Units, value, variance and third moment by part and arm."""
    if known.denominator is not None:
        rest = "(parted.x - rates.r * parted.y) / NULLIF(rates.m, 0)"
        return (
            ",\nrates AS (SELECT part, arm, SUM(x) / NULLIF(SUM(y), 0) AS r, AVG(y) AS m FROM parted GROUP BY part, arm)\n"
            f"SELECT parted.part, parted.arm, COUNT(*) AS n, {whole('MIN(rates.r)')} AS value, "
            f"VAR_SAMP({rest}) AS spread, AVG(({rest}) * ({rest}) * ({rest})) AS third\n"
            "FROM parted JOIN rates ON rates.arm = parted.arm AND rates.part = parted.part GROUP BY parted.part, parted.arm ORDER BY parted.part, parted.arm"
        )
    value, spread, third = "AVG(x)", "VAR_SAMP(x)", "AVG(d * d * d)"
    if known.quantile is not None:
        value, spread = f"PERCENTILE_DISC({known.quantile!r}) WITHIN GROUP (ORDER BY x)", "CAST(NULL AS DOUBLE)"
        third = spread
    return (
        f"\nSELECT part, arm, COUNT(*) AS n, {whole(value)} AS value, {spread} AS spread, {third} AS third\n"
        "FROM (SELECT parted.*, x - AVG(x) OVER (PARTITION BY part, arm) AS d FROM parted) AS centred GROUP BY part, arm ORDER BY part, arm"
    )


def large_parts(rows: Rows, fewest: int) -> Rows:
    """Rows of the parts that may be shown: none with one to ``fewest`` - 1 units in an arm, nor others whose sum with these is as few."""
    arms = sorted({str(r["arm"]) for r in rows})
    sizes: dict[str, list[int]] = {str(r["part"]): [0] * len(arms) for r in rows}
    for row in rows:
        sizes[str(row["part"])][arms.index(str(row["arm"]))] += int(row["n"])
    by_size = sorted(sizes, key=lambda part: (sum(sizes[part]), part))
    hidden = [part for part in by_size if min((n for n in sizes[part] if n), default=fewest) < fewest]
    for part in by_size:
        sums = [sum(sizes[h][i] for h in hidden) for i in range(len(arms))]
        if all(n == 0 or n >= fewest for n in sums):
            break
        if part not in hidden:
            hidden.append(part)
    return [r for r in rows if str(r["part"]) not in hidden]


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
    widest = max((_size(_quantities(r, known, plan.primary)) for r in first), default=0.0)
    for i, segment in enumerate(plan.segments):
        if f"segment.{i}" not in tables:
            continue
        ours = {(str(r["part"]), str(r["arm"])): r for r in tables[f"segment.{i}"]}
        theirs = {(_part(r["value"]), str(r["variant"])): r for r in first if r["segment"] == segment.title}
        for place, (part, arm) in enumerate(sorted(ours.keys() | theirs.keys())):
            own, label = f"segments.{i}.{place}.{arm}", f"{segment.title} {part[1:] or 'none'}, {arm}"
            one, other = theirs.get((part, arm)), ours.get((part, arm))
            found = _quantities(one, known, plan.primary) if one is not None else {"n": 0.0}
            again = {k: _number(other.get(k)) for k in ("n", "value", "spread", "third")} if other is not None else {}
            for quantity, value in found.items():
                second, size = again.get(quantity), abs(found.get("spread", 0.0))
                power = POWERS.get(quantity, 0.5)
                # moments are taken from the middle of all, so those of a few round at the size of all
                size = max(abs(value), size**power, SAME * widest ** (2 * power))
                if second is None or abs(value - second) > SAME * max(size, 1e-9):
                    yield f"{own}.{quantity}", f"{label}, {quantity}", value, second


def _size(found: Mapping[str, float]) -> float:
    return max(abs(found.get("value", 0.0)), math.sqrt(abs(found.get("spread", 0.0))))


def _part(value: Any) -> str:
    return NONE if value is None or value != value else f"v{value}"  # noqa: PLR0124  NaN


def _number(value: Any) -> float | None:
    return None if value is None or value != value else float(value)  # noqa: PLR0124  NaN


def _quantities(row: Mapping[Any, Any], known: Metric, metric: str) -> dict[str, float]:
    """Units, the value, its variance a unit and third moment, as far as the first computation has them."""
    column = "m_" + metric.replace("-", "_")
    found: dict[str, float | None] = {"n": float(row["n"])}
    if sum(_number(row.get(f"{column}{part}_broken")) or 0 for part in ("", "_den")):
        return {"n": float(row["n"])}  # withheld
    x, spread = _number(row.get(f"{column}_mean")), _number(row.get(f"{column}_var"))
    if known.quantile is not None:
        found["value"] = _number(row.get(f"{column}_quantile"))
    elif known.denominator is None:
        found |= {"value": x, "spread": spread, "third": _number(row.get(f"{column}_third"))}
    elif x is not None and (y := _number(row.get(f"{column}_den_mean"))):
        found["value"] = x / y
        of_y, both = (_number(row.get(f"{column}_den_{end}")) for end in ("var", "cov"))
        if spread is not None and of_y is not None and both is not None:
            scale = max(spread, (x / y) ** 2 * of_y)
            square = spread - 2 * x / y * both + (x / y) ** 2 * of_y
            if square > 1e-9 * scale:  # less is the rounding of a ratio that is the same for all
                found["spread"] = square / y**2
                cubes = [_number(row.get(f"{column}_{end}third")) for end in ("", "den_xxy_", "den_xyy_", "den_")]
                if None not in cubes:
                    weights = (1, -3 * x / y, 3 * (x / y) ** 2, -((x / y) ** 3))
                    found["third"] = sum(w * c for w, c in zip(weights, cubes, strict=True) if c is not None) / y**3
    return {k: v for k, v in found.items() if v is not None}
