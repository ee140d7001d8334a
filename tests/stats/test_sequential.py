"""Against the tables of the design, computed outside this project, and by simulation of the process itself."""

from __future__ import annotations

import gc
import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gazette.recompute._arithmetic import planned_criticals
from gazette.stats import (
    Design,
    Estimate,
    Moments,
    adjust,
    always_valid_p,
    bayes,
    boundaries,
    compare,
    confidence_sequence_z,
    crossing,
    difference_of_proportions,
    heterogeneity,
    joint_alpha,
    power,
    sample_ratio_sequence,
    shrunken,
    spent,
    units_needed,
    users_needed,
    z_of,
)

LOOKS = 21


@pytest.mark.parametrize(
    ("t", "n_star", "half"),
    [
        (1000, 5000, 0.10637547),
        (5000, 5000, 0.042924337),
        (125000, 5000, 0.0095262521),
        (1000, 125000, 0.31842162),
        (5000, 125000, 0.072124326),
        (125000, 125000, 0.0085848674),
    ],
)
def test_half_widths_of_the_confidence_sequence(t: int, n_star: int, half: float) -> None:
    assert confidence_sequence_z(t, n_star=n_star) / math.sqrt(t) == pytest.approx(half, rel=5e-8)


@pytest.mark.parametrize(
    ("n", "a", "b", "n_star", "low", "high", "p"),
    [
        (62500, 1463, 1569, 125000, -0.0009454021561, 0.0043374021561, 0.5535192480),
        (62500, 1463, 1650, 5000, 0.0000231360801, 0.0059608639199, 0.0457743243),
        (62500, 1463, 1650, 125000, 0.0003165193338, 0.0056674806662, 0.0179368831),
        (500000, 11700, 12550, 5000, 0.0005750883215, 0.0028249116785, 9.4188228e-6),
    ],
)
def test_two_samples_by_the_confidence_sequence(
    n: int, a: int, b: int, n_star: int, low: float, high: float, p: float
) -> None:
    """gbstats puts as many of Wald's standard errors to each side; the score test is asked for as many, and ends nearly there."""
    arms = [Moments(n, x / n, x / n * (1 - x / n) * n / (n - 1)) for x in (a, b)]
    design = Design(method="confidence-sequence", alpha=0.05, units=2 * n, tightest=n_star)
    found = compare(arms[0], arms[1], design, proportion=True).difference
    assert isinstance(found, Estimate)
    error = math.sqrt(sum(x / n * (1 - x / n) / n for x in (a, b)))
    half = design.critical() * error
    assert (found.value - half, found.value + half) == (pytest.approx(low, abs=1e-13), pytest.approx(high, abs=1e-13))
    assert always_valid_p(found.value / error, 2 * n, n_star=n_star) == pytest.approx(p, rel=1e-8)
    assert (found.low, found.high) == (pytest.approx(low, abs=0.005 * half), pytest.approx(high, abs=0.005 * half))
    assert found.z is not None
    assert (always_valid_p(found.z, 2 * n, n_star=n_star) < design.alpha) == (found.low > 0)


def test_group_sequential_bounds_of_the_table() -> None:
    """The table cuts its digits off; 2.47278 is given there as 2.4727."""
    found = boundaries([0.2, 0.4, 0.6, 0.8, 1.0], spending="quadratic")
    assert [math.floor(z * 1e4) / 1e4 for z in found] == [3.0902, 2.7141, 2.4727, 2.2798, 2.1140]


@pytest.mark.parametrize("spending", ["obrien-fleming", "pocock", "quadratic"])
def test_two_looks_agree_with_the_bivariate_normal(spending: str) -> None:
    from scipy.stats import multivariate_normal  # noqa: PLC0415  slow to import

    t = 0.4
    first, second = boundaries([t, 1.0], spending=spending)  # type: ignore[arg-type]
    normal = multivariate_normal(mean=[0, 0], cov=[[1, math.sqrt(t)], [math.sqrt(t), 1]])
    inside = normal.cdf([first, second], lower_limit=[-first, -second])
    assert 1 - inside == pytest.approx(0.05, abs=2e-5)


