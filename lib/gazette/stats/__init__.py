"""Estimates from aggregates: means, proportions, their differences, sample ratio, users needed."""

from gazette.stats._estimates import (
    Estimate,
    Moments,
    difference_of_means,
    difference_of_proportions,
    mean,
    proportion,
    relative_difference,
    z_of,
)
from gazette.stats._planning import users_needed
from gazette.stats._ratio import sample_ratio

__all__ = [
    "Estimate",
    "Moments",
    "difference_of_means",
    "difference_of_proportions",
    "mean",
    "proportion",
    "relative_difference",
    "sample_ratio",
    "users_needed",
    "z_of",
]
