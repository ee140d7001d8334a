"""The second computation from real tables: against the first for experiments, against scikit-learn for models."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sk

from gazette import monitoring, stats
from gazette.params import Experiment, Metric, Model
from gazette.recompute import ask
from gazette.recompute._arithmetic import Second
from gazette.recompute._ask import query_of
from gazette.recompute._business import seconds as business_seconds
from gazette.recompute._experiment import seconds as experiment_seconds
from gazette.recompute._model import seconds as model_seconds
from gazette.recompute._ordered import bounds
from gazette.record import NotPublished, TakenLook
from gazette.sources import Period, Warehouse, _quantiles, column_of, experiment_answers, model_answers
from gazette.stats import Estimate, mean
from gazette.workbench._answers import moments, ordered
from gazette.workbench._measures import spread_of
from gazette.workbench._reading import Reading
from gazette.workbench._skewed import held_by_largest
from small import scored_model

START, CUTOFF = datetime(2026, 11, 16), datetime(2026, 11, 23)  # noqa: DTZ001  the clock of editions is UTC without zone
VERSIONS = {"live": "2", "baseline": "1"}
FACT = {"table": "events", "unit": "user", "time": "at", "arrived": "loaded"}


def metric(**more: Any) -> Metric:
    changelog = [{"version": 1, "date": date(2026, 1, 5), "author": "o", "change": "First."}]
    base = {"title": "T", "owner": "o", "definition": "d", "unit": "number", "direction": "higher"}
    return Metric.model_validate({**base, "changelog": changelog, **more})


METRICS = {
    "bought": metric(
        unit="fraction", fact={**FACT, "aggregation": "any", "where": [{"column": "kind", "equals": "buy"}]}
    ),
    "clicks": metric(fact={**FACT, "aggregation": "count"}),
    "spend": metric(fact={**FACT, "value": "value", "aggregation": "sum"}),
    "capped": metric(fact={**FACT, "value": "value", "aggregation": "sum"}, cap=60.0),
    "trimmed": metric(fact={**FACT, "value": "value", "aggregation": "sum"}, cap_quantile=0.9),
    "seldom": metric(
        fact={**FACT, "value": "value", "aggregation": "sum", "where": [{"column": "kind", "equals": "buy"}]},
        cap_quantile=0.3,
    ),
    "adjusted": metric(
        fact={**FACT, "value": "value", "aggregation": "sum"},
        covariate={"table": "past", "unit": "user", "column": "before"},
    ),
    "adjusted-share": metric(
        unit="fraction",
        fact={**FACT, "aggregation": "any", "where": [{"column": "kind", "equals": "buy"}]},
        covariate={"table": "past", "unit": "user", "column": "before"},
    ),
    "per-click": metric(
        fact={**FACT, "value": "value", "aggregation": "sum"}, denominator={**FACT, "aggregation": "count"}
    ),
    "adjusted-rate": metric(
        fact={**FACT, "value": "value", "aggregation": "sum"},
        denominator={**FACT, "aggregation": "count"},
        covariate={"table": "past", "unit": "user", "column": "before"},
    ),
    "middle": metric(fact={**FACT, "value": "value", "aggregation": "sum"}, quantile=0.9),
}


def plan(**more: Any) -> Experiment:
    variants = [{"id": v, "title": v, "weight": 1 / 3} for v in ("a", "b", "c")]
    variants[2]["weight"] = 1 - 2 / 3
    content: dict[str, Any] = {
        "id": "test",
        "title": "T",
        "owner": "o",
        "description": "d",
        "hypothesis": "h",
        "start": date(2026, 11, 5),
        "end": date(2026, 11, 25),
        "assignments": "assigned",
        "control": "a",
        "variants": variants,
        "primary": "spend",
        "secondary": [m for m in METRICS if m != "spend"],
        "planned_units": 1500,
        "minimum_effect": 0.1,
        **more,
    }
    return Experiment.model_validate(content)


def untidy(place: Path, seed: int, users: int = 900) -> None:
    """Users in two arms or assigned twice, events before, after, late, of nobody and without a value; users without a past."""
    rng = np.random.default_rng(seed)
    first = pd.Timestamp("2026-11-04")
    assigned = pd.DataFrame({"unit_id": [f"u{i}" for i in range(users)], "experiment": "test"})
    assigned["variant"] = rng.choice(["a", "b", "c"], users)
    assigned["assigned_at"] = first + pd.to_timedelta(rng.uniform(0, 24 * 86400, users).round(), unit="s")
    again = assigned.sample(frac=0.1, random_state=seed).assign(
        assigned_at=lambda t: t.assigned_at + pd.Timedelta(hours=30),
        variant=lambda t: rng.choice(["a", "b", "c"], len(t)),
    )
    other = assigned.assign(experiment="another", variant="a")
    assigned = pd.concat([assigned, again, other])
    past = pd.DataFrame({"user": [f"u{i}" for i in range(0, users, 2)], "before": rng.gamma(2, 10, (users + 1) // 2)})
    n = users * 3
    events = pd.DataFrame({"user": [f"u{i}" for i in rng.integers(0, int(users * 1.1), n)]})
    events["kind"] = rng.choice(["buy", "look"], n, p=[0.2, 0.8])
    events["at"] = first + pd.to_timedelta(rng.uniform(0, 26 * 86400, n).round(), unit="s")
    events["loaded"] = events["at"] + pd.to_timedelta(rng.exponential(86400, n).round(), unit="s")
    known = events["user"].map(past.set_index("user")["before"]).fillna(5.0)
    events["value"] = np.where(rng.random(n) < 0.05, np.nan, known * rng.uniform(0.2, 3, n))
    with duckdb.connect(str(place / "w.duckdb")) as connection:
        connection.execute("CREATE TABLE assigned AS SELECT * FROM assigned")
        connection.execute(
            "CREATE TABLE events AS SELECT * REPLACE (CASE WHEN isnan(value) THEN NULL ELSE value END AS value) FROM events"
        )
        connection.execute("CREATE TABLE past AS SELECT * FROM past")


def twice(
    place: Path, subject: Experiment, past: list[int], *, informed: bool = True
) -> tuple[Reading, dict[str, Second | None]]:
    period = Period(START, CUTOFF, 12)
    with Warehouse("duckdb://w.duckdb", project=place) as warehouse:
        first = {a.name: a.table.to_pandas() for a in experiment_answers(warehouse, subject, METRICS, period)}
        second = ask(warehouse, [subject], METRICS, period, {})
    assert second[-1].table.num_rows == 0, second[-1].table.to_pylist()
    start = query_of(subject.id, "")
    tables = {a.name.removeprefix(start): a.table.to_pylist() for a in second}
    last = date(2026, 11, 22)
    ledger: dict[str, Any] = {"edition": "e", "critical": 2.0, "effect": 0.0, "standard_error": 1.0, "plan": ""}
    looks = [TakenLook(**ledger, units=n) for n in past]
    if past and informed:  # as ledgers of today have them; those of earlier code count users alone
        (now,) = Reading(subject, METRICS, first.get, last=last).design.information
        known = [{"information": now * n / 700, "time": n / 2000} for n in past]
        looks = [look.model_copy(update=more) for look, more in zip(looks, known, strict=True)]
    reading = Reading(subject, METRICS, first.get, last=last, past=looks)
    rows = [look.model_dump() for look in looks]
    return reading, experiment_seconds(subject, METRICS, tables, rows, last=last)


def same(first: Estimate, second: Second | None, where: str) -> None:
    assert second is not None, where
    half = (first.high - first.low) / 2
    assert second.value == pytest.approx(first.value, rel=1e-9, abs=1e-9 * half), where
    if second.low is not None and second.high is not None:
        assert second.low == pytest.approx(first.low, abs=1e-3 * half), where
        assert second.high == pytest.approx(first.high, abs=1e-3 * half), where


@pytest.mark.parametrize("design", ["fixed", "group-sequential", "confidence-sequence"])
@pytest.mark.parametrize("seed", [1, 2])
def test_every_kind_of_metric_comes_out_the_same_on_untidy_tables(tmp_path: Path, design: str, seed: int) -> None:
    untidy(tmp_path, seed)
    reading, found = twice(tmp_path, plan(method=design), [200, 420], informed=seed == 1)
    assert found["units"] == Second(float(reading.units))
    assert reading.caps()["seldom"][1], "most bought nothing, so the cap is one of those who did"
    split = found["split"]
    assert split is not None
    assert split.value == pytest.approx(reading.split(), rel=1e-9)
    ranges = 0
    for arm in ("b", "c"):
        assert found[f"n.{arm}"] == Second(float(reading.count(arm)))
        for effect in reading.effects(arm):
            name = f"{arm}.{effect.metric}"
            for first, suffix in (
                (effect.treatment, f"{name}.treatment"),
                (effect.control, f"{effect.metric}.control"),
                (effect.comparison.difference, f"{name}.difference"),
                (effect.comparison.relative, f"{name}.relative"),
            ):
                second = found[suffix]
                if isinstance(first, NotPublished):  # of so few looked at so early that no ratio is too large
                    assert "too close to zero" in first.reason
                    assert suffix.endswith(".relative")
                    assert second is None or second.low is None
                    continue
                assert isinstance(first, Estimate), (suffix, first)
                same(first, second, suffix)
                ranges += second is not None and second.low is not None
    assert ranges >= 2 * (2 * (len(METRICS) - 1) - 2)
    for metric_of in ("spend", "trimmed", "seldom", "per-click", "adjusted-rate"):
        arms = [reading.arms[a] for a in (reading.plan.control, "b")]
        rows = [moments(row, column_of(metric_of), row["n"]) for row in arms]  # of a ratio its numerator
        for first, suffix in (
            (stats.effective_users(*rows), "effective"),
            (held_by_largest(reading, metric_of, "b"), "largest"),
        ):
            second = found[f"b.{metric_of}.{suffix}"]
            assert second is not None
            assert second.value == pytest.approx(first, rel=1e-9), (metric_of, suffix)


def test_a_test_that_nobody_entered_has_units_and_no_value(tmp_path: Path) -> None:
    untidy(tmp_path, 1, users=30)
    _, found = twice(tmp_path, plan(id="nobody"), [])
    assert found["units"] == Second(0.0)
    assert found["spend.control"] is None
    assert found["b.spend.difference"] is None


# ---- models


model = partial(scored_model, arrived="loaded", known="known")


def scored(seed: int, *, real: bool = False) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Three weeks of rows under two versions: ties, rows loaded twice, late rows and labels, labels corrected later."""
    rng = np.random.default_rng(seed)
    n = 3000
    truth = rng.normal(0, 1, n)
    label = truth if real else (rng.random(n) < 1 / (1 + np.exp(-truth))).astype(int)
    at = (
        pd.Timestamp(START)
        - pd.Timedelta(days=14)
        + pd.to_timedelta(rng.uniform(0, 21 * 86400 - 1, n).round(), unit="s")
    )
    frames = []
    for version, noise in (("1", 1.0), ("2", 0.6), ("3", 0.1)):
        latent = truth + rng.normal(0, noise, n)
        score = latent if real else 1 / (1 + np.exp(-latent))
        loaded = at + pd.to_timedelta(rng.exponential(7200, n).round(), unit="s")
        frames.append(
            pd.DataFrame({"id": np.arange(n), "at": at, "version": version, "score": score.round(2), "loaded": loaded})
        )
    p = pd.concat(frames).sample(frac=0.95, random_state=seed)
    again = p.sample(frac=0.05, random_state=seed).assign(
        score=lambda t: t.score / 2, loaded=lambda t: t.loaded + pd.Timedelta(minutes=1)
    )
    y = pd.DataFrame(
        {"id": np.arange(n), "label": label, "known": at + pd.to_timedelta(rng.exponential(86400, n).round(), unit="s")}
    )
    corrected = y.sample(frac=0.05, random_state=seed).assign(
        label=lambda t: 1 - t.label, known=lambda t: t.known + pd.Timedelta(minutes=1)
    )
    return pd.concat([p, again]), pd.concat([y, corrected])


