"""Arms of a test whose allocation was moved, from their aggregates."""

from __future__ import annotations

import pytest

from gazette.workbench._phases import stratified


@pytest.mark.parametrize("metric", ["m_lack", "m_lack_of_stock", "m_stock_lack", "m_black"])
def test_a_metric_may_be_called_lack_and_units_without_a_covariate_are_left_out(metric: str) -> None:
    rows = [
        {"variant": "a", "phase": phase, "n": n, f"{metric}_mean": value, f"{metric}_var": 4.0, "m_x_mean": 1.0, "m_x_var": 1.0}
        | {"m_x_pre_mean": 1.0, "m_x_lack_mean": 0.5, "m_x_lack_cov": 0.1, "m_x_lack_pre_cov": 0.0}
        for phase, n, value in ((0, 10, 1.0), (1, 30, 3.0))
    ]  # fmt: skip
    arm = stratified(rows)["a"]
    assert arm[f"{metric}_mean"] == pytest.approx(0.25 * 1 + 0.75 * 3)
    assert arm[f"{metric}_var"] == pytest.approx(40 * (0.25**2 * 4 / 10 + 0.75**2 * 4 / 30))
    assert not [c for c in arm if c.startswith("m_x_lack")]
