"""Cells of few: none is kept, and none can be worked out from those that are. An auditor of its own, by pandas, subtracts what it can."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazette.recompute._segments import large_parts
from gazette.snapshot import SMALL_CELLS, without_small_cells
from gazette.sources import Answer

SIZES = st.one_of(st.integers(0, 30), st.integers(0, 1000))
FEW = st.integers(2, 20)
NAMES = st.one_of(st.none(), st.sampled_from(["at", "ch", "de", "fr", "", "n", "vn"]))


def answer(name: str, rows: list[dict[str, object]]) -> Answer:
    return Answer(name, "SELECT 1\n", pa.Table.from_pylist(rows))


def derivable(
    every: pd.DataFrame, shown: pd.DataFrame, tables: list[str], column: str | None, fewest: int
) -> list[int]:
    """Counts that a reader has or gets by subtraction: cells shown, and all of a table and column less those shown; a whole that is small is not told here."""
    by = [*tables, *([column] if column else [])]
    whole = every.groupby(by)["n"].sum()
    rest = whole.sub(shown.groupby(by)["n"].sum() if len(shown) else 0, fill_value=0)
    return [int(n) for n in [*shown["n"], *rest[whole >= fewest]]]


@given(st.dictionaries(NAMES, st.tuples(SIZES, SIZES, SIZES), min_size=1, max_size=7), FEW)
def test_no_small_segment_of_a_test_is_kept_or_left_by_subtraction(
    sizes: dict[str | None, tuple[int, int, int]], fewest: int
) -> None:
    cells = [(v, a, n) for v, ns in sizes.items() for a, n in zip("abc", ns, strict=True) if n]
    rows = [{"segment": "Country", "value": v, "variant": a, "n": n} for v, a, n in cells]
    if not rows:
        return
    (kept, *told) = without_small_cells([answer("segments", rows)], fewest)
    every, shown = pd.DataFrame(rows), kept.table.to_pandas()
    assert not [n for n in derivable(every, shown, ["segment"], "variant", fewest) if 0 < n < fewest]
    small = every[every["n"] < fewest]
    assert bool(told) == bool(len(small)), "nothing is left out without need"
    whole = every.groupby("value", dropna=False).filter(lambda d: (d["n"] >= fewest).all())
    assert len(shown) == len(every) if small.empty else len(shown) <= len(whole)
    if told:
        (said,) = told[0].table.to_pylist()
        assert told[0].name == SMALL_CELLS
        assert said == {"query": "segments", "of": "Country", "cells": every["value"].nunique(dropna=False) - shown["value"].nunique(dropna=False), "fewest": fewest}  # fmt: skip
    parts = [{"part": "n" if v is None else f"v{v}", "arm": a, "n": n} for v, a, n in cells]
    second = {(r["part"], r["arm"]) for r in large_parts(parts, fewest)}
    first = {("n" if r["value"] is None else f"v{r['value']}", r["variant"]) for r in kept.table.to_pylist()}
    assert second == first, "both computations leave out the same"


@given(
    st.dictionaries(
        st.tuples(st.sampled_from(["at", "ch", "de", None]), st.integers(1, 2), st.sampled_from("12")), SIZES
    ),
    FEW,
)
def test_no_small_segment_of_a_model_is_kept_or_left_by_subtraction_in_any_week(
    sizes: dict[tuple[str | None, int, str], int], fewest: int
) -> None:
    rows = [
        {"segment": "country", "of": of, "week": date(2026, 11, 7 * week), "version": version, "n": n}
        for (of, week, version), n in sizes.items()
        if n
    ]
    if not rows:
        return
    kept = without_small_cells([answer("segments", rows)], fewest)[0]
    every, shown = pd.DataFrame(rows), kept.table.to_pandas()
    assert not [n for n in derivable(every, shown, ["week", "version"], None, fewest) if 0 < n < fewest]


@given(st.dictionaries(st.sampled_from(["007", "a", "b", "c", "(other)"]), st.tuples(SIZES, SIZES)), FEW)
def test_words_that_few_have_count_with_the_others_and_none_is_lost(
    sizes: dict[str, tuple[int, int]], fewest: int
) -> None:
    rows = [
        {"feature": "origin", "bin": word, "part": part, "n": n}
        for word, ns in sizes.items()
        for part, n in zip(("training", "week"), ns, strict=True)
        if n
    ]
    if not rows:
        return
    few_of_a_range = {"feature": "delay", "bin": "0", "part": "week", "n": 1}
    edges = answer("drift_edges", [{"delay__0": 1.0}])
    kept = next(
        a for a in without_small_cells([edges, answer("drift", [*rows, few_of_a_range])], fewest) if a.name == "drift"
    )
    every, shown = pd.DataFrame(rows), kept.table.to_pandas()
    assert len(shown[shown["feature"] == "delay"]) == 1, "a range of numbers is no word"
    shown = shown[shown["feature"] == "origin"]
    assert shown.groupby("part")["n"].sum().equals(every.groupby("part")["n"].sum())
    named = shown[shown["bin"] != "(other)"]
    assert (named["n"] >= fewest).all()
    rest = every.groupby("part")["n"].sum()
    if len(named):
        rest = rest.sub(named.groupby("part")["n"].sum(), fill_value=0)
        assert not [n for n in rest if 0 < n < fewest]


def test_a_day_since_exposure_that_few_did_anything_on_is_not_kept() -> None:
    rows = [
        {"day": d, "variant": v, "n": n, "mean": 2.0}
        for d, v, n in ((0, "a", 40), (0, "b", 41), (1, "a", 9), (1, "b", 30), (2, "a", 12), (2, "b", 14))
    ]
    kept, told = without_small_cells([answer("effect_by_day", rows)], 10)
    assert {r["day"] for r in kept.table.to_pylist()} == {0}
    assert told.table.to_pylist() == [{"query": "effect_by_day", "of": "day", "cells": 2, "fewest": 10}]


@pytest.mark.parametrize("fewest", [0, 1])
def test_a_project_may_keep_them(fewest: int) -> None:
    answers = [answer("segments", [{"segment": "s", "value": "v", "variant": "a", "n": 1}])]
    assert without_small_cells(answers, fewest) == answers
