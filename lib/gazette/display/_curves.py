"""Charts of a model: calibration, thresholds, shifts of features, importance, a technical metric beside a business one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gazette.display._charts import COLOURS, banded

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "calibration_curve",
    "fitted",
    "hourly",
    "hours_of_week",
    "importance",
    "shifts",
    "sparklines",
    "stacked",
    "threshold_curve",
]

SERIES = {
    "field": "series",
    "type": "nominal",
    "title": None,
    "sort": None,
    "legend": {"orient": "top"},
    "scale": {"range": COLOURS},
}


def _values(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {"values": [dict(r) for r in rows]}


LINKED = {
    "params": [{"name": "version", "value": "all"}],
    "transform": [{"filter": "version == 'all' || !datum.series || datum.series == version"}],
}  # follow the selector of versions, where a page has one


def calibration_curve(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Observed against predicted share with ranges; rows have predicted, value, low, high, n, series."""
    percent = {"format": ".0%"}
    return {
        "data": _values(rows),
        **LINKED,
        "width": "container",
        "height": 300,
        "layer": [
            {
                "data": {"values": [{"v": 0}, {"v": 1}]},
                "mark": {"type": "line", "strokeDash": [4, 4], "color": "#8a8a8a", "clip": True},
                "encoding": {"x": {"field": "v", "type": "quantitative"}, "y": {"field": "v", "type": "quantitative"}},
            },
            {
                "mark": {"type": "rule", "strokeWidth": 2},
                "encoding": {
                    "x": {"field": "predicted", "type": "quantitative"},
                    "y": {"field": "low", "type": "quantitative"},
                    "y2": {"field": "high"},
                    "color": SERIES,
                },
            },
            {
                "mark": {"type": "line", "point": {"size": 50}},
                "encoding": {
                    "x": {"field": "predicted", "type": "quantitative", "axis": {**percent, "title": "predicted"}},
                    "y": {"field": "value", "type": "quantitative", "axis": {**percent, "title": "observed"}},
                    "color": SERIES,
                    "tooltip": [
                        {"field": "series"},
                        {"field": "predicted", "format": ".1%"},
                        {"field": "value", "format": ".1%", "title": "observed"},
                        {"field": "n"},
                    ],
                },
            },
        ],
    }


def threshold_curve(rows: Sequence[Mapping[str, Any]], threshold: float | None) -> dict[str, Any]:
    """Precision, recall and share flagged by threshold; rows have threshold, share, series."""
    marks = [{"threshold": threshold, "text": "operating threshold"}] if threshold is not None else []
    return {
        "data": _values(rows),
        "width": "container",
        "height": 260,
        "layer": [
            {
                "mark": {"type": "line", "interpolate": "step-after"},
                "encoding": {
                    "x": {
                        "field": "threshold",
                        "type": "quantitative",
                        "axis": {"format": ".0%", "title": "threshold"},
                    },
                    "y": {"field": "share", "type": "quantitative", "axis": {"format": ".0%", "title": None}},
                    "color": SERIES,
                    "tooltip": [
                        {"field": "series"},
                        {"field": "threshold", "format": ".0%"},
                        {"field": "share", "format": ".1%"},
                    ],
                },
            },
            {
                "data": {"values": marks},
                "mark": {"type": "rule", "strokeDash": [4, 3], "color": "#b07800", "size": 2},
                "encoding": {
                    "x": {"field": "threshold", "type": "quantitative"},
                    "tooltip": [{"field": "text"}, {"field": "threshold", "format": ".0%"}],
                },
            },
        ],
    }


