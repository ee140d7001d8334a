"""What a notebook emits: numbers with passports, findings, verdicts, alerts, bound into a record."""

from gazette.record._headline import SUBJECTS, headline_numbers
from gazette.record._model import (
    RECORD_MIME,
    REFERENCE,
    Action,
    Alert,
    Direction,
    Finding,
    Interval,
    Kind,
    NotPublished,
    Number,
    Record,
    TakenLook,
    Tone,
    Unit,
    Verdict,
    VerdictState,
    canonical_json,
)

__all__ = [
    "RECORD_MIME",
    "REFERENCE",
    "SUBJECTS",
    "Action",
    "Alert",
    "Direction",
    "Finding",
    "Interval",
    "Kind",
    "NotPublished",
    "Number",
    "Record",
    "TakenLook",
    "Tone",
    "Unit",
    "Verdict",
    "VerdictState",
    "canonical_json",
    "headline_numbers",
]
