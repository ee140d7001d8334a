"""One page that holds all it needs: for an analysis that belongs to no edition."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from html import escape
from importlib.resources import files
from typing import Any

from gazette.display._charts import Chart
from gazette.display._html import Block
from gazette.display._tables import Table

__all__ = ["page"]

LOOK = {"view": {"stroke": None}, "axis": {"labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal"}}


def page(title: str, parts: Iterable[Block | Table | Chart], *, lead: Sequence[str] = (), data: str = "") -> str:
    """HTML of blocks, tables and charts, one below the other; charts are drawn here, so the page runs no script.

    Args:
        title: Its heading.
        parts: In reading order.
        lead: Lines below the heading.
        data: JSON that the page carries for programs.
    """
    body = "\n".join(
        _picture(p) if isinstance(p, Chart) else p.to_html() if isinstance(p, Table) else p.html for p in parts
    )
    lines = "".join(f"<p>{escape(line)}</p>" for line in lead)
    kept = data.replace("<", "\\u003c")
    style = (files("gazette.display") / "page.css").read_text(encoding="utf-8")
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{escape(title)}</title><link rel="icon" href="data:,"><style>{style}</style></head>\n<body><main><h1>{escape(title)}</h1>{lines}\n{body}\n'
        f'<script type="application/json" id="record">{kept}</script></main></body></html>\n'
    )


def _picture(chart: Chart) -> str:
    import vl_convert  # noqa: PLC0415  slow to import, needed only here

    spec: dict[str, Any] = {**chart.spec, "width": 640, "config": LOOK, "background": None}
    spec["$schema"] = "vega-lite/v6.json"
    drawn = vl_convert.vegalite_to_svg(json.dumps(spec))
    return f'<figure role="img" aria-label="{escape(chart.caption)}">{drawn}<figcaption>{escape(chart.caption)}</figcaption></figure>'
