"""Rows of a classifier whose positives are few, and how each of them moves the measures, by numpy and scipy alone."""

from __future__ import annotations

import numpy as np
from scipy.stats import rankdata

from gazette.monitoring import Spread

__all__ = ["influences", "made", "spread_of"]

Rows = tuple[np.ndarray, tuple[np.ndarray, ...]]


def made(rng: np.random.Generator, n: int, base: float, noise: tuple[float, ...] = (0.5, 0.9)) -> Rows:
    """Outcomes of ``n`` rows with a base rate in log odds, and the scores of versions that see them through noise."""
    latent = rng.normal(base, 1.0, n)
    label = (rng.random(n) < 1 / (1 + np.exp(-latent))).astype(float)
    return label, tuple(1 / (1 + np.exp(-(latent + rng.normal(0, s, n)))) for s in noise)


def influences(y: np.ndarray, s: np.ndarray, threshold: float) -> dict[str, tuple[float, np.ndarray]]:
    """Measure to its value and the influence of each row; scores without ties."""
    n, ones = len(y), y == 1
    m, share = int(ones.sum()), float(ones.mean())
    loss = -np.log(np.where(ones, s, 1 - s))
    found = {"log-loss": (loss.mean(), loss - loss.mean()), "calibration-gap": ((s - y).mean(), s - y - (s - y).mean())}
    if m in {0, n}:
        return found
    of_all, of_own = rankdata(s), np.empty(n)
    for part in (ones, ~ones):
        of_own[part] = rankdata(s[part])
    beaten = np.where(ones, (of_all - of_own) / (n - m), 1 - (of_all - of_own) / m)
    auc = float(beaten[ones].mean())
    found["auc"] = auc, np.where(ones, (beaten - auc) / share, (beaten - auc) / (1 - share))
    order = np.argsort(-s)
    down, rank = np.cumsum(y[order]), np.arange(1, n + 1)
    area = float((down / rank)[y[order] == 1].mean())
    h1, h2 = (np.cumsum(x[::-1])[::-1] for x in (y[order] / rank, y[order] * down / rank**2))
    moved = np.empty(n)
    moved[order] = (y[order] * (down / rank + h1 - area) - h2) / share
    found["pr-auc"] = area, moved
    flagged = (s >= threshold).astype(float)
    recall = float(flagged[ones].mean())
    found["recall"] = recall, y * (flagged - recall) / share
    if flagged.any():
        precision = float(y[flagged == 1].mean())
        found["precision"] = precision, flagged * (y - precision) / flagged.mean()
    return found


def spread_of(influence: np.ndarray, y: np.ndarray | None = None) -> Spread:
    """What the queries would say of these influences."""
    classes = None if y is None else (int(y.sum()), int(len(y) - y.sum()))
    return Spread(len(influence), float(influence.var(ddof=1)), float((influence**4).mean()), classes=classes)
