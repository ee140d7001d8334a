"""``models/*.yml``: one file per model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import Field

from gazette.params._types import Column, Cost, Count, Fraction, Id, Page, Positive, Sheet, Text, as_day

__all__ = [
    "Business",
    "Card",
    "Checks",
    "Features",
    "Items",
    "Limit",
    "Model",
    "Quality",
    "Range",
    "Registry",
    "Scores",
    "Sla",
]

Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, strict=True, allow_inf_nan=False)]

MEASURES: dict[str, tuple[str, ...]] = {
    "classifier": ("auc", "pr-auc", "log-loss", "calibration-gap"),
    "regressor": ("mae", "rmse", "bias"),
    "ranker": (),
}
BESIDES: dict[str, tuple[str, ...]] = {
    "classifier": ("calibration-error",)
}  # shown, though no measure that is compared
AT_THRESHOLD = ("precision", "recall")


class Registry(Sheet):
    """The registered model in MLflow and which of its versions are meant: never 'the latest run'."""

    name: Text
    live: Text = Field(default="champion", description="Alias, or a version number such as '3', of the live version.")
    baseline: Text = Field(default="baseline", description="The same of the version to compare with: the one before.")
    version_tag: str | None = Field(
        default=None, description="Tag that holds the version as the warehouse writes it; by default MLflow's number."
    )
    link: str | None = Field(
        default=None, description="Address of a run in your MLflow, with {run_id} in it; shown as a link."
    )


class Quality(Sheet):
    """One score per request, and the metric that it is: ready in a column, or computed from the items shown."""

    metric: Id
    column: Column | None = None
    measure: Literal["ndcg", "precision"] | None = None
    k: Count | None = Field(default=None, description="How many items from the top count.")

    @classmethod
    def faults(cls, raw: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """One way to get it."""
        if (raw.get("column") is None) == (raw.get("measure") is None):
            yield "metric", "give exactly one of 'column' and 'measure'"
        if (raw.get("measure") is None) != (raw.get("k") is None):
            yield "k", "'measure' and 'k' belong together"


class Items(Sheet):
    """The table of items that were shown, one row an item, from which a ranker's scores are computed."""

    table: Column
    request: Column
    version: Column
    rank: Column = Field(description="1 for the first item.")
    relevance: Column = Field(description="0 for an item of no use; more is better.")


class Scores(Sheet):
    """The table of predictions or served requests."""

    table: Column
    id: Column
    time: Column = Field(description="When the prediction applies (UTC): decides its week.")
    arrived: Column = Field(description="When the row was there to be read (UTC).")
    version: Column
    score: Column | None = Field(default=None, description="Probability (classifier) or prediction (regressor).")
    threshold: Fraction | None = Field(
        default=None, description="Probability from which a row is flagged: where precision and recall are read."
    )
    quality: list[Quality] = Field(default_factory=list, description="Scores per request, for a ranker.")
    items: Items | None = None
    segments: list[Column] = Field(default_factory=list)
    unit: Column | None = Field(
        default=None,
        description="Column that names the user, where one user can have several rows: ranges and alarms then count users, not rows.",
    )


class Labels(Sheet):
    """The table of what really happened, which arrives later."""

    table: Column
    id: Column
    label: Column
    arrived: Column
    audited: Column | None = Field(
        default=None, description="The label as checked by hand, null where it was not; gives the error of labels."
    )
    positive: str | int | bool | None = Field(
        default=None,
        description="The label that means 1 for a classifier, such as 'yes' or -1, any other one meaning 0; not needed where labels are 1 and 0, or true and false.",
    )
    minimum_fraction: Fraction = 0.9


class Range(Sheet):
    """Values that a feature may take."""

    low: Number | None = None
    high: Number | None = None
    drift: bool = Field(
        default=True,
        description="False for a field of the calendar, such as the day of the month, which a week cannot cover.",
    )


