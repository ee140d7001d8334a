"""An experiment a second time: one plain query per metric over assignments and events, and the numbers that follow."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from gazette.recompute._arithmetic import (
    Arm,
    Second,
    anytime_critical,
    difference,
    normal_critical,
    planned_criticals,
    ratio_change,
    scaled,
    share,
    student,
)
from gazette.recompute._sql import literal, moment, name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gazette.params import Experiment, Fact, Metric
    from gazette.sources import Period

__all__ = ["questions", "seconds"]

Rows = list[dict[str, Any]]
ONE = 2  # units that a variance needs


def questions(plan: Experiment, metrics: Mapping[str, Metric], period: Period) -> Iterator[tuple[str, str]]:
    """Name and SQL of each query; every answer has a row per arm, or two where it is adjusted for what was known before."""
    yield "arms", f"{_seen(plan, period)}\nSELECT arm, COUNT(*) AS n FROM seen GROUP BY arm ORDER BY arm"
    for metric in plan.metrics:
        known = metrics[metric]
        if known.fact is None:  # the parameter check has said so already
            continue
        parts = _values(plan, known, period)
        yield f"metric.{metric}", f"{parts}{_plain(known)}"
        if known.covariate is not None and known.denominator is None:
            for variant in plan.treatments:
                yield f"metric.{metric}.{variant.id}", f"{parts}{_adjusted(plan.control, variant.id)}"


def _seen(plan: Experiment, period: Period) -> str:
    """Each unit's arm and first moment; a unit that was in two arms is in neither."""
    start, end = datetime.combine(plan.start, time()), _end(plan, period)
    return (
        "WITH seen AS (\n"
        "  SELECT unit_id AS unit, MIN(variant) AS arm, MIN(assigned_at) AS since\n"
        f"  FROM {name(plan.assignments)}\n"
        f"  WHERE experiment = {literal(plan.id)} AND assigned_at >= {moment(start)} AND assigned_at < {moment(end)}\n"
        "  GROUP BY unit_id\n"
        "  HAVING MIN(variant) = MAX(variant)\n"
        ")"
    )


def _end(plan: Experiment, period: Period) -> datetime:
    return min(datetime.combine(plan.end, time()) + timedelta(days=1), period.end)


def _values(plan: Experiment, known: Metric, period: Period) -> str:
    """The table ``each``: arm, x (the metric), y (its denominator) and p (what was known before) of every unit."""
    assert known.fact is not None  # noqa: S101  asked by the caller
    end = _end(plan, period)
    parts = [_seen(plan, period), f"top AS (\n{_total(known.fact, end, period)}\n)"]
    x, y, p, joins = "top.v", "1.0", "0.0", ["JOIN top ON top.unit = seen.unit"]
    if known.cap is not None:
        x = f"LEAST(top.v, {known.cap!r})"
    elif known.cap_quantile is not None:
        parts.append(
            f"highest AS (SELECT PERCENTILE_CONT({known.cap_quantile!r}) WITHIN GROUP (ORDER BY v) AS v FROM top)"
        )
        x = "LEAST(top.v, highest.v)"
        joins.append("CROSS JOIN highest")
    if known.denominator is not None:
        parts.append(f"bottom AS (\n{_total(known.denominator, end, period)}\n)")
        y = "bottom.v"
        joins.append("JOIN bottom ON bottom.unit = seen.unit")
    if (before := known.covariate) is not None:
        parts.append(
            f"past AS (SELECT {name(before.unit)} AS unit, MAX(CAST({name(before.column)} AS DOUBLE)) AS v "
            f"FROM {name(before.table)} GROUP BY {name(before.unit)})"
        )
        p = "COALESCE(past.v, 0.0)"
        joins.append("LEFT JOIN past ON past.unit = seen.unit")
    joined = "\n  ".join(joins)
    parts.append(f"each AS (\n  SELECT seen.arm, {x} AS x, {y} AS y, {p} AS p\n  FROM seen\n  {joined}\n)")
    return ",\n".join(parts)


