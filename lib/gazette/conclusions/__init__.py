"""Rules that turn numbers into sentences, verdicts and recommendations."""

from gazette.conclusions._catalogue import RULES, Rule
from gazette.conclusions._decisions import Due, decision
from gazette.conclusions._experiment import Check, Look, MetricResult, best, conclude, guardrail_of, state_of
from gazette.conclusions._hedge import Hedge, hedge, sure
from gazette.conclusions._model import Evidence, Moved, describe_model, moved, provisional
from gazette.conclusions._news import BECAUSE, digest_of, news
from gazette.conclusions._operations import describe_operations
from gazette.conclusions._summary import Material, headline, lacking, matters, plainly, ranked, signs

__all__ = [
    "BECAUSE",
    "RULES",
    "Check",
    "Due",
    "Evidence",
    "Hedge",
    "Look",
    "Material",
    "MetricResult",
    "Moved",
    "Rule",
    "best",
    "conclude",
    "decision",
    "describe_model",
    "describe_operations",
    "digest_of",
    "guardrail_of",
    "headline",
    "hedge",
    "lacking",
    "matters",
    "moved",
    "news",
    "plainly",
    "provisional",
    "ranked",
    "signs",
    "state_of",
    "sure",
]
