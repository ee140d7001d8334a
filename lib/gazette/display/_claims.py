"""Chart of claims against what came of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["claims"]

WORDS = ["as claimed or more", "less than claimed"]
WORD: dict[str, Any] = {
    "field": "held",
    "type": "nominal",
    "title": None,
    "legend": {"orient": "top"},
    "scale": {"domain": WORDS, "range": ["#1b5e9e", "#9a6b00"]},
}


def claims(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Realised against claimed effect, each with its range, and the line where both are the same.

    Rows have title, metric, claimed, claimed_low, claimed_high, realised, low, high, held (a domain word).
    """
    ends = [float(r[k]) for r in rows for k in ("claimed_low", "claimed_high", "low", "high")]
    low, high = min([*ends, 0.0]), max([*ends, 0.0])
    scale = {"domain": [low, high]}
    x = {"field": "claimed", "type": "quantitative", "scale": scale, "axis": {"format": "+.1%", "title": "claimed"}}
    y = {"type": "quantitative", "scale": scale, "axis": {"format": "+.1%", "title": "realised later"}}
    grey = {"type": "line", "strokeDash": [4, 4], "color": "#8a8a8a"}
    plain = {"type": "quantitative", "scale": scale}
    return {
        "data": {"values": [dict(r) for r in rows]},
        "width": "container",
        "height": 340,
        "layer": [
            {
                "data": {"values": [{"v": low}, {"v": high}]},
                "mark": grey,
                "encoding": {"x": {"field": "v", **plain}, "y": {"field": "v", **plain}},
            },
            {
                "mark": {"type": "rule", "strokeWidth": 1, "opacity": 0.6},
                "encoding": {
                    "x": {**x, "field": "claimed_low"},
                    "x2": {"field": "claimed_high"},
                    "y": {"field": "realised", **y},
                    "color": WORD,
                },
            },
            {
                "mark": {"type": "rule", "strokeWidth": 2},
                "encoding": {"x": x, "y": {"field": "low", **y}, "y2": {"field": "high"}, "color": WORD},
            },
            {
                "mark": {"type": "point", "filled": True, "size": 70, "opacity": 1},
                "encoding": {
                    "x": x,
                    "y": {"field": "realised", **y},
                    "color": WORD,
                    "shape": {
                        **WORD,
                        "scale": {"domain": WORDS, "range": ["circle", "triangle-down"]},
                    },
                    "tooltip": [
                        {"field": "title"},
                        {"field": "metric"},
                        {"field": "claimed", "format": "+.2%"},
                        {"field": "realised", "format": "+.2%"},
                    ],
                },
            },
        ],
    }
