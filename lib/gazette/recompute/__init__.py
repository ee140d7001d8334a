"""Headline numbers a second time, from the rows of the warehouse, by other code than the first.

Nothing here imports what computed them first (``sources``' queries, ``stats``, ``monitoring``, ``workbench``): the queries are written as
plain SQL, the arithmetic from the textbook. Where the two disagree, one of them is wrong, and the edition is not published.
"""

from gazette.recompute._ask import ask
from gazette.recompute._compare import Disagreement, Inputs, recompute, rows_of
from gazette.recompute._outcome import FILE, FOLDER, Checked, Recomputed, read_recomputed

__all__ = [
    "FILE",
    "FOLDER",
    "Checked",
    "Disagreement",
    "Inputs",
    "Recomputed",
    "ask",
    "read_recomputed",
    "recompute",
    "rows_of",
]
