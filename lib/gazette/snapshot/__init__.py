"""Frozen data: Parquet with the SQL that made it and a digest, so that a run can be audited and done again."""

from gazette.snapshot._frozen import Frozen, Snapshot, freeze, reopen, verify
from gazette.snapshot._kept import keep, kept
from gazette.snapshot._scratch import part_of, scratch
from gazette.snapshot._small import SMALL_CELLS, without_small_cells

__all__ = [
    "SMALL_CELLS",
    "Frozen",
    "Snapshot",
    "freeze",
    "keep",
    "kept",
    "part_of",
    "reopen",
    "scratch",
    "verify",
    "without_small_cells",
]
