"""What people write in ``params/``: models of every file, a loader that reports all errors, JSON Schemas."""

from gazette.params._across import metrics_of_model
from gazette.params._alerts import Alarm, AlertsFile, Channel, Maintenance
from gazette.params._annotations import Annotation, AnnotationsFile
from gazette.params._audiences import TIERS, Audience, Tier
from gazette.params._challenge import Acceptance, CellChange, Challenge, ChallengedNumber, FileChange, ParameterChange
from gazette.params._changes import MEASURED, changes
from gazette.params._decision import Choice, Decision, Effect, Realised, Score, SignOff, Watch
from gazette.params._experiment import Experiment, Guardrail, Impact, Segment, Variant
from gazette.params._glossary import GlossaryFile, Term
from gazette.params._load import FILES, FOLDERS, Params, Problem, load, problems, published_prose, read_sheet
from gazette.params._metrics import FLAGS, Before, Covariate, Fact, Metric, Trigger, clashes
from gazette.params._model import Business, Checks, Features, Limit, Model, Quality, Scores
from gazette.params._prose import Prose
from gazette.params._reconciliations import Reconciliation, ReconciliationsFile, Ruling, Told
from gazette.params._replayed import Replayed
from gazette.params._schemas import schemas
from gazette.params._signals import SIGNALS, Signal, quantile
from gazette.params._site import Operations, SiteParams
from gazette.params._strange import strange_files
from gazette.params._translations import MoneyBase, Target, Translation
from gazette.params._types import Changelog, Cost
from gazette.params._types import Id as SubjectId

__all__ = [
    "FILES",
    "FLAGS",
    "FOLDERS",
    "MEASURED",
    "SIGNALS",
    "TIERS",
    "Acceptance",
    "Alarm",
    "AlertsFile",
    "Annotation",
    "AnnotationsFile",
    "Audience",
    "Before",
    "Business",
    "CellChange",
    "Challenge",
    "ChallengedNumber",
    "Changelog",
    "Channel",
    "Checks",
    "Choice",
    "Cost",
    "Covariate",
    "Decision",
    "Effect",
    "Experiment",
    "Fact",
    "Features",
    "FileChange",
    "GlossaryFile",
    "Guardrail",
    "Impact",
    "Limit",
    "Maintenance",
    "Metric",
    "Model",
    "MoneyBase",
    "Operations",
    "ParameterChange",
    "Params",
    "Problem",
    "Prose",
    "Quality",
    "Realised",
    "Reconciliation",
    "ReconciliationsFile",
    "Replayed",
    "Ruling",
    "Score",
    "Scores",
    "Segment",
    "SignOff",
    "Signal",
    "SiteParams",
    "SubjectId",
    "Target",
    "Term",
    "Tier",
    "Told",
    "Translation",
    "Trigger",
    "Variant",
    "Watch",
    "changes",
    "clashes",
    "load",
    "metrics_of_model",
    "problems",
    "published_prose",
    "quantile",
    "read_sheet",
    "schemas",
    "strange_files",
]