class Features(Sheet):
    """The table of feature values, one row a prediction, with the rows that the live version was trained on."""

    table: Column
    id: Column
    time: Column
    arrived: Column
    columns: dict[Column, Range] = Field(min_length=1, description="Features in the model's order, with their ranges.")
    trained_from: date
    trained_until: date = Field(description="First day that the training no longer saw.")
    importance_rows: Annotated[int, Field(ge=100, le=100_000, strict=True)] = Field(
        default=2000, description="Rows of the week on which permutation importance is computed."
    )

    @classmethod
    def faults(cls, raw: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """Training runs forward."""
        first, until = as_day(raw["trained_from"]), as_day(raw["trained_until"])
        if first is not None and until is not None and first >= until:
            yield "trained_until", "the training ends before it starts"


class Limit(Sheet):
    """From where a check warns and from where it fails."""

    warn: NotNegative
    fail: NotNegative

    @classmethod
    def faults(cls, raw: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """Failing is worse than warning."""
        if raw["fail"] < raw["warn"]:
            yield "fail", f"fail ({raw['fail']}) lies below warn ({raw['warn']})"


class Checks(Sheet):
    """Limits of the data checks; a value above the limit warns or fails."""

    staleness_hours: Limit = Limit(warn=2.0, fail=24.0)
    null_fraction: Limit = Limit(warn=0.001, fail=0.01)
    range_fraction: Limit = Limit(warn=0.001, fail=0.01)
    label_delay_hours: Limit = Limit(warn=48.0, fail=120.0)
    label_error: Limit = Limit(warn=0.01, fail=0.03)
    volume_change: Limit = Limit(warn=0.3, fail=0.6)
    duplicate_fraction: Limit = Limit(warn=0.0, fail=0.001)
    drift_distance: Limit = Limit(warn=0.1, fail=0.3)


class Sla(Sheet):
    """What was promised to those who call the model."""

    latency_p99_ms: Positive | None = None
    availability: Fraction | None = None


class Card(Sheet):
    """What a reader of the model card must know and no query can tell."""

    intended_use: Text
    limits: Text
    data: Text


class Telemetry(Sheet):
    """Serving measurements, one row an hour."""

    table: Column
    service: Text


class Deployments(Sheet):
    """The log of deployments: columns at, model, model_version, environment, deployed_by, note."""

    table: Column
    model: Text = Field(description="The model's name in the table.")


class Business(Sheet):
    """Daily business figures of the users on the model and of a hold-out on the baseline."""

    table: Column
    new: Text = "new"
    baseline: Text = "baseline"


class Model(Page):
    """A model that an edition reports on."""

    kind: Literal["classifier", "ranker", "regressor"]
    registry: Registry
    max_age_days: Count = Field(description="Days since training after which the model counts as old.")
    review_by: date | None = Field(default=None, description="Day by which people look at the model as a whole again.")
    scores: Scores
    labels: Labels | None = None
    features: Features | None = None
    checks: Checks = Checks()
    sla: Sla = Sla()
    card: Card | None = None
    telemetry: Telemetry | None = None
    deployments: Deployments | None = None
    business: Business | None = None
    cost: Cost | None = Field(default=None, description="Of building and running the model; for the table of costs.")

    @property
    def measures(self) -> list[str]:
        """Ids of its quality metrics, the main one first."""
        if self.kind == "ranker":
            return [q.metric for q in self.scores.quality]
        return [*MEASURES[self.kind], *(AT_THRESHOLD if self.scores.threshold is not None else ())]

    @classmethod
    def faults(cls, raw: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """The kind needs its columns."""
        kind, scores = raw["kind"], raw["scores"]
        if kind in {"classifier", "regressor"} and not (scores.get("score") and raw.get("labels")):
            yield "scores", f"a {kind} needs scores.score and labels"
        if kind == "ranker" and not scores.get("quality"):
            yield "scores", "a ranker needs scores.quality"
        if kind != "classifier" and scores.get("threshold") is not None:
            yield "scores", "only a classifier has an operating threshold"
        if kind != "classifier" and (raw.get("labels") or {}).get("positive") is not None:
            yield "labels", "only the labels of a classifier have a positive value"
        if any(q.get("measure") for q in scores.get("quality", ())) and not scores.get("items"):
            yield "scores", "a measure is computed from scores.items, which is missing"
