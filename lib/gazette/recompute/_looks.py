"""The looks of a test a second time: what was agreed at the first, how much error each may spend, and the limit of this one."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING, Any

from gazette.recompute._arithmetic import Arm, anytime_critical, normal_critical, planned_criticals

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gazette.params import Experiment, Metric

__all__ = ["UNKNOWN", "agreed", "critical_of", "shared"]

UNKNOWN = -1.0  # a limit that rests on a spread that only the first computation has

Row = dict[str, Any]


def _kept(looks: Sequence[Row]) -> list[Row]:
    """Looks at somebody."""
    return [look for look in looks if look["units"]]


def _first_plan(looks: Sequence[Row]) -> dict[str, Any]:
    kept = _kept(looks)
    return dict(json.loads(kept[0]["plan"])) if kept and kept[0]["plan"] else {}


def agreed(plan: Experiment, looks: Sequence[Row]) -> Experiment:
    """The test with the error, the size, the spending and the margins of its first look."""
    then = _first_plan(looks)
    names = {"alpha", "planned_units", "spending", "method", "tightest_units"} & then.keys()
    margins = {g["metric"]: g["margin"] for g in then.get("guardrails", [])}
    rails = [g.model_copy(update={"margin": margins.get(g.metric, g.margin)}) for g in plan.guardrails]
    return plan.model_copy(update={name: then[name] for name in names} | {"guardrails": rails})


def shared(known: Metric, control: Arm | None, treatment: Arm | None, *, whole: bool = False) -> float | None:
    """What one look has in common with later ones, up to a factor of the test; None where a spread is not known.

    Args:
        known: Definition of the primary metric.
        control: Of it.
        treatment: Likewise.
        whole: Whether nothing is added to a user who counts.
    """
    if control is None or treatment is None or control.variance is None or treatment.variance is None:
        return None
    n, m = control.n, treatment.n
    if whole:
        return 1 / (1 / n + 1 / m) if control.variance + treatment.variance > 0 else None
    if known.denominator is not None:
        square = control.variance / n + treatment.variance / m
        return 1 / square if square else None
    if known.proportion:
        hits = n * control.mean + m * treatment.mean
        return n * m * hits / ((n + m) * (n + m - hits)) if 0 < hits < n + m else None
    return n * m * (m * control.variance + n * treatment.variance) / (n + m) ** 2 or None


def critical_of(
    plan: Experiment, looks: Sequence[Row], *, units: int, information: float | None, alpha: float, last: date
) -> float:
    """Standard errors to each side at this look; `UNKNOWN` where the first computation alone can say.

    Args:
        plan: As `agreed`.
        looks: Of earlier editions, oldest first, as the ledger has them.
        units: Of all arms now.
        information: What `shared` says of this look.
        alpha: Error of one comparison.
        last: Last day of the edition's week.
    """
    if plan.design == "fixed" or units == 0:
        return normal_critical(alpha)
    if plan.design == "confidence-sequence":
        return anytime_critical(units, tightest=plan.tightest_units, alpha=alpha)
    then = _first_plan(looks)
    start, end = (date.fromisoformat(then[k]) if then else getattr(plan, k) for k in ("start", "end"))
    over = end <= last and end <= plan.end
    share = min((min(last, plan.end) - plan.start).days + 1, (end - start).days + 1) / ((end - start).days + 1)
    whole = plan.planned_units or units
    if plan.window_days is not None and plan.planned_units is not None:
        run = (min(last, plan.end) - plan.start).days + 1
        share = run / max(1, min(plan.minimum_days, (end - start).days + 1))
        over = over or min(share, units / whole) >= 1
    now = {
        "units": units,
        "information": information,
        "time": 1.0 if over else max(0.0, min(share, units / whole, 1.0)),
    }
    rows: list[Row] = []
    for look in _kept(looks):
        if _was_last(look):
            now, over = look, look.get("time") is None or look["time"] >= 1
            break
        rows.append(look)
    rows = [look for look in rows if look["effect"] is not None] + [now]
    if len(rows) > 1 and now["information"] is None and all(r.get("information") is not None for r in rows[:-1]):
        return UNKNOWN
    known = [r.get("information") for r in rows]
    amounts = [r["units"] / whole for r in rows] if None in known else [float(k) for k in known if k is not None]
    clock = [r["units"] / whole if r.get("time") is None else float(r["time"]) for r in rows]
    for i in range(1, len(rows)):
        amounts[i], clock[i] = max(amounts[i], amounts[i - 1] * (1 + 1e-9)), max(clock[i], clock[i - 1])
    return planned_criticals(amounts, alpha=alpha, spending=plan.spending, final=over, clock=clock)[-1]


def _was_last(look: Row) -> bool:
    """Whether a look closed its test; editions of earlier code tell by their week and their plan."""
    if look.get("time") is not None or look.get("final"):
        return bool(look.get("final"))
    year, _, week = str(look["edition"]).partition("-W")
    if not (year.isdigit() and week.isdigit() and look["plan"]):
        return False
    return date.fromisoformat(json.loads(look["plan"])["end"]) <= date.fromisocalendar(int(year), int(week), 7)
