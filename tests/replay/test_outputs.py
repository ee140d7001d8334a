"""What counts as the same output of a cell, and what tolerance a number has."""

from __future__ import annotations

from typing import Any

import pytest

from gazette.errors import WrongUseError
from gazette.record import Number, Tolerance
from gazette.replay import DEFAULTS, Tolerances, compare_outputs


def notebook(*outputs: dict[str, Any]) -> dict[str, Any]:
    cell = {"cell_type": "code", "id": "one", "source": "x", "outputs": list(outputs)}
    return {"cells": [{"cell_type": "markdown", "id": "head", "source": "# x"}, cell]}


def html(text: str) -> dict[str, Any]:
    return {"output_type": "display_data", "metadata": {}, "data": {"text/html": text}}


def stream(text: str) -> dict[str, Any]:
    return {"output_type": "stream", "name": "stdout", "text": text}


NARROW = Tolerance(relative=1e-9)


@pytest.mark.parametrize(
    ("before", "after", "how"),
    [
        ([html("<p>1.5 points</p>")], [html("<p>1.5 points</p>")], None),
        ([html("<p>1.5</p>")], [html("<p>1.5000000000001</p>")], "within"),
        ([html("<p>1.5</p>")], [html("<p>1.6</p>")], "differs"),
        ([html("<p>up 1.5</p>")], [html("<p>down 1.5</p>")], "differs"),
        ([html("<p>−1.5</p>")], [html("<p>1.5</p>")], "differs"),
        ([html("<p>1,234</p>")], [html("<p>1,235</p>")], "differs"),
        ([html("a"), html("b")], [html("a")], "differs"),
        ([], [html("a")], "differs"),
        ([stream("half\n"), stream("line\n")], [stream("half\nline\n")], None),
        ([stream("3 rows")], [stream("4 rows")], "differs"),
    ],
)
def test_outputs_are_equal_close_or_different(before: list[Any], after: list[Any], how: str | None) -> None:
    changes = compare_outputs(notebook(*before), notebook(*after), NARROW)
    assert [c.how for c in changes] == ([how] if how else [])
    assert all((c.cell, c.number) == ("one", 1) for c in changes)


def test_the_place_of_a_difference_is_shown_on_both_sides() -> None:
    (change,) = compare_outputs(
        notebook(html("<p>the rate is 1.5</p>")), notebook(html("<p>the rate is 2.5</p>")), NARROW
    )
    assert "rate is 1.5" in change.before
    assert "rate is 2.5" in change.after
    assert change.kind == "text/html"


def test_data_for_programs_are_compared_whatever_the_order_of_their_keys() -> None:
    def chart(**data: Any) -> dict[str, Any]:
        return {"output_type": "display_data", "metadata": {}, "data": {"application/json": data}}

    assert compare_outputs(notebook(chart(a=1, b=2)), notebook(chart(b=2, a=1)), NARROW) == ()
    (change,) = compare_outputs(notebook(chart(a=1, b=2)), notebook(chart(a=1, b=3)), NARROW)
    assert change.how == "differs"


def test_the_record_is_left_to_the_comparison_of_numbers() -> None:
    def record(value: int) -> dict[str, Any]:
        data = {"application/vnd.gazette.record+json": {"value": value}}
        return {"output_type": "display_data", "metadata": {}, "data": data}

    assert compare_outputs(notebook(record(1)), notebook(record(2)), NARROW) == ()


def number(unit: Any, metric: str = "ctr") -> Number:
    return Number.model_construct(metric=metric, unit=unit)


def test_a_metric_s_tolerance_comes_before_its_unit_s_and_that_before_the_one_for_all() -> None:
    found = Tolerances.parse(["1e-3", "money=1e-2", "ctr=0.5"], metrics=["ctr"])
    assert found.of(number("money", "revenue")).relative == 1e-2
    assert found.of(number("money")).relative == 0.5
    assert found.of(number("ms", "latency")).relative == 1e-3
    assert Tolerances().of(number("count")) == DEFAULTS["count"] == Tolerance()


@pytest.mark.parametrize("text", ["x", "nan", "-1", "1", "1e9", "money=", "unknown=1e-3", "=1e-3", "ctr=1e-3"])
def test_a_tolerance_that_means_nothing_is_refused(text: str) -> None:
    with pytest.raises(WrongUseError, match=r"tolerance|no unit and no metric"):
        Tolerances.parse([text])
