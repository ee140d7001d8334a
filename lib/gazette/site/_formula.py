"""A metric's formula in words and symbols, from how it is measured; HTML without a library for mathematics."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from gazette import display

if TYPE_CHECKING:
    from gazette.params import Before, Fact, Metric
    from gazette.record import Unit

__all__ = ["formula", "measured"]

X, Y = "x<sub>i</sub>", "y<sub>i</sub>"


def _code(text: object) -> str:
    return f"<code>{escape(str(text))}</code>"


def _of_unit(fact: Fact, name: str) -> str:
    """What a unit's value is: the rows that count, and how they are taken together."""
    where = " and ".join(f"{_code(w.column)} is {_code(w.equals)}" for w in fact.where)
    rows = f"rows of {_code(fact.table)} of unit i" + (f" where {where}" if where else "")
    if fact.aggregation == "any":
        return f"{name} = 1 where there is at least one of the {rows}; 0 where there is none"
    if fact.aggregation == "count":
        return f"{name} = number of the {rows}"
    return f"{name} = sum of {_code(fact.value)} over the {rows}; 0 where there is none"


def measured(definition: Before | Metric, unit: Unit, currency: str) -> str:
    """Formula and what its signs mean.

    Args:
        definition: With a fact.
        unit: Of its values.
        currency: ISO code.
    """
    if definition.fact is None:
        return ""
    shown, value, more = "", X, []
    if definition.cap is not None:
        value = f"min({X}, c)"
        more.append(
            f"c = {escape(display.format_value(definition.cap, unit, currency=currency))}: a unit counts as at most this"
        )
    elif definition.cap_quantile is not None:
        share = escape(display.format_value(definition.cap_quantile, "fraction"))
        value = f"min({X}, c)"
        more.append(
            f"c = the value that {share} of the units of all arms stay at or below, between two of them in proportion (of those above 0 alone, where this would not be above 0): a unit counts as at most this"
        )
    if definition.denominator is not None:
        shown = f"Σ<sub>i</sub> {X} ÷ Σ<sub>i</sub> {Y}"
        more.append(_of_unit(definition.denominator, Y))
    elif definition.quantile is not None:
        share = escape(display.format_value(definition.quantile, "fraction"))
        shown = f"smallest v with #{{i : {X} ≤ v}} ÷ n ≥ {share}"
    else:
        shown = f"(1 ÷ n) Σ<sub>i</sub> {value}"
    signs = [_of_unit(definition.fact, X), *more, "n = number of units; the sums run over all of them"]
    items = "".join(f"<li>{line}.</li>" for line in signs)
    return f'<p class="gz-formula">{shown}</p><ul class="gz-signs">{items}</ul>'


def formula(metric: Metric, currency: str) -> str:
    """The section on how the metric is computed."""
    parts = []
    if metric.formula:
        parts.append(f'<p class="gz-formula">{escape(metric.formula)}</p>')
    if metric.fact is not None:
        parts.append(measured(metric, metric.unit, currency))
        loaded = f", loaded ({_code(metric.fact.arrived)}) before the data cut-off" if metric.fact.arrived else ""
        parts.append(
            f"<p>In a test, a unit's rows count from its assignment ({_code(metric.fact.time)}) to the end of the test or of the "
            f"edition's week{loaded}.</p>"
        )
        if metric.covariate is not None:
            before = metric.covariate
            parts.append(
                f"<p>Between the arms of a test, {X} − θ (z<sub>i</sub> − z̄) is compared, z<sub>i</sub> being {_code(before.column)} of "
                f"{_code(before.table)}, known before the test, and θ the covariance of x and z over the variance of z. "
                "This narrows the range and leaves every effect as it is on average (CUPED).</p>"
            )
    elif not metric.formula:
        parts.append("<p>No formula is written down for it; the definition above is all there is.</p>")
    if metric.code:
        parts.append(
            f'<p>Computed by {_code(metric.code)} of the library that the <a href="../provenance.html">provenance</a> page names.</p>'
        )
    return "".join(parts)