def _total(fact: Fact, end: datetime, period: Period) -> str:
    """What each unit did from its first moment to the end, nothing being 0."""
    conditions = [
        f"fact.{name(fact.unit)} = seen.unit",
        f"fact.{name(fact.time)} >= seen.since",
        f"fact.{name(fact.time)} < {moment(end)}",
        *(f"fact.{name(w.column)} = {literal(w.equals)}" for w in fact.where),
    ]
    if fact.arrived:
        conditions.append(f"fact.{name(fact.arrived)} < {moment(period.cutoff)}")
    there = f"fact.{name(fact.unit)}"
    total = {
        "any": f"MAX(CASE WHEN {there} IS NULL THEN 0.0 ELSE 1.0 END)",
        "count": f"CAST(COUNT({there}) AS DOUBLE)",
        "sum": f"COALESCE(SUM(CAST(fact.{name(fact.value or '')} AS DOUBLE)), 0.0)",
    }[fact.aggregation]
    return (
        f"  SELECT seen.unit, {total} AS v\n  FROM seen\n  LEFT JOIN {name(fact.table)} AS fact\n"
        f"    ON {' AND '.join(conditions)}\n  GROUP BY seen.unit"
    )


def _plain(known: Metric) -> str:
    if known.quantile is not None:
        return (
            f"\nSELECT arm, COUNT(*) AS n, PERCENTILE_DISC({known.quantile!r}) WITHIN GROUP (ORDER BY x) AS value, "
            "CAST(NULL AS DOUBLE) AS spread\nFROM each GROUP BY arm ORDER BY arm"
        )
    if known.denominator is None:
        return (
            "\nSELECT arm, COUNT(*) AS n, AVG(x) AS value, VAR_SAMP(x) AS spread\nFROM each GROUP BY arm ORDER BY arm"
        )
    return (
        ",\nrates AS (SELECT arm, SUM(x) / NULLIF(SUM(y), 0) AS r, AVG(y) AS m FROM each GROUP BY arm)\n"
        "SELECT each.arm, COUNT(*) AS n, MIN(rates.r) AS value, VAR_SAMP((each.x - rates.r * each.y) / NULLIF(rates.m, 0)) AS spread\n"
        "FROM each JOIN rates ON rates.arm = each.arm GROUP BY each.arm ORDER BY each.arm"
    )


def _adjusted(control: str, treatment: str) -> str:
    """Both arms less what the covariate explains: residuals about the line through each arm's middle, of one slope."""
    return (
        f",\ncentred AS (\n  SELECT arm, x, p, x - AVG(x) OVER (PARTITION BY arm) AS dx, p - AVG(p) OVER (PARTITION BY arm) AS dp, "
        f"AVG(p) OVER () AS middle\n  FROM each WHERE arm IN ({literal(control)}, {literal(treatment)})\n),\n"
        "slope AS (SELECT COALESCE(SUM(dx * dp) / NULLIF(SUM(dp * dp), 0), 0) AS theta FROM centred)\n"
        "SELECT arm, COUNT(*) AS n, AVG(x - theta * (p - middle)) AS value, VAR_SAMP(x - theta * (p - middle)) AS spread\n"
        "FROM centred CROSS JOIN slope GROUP BY arm ORDER BY arm"
    )


# ---- numbers


