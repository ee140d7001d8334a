"""Technical changes and business figures, in both directions from one posterior."""

from gazette.translation._chain import (
    Backward,
    Base,
    BeyondError,
    Chain,
    Forward,
    Misfit,
    backward,
    chains,
    forward,
    misfits,
)
from gazette.translation._contradictions import Contradiction, contradictions
from gazette.translation._learnt import FEWEST, Learnt, Past, PastError, learn
from gazette.translation._links import (
    Change,
    ChangeUnit,
    Link,
    UnitError,
    as_number_unit,
    change_unit,
    converted,
    slope_of_range,
)

__all__ = [
    "FEWEST",
    "Backward",
    "Base",
    "BeyondError",
    "Chain",
    "Change",
    "ChangeUnit",
    "Contradiction",
    "Forward",
    "Learnt",
    "Link",
    "Misfit",
    "Past",
    "PastError",
    "UnitError",
    "as_number_unit",
    "backward",
    "chains",
    "change_unit",
    "contradictions",
    "converted",
    "forward",
    "learn",
    "misfits",
    "slope_of_range",
]
