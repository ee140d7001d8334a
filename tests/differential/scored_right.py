"""The right answer for a model's tables, by pandas, scikit-learn and scipy, as the documentation says it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
import textbook as book
from scipy import stats
from scored import VERSIONS
from sklearn import metrics as sk

if TYPE_CHECKING:
    from scored import Case

START, END, CUTOFF = (pd.Timestamp(t) for t in ("2026-11-16", "2026-11-23", "2026-11-23 06:00"))
WEEK = pd.Timedelta(days=7)
ALPHA = 0.05
FEWEST = 10  # rows of a class, or degrees, that a range needs
LEAST = 1e-15
ONE_CLASS = "one class only"
MEASURES = {
    "classifier": ("auc", "pr-auc", "log-loss", "calibration-gap", "precision", "recall"),
    "regressor": ("mae", "rmse", "bias"),
    "ranker": ("ready", "ndcg-5", "precision-3"),
}


def scored(case: Case, p: pd.DataFrame) -> pd.DataFrame:
    """Each row and version once, the one that came first; of several at a moment the least, one without a score last."""
    p = p[p.id.notna() & (p["at"] >= START - 2 * WEEK) & (p["at"] < END) & (p.loaded < CUTOFF)]
    p = p[p.version.isin([*VERSIONS[case.versions].values()])]
    order = ["loaded", "score", "at", "g"]
    p = p.sort_values(order, na_position="last", kind="stable").drop_duplicates(["id", "version"])
    return p.assign(week=((END - p["at"] - pd.Timedelta(seconds=1)) // WEEK))


def written_labels(case: Case, frames: dict[str, pd.DataFrame]) -> set[str]:
    """How labels stand that are known of rows which were scored."""
    y = frames["y"]
    y = y[(y.known < CUTOFF) & y.written.notna() & ~y.written.isin(["", "NaN"])]
    y = y.sort_values(["known", "written"], ascending=[True, False], kind="stable").drop_duplicates("id", keep="last")
    rows = scored(case, frames["p"])[["id"]].merge(y, on="id")
    return {str(w) for w in rows.written}


def with_outcomes(case: Case, frames: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Rows with what is known of them, all weeks at the age of this one; ``label`` is NaN where nothing is known."""
    p = scored(case, frames["p"])
    y = frames["y"]
    y = y[(y.known < CUTOFF) & y.label.notna()].sort_values(
        ["known", "written"], ascending=[True, False], kind="stable"
    )
    rows = p.merge(y.drop_duplicates("id", keep="last")[["id", "label"]], on="id", how="left")
    due = CUTOFF - rows.week * WEEK
    told = p.merge(y[["id", "label", "known"]], on="id")
    told = told[told.known < CUTOFF - told.week * WEEK].drop_duplicates(["id", "version"], keep="last")
    then = rows[["id", "version"]].merge(told[["id", "version", "label"]], how="left", on=["id", "version"]).label
    came = rows.loaded < due
    counted = rows.label.notna()
    settled = came & then.notna()
    aged = 2 * settled.groupby(rows.week).transform("sum") >= counted.groupby(rows.week).transform("sum")
    rows["label"] = rows.label.where(~aged, then.where(settled))
    return rows[~aged | came].assign(aged=aged)


