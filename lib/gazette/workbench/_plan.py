"""What was agreed before a test, as the ledger of looks keeps it: what may change after the first look, and what counts then."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from gazette.record import canonical_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gazette.params import Experiment, Metric

__all__ = ["as_agreed", "broken_by", "changes", "plan_of"]

ERROR = ("alpha", "planned_units", "method", "spending", "correction", "minimum_effect", "tightest_units")
PLANNED = ("start", "end", "control", "variants", "primary", "secondary", "guardrails", *ERROR)
MEASURED = ("unit", "direction", "fact", "denominator", "quantile", "cap", "cap_quantile", "covariate")
OTHERS = ("start", "control", "primary", "window_days", "triggered")  # changed, they make another test
SELDOM = (
    "reallocations",
    "window_days",
    "triggered",
)  # in a plan only where the file has them; plans of earlier code know none


def plan_of(plan: Experiment, metrics: Mapping[str, Metric]) -> str:
    """The fields that were agreed before the test and a digest of what each metric measures, as canonical JSON on one line."""
    fields = plan.model_dump(mode="json", include=set(PLANNED)) | {"method": plan.design}
    fields["variants"] = [
        {k: v[k] for k in ("id", "title", "weight")} for v in fields["variants"]
    ]  # not how tables spell them
    fields |= {k: v for k, v in plan.model_dump(mode="json", include=set(SELDOM)).items() if v}
    fields["definitions"] = {m: _measured(metrics[m]) for m in plan.metrics}
    return json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _measured(metric: Metric) -> str:
    """Digest of what a metric measures, whatever it is called."""
    content = metric.model_dump(mode="json", include=set(MEASURED))
    return hashlib.sha256(canonical_json(content).encode()).hexdigest()[:12]


def as_agreed(plan: Experiment, first: str) -> Experiment:
    """The test as its file has it, with the error, size, design and margins of the plan at the first look, whatever the file says since.

    So a change after looking moves no limit: the error that was agreed is spent as agreed, by the looks that were taken.
    """
    then = json.loads(first)
    agreed: dict[str, Any] = {k: then[k] for k in ERROR if k in then}
    margins = {g["metric"]: g["margin"] for g in then["guardrails"]}
    agreed["guardrails"] = [g.model_copy(update={"margin": margins.get(g.metric, g.margin)}) for g in plan.guardrails]
    return plan.model_copy(update=agreed)


def changes(first: str, now: str) -> list[tuple[str, str, str]]:
    """What is not as it was at the first look: name, then, now. What plans of earlier code did not hold counts as unchanged."""
    then, today = json.loads(first), json.loads(now)
    defined = {f"definition of {m}": d for m, d in then.pop("definitions", {}).items()}
    definitions = {f"definition of {m}": d for m, d in today.pop("definitions").items()}
    known = {k: v for k, v in today.items() if k in then} | {k: today.get(k) for k in SELDOM if k in then or k in today}
    then |= {k: d for k, d in defined.items() if k in definitions}
    known |= {k: d for k, d in definitions.items() if k in defined}
    return [(k, str(then.get(k)), str(known[k])) for k in sorted(known) if then.get(k) != known[k]]


def broken_by(first: str, now: str) -> dict[str, list[str]]:
    """Changes after the first look that no spending of error can make good, by the metric that they spoil (empty: the whole test).

    Another start, control, arm, primary metric or definition makes another test; a guardrail that was dropped no longer guards; a test that
    is read once has no error for an end that was brought forward.
    """
    then, today = json.loads(first), json.loads(now)
    names = [name for name, _, _ in changes(first, now)]
    whole = [name for name in OTHERS if name in names]
    if _arms(then) != _arms(today):
        whole.append("variants")
    kept = {g["metric"] for g in today["guardrails"]}
    whole += [f"guardrail {g['metric']} dropped" for g in then["guardrails"] if g["metric"] not in kept]
    if then["method"] == "fixed" and today["end"] < then["end"]:
        whole.append("end")
    found = {"": whole}
    for name in names:
        metric = name.removeprefix("definition of ")
        if metric != name:
            found.setdefault("" if metric == today["primary"] else metric, []).append(name)
    return {metric: broken for metric, broken in found.items() if broken}


def _arms(plan: dict[str, Any]) -> list[tuple[str, float]]:
    return sorted((v["id"], v["weight"]) for v in plan["variants"])
