"""Scores, labels, items and features as people have them: right by scikit-learn and scipy, or refused with the values found.

Each case is asked twice, by the queries of the page and by those of the second computation.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import ibis
import numpy as np
import pandas as pd
import pytest
from scipy import stats as scipy_stats
from scipy.spatial.distance import jensenshannon
from sklearn import metrics as sk

from gazette import monitoring
from gazette.errors import SourceError
from gazette.record import NotPublished
from gazette.sources import Period
from gazette.stats import Estimate
from gazette.workbench._measures import spread_of
from read_twice import read_twice
from small import scored_model

if TYPE_CHECKING:
    from pathlib import Path

    from gazette.params import Model

START, CUTOFF = datetime(2026, 11, 16), datetime(2026, 11, 23)  # noqa: DTZ001  the clock of editions is UTC without zone
VERSIONS = {"live": "2", "baseline": "1"}
ROWS = 2000
model = partial(scored_model, arrived="at", known="at")
AREAS = ("auc", "pr-auc", "log-loss", "calibration-gap")


def asked(
    place: Path, subject: Model, tables: dict[str, pd.DataFrame], *sql: str
) -> tuple[dict[str, pd.DataFrame], dict[str, Any]]:
    """The page's aggregates and the second computation's numbers; ``sql`` changes the tables first."""
    return read_twice(place, subject, tables, *sql, period=Period(START, CUTOFF, 2), versions=VERSIONS)


def scored(seed: int = 1, *, rows: int = ROWS) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A week of rows under two versions with their labels."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(-0.8, 1.5, rows)
    at = pd.Timestamp(START) + pd.to_timedelta(rng.uniform(0, 7 * 86400 - 1, rows).round(), unit="s")
    frames = [
        pd.DataFrame(
            {
                "id": np.arange(rows),
                "at": at,
                "version": version,
                "score": 1 / (1 + np.exp(-truth - rng.normal(0, noise, rows))),
            }
        )
        for version, noise in (("1", 1.0), ("2", 0.4))
    ]
    label = (rng.random(rows) < 1 / (1 + np.exp(-truth))).astype(int)
    return pd.concat(frames, ignore_index=True), pd.DataFrame({"id": np.arange(rows), "label": label, "at": at})


def oracle(label: pd.Series, score: pd.Series) -> dict[str, float]:
    return {
        "auc": sk.roc_auc_score(label, score),
        "pr-auc": sk.average_precision_score(label, score),
        "log-loss": sk.log_loss(label, score),
        "calibration-gap": float((score - label).mean()),
    }


def agree(first: dict[str, pd.DataFrame], second: dict[str, Any], expected: dict[str, float], n: int) -> None:
    """Both computations give these values of the live version."""
    weekly = first["weekly"]
    row = weekly[weekly["version"] == "2"].iloc[0]
    assert int(row["n"]) == n
    for measure, value in expected.items():
        assert row[measure.replace("-", "_")] == pytest.approx(value, rel=1e-9), measure
        assert second[measure] is not None, measure
        assert second[measure].value == pytest.approx(value, rel=1e-9), f"{measure}, second"


LACKING = {"null": "NULL", "nan": "'NaN'::DOUBLE", "infinite": "'-Infinity'::DOUBLE"}


@pytest.mark.parametrize("value", LACKING.values(), ids=LACKING)
def test_a_row_without_a_score_is_counted_and_not_scored(tmp_path: Path, value: str) -> None:
    p, y = scored()
    first, second = asked(
        tmp_path, model("classifier"), {"p": p, "y": y}, f"UPDATE p SET score = {value} WHERE id % 10 = 3"
    )
    kept = p[(p["version"] == "2") & (p["id"] % 10 != 3)].merge(y, on="id")
    agree(first, second, oracle(kept["label"], kept["score"]), len(kept))
    assert first["unscored"].to_dict("records") == [{"n": ROWS, "score": ROWS // 10}]
    assert first["curve"].groupby("version")["n"].sum().to_dict() == {"1": len(kept), "2": len(kept)}
    paired = first["paired"].iloc[0]
    both = kept.merge(p[p["version"] == "1"], on="id", suffixes=("", "_1"))
    gap = sk.roc_auc_score(both["label"], both["score"]) - sk.roc_auc_score(both["label"], both["score_1"])
    assert paired["auc"] == pytest.approx(gap, rel=1e-9)
    assert second["auc.vs-baseline"].value == pytest.approx(gap, rel=1e-9)


def test_a_score_written_as_text_is_read_and_an_empty_one_is_none(tmp_path: Path) -> None:
    p, y = scored()
    first, second = asked(
        tmp_path,
        model("classifier"),
        {"p": p, "y": y},
        "ALTER TABLE p ALTER score TYPE VARCHAR",
        "UPDATE p SET score = '' WHERE id % 10 = 3",
    )
    kept = p[(p["version"] == "2") & (p["id"] % 10 != 3)].merge(y, on="id")
    agree(first, second, oracle(kept["label"], kept["score"]), len(kept))


def test_a_label_without_a_value_is_an_outcome_that_is_not_known(tmp_path: Path) -> None:
    p, y = scored()
    first, second = asked(
        tmp_path,
        model("classifier"),
        {"p": p, "y": y},
        "ALTER TABLE y ALTER label TYPE DOUBLE",
        "UPDATE y SET label = 'NaN' WHERE id % 4 = 0",
    )
    kept = p[(p["version"] == "2") & (p["id"] % 4 != 0)].merge(y, on="id")
    agree(first, second, oracle(kept["label"], kept["score"]), len(kept))
    assert first["completeness"]["labelled"].tolist() == [len(kept)] * 2
    assert second["label-completeness"].value == pytest.approx(0.75)


WRITTEN = {
    "minus one and one": ("label * 2 - 1", 1),
    "text": ("if(label = 1, 'late', 'in time')", "late"),
    "truth values": ("label = 1", None),
    "real numbers": ("label::DOUBLE", None),
    "decimals": ("label::DECIMAL(5, 2)", None),
    "digits as text": ("label::VARCHAR", None),
    "the other way round": ("1 - label", 0),
    "false is what is sought": ("label = 0", False),
    "two and one": ("3 - label - 1", 1),
}


@pytest.mark.parametrize("written", WRITTEN)
def test_labels_mean_the_same_however_they_are_written(tmp_path: Path, written: str) -> None:
    p, y = scored()
    label, positive = WRITTEN[written]
    plan = model("classifier", labels={} if positive is None else {"positive": positive})
    first, second = asked(
        tmp_path, plan, {"p": p, "y": y}, f"CREATE OR REPLACE TABLE y AS SELECT * REPLACE ({label} AS label) FROM y"
    )
    kept = p[p["version"] == "2"].merge(y, on="id")
    agree(first, second, oracle(kept["label"], kept["score"]), ROWS)


REFUSED = {
    "minus one and one": ("label * 2 - 1", None, r"labels are not 0 and 1: found '-1' \(\d,\d{3} rows\), '1'"),
    "text": ("if(label = 1, 'late', 'in time')", None, "found 'in time' .* 'late' "),
    "another spelling": ("if(label = 1, 'Late', 'in time')", "late", "no label is 'late', .* found 'in time' .*'Late'"),
    "a third value": ("if(id % 9 = 0, 'unknown', if(label = 1, 'late', 'in time'))", "late", "more than two values"),
    "classes of many": ("id % 5", None, "labels are not 0 and 1"),
    "a truth value for text": ("if(label = 1, 'yes', 'no')", True, "labels.positive: True cannot be a value"),
    "days": ("DATE '2026-11-16' + label::INT", None, "type date, which names no classes"),
}


@pytest.mark.parametrize("written", REFUSED)
def test_labels_that_name_no_two_classes_are_refused_with_the_values_found(tmp_path: Path, written: str) -> None:
    p, y = scored()
    label, positive, reason = REFUSED[written]
    plan = model("classifier", labels={} if positive is None else {"positive": positive})
    with pytest.raises(SourceError, match=reason) as error:
        asked(
            tmp_path, plan, {"p": p, "y": y}, f"CREATE OR REPLACE TABLE y AS SELECT * REPLACE ({label} AS label) FROM y"
        )
    assert error.value.where == "params/models/m.yml"
    assert error.value.mend


def test_scores_that_are_no_probabilities_are_refused(tmp_path: Path) -> None:
    p, y = scored()
    with pytest.raises(SourceError, match=r"probabilities from 0 to 1: found -[\d.]+ to [\d.]+"):
        asked(tmp_path, model("classifier"), {"p": p.assign(score=np.log(p["score"] / (1 - p["score"]))), "y": y})


def test_truth_values_checked_by_hand_are_compared(tmp_path: Path) -> None:
    p, y = scored()
    before = p.assign(at=p["at"] - timedelta(days=7), id=p["id"] + ROWS)
    old = y.assign(at=y["at"] - timedelta(days=7), id=y["id"] + ROWS)
    y = pd.concat([y, old], ignore_index=True).assign(label=lambda t: t["label"] == 1)
    for audited in (None, "audited"):
        plan = model("classifier", labels={"audited": audited} if audited else {})
        checked = "if(id % 10 = 0, if(id % 100 = 0, NOT label, label), NULL)"
        first, _ = asked(
            tmp_path,
            plan,
            {"p": pd.concat([p, before]), "y": y},
            f"CREATE OR REPLACE TABLE y AS SELECT *, {checked} AS audited FROM y",
        )
        row = first["label_checks"].iloc[0]
        assert (row["n"], row["audited"], row["wrong"] if audited else 0) == (
            ROWS,
            *((ROWS // 10, ROWS // 100) if audited else (0, 0)),
        )


def test_scores_that_are_all_the_same_separate_nothing(tmp_path: Path) -> None:
    p, y = scored()
    p.loc[p["version"] == "2", "score"] = 0.3
    first, second = asked(tmp_path, model("classifier"), {"p": p, "y": y})
    agree(first, second, oracle(y["label"], pd.Series(0.3, index=y.index)), ROWS)
    row = first["weekly"].set_index("version").loc["2"]
    found = monitoring.level("auc", row["auc"], spread_of(dict(row), "auc"))
    assert isinstance(found, Estimate)
    assert (found.value, found.low, found.high) == (0.5, 0.5, 0.5)
    assert "every row has the same score" in found.method


@pytest.mark.parametrize(("turn", "words"), [(1, "perfectly"), (-1, "the wrong way round")])
def test_scores_that_separate_perfectly_say_which_way(turn: int, words: str) -> None:
    found = monitoring.level("auc", 0.5 + turn / 2, monitoring.Spread(100, 0.0))
    assert isinstance(found, NotPublished)
    assert words in found.reason


def test_ties_among_few_scores_count_half(tmp_path: Path) -> None:
    p, y = scored()
    p["score"] = (p["score"] * 4).round() / 4 * 0.98 + 0.01
    first, second = asked(tmp_path, model("classifier"), {"p": p, "y": y})
    kept = p[p["version"] == "2"].merge(y, on="id")
    agree(first, second, oracle(kept["label"], kept["score"]), ROWS)


def test_rows_loaded_twice_at_the_same_moment_with_other_values_count_once_and_always_the_same(tmp_path: Path) -> None:
    p, y = scored()
    again = p.assign(score=p["score"] / 2)
    for frames in ([p, again], [again, p]):
        first, second = asked(tmp_path, model("classifier"), {"p": pd.concat(frames), "y": pd.concat([y, y])})
        kept = again[again["version"] == "2"].merge(y, on="id")
        agree(first, second, oracle(kept["label"], kept["score"]), ROWS)


def test_rows_of_nobody_are_counted_and_left_out(tmp_path: Path) -> None:
    p, y = scored()
    first, second = asked(
        tmp_path,
        model("classifier"),
        {"p": p, "y": y},
        "UPDATE p SET id = NULL WHERE id % 20 = 1",
        "UPDATE p SET version = NULL WHERE id % 20 = 2",
    )
    kept = p[(p["version"] == "2") & ~(p["id"] % 20).isin([1, 2])].merge(y, on="id")
    agree(first, second, oracle(kept["label"], kept["score"]), len(kept))
    assert first["strays"].to_dict("records") == [{"n": 2 * ROWS, "strays": 2 * 2 * ROWS // 20}]
    volume = first["volume"].iloc[0]
    assert volume["rows"] == volume["different"] == len(kept)


def test_ids_are_compared_as_text_where_their_types_differ(tmp_path: Path) -> None:
    p, y = scored()
    first, second = asked(tmp_path, model("classifier"), {"p": p, "y": y}, "ALTER TABLE y ALTER id TYPE VARCHAR")
    kept = p[p["version"] == "2"].merge(y, on="id")
    agree(first, second, oracle(kept["label"], kept["score"]), ROWS)


def test_a_real_number_as_an_id_is_refused_by_name(tmp_path: Path) -> None:
    p, y = scored()
    with pytest.raises(SourceError, match=r"y\.id is a real number \(float64\) and p\.id is not \(int64\)"):
        asked(tmp_path, model("classifier"), {"p": p, "y": y}, "ALTER TABLE y ALTER id TYPE DOUBLE")


def test_a_regressor_leaves_out_what_has_no_value(tmp_path: Path) -> None:
    p, y = scored()
    y["label"] = y["label"] * 10.5 + 3
    first, second = asked(
        tmp_path,
        model("regressor"),
        {"p": p, "y": y},
        "UPDATE p SET score = 'Infinity' WHERE id % 10 = 3",
        "UPDATE y SET label = 'NaN' WHERE id % 10 = 4",
    )
    kept = p[(p["version"] == "2") & ~(p["id"] % 10).isin([3, 4])].merge(y, on="id")
    expected = {
        "mae": sk.mean_absolute_error(kept["label"], kept["score"]),
        "rmse": sk.root_mean_squared_error(kept["label"], kept["score"]),
        "bias": float((kept["score"] - kept["label"]).mean()),
    }
    agree(first, second, expected, len(kept))


def unread_age(rows: Any, _: Period, *, label: bool) -> Any:
    """Weeks as they are known now."""
    assert label
    return rows.mutate(aged=rows.version != "")


def last_of_each(rows: Any, keys: list[str], *order: str) -> Any:
    """The other end of what came."""
    turn = ibis.row_number().over(ibis.window(group_by=keys, order_by=[ibis.desc(c) for c in order]))
    return rows.mutate(turn=turn).filter(lambda t: t.turn == 0).drop("turn")


FAULTS: dict[str, tuple[str, Any, str]] = {
    "a missing score is nought": ("_measures.number", lambda c: c.cast("float64").fill_null(0.0), "auc"),
    "a missing outcome is a no": (
        "_measures.class_of",
        lambda c, _, **__: (c.cast("int64").fill_null(0), c.cast("string").fill_null("0")),
        "log-loss",
    ),
    "weeks are of unequal age": ("_classifier.at_one_age", unread_age, "auc.change"),
    "of rows loaded twice the last counts": ("_measures.first_of_each", last_of_each, "log-loss"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_reading_makes_the_second_computation_disagree(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    where, planted, named = FAULTS[fault]
    p, y = scored()
    p = pd.concat([p, p.assign(at=p["at"] - timedelta(days=7), id=p["id"] + ROWS)], ignore_index=True)
    again = p.sample(frac=0.2, random_state=1).assign(score=lambda t: t["score"] / 2)
    y = pd.concat([y, y.assign(id=y["id"] + ROWS, at=y["at"] - timedelta(days=7))], ignore_index=True)
    y["at"] += pd.to_timedelta(np.where(y["id"] % 3 == 0, 30 + y["label"] * 60, 0), unit="h")
    sql = [
        "UPDATE p SET score = NULL WHERE id % 10 = 3",
        "UPDATE y SET label = NULL WHERE id % 10 = 4",
    ]

    def both() -> tuple[float, float]:
        first, second = asked(tmp_path, model("classifier"), {"p": pd.concat([p, again]), "y": y}, *sql)
        live = first["weekly"][first["weekly"]["version"] == "2"].sort_values("week")
        measured = live[named.split(".")[0].replace("-", "_")].tolist()
        return measured[1] - (measured[0] if named.endswith(".change") else 0.0), second[named].value

    told, again_told = both()
    assert told == pytest.approx(again_told, rel=1e-9)
    monkeypatch.setattr(f"gazette.sources.{where}", planted)
    told, again_told = both()
    assert abs(told - again_told) > 1e-4


# ---- rankers

QUALITY = [
    {"metric": "ready", "column": "ready"},
    {"metric": "ndcg-5", "measure": "ndcg", "k": 5},
    {"metric": "precision-3", "measure": "precision", "k": 3},
]
ITEMS = {"table": "items", "request": "request", "version": "version", "rank": "rank", "relevance": "relevance"}
ranker = partial(model, "ranker", scores={"quality": QUALITY, "items": ITEMS})


def ranked(requests: int = 200, depth: int = 8) -> tuple[dict[str, pd.DataFrame], np.ndarray]:
    """Requests under two versions, the live one's relevances as they were ranked."""
    rng = np.random.default_rng(3)
    at = pd.Timestamp(START) + pd.to_timedelta(np.arange(requests) * 45, unit="m")
    p, items, relevance = [], [], np.zeros((requests, depth))
    for version in ("1", "2"):
        relevance = rng.integers(0, 4, (requests, depth)) * (rng.random((requests, depth)) < 0.5)
        ready = rng.random(requests)
        p.append(pd.DataFrame({"id": np.arange(requests), "at": at, "version": version, "ready": ready}))
        places = {"request": np.repeat(np.arange(requests), depth), "rank": np.tile(np.arange(1, depth + 1), requests)}
        items.append(pd.DataFrame({**places, "version": version, "relevance": relevance.ravel()}))
    return {"p": pd.concat(p, ignore_index=True), "items": pd.concat(items, ignore_index=True)}, relevance


