"""Ratios less what was known of units before: against a regression of linearised values, and against what it says of itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats as scipy_stats

from gazette.sources._thirds import named
from gazette.stats import (
    Estimate,
    Explained,
    Joint,
    Moments,
    MomentsError,
    Unknown,
    adjusted_ratios,
    difference_of_means,
    ratio,
)

RUNS = 500


def units(rng: np.random.Generator, n: int, effect: float = 1.0) -> dict[str, np.ndarray]:
    """Orders and sessions of users, and the rate of each before; three in ten are new."""
    own = rng.beta(2, 8, n)
    y = 1.0 + rng.poisson(rng.gamma(2.0, 3.0, n))
    gone = rng.random(n) < 0.3
    own = np.where(gone, 0.3, own)
    p = np.where(gone, np.nan, rng.binomial(30, own) / 30)
    return {"x": rng.poisson(own * y * effect) * 1.0, "y": y, "p": p}


def filled(*arms: dict[str, np.ndarray]) -> None:
    """A missing covariate stands at the mean of those that are there, with an indicator."""
    centre = np.nanmean(np.concatenate([a["p"] for a in arms]))
    for a in arms:
        a["l"] = np.isnan(a["p"]) * 1.0
        a["p"] = np.where(np.isnan(a["p"]), centre, a["p"])


def explained(a: dict[str, np.ndarray], *, powers: bool = False) -> Explained:
    off = {k: v - v.mean() for k, v in a.items()}

    def of(letters: str) -> float:
        return float(np.mean(np.prod([off[c] for c in letters], axis=0)))

    def moments(c: str) -> Moments:
        return Moments(len(a[c]), float(a[c].mean()), float(a[c].var(ddof=1)), of(c * 3))

    def cov(left: str, right: str) -> float:
        return float(np.cov(a[left], a[right])[0, 1])

    raised = (float((a["y"] ** 4).mean()), float((a["y"] ** 5).mean())) if powers else None
    joint = Joint(moments("x"), moments("y"), cov("x", "y"), mixed=(of("xxy"), of("xyy")), powers=raised)
    thirds = tuple(of(f"{pair}l") for pair in ("xx", "xy", "yy", "xp", "yp", "pp"))
    lacking = Unknown(float(a["l"].mean()), cov("x", "l"), cov("y", "l"), cov("p", "l"), thirds)  # type: ignore[arg-type]
    mixed = tuple(of(three) for three in ("xxp", "xyp", "yyp", "xpp", "ypp"))
    return Explained(joint, moments("p"), cov("x", "p"), cov("y", "p"), mixed, lacking)  # type: ignore[arg-type]


def regression(a: dict[str, np.ndarray], b: dict[str, np.ndarray]) -> Any:
    """Linearised values on arm, covariate and indicator, by statsmodels."""
    lines = []
    for arm in (a, b):
        r = arm["x"].sum() / arm["y"].sum()
        lines.append(r + (arm["x"] - r * arm["y"]) / arm["y"].mean())
    others = [np.concatenate([a[k], b[k]]) for k in ("p", "l")]
    treated = np.repeat([0.0, 1.0], [len(a["x"]), len(b["x"])])
    return sm.OLS(np.concatenate(lines), sm.add_constant(np.column_stack([treated, *others]))).fit(cov_type="HC3")


def test_an_adjusted_ratio_is_a_regression_of_linearised_values() -> None:
    rng = np.random.default_rng(11)
    a, b = units(rng, 3000), units(rng, 2000, 1.1)
    filled(a, b)
    left, right, saved = adjusted_ratios(explained(a), explained(b))
    mine, fit = difference_of_means(left, right), regression(a, b)
    assert isinstance(mine, Estimate)
    assert mine.value == pytest.approx(fit.params[1], rel=1e-9)
    assert mine.standard_error == pytest.approx(fit.bse[1], rel=5e-3)
    plain = difference_of_means(*(ratio(explained(arm).ratio) for arm in (a, b)))
    assert isinstance(plain, Estimate)
    assert 0.1 < saved < 1
    assert mine.standard_error**2 == pytest.approx(plain.standard_error**2 * (1 - saved), rel=1e-9)


def test_what_is_left_has_the_skewness_of_residuals() -> None:
    rng = np.random.default_rng(12)
    a, b = units(rng, 500), units(rng, 300)
    filled(a, b)
    left, _, _ = adjusted_ratios(explained(a), explained(b))
    fit = regression(a, b)
    assert left.third == pytest.approx(scipy_stats.moment(fit.resid[:500], 3), rel=1e-9)
    assert left.variance == pytest.approx(fit.resid[:500].var(ddof=1), rel=1e-9)


def test_an_adjusted_ratio_keeps_the_degrees_of_units_of_unequal_size() -> None:
    rng = np.random.default_rng(13)
    a, b = units(rng, 20), units(rng, 20)
    filled(a, b)
    arm = explained(a, powers=True)
    left, _, _ = adjusted_ratios(arm, explained(b, powers=True))
    narrow, _, _ = adjusted_ratios(explained(a), explained(b))
    plain, unweighted = ratio(arm.ratio), ratio(explained(a).ratio)
    assert left.freedom == plain.freedom is not None
    assert left.variance / narrow.variance == pytest.approx(plain.variance / unweighted.variance, rel=1e-9)


def test_a_ratio_that_is_the_same_of_all_units_has_no_variance_to_explain() -> None:
    rng = np.random.default_rng(14)
    a, b = units(rng, 100), units(rng, 100)
    for arm in (a, b):
        arm["x"] = 2.5 * arm["y"]
    filled(a, b)
    left, right, saved = adjusted_ratios(explained(a), explained(b))
    assert (left.mean, right.mean, saved) == (pytest.approx(2.5), pytest.approx(2.5), 0.0)
    assert left.variance == right.variance == 0.0


def test_a_ratio_over_nothing_is_refused() -> None:
    nothing = Joint(Moments(10, 1.0, 2.0), Moments(10, 0.0, 0.0), 0.0)
    with pytest.raises(MomentsError, match="denominator"):
        adjusted_ratios(*[Explained(nothing, Moments(10, 1.0, 1.0), 0.0, 0.0)] * 2)


def test_every_third_moment_that_is_read_is_asked_for() -> None:
    found = dict(named({"x": "m", "y": "m_den", "p": "m_pre", "l": "m_lack"}))
    pre = {f"m_pre_{three}_third" for three in ("xxp", "xyp", "yyp", "xpp", "ypp")}
    lack = {f"m_lack_{pair}l_third" for pair in ("xx", "xy", "yy", "xp", "yp", "pp")}
    assert pre | lack | {"m_third", "m_den_third", "m_pre_third", "m_den_xxy_third", "m_den_xyy_third"} == set(found)


@pytest.mark.parametrize(("n", "m"), [(200, 200), (900, 100)])
def test_adjusted_ratios_err_as_often_as_is_said(n: int, m: int) -> None:
    """Without an effect 5 % of tests err; the variance falls by about a fifth."""
    rng = np.random.default_rng([7, n, m])
    wrong, saved = 0, []
    for _ in range(RUNS):
        a, b = units(rng, n), units(rng, m)
        filled(a, b)
        left, right, less = adjusted_ratios(explained(a, powers=True), explained(b, powers=True))
        found = difference_of_means(left, right)
        assert isinstance(found, Estimate)
        wrong += not found.low <= 0 <= found.high
        saved.append(less)
    assert 0.02 <= wrong / RUNS <= 0.08, "three standard errors about 5 %; bench/errors.py has the long form"
    assert 0.15 < np.mean(saved) < 0.25
