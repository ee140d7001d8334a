"""Dates that people remarked on, as rules on charts over time."""

from __future__ import annotations

import copy
import re
from datetime import date, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["draw_days"]

ISO = re.compile(r"\d{4}-\d\d-\d\d")
WEEK = re.compile(r"\d{4}-W\d\d")
COLOUR = "#b07800"
DATED = "datum.week >= start && datum.week <= end"
YEAR = 300  # days; beyond them a label such as 24 Oct may be of another year


def draw_days(
    spec: Mapping[str, Any], days: Sequence[tuple[date, str]], *, until: date
) -> tuple[dict[str, Any], list[int]]:
    """A chart with a dashed rule at each date that lies within its axis of time.

    Args:
        spec: Vega-Lite, as it was published; it stays as it is.
        days: Date and text, which shows on hovering.
        until: The edition's last day.

    Returns:
        The chart, and which of the days lie on it; none where it has no axis of time.
    """
    found = _axis(spec)
    if found is None:
        return dict(spec), []
    axis, rows = found
    field = str(axis["field"])
    seen = list(dict.fromkeys(str(r[field]) for r in rows if r.get(field) is not None))
    placed = [(i, at, text) for i, (day, text) in enumerate(days) if (at := _place(day, seen, axis, until)) is not None]
    if not placed:
        return dict(spec), []
    made = copy.deepcopy(dict(spec))
    if "layer" not in made:
        inner = {k: made.pop(k) for k in ("mark", "encoding") if k in made}
        made["layer"] = [inner]
    made["layer"].append(_rules(made, axis, [(at, text) for _, at, text in placed]))
    return made, [i for i, _, _ in placed]


def _axis(spec: Mapping[str, Any]) -> tuple[dict[str, Any], list[Mapping[str, Any]]] | None:
    """The encoding of time and its rows; None where the chart has none, or is made of panels."""
    own = (spec.get("data") or {}).get("values") or []
    for part in (spec, *spec.get("layer", ())):
        x = (part.get("encoding") or {}).get("x")
        if isinstance(x, dict) and x.get("type") in {"temporal", "ordinal"} and x.get("field"):
            rows = (part.get("data") or {}).get("values") or own
            return (x, rows) if rows else None
    return None


def _place(day: date, seen: Sequence[str], axis: Mapping[str, Any], until: date) -> str | None:
    """Where a date stands among the values of an axis, in their words; None where it stands beside them."""
    if all(ISO.match(v) for v in seen):
        known = sorted({date.fromisoformat(v[:10]) for v in seen})
        gaps = [b - a for a, b in pairwise(known)]
        step = min(gaps, default=timedelta(days=7 if "timeUnit" in axis else 1))
        if not known[0] <= day < known[-1] + step:
            return None
        if axis["type"] == "temporal":
            return day.isoformat() + ("T00:00:00" if "T" in seen[0] else "")
        return next(v for v in sorted(seen, reverse=True) if v[:10] <= day.isoformat())
    year, week, _ = day.isocalendar()
    if all(WEEK.fullmatch(v) for v in seen):
        return text if (text := f"{year}-W{week:02d}") in seen else None
    labels = (f"{day:%d %b}", f"{day:%d %b}".lstrip("0"))
    return next((v for v in labels if v in seen and abs((until - day).days) < YEAR), None)


def _rules(spec: Mapping[str, Any], axis: Mapping[str, Any], placed: Sequence[tuple[str, str]]) -> dict[str, Any]:
    field = axis["field"]
    x = {**axis}
    encoding: dict[str, Any] = {"x": x, "color": {"value": COLOUR}, "tooltip": [{"field": "text", "title": "remark"}]}
    shared = spec.get("encoding") or {}
    encoding |= {k: None for k in ("y", "yOffset", "xOffset") if k in shared}
    layer: dict[str, Any] = {
        "data": {"values": [{field: at, "week": at[:10], "text": text} for at, text in placed]},
        "name": "remarked-days",
        "mark": {"type": "rule", "strokeDash": [4, 3], "size": 2},
        "encoding": encoding,
    }
    if {"start", "end"} <= {p.get("name") for p in spec.get("params", ())}:  # readers choose the weeks: follow them
        inside = f"({DATED})"
        made = f"{inside} ? datum.week : start"
        layer["transform"] = [{"calculate": f"toDate({made})", "as": field}]
        encoding["opacity"] = {"condition": {"test": inside, "value": 1}, "value": 0}
    return layer
