"""How predictions fared, in words: what an honest series says, and when nothing is said."""

from __future__ import annotations

import numpy as np
import pytest

from gazette.register import Outcome
from gazette.site._scored import FEWEST, scores_html
from gazette.stats import Prediction

EVIL = "<script>alert(1)</script>"


def series(kept: float, n: int, *, title: str = "Test", shipped: bool = True) -> list[Outcome]:
    """Tests of whose promises so large a share came true."""
    noise = np.random.default_rng(4).normal(0, 0.01, (2, n))
    return [
        Outcome(
            f"t{i}",
            f"t{i}",
            title,
            "ctr",
            "higher",
            shipped,
            "later",
            Prediction(0.06 + a, 0.01, kept * 0.06 + b, 0.01),
        )
        for i, (a, b) in enumerate(noise.T)
    ]


def test_an_honest_series_is_not_called_optimistic() -> None:
    html = scores_html(series(1.0, 40), {"ctr": "Clicks"})
    for words in ("Ranges hold", "No bias seen", "No winner’s curse seen"):
        assert words in html
    assert "✗ Too" not in html


@pytest.mark.parametrize(("n", "says"), [(FEWEST - 1, True), (FEWEST, False)])
def test_below_the_stated_count_nothing_is_said_but_outcomes_are_shown(n: int, says: bool) -> None:
    html = scores_html(series(0.5, n), {"ctr": "Clicks"})
    assert ("Too few to say" in html) is says
    assert ("Too much was promised" in html) is not says
    assert html.count("<tr>") == n + (1 if says else 1 + 1 + 4)


def test_the_curse_is_not_read_from_tests_that_nobody_shipped() -> None:
    html = scores_html(series(0.5, 12, shipped=False), {})
    assert "Winner's curse: only 0 shipped tests" in html


def test_without_an_outcome_the_page_says_how_to_record_one_and_escapes_titles() -> None:
    assert "gazette score DECISION" in scores_html([], {})
    html = scores_html(series(1.0, 6, title=EVIL), {"ctr": EVIL})
    assert EVIL not in html
    assert "&lt;script&gt;" in html


def mixed(spread: float, told: float, n: int = 200) -> list[Outcome]:
    """Tests whose true effects vary; each is promised as its own noisy figure, said to be more certain than it is where ``told`` < 1."""
    rng = np.random.default_rng(6)
    true = rng.normal(0, spread, n)
    first, later = true + rng.normal(0, 0.02, n), true + rng.normal(0, 0.005, n)
    return [
        Outcome(f"t{i}", f"t{i}", "T", "ctr", "higher", True, "later", Prediction(a, 0.02 * told, b, 0.005 * told))
        for i, (a, b) in enumerate(zip(first, later, strict=True))
    ]


def test_promises_that_tell_more_than_the_usual_rate_are_told_from_boasts() -> None:
    good = scores_html(mixed(0.05, 1.0), {})
    assert "Promises tell more than the usual rate" in good
    assert "too narrow" not in good
    boast = scores_html(mixed(0.002, 0.1), {})
    assert "Promises tell less than the usual rate" in boast
    assert boast.count("too narrow") == 4


def test_where_all_gained_no_usual_rate_can_be_beaten() -> None:
    html = scores_html(series(1.0, 8), {})
    assert "all of them came out on the same side of zero" in html
    assert "Brier score" in html