def asked(place: Path, subject: Model, **tables: pd.DataFrame) -> tuple[dict[str, Any], dict[str, pd.DataFrame]]:
    """Second answers and first answers of a model."""
    with duckdb.connect(str(place / "w.duckdb")) as connection:
        for name, frame in tables.items():
            connection.register("frame", frame)
            connection.execute(f"CREATE TABLE {name} AS SELECT * FROM frame")
    period = Period(START, CUTOFF, 3)
    with Warehouse("duckdb://w.duckdb", project=place) as warehouse:
        second = ask(warehouse, [subject], {}, period, {subject.id: VERSIONS})
        first = {
            a.name: a.table.to_pandas(date_as_object=False) for a in model_answers(warehouse, subject, period, VERSIONS)
        }
    assert second[-1].table.num_rows == 0, second[-1].table.to_pylist()
    return {a.name.removeprefix(query_of(subject.id, "")): a.table.to_pylist() for a in second}, first


def first_rows(p: pd.DataFrame, y: pd.DataFrame) -> pd.DataFrame:
    """What counts, by pandas: first of each row and version, last label of each row, both arrived by the cut-off."""
    p = p[(p["loaded"] < CUTOFF) & (p["at"] < CUTOFF)].sort_values("loaded").drop_duplicates(["id", "version"])
    y = y[y["known"] < CUTOFF].sort_values("known").drop_duplicates("id", keep="last")
    return p[p["version"].isin(["1", "2"])].merge(y, on="id")