def ndcg(relevance: np.ndarray) -> np.ndarray:
    order = [np.arange(relevance.shape[1], 0, -1)]
    return np.array([sk.ndcg_score([row], order, k=5) for row in relevance])


def test_requests_without_a_score_count_only_against_the_measure_that_lacks_it(tmp_path: Path) -> None:
    tables, relevance = ranked()
    first, second = asked(
        tmp_path,
        ranker(),
        tables,
        "UPDATE p SET ready = 'NaN' WHERE id % 10 = 3",
        "DELETE FROM items WHERE request % 10 = 4",
        "ALTER TABLE items ALTER relevance TYPE DOUBLE",
        "UPDATE items SET relevance = NULL WHERE request % 10 = 5 AND rank = 2",
    )
    p = tables["p"]
    id_ = np.arange(len(relevance))
    kept = ~np.isin(id_ % 10, [4, 5])
    ready = p[(p["version"] == "2") & (p["id"] % 10 != 3)]["ready"]
    values = {"ready": ready, "ndcg-5": ndcg(relevance)[kept], "precision-3": (relevance > 0)[kept, :3].mean(axis=1)}
    agree(first, second, {m: float(np.mean(v)) for m, v in values.items()}, len(relevance))
    row = first["weekly"].set_index("version").loc["2"]
    for measure, value in values.items():
        column = measure.replace("-", "_")
        assert row[f"{column}_n"] == len(value)
        assert row[f"{column}_var"] == pytest.approx(np.var(value, ddof=1), rel=1e-9)
        half = scipy_stats.sem(value) * scipy_stats.t.ppf(0.975, len(value) - 1)
        assert second[measure].high - second[measure].value == pytest.approx(half, rel=1e-6)
    assert first["unscored"].to_dict("records") == [{"n": 200, "ready": 20, "ndcg_5": 40, "precision_3": 40}]
    wide = p[p["id"] % 10 != 3].pivot_table(index="id", columns="version", values="ready")
    assert first["paired"].iloc[0]["ready"] == pytest.approx((wide["2"] - wide["1"]).mean(), rel=1e-9)
    assert second["ready.vs-baseline"].value == pytest.approx((wide["2"] - wide["1"]).mean(), rel=1e-9)


