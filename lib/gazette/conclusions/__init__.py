"""Rules that turn numbers into sentences, verdicts and recommendations."""

from gazette.conclusions._catalogue import RULES, Rule
from gazette.conclusions._causes import Cause, causes
from gazette.conclusions._common import Common, check_fails_for_most, common_checks, mend_once
from gazette.conclusions._decisions import Due, basis, decision, is_decided, review, to_do
from gazette.conclusions._experiment import Check, Earlier, Look, best, conclude
from gazette.conclusions._flips import Flip, FlipMap, FlipsError, flip_map, flips_said
from gazette.conclusions._hedge import Hedge, hedge, sure
from gazette.conclusions._model import NO_RANGE, Evidence, Moved, describe_model, moved, provisional
from gazette.conclusions._news import BECAUSE, Changes, changes, digest_of, news
from gazette.conclusions._operations import describe_operations
from gazette.conclusions._portfolio import Tested, describe_portfolio, shipped, tested
from gazette.conclusions._readings import Misreading, misreadings
from gazette.conclusions._reconciliation import Agreement, Reconciled, agreement_of, holds, reconciled
from gazette.conclusions._replays import replays
from gazette.conclusions._standing import MetricResult, Skewed, guardrail_of, state_by, state_of
from gazette.conclusions._summary import (
    NOTHING,
    Extra,
    Material,
    headline,
    lacking,
    lowered,
    matters,
    plainly,
    ranked,
    signs,
)
from gazette.conclusions._watches import Watched, WatchState, taken, watch_rule, watch_state, watched

__all__ = [
    "BECAUSE",
    "NOTHING",
    "NO_RANGE",
    "RULES",
    "Agreement",
    "Cause",
    "Changes",
    "Check",
    "Common",
    "Due",
    "Earlier",
    "Evidence",
    "Extra",
    "Flip",
    "FlipMap",
    "FlipsError",
    "Hedge",
    "Look",
    "Material",
    "MetricResult",
    "Misreading",
    "Moved",
    "Reconciled",
    "Rule",
    "Skewed",
    "Tested",
    "WatchState",
    "Watched",
    "agreement_of",
    "basis",
    "best",
    "causes",
    "changes",
    "check_fails_for_most",
    "common_checks",
    "conclude",
    "decision",
    "describe_model",
    "describe_operations",
    "describe_portfolio",
    "digest_of",
    "flip_map",
    "flips_said",
    "guardrail_of",
    "headline",
    "hedge",
    "holds",
    "is_decided",
    "lacking",
    "lowered",
    "matters",
    "mend_once",
    "misreadings",
    "moved",
    "news",
    "plainly",
    "provisional",
    "ranked",
    "reconciled",
    "replays",
    "review",
    "shipped",
    "signs",
    "state_by",
    "state_of",
    "sure",
    "taken",
    "tested",
    "to_do",
    "watch_rule",
    "watch_state",
    "watched",
]