def first_numbers(subject: Model, first: dict[str, pd.DataFrame]) -> dict[str, Any]:
    """Levels of the live version and differences to the baseline as the first computation has them."""
    found: dict[str, Any] = {}
    weekly, paired = first["weekly"], first["paired"]
    for measure in subject.measures:
        column = measure.replace("-", "_")
        levels = {}
        for back in (0, 1):
            week = pd.Timestamp(START - timedelta(days=7 * back))
            row = weekly[(weekly["week"] == week) & (weekly["version"] == "2")].iloc[0]
            if measure in {"precision", "recall"}:
                of = "flagged" if measure == "precision" else "positive"
                levels[back] = monitoring.share(int(row["caught"]), int(row[of]), of)
            else:
                levels[back] = monitoring.level(measure, row[column], spread_of(dict(row), measure))
        found[measure] = levels[0]
        found[f"{measure}.change"] = monitoring.independent_difference(levels[0], levels[1])
        row = paired[paired["week"] == pd.Timestamp(START)].iloc[0]
        found[f"{measure}.vs-baseline"] = monitoring.difference(row[column], spread_of(dict(row), measure))
    return found


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_classifier_is_what_scikit_learn_and_the_first_computation_say(tmp_path: Path, seed: int) -> None:
    p, y = scored(seed)
    subject = model("classifier", scores={"threshold": 0.5})
    tables, first = asked(tmp_path, subject, p=p, y=y)
    found = model_seconds(subject, tables, VERSIONS)
    rows = first_rows(p, y)
    now = rows[(rows["at"] >= START) & (rows["version"] == "2")]
    flagged = (now["score"] >= 0.5).astype(int)
    oracle = {
        "auc": sk.roc_auc_score(now["label"], now["score"]),
        "pr-auc": sk.average_precision_score(now["label"], now["score"]),
        "log-loss": sk.log_loss(now["label"], now["score"]),
        "calibration-gap": float((now["score"] - now["label"]).mean()),
        "precision": sk.precision_score(now["label"], flagged),
        "recall": sk.recall_score(now["label"], flagged),
    }
    for measure, value in oracle.items():
        second = found[measure]
        assert second is not None
        assert second.value == pytest.approx(value, rel=1e-9), measure
    ranges = [
        n for n, e in first_numbers(subject, first).items() if (same(e, found[n], n), found[n].low)[1] is not None
    ]  # type: ignore[union-attr]
    assert {"auc", "auc.change", "auc.vs-baseline", "log-loss.vs-baseline", "precision", "recall.change"} <= set(ranges)
    live = p[(p["loaded"] < CUTOFF) & (p["at"] >= START) & (p["at"] < CUTOFF) & (p["version"] == "2")]["id"].unique()
    labelled = set(y[y["known"] < CUTOFF]["id"])
    complete = found["label-completeness"]
    assert complete is not None
    assert complete.value == pytest.approx(np.mean([i in labelled for i in live]))


