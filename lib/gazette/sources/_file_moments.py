"""Aggregates of a file's rows per arm: each metric over the rows that have it, and how many have not."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gazette.sources._answer import ROUNDING, column_of
from gazette.sources._file_people import Finding
from gazette.sources._largest import HUNDRED
from gazette.sources._quantiles import bounding
from gazette.sources._thirds import named

if TYPE_CHECKING:
    import pandas as pd

    from gazette.sources._file_metric import FileMetric
    from gazette.sources._file_people import People

__all__ = ["Moments"]

MOST_SEGMENTS = 50  # a chart of more says nothing
ADJUSTED = ("proportion", "mean", "count", "capped", "ratio")


class Moments:
    """Tables of one question, from rows that are accounted for.

    Args:
        people: Rows with their arm.
    """

    def __init__(self, people: People) -> None:
        self.people = people
        self.question = people.question
        self.connection = people.table.connection
        self.column = {c: f"v{i}" for i, c in enumerate(self.question.numbers)}
        self.findings: list[Finding] = []
        self.caps: list[dict[str, Any]] = []
        self.lacks = False  # whether somebody lacks the covariate
        self.middles: dict[str, float | None] = {}  # means of columns, from which distances are small
        self.measured()

    def frame(self, sql: str) -> pd.DataFrame:
        """Answer of a query."""
        return self.connection.execute(sql).df()

    def measured(self) -> None:
        """The view ``gz_measured``: x (the metric) and y (its denominator) over the same rows, and z (the covariate at its mean)."""
        question, source = self.question, self.people.source
        caps = self._caps()
        parts = ["a", "g", *(["s"] if question.segment else []), *(["k"] if question.cluster else [])]
        for i, metric in enumerate(question.metrics):
            x = self.column[metric.column]
            if metric.kind == "ratio":
                y = self.column[metric.denominator]
                there = f"g AND {x} IS NOT NULL AND {y} IS NOT NULL"
                parts += [f"CASE WHEN {there} THEN {v} END AS {n}{i}" for v, n in ((x, "x"), (y, "y"))]
            else:
                value = (
                    f"CASE WHEN {x} IS NOT NULL THEN least({x}, {caps[metric.name]!r}::DOUBLE) END"
                    if metric.name in caps
                    else x
                )
                parts.append(f"{value if self.people.all_count else f'CASE WHEN g THEN {value} END'} AS x{i}")
        if question.covariate:
            z = self.column[question.covariate]
            found = self.connection.execute(
                f"SELECT avg({z}) FILTER (g), count(*) > count({z}) FROM {source}"
            ).fetchone()
            mean, self.lacks = found or (0.0, False)
            parts += [f"coalesce({z}, {float(mean or 0.0)!r}) AS z", f"({z} IS NULL)::INT::DOUBLE AS l"]
        self.connection.execute(f"CREATE VIEW gz_measured AS SELECT {', '.join(parts)} FROM {source}")
        self.source = "gz_measured"
        if question.cluster:
            self._by_cluster()

    def _caps(self) -> dict[str, float]:
        """Caps by metric: the quantile of all values, or of those above 0 where that is not above 0."""
        found = {}
        for metric in self.question.metrics:
            if metric.kind != "capped":
                continue
            x, q = self.column[metric.column], metric.quantile
            row = self.connection.execute(
                f"SELECT quantile_cont({x}, {q!r}), quantile_cont({x}, {q!r}) FILTER ({x} > 0), "
                f"count(*) FILTER ({x} > 0) FROM {self.people.source} WHERE g"
            ).fetchone()
            whole, above, _ = row or (None, None, 0)
            cap = whole if whole is not None and whole > 0 else above if above is not None else whole
            found[metric.name] = float(cap or 0.0)
            self.caps.append(
                {"metric": metric.name, "quantile": q, "cap": found[metric.name], "above_zero": cap is not whole}
            )
        return found

    def _by_cluster(self) -> None:
        """One row a cluster: sums over the rows that have the metric, and how many these are; so that means become ratios."""
        parts = ["count(*) FILTER (g) AS counted"]
        for i, metric in enumerate(self.question.metrics):
            below = f"sum(y{i})" if metric.kind == "ratio" else f"nullif(count(x{i}), 0)::DOUBLE"
            parts += [f"sum(x{i}) AS x{i}", f"{below} AS y{i}", f"1 - count(x{i}) / count(*) FILTER (g) AS share{i}"]
            parts.append(f"count(*) FILTER (g AND x{i} IS NULL) AS without{i}")
        if self.question.segment:
            parts.append("CASE WHEN count(DISTINCT s) > 1 THEN 'several' ELSE min(s) END AS s")
        self.connection.execute(
            f"CREATE TEMP TABLE gz_clusters AS SELECT min(a) AS a, bool_or(g) AS g, {', '.join(parts)} FROM {self.source} GROUP BY k"
        )
        self.source = "gz_clusters"

    # ---- moments

    def arms(self) -> pd.DataFrame:
        """Per arm: n (all who were assigned), and of each metric n, mean and variance, with those of denominator and covariate."""
        question = self.question
        counts = [
            "count(*) FILTER (g) AS gz_rows",
            *(["sum(l) AS gz_lack"] if question.covariate and not question.cluster else []),
        ]
        shares = [i for i, m in enumerate(question.metrics) if m.kind == "proportion" and not question.cluster]
        counts += [f"count(*) FILTER (x{i} NOT IN (0, 1)) AS gz_other{i}" for i in shares]
        asked = ", ".join([*self._measures(), *counts])
        frame = self.frame(f"SELECT a AS variant, {asked} FROM {self.source} GROUP BY 1 ORDER BY 1")
        for i, metric in enumerate(question.metrics):
            if metric.kind == "proportion" and (question.cluster or frame[f"gz_other{i}"].sum()):
                self._check_shares(metric)
        self.counted = frame
        frame = frame[[c for c in frame.columns if not c.startswith("gz_")]]
        return self._with_ranks(frame, {"variant": "a"}, question.metrics)

    def _measures(self, metrics: Sequence[FileMetric] | None = None) -> list[str]:
        question, found = self.question, ["count(*) AS n"]
        adjusts = question.covariate and not question.cluster
        for i, metric in enumerate(question.metrics if metrics is None else metrics):
            x, column = f"x{i}", column_of(metric.name)
            found += [f"count({x}) AS {column}_n", f"avg({x}) AS {column}_mean", f"var_samp({x}) AS {column}_var"]
            others = []
            if metric.kind == "ratio" or question.cluster:
                others.append(("den", f"y{i}"))
            if adjusts and metric.kind in ADJUSTED:
                there = f"{x} IS NOT NULL"
                others.append(("pre", f"CASE WHEN {there} THEN z END"))
                if self.lacks:
                    others.append(("lack", f"CASE WHEN {there} THEN l END"))
                    found.append(f"covar_samp(CASE WHEN {there} THEN z END, l) AS {column}_lack_pre_cov")
            if metric.kind != "quantile":
                found += self._thirds(column, {"": x, **dict(others)})
            for part, other in others:
                found += [
                    f"avg({other}) AS {column}_{part}_mean",
                    f"var_samp({other}) AS {column}_{part}_var",
                    f"covar_samp({x}, {other}) AS {column}_{part}_cov",
                ]
                if part != "den" and metric.kind == "ratio":
                    found.append(f"covar_samp(y{i}, {other}) AS {column}_den_{part}_cov")
                if part == "den":
                    found += [f"avg(({other}) ** {k}) AS {column}_den_power{k}" for k in (4, 5)]
        return found

    def _thirds(self, column: str, others: Mapping[str, str]) -> list[str]:
        """Third central moments of a metric, with what it is divided by or explained by."""
        parts = [p for p in ("den", "pre") if p in others]
        letters = {"": "x", "lack": "l", **dict(zip(parts, "yp", strict=False))}
        names = {letters[p]: f"{column}_{p}" if p else column for p in others}
        values = {letters[p]: sql for p, sql in others.items()}
        if missing := [sql for sql in values.values() if sql not in self.middles]:
            row = self.connection.execute(
                f"SELECT {', '.join(f'avg({v})' for v in missing)} FROM {self.source}"
            ).fetchone()
            self.middles |= dict(zip(missing, row or (), strict=True))
        around = {letter: f"({sql} - {self.middles[sql] or 0.0!r})" for letter, sql in values.items()}

        def mean(factors: str) -> str:
            return f"avg({' * '.join(around[f] for f in factors)})"

        return [f"{_central(factors, mean)} AS {name}" for name, factors in named(names)]

    def _check_shares(self, metric: FileMetric) -> None:
        column = self.column[metric.column]
        n, example = self.connection.execute(
            f"SELECT count(*), any_value({column}) FROM {self.people.source} WHERE {column} NOT IN (0, 1)"
        ).fetchone() or (0, None)
        if n:
            self.findings.append(
                Finding(
                    kind="share",
                    what=f"column {metric.column!r} holds other values than 0 and 1 in {n:,} rows, such as {example:g}",
                    mend=f"write {metric.name}:mean:{metric.column}, or name a column of 0 and 1",
                    count=int(n),
                    weight="stops",
                )
            )

    def missing(self) -> pd.DataFrame:
        """What is missing, per arm: rows without a value of a metric or of the covariate, without an id, or of another page.

        Of clusters there is also the mean of their shares of rows without, and its variance. To be asked for after the arms.
        """
        import pandas as pd  # noqa: PLC0415

        question, counted, frames = self.question, self.counted, []
        for i, metric in enumerate(question.metrics):
            title = metric.column + (f" or {metric.denominator}" if metric.denominator else "")
            if question.cluster:
                one = self.frame(
                    f"SELECT a AS variant, count(*) AS n, sum(counted)::BIGINT AS rows, sum(without{i})::BIGINT AS missing, "
                    f"avg(share{i}) AS mean, var_samp(share{i}) AS variance FROM {self.source} GROUP BY a ORDER BY a"
                )
            else:
                one = counted[["variant", "n"]].assign(rows=counted.gz_rows)
                one["missing"] = counted.gz_rows - counted[f"{column_of(metric.name)}_n"]
            frames.append(one.assign(metric=metric.name, what=f"no {title}"))
        whole = counted[["variant", "n"]].assign(rows=counted.n, missing=counted.n - counted.gz_rows)
        if question.cluster:
            whole = self.frame(
                f"SELECT a AS variant, count(*) AS n, count(*) AS rows, count(*) FILTER (NOT g) AS missing FROM {self.people.source} GROUP BY a ORDER BY a"
            )
        if question.covariate:
            frames.append(whole.assign(missing=counted.gz_lack, metric="", what=f"no {question.covariate}"))
        out = [
            *([f"no {question.unit}"] if question.unit else []),
            *([f"another {question.matches}"] if question.matches else []),
        ]
        if out:
            frames.append(whole.assign(metric="", what=" or ".join(out)))
        found = pd.concat(frames, ignore_index=True)
        return found[found.groupby(["metric", "what"])["missing"].transform("sum") > 0].reset_index(drop=True)

    # ---- quantiles and segments

    def _with_ranks(self, frame: pd.DataFrame, by: dict[str, str], metrics: Sequence[FileMetric]) -> pd.DataFrame:
        """Adds the sample quantile and the two order statistics that bound it."""
        keys = ", ".join(by.values())
        for i, metric in enumerate(metrics):
            if metric.kind != "quantile":
                continue
            q, column = metric.quantile, column_of(metric.name)
            shift, reach = bounding(q)
            low, high = (f"n * {q!r} + {shift!r} {side} {reach!r} * sqrt(n)" for side in "-+")
            ends = {
                "quantile": f"greatest(ceil(n * {q!r} - {ROUNDING!r}), 1)",
                "low": f"greatest(floor({low}), 1)",
                "high": f"least(ceil({high}) + 1, n)",
            }
            marks = ", ".join(
                f"max(x) FILTER (r = {rank}) AS {column}_{mark}, max({rank}) AS {column}_{mark}_rank"
                for mark, rank in ends.items()
            )
            ranked = (
                f"SELECT {', '.join(f'{sql} AS {name}' for name, sql in by.items())}, x{i} AS x, "
                f"row_number() OVER (PARTITION BY {keys} ORDER BY x{i}) AS r, count(*) OVER (PARTITION BY {keys})::DOUBLE AS n "
                f"FROM {self.source} WHERE x{i} IS NOT NULL"
            )
            names = ", ".join(by)
            frame = frame.merge(
                self.frame(f"SELECT {names}, {marks} FROM ({ranked}) GROUP BY {names}"), how="left", on=list(by)
            )
        return frame

    def largest(self) -> pd.DataFrame | None:
        """Per metric of amounts and arm: the total without signs, and that of the largest in a hundred rows or clusters; None without such a metric.

        Of a ratio it is the numerator's; of clusters every metric is a total that is divided.
        """
        kinds = {"mean", "count", "capped", "ratio", *(["proportion"] if self.question.cluster else [])}
        parts = [
            f"SELECT {metric.name!r} AS metric, variant, sum(value) FILTER (rank * {HUNDRED} < units) AS top, sum(value) AS whole FROM ("
            f"SELECT a AS variant, abs(x{i}) AS value, row_number() OVER (PARTITION BY a ORDER BY abs(x{i}) DESC) - 1 AS rank, "
            f"count(*) OVER (PARTITION BY a) AS units FROM {self.source} WHERE x{i} IS NOT NULL) GROUP BY variant"
            for i, metric in enumerate(self.question.metrics)
            if metric.kind in kinds
        ]
        return self.frame(" UNION ALL ".join(parts) + " ORDER BY metric, variant") if parts else None

    def segments(self) -> pd.DataFrame:
        """The primary metric per arm and value of the segment."""
        first, title = self.question.metrics[:1], self.question.segment
        by = {"value": "s", "variant": "a"}
        frame = self.frame(
            f"SELECT {by['value']} AS value, a AS variant, {', '.join(self._measures(first))} FROM {self.source} GROUP BY 1, 2 ORDER BY 1, 2"
        )
        if (found := frame["value"].nunique()) > MOST_SEGMENTS:
            self.findings.append(
                Finding(
                    kind="segments",
                    what=f"column {title!r} has {found:,} values, too many for segments",
                    mend="name a column with few values",
                    weight="stops",
                )
            )
            return frame
        frame.insert(0, "segment", title)
        return self._with_ranks(frame, by, first)


def _central(letters: str, mean: Callable[[str], str]) -> str:
    """SQL of the mean product of three distances from the group's means, from mean products of distances from anywhere."""
    a, b, c = (letters[i] for i in range(3))
    apart = " - ".join(f"{mean(one)} * {mean(two)}" for one, two in ((a, b + c), (b, a + c), (c, a + b)))
    return f"{mean(letters)} - {apart} + 2 * {mean(a)} * {mean(b)} * {mean(c)}"
