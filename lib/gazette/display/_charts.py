"""Charts: an Altair chart becomes a figure that loads nothing from the web."""

from __future__ import annotations

import json
from dataclasses import dataclass
from html import escape
from typing import Any

__all__ = ["Chart", "chart"]


@dataclass(frozen=True)
class Chart:
    """A Vega-Lite specification with its caption; one shared bundle on the site draws it."""

    spec: dict[str, Any]
    name: str
    caption: str

    def _repr_html_(self) -> str:
        spec = json.dumps(self.spec, sort_keys=True, ensure_ascii=False).replace("</", "<\\/").replace("<!--", "<\\!--")
        return (
            f'<figure class="gz-chart" data-name="{escape(self.name)}"><div class="gz-vega" role="img" '
            f'aria-label="{escape(self.caption)}"></div>'
            f'<script type="application/json">{spec}</script><figcaption>{escape(self.caption)}</figcaption></figure>'
        )


def chart(altair_chart: Any, name: str, caption: str) -> Chart:
    """A figure of an Altair chart; its width follows the page.

    Args:
        altair_chart: Any Altair chart; its data are embedded, so aggregate first.
        name: Short name, unique on the page.
        caption: What the reader should see, in a sentence.
    """
    spec = altair_chart.to_dict()
    spec.pop("$schema", None)
    spec["config"] = {}
    names = {old: f"data-{i}" for i, old in enumerate(sorted(spec.get("datasets", {})))}
    text = json.dumps(spec)
    for old, new in names.items():
        text = text.replace(old, new)
    return Chart(json.loads(text), name, caption)
