"""The small form of the table of errors and coverage (docs/errors.md): what it says holds, and its words mean what they say."""

from __future__ import annotations

import json
from pathlib import Path

import errors
import numpy as np
import pytest
from rows import Kind, Row, _looks, _tests, _users, row

ROOT = Path(__file__).parents[2]
HELD = {"held", "conservative", "withheld"}
DESIGNS = {"O'Brien-Fleming": ("group-sequential", "obrien-fleming")}


@pytest.mark.parametrize(
    ("measure", "hits", "of", "word"),
    [
        ("errs", 50, 1000, "held"),
        ("errs", 62, 1000, "held"),  # 5 % could bring that
        ("errs", 90, 1000, "not held"),
        ("errs", 10, 1000, "conservative"),
        ("covers", 950, 1000, "held"),
        ("covers", 880, 1000, "not held"),
        ("covers", 995, 1000, "conservative"),
        ("power", 800, 1000, "held"),
        ("power", 600, 1000, "not held"),
        ("errs", 5, 15, "withheld"),
    ],
)
def test_the_word_of_a_row(measure: Kind, hits: int, of: int, word: str) -> None:
    found = [i < hits for i in range(of)] + [None] * (1000 - of if of == 15 else 0)
    assert row("a part", "what", measure, found).word == word


def test_what_is_published_of_few_and_wrong_is_not_called_withheld() -> None:
    assert row("a part", "what", "errs", [True] * 30 + [False] * 70 + [None] * 200).word == "not held"
    assert row("a part", "what", "errs", [False] * 95 + [True] * 5 + [None] * 200).word == "withheld"


def test_aggregates_of_the_simulation_are_those_of_numpy() -> None:
    case = _users.CASES["ratio"]
    (looks,) = _users.aggregates(case, np.random.default_rng(3), 1, (30, 10), effect=0.5, looks=2)
    drawn = case.draw(np.random.default_rng(3), (1, 40))
    own, den = drawn["value"][0, 30:] * 1.5, drawn["den"][0, 30:]
    found = looks[1]["b"]
    assert found["n"] == 10
    assert looks[0]["b"]["n"] == 5
    assert (found["m_m_mean"], found["m_m_den_var"]) == pytest.approx((own.mean(), den.var(ddof=1)))
    assert found["m_m_den_cov"] == pytest.approx(np.cov(own, den)[0, 1])


@pytest.mark.parametrize(("kind", "arms"), [("share", (900, 100)), ("mean", (180, 20)), ("ratio", (300, 300))])
def test_one_look_errs_and_covers_as_it_says(kind: str, arms: tuple[int, int]) -> None:
    words = {f"{r.what}, {r.measure}": r.word for r in _tests.one_look(_users.CASES[kind], arms, 150)}
    assert len(words) == 4
    assert {*words.values()} <= HELD, words


def test_four_looks_err_as_they_say() -> None:
    rows = _tests.several_looks(_users.CASES["mean"], (100, 100), 80, designs=DESIGNS)
    assert [r.word for r in rows if r.now is not None and r.now < 0.1] != []
    assert {r.word for r in rows} <= HELD


def test_few_clusters_err_as_they_say_at_planned_looks() -> None:
    """Five and five of nearly one size, which are always published; by normal values at looks 16 of 100 were wrong (unequal sizes)."""
    (found,) = _tests.growing(_users.CASES["clusters"], (5, 5), 150, designs=DESIGNS, weekly=0.0, spread=0.1)
    assert found.withheld == 0
    assert found.word in HELD


def test_ends_that_move_and_sizes_that_are_put_off_release_nothing() -> None:
    """Where all error was released at an end that was moved to where it looked good, 19 of 100 were wrong."""
    rows = _looks.end_moved(100, method="fixed", spending="obrien-fleming", before=0.192)
    rows += _looks.put_off(100, method="group-sequential", before=0.082)
    assert {r.word for r in rows} <= HELD
    assert all(r.now is not None and r.before is not None and r.now < r.before for r in rows)


def test_the_printed_table_is_that_of_the_kept_rows() -> None:
    kept = json.loads((ROOT / "bench" / "errors.json").read_text())
    fields = {*Row.__dataclass_fields__, "word"}
    assert all(set(r) == fields for r in kept)
    again = [Row(**{k: v for k, v in r.items() if k != "word"}).word for r in kept]
    assert again == [r["word"] for r in kept]
    text = (ROOT / "docs" / "errors.md").read_text()
    runs = next(line for line in text.splitlines() if line.startswith("Runs: "))
    assert text == errors.markdown(kept, runs)
