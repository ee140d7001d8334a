"""Run notebooks: one worker process each, typed parameters, time-outs, memory, a content cache."""

from gazette.runs._cache import environment_digest, library_digest, versions
from gazette.runs._interpreter import Interpreter
from gazette.runs._job import Event, Failure, Job, Outcome
from gazette.runs._pool import run_all
from gazette.runs._template import check_parameters

__all__ = [
    "Event",
    "Failure",
    "Interpreter",
    "Job",
    "Outcome",
    "check_parameters",
    "environment_digest",
    "library_digest",
    "run_all",
    "versions",
]
