"""Run notebooks: one worker process each, forked from a warm one, typed parameters, time-outs, memory, a content cache."""

from gazette.runs._cache import versions
from gazette.runs._environment import (
    Environment,
    environment_digest,
    keep_environment,
    library_digest,
    lock_entries,
    present_environment,
    wheel_digest,
)
from gazette.runs._interpreter import Interpreter
from gazette.runs._job import Event, Failure, Job, Outcome
from gazette.runs._pool import run_all
from gazette.runs._process import warm
from gazette.runs._template import check_parameters

__all__ = [
    "Environment",
    "Event",
    "Failure",
    "Interpreter",
    "Job",
    "Outcome",
    "check_parameters",
    "environment_digest",
    "keep_environment",
    "library_digest",
    "lock_entries",
    "present_environment",
    "run_all",
    "versions",
    "warm",
    "wheel_digest",
]