def test_a_regressor_is_what_scikit_learn_and_the_first_computation_say(tmp_path: Path) -> None:
    p, y = scored(4, real=True)
    subject = model("regressor")
    tables, first = asked(tmp_path, subject, p=p, y=y)
    found = model_seconds(subject, tables, VERSIONS)
    rows = first_rows(p, y)
    now = rows[(rows["at"] >= START) & (rows["version"] == "2")]
    oracle = {
        "mae": sk.mean_absolute_error(now["label"], now["score"]),
        "rmse": float(np.sqrt(sk.mean_squared_error(now["label"], now["score"]))),
        "bias": float((now["score"] - now["label"]).mean()),
    }
    for measure, value in oracle.items():
        second = found[measure]
        assert second is not None
        assert second.value == pytest.approx(value, rel=1e-9), measure
    estimates = first_numbers(subject, first)
    for name, estimate in estimates.items():
        if not isinstance(estimate, NotPublished):  # squared errors of labels that were turned round: too few degrees
            same(estimate, found[name], name)
    assert [n for n, e in estimates.items() if isinstance(e, NotPublished)] == ["rmse.change"]


def test_a_ranker_is_what_scikit_learn_and_the_first_computation_say(tmp_path: Path) -> None:
    rng = np.random.default_rng(6)
    requests, shown = 300, 8
    at = (
        pd.Timestamp(START)
        - pd.Timedelta(days=7)
        + pd.to_timedelta(rng.uniform(0, 14 * 86400 - 1, requests).round(), unit="s")
    )
    frames, items, ndcg = [], [], {}
    for version in ("1", "2"):
        frames.append(
            pd.DataFrame(
                {"id": np.arange(requests), "at": at, "loaded": at, "version": version, "ready": rng.random(requests)}
            )
        )
        for request in range(requests):
            relevance = rng.choice([0.0, 1.0, 3.0], shown, p=[0.7, 0.2, 0.1])
            items.append(
                pd.DataFrame(
                    {"request": request, "version": version, "rank": np.arange(1, shown + 1), "relevance": relevance}
                )
            )
            ndcg[version, request] = (
                sk.ndcg_score([relevance], [np.arange(shown, 0, -1)], k=5) if relevance.any() else 0.0
            )
    quality = [
        {"metric": "ready", "column": "ready"},
        {"metric": "ndcg-5", "measure": "ndcg", "k": 5},
        {"metric": "precision-3", "measure": "precision", "k": 3},
    ]
    where = {"table": "items", "request": "request", "version": "version", "rank": "rank", "relevance": "relevance"}
    subject = model("ranker", scores={"quality": quality, "items": where})
    tables, first = asked(tmp_path, subject, p=pd.concat(frames), items=pd.concat(items))
    found = model_seconds(subject, tables, VERSIONS)
    second = found["ndcg-5"]
    assert second is not None
    mine = [ndcg["2", i] for i in range(requests) if at[i] >= pd.Timestamp(START)]
    assert second.value == pytest.approx(float(np.mean(mine)), rel=1e-9)
    for name, estimate in first_numbers(subject, first).items():
        same(estimate, found[name], name)