def shifts(rows: Sequence[Mapping[str, Any]], features: Sequence[str]) -> dict[str, Any]:
    """Share of rows per bin in training and in the week, one small panel a feature; rows have feature, bin, part, share."""
    return {
        "data": _values(rows),
        "facet": {
            "field": "feature",
            "type": "nominal",
            "sort": list(features),
            "title": None,
            "header": {"labelAnchor": "start", "labelFontWeight": "bold"},
        },
        "columns": 2,
        "spec": {
            "width": 250,
            "height": 110,
            "encoding": {
                "x": {
                    "field": "bin",
                    "type": "ordinal",
                    "sort": {"field": "order", "op": "min"},
                    "title": None,
                    "axis": {"labelAngle": -35, "labelOverlap": True, "labelLimit": 70},
                },
                "y": {
                    "field": "share",
                    "type": "quantitative",
                    "axis": {"format": ".0%", "title": None, "tickCount": 3},
                },
                "color": {
                    "field": "part",
                    "type": "nominal",
                    "title": None,
                    "legend": {"orient": "top"},
                    "scale": {"domain": ["training", "this week"], "range": ["#a8b0b8", "#1b5e9e"]},
                },
                "tooltip": [{"field": "bin"}, {"field": "part"}, {"field": "share", "format": ".1%"}],
            },
            "layer": [
                {"transform": [{"filter": "datum.part == 'training'"}], "mark": {"type": "bar"}},
                {
                    "transform": [{"filter": "datum.part == 'this week'"}],
                    "mark": {"type": "tick", "thickness": 3, "width": {"band": 0.9}},
                },
            ],
        },
        "resolve": {"scale": {"x": "independent", "y": "independent"}},
    }