def seconds(
    plan: Experiment, metrics: Mapping[str, Metric], tables: Mapping[str, Rows], past: list[int], *, ended: bool
) -> dict[str, Second | None]:
    """Numbers by id without the subject: units, every metric of every arm, differences, and what they are worth.

    Args:
        plan: The experiment.
        metrics: Definitions.
        tables: Answers by the names of `questions`; a metric whose query failed is left out.
        past: Units at the looks before.
        ended: Whether its last day is over.
    """
    if "arms" not in tables:
        return {}
    counts = {str(r["arm"]): int(r["n"]) for r in tables["arms"]}
    units = sum(counts.get(v.id, 0) for v in plan.variants)
    found: dict[str, Second | None] = {f"n.{v.id}": Second(float(counts.get(v.id, 0))) for v in plan.variants}
    found["units"] = Second(float(units))
    alpha = plan.alpha / len(plan.treatments)
    critical = _critical(plan, units, past, alpha, ended=ended)
    for metric in plan.metrics:
        if f"metric.{metric}" not in tables:
            continue
        for variant in plan.treatments:
            prefix = f"{variant.id}." if len(plan.treatments) > 1 else ""
            for suffix, second in _of_metric(plan, metrics[metric], tables, (metric, variant.id), critical, alpha):
                found[f"{metric}.control" if suffix == "control" else f"{prefix}{metric}.{suffix}"] = second
    gap = found.get(f"{plan.primary}.difference")
    if plan.impact is not None and gap is not None:
        found["impact"] = scaled(gap, plan.impact.value_per_unit * plan.impact.units_per_month)
    return found


def _of_metric(
    plan: Experiment,
    known: Metric,
    tables: Mapping[str, Rows],
    of: tuple[str, str],
    critical: float | None,
    alpha: float,
) -> Iterator[tuple[str, Second | None]]:
    """A metric of both arms and what is between them; None where there is no value."""
    metric, arm = of
    plain = _arms(tables[f"metric.{metric}"])
    for word, name_of in (("control", plan.control), ("treatment", arm)):
        yield word, _value(plain[name_of], known, plan.alpha) if name_of in plain else None
    adjusted = known.covariate is not None and known.denominator is None
    if adjusted and f"metric.{metric}.{arm}" not in tables:
        return
    pair = _arms(tables[f"metric.{metric}.{arm}"]) if adjusted else plain
    if plan.control not in pair or arm not in pair:
        yield "difference", None
        yield "relative", None
        return
    for word, second in zip(
        ("difference", "relative"), _effects(pair[plan.control], pair[arm], known, critical, alpha), strict=True
    ):
        if second is not None:  # ranges of secondary metrics are widened together, by the first computation alone
            yield word, Second(second.value) if metric in plan.secondary else second


def _arms(rows: Rows) -> dict[str, Arm]:
    """By arm; a value or spread that is not there is left out."""
    found = {}
    for row in rows:
        if row["value"] is not None and row["value"] == row["value"]:
            spread = row["spread"]
            known = spread is not None and spread == spread  # noqa: PLR0124
            found[str(row["arm"])] = Arm(int(row["n"]), float(row["value"]), float(spread) if known else None)
    return found


def _value(arm: Arm, known: Metric, alpha: float) -> Second:
    if known.proportion:
        return share(round(arm.mean * arm.n), arm.n, alpha)
    if arm.variance is None or arm.n < ONE:
        return Second(arm.mean)
    return student(arm.n, arm.mean, arm.variance**0.5, alpha)


def _effects(
    control: Arm, treatment: Arm, known: Metric, critical: float | None, alpha: float
) -> tuple[Second, Second | None]:
    z = normal_critical(alpha)
    if known.proportion and known.covariate is None:
        control, treatment = (Arm(a.n, a.mean, a.mean * (1 - a.mean)) for a in (control, treatment))
        gap = difference(control, treatment, critical or z, alpha)
        bare = [
            Arm(a.n, a.mean, a.n / (a.n - 1) * a.mean * (1 - a.mean) if a.n > 1 else None) for a in (control, treatment)
        ]
        control, treatment = bare
    else:
        gap = difference(control, treatment, critical, alpha)
    return gap, ratio_change(control, treatment, critical or z) if control.mean > 0 else None


def _critical(plan: Experiment, units: int, past: list[int], alpha: float, *, ended: bool) -> float | None:
    """Standard errors to each side at this look; None for a test that is read once."""
    if plan.design == "fixed" or units == 0:
        return None
    if plan.design == "confidence-sequence":
        return anytime_critical(units, tightest=plan.tightest_units, alpha=alpha)
    whole = plan.planned_units or units
    shares = [n / whole for n in (*(n for n in past if n < units), units)]
    return planned_criticals(shares, alpha=alpha, spending=plan.spending, final=ended)[-1]
