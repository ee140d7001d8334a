"""Features of every kind: shift, missing and out-of-range values as scipy and pandas say of generated tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from places import Table, cases, filled
from scipy import stats
from scipy.spatial.distance import jensenshannon
from scored import PERIOD, VERSIONS, tables_of
from scored import Case as Scored
from test_models import Page

from gazette.monitoring import Drift
from gazette.record import NotPublished
from gazette.sources import model_answers
from small import scored_model

if TYPE_CHECKING:
    from gazette.sources._engine import Engine

KINDS = {"real": "DOUBLE", "few": "INTEGER", "constant": "DOUBLE", "mostly nought": "DECIMAL(9,2)", "tied": "FLOAT", "truth": "BOOLEAN", "words": "VARCHAR"}  # fmt: skip
LOW, HIGH = -2.0, 20.0
FLOOR = 1e-4


@dataclass(frozen=True)
class Case:
    """Two features, what became of them since training, and what is missing."""

    seed: int = 0
    kinds: tuple[str, str] = ("real", "words")
    trained: int = 120
    rows: int = 80
    moved: bool = False
    missing: float = 0.0
    late: float = 0.0
    twice: float = 0.0  # rows that were loaded again, with other values


@st.composite
def cases_of_features(draw: st.DrawFn) -> Case:
    return Case(
        seed=draw(st.integers(0, 2**31)),
        kinds=(draw(st.sampled_from([*KINDS])), draw(st.sampled_from([*KINDS]))),
        trained=draw(st.integers(30, 300)),
        rows=draw(st.integers(30, 200)),
        moved=draw(st.booleans()),
        missing=draw(st.sampled_from((0.0, 0.1, 0.6))),
        late=draw(st.sampled_from((0.0, 0.1))),
        twice=draw(st.sampled_from((0.0, 0.3))),
    )


def values(kind: str, rng: np.random.Generator, n: int, *, moved: bool) -> np.ndarray:
    shift = 3 if moved else 0
    if kind == "words":
        return rng.choice([*"abcdefghijklmnopqrstuvw", *(["new"] if moved else [])], n, p=_falling(24 if moved else 23))
    if kind == "truth":
        return rng.random(n) < (0.8 if moved else 0.3)
    if kind == "constant":
        return np.full(n, 5.0 + shift)
    if kind == "few":
        return rng.integers(0, 4, n) + shift
    gamma = (rng.gamma(2, 3, n) + shift).round(2)
    if kind == "mostly nought":
        return np.where(rng.random(n) < 0.7, 0.0, gamma)
    return gamma.round() / 2 if kind == "tied" else gamma


def _falling(n: int) -> np.ndarray:
    share = 1 / np.arange(1, n + 1)
    return share / share.sum()


def table_of(case: Case) -> tuple[Table, pd.DataFrame]:
    rng, n = np.random.default_rng(case.seed), case.trained + case.rows
    first, week = pd.Timestamp("2026-10-05"), pd.Timestamp(PERIOD.start)
    seconds = np.concatenate([rng.integers(0, 28 * 86400, case.trained), rng.integers(0, 7 * 86400, case.rows)])
    at = [first + pd.Timedelta(seconds=int(s)) for s in seconds[: case.trained]]
    at += [week + pd.Timedelta(seconds=int(s)) for s in seconds[case.trained :]]
    frame = pd.DataFrame({"id": range(1, n + 1), "at": at})
    frame["loaded"] = frame["at"].where(rng.random(n) > case.late, pd.Timestamp(PERIOD.cutoff))
    columns = {"id": ("BIGINT", [str(i) for i in frame.id])}
    columns |= {c: ("TIMESTAMP", [str(t) for t in frame[c]]) for c in ("at", "loaded")}
    for name, kind in zip("xz", case.kinds, strict=True):
        made = [*values(kind, rng, case.trained, moved=False), *values(kind, rng, case.rows, moved=case.moved)]
        gone = rng.random(n) < case.missing * np.where(np.arange(n) < case.trained, 0.3, 1)
        nothing = (None, "NaN", "Infinity") if KINDS[kind] in {"DOUBLE", "FLOAT"} else (None,)
        texts = [nothing[i % len(nothing)] if g else str(v) for i, (v, g) in enumerate(zip(made, gone, strict=True))]
        columns[name] = (KINDS[kind], texts)
        frame[name] = pd.Series([None if g else v for v, g in zip(made, gone, strict=True)], dtype=object)
    again = np.flatnonzero(rng.random(n) < case.twice)
    other = rng.permutation(n)
    for name, (kind, texts) in columns.items():
        if name == "loaded":
            more = [str(t + pd.Timedelta(minutes=5)) for t in frame.loaded.iloc[again]]
        else:
            more = [texts[i] if name in {"id", "at"} else texts[other[i]] for i in again]
        columns[name] = (kind, [*texts, *more])
    return Table("f", columns), frame


def bins(trained: pd.Series, now: pd.Series, kind: str) -> tuple[np.ndarray, np.ndarray]:
    """Rows of both in each bin: the training's tenths, values that hold a tenth each alone; or its twenty most frequent words."""
    if kind in {"words", "truth"}:
        counts = trained.astype(str).value_counts()
        order = sorted(counts.index, key=lambda w: (-counts[w], w.lower() if kind == "truth" else w))[:20]
        named = [s.astype(str).where(s.astype(str).isin(order), "(other)") for s in (trained, now)]
    else:
        a, b = (s.to_numpy(float) for s in (trained, now))
        often = [v for v, n in pd.Series(a).value_counts().items() if 10 * n >= len(a)]
        edges = np.unique([*np.quantile(a, [i / 10 for i in range(1, 10)]), *often])
        named = [
            pd.Series([f"={v}" if v in often else str((edges < v).sum()) for v in x], dtype=object) for x in (a, b)
        ]
    both = sorted({*named[0], *named[1]})
    return tuple(np.array([(s == word).sum() for word in both]) for s in named)  # type: ignore[return-value]


