"""Measures of models, from DuckDB through the real queries: against scikit-learn, in simulation, on awkward data."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pandas as pd
import pytest
from scipy import stats as scipy_stats
from sklearn import metrics as sk
from statsmodels import api as sm

from gazette import monitoring
from gazette.record import NotPublished
from gazette.sources import Period, Warehouse, model_answers
from gazette.stats import Estimate
from gazette.workbench._measures import spread_of
from small import scored_model

if TYPE_CHECKING:
    from pathlib import Path

    from gazette.params import Model

START, CUTOFF = datetime(2026, 11, 16), datetime(2026, 11, 23)  # noqa: DTZ001  the clock of editions is UTC without zone
VERSIONS = {"live": "2", "baseline": "1"}
model = partial(scored_model, arrived="at", known="at", segments=("g",))


def ask(place: Path, subject: Model, **tables: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Load the tables and run the model's queries."""
    path = place / "w.duckdb"
    path.unlink(missing_ok=True)
    with duckdb.connect(str(path)) as connection:
        for name, frame in tables.items():
            connection.register("frame", frame)
            connection.execute(f"CREATE TABLE {name} AS SELECT * FROM frame")
    with Warehouse(f"duckdb://{path.name}", project=place) as warehouse:
        found = model_answers(warehouse, subject, Period(START, CUTOFF, 2), VERSIONS)
    return {a.name: a.table.to_pandas(date_as_object=False) for a in found}


