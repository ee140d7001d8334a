"""Rules that turn numbers into sentences, verdicts and recommendations."""

from gazette.conclusions._experiment import Check, Look, MetricResult, best, conclude, guardrail_of, state_of
from gazette.conclusions._model import describe_model
from gazette.conclusions._summary import headline, ranked

__all__ = [
    "Check",
    "Look",
    "MetricResult",
    "best",
    "conclude",
    "describe_model",
    "guardrail_of",
    "headline",
    "ranked",
    "state_of",
]
