"""Charts: an Altair chart becomes a figure that loads nothing from the web."""

from __future__ import annotations

import json
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Chart", "banded", "chart", "forest", "trend"]

COLOURS = ["#1b5e9e", "#9a6b00", "#5b5b5b"]
STATE_COLOURS = {
    "domain": ["good", "bad", "unsure", "untrusted"],
    "range": ["#1a7f4b", "#b3261e", "#b07800", "#8a8a8a"],
}


@dataclass(frozen=True)
class Chart:
    """A Vega-Lite specification with its caption; one shared bundle on the site draws it."""

    spec: dict[str, Any]
    name: str
    caption: str

    def _repr_html_(self) -> str:
        spec = json.dumps(self.spec, sort_keys=True, ensure_ascii=False).replace("<", "\\u003c")
        return (
            f'<figure class="gz-chart" data-name="{escape(self.name)}"><div class="gz-vega" role="img" '
            f'aria-label="{escape(self.caption)}"></div>'
            f'<script type="application/json">{spec}</script><figcaption>{escape(self.caption)}</figcaption></figure>'
        )


def chart(picture: Any, name: str, caption: str) -> Chart:
    """A figure of a chart; its width follows the page.

    Args:
        picture: An Altair chart or a Vega-Lite specification; its data are embedded, so aggregate first.
        name: Short name, unique on the page.
        caption: What the reader should see, in a sentence.
    """
    spec = dict(picture) if isinstance(picture, dict) else picture.to_dict()
    for key in ("$schema", "config"):
        spec.pop(key, None)
    text = json.dumps(spec)
    for i, old in enumerate(sorted(spec.get("datasets", {}))):
        text = text.replace(old, f"data-{i}")  # Altair names data by their hash; the page needs no more than order
    return Chart(json.loads(text), name, caption)


def forest(rows: Sequence[Mapping[str, Any]], *, title: str, percent: bool = True) -> dict[str, Any]:
    """Vega-Lite of intervals side by side with a line at zero; rows have name, value, low, high, state."""
    axis = {"format": "+.1%" if percent else "+,.2f", "title": title}
    return {
        "data": {"values": [dict(row) for row in rows]},
        "width": "container",
        "height": 36 * len(rows) + 20,
        "encoding": {
            "y": {"field": "name", "type": "nominal", "sort": None, "title": None, "axis": {"labelLimit": 220}}
        },
        "layer": [
            {"mark": {"type": "rule", "strokeDash": [4, 4]}, "encoding": {"x": {"datum": 0}, "y": None}},
            {
                "mark": {"type": "rule", "strokeWidth": 3},
                "encoding": {
                    "x": {"field": "low", "type": "quantitative", "axis": axis},
                    "x2": {"field": "high"},
                    "color": {"field": "state", "type": "nominal", "scale": STATE_COLOURS, "legend": None},
                },
            },
            {
                "mark": {"type": "point", "filled": True, "size": 90},
                "encoding": {
                    "x": {"field": "value", "type": "quantitative"},
                    "color": {"field": "state", "type": "nominal", "scale": STATE_COLOURS, "legend": None},
                    "tooltip": [{"field": f} for f in ("name", "value", "low", "high", "state")],
                },
            },
        ],
    }


def banded(y: Mapping[str, Any], tooltip: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Layers of a line (value) with a band (low, high)."""
    return [
        {"mark": {"type": "area", "opacity": 0.18}, "encoding": {"y": {"field": "low", **y}, "y2": {"field": "high"}}},
        {
            "mark": {"type": "line", "point": True},
            "encoding": {"y": {"field": "value", **y}, "tooltip": [dict(t) for t in tooltip]},
        },
    ]


def trend(rows: Sequence[Mapping[str, Any]], *, title: str, form: str = ".3f", zero: bool = False) -> dict[str, Any]:
    """Vega-Lite of one line with a band per series; rows have when, value, low, high, series; ``zero`` draws the line of no change."""
    y = {"type": "quantitative", "scale": {"zero": False}, "axis": {"format": form, "title": title}}
    colour = {
        "field": "series",
        "type": "nominal",
        "title": None,
        "legend": {"orient": "top"},
        "scale": {"range": COLOURS},
    }
    when = {
        "field": "when",
        "type": "ordinal",
        "sort": None,
        "title": None,
        "axis": {"labelAngle": 0, "labelOverlap": True},
    }
    return {
        "data": {"values": [dict(row) for row in rows]},
        "width": "container",
        "height": 240,
        "encoding": {"x": when, "color": colour},
        "layer": [
            *(
                [
                    {
                        "mark": {"type": "rule", "strokeDash": [4, 4]},
                        "encoding": {"y": {"datum": 0}, "x": None, "color": None},
                    }
                ]
                if zero
                else []
            ),
            *banded(
                y,
                [
                    {"field": "when", "type": "ordinal"},
                    {"field": "series"},
                    {"field": "value", "format": form},
                ],
            ),
        ],
    }
