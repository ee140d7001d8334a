"""What a notebook imports: open a subject of an edition, look at it step by step, emit its record.

```python
from gazette.workbench import open_experiment
test = open_experiment("ranking-v3-2", edition="2026-W47", root=".")
test.effects()
test.emit()
```
"""

from gazette.display import chart, table
from gazette.workbench._adhoc import AdHoc, AdHocBench, counts_table
from gazette.workbench._checks import SPLIT_ALPHA
from gazette.workbench._drawn import Outcome, compared, replay_outcomes
from gazette.workbench._experiment import ExperimentBench, open_experiment
from gazette.workbench._model import ModelBench, open_model
from gazette.workbench._operations import OperationsBench, open_operations
from gazette.workbench._past import PastChanges
from gazette.workbench._portfolio import PortfolioBench, open_portfolio
from gazette.workbench._reconciliation import ReconciliationBench, open_reconciliation
from gazette.workbench._summary import SummaryBench, open_summary
from gazette.workbench._translation import TranslationBench, open_translation
from gazette.workbench._worth import slope_of

__all__ = [
    "SPLIT_ALPHA",
    "AdHoc",
    "AdHocBench",
    "ExperimentBench",
    "ModelBench",
    "OperationsBench",
    "Outcome",
    "PastChanges",
    "PortfolioBench",
    "ReconciliationBench",
    "SummaryBench",
    "TranslationBench",
    "chart",
    "compared",
    "counts_table",
    "open_experiment",
    "open_model",
    "open_operations",
    "open_portfolio",
    "open_reconciliation",
    "open_summary",
    "open_translation",
    "replay_outcomes",
    "slope_of",
    "table",
]