def check(engine: Engine, case: Case) -> None:
    table, frame = table_of(case)
    features = {"table": "f", "id": "id", "time": "at", "arrived": "loaded", "trained_from": "2026-10-05", "trained_until": "2026-11-02"}  # fmt: skip
    numeric = [n for n, kind in zip("xz", case.kinds, strict=True) if kind not in {"words", "truth"}]
    features["columns"] = {n: {"low": LOW, "high": HIGH} if n in numeric else {} for n in "xz"}  # type: ignore[assignment]
    subject = scored_model("classifier", arrived="loaded", known="known", features=features)
    others, _ = tables_of(Scored(rows=20))
    with filled(engine, [*others, table]) as warehouse:
        answers = model_answers(warehouse, subject, PERIOD, VERSIONS[0])
        page = Page(subject, {a.name: a.table.to_pandas(date_as_object=False) for a in answers}, VERSIONS[0])
    there = frame[frame.loaded < pd.Timestamp(PERIOD.cutoff)]
    trained, week = there[there["at"] < pd.Timestamp("2026-11-02")], there[there["at"] >= pd.Timestamp(PERIOD.start)]
    checks = {c.id: c.value for c in page.checks}
    for name, kind in zip("xz", case.kinds, strict=True):
        if len(week):
            assert checks[f"missing-{name}"] == pytest.approx(week[name].isna().mean()), name
        before, now = trained[name].dropna(), week[name].dropna()
        found = page.drifts[name]
        if min(len(before), len(now)) < 50:
            assert isinstance(found, NotPublished)
            assert "fewer than 50 rows" in found.reason
            continue
        assert isinstance(found, Drift), found
        ours, theirs = bins(before, now, kind)
        p, q = ours / ours.sum(), theirs / theirs.sum()
        assert found.js == pytest.approx(jensenshannon(p, q, base=2), abs=1e-6), f"{name}, {kind}"
        floored = [np.maximum(share, FLOOR) for share in (p, q)]
        assert found.psi == pytest.approx(((floored[1] - floored[0]) * np.log(floored[1] / floored[0])).sum(), abs=1e-9)
        assert found.n == len(now)
        filled_bins = np.array([ours, theirs])[:, ours + theirs > 0]
        together = filled_bins.sum(0) * min(filled_bins.sum(1)) < 5 * filled_bins.sum()  # fewer than five expected rows
        if filled_bins.shape[1] > 1 and not together.any():
            assert found.chance == pytest.approx(stats.chi2_contingency(filled_bins, correction=False).pvalue, rel=1e-6)
        if name in numeric:
            assert found.ks == pytest.approx(stats.ks_2samp(before.astype(float), now.astype(float)).statistic)
            outside = (week[name].astype(float) < LOW) | (week[name].astype(float) > HIGH)
            assert checks[f"range-{name}"] == pytest.approx(outside.mean())


@cases(3, share=0.2)
@given(cases_of_features())
def test_duckdb(duck: Engine, case: Case) -> None:
    check(duck, case)


@pytest.mark.xdist_group("postgres")
@cases(1, share=0.1)
@given(cases_of_features())
def test_postgres(elephant: Engine, case: Case) -> None:
    check(elephant, case)
