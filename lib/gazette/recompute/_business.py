"""What a model is worth and how it answered, a second time: daily figures against a hold-out, and hours of serving."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from gazette.recompute._arithmetic import Second, changed, normal_critical, scaled, share, student
from gazette.recompute._sql import day, literal, moment, name, table

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping
    from datetime import date, datetime

    from gazette.params import Cost, Model
    from gazette.sources import Period

Moment = TypeVar("Moment", "date", "datetime")

__all__ = ["money", "questions", "seconds"]

Rows = list[dict[str, Any]]
DAYS = 28
AGO = {"month": 28, "year": 364}  # days before
FEWEST = 2  # values that a range needs
MONTH = 365.25 / 12
SURVEY = ("nps_responses", "nps_promoters", "nps_detractors")


def questions(model: Model, period: Period, columns: Collection[str]) -> Iterator[tuple[str, str]]:
    """Name and SQL of each query, a row per stretch of time: now, four weeks and a year before.

    Args:
        model: Its parameters.
        period: The edition's week.
        columns: Of the table of business figures, for what not every project keeps.
    """
    if model.business is not None:
        yield "business", _business(model, period, returning="returning_users" in columns)
    if model.telemetry is not None:
        start, at = period.start, name("at")
        inside = " OR ".join(
            f"({at} >= {moment(s)} AND {at} < {moment(s + timedelta(days=7))})"
            for s in (start, *(start - timedelta(days=ago) for ago in AGO.values()))
            if s >= period.history_start
        )
        text = (
            f"SELECT {_stretch(at, start, moment)} AS stretch, SUM(requests) AS requests, SUM(errors) AS errors, "
            f"MAX(latency_p99_ms) AS slowest\nFROM {table(model.telemetry.table)}\n"
            f"WHERE {name('service')} = {literal(model.telemetry.service)} AND ({inside})\nGROUP BY 1 ORDER BY 1"
        )
        yield "telemetry", text


def _stretch(column: str, first: Moment, write: Callable[[Moment], str]) -> str:
    """Which of the three stretches a row is of, by the first moment of this one."""
    month = first - timedelta(days=AGO["month"])
    return (
        f"CASE WHEN {column} >= {write(first)} THEN 'now' WHEN {column} >= {write(month)} THEN 'month' ELSE 'year' END"
    )


def _business(model: Model, period: Period, *, returning: bool) -> str:
    plan = model.business
    assert plan is not None  # noqa: S101  asked by the caller
    end = period.end.date()
    starts: list[date] = [end - timedelta(days=DAYS + ago) for ago in (0, *AGO.values())]
    inside = " OR ".join(f"(day >= {day(s)} AND day < {day(s + timedelta(days=DAYS))})" for s in starts)
    came = "AVG(1.0 * returning_users / NULLIF(users, 0))" if returning else "CAST(NULL AS DOUBLE)"
    sums = "".join(f", SUM({c}) AS {c}" for c in ("users", "revenue", *SURVEY))
    ours = "".join(f", SUM(a.{c}) AS {c}" for c in ("users", "revenue", *SURVEY))
    theirs = "".join(f", SUM(b.{c}) AS rest_{c}" for c in SURVEY)
    gap, back = "a.per_user - b.per_user", "a.came - b.came"
    return (
        "WITH days AS (\n"
        f"  SELECT CAST(day AS DATE) AS day, cohort, AVG(1.0 * revenue / NULLIF(users, 0)) AS per_user, {came} AS came{sums}\n"
        f"  FROM {table(plan.table)}\n"
        f"  WHERE ({inside}) AND loaded_at < {moment(period.cutoff)} AND cohort IN ({literal(plan.new)}, {literal(plan.baseline)})\n"
        "  GROUP BY 1, 2\n)\n"
        f"SELECT {_stretch('a.day', starts[0], day)} AS stretch, COUNT(b.day) AS whole{ours}{theirs},\n"
        f"  COUNT({gap}) AS gaps, AVG({gap}) AS gap, VAR_SAMP({gap}) AS gap_spread,\n"
        "  COUNT(a.came) AS came_days, AVG(a.came) AS came, VAR_SAMP(a.came) AS came_spread,\n"
        f"  COUNT({back}) AS backs, AVG({back}) AS back, VAR_SAMP({back}) AS back_spread\n"
        f"FROM days AS a LEFT JOIN days AS b ON b.day = a.day AND b.cohort = {literal(plan.baseline)}\n"
        f"WHERE a.cohort = {literal(plan.new)}\nGROUP BY 1 ORDER BY 1"
    )


# ---- numbers


def seconds(tables: Mapping[str, Rows]) -> dict[str, Second | None]:
    """Numbers by id without the subject: revenue, satisfaction, retention, answered requests, each with its changes."""
    found: dict[str, Second | None] = {}
    if "business" in tables:
        rows = {r["stretch"]: r for r in tables["business"] if int(r["whole"]) == DAYS}
        found |= _revenue({k: _worth(r) for k, r in rows.items()}, rows.get("now"))
        scores = {k: _satisfaction(r, "") for k, r in rows.items()}
        rest = _satisfaction(rows["now"], "rest_") if "now" in rows else None
        found |= {"nps": scores.get("now"), "nps.vs-baseline": _less(scores.get("now"), rest)} | _changes("nps", scores)
        came = {k: _mean(r, "came", "came_days") for k, r in rows.items()}
        found |= {"retention": came.get("now"), **_changes("retention", came)}
        found["retention.vs-baseline"] = _mean(rows["now"], "back", "backs") if "now" in rows else None
    if "telemetry" in tables:
        hours = {r["stretch"]: r for r in tables["telemetry"]}
        answered = {
            k: share(int(r["requests"]) - int(r["errors"]), int(r["requests"]))
            for k, r in hours.items()
            if r["requests"]
        }
        found |= {"availability": answered.get("now"), **_changes("availability", answered)}
        now = hours.get("now")
        found["latency-p-99"] = Second(float(now["slowest"])) if now and now["requests"] else None
    return found


def _mean(row: Mapping[str, Any], column: str, n: str) -> Second | None:
    spread = row[f"{column}_spread"]
    if int(row[n]) < FEWEST or spread is None:
        return None
    return student(int(row[n]), float(row[column]), math.sqrt(spread))


def _worth(row: Mapping[str, Any]) -> Second | None:
    """Mean daily gap in revenue per user, for all who used the live model."""
    gap = _mean(row, "gap", "gaps")
    return None if gap is None else scaled(gap, float(row["users"]))


def _revenue(found: Mapping[str, Second | None], now: Mapping[str, Any] | None) -> dict[str, Second | None]:
    numbers = {"revenue-effect": found.get("now"), **_changes("revenue-effect", found)}
    worth = found.get("now")
    for ago in AGO:
        numbers[f"revenue-effect.{ago}-before"] = then = found.get(ago)
        numbers[f"revenue-effect.{ago}-relative"] = _relative(worth, then)
    if worth is not None and now is not None and (without := float(now["revenue"]) - worth.value) > 0:
        numbers["revenue-per-unit.vs-baseline"] = scaled(worth, 1 / without)
    return numbers


def _relative(now: Second | None, then: Second | None) -> Second | None:
    """A change as a share of what was before, by the delta method; None where that may have been nothing."""
    if now is None or then is None or then.low is None or then.low <= 0 or now.error is None or then.error is None:
        return None
    error = math.hypot(now.error / then.value, now.value * then.error / then.value**2)
    return Second.around(now.value / then.value - 1, error, normal_critical(0.05))


def _satisfaction(row: Mapping[str, Any], whose: str) -> Second | None:
    """Promoters less detractors over answers; each answer is worth 1, -1 or 0."""
    n, up, down = (int(row[f"{whose}{c}"] or 0) for c in SURVEY)
    if n < FEWEST:
        return None
    mean = (up - down) / n
    variance = (up * (1 - mean) ** 2 + down * (-1 - mean) ** 2 + (n - up - down) * mean**2) / n
    return Second.around(mean, math.sqrt(variance / n), normal_critical(0.05))


def _changes(what: str, found: Mapping[str, Second | None]) -> dict[str, Second | None]:
    return {f"{what}.{ago}-change": _less(found.get("now"), found.get(ago)) for ago in AGO}


def _less(now: Second | None, then: Second | None) -> Second | None:
    return None if now is None or then is None else changed(now, then)


def money(benefit: Second | None, cost: Cost | None, *, model: bool) -> dict[str, Second | None]:
    """What the summary says a subject brings and costs in a month.

    Args:
        benefit: A model's revenue effect of four weeks, or the stated worth of a month of a test's first treatment; None where no second
            one could be computed, so that none is compared.
        cost: What building and running it costs, if that is stated.
        model: Whether it is a model.
    """
    month = None if benefit is None else scaled(benefit, MONTH / DAYS if model else 1.0)
    found: dict[str, Second | None] = {} if month is None else {"benefit": month}
    if cost is not None:
        spent = cost.build / cost.build_months + cost.run_per_month
        found["cost"] = Second(spent)
        if month is not None:
            found["net"] = scaled(month, 1.0, spent)
    return found
