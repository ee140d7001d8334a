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
    assert html.count("<tr>") == n + 1


def test_the_curse_is_not_read_from_tests_that_nobody_shipped() -> None:
    html = scores_html(series(0.5, 12, shipped=False), {})
    assert "Winner's curse: only 0 shipped tests" in html


def test_without_an_outcome_the_page_says_how_to_record_one_and_escapes_titles() -> None:
    assert "gazette score DECISION" in scores_html([], {})
    html = scores_html(series(1.0, 6, title=EVIL), {"ctr": EVIL})
    assert EVIL not in html
    assert "&lt;script&gt;" in html
