"""An experiment a second time: one plain query per metric over assignments and events, and the numbers that follow."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any

from gazette.recompute._arithmetic import (
    Arm,
    Second,
    difference,
    opposite,
    ratio_change,
    scaled,
    share,
    skewness,
    student,
    uneven,
)
from gazette.recompute._entered import came, end_of, equal, kind_of, left_out, midnight, seen, stamped, through, window
from gazette.recompute._largest import HELD, few, placed
from gazette.recompute._looks import UNKNOWN, agreed, critical_of, shared
from gazette.recompute._ordered import arm_of, bounds, marked
from gazette.recompute._people import guards, people
from gazette.recompute._repeated import loaded_twice, repeated
from gazette.recompute._segments import by_part, parted
from gazette.recompute._shares import share_changes
from gazette.recompute._sql import endless, literal, moment, name, number, table, whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from gazette.params import Experiment, Fact, Metric
    from gazette.sources import Period

__all__ = ["questions", "seconds"]

Rows = list[dict[str, Any]]
CUBE = "AVG(d * d * d)"  # d the distance from the arm's mean
ONE = 2  # units that a variance needs
# Of an arm within days of one allocation, as if of one stretch: users, and those expected to do it or not to.
FEW_USERS, FEW_SHARES = 100, 20
RATES = ",\nrates AS (SELECT arm, SUM(x) / NULLIF(SUM(y), 0) AS r, AVG(y) AS m, SUM(y) AS total FROM each GROUP BY arm)"


def questions(
    plan: Experiment, metrics: Mapping[str, Metric], period: Period, columns: Callable[[str], Mapping[str, str]]
) -> Iterator[tuple[str, str]]:
    """Name and SQL of each query; every answer has a row per arm, or two where it is adjusted for what was known before.

    Args:
        plan: The experiment.
        metrics: Definitions.
        period: The edition's week.
        columns: Gives the columns of a table with their types.
    """
    start = seen(plan, period, columns)
    by_day = "SELECT CAST(since AS DATE) AS day, arm, COUNT(unit) AS n FROM {} GROUP BY CAST(since AS DATE), arm ORDER BY day, arm"
    yield "arms", f"{start}\nSELECT arm, COUNT(*) AS n FROM seen GROUP BY arm ORDER BY arm"
    yield "days", f"{start}\n{by_day.format(came(plan))}"
    if plan.triggered is not None:
        yield "days-triggered", f"{start}\n{by_day.format('seen' if plan.window_days is None else 'entered')}"
    if plan.window_days is not None:
        yield "young", f"{start}\nSELECT COUNT(*) AS n FROM entered WHERE NOT ({through(plan, period)})"
    yield "left-out", f"{start}\n{left_out(plan)}"
    yield from repeated(plan, metrics, period, columns)
    for metric in plan.metrics:
        known = metrics[metric]
        if known.fact is None:  # the parameter check has said so already
            continue
        parts = _values(plan, known, period, columns)
        if plan.reallocations:  # ratios, quantiles and adjusted means are computed once there
            if known.quantile is None and known.denominator is None:
                yield f"metric.{metric}", f"{parts}{_moved(plan, shares=known.proportion)}"
            continue
        yield f"metric.{metric}", f"{parts}{_plain(known)}"
        if known.covariate is not None:
            ratio = known.denominator is not None
            for variant in plan.treatments:
                yield (
                    f"metric.{metric}.{variant.id}",
                    f"{parts}{RATES if ratio else ''}{_adjusted(plan.control, variant.id, ratio=ratio)}",
                )
    first = metrics[plan.primary]
    for i, segment in enumerate(plan.segments if first.fact is not None and not plan.reallocations else ()):
        own = equal(plan, columns, segment.table, segment.unit, "was")
        yield (
            f"segment.{i}",
            f"{_values(plan, first, period, columns)},\n{parted(segment, own)}{by_part(first)}",
        )


def _values(plan: Experiment, known: Metric, period: Period, columns: Callable[[str], Mapping[str, str]]) -> str:
    """The table ``each``: arm, x (the metric), y (its denominator), p (what was known before) and l (1 where nothing was) of every unit."""
    assert known.fact is not None  # noqa: S101  asked by the caller
    end = end_of(plan, period)
    parts = [seen(plan, period, columns), f"top AS (\n{_total(plan, known.fact, end, period, columns)}\n)"]
    x, y, p, absent, joins = "top.v", "1.0", "0.0", "0.0", ["JOIN top ON top.unit = seen.unit"]
    broken = ["top.broken"]
    if known.cap is not None:
        x = f"LEAST(top.v, {known.cap!r})"
    elif known.cap_quantile is not None:
        q = f"PERCENTILE_CONT({known.cap_quantile!r}) WITHIN GROUP (ORDER BY"
        parts.append(  # a cap of nothing would leave nothing: then it is that of those who did something
            f"highest AS (SELECT CASE WHEN of_all > 0 THEN of_all ELSE COALESCE(of_some, of_all) END AS v FROM\n"
            f"  (SELECT {q} v) AS of_all, {q} CASE WHEN v > 0 THEN v END) AS of_some FROM top) AS ends)"
        )
        x = "LEAST(top.v, (SELECT v FROM highest))"
    if known.denominator is not None:
        parts.append(f"bottom AS (\n{_total(plan, known.denominator, end, period, columns)}\n)")
        y = "bottom.v"
        broken.append("bottom.broken")
        joins.append("JOIN bottom ON bottom.unit = seen.unit")
    if (before := known.covariate) is not None:
        value = number(name(before.column), kind_of(columns, before.table, before.column))
        parts.append(
            f"past AS (SELECT seen.unit, MAX(CASE WHEN {endless(value)} THEN NULL ELSE {value} END) AS v FROM seen "
            f"JOIN {table(before.table)} AS was ON {equal(plan, columns, before.table, before.unit, 'was')} GROUP BY seen.unit)"
        )
        p, absent = "COALESCE(past.v, 0.0)", "CASE WHEN past.v IS NULL THEN 1.0 ELSE 0.0 END"
        joins.append("LEFT JOIN past ON past.unit = seen.unit")
    joined = "\n  ".join(joins)
    parts.append(
        f"each AS (\n  SELECT seen.unit, seen.arm, {x} AS x, {y} AS y, {p} AS p, {absent} AS l, {' + '.join(broken)} AS broken, top.hit, seen.since\n  FROM seen\n  {joined}\n)"
    )
    return ",\n".join(parts)


def _total(
    plan: Experiment, fact: Fact, end: datetime, period: Period, columns: Callable[[str], Mapping[str, str]]
) -> str:
    """What each unit did from its first moment to the end, nothing being 0; a fact that has days, or midnights alone, counts from that day on."""
    at = f"fact.{name(fact.time)}"
    day = kind_of(columns, fact.table, fact.time) == "date"
    conditions = [
        equal(plan, columns, fact.table, fact.unit, "fact"),
        f"{at} >= CAST(seen.since AS DATE)" if day else f"{at} >= seen.since",
        f"{at} < {moment(end)}",
        *(
            [f"{at} < {'CAST(seen.since AS DATE)' if day else 'seen.since'} + {window(plan)}"]
            if plan.window_days
            else []
        ),
        *(f"fact.{name(w.column)} = {literal(w.equals)}" for w in fact.where),
    ]
    if fact.arrived:
        conditions.append(f"fact.{name(fact.arrived)} < {moment(period.cutoff)}")
    there, broken = f"fact.{name(fact.unit)}", "0"
    counted = there
    total = {
        "any": f"MAX(CASE WHEN {there} IS NULL THEN 0.0 ELSE 1.0 END)",
        "count": f"CAST(COUNT({there}) AS DOUBLE)",
    }.get(fact.aggregation, "")
    if fact.value:
        value = number(f"fact.{name(fact.value)}", kind_of(columns, fact.table, fact.value))
        total = f"COALESCE(SUM(CASE WHEN {endless(value)} THEN NULL ELSE {value} END), 0.0)"
        broken = f"SUM(CASE WHEN {endless(value)} THEN 1 ELSE 0 END)"
        counted = f"CASE WHEN {endless(value)} THEN NULL ELSE {value} END"
    since = (
        "since" if day else f"CASE WHEN {stamped(fact.table, at, end)} THEN {midnight('since')} ELSE since END AS since"
    )
    return (
        f"  SELECT seen.unit, {total} AS v, {broken} AS broken, CASE WHEN COUNT({counted}) > 0 THEN 1 ELSE 0 END AS hit\n  FROM (SELECT unit, {since} FROM seen) AS seen\n"
        f"  LEFT JOIN {table(fact.table)} AS fact\n    ON {' AND '.join(conditions)}\n  GROUP BY seen.unit"
    )


def _plain(known: Metric) -> str:
    if known.quantile is not None:
        return marked(known.quantile)
    if known.denominator is None:
        return (
            f"\nSELECT arm, COUNT(*) AS n, {whole('AVG(x)')} AS value, VAR_SAMP(x) AS spread, {CUBE} AS third, SUM(hit) AS matched, {HELD}\n"
            f"FROM (SELECT each.*, x - AVG(x) OVER (PARTITION BY arm) AS d{placed(known)} FROM each) AS centred GROUP BY arm ORDER BY arm"
        )
    rest = "(each.x - rates.r * each.y) / NULLIF(rates.m, 0)"  # of which the mean is 0
    powers = _powers("each.y / NULLIF(rates.total, 0)")
    adjusts = ", 1 AS adjusts" if known.covariate is not None else ""  # editions of earlier code did not
    return (
        f"{RATES}\n"
        f"SELECT each.arm, COUNT(*) AS n, {whole('MIN(rates.r)')} AS value, "
        f"VAR_SAMP({rest}) AS spread, AVG(({rest}) * ({rest}) * ({rest})) AS third, SUM(each.hit) AS matched, {HELD}, {powers}{adjusts}\n"
        f"FROM (SELECT each.*{placed(known)} FROM each) AS each JOIN rates ON rates.arm = each.arm GROUP BY each.arm ORDER BY each.arm"
    )


def _powers(share: str) -> str:
    """Sums of the second to sixth powers of units' shares of their arm's denominator."""
    return ", ".join(f"SUM(POWER({share}, {k})) AS w{k}" for k in range(2, 7))


def _moved(plan: Experiment, *, shares: bool) -> str:
    """Means over stretches of one allocation, weighted as a regression on arm and stretch does; no arm that counts as too few."""
    few = f"1 / SUM(share * share / parts.n) >= {FEW_USERS}"
    if shares:
        rate = "(SELECT SUM(share * hits / everyone) FROM weighed)"
        few += f" AND LEAST({rate}, 1 - {rate}) / SUM(share * share / parts.n) >= {FEW_SHARES} * (1 - 1e-9)"
    stretches = [(datetime.combine(first, time()), i) for i, (first, _) in enumerate(plan.phases()) if i]
    place = " ".join(f"WHEN since >= {moment(start)} THEN {i}" for start, i in reversed(stretches))
    return (
        f",\nplaced AS (SELECT arm, x, broken, CASE {place} ELSE 0 END AS stretch FROM each),\n"
        f"parts AS (SELECT arm, stretch, COUNT(*) AS n, AVG(x) AS m, VAR_SAMP(x) AS v, {CUBE} AS c, SUM(x) AS hits, SUM(broken) AS broken\n"
        "  FROM (SELECT placed.*, x - AVG(x) OVER (PARTITION BY arm, stretch) AS d FROM placed) AS centred GROUP BY arm, stretch),\n"
        "sizes AS (SELECT stretch, CAST(SUM(n) AS DOUBLE) AS everyone, SUM(hits) AS hits, 1 / SUM(1 / CAST(n AS DOUBLE)) AS weight\n"
        f"  FROM parts GROUP BY stretch HAVING MIN(n) >= {ONE} AND COUNT(*) = (SELECT COUNT(DISTINCT arm) FROM parts)),\n"
        "weighed AS (SELECT sizes.*, weight / (SELECT SUM(weight) FROM sizes) AS share FROM sizes),\n"
        "whole AS (SELECT arm, CAST(SUM(n) AS BIGINT) AS n, SUM(broken) AS broken FROM parts GROUP BY arm)\n"
        "SELECT whole.arm, whole.n, CASE WHEN whole.broken = 0 THEN SUM(share * m) END AS value,\n"
        "  whole.n * SUM(share * share * v / parts.n) AS spread,\n"
        "  whole.n * SUM(share * share * share * c / (CAST(parts.n AS DOUBLE) * parts.n)) * whole.n AS third\n"
        "FROM parts JOIN weighed ON weighed.stretch = parts.stretch JOIN whole ON whole.arm = parts.arm\n"
        f"GROUP BY whole.arm, whole.n, whole.broken HAVING {few} ORDER BY whole.arm"
    )


def _adjusted(control: str, treatment: str, *, ratio: bool) -> str:
    """Both arms less what the covariate, and whether there is one, explain: residuals about the plane through each arm's middle.

    Of a ratio it is each unit's tangent to it at the arm's own ratio.
    The two slopes solve the normal equations of deviations from the arms' middles; where one says what the other does, it stands alone.
    """
    x = "x - (SELECT theta FROM slope) * (p - middle) - (SELECT gamma FROM slope) * (l - lacking)"
    sums = {"xp": "dx * dp", "xl": "dx * dl", "pp": "dp * dp", "ll": "dl * dl", "pl": "dp * dl"}
    deviations = ", ".join(f"{c} - AVG({c}) OVER (PARTITION BY arm) AS d{c}" for c in "xpl")
    apart = "pp * ll - pl * pl"
    both = f"{apart} > 1e-9 * pp * ll"
    source, kept, powers = "each", "", ""
    if ratio:
        source, kept, powers = "tangent", ", w", f", {_powers('w')}"
        start = (
            ",\ntangent AS (SELECT each.arm, rates.r + (each.x - rates.r * each.y) / NULLIF(rates.m, 0) AS x, "
            "each.y / NULLIF(rates.total, 0) AS w, each.p, each.l, each.broken FROM each JOIN rates ON rates.arm = each.arm)"
        )
    else:
        start = ""
    return (
        f"{start},\ncentred AS (\n  SELECT arm, x, p, l, broken{kept}, {deviations}, AVG(p) OVER () AS middle, AVG(l) OVER () AS lacking\n"
        f"  FROM {source} WHERE arm IN ({literal(control)}, {literal(treatment)})\n),\n"
        f"sums AS (SELECT {', '.join(f'SUM({v}) AS {k}' for k, v in sums.items())} FROM centred),\n"
        f"slope AS (\n  SELECT CASE WHEN {both} THEN (xp * ll - xl * pl) / ({apart}) ELSE COALESCE(xp / NULLIF(pp, 0), 0) END AS theta,\n"
        f"    CASE WHEN {both} THEN (xl * pp - xp * pl) / ({apart}) WHEN pp > 0 THEN 0 ELSE COALESCE(xl / NULLIF(ll, 0), 0) END AS gamma\n  FROM sums\n)\n"
        f"SELECT arm, COUNT(*) AS n, {whole('AVG(left_over)')} AS value, VAR_SAMP(left_over) AS spread, {CUBE} AS third{powers}\n"
        "FROM (SELECT rest.*, left_over - AVG(left_over) OVER (PARTITION BY arm) AS d\n"
        f"  FROM (SELECT arm, broken{kept}, {x} AS left_over FROM centred) AS rest) AS away GROUP BY arm ORDER BY arm"
    )


# ---- numbers


def seconds(
    plan: Experiment, metrics: Mapping[str, Metric], tables: Mapping[str, Rows], looks: Rows, *, last: date
) -> dict[str, Second | None]:
    """Numbers by id without the subject: units and their split, every metric of every arm, differences, and what they are worth.

    Args:
        plan: The experiment.
        metrics: Definitions.
        tables: Answers by the names of `questions`; a metric whose query failed is left out.
        looks: Of earlier editions, oldest first, as the ledger has them.
        last: Last day of the edition's week.
    """
    plan = agreed(plan, looks)
    if "arms" not in tables:
        return {}
    units, found = people(plan, tables)
    found |= loaded_twice(plan, metrics, tables)
    alpha = plan.alpha / len(plan.treatments)
    arms_of = _compared(plan, metrics[plan.primary], tables)
    information = shared(metrics[plan.primary], *arms_of, whole=plan.window_days is not None)
    critical = critical_of(plan, looks, units=units, information=information, alpha=alpha, last=last)
    for metric in plan.metrics:
        if f"metric.{metric}" not in tables:
            continue
        if not plan.reallocations:  # where arms with too few users are left out
            found[f"{metric}.matched"] = Second(float(sum(r["matched"] for r in tables[f"metric.{metric}"])))
        for variant in plan.treatments:
            prefix = f"{variant.id}." if len(plan.treatments) > 1 else ""
            for suffix, second in _of_metric(plan, metrics[metric], tables, (metric, variant.id), critical):
                found[f"{metric}.control" if suffix == "control" else f"{prefix}{metric}.{suffix}"] = second
    if plan.design != "group-sequential":  # whose limits two ways of integration do not find alike enough for a chance
        found |= guards(plan, found, critical)
    return found | _money(plan, metrics, found)


def _money(
    plan: Experiment, metrics: Mapping[str, Metric], found: Mapping[str, Second | None]
) -> dict[str, Second | None]:
    """What the difference of each treatment is worth in a month, and that less what it costs, as far as both are stated."""
    worth: dict[str, Second | None] = {}
    met = 1.0  # share of the stated base that the change reaches
    if plan.triggered is not None:
        reached = found.get("triggered")
        if (
            reached is None
            or metrics[plan.primary].denominator is not None
            or metrics[plan.primary].quantile is not None
        ):
            return worth
        met = reached.value
    less_is_better = metrics[plan.primary].direction == "lower"  # then a fall earns what the file states
    for variant in plan.treatments:
        prefix = f"{variant.id}." if len(plan.treatments) > 1 else ""
        gap = found.get(f"{prefix}{plan.primary}.difference")
        if plan.triggered is not None and gap is not None:
            worth[f"{prefix}diluted"] = scaled(gap, met)
        if plan.impact is not None and gap is not None:
            stated = plan.impact.value_per_unit * plan.impact.units_per_month
            month = scaled(opposite(gap) if less_is_better else gap, stated * met)
            worth[f"{prefix}impact"] = month
            if plan.cost is not None:
                spent = plan.cost.build / plan.cost.build_months + plan.cost.run_per_month
                worth[f"{prefix}net"] = scaled(month, 1.0, spent)
    return worth


def _of_metric(
    plan: Experiment,
    known: Metric,
    tables: Mapping[str, Rows],
    of: tuple[str, str],
    critical: float,
) -> Iterator[tuple[str, Second | None]]:
    """A metric of both arms and what is between them; None where there is no value."""
    metric, arm = of
    unknown = critical == UNKNOWN  # then values alone are compared
    shares = known.proportion and not plan.reallocations  # which makes weighted means of them
    rows = {str(row["arm"]): row for row in tables[f"metric.{metric}"]}
    plain = _arms(rows.values(), known.quantile)
    for word, name_of in (("control", plan.control), ("treatment", arm)):
        if name_of in plain and known.quantile is not None:
            yield word, bounds(rows[name_of], known.quantile, plan.alpha)
            continue
        yield word, _value(plain[name_of], [*plain.values()], shares, plan.alpha) if name_of in plain else None
    adjusted = _adjusts(known, rows.values())
    if adjusted and plan.reallocations:
        return
    if adjusted and f"metric.{metric}.{arm}" not in tables:
        return
    pair = _arms(tables[f"metric.{metric}.{arm}"]) if adjusted else plain
    yield from few(
        [rows[a] for a in (plan.control, arm) if a in rows], [pair[a] for a in (plan.control, arm) if a in pair]
    )
    if plan.control not in pair or arm not in pair:
        yield "difference", None
        yield "relative", None
        return
    for word, second in zip(
        ("difference", "relative"),
        _effects(pair[plan.control], pair[arm], shares and known.covariate is None, 1.0 if unknown else critical),
        strict=True,
    ):
        if second is not None:  # ranges of secondary metrics are widened together, by the first computation alone
            yield word, Second(second.value) if metric in plan.secondary or unknown else second


def _compared(plan: Experiment, known: Metric, tables: Mapping[str, Rows]) -> tuple[Arm | None, Arm | None]:
    """The two arms of the primary metric that looks are counted by, as they are compared."""
    name_of, arm = f"metric.{plan.primary}", plan.treatments[0].id
    adjusted = _adjusts(known, tables.get(name_of, []))
    if adjusted and plan.reallocations:
        return None, None
    arms = _arms(tables.get(f"{name_of}.{arm}" if adjusted else name_of, []), known.quantile)
    return arms.get(plan.control), arms.get(arm)


def _adjusts(known: Metric, rows: Iterable[Mapping[str, Any]]) -> bool:
    """Whether the metric is compared less what a covariate explains; a ratio is since its rows say so."""
    return known.covariate is not None and (known.denominator is None or any("adjusts" in row for row in rows))


def _arms(rows: Iterable[dict[str, Any]], q: float | None = None) -> dict[str, Arm]:
    """By arm; a value or spread that is not there is left out."""
    found = {}
    for row in rows:
        if row["value"] is not None and row["value"] == row["value"]:
            if q is not None:
                found[str(row["arm"])] = arm_of(row, q)
                continue
            spread, third = (_known(row.get(k)) for k in ("spread", "third"))
            arm = Arm(int(row["n"]), float(row["value"]), spread, third)
            found[str(row["arm"])] = uneven(arm, [row[f"w{k}"] for k in range(2, 7)]) if "w2" in row else arm
    return found


def _known(value: Any) -> float | None:
    return None if value is None or value != value else float(value)  # noqa: PLR0124  NaN


def _value(arm: Arm, arms: Sequence[Arm], shares: bool, alpha: float) -> Second:  # noqa: FBT001  whether they are shares of units
    if shares:
        return share(round(arm.mean * arm.n), arm.n, alpha)
    if arm.variance is None or arm.n < ONE:
        return Second(arm.mean)
    return student(arm.n, arm.mean, arm.variance**0.5, alpha, skewed=skewness(arms), freedom=arm.freedom)


def _effects(control: Arm, treatment: Arm, shares: bool, critical: float) -> tuple[Second, Second | None]:  # noqa: FBT001
    if shares:
        x, y = (round(a.mean * a.n) for a in (control, treatment))
        return share_changes((x, control.n, y, treatment.n), critical)
    return difference(control, treatment, critical), ratio_change(
        control, treatment, critical
    ) if control.mean > 0 else None