def predictions(groups: int, rows: int, seed: int, *, digits: int = 2) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows of ``groups`` segments, scored by two versions; the label has the probability of its own latent score."""
    rng = np.random.default_rng(seed)
    n = groups * rows
    truth = 1 / (1 + np.exp(-rng.normal(-0.8, 1.0, n)))
    label = (rng.random(n) < truth).astype(int)
    at = pd.Timestamp(START) + pd.to_timedelta(rng.uniform(0, 7 * 86400 - 1, n).round(), unit="s")
    frames = []
    for version, noise in (("1", 0.9), ("2", 0.5)):
        score = 1 / (1 + np.exp(-(np.log(truth / (1 - truth)) + rng.normal(0, noise, n))))
        frames.append(
            pd.DataFrame(
                {
                    "id": np.arange(n),
                    "at": at,
                    "version": version,
                    "score": score.round(digits),
                    "g": np.arange(n) // rows,
                }
            )
        )
    return pd.concat(frames), pd.DataFrame({"id": np.arange(n), "label": label, "at": at})


def test_a_classifier_agrees_with_scikit_learn(tmp_path: Path) -> None:
    p, y = predictions(4, 400, 1)
    found = ask(tmp_path, model("classifier", scores={"threshold": 0.4}), p=p, y=y)
    both = p.merge(y[["id", "label"]], on="id")
    checked = 0
    rows = [({"version": r["version"]}, r) for r in found["weekly"].to_dict("records")]
    rows += [({"version": r["version"], "g": int(r["of"])}, r) for r in found["segments"].to_dict("records")]
    for where, row in rows:
        mine = both
        for column, value in where.items():
            mine = mine[mine[column] == value]
        label, score = mine["label"], mine["score"]
        flagged = score >= 0.4
        expected = {
            "auc": sk.roc_auc_score(label, score),
            "pr_auc": sk.average_precision_score(label, score),
            "log_loss": sk.log_loss(label, score.clip(1e-15, 1 - 1e-15)),
            "calibration_gap": (score - label).mean(),
            "precision": sk.precision_score(label, flagged),
            "recall": sk.recall_score(label, flagged),
        }
        for name, value in expected.items():
            assert row[name] == pytest.approx(value, abs=1e-9), name
            checked += 1
    assert checked == 6 * (2 + 8)
    difference = found["paired"].to_dict("records")[0]
    by = {v: both[both["version"] == v] for v in ("1", "2")}
    expected_gap = [sk.average_precision_score(by[v]["label"], by[v]["score"]) for v in ("2", "1")]
    assert difference["pr_auc"] == pytest.approx(expected_gap[0] - expected_gap[1], abs=1e-9)


def test_a_regressor_agrees_with_scikit_learn(tmp_path: Path) -> None:
    p, y = predictions(2, 300, 2)
    y["label"] = y["label"] * 10.5 + 3
    found = ask(tmp_path, model("regressor"), p=p, y=y)["weekly"].to_dict("records")
    for row in found:
        mine = p[p["version"] == row["version"]].merge(y[["id", "label"]], on="id")
        assert row["mae"] == pytest.approx(sk.mean_absolute_error(mine["label"], mine["score"]), abs=1e-9)
        assert row["rmse"] == pytest.approx(sk.root_mean_squared_error(mine["label"], mine["score"]), abs=1e-9)
        assert row["bias"] == pytest.approx((mine["score"] - mine["label"]).mean(), abs=1e-9)
    assert len(found) == 2


def ranked_items(requests: int, seed: int, depth: int = 8) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, np.ndarray]]:
    rng = np.random.default_rng(seed)
    at = pd.Timestamp(START) + pd.to_timedelta(np.arange(requests), unit="m")
    p, items, relevance = [], [], {}
    for version in ("1", "2"):
        relevance[version] = rng.integers(0, 4, (requests, depth)) * (rng.random((requests, depth)) < 0.5)
        p.append(pd.DataFrame({"id": np.arange(requests), "at": at, "version": version, "g": "x"}))
        items.append(
            pd.DataFrame(
                {
                    "request": np.repeat(np.arange(requests), depth),
                    "version": version,
                    "rank": np.tile(np.arange(1, depth + 1), requests),
                    "relevance": relevance[version].ravel(),
                }
            )
        )
    return pd.concat(p), pd.concat(items), relevance


def test_ndcg_and_precision_at_k_from_items_agree_with_scikit_learn(tmp_path: Path) -> None:
    p, items, relevance = ranked_items(200, 3)
    scores = {
        "items": {
            "table": "items",
            "request": "request",
            "version": "version",
            "rank": "rank",
            "relevance": "relevance",
        },
        "quality": [
            {"metric": "ndcg-5", "measure": "ndcg", "k": 5},
            {"metric": "precision-3", "measure": "precision", "k": 3},
        ],
    }
    found = ask(tmp_path, model("ranker", scores=scores), p=p, items=items)["weekly"].to_dict("records")
    assert len(found) == 2
    for row in found:
        truth = relevance[row["version"]]
        order = np.tile(np.arange(truth.shape[1], 0, -1), (len(truth), 1))
        assert row["ndcg_5"] == pytest.approx(sk.ndcg_score(truth, order, k=5), abs=1e-9)
        assert row["precision_3"] == pytest.approx((truth[:, :3] > 0).mean(), abs=1e-9)


def level_of(row: dict[str, Any], measure: str) -> Estimate | monitoring.Bare | NotPublished:
    users = spread_of(row, measure)
    if measure in {"precision", "recall"}:
        of = row["flagged"] if measure == "precision" else row["positive"]
        return monitoring.share(int(row["caught"]), int(of), "there", clustered=users if "units" in row else None)
    return monitoring.level(measure, row[measure.replace("-", "_")], users)


def gap_of(row: dict[str, Any], measure: str) -> Estimate | NotPublished:
    return monitoring.difference(row[measure.replace("-", "_")], spread_of(row, measure))


def test_intervals_cover_their_truth_in_93_to_97_of_100_simulations(tmp_path: Path) -> None:
    """1000 segments are 1000 simulations; the truth is what all of their rows together show.

    An interval of 95 % leaves these bounds by chance in 4 of 1000 runs, one of 92 % stays within them in 12 of 100; with the fixed seed
    chance has no part in it. bench/intervals.py has the long form.
    """
    groups = 1000
    p, y = predictions(groups, 250, 5, digits=6)
    subject = model("classifier", scores={"threshold": 0.4})
    found = ask(tmp_path, subject, p=p, y=y)
    whole = {r["version"]: r for r in found["weekly"].to_dict("records")}
    segments = [r for r in found["segments"].to_dict("records") if r["version"] == "2"]
    assert len(segments) == groups
    for measure in subject.measures:
        truth = whole["2"][measure.replace("-", "_")]
        levels = [level_of(r, measure) for r in segments]
        hits = sum(isinstance(e, Estimate) and e.low <= truth <= e.high for e in levels)
        assert 0.93 <= hits / groups <= 0.97, measure
        column = measure.replace("-", "_")
        gap = whole["2"][column] - whole["1"][column]
        paired = [gap_of(r, measure) for r in found["segments_paired"].to_dict("records")]
        hits = sum(isinstance(e, Estimate) and e.low <= gap <= e.high for e in paired)
        assert 0.93 <= hits / groups <= 0.97, f"{measure}, paired"


def test_intervals_of_a_regressor_cover_as_well(tmp_path: Path) -> None:
    groups = 1000
    p, y = predictions(groups, 200, 12, digits=6)
    y["label"] = y["label"].astype(float)
    found = ask(tmp_path, model("regressor"), p=p, y=y)
    whole = {r["version"]: r for r in found["weekly"].to_dict("records")}
    for measure in ("mae", "rmse", "bias"):
        levels = [level_of(r, measure) for r in found["segments"].to_dict("records") if r["version"] == "2"]
        truth, gap = whole["2"][measure], whole["2"][measure] - whole["1"][measure]
        hits = sum(isinstance(e, Estimate) and e.low <= truth <= e.high for e in levels)
        assert 0.93 <= hits / groups <= 0.97, measure
        paired = [gap_of(r, measure) for r in found["segments_paired"].to_dict("records")]
        hits = sum(isinstance(e, Estimate) and e.low <= gap <= e.high for e in paired)
        assert 0.93 <= hits / groups <= 0.97, f"{measure}, paired"


def test_where_rows_repeat_users_variances_are_those_of_users(tmp_path: Path) -> None:
    """As statsmodels clusters them, and as leaving out one user after the other tells (the jackknife)."""
    rng, users = np.random.default_rng(4), 60
    who = np.repeat(np.arange(users), rng.integers(1, 20, users))
    n, of_user = len(who), rng.normal(-0.5, 1.3, users)[who]
    label = (rng.random(n) < 1 / (1 + np.exp(-of_user))).astype(int)
    p, _ = predictions(1, n, 4, digits=6)
    noise = np.where(p["version"] == "2", 0.5, 0.9) * rng.normal(0, 1, 2 * n)
    p = p.assign(score=1 / (1 + np.exp(-(np.tile(of_user, 2) + noise))), who=np.tile(who, 2))
    y = pd.DataFrame({"id": np.arange(n), "label": label, "at": p["at"].to_numpy()[:n]})
    found = ask(tmp_path, model("classifier", scores={"threshold": 0.4, "unit": "who"}), p=p, y=y)
    row = next(r for r in found["weekly"].to_dict("records") if r["version"] == "2")
    score = p[p["version"] == "2"]["score"].to_numpy()
    loss = -np.log(np.where(label == 1, score, 1 - score))
    fit = sm.OLS(loss, np.ones(n)).fit(cov_type="cluster", cov_kwds={"groups": who})
    spread = spread_of(row, "log-loss")
    assert (spread.who, spread.size, spread.n) == ("users", users, n)
    assert spread.error == pytest.approx(float(fit.bse[0]), rel=1e-9)
    ones = [label[who == u] for u in range(users)]
    assert spread.classes == (sum(o.any() for o in ones), sum(not o.all() for o in ones))
    other, pair = p[p["version"] == "1"]["score"].to_numpy(), found["paired"].to_dict("records")[0]
    for measure, value in (("auc", sk.roc_auc_score), ("pr-auc", sk.average_precision_score)):
        kept = [who != u for u in range(users)]
        for seen, line in (([score], row), ([score, other], pair)):
            values = [
                np.subtract(*[value(label[k], s[k]) for s in (seen * 2)[:2]])
                if len(seen) > 1
                else value(label[k], score[k])
                for k in kept
            ]
            jackknife = np.sqrt((users - 1) / users * ((values - np.mean(values)) ** 2).sum())
            assert spread_of(line, measure).error == pytest.approx(jackknife, rel=0.12), measure
    for measure in ("precision", "recall"):
        wide = level_of(row, measure)
        assert isinstance(wide, Estimate)
        by_rows = monitoring.share(int(row["caught"]), wide.n, "there")
        assert isinstance(by_rows, Estimate)
        assert wide.high - wide.low > by_rows.high - by_rows.low


def test_a_paired_difference_is_narrower_than_one_of_independent_samples(tmp_path: Path) -> None:
    p, y = predictions(1, 3000, 6)
    found = ask(tmp_path, model("classifier"), p=p, y=y)
    row = found["paired"].to_dict("records")[0]
    paired = gap_of(row, "auc")
    now, before = (level_of(r, "auc") for r in found["weekly"].to_dict("records"))
    apart = monitoring.independent_difference(now, before)
    assert isinstance(paired, Estimate)
    assert isinstance(apart, Estimate)
    assert paired.standard_error < 0.8 * apart.standard_error


def test_one_class_only_in_a_segment_is_said_and_harms_no_other(tmp_path: Path) -> None:
    p, y = predictions(3, 200, 7)
    y.loc[y["id"] < 200, "label"] = 0
    found = ask(tmp_path, model("classifier", scores={"threshold": 0.4}), p=p, y=y)
    rows = {r["of"]: r for r in found["segments"].to_dict("records") if r["version"] == "2"}
    alone = level_of(rows["0"], "auc")
    assert isinstance(alone, NotPublished)
    assert "one class only" in alone.reason
    assert isinstance(level_of(rows["0"], "recall"), NotPublished)
    assert isinstance(level_of(rows["1"], "auc"), Estimate)
    assert not found["segments_paired"].set_index("of")["auc"].drop("0").isna().any()


def test_a_row_that_was_loaded_twice_counts_once(tmp_path: Path) -> None:
    p, y = predictions(1, 200, 8)
    once = ask(tmp_path, model("classifier"), p=p, y=y)
    twice = ask(tmp_path, model("classifier"), p=pd.concat([p, p]), y=pd.concat([y, y]))
    pd.testing.assert_frame_equal(once["weekly"], twice["weekly"])
    assert twice["volume"]["rows"].tolist() == [400]
    assert twice["volume"]["different"].tolist() == [200]


@pytest.mark.parametrize("missing", ["scores", "labels"])
def test_a_model_never_scored_or_without_outcomes_gives_empty_answers(tmp_path: Path, missing: str) -> None:
    p, y = predictions(1, 50, 9)
    p, y = (p.iloc[:0], y) if missing == "scores" else (p, y.iloc[:0])
    found = ask(tmp_path, model("classifier", scores={"threshold": 0.4}), p=p, y=y)
    assert found["weekly"].empty
    assert found["paired"].empty
    assert found["days"].empty == (missing == "scores")


def test_drift_agrees_with_scipy_on_the_rows(tmp_path: Path) -> None:
    rng = np.random.default_rng(10)
    p, y = predictions(1, 1500, 11)
    before = pd.DataFrame(
        {
            "id": np.arange(10_000, 14_000),
            "at": pd.Timestamp("2026-01-05") + pd.to_timedelta(np.arange(4000), unit="m"),
            "x": rng.normal(0, 1, 4000).round(1),
            "word": rng.choice(["a", "b", "c"], 4000, p=[0.6, 0.3, 0.1]),
        }
    )
    during = pd.DataFrame(
        {
            "id": np.arange(1500),
            "at": p[p["version"] == "2"]["at"].to_numpy(),
            "x": rng.normal(0.5, 1, 1500).round(1),
            "word": rng.choice(["a", "b", "d"], 1500, p=[0.5, 0.3, 0.2]),
        }
    )
    features = {
        "table": "f",
        "id": "id",
        "time": "at",
        "arrived": "at",
        "columns": {"x": {"low": -2.0, "high": 3.0}, "word": {}},
        "trained_from": "2026-01-05",
        "trained_until": "2026-02-01",
    }
    found = ask(tmp_path, model("classifier", features=features), p=p, y=y, f=pd.concat([before, during]))
    ks = found["drift_ks"].set_index("feature")["ks"]
    assert ks["x"] == pytest.approx(scipy_stats.ks_2samp(before["x"], during["x"]).statistic, abs=1e-9)
    words = found["drift"][found["drift"]["feature"] == "word"].pivot_table(index="bin", columns="part", values="n")
    assert words.loc["c", "training"] == (before["word"] == "c").sum()
    assert words.loc["(other)", "week"] == (during["word"] == "d").sum()
    bins = found["drift"][found["drift"]["feature"] == "x"].pivot_table(index="bin", columns="part", values="n")
    assert bins.sum().to_dict() == {"training": 4000, "week": 1500}
    row = found["feature_checks"].iloc[0]
    assert row["x__outside"] == ((during["x"] < -2) | (during["x"] > 3)).sum()