def test_one_class_only_has_no_area(tmp_path: Path) -> None:
    p, y = scored(5)
    subject = model("classifier")
    tables, _ = asked(tmp_path, subject, p=p, y=y.assign(label=0))
    found = model_seconds(subject, tables, VERSIONS)
    assert found["auc"] is None
    assert found["pr-auc"] is None
    assert found["log-loss"] is not None


# ---- business


def test_business_figures_are_what_their_formulas_say(tmp_path: Path) -> None:
    rng = np.random.default_rng(8)
    days = pd.date_range("2026-09-01", "2026-11-22")
    rows = pd.DataFrame([(d, c) for d in days for c in ("new", "baseline")], columns=["day", "cohort"])
    rows["users"] = rng.integers(900, 1100, len(rows))
    rows["revenue"] = rows["users"] * np.where(rows["cohort"] == "new", 2.1, 2.0) * rng.normal(1, 0.03, len(rows))
    rows["nps_responses"] = 50
    rows["nps_promoters"] = rng.integers(15, 25, len(rows))
    rows["nps_detractors"] = rng.integers(5, 15, len(rows))
    rows["returning_users"] = (rows["users"] * 0.4).astype(int)
    rows["loaded_at"] = rows["day"] + pd.Timedelta(hours=30)
    extra = rows[rows["day"] == "2026-11-20"].assign(revenue=10**9, loaded_at=CUTOFF + timedelta(hours=1))
    subject = model("classifier", business={"table": "shop"})
    p, y = scored(1)
    tables, _ = asked(tmp_path, subject, p=p, y=y, shop=pd.concat([rows, extra]))
    found = business_seconds(tables)
    assert found["revenue-effect"] is None, "the last day came after the cut-off, so the four weeks are not whole"
    (tmp_path / "w.duckdb").unlink()
    tables, _ = asked(tmp_path, subject, p=p, y=y, shop=pd.concat([rows.assign(loaded_at=rows["day"]), extra]))
    found = business_seconds(tables)
    now = rows[rows["day"] >= "2026-10-26"]
    per_user = now.assign(v=now["revenue"] / now["users"]).pivot_table(index="day", columns="cohort", values="v")
    gap = per_user["new"] - per_user["baseline"]
    users = int(now.loc[now["cohort"] == "new", "users"].sum())
    worth = found["revenue-effect"]
    assert worth is not None
    assert worth.value == pytest.approx(gap.mean() * users)
    expected = stats.mean(stats.Moments(28, float(gap.mean()), float(gap.var())))
    assert isinstance(expected, Estimate)
    assert worth.low == pytest.approx(expected.low * users)
    score = found["nps"]
    assert score is not None
    new = now[now["cohort"] == "new"]
    answers = np.repeat(
        [1, -1, 0],
        [
            new["nps_promoters"].sum(),
            new["nps_detractors"].sum(),
            28 * 50 - new["nps_promoters"].sum() - new["nps_detractors"].sum(),
        ],
    )
    assert score.value == pytest.approx(answers.mean())
    assert score.error == pytest.approx(answers.std() / np.sqrt(len(answers)))
    change = found["revenue-effect.month-change"]
    assert change is not None
    assert found["revenue-effect.year-change"] is None


