"""Cells of CSV files, which spreadsheets open."""

from __future__ import annotations

import re
from typing import Any

__all__ = ["csv_cell"]

FORMULA = ("=", "+", "-", "@", "\t", "\r")
NUMBER = re.compile(r"[-+]?(?:\d[\d,]*(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?\s?%?")


def csv_cell(value: Any) -> Any:
    """A value for a cell: text that a spreadsheet would take for a formula gets an apostrophe before it; numbers stay.

    >>> csv_cell("=1+1"), csv_cell("-0.5"), csv_cell("-b"), csv_cell(-0.5)
    ("'=1+1", '-0.5', "'-b", -0.5)
    """
    formula = isinstance(value, str) and value.startswith(FORMULA) and not NUMBER.fullmatch(value)
    return f"'{value}" if formula else value
