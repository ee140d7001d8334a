"""Weeks are compared with their outcomes at the same age, by both computations, as pandas and scikit-learn count them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sk

from gazette.sources import Period
from read_twice import read_twice
from small import scored_model

if TYPE_CHECKING:
    from pathlib import Path

    from gazette.params import Model

START, CUTOFF = datetime(2026, 11, 16), datetime(2026, 11, 23, 6)  # noqa: DTZ001  the clock of editions is UTC without zone
VERSIONS = {"live": "2", "baseline": "1"}
WEEKS = 3
WEEK = timedelta(days=7)


def asked(place: Path, subject: Model, **tables: pd.DataFrame) -> tuple[dict[str, pd.DataFrame], dict[str, Any]]:
    return read_twice(place, subject, tables, period=Period(START, CUTOFF, WEEKS), versions=VERSIONS)


def scored() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Weeks in which the outcomes that come late are those that the model gets wrong."""
    rng = np.random.default_rng(7)
    n = 4500
    at = pd.Timestamp(START) - (WEEKS - 1) * WEEK
    at = at + pd.to_timedelta(rng.uniform(0, WEEKS * 7 * 86400 - 1, n).round(), unit="s")
    truth = rng.normal(0, 1, n)
    label = (rng.random(n) < 1 / (1 + np.exp(-truth))).astype(int)
    slow = np.where((truth > 0) == (label == 1), 20, 90)  # hours
    known = at + pd.to_timedelta(rng.exponential(slow * 3600).round(), unit="s")
    frames = []
    for version, noise in (("1", 1.0), ("2", 0.5)):
        loaded = at + pd.to_timedelta(rng.exponential(7200, n).round(), unit="s")
        score = 1 / (1 + np.exp(-truth - rng.normal(0, noise, n)))
        frames.append(
            pd.DataFrame({"id": np.arange(n), "at": at, "loaded": loaded, "version": version, "score": score})
        )
    return pd.concat(frames, ignore_index=True), pd.DataFrame({"id": np.arange(n), "label": label, "known": known})


def auc(p: pd.DataFrame, y: pd.DataFrame, back: int, until: datetime) -> tuple[float, int]:
    """Of the live version in a week, with what had arrived until then."""
    start = START - back * WEEK
    rows = p[(p["version"] == "2") & (p["at"] >= start) & (p["at"] < start + WEEK) & (p["loaded"] < until)]
    rows = rows.merge(y[y["known"] < until], on="id")
    return float(sk.roc_auc_score(rows["label"], rows["score"])), len(rows)


def test_each_week_is_as_it_was_known_when_it_was_as_old_as_this_one(tmp_path: Path) -> None:
    p, y = scored()
    first, second = asked(tmp_path, scored_model("classifier", arrived="loaded", known="known"), p=p, y=y)
    weekly = first["weekly"].set_index(["week", "version"])
    levels = []
    for back in range(WEEKS):
        value, n = auc(p, y, back, CUTOFF - back * WEEK)
        row = weekly.loc[(pd.Timestamp(START) - back * WEEK, "2")]
        assert row["auc"] == pytest.approx(value, rel=1e-9)
        assert row["n"] == n
        levels.append(value)
    assert second["auc.change"].value == pytest.approx(levels[0] - levels[1], rel=1e-9)
    matured = auc(p, y, 0, CUTOFF)[0] - auc(p, y, 1, CUTOFF)[0]
    assert abs(second["auc.change"].value - matured) > 0.01, "the two ways of comparing would tell readers other things"
    assert first["completeness"]["aged"].tolist() == [1] * 2 * WEEKS


def test_a_week_that_was_loaded_later_all_at_once_stays_as_it_is_known_now(tmp_path: Path) -> None:
    p, y = scored()
    last = p["at"].between(pd.Timestamp(START) - WEEK, pd.Timestamp(START), inclusive="left")
    y.loc[y["id"].isin(p[last]["id"]), "known"] = pd.Timestamp(CUTOFF) - timedelta(hours=2)
    first, second = asked(tmp_path, scored_model("classifier", arrived="loaded", known="known"), p=p, y=y)
    weekly = first["weekly"].set_index(["week", "version"])
    value, n = auc(p, y, 1, CUTOFF)
    row = weekly.loc[(pd.Timestamp(START) - WEEK, "2")]
    assert row["auc"] == pytest.approx(value, rel=1e-9)
    assert row["n"] == n
    assert second["auc.change"].value == pytest.approx(auc(p, y, 0, CUTOFF)[0] - value, rel=1e-9)
    aged = first["completeness"].groupby("week")["aged"].max()
    assert aged.tolist() == [1, 0, 1]


def test_a_rankers_late_rows_are_left_out_of_earlier_weeks_too(tmp_path: Path) -> None:
    p, _ = scored()
    subject = scored_model(
        "ranker", arrived="loaded", known="", scores={"quality": [{"metric": "ndcg-5", "column": "score"}]}
    )
    first, second = asked(tmp_path, subject, p=p)
    weekly = first["weekly"].set_index(["week", "version"])
    means = []
    for back in range(2):
        start, until = START - back * WEEK, CUTOFF - back * WEEK
        rows = p[(p["version"] == "2") & (p["at"] >= start) & (p["at"] < start + WEEK) & (p["loaded"] < until)]
        assert weekly.loc[(pd.Timestamp(start), "2")]["ndcg_5"] == pytest.approx(rows["score"].mean(), rel=1e-9)
        means.append(rows["score"].mean())
    assert second["ndcg-5.change"].value == pytest.approx(means[0] - means[1], rel=1e-9)
