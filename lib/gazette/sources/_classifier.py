"""Queries of a classifier: what AUC with its DeLong interval, log loss and calibration need, as aggregates.

The placement value of a labelled row is the share of rows of the other class that it is ranked rightly against
(ties count half). Their mean is the AUC; their variances and covariances give its error (DeLong 1988), so no
row leaves the warehouse.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gazette.params import Model
    from gazette.sources._warehouse import Period, Warehouse

__all__ = ["queries"]


def queries(
    warehouse: Warehouse, model: Model, period: Period, versions: dict[str, str], *, file: str
) -> Iterator[tuple[str, Any]]:
    """Name and ibis expression of each query."""
    import ibis  # noqa: PLC0415

    rows = _rows(warehouse, model, period, file=file).filter(lambda t: t.version.isin(sorted(versions.values())))
    labelled = rows.filter(rows.label.notnull())
    loss = -ibis.ifelse(
        labelled.label == 1,
        ibis.greatest(labelled.score, 1e-15).ln(),
        ibis.greatest(1 - labelled.score, 1e-15).ln(),
    )
    labelled = labelled.mutate(loss=loss)
    placed = _placed(labelled, ["week", "version"])
    yield "weekly", _summary(placed, ["week", "version"])
    yield "paired", _paired(placed, versions)
    yield (
        "completeness",
        (
            rows.group_by("week", "version")
            .aggregate(scored=rows.count(), labelled=rows.label.count())
            .order_by("week", "version")
        ),
    )
    yield (
        "days",
        (
            rows.filter(rows.time >= period.start)
            .mutate(day=lambda t: t.time.date())
            .group_by("day")
            .aggregate(n=lambda t: t.count())
            .order_by("day")
        ),
    )
    live = labelled.filter(labelled.version == versions["live"])
    recent = live.filter(live.time >= period.start - timedelta(days=7))
    segments = [
        _summary(
            _placed(
                recent.mutate(segment=ibis.literal(column), of=recent[column].cast("string")), ["week", "segment", "of"]
            ),
            ["week", "segment", "of"],
        )
        for column in model.scores.segments
    ]
    if segments:
        yield "segments", ibis.union(*segments).order_by("segment", "of", "week") if len(segments) > 1 else segments[0]
    now = live.filter(live.time >= period.start)
    binned = now.mutate(bin=ibis.least((now.score * 10).floor().cast("int64"), 9))
    yield (
        "calibration",
        (
            binned.group_by("bin")
            .aggregate(n=binned.count(), mean_score=binned.score.mean(), positives=binned.label.sum())
            .order_by("bin")
        ),
    )


def _rows(warehouse: Warehouse, model: Model, period: Period, *, file: str) -> Any:
    scores, labels = model.scores, model.labels
    assert labels is not None  # noqa: S101  the parameter check guarantees it for a classifier
    assert scores.score is not None  # noqa: S101
    wanted = {k: getattr(scores, k) for k in ("id", "time", "arrived", "version", "score")}
    wanted |= {f"segments {s}": s for s in scores.segments}
    s = warehouse.table(scores.table, wanted, file=file)
    y = warehouse.table(labels.table, {"id": labels.id, "label": labels.label, "arrived": labels.arrived}, file=file)
    s = s.filter(s[scores.time] >= period.history_start, s[scores.time] < period.end, s[scores.arrived] < period.cutoff)
    s = s.select(
        row_id=s[scores.id],
        time=s[scores.time],
        week=s[scores.time].truncate("W").date(),
        version=s[scores.version].cast("string"),
        score=s[scores.score].cast("float64"),
        **{column: s[column] for column in scores.segments},
    )
    y = y.filter(y[labels.arrived] < period.cutoff)
    y = y.select(label_id=y[labels.id], label=y[labels.label].cast("int64"))
    return s.left_join(y, s.row_id == y.label_id).drop("label_id")


def _placed(rows: Any, groups: list[str]) -> Any:
    """Rows with their placement value within each group."""
    import ibis  # noqa: PLC0415

    together = ibis.window(group_by=groups, order_by="score")
    within = ibis.window(group_by=[*groups, "label"], order_by="score")
    tied = ibis.window(group_by=[*groups, "score"])
    tied_within = ibis.window(group_by=[*groups, "label", "score"])
    group, group_class = ibis.window(group_by=groups), ibis.window(group_by=[*groups, "label"])
    ranked = rows.mutate(
        midrank=ibis.rank().over(together) + (rows.count().over(tied) - 1) / 2,
        midrank_within=ibis.rank().over(within) + (rows.count().over(tied_within) - 1) / 2,
        others=rows.count().over(group) - rows.count().over(group_class),
    )
    below = (ranked.midrank - ranked.midrank_within) / ranked.others.nullif(0)
    return ranked.mutate(placement=ibis.ifelse(ranked.label == 1, below, 1 - below))


def _summary(placed: Any, groups: list[str]) -> Any:
    positive, negative = placed.label == 1, placed.label == 0
    return (
        placed.group_by(*groups)
        .aggregate(
            n=placed.count(),
            n_positive=placed.label.sum(),
            auc=placed.placement.mean(where=positive),
            var_positive=placed.placement.var(how="sample", where=positive),
            var_negative=placed.placement.var(how="sample", where=negative),
            loss_mean=placed.loss.mean(),
            loss_var=placed.loss.var(how="sample"),
        )
        .order_by(*groups)
    )


def _paired(placed: Any, versions: dict[str, str]) -> Any:
    """Live against baseline on the rows that both scored: covariances of placements, differences of losses."""
    live = placed.filter(placed.version == versions["live"]).select(
        "row_id", "week", "label", a="placement", loss_a="loss"
    )
    base = placed.filter(placed.version == versions.get("baseline", "")).select(
        base_id="row_id", b="placement", loss_b="loss"
    )
    both = live.inner_join(base, live.row_id == base.base_id)
    positive, negative = both.label == 1, both.label == 0
    difference = both.loss_a - both.loss_b
    return (
        both.group_by("week")
        .aggregate(
            n=both.count(),
            n_positive=both.label.sum(),
            auc_live=both.a.mean(where=positive),
            auc_baseline=both.b.mean(where=positive),
            var_positive=(both.a - both.b).var(how="sample", where=positive),
            var_negative=(both.a - both.b).var(how="sample", where=negative),
            loss_difference_mean=difference.mean(),
            loss_difference_var=difference.var(how="sample"),
        )
        .order_by("week")
    )
