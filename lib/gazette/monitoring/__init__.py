"""How models do: measures with their ranges, drift, data checks, since when a series changed."""

from gazette.monitoring._change import Shift, shift, slope
from gazette.monitoring._checks import Check, State, check, schema_changes
from gazette.monitoring._drift import DEFINITIONS, Drift, drift
from gazette.monitoring._measures import (
    calibration_error,
    calibration_noise,
    difference,
    independent_difference,
    level,
    share,
)

__all__ = [
    "DEFINITIONS",
    "Check",
    "Drift",
    "Shift",
    "State",
    "calibration_error",
    "calibration_noise",
    "check",
    "difference",
    "drift",
    "independent_difference",
    "level",
    "schema_changes",
    "share",
    "shift",
    "slope",
]