def ordered_twice(place: Path, quantile: float, users: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """What both computations count off of values 1, 2 and so on, by arm."""
    assigned = pd.DataFrame({"unit_id": [f"{v}{i}" for i in range(users) for v in "ab"], "experiment": "test"})
    assigned["variant"] = assigned["unit_id"].str[0]
    assigned["assigned_at"] = START
    events = assigned.assign(user=assigned["unit_id"], at=START, loaded=START)[["user", "at", "loaded"]]
    events["value"] = events["user"].str[1:].astype(float) + 1
    with duckdb.connect(str(place / "w.duckdb")) as connection:
        connection.execute("CREATE TABLE assigned AS SELECT * FROM assigned")
        connection.execute("CREATE TABLE events AS SELECT * FROM events")
    known = {"q": metric(fact={**FACT, "value": "value", "aggregation": "sum"}, quantile=quantile)}
    variants = [{"id": v, "title": v, "weight": 0.5} for v in ("a", "b")]
    subject = plan(primary="q", secondary=[], variants=variants)
    with Warehouse("duckdb://w.duckdb", project=place) as warehouse:
        period = Period(START, CUTOFF, 12)
        first = {a.name: a.table.to_pylist() for a in experiment_answers(warehouse, subject, known, period)}
        second = {a.name: a.table.to_pylist() for a in ask(warehouse, [subject], known, period, {})}
    return first["quantiles"], second[query_of("test", "metric.q")]


RANKS = ("low", "high", "low_rank", "high_rank")


@pytest.mark.parametrize(("quantile", "users"), [(0.07, 100), (0.55, 180), (0.29, 100), (0.9, 10)])
def test_a_quantile_whose_rank_is_a_whole_number_is_that_rank(tmp_path: Path, quantile: float, users: int) -> None:
    first, second = ordered_twice(tmp_path, quantile, users)
    exact = -(-Fraction(str(quantile)) * users // 1)
    assert {row["quantile"] for row in first} == {float(exact)}
    assert {row["value"] for row in second} == {float(exact)}
    assert [[row[k] for k in RANKS] for row in first] == [[row[k] for k in RANKS] for row in second]
    assert [first[0][k] for k in ("low_rank", "high_rank")] == [*stats.quantile_ranks(quantile, users)]


def test_ranks_that_are_rounded_inwards_are_found_the_second_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shift, reach = _quantiles.bounding(0.5)
    monkeypatch.setattr(_quantiles, "bounding", lambda _: (shift, reach - 0.1))
    first, second = ordered_twice(tmp_path, 0.5, 100)
    ranges = [mean(ordered(row, "", 0.5, 100)) for row in first]
    assert all(isinstance(found, Estimate) for found in ranges)
    for row, found in zip(second, ranges, strict=True):
        with pytest.raises(AssertionError):
            same(found, bounds(row, 0.5, 0.05), "of an arm")  # type: ignore[arg-type]
