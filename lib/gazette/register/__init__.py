"""Decisions, sign-offs, scores, annotations and new subjects: what people add, as files in git."""

from gazette.register._annotate import annotate
from gazette.register._bound import faults_of, prefix_at, signed_as_it_stands
from gazette.register._decide import FITTING, decide, sign_off
from gazette.register._due import ASKS, Due, due, standing
from gazette.register._files import FOLDER, Entry, Register, load_register, register_problems
from gazette.register._new import new_subject
from gazette.register._outcomes import Outcome, add_score, outcomes
from gazette.register._watch import open_watches

__all__ = [
    "ASKS",
    "FITTING",
    "FOLDER",
    "Due",
    "Entry",
    "Outcome",
    "Register",
    "add_score",
    "annotate",
    "decide",
    "due",
    "faults_of",
    "load_register",
    "new_subject",
    "open_watches",
    "outcomes",
    "prefix_at",
    "register_problems",
    "sign_off",
    "signed_as_it_stands",
    "standing",
]
