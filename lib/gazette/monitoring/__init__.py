"""How models do: measures with their ranges, drift, data checks, since when a series changed."""

from gazette.monitoring._alarms import AlarmState, Condition, evaluate, explained
from gazette.monitoring._change import SINCE, Shift, shift, slope
from gazette.monitoring._checks import Check, State, check, schema_changes
from gazette.monitoring._drift import DEFINITIONS, Drift, drift, judged
from gazette.monitoring._measures import (
    calibration_error,
    calibration_noise,
    difference,
    independent_difference,
    level,
    share,
)
from gazette.monitoring._ranged import RATE, Bare, Ranged, Spread, together

__all__ = [
    "DEFINITIONS",
    "RATE",
    "SINCE",
    "AlarmState",
    "Bare",
    "Check",
    "Condition",
    "Drift",
    "Ranged",
    "Shift",
    "Spread",
    "State",
    "calibration_error",
    "calibration_noise",
    "check",
    "difference",
    "drift",
    "evaluate",
    "explained",
    "independent_difference",
    "judged",
    "level",
    "schema_changes",
    "share",
    "shift",
    "slope",
    "together",
]