def test_one_side_of_a_pair_without_a_score_leaves_out_the_pair(tmp_path: Path) -> None:
    tables, _ = ranked()
    first, second = asked(tmp_path, ranker(), tables, "UPDATE p SET ready = NULL WHERE version = '1' AND id % 3 = 0")
    p = tables["p"]
    wide = p[p["id"] % 3 != 0].pivot_table(index="id", columns="version", values="ready")
    gap = wide["2"] - wide["1"]
    row = first["paired"].iloc[0]
    assert row["ready"] == pytest.approx(gap.mean(), rel=1e-9)
    assert (row["ready_n"], row["n"]) == (len(gap), 200)
    assert second["ready.vs-baseline"].value == pytest.approx(gap.mean(), rel=1e-9)
    half = scipy_stats.sem(gap) * scipy_stats.t.ppf(0.975, len(gap) - 1)
    assert second["ready.vs-baseline"].high - gap.mean() == pytest.approx(half, rel=1e-6)


def test_items_loaded_twice_count_once(tmp_path: Path) -> None:
    tables, relevance = ranked()
    tables["items"] = pd.concat([tables["items"], tables["items"].iloc[::3]])
    first, second = asked(tmp_path, ranker(), tables)
    agree(
        first,
        second,
        {"ndcg-5": ndcg(relevance).mean(), "precision-3": (relevance > 0)[:, :3].mean()},
        len(relevance),
    )


