"""Model metrics with intervals, from aggregates."""

from gazette.monitoring._classifier import auc, auc_difference, calibration_error

__all__ = ["auc", "auc_difference", "calibration_error"]
