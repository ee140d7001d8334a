"""What is kept of groups of units: moments of every metric, and of what it is divided or explained by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gazette.sources._answer import column_of
from gazette.sources._quantiles import caps
from gazette.sources._thirds import off, thirds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gazette.params import Fact, Metric

__all__ = ["capped", "measured"]


def measured(joined: Any, metrics: dict[str, Metric], by: Sequence[str]) -> Any:
    """Aggregates of groups of a table with a row per unit: n, and per metric mean, variance and third moment, with those of denominator and covariate."""
    rows = capped(joined, metrics)
    skewed = {n: _others(n, m) for n, m in metrics.items() if m.quantile is None}
    rows = off(rows, [c for n, others in skewed.items() for c in (column_of(n), *others.values())])
    found: dict[str, Any] = {"n": rows.count()}
    for name, metric in metrics.items():
        column = column_of(name)
        value = rows[column]
        found[f"{column}_mean"] = value.mean()
        found[f"{column}_var"] = value.var(how="sample")
        for part, there in (("den", metric.denominator), ("pre", metric.covariate)):
            if there is not None:
                other = rows[f"{column}_{part}"]
                found[f"{column}_{part}_mean"] = other.mean()
                found[f"{column}_{part}_var"] = other.var(how="sample")
                found[f"{column}_{part}_cov"] = value.cov(other, how="sample")
        if metric.denominator is not None:
            size = rows[f"{column}_den"].cast("float64")
            found[f"{column}_den_power4"] = (size * size * size * size).mean()
            found[f"{column}_den_power5"] = (size * size * size * size * size).mean()
        if metric.covariate is not None:
            lack = rows[f"{column}_lack"]
            found[f"{column}_lack_mean"] = lack.mean()
            found[f"{column}_lack_cov"] = value.cov(lack, how="sample")
            found[f"{column}_lack_pre_cov"] = rows[f"{column}_pre"].cov(lack, how="sample")
            if metric.denominator is not None:
                for part in ("pre", "lack"):
                    both = rows[f"{column}_den"], rows[f"{column}_{part}"]
                    found[f"{column}_den_{part}_cov"] = both[0].cov(both[1], how="sample")
        if name in skewed:
            found |= thirds(rows, {"x": column, **skewed[name]})
        found |= {f"{part}_broken": rows[f"{part}_broken"].sum() for part, _ in _read(name, metric)}
    return rows.group_by(*by).aggregate(**found)


def capped(joined: Any, metrics: dict[str, Metric]) -> Any:
    """The table with no value above its metric's cap."""
    limits: dict[str, Any] = {column_of(n): m.cap for n, m in metrics.items() if m.cap is not None}
    for name, metric in metrics.items():
        if metric.cap is None and metric.cap_quantile is not None:
            limits[column_of(name)] = caps(joined, column_of(name), metric.cap_quantile).cap.as_scalar()
    return joined.mutate(**{c: _at_most(joined[c], limit) for c, limit in limits.items()}) if limits else joined


def _others(name: str, metric: Metric) -> dict[str, str]:
    """By letter the columns that a metric is divided by, that explain it and that say who lacks that: those of which it is less in the end."""
    column = column_of(name)
    parts = ["den"] if metric.denominator is not None else []
    parts += ["pre"] if metric.covariate is not None else []
    found = {letter: f"{column}_{part}" for letter, part in zip("yp", parts, strict=False)}
    return found | ({"l": f"{column}_lack"} if metric.covariate is not None else {})


def _read(name: str, metric: Metric) -> list[tuple[str, Fact]]:
    """The columns of values that the metric reads: their own name here, and the fact that they are of."""
    column = column_of(name)
    facts = ((column, metric.fact), (f"{column}_den", metric.denominator))
    return [(part, fact) for part, fact in facts if fact is not None and fact.value]


def _at_most(value: Any, limit: Any) -> Any:
    import ibis  # noqa: PLC0415

    return ibis.least(value, limit)