def importance(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Importance with its range per feature and series; rows have feature, value, low, high, series."""
    x = {"type": "quantitative", "axis": {"title": "rise of the loss when shuffled", "format": ".3f"}}
    features = len({r["feature"] for r in rows})
    return {
        "data": _values(rows),
        **LINKED,
        "width": "container",
        "height": 26 * features + 20,
        "encoding": {
            "y": {"field": "feature", "type": "nominal", "sort": None, "title": None},
            "yOffset": {"field": "series", "sort": None},
            "color": SERIES,
        },
        "layer": [
            {
                "mark": {"type": "rule", "strokeDash": [4, 4]},
                "encoding": {"x": {"datum": 0}, "y": None, "yOffset": None, "color": {"value": "#8a8a8a"}},
            },
            {
                "mark": {"type": "rule", "strokeWidth": 2},
                "encoding": {"x": {"field": "low", **x}, "x2": {"field": "high"}},
            },
            {
                "mark": {"type": "point", "filled": True, "size": 50},
                "encoding": {
                    "x": {"field": "value", **x},
                    "tooltip": [{"field": "feature"}, {"field": "series"}, {"field": "value", "format": ".4f"}],
                },
            },
        ],
    }


def stacked(rows: Sequence[Mapping[str, Any]], *, title: str, form: str, axis: bool) -> dict[str, Any]:
    """One of several panels with the same weeks, to be read one above the other; rows have week, value, low, high."""
    week = {
        "field": "week",
        "type": "temporal",
        "timeUnit": "utcyearmonthdate",
        "title": None,
        "axis": {"format": "%d %b", "labels": axis, "ticks": axis, "grid": True, "labelOverlap": True},
    }
    y = {"type": "quantitative", "scale": {"zero": False}, "axis": {"format": form, "title": title, "minExtent": 60}}
    return {
        "data": _values(rows),
        "width": "container",
        "height": 130,
        "encoding": {"x": week, "color": {"value": COLOURS[0]}},
        "layer": banded(
            y,
            [{"field": "week", "type": "temporal", "format": "%d %b %Y"}, {"field": "value", "format": form}],
        ),
    }


def fitted(
    rows: Sequence[Mapping[str, Any]], line: Sequence[Mapping[str, float]], *, x: str, y: str, forms: tuple[str, str]
) -> dict[str, Any]:
    """A scatter with the fitted line and its band; rows have x, y, week; line has x, value, low, high."""
    across = {"type": "quantitative", "scale": {"zero": False}, "axis": {"format": forms[0], "title": x}}
    up = {"type": "quantitative", "scale": {"zero": False}, "axis": {"format": forms[1], "title": y}}
    return {
        "width": "container",
        "height": 260,
        "layer": [
            {
                "data": _values(line),
                "mark": {"type": "area", "opacity": 0.18, "color": COLOURS[0]},
                "encoding": {"x": {"field": "x", **across}, "y": {"field": "low", **up}, "y2": {"field": "high"}},
            },
            {
                "data": _values(line),
                "mark": {"type": "line", "color": COLOURS[0]},
                "encoding": {"x": {"field": "x", **across}, "y": {"field": "value", **up}},
            },
            {
                "data": _values(rows),
                "mark": {"type": "point", "filled": True, "size": 60, "color": COLOURS[1]},
                "encoding": {
                    "x": {"field": "x", **across},
                    "y": {"field": "y", **up},
                    "tooltip": [
                        {"field": "week"},
                        {"field": "x", "format": forms[0]},
                        {"field": "y", "format": forms[1]},
                    ],
                },
            },
        ],
    }


def hourly(
    rows: Sequence[Mapping[str, Any]],
    limits: Sequence[tuple[float, str]],
    marks: Sequence[Mapping[str, str]],
    *,
    form: str,
) -> dict[str, Any]:
    """Lines by hour with limits and deployments as dashed rules; rows have when, value, series; marks when, text."""
    when = {
        "field": "when",
        "type": "temporal",
        "title": None,
        "axis": {"format": "%a %d", "tickCount": 8, "grid": False},
    }
    layers: list[dict[str, Any]] = [
        {
            "mark": {"type": "line", "strokeWidth": 1.5},
            "encoding": {
                "x": when,
                "y": {"field": "value", "type": "quantitative", "axis": {"format": form, "title": None}},
                "color": SERIES,
                "tooltip": [
                    {"field": "when", "type": "temporal", "format": "%a %d %b %H:%M"},
                    {"field": "series"},
                    {"field": "value", "format": form},
                ],
            },
        }
    ]
    if limits:
        layers.append(
            {
                "data": {"values": [{"limit": value, "text": text} for value, text in limits]},
                "mark": {"type": "rule", "strokeDash": [4, 3], "color": "#b3261e"},
                "encoding": {
                    "y": {"field": "limit", "type": "quantitative"},
                    "tooltip": [{"field": "text"}, {"field": "limit"}],
                },
            }
        )
    if marks:
        layers.append(
            {
                "data": {"values": [dict(m) for m in marks]},
                "mark": {"type": "rule", "strokeDash": [4, 3], "color": "#b07800", "size": 2},
                "encoding": {"x": when, "tooltip": [{"field": "text"}]},
            }
        )
    return {"data": _values(rows), "width": "container", "height": 170, "layer": layers}


def hours_of_week(cells: Sequence[Mapping[str, Any]], days: Sequence[str]) -> dict[str, Any]:
    """Counts by day of the week and hour; cells have day, hour, n."""
    return {
        "data": _values(cells),
        "width": "container",
        "height": 150,
        "mark": {"type": "rect"},
        "encoding": {
            "x": {
                "field": "hour",
                "type": "ordinal",
                "scale": {"domain": list(range(24))},
                "axis": {"labelAngle": 0, "labelOverlap": True, "title": "hour"},
            },
            "y": {"field": "day", "type": "ordinal", "scale": {"domain": list(days)}, "title": None},
            "color": {"field": "n", "type": "quantitative", "scale": {"scheme": "oranges"}, "title": "alerts"},
            "tooltip": [{"field": "day"}, {"field": "hour"}, {"field": "n", "title": "alerts"}],
        },
    }


def sparklines(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A small line a model; rows have model, when, value, and for the last point a state (better, steady, worse)."""
    states = {"domain": ["better", "steady", "worse"], "range": ["#1a7f4b", "#8a8a8a", "#b3261e"]}
    x = {"field": "when", "type": "temporal", "title": None, "axis": {"format": "%d %b", "tickCount": 4, "grid": False}}
    y = {"field": "value", "type": "quantitative", "scale": {"zero": False}, "axis": {"title": None, "tickCount": 3}}
    return {
        "data": _values(rows),
        "facet": {
            "field": "model",
            "type": "nominal",
            "title": None,
            "header": {"labelAnchor": "start", "labelLimit": 380},
        },
        "columns": 2,
        "spec": {
            "width": 300,
            "height": 70,
            "layer": [
                {"mark": {"type": "line", "color": "#8a8a8a"}, "encoding": {"x": x, "y": y}},
                {
                    "transform": [{"filter": "datum.state != ''"}],
                    "mark": {"type": "point", "filled": True, "size": 110, "opacity": 1},
                    "encoding": {
                        "x": x,
                        "y": y,
                        "color": {"field": "state", "type": "nominal", "scale": states, "legend": None},
                        "tooltip": [{"field": "state"}, {"field": "value", "format": ".4f"}],
                    },
                },
            ],
        },
        "resolve": {"scale": {"y": "independent"}},
    }
