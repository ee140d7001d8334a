"""Decisions, sign-offs, scores, annotations and new subjects: what people add, as files in git."""

from gazette.register._annotate import annotate
from gazette.register._decide import decide, sign_off
from gazette.register._files import FOLDER, Entry, Register, load_register, register_problems
from gazette.register._new import new_subject
from gazette.register._outcomes import Outcome, add_score, outcomes
from gazette.register._targets import Targets, chart_subject, lost_remarks, targets_of
from gazette.register._watch import Report, open_watches, reports

__all__ = [
    "FOLDER",
    "Entry",
    "Outcome",
    "Register",
    "Report",
    "Targets",
    "add_score",
    "annotate",
    "chart_subject",
    "decide",
    "load_register",
    "lost_remarks",
    "new_subject",
    "open_watches",
    "outcomes",
    "register_problems",
    "reports",
    "sign_off",
    "targets_of",
]
