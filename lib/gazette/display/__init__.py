"""How numbers, sentences, tables and charts look; the only place that rounds."""

from gazette.display._charts import Chart, chart, forest, trend
from gazette.display._html import (
    Block,
    cards,
    chip,
    facts,
    findings,
    number_span,
    panel,
    plain_sentence,
    progress,
    sentence,
)
from gazette.display._numbers import format_number, format_value
from gazette.display._page import page
from gazette.display._tables import Column, Table, table

__all__ = [
    "Block",
    "Chart",
    "Column",
    "Table",
    "cards",
    "chart",
    "chip",
    "facts",
    "findings",
    "forest",
    "format_number",
    "format_value",
    "number_span",
    "page",
    "panel",
    "plain_sentence",
    "progress",
    "sentence",
    "table",
    "trend",
]
