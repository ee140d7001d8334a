"""What people write in ``params/``: models of every file, a loader that reports all errors, JSON Schemas."""

from gazette.params._alerts import Alarm, AlertsFile, Channel, Maintenance
from gazette.params._experiment import Experiment, Guardrail, Variant
from gazette.params._glossary import GlossaryFile, Term
from gazette.params._load import FILES, FOLDERS, Params, Problem, load, problems, published_prose
from gazette.params._metrics import Fact, Metric, Translation
from gazette.params._model import Checks, Features, Limit, Model, Quality, Scores
from gazette.params._prose import Prose
from gazette.params._schemas import schemas
from gazette.params._signals import SIGNALS, Signal, quantile
from gazette.params._site import Operations, SiteParams

__all__ = [
    "FILES",
    "FOLDERS",
    "SIGNALS",
    "Alarm",
    "AlertsFile",
    "Channel",
    "Checks",
    "Experiment",
    "Fact",
    "Features",
    "GlossaryFile",
    "Guardrail",
    "Limit",
    "Maintenance",
    "Metric",
    "Model",
    "Operations",
    "Params",
    "Problem",
    "Prose",
    "Quality",
    "Scores",
    "Signal",
    "SiteParams",
    "Term",
    "Translation",
    "Variant",
    "load",
    "problems",
    "published_prose",
    "quantile",
    "schemas",
]
