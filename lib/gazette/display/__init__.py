"""How numbers, sentences, tables and charts look; the only place that rounds."""

from gazette.display._charts import Chart, chart, forest, trend
from gazette.display._claims import claims
from gazette.display._csv import csv_cell
from gazette.display._curves import (
    calibration_curve,
    fitted,
    hourly,
    hours_of_week,
    importance,
    shifts,
    sparklines,
    stacked,
    threshold_curve,
)
from gazette.display._days import draw_days
from gazette.display._html import (
    Block,
    card_digest,
    cards,
    chip,
    facts,
    findings,
    icon,
    mark,
    number_span,
    panel,
    plain_sentence,
    progress,
    ranged,
    sentence,
    verdict_digest,
)
from gazette.display._language import AMERICAN, Language, localise
from gazette.display._linked import controls, explore_rows, explore_segments, explore_trend
from gazette.display._numbers import format_ends, format_number, format_ranged, format_value, with_range
from gazette.display._page import page
from gazette.display._rounded import ROUNDED, apart_in_print, range_apart_in_print
from gazette.display._slopes import slopes
from gazette.display._tables import Column, Table, table

__all__ = [
    "AMERICAN",
    "ROUNDED",
    "Block",
    "Chart",
    "Column",
    "Language",
    "Table",
    "apart_in_print",
    "calibration_curve",
    "card_digest",
    "cards",
    "chart",
    "chip",
    "claims",
    "controls",
    "csv_cell",
    "draw_days",
    "explore_rows",
    "explore_segments",
    "explore_trend",
    "facts",
    "findings",
    "fitted",
    "forest",
    "format_ends",
    "format_number",
    "format_ranged",
    "format_value",
    "hourly",
    "hours_of_week",
    "icon",
    "importance",
    "localise",
    "mark",
    "number_span",
    "page",
    "panel",
    "plain_sentence",
    "progress",
    "range_apart_in_print",
    "ranged",
    "sentence",
    "shifts",
    "slopes",
    "sparklines",
    "stacked",
    "table",
    "threshold_curve",
    "trend",
    "verdict_digest",
    "with_range",
]
