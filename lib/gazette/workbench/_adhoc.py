"""The same analysis without a project: of a file, or of counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from gazette import conclusions
from gazette.display import Block, Column, Table
from gazette.errors import WrongUseError
from gazette.params import Covariate, Experiment, Fact, Guardrail, Metric, Variant
from gazette.sources import FileMetric, column_of
from gazette.workbench._experiment import ExperimentBench
from gazette.workbench._missing import missing_table
from gazette.workbench._reading import Reading

if TYPE_CHECKING:
    import pandas as pd

    from gazette.params import Params
    from gazette.record import Record
    from gazette.workbench._missing import Lack

__all__ = ["AdHoc", "AdHocBench", "counts_table"]

UNITS = {
    "proportion": "fraction",
    "mean": "number",
    "count": "number",
    "ratio": "number",
    "quantile": "number",
    "capped": "number",
}
DATED = {"minimum-run", "missing-days", "sample-ratio-sequence"}


@dataclass(frozen=True, kw_only=True)
class AdHoc:
    """What is asked of a file.

    Attributes:
        title: Name of the file, or ``counts``.
        control: Id of the arm that others are compared with.
        metrics: The first is the primary one.
        shares: Planned share of each arm, adding up to 1; equal shares where it is empty.
        guardrails: Metric to the relative loss that it may not exceed.
        lower: Metrics of which less is better.
        minimum: Smallest relative effect worth having, 0 for none.
        alpha, method, planned: The design.
        cluster: Whether rows lie below the unit of assignment, so that means are ratios of sums.
        covariate: Whether means and ratios are adjusted.
        exclusions: What was left out, in words.
        now: When this is done, UTC without zone.
        digest: SHA-256 of what was read.
    """

    title: str
    control: str
    metrics: tuple[FileMetric, ...]
    now: datetime
    shares: Mapping[str, float]
    guardrails: Mapping[str, float]
    lower: frozenset[str] = frozenset()
    minimum: float = 0.0
    alpha: float = 0.05
    method: str = "fixed"
    planned: int | None = None
    cluster: bool = False
    covariate: bool = False
    exclusions: tuple[str, ...] = ()
    digest: str = ""


def counts_table(name: str, counts: Mapping[str, tuple[int, int]]) -> pd.DataFrame:
    """Successes and units per arm as a table of aggregates."""
    import pandas as pd  # noqa: PLC0415

    column, rows = column_of(name), []
    for arm, (successes, n) in counts.items():
        p = successes / n
        rows.append({"variant": arm, "n": n, f"{column}_mean": p, f"{column}_var": p * (1 - p) * n / max(1, n - 1)})
    return pd.DataFrame(rows)


class _Undated(Reading):
    """A reading of a file, which knows no days."""

    def missing_days(self) -> int:
        """No days, none missing."""
        return 0

    @property
    def days(self) -> int:
        """Unknown; nothing is asked of it."""
        return 1


class AdHocBench(ExperimentBench):
    """The bench of an experiment that has no parameters of its own.

    Args:
        ask: What is asked.
        tables: Aggregates by name, as :func:`gazette.sources.read_file` gives them.

    Raises:
        WrongUseError: Arms, shares or metrics do not fit together.
    """

    def __init__(self, ask: AdHoc, tables: Mapping[str, pd.DataFrame]) -> None:  # not of an edition's folder
        arms = [str(v) for v in tables["arms"]["variant"]]
        ids = {arm: f"arm{i}" if i else "control" for i, arm in enumerate(sorted(arms, key=lambda a: a != ask.control))}
        frames = {
            name: frame.assign(variant=frame["variant"].astype(str).map(ids)) if "variant" in frame.columns else frame
            for name, frame in tables.items()
        }
        metrics = {m.name: _metric(m, ask) for m in ask.metrics}
        self.ask = ask
        self.tables = frames
        self.subject = "analysis"
        self.edition = "ad hoc"
        self.week_start = ask.now.date()
        self.cutoff = ask.now
        self.currency = "USD"
        self.snapshot_digest = ask.digest
        self.params = cast("Params", _Metrics(metrics))
        self._numbers = {}
        self.watch_list = []  # no decision is known of it
        self.flip_map = None  # nor a plan that was fixed beforehand
        plan = _plan(ask, ids)
        reading = _Undated(plan, metrics, frames.get, last=ask.now.date(), edition="ad hoc")
        over = ask.method != "group-sequential" or reading.units >= (ask.planned or 0)
        reading.ended = reading.complete = over
        self._set_up(reading)

    @cached_property
    def checks_made(self) -> tuple[conclusions.Check, ...]:
        """The gates that need no days, and those of what a file lacks: arms, ids, values."""
        made = [c for c in super().checks_made if c.name not in DATED]
        kept = [c for c in made if c.passed is not None or c.name in {"exposure", "missing-values"}]
        return (*self._accounted(), *kept)

    def _accounted(self) -> list[conclusions.Check]:
        frame = self.tables.get("left_out")
        if frame is None:
            return []
        unknown = int(frame.loc[frame["open"], "count"].sum())
        label = "Rows in no known arm or without an id"
        number = self.add(
            "unaccounted", label, unknown, unit="count", metric="gazette.count", cell="checks", query="left_out"
        )
        return [conclusions.Check(name="accounted", number=number, passed=unknown == 0)]

    @property
    def _clustered(self) -> bool:  # type: ignore[override]  # in a project it is never so
        return self.ask.cluster

    @property
    def _lacks_of_arms(self) -> list[Lack]:
        return []  # they have a table of their own

    def missing(self) -> Table:
        """Rows per arm that lack a metric, the covariate or an id, or do not match their arm."""
        return missing_table(self.lacks, self.plan.variants)

    def segments(self) -> Block | Table:
        """The effect by segment, in the metric's unit too."""
        found = super().segments()
        if not isinstance(found, Table):
            return found
        unit = self.params.metrics[self.plan.primary].unit
        gap = Column("Difference", "points" if unit == "fraction" else unit, signed=True)
        return replace(found, columns={**found.columns, "difference": gap})

    def notes(self) -> list[str]:
        """What was left out, how values were capped, and what could not be adjusted, in words."""
        found = list(self.ask.exclusions)
        caps = self.tables.get("caps")
        for cap in [] if caps is None else caps.to_dict("records"):
            of = "of the values above 0, as that of all is not above 0" if cap["above_zero"] else "of all values"
            found.append(f"{cap['metric']}: capped at {cap['cap']:.6g}, the quantile {cap['quantile']:g} {of}")
        for name, metric in self.params.metrics.items():
            if self.ask.covariate and metric.covariate is None:
                found.append(f"{name}: not adjusted by the covariate, as quantiles are not")
        return found

    def record(self) -> Record:
        """Every number, sentence and verdict."""
        return self._made()