BAD_ITEMS = {
    "negative relevance": ("relevance = relevance - 1", "relevance must be 0 or more, and .* have less"),
    "ranks from nought": ("rank = rank - 1", "ranks start at 1, and the lowest found is 0"),
    "two at one rank": ("rank = 1 + rank // 3", "share their rank with another one"),
}


@pytest.mark.parametrize("fault", BAD_ITEMS)
def test_items_that_have_no_gain_are_refused_with_the_reason(tmp_path: Path, fault: str) -> None:
    tables, _ = ranked()
    change, reason = BAD_ITEMS[fault]
    with pytest.raises(SourceError, match=reason):
        asked(tmp_path, ranker(), tables, f"UPDATE items SET {change}")


# ---- features


def drift_of(place: Path, before: np.ndarray, during: np.ndarray, *sql: str) -> tuple[Any, pd.Series, pd.DataFrame]:
    """What the page would say of a feature that had these values in training and in the week."""
    p, y = scored(rows=len(during))
    old = pd.Timestamp("2026-01-05") + pd.to_timedelta(np.arange(len(before)), unit="m")
    frames = [
        pd.DataFrame({"id": np.arange(len(before)) + 10**6, "at": old, "x": before}),
        pd.DataFrame({"id": np.arange(len(during)), "at": p[p["version"] == "2"]["at"].to_numpy(), "x": during}),
    ]
    features = {
        "table": "f",
        "id": "id",
        "time": "at",
        "arrived": "at",
        "columns": {"x": {} if before.dtype.kind == "U" else {"low": -100.0, "high": 100.0}},
        "trained_from": "2026-01-05",
        "trained_until": "2026-02-01",
    }
    plan = model("classifier", features=features)
    first, _ = asked(place, plan, {"p": p, "y": y, "f": pd.concat(frames)}, *sql)
    counted = first["drift"].pivot_table(index="bin", columns="part", values="n", fill_value=0)
    counted = counted.reindex(columns=["training", "week"], fill_value=0)
    ks = float(first["drift_ks"]["ks"].iloc[0]) if "drift_ks" in first else None
    found = monitoring.drift(counted["training"].astype(int).tolist(), counted["week"].astype(int).tolist(), ks=ks)
    return found, first["feature_checks"].iloc[0], counted


