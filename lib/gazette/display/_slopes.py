"""Past changes of two metrics with lines through nought: stated and learnt sensitivities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["slopes"]

COLOURS = {"domain": ["stated", "learnt"], "range": ["#9a6b00", "#1b5e9e"]}


def slopes(
    points: Sequence[Mapping[str, Any]],
    lines: Mapping[str, tuple[float, float, float]],
    xs: Sequence[float],
    *,
    x: str,
    y: str,
) -> dict[str, Any]:
    """Vega-Lite of points with both errors (x, x1, x2, y, y1, y2, name) and lines through nought with their bands.

    Args:
        points: Past changes.
        lines: Name to lower, middle and upper slope.
        xs: Where lines are drawn, ends and nought, rising.
        x: Title of the technical metric.
        y: Title of the business metric.
    """
    values = [
        {
            "line": name,
            "x": at,
            "y": round(middle * at, 9),
            "low": round(min(low * at, high * at), 9),
            "high": round(max(low * at, high * at), 9),
        }
        for name, (low, middle, high) in lines.items()
        for at in xs
    ]
    across = {"type": "quantitative", "axis": {"title": f"Change of {x}", "format": "+.3~f"}}
    up = {"type": "quantitative", "axis": {"title": f"Change of {y}", "format": "+.1%"}}
    colour = {"field": "line", "type": "nominal", "title": None, "legend": {"orient": "top"}, "scale": COLOURS}
    dash = {
        "field": "line",
        "type": "nominal",
        "legend": None,
        "scale": {"domain": COLOURS["domain"], "range": [[6, 4], [1, 0]]},
    }
    seen = {"values": [dict(p) for p in points]}
    at = {"x": {"field": "x", **across}, "y": {"field": "y", **up}}
    return {
        "data": {"values": values},
        "width": "container",
        "height": 280,
        "layer": [
            {
                "mark": {"type": "area", "opacity": 0.18},
                "encoding": {
                    "x": {"field": "x", **across},
                    "y": {"field": "low", **up},
                    "y2": {"field": "high"},
                    "color": colour,
                },
            },
            {"mark": {"type": "line", "strokeWidth": 2}, "encoding": {**at, "color": colour, "strokeDash": dash}},
            {
                "data": seen,
                "mark": {"type": "rule", "color": "#8a8a8a"},
                "encoding": {"x": {"field": "x1", **across}, "x2": {"field": "x2"}, "y": {"field": "y", **up}},
            },
            {
                "data": seen,
                "mark": {"type": "rule", "color": "#8a8a8a"},
                "encoding": {"y": {"field": "y1", **up}, "y2": {"field": "y2"}, "x": {"field": "x", **across}},
            },
            {
                "data": seen,
                "mark": {"type": "point", "filled": True, "size": 60, "color": "#5b5b5b"},
                "encoding": {
                    **at,
                    "tooltip": [{"field": "name"}, {"field": "x", "format": "+.4f"}, {"field": "y", "format": "+.2%"}],
                },
            },
        ],
    }
