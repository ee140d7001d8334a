"""What people write in ``params/``: models of every file, a loader that reports all errors, JSON Schemas."""

from gazette.params._load import FILES, FOLDERS, Params, Problem, load, problems
from gazette.params._metrics import Alarm, Fact, Metric, Translation
from gazette.params._schemas import schemas
from gazette.params._site import SiteParams
from gazette.params._subjects import Experiment, Guardrail, Model, Variant

__all__ = [
    "FILES",
    "FOLDERS",
    "Alarm",
    "Experiment",
    "Fact",
    "Guardrail",
    "Metric",
    "Model",
    "Params",
    "Problem",
    "SiteParams",
    "Translation",
    "Variant",
    "load",
    "problems",
    "schemas",
]
