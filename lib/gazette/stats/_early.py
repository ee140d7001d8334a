"""What to expect of an effect whose test stopped early: seen because it was large, it overstates."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtr

from gazette.stats._sequential import boundaries, confidence_sequence_z, simpson

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from gazette.stats._design import Design
    from gazette.stats._estimates import Estimate

    Vector = NDArray[np.float64]

__all__ = ["crossing", "shrunken"]

FAR = 8.0  # standard errors
FINE = 2001  # true effects that are tried
POINTS = 201  # of the process between its limits
END = 1 - 1e-6  # of the plan: what comes then is no early look


def shrunken(effect: Estimate, design: Design) -> float:
    """The effect after an early stop, drawn towards zero: only tests that crossed a limit stop, so what is seen overstates it.

    The average of two estimates given that the test stopped before its end: the maximum and the mean of the conditional likelihood
    phi(z - mu) / P(stop before the end; mu), never beyond nought (Zhong & Prentice 2008, Biostatistics 9:621, whose third estimator this is, for a
    normal that passed one threshold). A test stops at any of its early looks, so the chance is that of all of them, those to come included
    (at the pace of those that were): given this look's limit alone a large effect, which stops nearly every test, would be drawn in as well.

    Args:
        effect: With its standard error.
        design: At this look; it knows the looks before.
    """
    z = abs(effect.value) / effect.standard_error
    fractions, limits = _early_looks(design)
    here = min(len(design.fractions()), len(fractions)) - 1  # a test of one look has only this one
    mu = np.linspace(-FAR, z + FAR, FINE)
    stops = crossing(fractions, limits, mu / math.sqrt(fractions[here]))
    likelihood = np.exp(-0.5 * (z - mu) ** 2) / stops
    middle = float((mu * likelihood).sum() / likelihood.sum())
    top = float(mu[int(likelihood.argmax())])
    return math.copysign(min(z, max(0.0, (middle + top) / 2)) * effect.standard_error, effect.value)


def crossing(fractions: Sequence[float], limits: Sequence[float], drifts: Vector) -> Vector:
    """Chance that |z| passes its limit at one look at least, for each true drift.

    One recursion without drift is enough: the density of the sum s of what did not cross is exp(mu s - mu^2 t / 2) times that of no drift.

    Args:
        fractions: Information at each look, growing.
        limits: Of |z| at each.
        drifts: Mean of z at information one, of shape (n,).
    """
    grid, density, before = np.zeros(1), np.ones(1), 0.0
    found = np.zeros_like(drifts)
    for t, limit in zip(fractions, limits, strict=True):
        scale = math.sqrt(t - before)
        new = np.linspace(-1.0, 1.0, POINTS) * limit * math.sqrt(t)
        gaps = (new[:, None] - grid[None, :]) / scale
        density = np.exp(-0.5 * gaps**2) / (scale * math.sqrt(2 * math.pi)) @ density * simpson(new)
        grid, before = new, t
        mean = drifts * math.sqrt(t)
        found = np.maximum(found, ndtr(mean - limit) + ndtr(-mean - limit))  # where rounding leaves nothing of the rest
    inside = np.exp(np.outer(drifts, grid) - drifts[:, None] ** 2 * before / 2) @ density
    return np.maximum(found, 1 - inside)


def _early_looks(design: Design) -> tuple[list[float], list[float]]:
    """Information and limits of the looks so far and of those to come before the end, at their pace."""
    known, clock = design.fractions(), design.clock()
    if design.method == "fixed":
        return known[-1:], [design.critical()]
    here, pace = clock[-1], clock[-1] / len(clock)
    more = [] if design.final or here <= 0 else [here + k * pace for k in range(1, math.ceil((END - here) / pace))]
    later = [t for t in more if t < END]
    fractions = known + [known[-1] * t / here for t in later]
    if design.method == "group-sequential":
        times = clock + later
        return fractions, boundaries(
            fractions, alpha=design.alpha, spending=design.spending, final=design.final, times=times
        )
    units = [*design.past, design.units, *(round(design.units * t / here) for t in later)]
    return fractions, [
        confidence_sequence_z(max(1, n), n_star=design.tightest, alpha=design.alpha) for n in units[-len(fractions) :]
    ]
