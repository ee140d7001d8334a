"""``gazette plan`` against statsmodels, published inflation factors and its own page."""

from __future__ import annotations

import json

import numpy as np
import pytest
from statsmodels.stats.power import zt_ind_solve_power

from gazette.cli._main import main
from gazette.stats import Planned, plan


def found(**more: object) -> Planned:
    planned = plan(0.1, 0.09, 0.05, **more)  # type: ignore[arg-type]
    assert isinstance(planned, Planned)
    return planned


@pytest.mark.parametrize(("shares", "ratio"), [((0.5, 0.5), 1.0), ((0.9, 0.1), 1 / 9)])
def test_a_single_look_takes_what_statsmodels_says(shares: tuple[float, ...], ratio: float) -> None:
    first = zt_ind_solve_power(effect_size=0.05 * 0.1 / 0.3, alpha=0.05, power=0.8, ratio=ratio)
    assert found(method="fixed", shares=shares).units == pytest.approx(first * (1 + ratio), rel=1e-4)


def test_looks_inflate_as_published_tables_say() -> None:
    """Five looks, 5 % two-sided, power 80 %: 1.03 of O'Brien & Fleming, 1.23 of Pocock (Jennison & Turnbull 2000, tables 2.2 and 2.4), at most."""
    once = found(method="fixed").units
    fleming = found(per_day=once / 33).units / once
    assert 1.0 < fleming < 1.07
    pocock = found(per_day=once * 1.3 / 33, spending="pocock").units / once
    assert 1.15 < pocock < 1.4


def test_several_arms_and_clusters_take_more() -> None:
    once = found(method="fixed").units
    three = found(method="fixed", shares=(0.4, 0.3, 0.3)).units
    sizes = zt_ind_solve_power(effect_size=0.05 * 0.1 / 0.3, alpha=0.025, power=0.8, ratio=0.75)
    assert three == pytest.approx(sizes / 0.4, rel=1e-4)
    assert found(method="fixed", cluster_size=21, correlation=0.05).units == pytest.approx(2 * once, rel=1e-4)


def test_the_last_user_has_to_be_through_with_the_window() -> None:
    once, later = found(per_day=5000), found(per_day=5000, window_days=7)
    assert (later.units, later.days) == (once.units, (once.days or 0) + 7)


def test_the_command_says_users_days_and_what_less_would_cost(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "--share", "0.1", "--effect", "0.1", "--per-day", "1000", "--method", "fixed", "--json"]) == 0
    plans = json.loads(capsys.readouterr().out)["plans"]
    assert [p["effect"] for p in plans] == pytest.approx([0.1, 0.075, 0.05])
    assert plans[2]["units"] == pytest.approx(4 * plans[0]["units"], rel=1e-3)
    assert plans[0]["days"] == -(-plans[0]["units"] // 1000)
    assert main(["plan", "--mean", "12.5", "--sd", "40", "--effect", "0.03"]) == 0
    text = capsys.readouterr().out
    assert "users" in text
    assert "days" not in text.splitlines()[1]


def test_guardrails_have_their_own_users_and_share_what_may_be_missed(capsys: pytest.CaptureFixture[str]) -> None:
    """Where nothing changed in two guardrails and the effect is the smallest, all three are shown in four of five tests or more."""
    asked = [
        "plan",
        "--share",
        "0.1",
        "--effect",
        "0.1",
        "--method",
        "fixed",
        "--guardrail",
        "0.2=0.06",
        "--guardrail",
        "3/4=0.05",
    ]
    assert main([*asked, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    each = 1 - 0.2 / 3
    first = zt_ind_solve_power(effect_size=0.06 * 0.2 / 0.4, alpha=0.025, power=each, alternative="larger")
    assert found["guardrails"][0]["units"] == pytest.approx(2 * first, rel=1e-4)
    units = max(found["plans"][0]["units"], *(g["units"] for g in found["guardrails"]))
    rng, n = np.random.default_rng(5), units // 2
    shown = np.ones(20_000, dtype=bool)
    for variance, effect, margin in ((0.09, 0.01, 0.0), (0.16, 0.0, 0.012), (16.0, 0.0, 0.15)):
        error = (2 * variance / n) ** 0.5
        shown &= (rng.normal(effect, error, shown.shape) + margin) / error > 1.959964
    assert 0.8 <= shown.mean() <= 0.95
    assert main(asked) == 0
    assert f"The whole decision: {units:,} users" in capsys.readouterr().out
    assert main([*asked[:5], "--guardrail", "2"]) == 2
    assert "'2' is no guardrail" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--share", "1.2", "--effect", "0.1"], "--share must be above 0 and below 1"),
        (["--mean", "3", "--effect", "0.1"], "--sd"),
        (["--share", "0.1", "--effect", "0.1", "--arms", "0.5,0.6"], "add up to 1"),
        (["--share", "0.1", "--effect", "0.1", "--arms", "half"], "add up to 1"),
        (["--share", "0.1", "--effect", "0"], "--effect must be above 0"),
        (["--share", "0.1", "--effect", "0.1", "--correlation", "2"], "--correlation must lie"),
        (["--mean", "0", "--sd", "3", "--effect", "0.1"], "no variation"),
    ],
)
def test_what_cannot_be_is_named(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", *arguments]) == 2
    assert said in capsys.readouterr().err
