"""Decisions, sign-offs, scores, annotations and new subjects: what people add, as files in git."""

from gazette.register._annotate import annotate
from gazette.register._bound import faults_of, prefix_at, signed_as_it_stands
from gazette.register._challenge_files import CHALLENGES, Challenged
from gazette.register._challenges import accept_challenge, accepted_restatements, load_challenges, write_challenge
from gazette.register._decide import FITTING, decide, sign_off
from gazette.register._due import ASKS, Due, due, standing
from gazette.register._files import FOLDER, Entry, Register, load_register, register_problems
from gazette.register._new import NewSubject, new_subject
from gazette.register._outcomes import Outcome, add_score, outcomes
from gazette.register._replays import REPLAYS, keep_replay, load_replays, newest_replays, replay_problems
from gazette.register._restatements import Listed, Log, Moved, Unread, facts_of, listed, logs_of, read_log, tally
from gazette.register._targets import Targets, chart_subject, lost_remarks, targets_of
from gazette.register._trail import KINDS, Event, Trail, trail
from gazette.register._watch import open_watches
from gazette.register._witnesses import named_editions

__all__ = [
    "ASKS",
    "CHALLENGES",
    "FITTING",
    "FOLDER",
    "KINDS",
    "REPLAYS",
    "Challenged",
    "Due",
    "Entry",
    "Event",
    "Listed",
    "Log",
    "Moved",
    "NewSubject",
    "Outcome",
    "Register",
    "Targets",
    "Trail",
    "Unread",
    "accept_challenge",
    "accepted_restatements",
    "add_score",
    "annotate",
    "chart_subject",
    "decide",
    "due",
    "facts_of",
    "faults_of",
    "keep_replay",
    "listed",
    "load_challenges",
    "load_register",
    "load_replays",
    "logs_of",
    "lost_remarks",
    "named_editions",
    "new_subject",
    "newest_replays",
    "open_watches",
    "outcomes",
    "prefix_at",
    "read_log",
    "register_problems",
    "replay_problems",
    "sign_off",
    "signed_as_it_stands",
    "standing",
    "tally",
    "targets_of",
    "trail",
    "write_challenge",
]
