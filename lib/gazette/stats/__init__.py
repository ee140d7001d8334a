"""Estimates from aggregates: means, proportions, ratios, quantiles, their differences; sequential intervals, planning, the split of a test."""

from gazette.stats._decisions import Bayes, Correction, adjust, bayes, heterogeneity
from gazette.stats._design import Comparison, Design, Kind, Method, compare, information, joint_alpha
from gazette.stats._early import crossing, shrunken
from gazette.stats._estimates import (
    Estimate,
    difference_of_means,
    mean,
    proportion,
    relative_difference,
    student_t,
    student_z,
    z_of,
)
from gazette.stats._explained import Explained, Unknown, adjusted_ratios
from gazette.stats._flips import Choice, Specification, specifications
from gazette.stats._moments import Joint, Lacking, Moments, MomentsError, adjusted, ratio
from gazette.stats._planning import POWER, detectable, each_power, guard_power, power, units_needed, users_needed
from gazette.stats._plans import Planned, plan
from gazette.stats._portfolio import (
    FEWEST_CLAIMS,
    FEWEST_TESTS,
    Prior,
    coverage_of_claims,
    fit_prior,
    realised_share,
    total,
)
from gazette.stats._quantile import quantile_moments, quantile_ranks, quantile_units, too_coarse
from gazette.stats._ratio import homogeneity, sample_ratio, sample_ratio_sequence
from gazette.stats._scores import Prediction, Scores, score
from gazette.stats._sequential import Spending, always_valid_p, boundaries, confidence_sequence_z, spent
from gazette.stats._shares import difference_of_proportions, relative_of_proportions
from gazette.stats._skew import Skew, effective_users, skew_of

__all__ = [
    "FEWEST_CLAIMS",
    "FEWEST_TESTS",
    "POWER",
    "Bayes",
    "Choice",
    "Comparison",
    "Correction",
    "Design",
    "Estimate",
    "Explained",
    "Joint",
    "Kind",
    "Lacking",
    "Method",
    "Moments",
    "MomentsError",
    "Planned",
    "Prediction",
    "Prior",
    "Scores",
    "Skew",
    "Specification",
    "Spending",
    "Unknown",
    "adjust",
    "adjusted",
    "adjusted_ratios",
    "always_valid_p",
    "bayes",
    "boundaries",
    "compare",
    "confidence_sequence_z",
    "coverage_of_claims",
    "crossing",
    "detectable",
    "difference_of_means",
    "difference_of_proportions",
    "each_power",
    "effective_users",
    "fit_prior",
    "guard_power",
    "heterogeneity",
    "homogeneity",
    "information",
    "joint_alpha",
    "mean",
    "plan",
    "power",
    "proportion",
    "quantile_moments",
    "quantile_ranks",
    "quantile_units",
    "ratio",
    "realised_share",
    "relative_difference",
    "relative_of_proportions",
    "sample_ratio",
    "sample_ratio_sequence",
    "score",
    "shrunken",
    "skew_of",
    "specifications",
    "spent",
    "student_t",
    "student_z",
    "too_coarse",
    "total",
    "units_needed",
    "users_needed",
    "z_of",
]
