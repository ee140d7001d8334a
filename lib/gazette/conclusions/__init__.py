"""Rules that turn numbers into sentences, verdicts and recommendations."""

from gazette.conclusions._experiment import Check, Look, MetricResult, best, conclude, guardrail_of, state_of
from gazette.conclusions._model import Evidence, Moved, describe_model, moved, provisional
from gazette.conclusions._operations import describe_operations
from gazette.conclusions._portfolio import Tested, describe_portfolio, shipped, tested
from gazette.conclusions._readings import Misreading, misreadings
from gazette.conclusions._summary import headline, ranked

__all__ = [
    "Check",
    "Evidence",
    "Look",
    "MetricResult",
    "Misreading",
    "Moved",
    "Tested",
    "best",
    "conclude",
    "describe_model",
    "describe_operations",
    "describe_portfolio",
    "guardrail_of",
    "headline",
    "misreadings",
    "moved",
    "provisional",
    "ranked",
    "shipped",
    "state_of",
    "tested",
]