def test_each_value_that_holds_a_tenth_is_a_bin_of_its_own(tmp_path: Path) -> None:
    before, during = np.repeat([1.0, 0.0], [1900, 100]), np.repeat([1.0, 0.0], [100, 1900])
    found, _, _ = drift_of(tmp_path, before, during)
    shares = [0.95, 0.05], [0.05, 0.95]
    assert found.js == pytest.approx(jensenshannon(*shares, base=2))
    assert found.js == pytest.approx(0.845, abs=5e-4)
    expected = sum(scipy_stats.entropy(a, b) for a, b in (shares, shares[::-1]))  # PSI is Jeffreys' divergence
    assert found.psi == pytest.approx(expected)
    assert found.psi == pytest.approx(5.30, abs=5e-3)
    assert found.ks == pytest.approx(scipy_stats.ks_2samp(before, during).statistic)


@pytest.mark.parametrize("to", [1.0, 9.0])
def test_a_constant_that_becomes_another_one_has_no_overlap(tmp_path: Path, to: float) -> None:
    found, _, _ = drift_of(tmp_path, np.full(2000, 5.0), np.full(500, to))
    assert (found.js, found.ks) == (1.0, 1.0)
    assert found.chance < 1e-9


def test_a_feature_that_is_mostly_nought_keeps_nought_apart(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    before = np.where(rng.random(4000) < 0.7, 0.0, rng.gamma(2, 3, 4000))
    during = np.where(rng.random(2000) < 0.3, 0.0, np.where(rng.random(2000) < 0.3, -1.0, rng.gamma(2, 3, 2000)))
    found, _, counted = drift_of(tmp_path, before, during)
    nought = counted.loc["=0"]
    assert (nought["training"], nought["week"]) == ((before == 0).sum(), (during == 0).sum())
    assert counted.loc["0", "week"] == (during < 0).sum()
    assert counted.sum().tolist() == [4000, 2000]
    assert found.js > 0.3


def test_values_of_exactly_a_tenth_each_are_ten_bins(tmp_path: Path) -> None:
    before = np.repeat(np.arange(10.0), 100)
    rng = np.random.default_rng(4)
    during = rng.integers(0, 10, 1000).astype(float)
    found, _, counted = drift_of(tmp_path, before, during)
    shares = np.bincount(during.astype(int), minlength=10) / 1000
    assert found.js == pytest.approx(jensenshannon(np.full(10, 0.1), shares, base=2))
    assert len(counted) == 10


def test_a_new_category_counts_with_the_others(tmp_path: Path) -> None:
    before, during = np.repeat(["a", "b"], 1000), np.repeat(["a", "b", "c"], [500, 500, 1000])
    found, _, _ = drift_of(tmp_path, before, during)
    assert found.js == pytest.approx(jensenshannon([0.5, 0.5, 0], [0.25, 0.25, 0.5], base=2))


def test_a_feature_that_is_no_number_is_missing_and_not_out_of_range(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    before, during = rng.normal(0, 1, 2000), rng.normal(0, 1, 1000)
    during[::10] = np.nan
    found, row, counted = drift_of(tmp_path, before, during, "UPDATE f SET x = 'NaN' WHERE isnan(x) OR x IS NULL")
    assert (row["n"], row["x__missing"], row["x__outside"]) == (1000, 100, 0)
    assert counted["week"].sum() == 900
    kept = during[~np.isnan(during)]
    assert found.ks == pytest.approx(scipy_stats.ks_2samp(before, kept).statistic)
    assert found.n == 900
