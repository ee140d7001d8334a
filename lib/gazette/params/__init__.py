"""What people write in ``params/``: models of every file, a loader that reports all errors, JSON Schemas."""

from gazette.params._experiment import Experiment, Guardrail, Variant
from gazette.params._load import FILES, FOLDERS, Params, Problem, load, problems
from gazette.params._metrics import Alarm, Fact, Metric, Translation
from gazette.params._model import Checks, Features, Limit, Model, Quality
from gazette.params._schemas import schemas
from gazette.params._site import SiteParams

__all__ = [
    "FILES",
    "FOLDERS",
    "Alarm",
    "Checks",
    "Experiment",
    "Fact",
    "Features",
    "Guardrail",
    "Limit",
    "Metric",
    "Model",
    "Params",
    "Problem",
    "Quality",
    "SiteParams",
    "Translation",
    "Variant",
    "load",
    "problems",
    "schemas",
]
