"""Rows of frozen answers, as numbers, days and moments."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from gazette import stats

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["date_of", "explained", "joint", "moments", "number", "ordered", "records"]


def date_of(day: Any) -> date:
    """A day as warehouses give it, with or without a time."""
    return day.date() if hasattr(day, "date") else day  # type: ignore[no-any-return]


def records(frame: pd.DataFrame | None) -> list[dict[str, Any]]:
    return [] if frame is None else [{str(k): v for k, v in row.items()} for row in frame.to_dict("records")]


def number(value: Any) -> float:
    """A float; the variance of a single unit, which warehouses give as NULL, is 0."""
    found = float(value) if value is not None else 0.0
    return 0.0 if math.isnan(found) else found


def moments(row: Mapping[str, Any], column: str, n: int) -> stats.Moments:
    """Moments of a column of a row of aggregates; no third one where the edition did not keep it."""
    third = row.get(f"{column}_third")
    return stats.Moments(n, number(row[f"{column}_mean"]), number(row[f"{column}_var"]), _or_none(third))


def ordered(row: Mapping[str, Any], prefix: str, q: float, n: int) -> stats.Moments:
    """Moments of a quantile of so many units, from order statistics; their ranks are not there where an earlier edition kept none."""
    value, low, high = (float(row[f"{prefix}{mark}"]) for mark in ("quantile", "low", "high"))
    ranks = [_or_none(row.get(f"{prefix}{mark}")) for mark in ("low_rank", "high_rank")]
    kept = None if None in ranks else (int(ranks[0] or 0), int(ranks[1] or 0))
    return stats.quantile_moments(n, value, low, high, q=q, ranks=kept)


def joint(row: Mapping[str, Any], column: str, part: str, first: stats.Moments) -> stats.Joint:
    """Moments of two columns of a row of aggregates.

    Args:
        row: Of an arm.
        column: Of the first value.
        part: What the second value is: ``den`` or ``pre``.
        first: Moments of the first value.
    """
    own, lacking = f"{column}_{part}", None
    if part == "pre" and f"{column}_lack_mean" in row:
        share, with_first, with_second = (number(row[f"{column}_lack_{name}"]) for name in ("mean", "cov", "pre_cov"))
        thirds = _all(row, column, ("lack_xxl_third", "lack_xyl_third", "lack_yyl_third"))
        lacking = stats.Lacking(share, with_first, with_second, thirds)
    mixed = _all(row, own, ("xxy_third", "xyy_third"))
    powers = _all(row, own, ("power4", "power5"))
    return stats.Joint(first, moments(row, own, first.n), number(row[f"{own}_cov"]), lacking, mixed, powers)


def explained(row: Mapping[str, Any], column: str) -> stats.Explained | None:
    """A ratio of a row of aggregates with what was known before; None where an earlier edition did not keep that together."""
    if f"{column}_den_pre_cov" not in row:
        return None
    first = moments(row, column, int(row.get(f"{column}_n", row["n"])))
    lacking = None
    if f"{column}_den_lack_cov" in row:
        lacking = stats.Unknown(
            share=number(row[f"{column}_lack_mean"]),
            with_first=number(row[f"{column}_lack_cov"]),
            with_second=number(row[f"{column}_den_lack_cov"]),
            with_before=number(row[f"{column}_lack_pre_cov"]),
            thirds=_all(row, f"{column}_lack", [f"{p}l_third" for p in ("xx", "xy", "yy", "xp", "yp", "pp")]),
        )
    return stats.Explained(
        joint(row, column, "den", first),
        moments(row, f"{column}_pre", first.n),
        number(row[f"{column}_pre_cov"]),
        number(row[f"{column}_den_pre_cov"]),
        _all(row, f"{column}_pre", [f"{three}_third" for three in ("xxp", "xyp", "yyp", "xpp", "ypp")]),
        lacking,
    )


def _or_none(value: Any) -> float | None:
    return None if value is None or math.isnan(value) else float(value)


def _all(row: Mapping[str, Any], column: str, names: Sequence[str]) -> Any:
    """Values of several columns; None where one is not there."""
    found = tuple(_or_none(row.get(f"{column}_{name}")) for name in names)
    return None if None in found else found