@dataclass(frozen=True)
class _Metrics:
    """All that a bench reads of a project's parameters here."""

    metrics: Mapping[str, Metric]


def _metric(metric: FileMetric, ask: AdHoc) -> Metric:
    """The definition that the file's column amounts to; `model_construct`, for it has no owner and no changelog."""
    ratio = bool(metric.denominator) or (ask.cluster and metric.kind != "ratio")
    aggregation: Any = "any" if metric.kind == "proportion" and not ask.cluster else "sum"
    rows = Fact.model_construct(table="", unit="", time="", aggregation=aggregation)
    adjusted = ask.covariate and not ask.cluster and metric.kind != "quantile"
    content: dict[str, Any] = {
        "unit": UNITS[metric.kind],
        "covariate": Covariate.model_construct(table="", unit="", column="") if adjusted else None,
    }  # its presence matters
    return _Defined.model_construct(
        title=metric.name,
        owner="",
        definition="",
        direction="lower" if metric.name in ask.lower else "higher",
        fact=rows,
        denominator=rows if ratio else None,
        quantile=metric.quantile if metric.kind == "quantile" else None,
        changelog=[],
        **content,
    )


class _Defined(Metric):
    """A definition without a history."""

    @property
    def version(self) -> int:
        """The only one."""
        return 1


def _plan(ask: AdHoc, ids: Mapping[str, str]) -> Experiment:
    unknown = [a for a in ask.shares if a not in ids] + [a for a in ids if ask.shares and a not in ask.shares]
    if unknown:
        raise WrongUseError(
            f"the expected ratio and the arms differ in {', '.join(map(repr, unknown))}",
            where="--expected-ratio",
            mend=f"name a share for each of: {', '.join(ids)}",
        )
    names = [m.name for m in ask.metrics]
    strange = [n for n in (*ask.guardrails, *ask.lower) if n not in names]
    if strange:
        raise WrongUseError(f"no metric {strange[0]!r}", mend=f"metrics are: {', '.join(names)}")
    shares = ask.shares or dict.fromkeys(ids, 1 / len(ids))
    variants = [Variant.model_construct(id=i, title=arm, weight=shares[arm]) for arm, i in ids.items()]
    day = ask.now.date()
    return Experiment.model_construct(
        id="analysis",
        title=ask.title,
        owner="whoever ran this",
        description="",
        hypothesis="not stated",
        start=day,
        end=day,
        control="control",
        variants=variants,
        primary=names[0],
        secondary=[n for n in names[1:] if n not in ask.guardrails],
        guardrails=[Guardrail.model_construct(metric=m, margin=g) for m, g in ask.guardrails.items()],
        alpha=ask.alpha,
        planned_units=ask.planned,
        method=cast("Any", ask.method),
        minimum_effect=ask.minimum,
        tightest_units=ask.planned or 20000,
        minimum_days=0,
        segments=[],
    )
