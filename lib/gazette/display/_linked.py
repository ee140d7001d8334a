"""Charts that one set of controls filters together: Vega-Lite parameters without a server."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from gazette.display._charts import COLOURS, banded
from gazette.display._html import Block

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["controls", "explore_rows", "explore_segments", "explore_trend"]

FIELDS = ("measure", "version", "group", "start", "end")
CHOSEN = "datum.measure == measure && (version == 'all' || datum.version == version)"
DATED = "datum.week >= start && datum.week <= end"


def controls(choices: Mapping[str, tuple[str, Sequence[tuple[str, str]], str]]) -> Block:
    """Selectors that set the parameters of every chart on the page that knows them.

    Args:
        choices: Parameter to its title, its values with their words, and the value it starts with.
    """
    parts = []
    for name, (title, values, start) in choices.items():
        options = "".join(
            f'<option value="{escape(value)}"{" selected" if value == start else ""}>{escape(words)}</option>'
            for value, words in values
        )
        parts.append(f'<label>{escape(title)} <select data-param="{escape(name)}">{options}</select></label>')
    return Block(f'<div class="gz-controls" role="group" aria-label="Filter the charts below">{"".join(parts)}</div>')


def _params(start: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "value": start[name]} for name in FIELDS]


def _colour(versions: Sequence[str]) -> dict[str, Any]:
    return {
        "field": "version",
        "type": "nominal",
        "title": None,
        "legend": {"orient": "top"},
        "scale": {"domain": list(versions), "range": COLOURS[: len(versions)]},
    }


WEEK = {
    "field": "when",
    "type": "temporal",
    "timeUnit": "utcyearmonthdate",
    "title": None,
    "axis": {"format": "%d %b", "labelOverlap": True, "grid": False},
}


def explore_trend(
    rows: Sequence[Mapping[str, Any]],
    start: Mapping[str, str],
    versions: Sequence[str],
    marks: Sequence[Mapping[str, str]],
) -> dict[str, Any]:
    """The chosen measure by week with its range; ``marks`` (week, text) draw a rule where something happened.

    Rows have measure, version, group, week (for filters), when (the same, for the axis), i (its place), value, low, high, n.
    """
    y = {"type": "quantitative", "scale": {"zero": False}, "title": None}
    inside = f"({DATED})"
    rules = {  # one outside the chosen weeks goes to their start and out of sight: a layer without rows has no scale
        "data": {"values": [dict(m) for m in marks]},
        "transform": [{"calculate": f"toDate({inside} ? datum.week : start)", "as": "when"}],
        "mark": {"type": "rule", "strokeDash": [4, 3], "size": 2},
        "encoding": {
            "x": WEEK,
            "color": {"value": "#b07800"},
            "opacity": {"condition": {"test": inside, "value": 1}, "value": 0},
            "tooltip": [{"field": "text"}],
        },
    }
    return {
        "data": {"values": [dict(r) for r in rows]},
        "params": _params(start),
        "transform": [{"filter": CHOSEN}, {"filter": "datum.group == group"}, {"filter": DATED}],
        "width": "container",
        "height": 240,
        "encoding": {"x": WEEK, "color": _colour(versions)},
        "layer": [
            *banded(
                y,
                [
                    {"field": "when", "type": "temporal", "format": "%d %b %Y", "title": "week from"},
                    {"field": "version"},
                    {"field": "group", "title": "rows"},
                    {"field": "value", "format": ".4f"},
                    {"field": "low", "format": ".4f"},
                    {"field": "high", "format": ".4f"},
                    {"field": "n"},
                ],
            ),
            *([rules] if marks else []),
        ],
    }


def explore_rows(
    rows: Sequence[Mapping[str, Any]], start: Mapping[str, str], versions: Sequence[str]
) -> dict[str, Any]:
    """How many rows are behind the chosen line, by week."""
    return {
        "data": {"values": [dict(r) for r in rows]},
        "params": _params(start),
        "transform": [{"filter": CHOSEN}, {"filter": "datum.group == group"}, {"filter": DATED}],
        "width": "container",
        "height": 90,
        "mark": {"type": "bar", "width": {"band": 0.7}},
        "encoding": {
            "x": {**WEEK, "type": "ordinal", "axis": {"labels": False, "ticks": False}},
            "xOffset": {"field": "version"},
            "y": {"field": "n", "type": "quantitative", "title": "rows", "axis": {"tickCount": 3}},
            "color": {**_colour(versions), "legend": None},
            "tooltip": [
                {"field": "when", "type": "temporal", "format": "%d %b %Y"},
                {"field": "version"},
                {"field": "n"},
            ],
        },
    }


def explore_segments(
    rows: Sequence[Mapping[str, Any]], start: Mapping[str, str], versions: Sequence[str], groups: int
) -> dict[str, Any]:
    """The chosen measure by segment in the last of the chosen weeks, the chosen segment marked."""
    x = {"type": "quantitative", "scale": {"zero": False}, "title": None}
    return {
        "data": {"values": [dict(r) for r in rows]},
        "params": _params(start),
        "transform": [
            {"filter": CHOSEN},
            {"filter": DATED},
            {"joinaggregate": [{"op": "max", "field": "i", "as": "last"}]},
            {"filter": "datum.i == datum.last"},
        ],
        "width": "container",
        "height": 22 * groups + 20,
        "encoding": {
            "y": {"field": "group", "type": "nominal", "sort": None, "title": None, "axis": {"labelLimit": 180}},
            "yOffset": {"field": "version"},
            "color": _colour(versions),
            "opacity": {
                "condition": {"test": "group == 'all rows' || datum.group == group", "value": 1},
                "value": 0.35,
            },
        },
        "layer": [
            {
                "mark": {"type": "rule", "strokeWidth": 2},
                "encoding": {"x": {"field": "low", **x}, "x2": {"field": "high"}},
            },
            {
                "mark": {"type": "point", "filled": True, "size": 50},
                "encoding": {
                    "x": {"field": "value", **x},
                    "tooltip": [
                        {"field": "group", "title": "rows"},
                        {"field": "version"},
                        {"field": "value", "format": ".4f"},
                        {"field": "low", "format": ".4f"},
                        {"field": "high", "format": ".4f"},
                        {"field": "n"},
                    ],
                },
            },
        ],
    }
