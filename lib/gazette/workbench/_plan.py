"""What was agreed before a test, as the ledger of looks keeps it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gazette.params import Experiment

__all__ = ["plan_of"]

PLANNED = (
    "start",
    "end",
    "control",
    "variants",
    "primary",
    "secondary",
    "guardrails",
    "alpha",
    "planned_units",
    "method",
    "spending",
    "correction",
    "minimum_effect",
)


def plan_of(plan: Experiment) -> str:
    """The fields that were agreed before the test, as canonical JSON on one line."""
    fields = plan.model_dump(mode="json", include=set(PLANNED)) | {"method": plan.design}
    fields["variants"] = [
        {k: v[k] for k in ("id", "title", "weight")} for v in fields["variants"]
    ]  # not how tables spell them
    if plan.reallocations:  # plans of earlier code know none
        fields["reallocations"] = plan.model_dump(mode="json", include={"reallocations"})["reallocations"]
    return json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
