"""Tables of a model as companies have them: scores and labels of every type and writing, rows twice, outcomes that come late or never."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from hypothesis import strategies as st
from places import Table

from gazette.sources import Period
from small import scored_model

if TYPE_CHECKING:
    from gazette.params import Model

MONDAY = datetime(2026, 11, 16)  # noqa: DTZ001  the clock of editions is UTC without zone
PERIOD = Period(MONDAY, MONDAY + timedelta(days=7, hours=6), 3)
IDS = (
    ("BIGINT", "BIGINT"),
    ("BIGINT", "VARCHAR"),
    ("VARCHAR", "BIGINT"),
    ("VARCHAR", "VARCHAR"),
    ("HUGEINT", "VARCHAR"),
)
LABELS: dict[str, tuple[str, tuple[str, str], Any]] = {  # a type, how no and yes are written, what the file says
    "ones": ("BIGINT", ("0", "1"), None),
    "small ones": ("TINYINT", ("0", "1"), None),
    "truth": ("BOOLEAN", ("false", "true"), None),
    "real": ("DOUBLE", ("0", "1"), None),
    "decimal": ("DECIMAL(4,1)", ("0", "1"), None),
    "digits": ("VARCHAR", ("0", "1"), None),
    "words": ("VARCHAR", ("in time", "late"), "late"),
    "capitals": ("VARCHAR", ("No", "YES"), "YES"),
    "signs": ("INTEGER", ("-1", "1"), 1),
    "turned signs": ("INTEGER", ("1", "-1"), -1),
    "turned truth": ("BOOLEAN", ("true", "false"), False),
    "real signs": ("DOUBLE", ("-1", "1"), 1),
    "not said": ("INTEGER", ("-1", "1"), None),
    "said wrongly": ("VARCHAR", ("no", "yes"), "Yes"),
}
REFUSED = {"not said": "labels are not 0 and 1", "said wrongly": "no label is 'Yes'"}
SCORES = ("DOUBLE", "FLOAT", "DECIMAL(9,6)", "VARCHAR")
NOTHING = {
    "DOUBLE": (None, "NaN", "Infinity"),
    "FLOAT": (None, "NaN", "-Infinity"),
    "DECIMAL(9,6)": (None,),
    "VARCHAR": (None, "", " "),
}
TRAITS: dict[str, tuple[str | None, ...]] = {  # of a property by its type
    "VARCHAR": ("x", "y", "", " y", "no value", None),
    "BIGINT": ("1", "20", None),
    "BOOLEAN": ("true", "false", None),
}
VERSIONS = ({"live": "2", "baseline": "1"}, {"live": "1.10", "baseline": "1.1"})


@dataclass(frozen=True)
class Case:
    """What is wrong with the tables; the rows follow from the seed."""

    kind: str = "classifier"
    seed: int = 0
    rows: int = 80
    ids: tuple[str, str] = ("BIGINT", "BIGINT")
    noughts: bool = False
    times: str = "TIMESTAMP"
    versions: int = 0
    score: str = "DOUBLE"
    digits: int = 6
    label: str = "ones"
    third: bool = False
    one_class: bool = False
    constant: bool = False
    unscored: float = 0.0
    unlabelled: float = 0.0
    nobody: float = 0.0
    again: float = 0.0
    at_once: bool = False
    corrected: float = 0.0
    hidden: float = 0.0  # rows of which at first nothing is told
    taken_back: float = 0.0  # rows of which at last nothing is told any more
    late: float = 6.0
    whole: bool = True
    outside: bool = False  # scores that are no probabilities
    broken_items: str = ""
    traits: str = "VARCHAR"  # the type of the property by which there are segments
    apart: float = 0.0  # hours between the scores of two versions, on average
    frames: dict[str, pd.DataFrame] = field(default_factory=dict, compare=False, repr=False)


rates = st.sampled_from((0.0, 0.0, 0.05, 0.3))
ITEMS = {"": "", "nought": "ranks start at 1", "negative": "relevance must be 0 or more", "between": "no whole numbers"}


@st.composite
def cases_of_models(draw: st.DrawFn, *kinds: str) -> Case:
    ids = draw(st.sampled_from(IDS))
    return Case(
        kind=draw(st.sampled_from(kinds or ("classifier", "regressor", "ranker"))),
        seed=draw(st.integers(0, 2**31)),
        rows=draw(st.integers(8, 160)),
        ids=ids,
        noughts=ids == ("VARCHAR", "VARCHAR") and draw(st.booleans()),
        times=draw(st.sampled_from(("TIMESTAMP", "TIMESTAMPTZ"))),
        versions=draw(st.integers(0, 1)),
        score=draw(st.sampled_from(SCORES)),
        digits=draw(st.sampled_from((1, 2, 6))),
        label=draw(st.sampled_from([*LABELS])),
        third=draw(st.integers(0, 9)) == 0,
        one_class=draw(st.integers(0, 9)) == 0,
        constant=draw(st.integers(0, 9)) == 0,
        unscored=draw(rates),
        unlabelled=draw(rates),
        nobody=draw(rates),
        again=draw(rates),
        at_once=draw(st.booleans()),
        corrected=draw(rates),
        hidden=draw(rates),
        taken_back=draw(rates),
        late=draw(st.sampled_from((0.0, 6.0, 60.0))),
        whole=draw(st.integers(0, 9)) > 0,
        outside=draw(st.integers(0, 14)) == 0,
        broken_items=draw(st.sampled_from(("", "", "", "", *ITEMS))),
        traits=draw(st.sampled_from([*TRAITS])),
        apart=draw(st.sampled_from((0.0, 0.0, 20.0))),
    )


QUALITY = [
    {"metric": "ready", "column": "ready"},
    {"metric": "ndcg-5", "measure": "ndcg", "k": 5},
    {"metric": "precision-3", "measure": "precision", "k": 3},
]


def model_of(case: Case) -> Model:
    """Its parameters."""
    if case.kind == "ranker":
        where = {k: k for k in ("request", "version", "rank", "relevance")} | {"table": "items"}
        return scored_model(
            "ranker", arrived="loaded", known="known", segments=("g",), scores={"quality": QUALITY, "items": where}
        )
    positive = LABELS[case.label][2] if case.kind == "classifier" else None
    labels = {} if positive is None else {"positive": positive}
    scores = {"threshold": 0.5} if case.kind == "classifier" else {}
    return scored_model(case.kind, arrived="loaded", known="known", segments=("g",), scores=scores, labels=labels)


def _written(at: Any, kind: str, i: int) -> str | None:
    if at is None or pd.isna(at):
        return None
    if kind == "TIMESTAMP":
        return f"{at:%Y-%m-%d %H:%M:%S}"
    hours = (0, 5, -8)[i % 3]
    return f"{at + pd.Timedelta(hours=hours):%Y-%m-%d %H:%M:%S}{hours:+03d}:00"


def _texts(values: Any) -> list[str | None]:
    return [None if v is None or v != v else str(v) for v in values]  # noqa: PLR0124  NaN


def tables_of(case: Case) -> tuple[list[Table], dict[str, pd.DataFrame]]:
    """Tables for a warehouse, and the same rows as frames: ids as text, numbers as numbers, NaN where nothing stands."""
    rng, n = np.random.default_rng(case.seed), case.rows
    names = ["0" * (i % 3) + str(i // 3 + 1) if case.noughts else str(i + 1) for i in range(n)]
    seconds = rng.integers(0, 21 * 86400, n)
    if case.whole:
        seconds[: min(n, 7)] = 14 * 86400 + np.arange(min(n, 7)) * 86400
    at = pd.Series(pd.Timestamp(PERIOD.history_start) + pd.to_timedelta(seconds, unit="s"))
    truth = rng.normal(0, 1.2, n)
    versions = VERSIONS[case.versions]
    parts = []
    for version, noise in ((versions["live"], 0.4), (versions["baseline"], 1.0), ("other", 0.1)):
        latent = truth + rng.normal(0, noise, n)
        score = latent * 10 if case.kind == "regressor" else 1 / (1 + np.exp(-latent))
        part = pd.DataFrame({"id": names, "at": at, "version": version, "score": score.round(case.digits)})
        if case.apart and version != versions["live"]:
            part["at"] += pd.to_timedelta(rng.exponential(3600 * case.apart, n).round(), unit="s")
        parts.append(part[rng.random(n) < 0.9] if version != versions["live"] else part)
    p = pd.concat(parts, ignore_index=True)
    if case.constant:
        p["score"] = 0.25
    if case.outside:
        p.loc[0, "score"] = 1.5
    p["loaded"] = p["at"] + pd.to_timedelta(rng.exponential(3600 * 3, len(p)).round(), unit="s")
    p.loc[rng.random(len(p)) < 0.02, "loaded"] = pd.Timestamp(PERIOD.cutoff)
    again = p[rng.random(len(p)) < case.again].copy()
    again["score"] = (again.score / 2).round(case.digits)
    again["loaded"] += pd.Timedelta(minutes=0 if case.at_once else 5)
    p = pd.concat([p, again], ignore_index=True).sample(frac=1, random_state=case.seed, ignore_index=True)
    p["g"] = rng.choice(np.array(TRAITS[case.traits], dtype=object), len(p))
    p["id"] = p.id.astype(object)
    p.loc[rng.random(len(p)) < case.nobody / 2, "id"] = None
    p["version"] = p.version.astype(object)
    p.loc[rng.random(len(p)) < case.nobody / 2, "version"] = None
    if case.score == "FLOAT":
        p["score"] = p.score.astype(np.float32).astype(float)
    p["written"] = pd.Series([repr(float(v)) for v in p.score], dtype=object)
    for i in np.flatnonzero(rng.random(len(p)) < case.unscored):
        p.loc[i, "score"] = np.nan
        p.loc[i, "written"] = NOTHING[case.score][i % len(NOTHING[case.score])]
    scores = Table("p", {
        "id": (case.ids[0], _texts(p.id)),
        "at": (case.times, [_written(t, case.times, i) for i, t in enumerate(p["at"])]),
        "loaded": (case.times, [_written(t, case.times, i + 1) for i, t in enumerate(p.loaded)]),
        "version": ("VARCHAR", _texts(p.version)),
        "score": (case.score, [*p.written.where(p.written.notna(), None)]),
        "ready": (case.score, [*p.written.where(p.written.notna(), None)]),
        "g": (case.traits, _texts(p.g)),
    })  # fmt: skip
    if case.kind == "ranker":
        table, items = _items(case, rng, p)
        return [scores, table], {"p": p, "items": items}
    table, y = _labels(case, rng, pd.DataFrame({"id": names, "at": at, "truth": truth}))
    return [scores, table], {"p": p, "y": y}


def _labels(case: Case, rng: np.random.Generator, rows: pd.DataFrame) -> tuple[Table, pd.DataFrame]:
    """What became of each row, some of it late, corrected, or not known."""
    n = len(rows)
    y = rows.assign(
        known=rows["at"]
        + pd.to_timedelta((rng.exponential(3600 * case.late, n) if case.late else np.zeros(n)).round(), unit="s")
    )
    if case.kind == "classifier":
        y["label"] = (rng.random(n) < 1 / (1 + np.exp(-2 * rows.truth))).astype(float) * (0 if case.one_class else 1)
        kind, (no, yes), _ = LABELS[case.label]
        y["written"] = pd.Series(np.where(y.label == 1, yes, no), dtype=object)
    else:
        kind = case.score
        y["label"] = (rows.truth * 10).round(2)
        y["label"] = y.label.astype(np.float32).astype(float) if kind == "FLOAT" else y.label
        y["written"] = pd.Series([repr(float(v)) for v in y.label], dtype=object)
    nothing = {"BOOLEAN": (None,), "VARCHAR": (None, ""), "DOUBLE": (None, "NaN"), "FLOAT": (None, "NaN")}.get(
        kind, (None,)
    )
    for i in np.flatnonzero(rng.random(n) < case.unlabelled):
        y.loc[i, "label"], y.loc[i, "written"] = np.nan, nothing[i % len(nothing)]
    corrected = y[rng.random(n) < case.corrected].copy()
    other = {no: yes, yes: no} if case.kind == "classifier" else {}
    corrected["written"] = [other.get(w, w) if w is not None and w == w else w for w in corrected.written]  # noqa: PLR0124  NaN
    corrected["label"] = 1 - corrected.label if case.kind == "classifier" else corrected.label
    corrected["known"] += pd.Timedelta(minutes=7)
    empty = []
    for share, after in ((case.hidden, -3), (case.taken_back, 9)):
        none = y[rng.random(n) < share].copy()
        none["label"], none["written"] = np.nan, nothing[0]
        none["known"] += pd.Timedelta(minutes=after)
        empty.append(none)
    y = pd.concat([y, corrected, *empty], ignore_index=True)
    if case.third and case.kind == "classifier" and kind in {"BIGINT", "INTEGER", "VARCHAR", "DOUBLE"} and len(y):
        y["written"] = y.written.astype(object)
        y.loc[0, "written"] = "7"
        y.loc[0, "known"] = y.loc[0, "at"]
    columns = {"id": (case.ids[1], _texts(y.id)), "label": (kind, _texts(y.written))}
    columns["known"] = (case.times, [_written(t, case.times, i) for i, t in enumerate(y.known)])
    return Table("y", columns), y


def _items(case: Case, rng: np.random.Generator, p: pd.DataFrame) -> tuple[Table, pd.DataFrame]:
    """What was shown to each request of each version; of some requests nothing, or not all of it, or twice."""
    rows: list[tuple[Any, ...]] = []
    for request, version in (
        p.dropna(subset=["id", "version"])[["id", "version"]].drop_duplicates().itertuples(index=False)
    ):
        if rng.random() < 0.05:
            continue
        shown = int(rng.integers(1, 9))
        use = rng.integers(0, 4, shown) * (rng.random(shown) < 0.5)
        rows += [(request, version, float(k + 1), float(u)) for k, u in enumerate(use)]
    items = pd.DataFrame(rows, columns=["request", "version", "rank", "relevance"])
    items.loc[rng.random(len(items)) < case.unlabelled / 10, "relevance"] = np.nan
    items.loc[rng.random(len(items)) < case.unlabelled / 10, "rank"] = np.nan
    if case.broken_items and len(items):
        column, value = {"nought": ("rank", 0.0), "negative": ("relevance", -1.0), "between": ("rank", 1.5)}[
            case.broken_items
        ]
        items.loc[0, column] = value
    items = pd.concat([items, items[rng.random(len(items)) < case.again]], ignore_index=True)
    columns = {"request": (case.ids[1], _texts(items.request)), "version": ("VARCHAR", _texts(items.version))}
    columns |= {c: ("DOUBLE", _texts(items[c])) for c in ("rank", "relevance")}
    return Table("items", columns), items
