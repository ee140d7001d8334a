"""Two definitions of a metric over the same weeks: table and chart of old, new and their ratio."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from gazette import display, stats
from gazette.record import Interval, NotPublished, Number

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from gazette.params import Before, Metric
    from gazette.record import Unit
    from gazette.snapshot import Snapshot

__all__ = ["Bridged", "axis_of", "bridge_html", "bridged"]

NOTE = "Computed when the page was made, of the frozen answer that is named here."
TOO_SMALL = NotPublished(reason="the old value is too close to zero for a ratio")


@dataclass(frozen=True)
class Bridged:
    """One week under both definitions."""

    week: str
    n: int
    old: Number
    new: Number
    ratio: Number


def _quantile(row: Mapping[str, Any], side: str, q: float) -> stats.Moments | NotPublished | None:
    """Moments of a quantile from its order statistics and their ranks; None where an earlier edition kept none."""
    if f"{side}_low_rank" not in row:
        return None
    n, least = int(row["n"]), stats.quantile_units(q)
    if n < least:
        return NotPublished(reason=f"{n} units are too few for this quantile: {least} are needed")
    value, low, high, *ranks = (
        row[k] for k in (side, *(f"{side}_{m}" for m in ("low", "high", "low_rank", "high_rank")))
    )
    return stats.quantile_moments(n, float(value), float(low), float(high), q=q, ranks=(int(ranks[0]), int(ranks[1])))


def _moments(row: Mapping[str, Any], side: str, definition: Before | Metric) -> stats.Moments | NotPublished:
    n, value, variance = int(row["n"]), row[side], row[f"{side}_var"]
    if value != value or variance != variance:  # noqa: PLR0124  a ratio over nothing, or a single unit
        return NotPublished(reason="too few units, or a denominator of zero")
    bounded = None if definition.quantile is None else _quantile(row, side, definition.quantile)
    return stats.Moments(n, float(value), float(variance)) if bounded is None else bounded


def _estimate(row: Mapping[str, Any], side: str, definition: Before | Metric) -> stats.Estimate | NotPublished:
    found = _moments(row, side, definition)
    if isinstance(found, NotPublished):
        return found
    fact = definition.fact
    if fact is not None and fact.aggregation == "any" and definition.denominator is None:
        return stats.proportion(round(found.n * found.mean), found.n)
    return stats.mean(found)


def _ratio(row: Mapping[str, Any], old: Before | Metric, new: Before | Metric) -> stats.Estimate | NotPublished:
    """New over old, of the same units: delta method with their covariance.

    A quantile's variance follows from the ranks of its order statistics, and its covariance in proportion.
    """
    sides, cov = [], float(row["cov"])
    for name, definition in (("new", new), ("old", old)):
        found = _moments(row, name, definition)
        if isinstance(found, NotPublished):
            return found
        if found.bounds is not None:
            if found.variance == 0 or stats.too_coarse(found):
                return NotPublished(
                    reason="so many units share one value (ties) that a ratio of this quantile has no range"
                )
            low, high = found.bounds
            kept = stats.quantile_moments(found.n, found.mean, low, high).variance  # what the influences were made of
            cov *= (found.variance / kept) ** 0.5
        sides.append(found)
    if cov != cov:  # noqa: PLR0124  NaN
        return NotPublished(reason="too few units, or a denominator of zero")
    upper, lower = sides
    if lower.mean <= stats.z_of(0.95) * (lower.variance / lower.n) ** 0.5:
        return TOO_SMALL
    return stats.mean(stats.ratio(stats.Joint(upper, lower, cov)))


def bridged(
    name: str,
    version: int,
    old: Before,
    new: Before | Metric,
    metric: Metric,
    snapshot: Snapshot,
    query: str,
    as_of: datetime,
) -> list[Bridged]:
    """Numbers of a bridge, oldest week first.

    Args:
        name: The metric.
        version: Of the entry that changed it.
        old: Definition before it.
        new: Definition after it.
        metric: In force.
        snapshot: Where the frozen answer is.
        query: Its name.
        as_of: The edition's cut-off.
    """

    def number(week: str, part: str, label: str, found: stats.Estimate | NotPublished, unit: Unit, n: int) -> Number:
        missing = isinstance(found, NotPublished)
        return Number(
            id=f"metrics.{name}.v{version}.{week}.{part}",
            label=label,
            value=found if isinstance(found, NotPublished) else found.value,
            unit=unit,
            interval=None
            if isinstance(found, NotPublished)
            else Interval(low=found.low, high=found.high, level=found.level, method=found.method),
            n=None if missing else n,
            metric=name,
            metric_version=version - 1 if part == "old" else version,
            cell="",
            query=query,
            snapshot=snapshot.digest,
            as_of=as_of,
            note=NOTE,
        )

    rows = []
    units = (old.unit or metric.unit, getattr(new, "unit", None) or metric.unit)
    frozen: list[Any] = snapshot.table(query).to_dict("records")
    for row in frozen:
        week = f"{row['week']:%G-w%V}"
        n = int(row["n"])
        both = units[0] == units[1]
        ratio = _ratio(row, old, new) if both else NotPublished(reason="the definitions have different units")
        rows.append(
            Bridged(
                f"{row['week']:%G-W%V}",
                n,
                number(
                    week, "old", f"{metric.title}, definition {version - 1}", _estimate(row, "old", old), units[0], n
                ),
                number(week, "new", f"{metric.title}, definition {version}", _estimate(row, "new", new), units[1], n),
                number(
                    week,
                    "ratio",
                    f"{metric.title}, definition {version} over definition {version - 1}",
                    ratio,
                    "number",
                    n,
                ),
            )
        )
    return rows


def _cell(number: Number, currency: str) -> str:
    if not number.published:
        return f'<td class="num">{escape(display.format_number(number))}</td>'
    span = escape(display.format_number(number, "interval", currency=currency)) if number.interval else ""
    return f'<td class="num">{display.number_span(number, currency=currency)}<br><small>{span}</small></td>'


def axis_of(unit: Unit, title: str) -> tuple[str, float, str]:
    """Format, factor and title of a chart's axis: points are points, never per cent.

    >>> axis_of("points", "Score"), axis_of("fraction", "Share")
    (('.1~f', 100.0, 'Score (points)'), ('.1%', 1.0, 'Share'))
    """
    if unit == "points":
        return ".1~f", 100.0, f"{title} (points)" if title else "points"
    return (".1%" if unit in {"fraction", "relative"} else ".4~g"), 1.0, title


def _points(rows: list[Bridged], parts: Mapping[str, str], scale: float = 1.0) -> list[dict[str, Any]]:
    found = []
    for key, series in parts.items():
        for row in rows:
            number: Number = getattr(row, key)
            if not isinstance(number.value, NotPublished) and number.interval:
                ends = {"value": number.value, "low": number.interval.low, "high": number.interval.high}
                found.append({"when": row.week, "series": series, **{k: v * scale for k, v in ends.items()}})
    return found


def bridge_html(rows: list[Bridged], version: int, name: str, metric: Metric, currency: str) -> str:
    """Table and charts of a bridge, and what it says in a sentence."""
    if not rows:
        return "<p>No rows of either definition in these weeks, so there is nothing to compare.</p>"
    was, now = f"definition {version - 1}", f"definition {version}"
    heads = "".join(
        f'<th scope="col"{c}>{h}</th>'
        for h, c in (
            ("Week", ""),
            ("Units", " class=num"),
            (was.capitalize(), " class=num"),
            (now.capitalize(), " class=num"),
            ("New ÷ old", " class=num"),
        )
    )
    body = "".join(
        f'<tr><td class="gz-nowrap">{row.week}</td><td class="num">{display.format_value(float(row.n), "count")}</td>'
        f"{_cell(row.old, currency)}{_cell(row.new, currency)}{_cell(row.ratio, currency)}</tr>"
        for row in reversed(rows)
    )
    caption = "Both definitions of the same units and weeks, with 95 % intervals"
    table = (
        f'<div class="gz-table-wrap"><table class="gz-table" data-name="bridge-v{version}"><caption>{caption}</caption>'
        f"<thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>"
    )
    last = rows[-1]
    words = (
        f"<p>In {last.week}, the new definition read {display.number_span(last.ratio)} times what the old one would have read. "
        "Multiply an old value by the ratio of its week to compare it with a new one.</p>"
        if last.ratio.published
        else ""
    )
    form, scale, axis = axis_of(metric.unit, metric.title)
    levels, ratios = _points(rows, {"old": was, "new": now}, scale), _points(rows, {"ratio": "new ÷ old"})
    charts = []
    if len(rows) > 1 and levels:
        charts.append(
            display.chart(
                {**display.trend(levels, title=axis, form=form), "height": 180},
                f"bridge-{name}-v{version}",
                f"{metric.title} by week under both definitions; bands are 95 % intervals.",
            )._repr_html_()
        )
    if len(ratios) > 1:
        charts.append(
            display.chart(
                {**display.trend(ratios, title="new ÷ old", form=".4~f"), "height": 120},
                f"ratio-{name}-v{version}",
                "New definition over old one, of the same units; 1 means that both agree. The band is a 95 % interval.",
            )._repr_html_()
        )
    return words + "".join(charts) + table
