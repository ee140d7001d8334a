"""What changed between two editions, most important first: verdicts, numbers, findings, subjects, definitions, code, data."""

from gazette.diff._compare import compare_sides
from gazette.diff._editions import Pair, choose_pair, difference
from gazette.diff._found import (
    CodeChange,
    DataChange,
    DefinitionChange,
    Difference,
    FindingMoved,
    NumberMoved,
    SubjectChange,
    VerdictMoved,
)
from gazette.diff._side import FrozenQuery, Side, read_side

__all__ = [
    "CodeChange",
    "DataChange",
    "DefinitionChange",
    "Difference",
    "FindingMoved",
    "FrozenQuery",
    "NumberMoved",
    "Pair",
    "Side",
    "SubjectChange",
    "VerdictMoved",
    "choose_pair",
    "compare_sides",
    "difference",
    "read_side",
]
