"""Rules that turn numbers into sentences, verdicts and recommendations."""

from gazette.conclusions._experiment import Look, MetricResult, conclude, state_of
from gazette.conclusions._model import describe_model
from gazette.conclusions._summary import headline, ranked

__all__ = ["Look", "MetricResult", "conclude", "describe_model", "headline", "ranked", "state_of"]