def with_gains(case: Case, frames: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Requests with each score, NaN where it has none; all weeks at the age of this one."""
    rows = scored(case, frames["p"])
    due = CUTOFF - rows.week * WEEK
    came = rows.loaded < due
    aged = 2 * came.groupby(rows.week).transform("sum") >= came.groupby(rows.week).transform("size")
    rows = rows[~aged | came].assign(ready=lambda r: r.score)
    items = frames["items"].drop_duplicates()
    found = {}
    for key, shown in items.groupby(["request", "version"]):
        if not shown[["rank", "relevance"]].isna().any().any() and shown.relevance.min() >= 0:
            found[key] = _gain(shown.relevance.to_numpy(), shown["rank"].to_numpy())
    keys = [*zip(rows.id, rows.version, strict=True)]
    rows["ndcg-5"] = [found.get(k, (math.nan, math.nan))[0] for k in keys]
    rows["precision-3"] = [found.get(k, (math.nan, math.nan))[1] for k in keys]
    return rows


def _gain(use: np.ndarray, rank: np.ndarray) -> tuple[float, float]:
    """NDCG at 5 and precision at 3 of one request."""
    ndcg = float(sk.ndcg_score([use], [-rank], k=5)) if len(use) > 1 else float(use[0] > 0)
    return ndcg, float((use[rank <= 3] > 0).sum() / 3)


def measures_of(case: Case, rows: pd.DataFrame) -> dict[str, book.Answer]:
    """Every measure of rows of one version and week."""
    if case.kind == "ranker":
        return {m: _mean(rows[m].dropna().to_numpy(float)) if rows[m].notna().any() else book.Withheld(NONE) for m in MEASURES["ranker"]}  # fmt: skip
    rows = rows[rows.label.notna() & rows.score.notna()]
    if rows.empty:
        return dict.fromkeys(MEASURES[case.kind], book.Withheld(NONE))
    y, s = rows.label.to_numpy(float), rows.score.to_numpy(float)
    if case.kind == "regressor":
        return {
            "mae": _mean(np.abs(s - y), sk.mean_absolute_error(y, s), log=True),
            "bias": _mean(s - y),
            "rmse": book.Right(float(sk.root_mean_squared_error(y, s))) if len(y) > 1 else book.Withheld(NONE),
        }
    clipped = s.clip(LEAST, 1 - LEAST)
    # 1 - (1 - 1e-15) is 8e-4 off in floats, which a loss shows where a score was sure and wrong
    losses = -np.log(np.where(y == 1, s, 1 - s).clip(LEAST, None))
    loss = float(losses.mean())
    assert loss == pytest.approx(sk.log_loss(y, clipped, labels=[0.0, 1.0]), rel=1e-4, abs=1e-14)
    few = min(y.sum(), (1 - y).sum()) < FEWEST
    found = {
        "log-loss": _mean(losses, loss, log=True, few=few),
        "calibration-gap": _mean(s - y, few=few),
    }
    flagged = s >= 0.5
    found["precision"] = book.share_of(y[flagged], ALPHA) if flagged.any() else book.Withheld("no row is flagged")
    found["recall"] = (
        book.share_of(flagged[y == 1].astype(float), ALPHA) if y.any() else book.Withheld("no row is positive")
    )
    if len(set(y)) < 2:
        return {**found, "auc": book.Withheld(ONE_CLASS), "pr-auc": book.Withheld(ONE_CLASS)}
    auc, area = float(sk.roc_auc_score(y, s)), float(sk.average_precision_score(y, s))
    perfect = "separate the classes" if auc in {0.0, 1.0} else ""
    return {**found, "auc": book.Withheld(perfect) if perfect else book.Right(auc), "pr-auc": _area(area)}


NONE = "no rows|too few rows|no row has|fewer than two units|not defined"


def _area(value: float) -> book.Answer:
    return book.Withheld("separate the classes perfectly") if value == 1 else book.Right(value)


def _mean(x: np.ndarray, value: float | None = None, *, log: bool = False, few: bool | None = None) -> book.Answer:
    """A mean with the range of a t whose degrees come from the kurtosis, none where they are few; ``value`` is a library's."""
    found = book.mean_of(x, ALPHA)
    if isinstance(found, book.Withheld):
        return book.Withheld(NONE)
    n, mean = len(x), found.value
    assert value is None or math.isclose(mean, value, rel_tol=1e-9, abs_tol=1e-12)
    if few or (found.error == 0 and few is None):
        return book.Right(mean) if few else found
    if found.error == 0:
        return book.Right(mean)
    kurtosis = float(stats.kurtosis(x, fisher=False)) * ((n - 1) / n) ** 2
    degrees = min(n - 1.0, 2 * n / (kurtosis - 1)) if kurtosis > 1 else n - 1.0
    if few is None and degrees < FEWEST:
        return book.Right(mean)
    half = float(stats.t.ppf(1 - ALPHA / 2, degrees)) * float(stats.sem(x))
    ends = (mean * math.exp(-half / mean), mean * math.exp(half / mean)) if log else (mean - half, mean + half)
    return book.Right(mean, found.error, *ends)


def pairs(case: Case, rows: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """This week's rows that both versions scored, in the same order."""
    now = rows[rows.week == 0]
    if case.kind != "ranker":
        now = now[now.label.notna() & now.score.notna()]
    live, base = (now[now.version == VERSIONS[case.versions][role]].set_index("id") for role in ("live", "baseline"))
    both = live.index.intersection(base.index)
    return live.loc[both], base.loc[both]


def by_segment(case: Case, rows: pd.DataFrame) -> dict[str, tuple[int, book.Answer, book.Answer, book.Answer]]:
    """Rows of this week, level, level of last week and difference to the baseline of the first measure in each segment."""
    measure = MEASURES[case.kind][0]
    live = rows[rows.version == VERSIONS[case.versions]["live"]]
    live = live[live.week < 2]
    counts = "label" not in live
    live = live if counts else live[live.label.notna() & live.score.notna()]
    ours, theirs = pairs(case, rows)
    found = {}
    for value, part in live.groupby(shown(live.g)):
        now, before = (measures_of(case, part[part.week == k])[measure] for k in (0, 1))
        own = ours.index[shown(ours.g) == value]
        gap = gap_of(case, measure, ours.loc[own], theirs.loc[own])
        found[str(value)] = (int((part.week == 0).sum()), now, before, gap)
    return found


def gap_of(case: Case, measure: str, ours: pd.DataFrame, theirs: pd.DataFrame) -> book.Answer:
    """Live less baseline on the same rows."""
    if case.kind == "ranker":
        gap = (ours[measure] - theirs[measure]).dropna().to_numpy(float)
        return book.mean_of(gap, ALPHA) if len(gap) else book.Withheld(NONE)
    one, other = (measures_of(case, side)[measure] for side in (ours, theirs))
    sure = isinstance(one, book.Right) and isinstance(other, book.Right)
    return book.Right(one.value - other.value) if sure else book.Withheld(NONE)  # type: ignore[union-attr]


def shown(values: pd.Series) -> pd.Series:
    """How a property's values are named: those who have none by a name of their own."""
    marks = {"": "''", " y": "' y'", "no value": "'no value'"}
    return values.map(lambda v: "no value" if v is None or v != v else marks.get(v, v)).astype(object)  # noqa: PLR0124  NaN