def test_one_look_is_the_fixed_test() -> None:
    assert boundaries([1.0]) == [pytest.approx(z_of(0.95), abs=1e-9)]
    assert boundaries([0.7], final=True) == [pytest.approx(z_of(0.95), abs=1e-9)]


@pytest.mark.parametrize("more", [1e-6, 1e-5, 1e-4, 5e-4, 2e-3])
def test_a_look_with_hardly_more_information_takes_nothing_from_the_next(more: float) -> None:
    """The final bound is that of the two other looks; against simulated walks it spends the whole error, and no more."""
    near = boundaries([0.87, 0.87 + more, 1.0], final=True)
    plain = boundaries([0.87, 1.0], final=True)
    assert near[2] == pytest.approx(plain[1], abs=0.01)
    second = planned_criticals([0.87, 0.87 + more, 1.0], alpha=0.05, spending="obrien-fleming", final=True)
    assert second == pytest.approx(near, abs=2e-3)
    rng = np.random.default_rng(7)
    steps = rng.standard_normal((400_000, 3)) * np.sqrt([0.87, more, 0.13 - more])
    walk = np.abs(np.cumsum(steps, axis=1)) / np.sqrt([0.87, 0.87 + more, 1.0])
    assert (walk > near).any(axis=1).mean() == pytest.approx(0.05, abs=0.0012)


@example(fractions=[1.0, 0.8709908369960799, 0.8709490011797214], spending="obrien-fleming")
@given(
    st.lists(st.floats(0.01, 1.5), min_size=1, max_size=6, unique=True), st.sampled_from(["obrien-fleming", "pocock"])
)
def test_bounds_exist_for_any_looks(fractions: list[float], spending: str) -> None:
    found = boundaries(sorted(fractions), spending=spending, final=True)  # type: ignore[arg-type]
    assert len(found) == len(fractions)
    assert all(1.9 < z <= 8 for z in found)


@pytest.mark.parametrize("fractions", [[0.0, 1.0], [0.5, 0.5], [0.6, 0.4], [-1.0]])
def test_looks_that_cannot_be_are_refused(fractions: list[float]) -> None:
    with pytest.raises(ValueError, match="information must grow"):
        boundaries(fractions)


def test_spending_ends_at_alpha_and_never_shrinks() -> None:
    for spending in ("obrien-fleming", "pocock", "quadratic"):
        path = [spent(i / 50, spending=spending) for i in range(60)]  # type: ignore[arg-type]
        assert path == sorted(path)
        assert path[0] == 0
        assert path[50] == pytest.approx(0.05)
        assert max(path) == pytest.approx(0.05)


