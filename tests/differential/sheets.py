"""Files of an A/B test as people export them: ids that look like numbers, numbers that look like text, nothing in many writings, rows twice."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import strategies as st

if TYPE_CHECKING:
    from pathlib import Path

ARMS = (("A", "B"), ("A", "B"), ("A", "B", "C"), ("1.10", "1.1"), ("0", "1"), ("007", "7"), ("alt", "neu "))
NOTHING = ("", " ", "nan", "NaN", "inf", "-Infinity")
NUMBERS = {
    "whole": pa.int32(), "late decimals": pa.float64(), "decimals": pa.decimal128(12, 2), "real": pa.float64(), "truth": pa.bool_(), "text": pa.string(),
}  # fmt: skip
MEASURES = ("bought:proportion", "spend:mean", "visits:count", "r:ratio:spend/visits", "med:median:spend", "p90:p90:spend", "cap:capped80:spend")  # fmt: skip


@dataclass(frozen=True)
class Sheet:
    """What is wrong with a file, and what its owner declares; the rows follow from the seed."""

    seed: int = 0
    rows: int = 60
    parquet: bool = False
    separator: str = ","
    arms: tuple[str, ...] = ("A", "B")
    unit: bool = True
    ids: str = "whole"
    numbers: str = "real"
    negative: bool = False
    ties: bool = False
    rare: bool = False
    missing: float = 0.0
    nothing: tuple[str, ...] = ("",)
    words: bool = False
    declared: bool = False  # what the words mean
    repeated: float = 0.0
    alike: bool = False
    crossed: float = 0.0
    first: bool = False
    distinct: bool = False
    spelt: float = 0.0
    spelling: str = ""  # alias, exclude or nothing
    no_arm: float = 0.0
    no_id: float = 0.0
    left_out: bool = False  # declared: rows without an arm or id
    holdout: bool = False
    cluster: bool = False
    covariate: bool = False
    segment: bool = False
    matches: bool = False  # a page that should be the arm's
    other_page: float = 0.0
    measures: tuple[str, ...] = ("spend:mean",)


rates = st.sampled_from((0.0, 0.0, 0.02, 0.2))


@st.composite
def cases_of_sheets(draw: st.DrawFn) -> Sheet:
    cluster = draw(st.integers(0, 4)) == 0
    parquet = draw(st.booleans())
    measures = draw(
        st.lists(st.sampled_from(MEASURES[:4] if cluster else MEASURES), min_size=1, max_size=4, unique=True)
    )
    arms = draw(st.sampled_from(ARMS))
    unit = draw(st.booleans()) and not cluster
    return Sheet(
        seed=draw(st.integers(0, 2**31)),
        rows=draw(st.integers(4, 240)),
        parquet=parquet,
        separator=draw(st.sampled_from(",;\t|")),
        arms=arms,
        unit=unit,
        ids=draw(st.sampled_from(("whole", "long", "noughts", "versions", "real"))),
        numbers=draw(st.sampled_from([*NUMBERS])),
        negative=draw(st.booleans()),
        ties=draw(st.booleans()),
        rare=draw(st.booleans()),
        missing=draw(rates),
        nothing=tuple(draw(st.lists(st.sampled_from(NOTHING), min_size=1, max_size=3))),
        words=draw(st.integers(0, 5)) == 0,
        declared=draw(st.booleans()),
        repeated=draw(rates),
        alike=draw(st.booleans()),
        crossed=draw(rates),
        first=draw(st.booleans()),
        distinct=draw(st.booleans()),
        spelt=draw(rates),
        spelling=draw(st.sampled_from(("alias", "exclude", ""))),
        no_arm=draw(rates),
        no_id=draw(rates),
        left_out=draw(st.booleans()),
        holdout=draw(st.booleans()) and len(arms) == 2,
        cluster=cluster,
        covariate=draw(st.booleans()) and not cluster,
        segment=draw(st.booleans()) and len(arms) == 2,
        matches=draw(st.booleans()) and not unit and not cluster,
        other_page=draw(rates),
        measures=tuple(measures),
    )


def _id(kind: str, i: int) -> str:
    return {
        "whole": str(i + 1),
        "long": str(12345678901234567890 + i),
        "noughts": "0" * (i % 4) + str(i // 4 + 1),
        "versions": f"1.{2 * (i // 3) + 1}" + "0" * (i % 3),
        "real": str(i + 1),
    }[kind]


def frame_of(sheet: Sheet) -> pd.DataFrame:
    """The file as texts, None where nothing stands; numbers beside them under ``=NAME``, NaN where none stands."""
    rng, n = np.random.default_rng(sheet.seed), sheet.rows
    arms = [*sheet.arms, *(["holdout"] if sheet.holdout else [])]
    frame = pd.DataFrame({"uid": [_id(sheet.ids, i) for i in range(n)], "arm": rng.choice(arms, n)}, dtype=object)
    seconds = rng.permutation(n * 4)[:n]
    frame["at"] = [
        f"2026-11-{1 + s // 86400:02d} {s // 3600 % 24:02d}:{s // 60 % 60:02d}:{s % 60:02d}" for s in seconds * 37
    ]
    frame["store"] = [f"s{i}" for i in rng.integers(0, max(2, n // 6), n)]
    if sheet.cluster:  # shops are assigned, with all that happens there
        of = dict(zip(frame.store, frame.arm, strict=True))
        frame["arm"] = frame.store.map(of).astype(object)
        frame.loc[rng.random(n) < sheet.crossed / 4, "arm"] = arms[0]
    frame["seg"] = rng.choice(np.array(["x", "01", "1", None], dtype=object), n)
    pages = {arm: f"page {i}" for i, arm in enumerate(arms)}
    frame["page"] = frame.arm.map(pages).astype(object)
    elsewhere = rng.random(n) < sheet.other_page if sheet.matches else np.zeros(n, bool)
    frame.loc[elsewhere, "page"] = [("page 0", None)[i % 2] for i in range(int(elsewhere.sum()))]
    frame["=bought"] = (rng.random(n) < (0.03 if sheet.rare else 0.4)).astype(float)
    spend = (rng.gamma(1.2, 9, n) - (8 if sheet.negative else 0)).round(2)
    spend = spend.round(-1) if sheet.ties else spend
    if sheet.numbers in {"whole", "truth"}:
        spend = spend.round() if sheet.numbers == "whole" else (spend > 5).astype(float)
    if sheet.numbers == "late decimals":
        spend = np.where(np.arange(n) < n * 0.9, spend.round(), spend)
    frame["=spend"], frame["=visits"] = spend, rng.integers(0, 5, n).astype(float)
    frame["=before"] = rng.gamma(2, 5, n).round(3)
    for column in ("bought", "spend", "visits", "before"):
        _written(sheet, rng, frame, column)
    frame.loc[rng.random(n) < sheet.no_arm, "arm"] = None
    frame.loc[rng.random(n) < sheet.no_id, "store" if sheet.cluster else "uid"] = None
    spelt = (rng.random(n) < sheet.spelt) & frame.arm.isin(sheet.arms)
    frame.loc[spelt, "arm"] = [f"{a} " for a in frame.arm[spelt]]
    return _twice(sheet, rng, frame)


def _written(sheet: Sheet, rng: np.random.Generator, frame: pd.DataFrame, column: str) -> None:
    values, n = frame[f"={column}"].to_numpy(copy=True), len(frame)
    kind = sheet.numbers if column == "spend" else "whole" if column in {"bought", "visits"} else "real"
    texts: list[str | None] = [repr(float(v)) for v in values]
    if kind == "whole" or (kind == "late decimals" and not sheet.parquet):
        texts = [str(int(v)) if v == int(v) else repr(float(v)) for v in values]
    if kind == "truth":
        texts = [str(v == 1).lower() if i % 3 else str(v == 1) for i, v in enumerate(values)]
    real = kind in {"real", "late decimals", "text"} or not sheet.parquet
    for i in np.flatnonzero(rng.random(n) < sheet.missing):
        nothing = sheet.nothing[i % len(sheet.nothing)]
        texts[i], values[i] = (
            (nothing if real and nothing.strip() else None if sheet.parquet and kind != "text" else nothing),
            np.nan,
        )
    if sheet.words and column == "spend" and (kind == "text" or not sheet.parquet):
        for i in rng.permutation(n)[:2]:
            texts[i], values[i] = "n/a", np.nan
    frame[column] = pd.Series(texts, dtype=object)
    frame[f"={column}"] = values


def _twice(sheet: Sheet, rng: np.random.Generator, frame: pd.DataFrame) -> pd.DataFrame:
    """Rows that came twice, alike or later, and units in another arm as well."""
    if sheet.cluster:
        return frame
    again = frame[rng.random(len(frame)) < sheet.repeated].copy()
    if not sheet.alike:
        again["at"] = [f"2026-12-01 {i // 60 % 24:02d}:{i % 60:02d}:00" for i in range(len(again))]
    other = frame[(rng.random(len(frame)) < sheet.crossed) & frame.arm.isin(sheet.arms)].copy()
    turned = dict(zip(sheet.arms, [*sheet.arms[1:], sheet.arms[0]], strict=True))
    other["arm"] = other.arm.map(turned)
    other["at"] = [f"2026-12-02 {i // 60 % 24:02d}:{i % 60:02d}:00" for i in range(len(other))]
    return pd.concat([frame, again, other], ignore_index=True).sample(
        frac=1, random_state=sheet.seed, ignore_index=True
    )


COLUMNS = ("uid", "arm", "at", "store", "seg", "page", "bought", "spend", "visits", "before")


def write(sheet: Sheet, frame: pd.DataFrame, folder: Path) -> Path:
    """The file."""
    texts = {c: [None if v is None or v != v else str(v) for v in frame[c]] for c in COLUMNS}  # noqa: PLR0124  NaN
    if not sheet.parquet:
        path = folder / "users.csv"
        with path.open("w", newline="", encoding="utf-8") as stream:
            lines = csv.writer(stream, delimiter=sheet.separator, lineterminator="\n")
            lines.writerow(COLUMNS)
            lines.writerows(["" if v is None else v for v in row] for row in zip(*texts.values(), strict=True))
        return path
    path = folder / "users.parquet"
    real = {"whole": pa.int64(), "real": pa.float64()}
    kinds = {
        "uid": real.get(sheet.ids, pa.string()),
        "spend": NUMBERS[sheet.numbers],
        "bought": pa.int64(),
        "visits": pa.int16(),
        "before": pa.float64(),
    }
    pq.write_table(pa.table({c: _typed(texts[c], kinds.get(c, pa.string())) for c in COLUMNS}), path)
    return path


def _typed(texts: list[str | None], kind: pa.DataType) -> pa.Array:
    if pa.types.is_boolean(kind):
        return pa.array([None if t is None else t.lower() == "true" for t in texts], kind)
    if pa.types.is_floating(kind):
        return pa.array([None if t is None else float(t) for t in texts], kind)
    if pa.types.is_integer(kind):
        return pa.array([None if t is None else int(t) for t in texts], kind)
    return pa.array(texts, pa.string()).cast(kind)


def options(sheet: Sheet) -> list[str]:
    """What its owner asks for."""
    said = ["--variant", "arm", "--control", sheet.arms[0]]
    for measure in sheet.measures:
        said += ["--metric", measure]
    said += ["--unit", "uid"] if sheet.unit else []
    said += ["--cluster", "store"] if sheet.cluster else []
    said += ["--covariate", "before"] if sheet.covariate else []
    said += ["--segment", "seg"] if sheet.segment else []
    said += ["--matches", "page"] if sheet.matches else []
    said += ["--first", "at"] if sheet.first and sheet.unit else []
    said += ["--distinct"] if sheet.distinct else []
    said += ["--missing", "n/a"] if sheet.declared else []
    return said


def declared(sheet: Sheet, frame: pd.DataFrame) -> list[str]:
    """Spellings and those who are left out, as far as the file has them."""
    said: list[str] = []
    written = {str(a) for a in frame.arm if a is not None and a == a}  # noqa: PLR0124  NaN
    for arm in sheet.arms:
        if f"{arm} " in written and f"{arm} " not in sheet.arms:
            said += {"alias": ["--alias", f"{arm} ={arm}"], "exclude": ["--exclude-arm", f"{arm} "], "": []}[
                sheet.spelling
            ]
    if sheet.left_out:
        said += ["--exclude-arm", "no variant", "--exclude-arm", "no id"]
    if sheet.holdout and "holdout" in written:
        said += ["--exclude-arm", "holdout"]
    return said


def texts_of(values: Any) -> pd.Series:
    """Texts of which blanks alone are nothing."""
    found = pd.Series(values, dtype=object)
    return found.where(found.notna() & (found.astype(str).str.strip() != ""), None)
