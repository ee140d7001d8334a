"""Queries of a classifier: areas under the ROC and the precision-recall curve, loss, calibration, precision and recall.

Every measure is a value per group with an influence per row (see `_measures`). With a row's class y, its score s, the
share of positives pi, n rows, and counts over the group:

- AUC: the placement of a row is the share of the other class that it is ranked rightly against, ties half (DeLong 1988);
- average precision: the mean over positives of P(s) = positives at or above s over rows at or above s; a row also moves
  P of every positive at or below it, which the running sums h1 and h2 collect (the derivative of P's ratio of counts);
- precision and recall at the operating threshold: ratios of counts; log loss and calibration gap: means.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gazette.sources._answer import flag
from gazette.sources._measures import answers, arrivals, at_one_age, mean_influences, outcomes, unscored
from gazette.sources._values import refuse_labels, refuse_scores

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gazette.params import Model
    from gazette.sources._warehouse import Period, Warehouse

__all__ = ["queries"]

CURVE_BINS = 50  # score bands of the threshold curves
LEAST = 1e-15  # as scikit-learn clips probabilities
VALUES = 100  # of labels that are looked at: two are right


def queries(
    warehouse: Warehouse, model: Model, period: Period, versions: dict[str, str], *, held: str, file: str
) -> Iterator[tuple[str, Any]]:
    """Name and ibis expression of each query."""
    import ibis  # noqa: PLC0415

    rows = outcomes(warehouse, model, period, versions, file=file)
    rows = warehouse.hold(held, at_one_age(rows, period, label=True))
    _refuse(warehouse, rows, model, file=file)
    yield unscored(rows, ["score"], period, versions["live"])
    threshold = model.scores.threshold

    def placed(some: Any, groups: Sequence[str]) -> Any:
        return _placed(some, groups, threshold)

    labelled = rows.filter(rows.label.notnull(), rows.score.notnull())
    labelled = labelled.mutate(
        loss=-ibis.ifelse(
            labelled.label == 1,
            ibis.greatest(labelled.score, LEAST).ln(),
            ibis.greatest(1 - labelled.score, LEAST).ln(),
        ),
        gap=labelled.score - labelled.label,
        positive=labelled.label,
    )
    counts = ["positive"]
    if threshold is not None:
        labelled = labelled.mutate(
            flagged=flag(labelled.score >= threshold),
            caught=flag((labelled.score >= threshold) & (labelled.label == 1)),
        )
        counts += ["flagged", "caught"]
    columns = [m.replace("-", "_") for m in model.measures]
    yield from answers(placed, labelled, columns, model, period, versions, counts=counts)
    yield from arrivals(rows, period)
    now = labelled.filter(labelled.time >= period.start)
    binned = now.mutate(
        bin=ibis.greatest(ibis.least((now.score * CURVE_BINS).floor().cast("int64"), CURVE_BINS - 1), 0)
    )
    yield (
        "curve",
        (
            binned.group_by("version", "bin")
            .aggregate(n=binned.count(), mean_score=binned.score.mean(), positives=binned.label.sum())
            .order_by("version", "bin")
        ),
    )


def _refuse(warehouse: Warehouse, rows: Any, model: Model, *, file: str) -> None:
    """Look at the values that labels and scores have before anything is computed from them."""
    import ibis  # noqa: PLC0415

    assert model.labels is not None  # noqa: S101  the parameter check guarantees it
    values = rows.group_by("told", "label").aggregate(n=rows.count(), low=rows.score.min(), high=rows.score.max())
    values = values.order_by(ibis.desc("n"), "told").limit(VALUES)
    found = warehouse.ask("label_values", values, file=file).table.to_pylist()
    refuse_labels(found, model.labels.positive, where=file)
    lows, highs = ([r[k] for r in found if r[k] is not None] for k in ("low", "high"))
    refuse_scores(min(lows, default=None), max(highs, default=None), where=file)


def _placed(rows: Any, groups: Sequence[str], threshold: float | None) -> Any:
    import ibis  # noqa: PLC0415

    group = ibis.window(group_by=list(groups))
    upto = ibis.range_window(group_by=list(groups), order_by="score", following=0)
    tied = ibis.window(group_by=[*groups, "score"])
    rows = mean_influences(rows, groups, ["loss", "gap"]).rename(
        v_log_loss="v_loss", i_log_loss="i_loss", v_calibration_gap="v_gap", i_calibration_gap="i_gap"
    )
    rows = rows.mutate(
        n=rows.count().over(group),
        positives=rows.label.sum().over(group),
        same=rows.count().over(tied),
        same_positive=rows.label.sum().over(tied),
        below=rows.count().over(upto) - rows.count().over(tied),
        below_positive=rows.label.sum().over(upto) - rows.label.sum().over(tied),
    )
    negatives = (rows.n - rows.positives).nullif(0)
    above_positive = rows.positives - rows.below_positive - rows.same_positive
    rows = rows.mutate(
        placement=ibis.ifelse(
            rows.label == 1,
            (rows.below - rows.below_positive + (rows.same - rows.same_positive) / 2) / negatives,
            (above_positive + rows.same_positive / 2) / rows.positives.nullif(0),
        ),
        at_least=rows.n - rows.below,
        at_least_positive=rows.positives - rows.below_positive,
        share=(rows.positives / rows.n).nullif(0),
    )
    one = flag(rows.label == 1)
    rows = rows.mutate(
        precise=rows.at_least_positive / rows.at_least,
        h1=(one / rows.at_least).sum().over(upto),
        h2=(one * rows.at_least_positive / (rows.at_least * rows.at_least)).sum().over(upto),
        v_auc=rows.placement.mean(where=rows.label == 1).over(group),
    )
    rows = rows.mutate(v_pr_auc=rows.precise.mean(where=rows.label == 1).over(group))
    rows = rows.mutate(
        i_auc=ibis.ifelse(
            rows.label == 1,
            (rows.placement - rows.v_auc) / rows.share,
            (rows.placement - rows.v_auc) / (1 - rows.share).nullif(0),
        ),
        i_pr_auc=(rows.label * (rows.precise + rows.h1 - rows.v_pr_auc) - rows.h2) / rows.share,
    )
    if threshold is None:
        return rows
    flagged = rows.flagged.sum().over(group).nullif(0)
    caught = rows.caught.sum().over(group)
    rows = rows.mutate(v_precision=caught / flagged, v_recall=caught / rows.positives.nullif(0), picked=flagged)
    return rows.mutate(
        i_precision=rows.flagged * (rows.label - rows.v_precision) * rows.n / rows.picked,
        i_recall=rows.label * (rows.flagged - rows.v_recall) / rows.share,
    )
