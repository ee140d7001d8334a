"""Two shares compared a second time: limits are where the score test with its skewness turns, found on roots of the likelihood's polynomial."""

from __future__ import annotations

import math

import numpy as np

from gazette.recompute._arithmetic import Second

__all__ = ["share_changes"]

Counts = tuple[int, int, int, int]  # those who did it and all: of the control, of the treatment
LARGEST = 1e9  # ratio that is looked at


def share_changes(counts: Counts, critical: float) -> tuple[Second, Second | None]:
    """Difference of two shares and their relative change, with the values that the test does not refuse (Gart & Nam 1988, 1990; Laud 2017).

    Args:
        counts: Those who did it and all, of the control and of the treatment.
        critical: Standard normal value from which on it refuses.

    Returns:
        The second is None where nobody of the control did it; it has no range where there is no upper end.
    """
    x, n, y, m = counts
    p, q = x / n, y / m
    if x + y in {0, n + m}:
        return Second(0.0), (Second(0.0) if x else None)
    low, high = (_turns(counts, critical, side, 0) for side in (1, -1))
    error = math.sqrt(sum((k + 1) * (of - k + 1) / (of + 2) ** 3 for k, of in ((x, n), (y, m))))
    gap = Second(q - p, low, high, error)
    if x == 0:
        return gap, None
    low, high = (_turns(counts, critical, side, 1) for side in (1, -1))
    if high > LARGEST / 2:
        return gap, Second(q / p - 1)
    return gap, Second(q / p - 1, low - 1, high - 1)


def _turns(counts: Counts, critical: float, side: int, ratio: int) -> float:
    """Where the test begins to refuse: below what is seen (side 1) or above it (-1), by halving."""
    x, n, y, m = counts
    seen = (y / m) / (x / n) if ratio else y / m - x / n
    bounds = (0.0, LARGEST) if ratio else (-1.0, 1.0)
    kept, out = seen, bounds[0] if side > 0 else bounds[1]
    for _ in range(200):
        wide = ratio and side < 0 and out > 2 * kept + 1
        middle = math.sqrt((kept + 1) * (out + 1)) - 1 if wide else (kept + out) / 2
        if middle in {kept, out} or abs(out - kept) < 1e-13 * abs(middle):
            break
        if _refuses(counts, middle, critical, side, ratio):
            out = middle
        else:
            kept = middle
    return (kept + out) / 2


def _refuses(counts: Counts, value: float, critical: float, side: int, ratio: int) -> bool:
    """Whether the distance, in standard errors, lies beyond the critical value moved by a sixth of the skewness times (c^2 - 1)."""
    x, n, y, m = counts
    factor, shift = (value, 0.0) if ratio else (1.0, value)
    p = _likeliest(counts, factor, shift)
    q = min(1.0, max(0.0, factor * p + shift))
    parts = ((q, m, 1.0), (p, n, -factor))
    variance = sum(f * f * r * (1 - r) / of for r, of, f in parts) * (n + m) / (n + m - 1)
    gap = y / m - factor * x / n - shift
    if variance <= 0:
        return bool(gap * side > 0)
    skewness = sum(f**3 * r * (1 - r) * (1 - 2 * r) / of**2 for r, of, f in parts) / variance**1.5
    return bool(side * (gap / math.sqrt(variance) - skewness / 6 * (critical**2 - 1)) > critical)


def _likeliest(counts: Counts, factor: float, shift: float) -> float:
    """The control's share p that is likeliest where the treatment's is factor p + shift: the best real root of where its slope is 0.

    That is (x - n p) q (1 - q) + (y - m q) factor p (1 - p) = 0 with q the treatment's, less a factor q or 1 - q where that is p's own; in
    units of the larger share, so that roots of rare events keep their digits.
    """
    x, n, y, m = counts
    low, high = max(0.0, -shift / factor), min(1.0, (1 - shift) / factor)
    if low >= high:
        return low
    unit = max(x / n, y / m, abs(shift)) if max(x / n, y / m) < 1 / 2 else 1.0
    rise = factor * unit
    of_q = np.convolve((rise, shift), (-rise, 1 - shift))  # q (1 - q), as p (1 - p) below
    of_p = np.convolve((unit, 0.0), (-unit, 1.0))
    slope = np.convolve((-n * unit, x), of_q) + factor * np.convolve((-m * rise, y - m * shift), of_p)
    places = [float(r.real) * unit for r in np.roots(slope) if abs(r.imag) < 1e-6 * max(1.0, abs(r.real))]
    candidates = [low, high, *(r for r in places if low < r < high)]

    def height(share: float) -> float:
        other = min(1.0, max(0.0, factor * share + shift))
        return sum(_times_log(k, r) for k, r in ((x, share), (n - x, 1 - share), (y, other), (m - y, 1 - other)))

    return max(candidates, key=height)


def _times_log(count: int, rate: float) -> float:
    if count == 0:
        return 0.0
    return count * math.log(rate) if rate > 0 else -math.inf
