"""What people write in ``params/``: models of every file, a loader that reports all errors, JSON Schemas."""

from gazette.params._alerts import Alarm, AlertsFile, Channel, Maintenance
from gazette.params._changes import MEASURED, changes
from gazette.params._experiment import Experiment, Guardrail, Variant
from gazette.params._load import FILES, FOLDERS, Params, Problem, load, problems
from gazette.params._metrics import Before, Fact, Metric, Translation
from gazette.params._model import Checks, Features, Limit, Model, Quality, Scores
from gazette.params._schemas import schemas
from gazette.params._signals import SIGNALS, Signal, quantile
from gazette.params._site import Operations, SiteParams

__all__ = [
    "FILES",
    "FOLDERS",
    "MEASURED",
    "SIGNALS",
    "Alarm",
    "AlertsFile",
    "Before",
    "Channel",
    "Checks",
    "Experiment",
    "Fact",
    "Features",
    "Guardrail",
    "Limit",
    "Maintenance",
    "Metric",
    "Model",
    "Operations",
    "Params",
    "Problem",
    "Quality",
    "Scores",
    "Signal",
    "SiteParams",
    "Translation",
    "Variant",
    "changes",
    "load",
    "problems",
    "quantile",
    "schemas",
]
