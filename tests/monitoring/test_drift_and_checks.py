"""Drift against scipy, change of level, checks, small cases of measures."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as scipy_stats
from scipy.spatial.distance import jensenshannon

from gazette import monitoring
from gazette.record import NotPublished
from gazette.stats import Estimate

COUNTS = st.lists(st.integers(min_value=1, max_value=5000), min_size=2, max_size=12)


@given(data=st.data())
def test_drift_agrees_with_scipy(data: st.DataObject) -> None:
    reference = data.draw(COUNTS)
    current = data.draw(st.lists(st.integers(1, 5000), min_size=len(reference), max_size=len(reference)))
    found = monitoring.drift(reference, current)
    if min(sum(reference), sum(current)) < 50:
        assert isinstance(found, NotPublished)
        return
    assert not isinstance(found, NotPublished)
    p, q = np.array(reference) / sum(reference), np.array(current) / sum(current)
    assert found.js == pytest.approx(float(jensenshannon(p, q, base=2)), abs=1e-7)  # a root of a difference near nought
    p_floored, q_floored = np.maximum(p, 1e-4), np.maximum(q, 1e-4)
    psi = float(np.sum((q_floored - p_floored) * np.log(q_floored / p_floored)))
    assert found.psi == pytest.approx(psi, abs=1e-9)
    if p.min() >= 1e-4 and q.min() >= 1e-4:
        assert found.psi == pytest.approx(float(scipy_stats.entropy(p, q) + scipy_stats.entropy(q, p)), abs=1e-9)
    if min(a + b for a, b in zip(reference, current, strict=True)) * min(sum(reference), sum(current)) >= 5 * sum(
        reference + current
    ):  # else bins count together
        chance = scipy_stats.chi2_contingency(np.array([reference, current]), correction=False).pvalue
        assert found.chance == pytest.approx(float(chance), abs=1e-9)
    assert found.ks == pytest.approx(float(np.abs(np.cumsum(q - p)).max()), abs=1e-9)


def test_no_overlap_is_a_distance_of_one() -> None:
    found = monitoring.drift([100, 0], [0, 100])
    assert not isinstance(found, NotPublished)
    assert (found.js, found.ks) == (1.0, 1.0)
    assert math.isfinite(found.psi)


@pytest.mark.parametrize("rows", [50, 200, 2000])
def test_twenty_features_that_did_not_move_alarm_in_at_most_one_week_of_twenty(rows: int) -> None:
    """Tenths of a continuous feature and words of which some are rare; before 34, 20 to 31 and 0 of 100 weeks had an alarm."""
    rng, weeks = np.random.default_rng(4), 300
    words = 1 / np.arange(1, 21)
    kinds = [np.full(10, 0.1)] * 10 + [words / words.sum()] * 10
    any_alarm = any_real = 0
    distances = []
    for _ in range(weeks):
        drifts = {
            str(i): monitoring.drift(rng.multinomial(5000, p).tolist(), rng.multinomial(rows, p).tolist())
            for i, p in enumerate(kinds)
        }
        found = [d for d in monitoring.judged(drifts, 0.05).values() if isinstance(d, monitoring.Drift)]
        assert len(found) == 20
        any_real += any(d.real for d in found)
        any_alarm += any(d.excess > 0.1 for d in found)
        distances += [d.js**2 - d.noise for d in found if rows > 50]
    assert any_alarm <= any_real <= 0.085 * weeks  # 5 % and its error in 300 weeks, thrice
    if distances:  # what is taken off is what chance brings
        assert abs(np.mean(distances)) <= 0.1 * np.mean([d.noise for d in found])


def test_a_feature_that_moved_is_called_so_among_twenty_that_did_not() -> None:
    rng = np.random.default_rng(5)
    same, moved = np.full(10, 0.1), np.array([0.02] * 5 + [0.18] * 5)
    drifts = {str(i): monitoring.drift([500] * 10, rng.multinomial(300, same).tolist()) for i in range(20)}
    drifts["moved"] = monitoring.drift([500] * 10, rng.multinomial(300, moved).tolist())
    found = monitoring.judged(drifts, 0.05)
    assert [k for k, d in found.items() if isinstance(d, monitoring.Drift) and d.excess > 0.1] == ["moved"]


def test_a_new_value_beside_a_constant_is_seen() -> None:
    found = monitoring.judged({"x": monitoring.drift([2000, 0], [480, 20])}, 0.05)["x"]
    assert isinstance(found, monitoring.Drift)
    assert found.real
    assert found.excess > 0.1


def test_rows_that_repeat_users_are_no_drift() -> None:
    """Ten rows of each user in one bin: by rows nearly every week is called shifted."""
    rng, called, naive = np.random.default_rng(6), 0, 0
    for _ in range(300):
        reference, week = (rng.multinomial(n, np.full(10, 0.1)) * 10 for n in (500, 100))
        for repeats in (1.0, 10.0):
            found = monitoring.judged({"x": monitoring.drift(reference.tolist(), week.tolist(), repeats=repeats)}, 0.05)
            real = found["x"].real if isinstance(found["x"], monitoring.Drift) else False
            naive += real and repeats == 1.0
            called += real and repeats > 1.0
    assert naive > 200
    assert called <= 27


def estimates(values: list[float], error: float = 1.0) -> list[Estimate]:
    return [Estimate(v, v - 2 * error, v + 2 * error, 0.95, error, None, 100, "test") for v in values]


def test_a_planted_change_of_level_is_dated() -> None:
    found = monitoring.shift(estimates([10.2, 9.9, 10.1, 9.8, 10.0, 10.1, 6.0, 6.2, 5.9, 6.1], 0.2))
    assert found is not None
    assert found.index == 6
    assert found.size == pytest.approx(-3.967, abs=0.01)


@pytest.mark.parametrize("correlation", [0.0, 0.3, 0.5, 0.8])
@pytest.mark.parametrize("weeks", [8, 12, 26])
def test_a_steady_series_is_said_to_have_changed_in_at_most_one_of_twenty(correlation: float, weeks: int) -> None:
    """Also where weeks are like the weeks before: at 0.8 a test for independent weeks sees a change in 43 to 74 of 100."""
    rng, runs = np.random.default_rng(8), 1000
    noise = rng.normal(0, 1, (runs, weeks))
    for t in range(1, weeks):
        noise[:, t] = correlation * noise[:, t - 1] + math.sqrt(1 - correlation**2) * noise[:, t]
    wrong = sum(monitoring.shift(estimates(row.tolist(), 0.1)) is not None for row in noise)
    assert wrong / runs <= 0.065  # 5 % and twice the error of 1000 runs


def test_a_lasting_change_of_five_times_the_spread_is_mostly_seen() -> None:
    rng, seen = np.random.default_rng(9), 0
    for _ in range(200):
        values = rng.normal(0, 1, 12)
        values[7:] += 6
        found = monitoring.shift(estimates(values.tolist(), 0.5))
        seen += found is not None and found.index == 7
    assert seen / 200 > 0.85


def test_a_slope_agrees_with_scipy() -> None:
    values = [3.0, 3.5, 3.2, 4.1, 4.0, 4.4]
    found = monitoring.slope(values)
    fit = scipy_stats.linregress(range(6), values)
    assert found is not None
    assert found[0] == pytest.approx(fit.slope, abs=1e-12)
    assert found[2] - found[0] == pytest.approx(float(scipy_stats.t.ppf(0.975, 4)) * fit.stderr, abs=1e-9)


@pytest.mark.parametrize(
    ("value", "state"), [(0.0, "pass"), (0.1, "pass"), (0.11, "warn"), (0.5, "warn"), (0.51, "fail")]
)
def test_a_check_warns_and_fails_above_its_limits(value: float, state: str) -> None:
    assert monitoring.check("nulls", "Missing", value, "fraction", warn=0.1, fail=0.5).state == state


def test_what_could_not_be_measured_never_passes() -> None:
    found = monitoring.check("nulls", "Missing", NotPublished(reason="no rows"), "fraction", warn=0.1, fail=0.5)
    assert found.state == "not run"


def test_calibration_error_of_the_textbook_case() -> None:
    assert monitoring.calibration_error([(100, 0.15, 15), (100, 0.85, 75)]) == pytest.approx(0.05)
    assert isinstance(monitoring.calibration_error([]), NotPublished)


def test_calibration_noise_is_what_a_right_model_shows_on_average() -> None:
    rng = np.random.default_rng(2)
    shown = []
    for _ in range(400):
        bands = [(200, p, int(rng.binomial(200, p))) for p in (0.05, 0.25, 0.5, 0.75)]
        error = monitoring.calibration_error(bands)
        assert isinstance(error, float)
        shown.append(error)
    assert np.mean(shown) == pytest.approx(monitoring.calibration_noise(bands), rel=0.06)
