"""Rows of frozen answers, as numbers, days and moments."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from gazette import stats

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["date_of", "joint", "number", "records"]


def date_of(day: Any) -> date:
    """A day as warehouses give it, with or without a time."""
    return day.date() if hasattr(day, "date") else day  # type: ignore[no-any-return]


def records(frame: pd.DataFrame | None) -> list[dict[str, Any]]:
    return [] if frame is None else [{str(k): v for k, v in row.items()} for row in frame.to_dict("records")]


def number(value: Any) -> float:
    """A float; the variance of a single unit, which warehouses give as NULL, is 0."""
    found = float(value) if value is not None else 0.0
    return 0.0 if math.isnan(found) else found


def joint(row: Mapping[str, Any], column: str, part: str, first: stats.Moments) -> stats.Joint:
    second = stats.Moments(first.n, number(row[f"{column}_{part}_mean"]), number(row[f"{column}_{part}_var"]))
    lacking = None
    if part == "pre" and f"{column}_lack_mean" in row:
        parts = (number(row[f"{column}_lack_{name}"]) for name in ("mean", "cov", "pre_cov"))
        lacking = stats.Lacking(*parts)
    return stats.Joint(first, second, number(row[f"{column}_{part}_cov"]), lacking)
