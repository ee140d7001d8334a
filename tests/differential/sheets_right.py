"""The right answer for a file, by pandas from the frame, as the documentation says it; none of the product's code is used."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import textbook as book
from scipy import stats
from sheets import texts_of

if TYPE_CHECKING:
    from sheets import Sheet


@dataclass
class Told:
    """Rows that are read, and what has to be said about the others; ``refused`` where nothing may be read."""

    rows: pd.DataFrame
    unknown: int = 0
    crossed: int | None = None
    refused: list[str] = field(default_factory=list)


def accounted(sheet: Sheet, frame: pd.DataFrame) -> Told:  # noqa: C901  each kind of fault is one step
    """Who counts: one row a unit, in one arm; ``counts`` is whether its values do."""
    columns = [c for c in frame.columns if not c.startswith("=")]
    rows = frame.drop_duplicates(columns) if sheet.distinct else frame
    refused = []
    if sheet.words and not sheet.declared and _reads_spend(sheet) and (words := int((rows.spend == "n/a").sum())):
        refused.append(rf"column 'spend' holds text in {words} rows, such as 'n/a'")
    rows = rows.assign(**{c: texts_of(rows[c]) for c in ("arm", "uid", "store", "seg")})
    without = int(rows.arm.isna().sum())
    unknown = 0 if sheet.left_out else without
    spelt = rows.arm.isin([f"{a} " for a in sheet.arms if f"{a} " not in sheet.arms])
    if sheet.spelling == "alias":
        rows["arm"] = rows.arm.where(~spelt, rows.arm.str[:-1])
    elif not sheet.spelling:
        # a spelling is one only beside the arm that it is a spelling of
        there = set(rows.arm.dropna())
        alone = rows.arm.isin([f"{a} " for a in sheet.arms if a not in there])
        unknown += int((spelt & ~alone).sum())
        spelt &= ~alone
    if sheet.spelling != "alias":
        rows = rows[~spelt]
    rows = rows[rows.arm.notna() & (rows.arm != "holdout" if sheet.holdout else True)]
    arms = set(rows.arm)
    if len(arms) < 2 or sheet.arms[0] not in arms:
        return Told(rows, refused=[r"only one arm|no row is of the control|no row is left|no arms"])
    key = "store" if sheet.cluster else "uid" if sheet.unit else ""
    if not key:
        fits = pd.Series(True, index=rows.index)
        if sheet.matches:  # the page that most rows of an arm have, of as many the first in the alphabet
            seen = (
                rows.groupby(["arm", "page"])
                .size()
                .reset_index(name="n")
                .sort_values(["n", "page"], ascending=[False, True])
            )
            page = seen.drop_duplicates("arm").set_index("arm").page
            if page.nunique() < len(arms):
                refused.append("does not tell the arms apart")
            fits = rows.page == rows.arm.map(page)
        return Told(rows.assign(counts=fits), unknown, None, refused)
    nameless = rows[key].isna()
    unknown += 0 if sheet.left_out else int(nameless.sum())
    named = rows[~nameless]
    if sheet.first and sheet.unit:
        named = named[named["at"] == named.groupby(key)["at"].transform("min")].drop_duplicates([*columns])
    several = named.groupby(key).arm.nunique()
    crossed = several[several > 1].index
    if not sheet.cluster:
        twice = named[~named[key].isin(crossed)][key].value_counts()
        if n := int((twice > 1).sum()):
            refused.append(rf"{n} units have several (first )?rows")
    rows = pd.concat([named[~named[key].isin(crossed)], rows[nameless] if not sheet.cluster else rows[:0]])
    if gone := arms - set(rows.arm):
        refused.append(f"nobody is left in .*{re.escape(min(gone))}")
    return Told(rows.assign(counts=rows[key].notna()), unknown, len(crossed), refused)


def _reads_spend(sheet: Sheet) -> bool:
    return any("spend" in m for m in sheet.measures)


def parts(measure: str) -> tuple[str, str, str, str]:
    """Name, kind, column, denominator."""
    words = measure.split(":")
    name, kind = (words[0], words[1])
    column, _, below = (words[2] if len(words) == 3 else words[0]).partition("/")
    return name, kind, column, below


def prepared(sheet: Sheet, told: Told, measure: str) -> pd.DataFrame:
    """A row per unit that has the metric: x, y (for ratios and clusters), before, arm, seg."""
    _, kind, column, below = parts(measure)
    rows = told.rows.assign(x=told.rows[f"={column}"], y=told.rows[f"={below}"] if below else 1.0)
    rows["x"] = rows.x.where(np.isfinite(rows.x))
    rows = rows[rows.counts]
    if kind.startswith("capped"):
        every = rows.x.dropna()
        cap = np.quantile(every, 0.8) if len(every) else 0.0
        above = every[every > 0]
        cap = np.quantile(above, 0.8) if cap <= 0 and len(above) else cap
        rows["x"] = rows.x.clip(upper=cap)
    rows = rows[rows.x.notna() & rows.y.notna()]
    if sheet.cluster:
        rows = rows.groupby(["arm", "store"])[["x", "y"]].sum().reset_index()
    return rows


def of_arm(
    sheet: Sheet, measure: str, rows: pd.DataFrame, alpha: float, arms: Iterable[pd.DataFrame] = ()
) -> book.Answer:
    """A metric of one arm, to whose shape the other ``arms`` add what it missed."""
    _, kind, _, _ = parts(measure)
    x = rows.x.to_numpy(float)
    if len(x) < 1:
        return book.Withheld(NOBODY)
    if sheet.cluster or kind == "ratio":
        values = book.of_ratio(x, rows.y.to_numpy(float))
        rest = [book.of_ratio(r.x.to_numpy(float), r.y.to_numpy(float)) for r in arms if r is not rows]
        if values is None:
            return book.Withheld("denominator's mean is zero")
        freedom = book.freedom_of_ratio(rows.y.to_numpy(float))
        return book.mean_of(values, alpha, [v for v in rest if v is not None], freedom)
    if kind == "proportion":
        return book.share_of(x, alpha)
    if (q := quantile(kind)) is not None:
        return book.quantile_of(x, q, alpha) if len(x) > 1 else book.Withheld(book.TOO_FEW)
    return book.mean_of(x, alpha, [r.x.to_numpy(float) for r in arms if r is not rows])


NOBODY = rf"{book.TOO_FEW}|no users with|denominator"


def quantile(kind: str) -> float | None:
    return {"median": 0.5, "p90": 0.9}.get(kind)


def between(
    sheet: Sheet, measure: str, a: pd.DataFrame, b: pd.DataFrame, alpha: float, *, adjust: bool = True
) -> tuple[book.Answer, book.Answer]:
    """Difference and relative difference of ``b`` and the control."""
    _, kind, _, _ = parts(measure)
    x, y = a.x.to_numpy(float), b.x.to_numpy(float)
    if min(len(x), len(y)) < 1:
        return (book.Withheld(NOBODY),) * 2
    if (q := quantile(kind)) is not None:
        if min(len(x), len(y)) < 2:
            return (book.Withheld(NOBODY),) * 2
        gap = book.gap_of_quantiles(x, y, q, alpha)
        marks = book.quantile_of(x, q), book.quantile_of(y, q)
        return gap, book.relative(*marks, gap, book.freedom_of(*marks, len(x), len(y)), alpha)
    share = kind == "proportion" and not sheet.cluster
    freedoms = None
    if sheet.cluster or kind == "ratio":
        sides = [book.of_ratio(v, rows.y.to_numpy(float)) for v, rows in ((x, a), (y, b))]
        if sides[0] is None or sides[1] is None:
            return (book.Withheld("denominator's mean is zero"),) * 2
        below = a.y.to_numpy(float), b.y.to_numpy(float)
        x, y = (
            book.adjusted_ratios((x, y), below, (_finite(a), _finite(b))) if sheet.covariate and adjust else sides[:2]
        )
        freedoms = tuple(book.freedom_of_ratio(rows.y.to_numpy(float)) for rows in (a, b))
    elif sheet.covariate and adjust:
        x, y = book.adjusted((x, y), (_finite(a), _finite(b)))
        share = False
    if share:
        return book.gap_of_shares(x, y, alpha), book.change_of_shares(x, y, alpha)
    gap = book.gap_of_means(x, y, alpha, freedoms)
    means = book.mean_of(x, alpha), book.mean_of(y, alpha)
    return gap, book.relative(
        *means, gap, book.freedom_of(*means, *book.sized(x, y, freedoms)), alpha, book.lean_of(x, y)
    )


def _finite(rows: pd.DataFrame) -> np.ndarray:
    return rows["=before"].where(np.isfinite(rows["=before"])).to_numpy(float)


def missing(told: Told, measure: str) -> dict[str, tuple[int, int]]:
    """Per arm: rows that count, and those of them that lack the metric."""
    _, _, column, below = parts(measure)
    rows = told.rows[told.rows.counts]
    lacks = ~np.isfinite(rows[f"={column}"]) | (~np.isfinite(rows[f"={below}"]) if below else False)
    return {
        arm: (int((rows.arm == arm).sum()), int((lacks & (rows.arm == arm)).sum()))
        for arm in sorted(set(told.rows.arm))
    }


def unlike(counts: dict[str, tuple[int, int]]) -> float:
    """P-value that the same share is missing in every arm."""
    table = [(n - k, k) for n, k in counts.values() if n]
    if len(table) < 2:
        return float("nan")
    if not all(sum(column) for column in zip(*table, strict=True)):
        return 1.0
    if stats.contingency.expected_freq(table).min() >= 5:
        return float(stats.chi2_contingency(table, correction=False).pvalue)
    if len(table) == 2:
        return float(stats.fisher_exact(table).pvalue)
    sizes, lacking = [sum(row) for row in table], sum(k for _, k in table)
    ways = [w for w in itertools.product(*(range(min(n, lacking) + 1) for n in sizes)) if sum(w) == lacking]
    chances = stats.multivariate_hypergeom.pmf(np.array(ways), sizes, lacking)
    own = stats.multivariate_hypergeom.pmf([k for _, k in table], sizes, lacking)
    return min(1.0, float(chances[chances <= own * (1 + 1e-7)].sum()))