class TestSimulation:
    """Brownian motion at 21 looks, which is what z statistics of a growing test are."""

    RUNS = 60_000

    def paths(self, drift: float = 0.0) -> np.ndarray:
        rng = np.random.default_rng(2026)
        steps = rng.normal(drift / LOOKS, 1 / math.sqrt(LOOKS), (self.RUNS, LOOKS))
        times = np.arange(1, LOOKS + 1) / LOOKS
        return np.cumsum(steps, axis=1) / np.sqrt(times)

    @pytest.mark.parametrize("spending", ["obrien-fleming", "pocock", "quadratic"])
    def test_group_sequential_holds_its_error_over_21_looks(self, spending: str) -> None:
        bounds = np.array(boundaries([i / LOOKS for i in range(1, LOOKS + 1)], spending=spending))  # type: ignore[arg-type]
        rate = (np.abs(self.paths()) > bounds).any(axis=1).mean()
        assert 0.045 < rate < 0.055

    def test_the_confidence_sequence_stays_below_its_error(self) -> None:
        n = np.arange(1, LOOKS + 1) * 6000
        bounds = np.array([confidence_sequence_z(int(k), n_star=126_000) for k in n])
        assert (np.abs(self.paths()) > bounds).any(axis=1).mean() <= 0.05

    def test_naive_peeking_would_not(self) -> None:
        assert (np.abs(self.paths()) > 1.96).any(axis=1).mean() > 0.2

    def test_power_is_at_least_nine_tenths_of_the_fixed_test_s(self) -> None:
        drift = z_of(0.95) + 0.8416
        bounds = np.array(boundaries([i / LOOKS for i in range(1, LOOKS + 1)]))
        paths = self.paths(drift)
        fixed = (np.abs(paths[:, -1]) > z_of(0.95)).mean()
        assert (np.abs(paths) > bounds).any(axis=1).mean() >= 0.9 * fixed

    def test_repeated_intervals_cover_at_every_look_at_once(self) -> None:
        """An interval misses the truth exactly where the centred path crosses the bound."""
        bounds = np.array(boundaries([i / LOOKS for i in range(1, LOOKS + 1)]))
        assert 0.945 < (np.abs(self.paths()) <= bounds).all(axis=1).mean() < 0.955

    def test_fixed_intervals_cover(self) -> None:
        rng = np.random.default_rng(7)
        n, p = 4000, 0.1
        x, y = rng.binomial(n, p, self.RUNS // 3), rng.binomial(n, p * 1.1, self.RUNS // 3)
        held = 0
        for a, b in zip(x, y, strict=True):
            found = difference_of_proportions((int(a), n), (int(b), n))
            assert isinstance(found, Estimate)
            held += found.low <= p * 0.1 <= found.high
        assert 0.945 < held / len(x) < 0.955

    def test_false_discoveries_are_held(self) -> None:
        """Ten metrics, five with an effect: of what is called a discovery at most 5 % is false, on average."""
        rng = np.random.default_rng(11)
        share = []
        for _ in range(3000):
            z = rng.normal([3.2] * 5 + [0.0] * 5, 1)
            alpha = joint_alpha(0.05, 10, lambda a, z=z: int((np.abs(z) > z_of(1 - a)).sum()), "benjamini-hochberg")
            found = np.abs(z) > z_of(1 - alpha)
            share.append(found[5:].sum() / max(1, found.sum()))
        assert np.mean(share) <= 0.05

    def test_the_daily_split_check_alarms_no_more_than_its_level(self) -> None:
        rng = np.random.default_rng(3)
        alarms = 0
        for _ in range(600):
            left = rng.binomial(500, 0.5, 28)
            p = sample_ratio_sequence([[int(k), 500 - int(k)] for k in left], [0.5, 0.5])
            alarms += isinstance(p, float) and p < 0.05
        assert alarms / 600 <= 0.05

    def test_the_daily_split_check_finds_a_loss_of_two_in_a_hundred(self) -> None:
        rng = np.random.default_rng(3)
        left = rng.binomial(5000, 0.505, 28)
        p = sample_ratio_sequence([[int(k), 5000 - int(k)] for k in left], [0.5, 0.5])
        assert isinstance(p, float)
        assert p < 0.05


@given(
    st.lists(st.floats(-5, 5), min_size=1, max_size=8),
    st.sampled_from(["benjamini-hochberg", "holm", "bonferroni", "none"]),
)
def test_an_interval_excludes_zero_exactly_where_the_procedure_rejects(z: list[float], method: str) -> None:
    from scipy.special import ndtr  # noqa: PLC0415

    p = [float(2 * ndtr(-abs(x))) for x in z]
    alpha = joint_alpha(0.05, len(z), lambda a: sum(x < a for x in p), method)
    assert [x < alpha for x in p] == [x < 0.05 for x in adjust(p, method)]  # type: ignore[arg-type]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_corrections_agree_with_statsmodels(p: list[float]) -> None:
    from statsmodels.stats.multitest import multipletests  # noqa: PLC0415

    gc.freeze()  # it collects garbage at each call, and there is much of a whole run's
    for mine, theirs in (("benjamini-hochberg", "fdr_bh"), ("holm", "holm"), ("bonferroni", "bonferroni")):
        assert adjust(p, mine) == pytest.approx(multipletests(p, method=theirs)[1].tolist(), rel=1e-9)  # type: ignore[arg-type]


def test_power_and_size_agree_with_statsmodels() -> None:
    from statsmodels.stats.power import zt_ind_solve_power  # noqa: PLC0415

    mean, variance, effect = 0.0234, 0.0234 * 0.9766, 0.0726
    n = users_needed(mean, variance, effect)
    d = effect * mean / math.sqrt(variance)
    assert n == math.ceil(zt_ind_solve_power(effect_size=d, alpha=0.05, power=0.8))
    error = math.sqrt(2 * variance / 62500)
    assert power(effect * mean, error) == pytest.approx(
        zt_ind_solve_power(effect_size=d, nobs1=62500, alpha=0.05), rel=1e-9
    )


def test_bayes_agrees_with_sampling_the_posterior() -> None:
    effect = Estimate(0.3, 0, 0, 0.95, 0.2, None, 100, "z")
    draws = np.random.default_rng(1).normal(0.3, 0.2, 2_000_000)
    found = bayes(effect)
    assert found.probability_better == pytest.approx((draws > 0).mean(), abs=1e-3)
    assert found.expected_loss == pytest.approx(np.maximum(-draws, 0).mean(), abs=1e-4)
    assert found.loss_if_worse == pytest.approx(-draws[draws < 0].mean(), abs=1e-3)
    sure = bayes(Estimate(4.0, 0, 0, 0.95, 0.1, None, 100, "z"))
    assert 0 < sure.loss_if_worse < 0.1, "far out too: about SE^2 / effect"
    assert bayes(effect, higher_is_better=False).probability_better == pytest.approx(1 - found.probability_better)


@pytest.mark.parametrize(
    ("limits", "inflation"),
    [([2.413] * 5, 1.228), ([2.040 * math.sqrt(5 / k) for k in range(1, 6)], 1.028)],
    ids=["pocock", "obrien-fleming"],
)
def test_chances_to_cross_are_those_of_jennison_and_turnbull(limits: list[float], inflation: float) -> None:
    """Constants of five looks and the sizes, relative to one look, that give 80 % power (Jennison & Turnbull 2000, tables 2.1 to 2.4)."""
    drift = (z_of(0.95) + z_of(0.6)) * math.sqrt(inflation)
    found = crossing([k / 5 for k in range(1, 6)], limits, np.array([0.0, drift]))
    assert found == pytest.approx([0.05, 0.8], abs=5e-4)


def look(k: int, looks: int = 4) -> Design:
    """The k-th of planned looks."""
    past = tuple(1000 * j for j in range(1, k))
    return Design(
        method="group-sequential", alpha=0.05, units=1000 * k, planned=1000 * looks, past=past, final=k == looks
    )


@pytest.mark.parametrize("truth", [2.8, 4.0])
def test_what_is_expected_after_an_early_stop_is_the_true_effect_on_average(truth: float) -> None:
    """A test of four looks; given one look's limit alone it was 0.84 and 0.77 of the true effect, as measured 1.4 and 1.13."""
    times, designs = np.arange(1, 5) / 4, [look(k) for k in range(1, 4)]
    limits = np.array([d.critical() for d in designs])
    steps = np.random.default_rng(5).normal(truth / 4, 0.5, (20_000, 4))
    z = (np.cumsum(steps, axis=1) / np.sqrt(times))[:, :3]
    crossed = z > limits
    first = np.where(crossed.any(axis=1), crossed.argmax(axis=1), 3)
    found, weights = [], []
    for k, design in enumerate(designs):
        seen = z[first == k, k]
        for value in np.quantile(seen, np.arange(0.5, 12) / 12) if len(seen) else []:
            found.append(shrunken(Estimate(float(value), 0, 0, 0.95, 1.0, None, 1, "z"), design) / math.sqrt(times[k]))
            weights.append(len(seen))
    assert np.average(found, weights=weights) == pytest.approx(truth, rel=0.06)


def test_shrinking_leaves_alone_what_lies_far_beyond_the_bound() -> None:
    far = Estimate(-6.6, 0, 0, 0.95, 1.0, None, 1, "z")
    assert shrunken(far, look(3)) == pytest.approx(-6.6, abs=0.01)
    near = Estimate(2.45, 0, 0, 0.95, 1.0, None, 1, "z")
    assert 0.3 < shrunken(near, look(3)) < 2.0


@pytest.mark.parametrize("method", ["fixed", "confidence-sequence"])
def test_other_designs_are_drawn_in_too(method: str) -> None:
    design = Design(method=method, alpha=0.05, units=2000, past=(1000,), planned=4000, final=False)  # type: ignore[arg-type]
    z = design.critical() + 1.0
    assert 0 < shrunken(Estimate(z, 0, 0, 0.95, 1.0, None, 1, "z"), design) < z


def test_heterogeneity_agrees_with_cochran_s_q() -> None:
    from scipy.stats import chi2  # noqa: PLC0415

    values, errors = [0.1, 0.3, -0.2], [0.1, 0.15, 0.2]
    w = np.array([1 / e**2 for e in errors])
    centre = (w * values).sum() / w.sum()
    expected = chi2.sf((w * (np.array(values) - centre) ** 2).sum(), 2)
    estimates = [Estimate(v, 0, 0, 0.95, e, None, 1, "z") for v, e in zip(values, errors, strict=True)]
    assert heterogeneity(estimates) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("shares", [(0.5, 0.5), (0.9, 0.1), (0.4, 0.2)])
@pytest.mark.parametrize("method", ["fixed", "obrien-fleming", "pocock", "confidence-sequence"])
def test_planned_units_have_the_power_that_is_stated(shares: tuple[float, float], method: str) -> None:
    """Simulated tests of eight looks with an effect as large as planned for; 39, 36 and 70 % by the formula of one look and equal arms."""
    mean, variance, effect = 0.1, 0.09, 0.1
    times = [k / 8 for k in range(1, 9)]
    bounds: list[float] = []

    def critical(n: int) -> float:
        nonlocal bounds
        if method == "fixed":
            bounds = [math.inf] * 7 + [z_of(0.95)]
        elif method == "confidence-sequence":
            bounds = [confidence_sequence_z(round(n * t), n_star=20_000) for t in times]
        else:
            bounds = boundaries(times, spending=method, final=True)  # type: ignore[arg-type]
        return bounds[-1]

    n = units_needed(mean, variance, effect, shares=shares, critical=critical)
    assert isinstance(n, int)
    drift = effect * mean / math.sqrt(variance * (1 / shares[0] + 1 / shares[1]) / n)
    walk = np.cumsum(np.random.default_rng(6).normal(drift / 8, 8**-0.5, (40_000, 8)), axis=1) / np.sqrt(times)
    found = (walk > bounds).any(axis=1).mean()
    assert 0.79 < found < {"fixed": 0.81, "obrien-fleming": 0.83}.get(method, 0.9)


def test_planned_units_of_equal_arms_are_those_of_statsmodels() -> None:
    from statsmodels.stats.power import zt_ind_solve_power  # noqa: PLC0415

    d = 0.1 * 0.1 / 0.3
    for ratio, shares in ((1.0, (0.5, 0.5)), (1 / 9, (0.9, 0.1))):
        first = zt_ind_solve_power(effect_size=d, alpha=0.05, power=0.8, ratio=ratio)
        n = units_needed(0.1, 0.09, 0.1, shares=shares, critical=lambda _: z_of(0.95))
        assert n == pytest.approx(first * (1 + ratio), rel=1e-4)
