"""Run a sealed edition again and compare what it says now with what it said."""

from gazette.replay._outputs import CellChange, compare_outputs, read_notebook
from gazette.replay._rebuild import rebuild
from gazette.replay._recorded import Difference, Recorded, differences, read_recorded
from gazette.replay._replay import Listener, PageReplay, Replay, Where, replay
from gazette.replay._rerun import Page, Rerun, pages_of, rerun
from gazette.replay._tolerances import DEFAULTS, Tolerances

__all__ = [
    "DEFAULTS",
    "CellChange",
    "Difference",
    "Listener",
    "Page",
    "PageReplay",
    "Recorded",
    "Replay",
    "Rerun",
    "Tolerances",
    "Where",
    "compare_outputs",
    "differences",
    "pages_of",
    "read_notebook",
    "read_recorded",
    "rebuild",
    "replay",
    "rerun",
]
